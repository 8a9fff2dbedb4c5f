//! A line of an order: what was ordered at which price, where its units are, and what came back of them.

use bincode::{Decode, Encode};

use super::buckets::{AtLocation, Bucket, Buckets};
use super::{LineTax, PlacedLine};
use crate::books::CostParts;
use crate::ledger::Ledger;
use crate::state::Row;
use crate::values::{Amount, Cumulated, Price, Quantity, part_of};

/// A line of goods. Its buckets sum to `ordered`.
///
/// Kept small, for there is one of it for every line of every order: what only few lines have is boxed.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct OrderLine {
    /// Its number on the order, from 1.
    pub number: u16,
    /// The item.
    pub item: Row,
    /// Units ordered.
    pub ordered: Quantity,
    /// Price of a unit, without discount and tax.
    pub price: Price,
    /// price × ordered, rounded once.
    pub gross: Amount,
    /// For the whole line.
    pub discount: Amount,
    /// For the whole line.
    pub taxes: Box<[LineTax]>,
    /// What shipped units cost, in issue order.
    pub issued: CostParts,
    buckets: Buckets,
    after_sale: Option<Box<AfterSale>>,
}

/// What came back of a line, in goods and in money.
#[derive(Debug, Clone, PartialEq, Default, Encode, Decode)]
pub struct AfterSale {
    /// Units of open return authorisations.
    pub return_authorised: Quantity,
    /// Units that came back.
    pub returned: Quantity,
    /// What was granted back for its units.
    pub refunds: LineRefunds,
}

/// What was granted back for a line: for units that had left us, from what was invoiced; for units that never did, from
/// what was paid before.
#[derive(Debug, Clone, PartialEq, Default, Encode, Decode)]
pub struct LineRefunds {
    /// Units that had left us.
    pub shipped_units: Quantity,
    /// Granted for them, net of discount, without tax.
    pub net: Amount,
    /// Taxes granted with it, in the order of the line's taxes; empty before the first.
    pub taxes: Vec<Amount>,
    /// Units that were cancelled before they left.
    pub cancelled_units: Quantity,
    /// Granted for those out of the deposit.
    pub from_deposit: Amount,
}

impl LineRefunds {
    /// What was granted in all, with tax.
    pub fn total(&self) -> Amount {
        self.net + self.taxes.iter().copied().sum() + self.from_deposit
    }

    /// Units for which anything was granted as for units, shipped or not.
    pub fn units(&self) -> Quantity {
        self.shipped_units + self.cancelled_units
    }
}

static NOTHING_AFTER_SALE: AfterSale = AfterSale {
    return_authorised: Quantity::ZERO,
    returned: Quantity::ZERO,
    refunds: LineRefunds {
        shipped_units: Quantity::ZERO,
        net: Amount::ZERO,
        taxes: Vec::new(),
        cancelled_units: Quantity::ZERO,
        from_deposit: Amount::ZERO,
    },
};

impl OrderLine {
    pub(crate) fn placed(line: &PlacedLine, item: Row) -> Self {
        OrderLine {
            number: line.line,
            item,
            ordered: line.quantity,
            price: line.price,
            gross: line.gross,
            discount: line.discount,
            taxes: line.taxes.as_slice().into(),
            issued: CostParts::default(),
            buckets: Buckets::all_in(Bucket::Open, line.quantity),
            after_sale: None,
        }
    }

    /// What the line is worth with discount and tax.
    pub fn total(&self) -> Amount {
        self.gross - self.discount + self.taxes.iter().map(|tax| tax.amount.get()).sum()
    }

    /// What the line is worth without what was cancelled or refused, with discount and tax, by the part rule: what its
    /// invoices sum to once the rest is shipped.
    pub fn payable(&self) -> Amount {
        let kept = self.ordered - self.cancelled();
        let units = Cumulated { before: Quantity::ZERO, part: kept, whole: self.ordered };
        part_of(self.gross, units) - part_of(self.discount, units)
            + self.taxes.iter().map(|tax| part_of(tax.amount.get(), units)).sum()
    }

