//! What a shipment or a release invoices: each line's own net, discount and tax, by the part rule.

use bincode::{Decode, Encode};
use schemars::JsonSchema;
use serde::Serialize;

use super::{LineTax, Order};
use crate::books::{Account, Posting};
use crate::finance;
use crate::ledger::Ledger;
use crate::state::Row;
use crate::values::{
    Amount, ChannelId, CountryCode, Cumulated, DocumentNumber, NonNegativeAmount, OrderId, Quantity, Sku,
    Text, part_of,
};

/// An invoice: goods and charges that the customer owes from here on.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct Invoice {
    /// Its gapless number.
    pub number: DocumentNumber,
    /// Goods.
    pub lines: Vec<InvoicedLine>,
    /// Charges.
    pub charges: Vec<InvoicedCharge>,
    /// What the customer had paid before.
    pub from_deposit: Amount,
    /// What the customer now owes.
    pub receivable: Amount,
}

/// Goods on an invoice.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct InvoicedLine {
    /// The order's line.
    pub line: u16,
    /// The item.
    pub sku: Sku,
    /// Units.
    pub quantity: Quantity,
    /// Before discount and tax.
    pub gross: Amount,
    /// Discount.
    pub discount: Amount,
    /// Taxes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub taxes: Vec<LineTax>,
}

/// A charge on an invoice.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct InvoicedCharge {
    /// The order's charge.
    pub charge: u16,
    /// Before tax.
    pub amount: Amount,
    /// Taxes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub taxes: Vec<LineTax>,
}

/// The invoice for so many units of each (line number, units), and of the order's charges that no invoice has yet.
/// `None` where there is nothing to invoice.
pub(crate) fn draft_invoice(ledger: &Ledger, order_row: Row, units: &[(u16, Quantity)]) -> Option<Invoice> {
    let order = ledger.orders.get(order_row);
    let lines: Vec<_> =
        units.iter().filter_map(|(number, units)| invoiced_line(ledger, &order, *number, *units)).collect();
    let charges: Vec<_> = order
        .charges
        .iter()
        .filter(|charge| !charge.invoiced)
        .map(|charge| InvoicedCharge {
            charge: charge.number,
            amount: charge.amount,
            taxes: charge.taxes.to_vec(),
        })
        .collect();
    if lines.is_empty() && charges.is_empty() {
        return None;
    }
    let number = DocumentNumber::try_new(format!("INV-{:08}", *ledger.finance.invoices + 1))
        .expect("a numbered invoice has a valid document number");
    let mut invoice =
        Invoice { number, lines, charges, from_deposit: Amount::ZERO, receivable: Amount::ZERO };
    let total = invoice.total();
    let deposit =
        -finance::open_balance(ledger, Account::CustomerDeposits, ledger.orders.id(order_row).as_str());
    invoice.from_deposit = deposit.max(Amount::ZERO).min(total);
    invoice.receivable = total - invoice.from_deposit;
    Some(invoice)
}

fn invoiced_line(ledger: &Ledger, order: &Order, number: u16, part: Quantity) -> Option<InvoicedLine> {
    let (_, line) = order.line(number)?;
    let units = Cumulated { before: line.left_us(), part, whole: line.ordered };
    let taxes = line.taxes.iter().map(|tax| {
        let amount = NonNegativeAmount::try_new(part_of(tax.amount.get(), units)).unwrap_or_default();
        LineTax { jurisdiction: tax.jurisdiction.clone(), amount }
    });
    Some(InvoicedLine {
        line: number,
        sku: ledger.items.sku(line.item).clone(),
        quantity: part,
        gross: part_of(line.gross, units),
        discount: part_of(line.discount, units),
        taxes: taxes.collect(),
    })
}

impl Invoice {
    /// What the invoice sums to.
    pub fn total(&self) -> Amount {
        let taxes = |taxes: &[LineTax]| taxes.iter().map(|tax| tax.amount.get()).sum::<Amount>();
        self.lines.iter().map(|line| line.gross - line.discount + taxes(&line.taxes)).sum::<Amount>()
            + self.charges.iter().map(|charge| charge.amount + taxes(&charge.taxes)).sum::<Amount>()
    }

    /// Deposit and receivable against revenue, discount and tax.
    pub(crate) fn postings(
        &self,
        order: &OrderId,
        channel: &ChannelId,
        country: Option<&CountryCode>,
        each: &mut dyn FnMut(Posting<'_>),
    ) {
        let mut sold = |posting: Posting<'_>| each(posting.sold(Some(channel), Some(order), country));
        sold(Posting::debit(Account::CustomerDeposits, self.from_deposit));
        sold(Posting::debit(Account::Receivable, self.receivable));
        for line in &self.lines {
            sold(Posting::credit(Account::Revenue, line.gross).of(&line.sku));
            sold(Posting::debit(Account::Discounts, line.discount).of(&line.sku));
            for tax in &line.taxes {
                sold(
                    Posting::credit(Account::OutputTax, tax.amount.get())
                        .of(&line.sku)
                        .taxed_by(&tax.jurisdiction),
                );
            }
        }
        for charge in &self.charges {
            sold(Posting::credit(Account::ChargeRevenue, charge.amount));
            for tax in &charge.taxes {
                sold(Posting::credit(Account::OutputTax, tax.amount.get()).taxed_by(&tax.jurisdiction));
            }
        }
    }

    /// The order was invoiced: its charges are on an invoice, and the next number is taken.
    pub(crate) fn apply(&self, ledger: &mut Ledger, order: Row) {
        *ledger.finance.invoices += 1;
        let total = self.total();
        let order = ledger.orders.table.edit(order);
        order.invoiced += total;
        for charge in &mut order.charges {
            charge.invoiced |= self.charges.iter().any(|invoiced| invoiced.charge == charge.number);
        }
    }
}
