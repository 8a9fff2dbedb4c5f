//! A refund while it is being decided: line after line, each out of what those before it left.

use super::entitlement::{self, Excess, Granted, Wanted};
use super::{Refund, RefundCharge, RefundLine, Refunded, RefundedCharge, RefundedLine, Refusal, Return};
use crate::books::Account;
use crate::ledger::Ledger;
use crate::orders::Order;
use crate::rejection::Rejection;
use crate::state::Row;
use crate::values::{
    Amount, DocumentNumber, OrderId, PositiveAmount, PositiveQuantity, Quantity, RefundId, Text,
};
use crate::{finance, items, orders};

/// A refund that is being decided.
pub(super) struct Grant<'l> {
    ledger: &'l Ledger,
    asked: &'l Refund,
    refunded: Refunded,
    /// What of the order's deposit is still free to be given back.
    deposit: Amount,
}

impl<'l> Grant<'l> {
    /// A refund of nothing yet.
    pub(super) fn open(
        ledger: &'l Ledger,
        asked: &'l Refund,
        id: RefundId,
        (order_row, channel): (Option<Row>, Row),
    ) -> Self {
        let order = order_row.map(|row| ledger.orders.get(row));
        let of_return = asked.r#return.as_ref().and_then(|id| ledger.returns.find(id));
        let number = DocumentNumber::try_new(format!("CN-{:08}", *ledger.finance.credit_notes + 1))
            .expect("a numbered credit note has a valid document number");
        let customer = order.as_ref().and_then(|order| order.customer.clone());
        let country = order.as_ref().and_then(|order| order.country().cloned());
        let refunded = Refunded {
            refund: id,
            credit_note: number,
            r#return: asked.r#return.clone(),
            order: order_row.map(|row| ledger.orders.id(row).clone()),
            channel: ledger.channels.id(channel).clone(),
            customer: customer.or_else(|| of_return?.customer.clone()).or_else(|| asked.customer.clone()),
            country: country.or_else(|| of_return?.country.clone()).or_else(|| asked.country.clone()),
            lines: Vec::with_capacity(asked.lines.len()),
            charges: Vec::with_capacity(asked.charges.len()),
            restocking_fee: asked.restocking_fee,
            to_receivable: Amount::ZERO,
            claim: Amount::ZERO,
            reason: asked.reason.clone(),
            note: asked.note.clone(),
        };
        let deposit = order_row.map_or(Amount::ZERO, |row| entitlement::overpaid(ledger, row));
        Grant { ledger, asked, refunded, deposit }
    }

    /// Lines and charges of an order.
    pub(super) fn of_order(&mut self, row: Row) -> Result<(), Rejection> {
        let (id, order) = (self.ledger.orders.id(row), self.ledger.orders.get(row));
        for (asked, at) in self.asked.lines.iter().zip(1..) {
            let line = self.of_order_line(id, &order, asked, at)?;
            self.deposit -= line.from_deposit;
            self.refunded.lines.push(line);
        }
        for asked in &self.asked.charges {
            let charge = self.of_order_charge(id, &order, asked)?;
            self.deposit -= charge.from_deposit;
            self.refunded.charges.push(charge);
        }
        Ok(())
    }

    fn of_order_line(
        &self,
        id: &OrderId,
        order: &Order,
        asked: &RefundLine,
        at: u16,
    ) -> Result<RefundedLine, Rejection> {
        let Some(number) = asked.line else {
            return Err(Refusal::OrderLineNotNamed { order: id.clone() }.into());
        };
        let line = orders::line(id, order, number)?;
        let sku = self.ledger.items.sku(line.item).clone();
        let order = id.clone();
        if asked.sku.as_ref().is_some_and(|named| *named != sku) {
            return Err(Refusal::ItemOfAnotherLine { order, line: number, sku }.into());
        }
        if self.refunded.lines.iter().any(|earlier| earlier.line == Some(number)) {
            return Err(Refusal::LineTwice { line: number }.into());
        }
        if asked.quantity.is_none() && asked.amount.is_none() {
            return Err(Refusal::AmountNotGiven { line: at }.into());
        }
        let wanted = Wanted {
            units: asked.quantity.map_or(Quantity::ZERO, PositiveQuantity::get),
            amount: asked.amount.map(PositiveAmount::get),
            shipped_only: self.asked.r#return.is_some(),
        };
        let granted = entitlement::of_line(line, wanted, self.deposit).map_err(|excess| match excess {
            Excess::Units(refundable) => {
                Refusal::MoreThanRefundable { order, line: number, refundable, wanted: wanted.units }
            }
            Excess::Amount { refundable, wanted } => {
                Refusal::RefundExceedsPaid { order, part: format!("line {number}"), refundable, wanted }
            }
        })?;
        let Granted { shipped_units, net, taxes, cancelled_units, from_deposit } = granted;
        let line = Some(number);
        Ok(RefundedLine { line, sku, quantity: shipped_units, net, taxes, cancelled_units, from_deposit })
    }

