//! A hold has stood for as long as it may.

use bincode::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Bucket, GivenBack, HoldLimitAction, HoldReason, Order, Refusal, cancel, holds, known, move_units,
};
use crate::books::{Fact, Movement, Place, Status, Subject, SubjectKind};
use crate::draft::Draft;
use crate::due::DueKey;
use crate::kinds::Action;
use crate::ledger::{Ledger, Moment};
use crate::rejection::Rejection;
use crate::values::{OrderId, ReasonCode, Sku, Text};

/// Does what the limit of a hold says, once the limit is reached: takes back what is reserved, cancels, or only puts it
/// on record. The hold itself stands on, without a limit.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpireHold {
    /// The order.
    pub order: OrderId,
    /// Which hold.
    pub reason: HoldReason,
}

/// A hold reached its limit.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct HoldExpired {
    /// The order.
    pub order: OrderId,
    /// Which hold.
    pub reason: HoldReason,
    /// What becomes of the order.
    pub action: HoldLimitAction,
    /// Reserved units that may be sold again; the order waits for them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<UnreservedLine>,
}

/// Units of a line that are reserved no longer.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct UnreservedLine {
    /// The order's line.
    pub line: u16,
    /// The item.
    pub sku: Sku,
    /// Units, and where they were reserved.
    pub reserved: Vec<GivenBack>,
}

impl Action for ExpireHold {
    const TAKES_EFFECTIVE_AT: bool = false;

    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Rejection> {
        let ledger = draft.ledger();
        let (row, order) = known(ledger, &self.order)?;
        let (id, reason, log_time) = (self.order.clone(), self.reason, draft.context().moment.log_time);
        let Some(hold) = order.holds.iter().find(|hold| hold.reason == reason) else {
            return Err(Refusal::NotHeldFor { order: id, reason }.into());
        };
        let Some((_, action)) = hold.limit.filter(|(reached_at, _)| *reached_at <= log_time) else {
            let limit = hold.limit.map(|(reached_at, _)| reached_at);
            return Err(Refusal::HoldNotDue { order: id, reason, limit, log_time }.into());
        };
        let lines = match action {
            HoldLimitAction::Unreserve => reserved_lines(ledger, &order),
            HoldLimitAction::Cancel | HoldLimitAction::Escalate => Vec::new(),
        };
        draft.record(HoldExpired { order: id, reason, action, lines });
        match action {
            HoldLimitAction::Unreserve => holds::hold_for_stock(draft, row),
            HoldLimitAction::Cancel => {
                let why = ReasonCode::try_new("hold_limit").expect("a short code");
                cancel::cancel_what_is_not_picked(draft, row, why);
            }
            HoldLimitAction::Escalate => {}
        }
        Ok(())
    }
}

fn reserved_lines(ledger: &Ledger, order: &Order) -> Vec<UnreservedLine> {
    let lines = order.lines.iter().filter(|line| line.reserved().is_positive());
    let unreserved = lines.map(|line| {
        let reserved = line.at().filter(|at| at.reserved.is_positive());
        let reserved = reserved.map(|at| GivenBack {
            location: ledger.locations.id(at.location).clone(),
            quantity: at.reserved,
        });
        let sku = ledger.items.sku(line.item).clone();
        UnreservedLine { line: line.number, sku, reserved: reserved.collect() }
    });
    unreserved.collect()
}

impl Fact for HoldExpired {
    fn subjects(&self, each: &mut dyn FnMut(Subject<'_>)) {
        each(Subject::new(SubjectKind::Order, &self.order));
        self.lines.iter().for_each(|line| each(Subject::new(SubjectKind::Item, &line.sku)));
    }

    fn movements(&self, each: &mut dyn FnMut(Movement<'_>)) {
        for UnreservedLine { sku, reserved, .. } in &self.lines {
            for GivenBack { location, quantity } in reserved {
                let from = Place::Stock(location, Status::Reserved);
                let to = Place::Stock(location, Status::Available);
                each(Movement { sku, from, to, quantity: *quantity, parts: &[] });
            }
        }
    }

    fn apply(&self, ledger: &mut Ledger, _at: &Moment) {
        let Some(row) = ledger.orders.row(&self.order) else { return };
        let holds = ledger.orders.table.edit(row).holds.iter_mut();
        for hold in holds.filter(|hold| hold.reason == self.reason) {
            if let Some((reached_at, _)) = hold.limit.take() {
                ledger.due.queue.remove(&DueKey::of_hold(reached_at, row, self.reason));
            }
        }
        for UnreservedLine { line, reserved, .. } in &self.lines {
            for GivenBack { location, quantity } in reserved {
                let Some(location) = ledger.locations.row(location) else { continue };
                move_units(ledger, row, *line, (Bucket::Reserved(location), Bucket::Open), *quantity);
            }
        }
    }
}

#[cfg(test)]
mod tests;
