//! The fact that a refund was granted, with its credit note.

use bincode::{Decode, Encode};
use schemars::JsonSchema;
use serde::Serialize;

use super::GrantedRefund;
use crate::books::{Account, Fact, Posting, Subject, SubjectKind};
use crate::ledger::{Ledger, Moment};
use crate::orders::{LineTax, edit_line};
use crate::payments::{self, Claim};
use crate::state::Row;
use crate::values::{
    Amount, ChannelId, Charge, CountryCode, CustomerId, DocumentNumber, NonNegativeAmount, Note, OrderId,
    Quantity, ReasonCode, RefundId, ReturnId, Sku,
};

/// A refund was granted.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct Refunded {
    /// The refund.
    pub refund: RefundId,
    /// The gapless number of its credit note.
    pub credit_note: DocumentNumber,
    /// The return it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r#return: Option<ReturnId>,
    /// The order; none on an unreferenced refund.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderId>,
    /// The channel.
    pub channel: ChannelId,
    /// Whose it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer: Option<CustomerId>,
    /// Where the goods went.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<CountryCode>,
    /// Goods.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<RefundedLine>,
    /// Charges.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub charges: Vec<RefundedCharge>,
    /// What we keep of it.
    #[serde(skip_serializing_if = "NonNegativeAmount::is_zero")]
    pub restocking_fee: NonNegativeAmount,
    /// What settles the order's unpaid invoices.
    pub to_receivable: Amount,
    /// What is to be paid.
    pub claim: Amount,
    /// Why.
    pub reason: ReasonCode,
    /// What was said with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
}

/// Goods that were refunded.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct RefundedLine {
    /// The order's line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u16>,
    /// The item.
    pub sku: Sku,
    /// Units that left us.
    pub quantity: Quantity,
    /// What is given back for those, without tax.
    pub net: Amount,
    /// The taxes of it, in the order of the line's taxes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub taxes: Vec<LineTax>,
    /// Units that never left us.
    pub cancelled_units: Quantity,
    /// What is given back for those, out of what was paid before.
    pub from_deposit: Amount,
}

/// A charge that was refunded.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct RefundedCharge {
    /// Its number on the order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub charge: Option<u16>,
    /// What it was for.
    pub kind: Charge,
    /// What is given back of what was invoiced, without tax.
    pub net: Amount,
    /// The taxes of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub taxes: Vec<LineTax>,
    /// What is given back of what was paid and never invoiced.
    pub from_deposit: Amount,
}

fn taxed(net: Amount, taxes: &[LineTax]) -> Amount {
    net + taxes.iter().map(|tax| tax.amount.get()).sum()
}

impl Refunded {
    /// What is given back out of what was paid before anything was invoiced.
    pub fn from_deposit(&self) -> Amount {
        self.lines.iter().map(|line| line.from_deposit).sum::<Amount>()
            + self.charges.iter().map(|charge| charge.from_deposit).sum::<Amount>()
    }

    /// What is granted before the restocking fee is taken, with tax.
    pub fn granted(&self) -> Amount {
        self.lines.iter().map(|line| taxed(line.net, &line.taxes)).sum::<Amount>()
            + self.charges.iter().map(|charge| taxed(charge.net, &charge.taxes)).sum::<Amount>()
            + self.from_deposit()
    }

    /// Units that are refunded, whether or not they left us.
    pub fn units(&self) -> Quantity {
        self.lines.iter().map(|line| line.quantity + line.cancelled_units).sum()
    }

    fn granted_refund(&self, channel: Row, order: Option<Row>, at: &Moment) -> GrantedRefund {
        GrantedRefund {
            order,
            channel,
            customer: self.customer.clone(),
            country: self.country.clone(),
            r#return: self.r#return.clone(),
            reason: self.reason.clone(),
            credit_note: self.credit_note.clone(),
            amount: self.to_receivable + self.claim,
            claim: self.claim,
            granted_at: at.effective_at,
        }
    }
}

impl Fact for Refunded {
    fn subjects(&self, each: &mut dyn FnMut(Subject<'_>)) {
        each(Subject::new(SubjectKind::Refund, &self.refund));
        self.r#return.iter().for_each(|id| each(Subject::new(SubjectKind::Return, id)));
        self.order.iter().for_each(|order| each(Subject::new(SubjectKind::Order, order)));
        self.customer.iter().for_each(|customer| each(Subject::new(SubjectKind::Customer, customer)));
        each(Subject::new(SubjectKind::Channel, &self.channel));
        self.lines.iter().for_each(|line| each(Subject::new(SubjectKind::Item, &line.sku)));
    }

    fn postings(&self, each: &mut dyn FnMut(Posting<'_>)) {
        let (channel, order, country) = (Some(&self.channel), self.order.as_ref(), self.country.as_ref());
        let mut sold = |posting: Posting<'_>| each(posting.sold(channel, order, country));
        for line in &self.lines {
            sold(Posting::debit(Account::ReturnsAndAllowances, line.net).of(&line.sku));
            for tax in &line.taxes {
                let back = Posting::debit(Account::OutputTax, tax.amount.get());
                sold(back.of(&line.sku).taxed_by(&tax.jurisdiction));
            }
        }
        for charge in &self.charges {
            sold(Posting::debit(Account::ChargeRevenue, charge.net));
            for tax in &charge.taxes {
                sold(Posting::debit(Account::OutputTax, tax.amount.get()).taxed_by(&tax.jurisdiction));
            }
        }
        sold(Posting::debit(Account::CustomerDeposits, self.from_deposit()));
        sold(Posting::credit(Account::RestockingFees, self.restocking_fee.get()));
        sold(Posting::credit(Account::Receivable, self.to_receivable));
        sold(Posting::credit(Account::RefundsPayable, self.claim).claimed_by(&self.refund));
    }

    fn apply(&self, ledger: &mut Ledger, at: &Moment) {
        *ledger.finance.credit_notes += 1;
        let order = self.order.as_ref().and_then(|order| ledger.orders.row(order));
        if let Some(order) = order {
            self.count_on_order(ledger, order);
        }
        if let Some(id) = &self.r#return {
            ledger.returns.change(id, at.effective_at, |changed| {
                changed.refunded_units += self.units();
                changed.refunded += self.to_receivable + self.claim;
            });
        }
        let Some(channel) = ledger.channels.table.row(&self.channel) else { return };
        let claim = Claim { order, channel, country: self.country.clone() };
        payments::open_claim(ledger, &self.refund, claim);
        let granted = self.granted_refund(channel, order, at);
        ledger.returns.grant(self.refund.clone(), granted);
    }
}

impl Refunded {
    fn count_on_order(&self, ledger: &mut Ledger, order: Row) {
        for refunded in &self.lines {
            let Some(line) = refunded.line.and_then(|line| edit_line(ledger, order, line)) else { continue };
            let taxes = line.taxes.len();
            let refunds = &mut line.after_sale_mut().refunds;
            refunds.shipped_units += refunded.quantity;
            refunds.net += refunded.net;
            refunds.taxes.resize(taxes, Amount::ZERO);
            for (granted, tax) in refunds.taxes.iter_mut().zip(&refunded.taxes) {
                *granted += tax.amount.get();
            }
            refunds.cancelled_units += refunded.cancelled_units;
            refunds.from_deposit += refunded.from_deposit;
        }
        let charges = &mut ledger.orders.table.edit(order).charges;
        for refunded in &self.charges {
            let of = charges.iter_mut().filter(|charge| Some(charge.number) == refunded.charge);
            of.for_each(|of| of.refunded += taxed(refunded.net, &refunded.taxes) + refunded.from_deposit);
        }
    }
}