    /// Units in a bucket.
    pub fn quantity(&self, bucket: Bucket) -> Quantity {
        self.buckets.quantity(bucket)
    }

    /// Neither promised nor backordered yet.
    pub fn open(&self) -> Quantity {
        self.quantity(Bucket::Open)
    }

    /// Waiting for stock.
    pub fn backordered(&self) -> Quantity {
        self.quantity(Bucket::Backordered)
    }

    /// Handed over to the carrier.
    pub fn shipped(&self) -> Quantity {
        self.quantity(Bucket::Shipped)
    }

    /// Handed over to the customer.
    pub fn delivered(&self) -> Quantity {
        self.quantity(Bucket::Delivered)
    }

    /// Lost on the way.
    pub fn lost(&self) -> Quantity {
        self.quantity(Bucket::Lost)
    }

    /// Cancelled, refused and substituted among them.
    pub fn cancelled(&self) -> Quantity {
        self.quantity(Bucket::Cancelled)
    }

    /// Reserved, picked and packed units, by location in the order of first claim.
    pub fn at(&self) -> impl DoubleEndedIterator<Item = AtLocation> {
        self.buckets.at()
    }

    /// Units claimed anywhere: reserved, picked and packed.
    pub fn claimed(&self) -> Quantity {
        self.at().map(|at| at.reserved + at.picked + at.packed).sum()
    }

    /// Units reserved anywhere.
    pub fn reserved(&self) -> Quantity {
        self.at().map(|at| at.reserved).sum()
    }

    /// Units that may be cancelled: neither picked nor gone.
    pub fn cancellable(&self) -> Quantity {
        self.open() + self.backordered() + self.reserved()
    }

    /// Units that ever left: shipped, delivered or lost.
    pub fn left_us(&self) -> Quantity {
        self.shipped() + self.delivered() + self.lost()
    }

    /// Units not yet shipped and not cancelled.
    pub fn before_shipped(&self) -> Quantity {
        self.open() + self.backordered() + self.claimed()
    }

    /// The sum of all buckets: always `ordered`.
    pub fn sum_of_buckets(&self) -> Quantity {
        self.buckets.iter().map(|(_, units)| units).sum()
    }

    /// Units of open return authorisations.
    pub fn return_authorised(&self) -> Quantity {
        self.after_sale().return_authorised
    }

    /// Units that came back.
    pub fn returned(&self) -> Quantity {
        self.after_sale().returned
    }

    /// What was granted back for its units.
    pub fn refunds(&self) -> &LineRefunds {
        &self.after_sale().refunds
    }

    /// What came back of it, in goods and in money.
    pub fn after_sale(&self) -> &AfterSale {
        self.after_sale.as_deref().unwrap_or(&NOTHING_AFTER_SALE)
    }

    /// What came back of it, to change.
    pub(crate) fn after_sale_mut(&mut self) -> &mut AfterSale {
        self.after_sale.get_or_insert_default()
    }

    pub(crate) fn move_units(&mut self, way: (Bucket, Bucket), units: Quantity) {
        self.buckets.shift(way, units);
    }
}

/// Moves units of a line between buckets: how the facts of every module change an order's lines.
pub(crate) fn move_units(
    ledger: &mut Ledger,
    order: Row,
    number: u16,
    way: (Bucket, Bucket),
    units: Quantity,
) {
    if let Some(line) = edit_line(ledger, order, number) {
        line.move_units(way, units);
    }
}

/// A line of an order to change: how the facts of returns count what is authorised, came back and was refunded.
pub(crate) fn edit_line(ledger: &mut Ledger, order: Row, number: u16) -> Option<&mut OrderLine> {
    let order = ledger.orders.table.edit(order);
    let place = order.place_of(number)?;
    Some(&mut order.lines[place])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_small() {
        assert!(size_of::<OrderLine>() <= 120, "{} bytes", size_of::<OrderLine>());
    }
}
