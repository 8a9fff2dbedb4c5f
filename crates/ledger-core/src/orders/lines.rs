//! The buckets of an order line: every ordered unit is in exactly one.

use bincode::Encode;

use super::{LineTax, PlacedLine};
use crate::books::CostPart;
use crate::ledger::Ledger;
use crate::state::Row;
use crate::values::{Amount, Cumulated, Price, Quantity, part_of};

/// Units of a line that are claimed at one location.
#[derive(Debug, Clone, Copy, PartialEq, Encode)]
pub struct AtLocation {
    /// Where.
    pub location: Row,
    /// Claimed, on the shelf.
    pub reserved: Quantity,
    /// Taken from the shelf.
    pub picked: Quantity,
    /// In a parcel.
    pub packed: Quantity,
}

/// A line of goods. Its buckets sum to `ordered`.
#[derive(Debug, Clone, PartialEq, Encode)]
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
    pub taxes: Vec<LineTax>,
    /// Neither promised nor backordered yet.
    pub open: Quantity,
    /// Waiting for stock.
    pub backordered: Quantity,
    /// Reserved, picked and packed units, by location in the order of first claim.
    pub at: Vec<AtLocation>,
    /// Handed over to the carrier.
    pub shipped: Quantity,
    /// Handed over to the customer.
    pub delivered: Quantity,
    /// Lost on the way.
    pub lost: Quantity,
    /// Cancelled, refused and substituted among them.
    pub cancelled: Quantity,
    /// What shipped units cost, in issue order.
    pub issued: Vec<CostPart>,
    /// Units of open return authorisations.
    pub return_authorised: Quantity,
    /// Units that came back.
    pub returned: Quantity,
    /// What was granted back for its units.
    pub refunds: LineRefunds,
}

/// What was granted back for a line: for units that had left us, from what was invoiced; for units that never did, from
/// what was paid before.
#[derive(Debug, Clone, PartialEq, Default, Encode)]
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

/// A bucket of an order line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bucket {
    /// Neither promised nor backordered yet.
    Open,
    /// Waiting for stock.
    Backordered,
    /// Claimed at a location.
    Reserved(Row),
    /// Taken from the shelf of a location.
    Picked(Row),
    /// In a parcel at a location.
    Packed(Row),
    /// Handed over to the carrier.
    Shipped,
    /// Handed over to the customer.
    Delivered,
    /// Lost on the way.
    Lost,
    /// Cancelled or refused.
    Cancelled,
}

impl OrderLine {
    pub(super) fn placed(line: &PlacedLine, item: Row) -> Self {
        let none = Quantity::ZERO;
        OrderLine {
            number: line.line,
            item,
            ordered: line.quantity,
            price: line.price,
            gross: line.gross,
            discount: line.discount,
            taxes: line.taxes.clone(),
            open: line.quantity,
            backordered: none,
            at: Vec::new(),
            shipped: none,
            delivered: none,
            lost: none,
            cancelled: none,
            issued: Vec::new(),
            return_authorised: none,
            returned: none,
            refunds: LineRefunds::default(),
        }
    }

    /// What the line is worth with discount and tax.
    pub fn total(&self) -> Amount {
        self.gross - self.discount + self.taxes.iter().map(|tax| tax.amount.get()).sum()
    }

    /// What the line is worth without what was cancelled or refused, with discount and tax, by the part rule: what its
    /// invoices sum to once the rest is shipped.
    pub fn payable(&self) -> Amount {
        let kept = self.ordered - self.cancelled;
        let units = Cumulated { before: Quantity::ZERO, part: kept, whole: self.ordered };
        part_of(self.gross, units) - part_of(self.discount, units)
            + self.taxes.iter().map(|tax| part_of(tax.amount.get(), units)).sum()
    }

    /// Units in a bucket.
    pub fn quantity(&self, bucket: Bucket) -> Quantity {
        let at = |location: Row| self.at.iter().find(|at| at.location == location);
        match bucket {
            Bucket::Open => self.open,
            Bucket::Backordered => self.backordered,
            Bucket::Reserved(location) => at(location).map_or(Quantity::ZERO, |at| at.reserved),
            Bucket::Picked(location) => at(location).map_or(Quantity::ZERO, |at| at.picked),
            Bucket::Packed(location) => at(location).map_or(Quantity::ZERO, |at| at.packed),
            Bucket::Shipped => self.shipped,
            Bucket::Delivered => self.delivered,
            Bucket::Lost => self.lost,
            Bucket::Cancelled => self.cancelled,
        }
    }

    /// Units claimed anywhere: reserved, picked and packed.
    pub fn claimed(&self) -> Quantity {
        self.at.iter().map(|at| at.reserved + at.picked + at.packed).sum()
    }

    /// Units reserved anywhere.
    pub fn reserved(&self) -> Quantity {
        self.at.iter().map(|at| at.reserved).sum()
    }

    /// Units that ever left: shipped, delivered or lost.
    pub fn left_us(&self) -> Quantity {
        self.shipped + self.delivered + self.lost
    }

    /// Units not yet shipped and not cancelled.
    pub fn before_shipped(&self) -> Quantity {
        self.open + self.backordered + self.claimed()
    }

    /// The sum of all buckets: always `ordered`.
    pub fn sum_of_buckets(&self) -> Quantity {
        self.before_shipped() + self.left_us() + self.cancelled
    }

    fn bucket(&mut self, bucket: Bucket) -> &mut Quantity {
        match bucket {
            Bucket::Open => &mut self.open,
            Bucket::Backordered => &mut self.backordered,
            Bucket::Reserved(location) => &mut self.at_location(location).reserved,
            Bucket::Picked(location) => &mut self.at_location(location).picked,
            Bucket::Packed(location) => &mut self.at_location(location).packed,
            Bucket::Shipped => &mut self.shipped,
            Bucket::Delivered => &mut self.delivered,
            Bucket::Lost => &mut self.lost,
            Bucket::Cancelled => &mut self.cancelled,
        }
    }

    fn at_location(&mut self, location: Row) -> &mut AtLocation {
        let place = self.at.iter().position(|at| at.location == location).unwrap_or_else(|| {
            let none = Quantity::ZERO;
            self.at.push(AtLocation { location, reserved: none, picked: none, packed: none });
            self.at.len() - 1
        });
        &mut self.at[place]
    }
}

/// Moves units of a line between buckets: how the facts of every module change an order's lines.
pub(crate) fn move_units(
    ledger: &mut Ledger,
    order: Row,
    number: u16,
    (from, to): (Bucket, Bucket),
    units: Quantity,
) {
    let order = ledger.orders.table.edit(order);
    let Some(place) = order.place_of(number) else { return };
    let line = &mut order.lines[place];
    *line.bucket(from) -= units;
    *line.bucket(to) += units;
    line.at.retain(|at| !(at.reserved.is_zero() && at.picked.is_zero() && at.packed.is_zero()));
}

/// A line of an order to change: how the facts of returns count what is authorised, came back and was refunded.
pub(crate) fn edit_line(ledger: &mut Ledger, order: Row, number: u16) -> Option<&mut OrderLine> {
    ledger.orders.table.edit(order).lines.iter_mut().find(|line| line.number == number)
}
