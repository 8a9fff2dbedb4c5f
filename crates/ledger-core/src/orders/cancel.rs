//! Units that will not be shipped after all.

use bincode::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::hold_limits::end;
use super::{Bucket, Order, OrderLine, OrderState, Refusal, completion, holds, move_units, open};
use crate::books::{Fact, Movement, Place, Status, Subject, SubjectKind};
use crate::draft::Draft;
use crate::kinds::Action;
use crate::ledger::{Ledger, Moment};
use crate::rejection::Rejection;
use crate::state::Row;
use crate::values::{LocationId, Note, OrderId, PositiveQuantity, Quantity, ReasonCode, Sku};

/// Cancels what is not shipped of an order, or so many units of some lines: open units first, then backordered, then
/// reserved ones, which go back to where they were. Picked and packed units are the warehouse's. What was paid for the
/// cancelled units stays the customer's deposit until it is refunded.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cancel {
    /// The order.
    pub order: OrderId,
    /// Which lines; all that is not shipped when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<Vec<CancelLine>>,
    /// Why.
    pub reason: ReasonCode,
    /// What is to be said with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
}

/// Units of a line that are to be cancelled.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelLine {
    /// The order's line.
    pub line: u16,
    /// Units.
    pub quantity: PositiveQuantity,
}

/// Units of an order were cancelled.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct Cancelled {
    /// The order.
    pub order: OrderId,
    /// What was cancelled.
    pub lines: Vec<CancelledLine>,
    /// Whether nothing of the order was or will be shipped: then the order is cancelled, charges and all.
    pub whole: bool,
    /// Why.
    pub reason: ReasonCode,
    /// What was said with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
}

/// Units of a line that were cancelled, by the bucket they were in.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct CancelledLine {
    /// The order's line.
    pub line: u16,
    /// The item.
    pub sku: Sku,
    /// Units that were open.
    pub open: Quantity,
    /// Units that were backordered.
    pub backordered: Quantity,
    /// Units that were reserved, and where.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reserved: Vec<GivenBack>,
}

/// Reserved units that became available again.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct GivenBack {
    /// Where.
    pub location: LocationId,
    /// Units.
    pub quantity: Quantity,
}

impl Action for Cancel {
    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Rejection> {
        let ledger = draft.ledger();
        let (row, order) = open(ledger, &self.order)?;
        let wanted = match &self.lines {
            Some(lines) => self.named_lines(&order, lines)?,
            None => self.all_lines(&order)?,
        };
        let lines = wanted.iter().map(|(line, quantity)| cancelled_line(ledger, line, *quantity)).collect();
        cancel(draft, row, lines, (self.reason.clone(), self.note.clone()));
        Ok(())
    }
}

/// Cancels all that nobody picked, which may be nothing.
pub(super) fn cancel_what_is_not_picked(draft: &mut Draft<'_>, row: Row, reason: ReasonCode) {
    let ledger = draft.ledger();
    let order = ledger.orders.get(row);
    let lines = order.lines.iter().map(|line| (line, line.cancellable()));
    let lines = lines.filter(|(_, cancellable)| cancellable.is_positive());
    let lines: Vec<_> = lines.map(|(line, cancellable)| cancelled_line(ledger, line, cancellable)).collect();
    if !lines.is_empty() {
        cancel(draft, row, lines, (reason, None));
    }
}

fn cancel(
    draft: &mut Draft<'_>,
    row: Row,
    lines: Vec<CancelledLine>,
    (reason, note): (ReasonCode, Option<Note>),
) {
    let ledger = draft.ledger();
    let order = ledger.orders.get(row);
    let cancelled: Quantity = lines.iter().map(CancelledLine::units).sum();
    let whole = order.before_shipped() == cancelled && order.left_us().is_zero();
    let unmet = holds::unmet_holds(ledger, row);
    draft.record(Cancelled { order: ledger.orders.id(row).clone(), lines, whole, reason, note });
    completion::complete_if_done(draft, row);
    holds::clear_met_holds(draft, row, &unmet);
}

