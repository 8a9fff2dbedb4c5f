//! A customer may send goods back.

use bincode::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Refusal, Return, ReturnLine, sized};
use crate::books::{Fact, Subject, SubjectKind};
use crate::draft::Draft;
use crate::due::{DueKey, DueKind};
use crate::kinds::Action;
use crate::ledger::{Ledger, Moment};
use crate::orders::{self, OrderLine, edit_line};
use crate::rejection::Rejection;
use crate::state::Row;
use crate::values::{
    Amount, CountryCode, CustomerId, Note, OrderId, PositiveQuantity, Quantity, ReasonCode, ReturnId, Sku,
    Timestamp,
};

/// Allows units of an order to come back: units that left us, within the item's return window counted from their
/// shipment, and neither back nor authorised already. What came back or is authorised is counted against the oldest
/// shipment first.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Authorise {
    /// The return's id; assigned when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r#return: Option<ReturnId>,
    /// The order.
    pub order: OrderId,
    /// What may come back; one or more.
    pub lines: Vec<AuthoriseLine>,
    /// Why.
    pub reason: ReasonCode,
    /// What was said with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
    /// Until when it is awaited: then it expires, and what comes later comes as a blind return. By default as many days
    /// as `returns.set_window` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// Units of an order line that may come back.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthoriseLine {
    /// The order's line.
    pub line: u16,
    /// Units.
    pub quantity: PositiveQuantity,
}

/// A return was authorised.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct Authorised {
    /// The return.
    pub r#return: ReturnId,
    /// The order.
    pub order: OrderId,
    /// Who ordered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer: Option<CustomerId>,
    /// Where the order went.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<CountryCode>,
    /// What may come back.
    pub lines: Vec<AuthorisedLine>,
    /// Why.
    pub reason: ReasonCode,
    /// What was said with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
    /// Until when it is awaited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// Units of an order line that may come back.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct AuthorisedLine {
    /// Its number on the return.
    pub line: u16,
    /// The order's line.
    pub order_line: u16,
    /// The item.
    pub sku: Sku,
    /// Units.
    pub quantity: Quantity,
}

impl Action for Authorise {
    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Rejection> {
        let id = draft.id_or_assigned(self.r#return.as_ref());
        let now = draft.context().moment.effective_at;
        let ledger = draft.ledger();
        if ledger.returns.find(&id).is_some() {
            return Err(Refusal::ReturnExists { rma: id }.into());
        }
        let (order_row, order) = orders::known(ledger, &self.order)?;
        if let Some(expires_at) = self.expires_at.filter(|expires_at| *expires_at <= now) {
            return Err(Refusal::ExpiryNotAhead { rma: id, expires_at, now }.into());
        }
        sized(self.lines.len())?;
        let mut lines: Vec<AuthorisedLine> = Vec::with_capacity(self.lines.len());
        for (AuthoriseLine { line, quantity }, number) in self.lines.iter().zip(1..) {
            let found = orders::line(&self.order, &order, *line)?;
            if lines.iter().any(|earlier| earlier.order_line == *line) {
                return Err(Refusal::LineTwice { line: *line }.into());
            }
            self.eligible(ledger, (order_row, found), quantity.get(), now)?;
            let sku = ledger.items.sku(found.item).clone();
            lines.push(AuthorisedLine { line: number, order_line: *line, sku, quantity: quantity.get() });
        }
        let authorised = Authorised {
            r#return: id,
            order: self.order.clone(),
            customer: order.customer.clone(),
            country: order.country().cloned(),
            lines,
            reason: self.reason.clone(),
            note: self.note.clone(),
            expires_at: self.expires_at.or_else(|| {
                let days = ledger.returns.window_days(order.channel)?;
                Some(now.plus_days(days.into()))
            }),
        };
        draft.record(authorised);
        Ok(())
    }
}

impl Authorise {
    fn eligible(
        &self,
        ledger: &Ledger,
        (order, line): (Row, &OrderLine),
        wanted: Quantity,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let left_us = line.shipped() + line.delivered();
        let in_window = shipped_within_window(ledger, order, line, now).min(left_us);
        let taken = line.returned() + line.return_authorised();
        if wanted <= in_window.min(left_us - taken) {
            return Ok(());
        }
        Err(Refusal::ReturnNotEligible {
            order: self.order.clone(),
            line: line.number,
            shipped: left_us,
            in_window,
            authorised: line.return_authorised(),
            returned: line.returned(),
            wanted,
        })
    }
}

/// Units of a line whose shipment is no longer ago than the item's return window.
fn shipped_within_window(ledger: &Ledger, order: Row, line: &OrderLine, now: Timestamp) -> Quantity {
    let window_days = ledger.items.get(line.item).return_window_days;
    let shipments = ledger.shipments.of_order(order).filter_map(|(_, shipment)| {
        let shipped_at = shipment.shipped_at?;
        let open = window_days.is_none_or(|days| now <= shipped_at.plus_days(days.into()));
        open.then(|| shipment.units(line.number))
    });
    shipments.sum()
}

impl Fact for Authorised {
    fn subjects(&self, each: &mut dyn FnMut(Subject<'_>)) {
        each(Subject::new(SubjectKind::Return, &self.r#return));
        each(Subject::new(SubjectKind::Order, &self.order));
        self.customer.iter().for_each(|customer| each(Subject::new(SubjectKind::Customer, customer)));
        self.lines.iter().for_each(|line| each(Subject::new(SubjectKind::Item, &line.sku)));
    }

    fn apply(&self, ledger: &mut Ledger, at: &Moment) {
        let Some(order) = ledger.orders.row(&self.order) else { return };
        let mut lines = Vec::with_capacity(self.lines.len());
        for AuthorisedLine { line, order_line, sku, quantity } in &self.lines {
            let Some(item) = ledger.items.row(sku) else { continue };
            lines.push(ReturnLine::new(*line, Some(*order_line), item, *quantity));
            if let Some(line) = edit_line(ledger, order, *order_line) {
                line.after_sale_mut().return_authorised += *quantity;
            }
        }
        let added = Return {
            order: Some(order),
            customer: self.customer.clone(),
            country: self.country.clone(),
            reason: Some(self.reason.clone()),
            location: None,
            lines,
            authorised_at: Some(at.effective_at),
            received_at: None,
            expires_at: self.expires_at,
            stage_since: at.effective_at,
            refunded_units: Quantity::ZERO,
            refunded: Amount::ZERO,
        };
        let row = ledger.returns.add(self.r#return.clone(), added);
        if let Some(expires_at) = self.expires_at {
            ledger.due.queue.insert(DueKey::new(expires_at, DueKind::Return, row));
        }
    }
}

#[cfg(test)]
mod tests;