    fn of_order_charge(
        &self,
        id: &OrderId,
        order: &Order,
        asked: &RefundCharge,
    ) -> Result<RefundedCharge, Refusal> {
        let named = match (asked.charge, &asked.kind) {
            (None, None) => return Err(Refusal::ChargeNotNamed {}),
            (Some(number), _) => number.to_string(),
            (None, Some(kind)) => kind.to_string(),
        };
        let fits = |charge: &&orders::OrderCharge| {
            asked.charge.is_none_or(|number| number == charge.number)
                && asked.kind.as_ref().is_none_or(|kind| *kind == charge.kind)
        };
        let Some(charge) = order.charges.iter().find(fits) else {
            return Err(Refusal::UnknownCharge { order: id.clone(), charge: named });
        };
        if self.refunded.charges.iter().any(|earlier| earlier.charge == Some(charge.number)) {
            return Err(Refusal::LineTwice { line: charge.number });
        }
        let granted = entitlement::of_charge(charge, order.state, asked.amount.get(), self.deposit);
        match granted {
            Ok(Granted { net, taxes, from_deposit, .. }) => {
                let (charge, kind) = (Some(charge.number), charge.kind.clone());
                Ok(RefundedCharge { charge, kind, net, taxes, from_deposit })
            }
            Err(excess) => {
                let (refundable, wanted) = match excess {
                    Excess::Amount { refundable, wanted } => (refundable, wanted),
                    Excess::Units(_) => (Amount::ZERO, asked.amount.get()),
                };
                let part = format!("charge {}", charge.number);
                Err(Refusal::RefundExceedsPaid { order: id.clone(), part, refundable, wanted })
            }
        }
    }

    /// Items and kinds of charges that no order explains.
    pub(super) fn unreferenced(&mut self) -> Result<(), Rejection> {
        let no_order = |part: &str, number| Refusal::OrderNotNamed {
            refund: self.refunded.refund.clone(),
            part: part.to_owned(),
            number,
        };
        let (mut lines, mut charges) = (Vec::new(), Vec::new());
        for (asked, at) in self.asked.lines.iter().zip(1..) {
            if let Some(number) = asked.line {
                return Err(no_order("line", number).into());
            }
            let Some(sku) = &asked.sku else { return Err(Refusal::ItemNotNamed { line: at }.into()) };
            items::known(self.ledger, sku)?;
            let Some(amount) = asked.amount else {
                return Err(Refusal::AmountNotGiven { line: at }.into());
            };
            lines.push(RefundedLine {
                line: None,
                sku: sku.clone(),
                quantity: asked.quantity.map_or(Quantity::ZERO, PositiveQuantity::get),
                net: amount.get(),
                taxes: Vec::new(),
                cancelled_units: Quantity::ZERO,
                from_deposit: Amount::ZERO,
            });
        }
        for asked in &self.asked.charges {
            if let Some(number) = asked.charge {
                return Err(no_order("charge", number).into());
            }
            let Some(kind) = asked.kind.clone() else { return Err(Refusal::ChargeNotNamed {}.into()) };
            let (net, from_deposit) = (asked.amount.get(), Amount::ZERO);
            charges.push(RefundedCharge { charge: None, kind, net, taxes: Vec::new(), from_deposit });
        }
        (self.refunded.lines, self.refunded.charges) = (lines, charges);
        Ok(())
    }

    /// Refuses units and items that do not come back with the return.
    pub(super) fn within_return(&self, of_return: &Return) -> Result<(), Refusal> {
        let Some(id) = &self.refunded.r#return else { return Ok(()) };
        for line in &self.refunded.lines {
            let item = self.ledger.items.row(&line.sku);
            if !of_return.lines.iter().any(|of| Some(of.item) == item) {
                return Err(Refusal::ItemNotReturned { rma: id.clone(), sku: line.sku.clone() });
            }
        }
        let (units, refunded) = (of_return.units(), of_return.refunded_units);
        let wanted = self.refunded.units();
        if refunded + wanted > units {
            return Err(Refusal::MoreThanReturned { rma: id.clone(), units, refunded, wanted });
        }
        Ok(())
    }

    /// What is left of the refund after the fee settles an unpaid invoice first; the rest is a claim.
    pub(super) fn close(self, order: Option<Row>) -> Result<Refunded, Refusal> {
        let Grant { ledger, mut refunded, .. } = self;
        let (granted, fee) = (refunded.granted(), refunded.restocking_fee.get());
        if !granted.is_positive() {
            return Err(Refusal::NothingToRefund { refund: refunded.refund });
        }
        if fee > granted {
            return Err(Refusal::FeeExceedsRefund { refund: refunded.refund, restocking_fee: fee, granted });
        }
        let unpaid = order.map_or(Amount::ZERO, |order| {
            finance::open_balance(ledger, Account::Receivable, ledger.orders.id(order).as_str())
        });
        let invoiced = granted - refunded.from_deposit();
        refunded.to_receivable = (invoiced - fee).min(unpaid).max(Amount::ZERO);
        refunded.claim = granted - fee - refunded.to_receivable;
        Ok(refunded)
    }
}