impl Cancel {
    fn all_lines<'o>(&self, order: &'o Order) -> Result<Vec<(&'o OrderLine, Quantity)>, Refusal> {
        let lines = order.lines.iter().filter(|line| line.before_shipped().is_positive());
        let wanted = lines.map(|line| self.cancellable(line, line.before_shipped()));
        wanted.collect()
    }

    fn named_lines<'o>(
        &self,
        order: &'o Order,
        lines: &[CancelLine],
    ) -> Result<Vec<(&'o OrderLine, Quantity)>, Refusal> {
        if lines.is_empty() {
            return Err(Refusal::NothingToCancel { order: self.order.clone() });
        }
        let wanted = lines.iter().enumerate().map(|(at, wanted)| {
            if lines[..at].iter().any(|earlier| earlier.line == wanted.line) {
                return Err(Refusal::LineTwice { order: self.order.clone(), line: wanted.line });
            }
            let unknown = || Refusal::UnknownLine { order: self.order.clone(), line: wanted.line };
            let (_, line) = order.line(wanted.line).ok_or_else(unknown)?;
            self.cancellable(line, wanted.quantity.get())
        });
        wanted.collect()
    }

    fn cancellable<'o>(
        &self,
        line: &'o OrderLine,
        wanted: Quantity,
    ) -> Result<(&'o OrderLine, Quantity), Refusal> {
        let cancellable = line.cancellable();
        if wanted <= cancellable {
            return Ok((line, wanted));
        }
        let (order, line_number) = (self.order.clone(), line.number);
        let picked = line.before_shipped() - cancellable;
        if picked.is_zero() {
            let bucket = "before shipped".to_owned();
            return Err(Refusal::NotEnoughOnLine {
                order,
                line: line_number,
                bucket,
                there: cancellable,
                wanted,
            });
        }
        Err(Refusal::UnitsAlreadyPicked { order, line: line_number, picked, cancellable, wanted })
    }
}

impl CancelledLine {
    fn units(&self) -> Quantity {
        self.open + self.backordered + self.reserved.iter().map(|back| back.quantity).sum()
    }
}

/// The least promised units first; of the reserved ones, those claimed last.
fn cancelled_line(ledger: &Ledger, line: &OrderLine, quantity: Quantity) -> CancelledLine {
    let mut left = quantity;
    let mut take = |there: Quantity| {
        let part = there.min(left);
        left -= part;
        part
    };
    let (open, backordered) = (take(line.open()), take(line.backordered()));
    let given_back = line.at().rev().map(|at| GivenBack {
        location: ledger.locations.id(at.location).clone(),
        quantity: take(at.reserved),
    });
    let reserved = given_back.filter(|back| back.quantity.is_positive()).collect();
    CancelledLine { line: line.number, sku: ledger.items.sku(line.item).clone(), open, backordered, reserved }
}

impl Fact for Cancelled {
    fn subjects(&self, each: &mut dyn FnMut(Subject<'_>)) {
        each(Subject::new(SubjectKind::Order, &self.order));
        for line in &self.lines {
            each(Subject::new(SubjectKind::Item, &line.sku));
        }
    }

    fn movements(&self, each: &mut dyn FnMut(Movement<'_>)) {
        for line in &self.lines {
            for back in &line.reserved {
                each(Movement {
                    sku: &line.sku,
                    from: Place::Stock(&back.location, Status::Reserved),
                    to: Place::Stock(&back.location, Status::Available),
                    quantity: back.quantity,
                    parts: &[],
                });
            }
        }
    }

    fn apply(&self, ledger: &mut Ledger, at: &Moment) {
        let Some(order) = ledger.orders.row(&self.order) else { return };
        for line in &self.lines {
            move_units(ledger, order, line.line, (Bucket::Open, Bucket::Cancelled), line.open);
            move_units(ledger, order, line.line, (Bucket::Backordered, Bucket::Cancelled), line.backordered);
            for back in &line.reserved {
                let Some(location) = ledger.locations.row(&back.location) else { continue };
                let way = (Bucket::Reserved(location), Bucket::Cancelled);
                move_units(ledger, order, line.line, way, back.quantity);
            }
        }
        if self.whole {
            end(ledger, order, OrderState::Cancelled, at);
        }
    }
}

#[cfg(test)]
mod tests;
