//! An order is held back.

use bincode::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{HoldReason, OrderHold, Refusal, open};
use crate::books::{Fact, Subject, SubjectKind};
use crate::draft::Draft;
use crate::due::DueKey;
use crate::kinds::Action;
use crate::ledger::{Ledger, Moment};
use crate::rejection::Rejection;
use crate::values::{Note, OrderId};

/// Holds an order back for a reason, until all of it is shipped; a released one pauses where it is.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hold {
    /// The order.
    pub order: OrderId,
    /// Why.
    pub reason: HoldReason,
    /// What is to be said with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
}

/// An order is held back.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct Held {
    /// The order.
    pub order: OrderId,
    /// Why: every reason that came with this fact.
    pub reasons: Vec<HoldReason>,
    /// What was said with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
}

impl Action for Hold {
    const TAKES_EFFECTIVE_AT: bool = false;

    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Rejection> {
        let (_, order) = open(draft.ledger(), &self.order)?;
        if order.is_held_for(self.reason) {
            return Err(Refusal::AlreadyHeld { order: self.order.clone(), reason: self.reason }.into());
        }
        let Hold { order, reason, note } = self.clone();
        draft.record(Held { order, reasons: vec![reason], note });
        Ok(())
    }
}

impl Fact for Held {
    fn subjects(&self, each: &mut dyn FnMut(Subject<'_>)) {
        each(Subject::new(SubjectKind::Order, &self.order));
    }

    fn apply(&self, ledger: &mut Ledger, at: &Moment) {
        let Some(row) = ledger.orders.row(&self.order) else { return };
        let channel = ledger.orders.get(row).channel;
        for reason in self.reasons.iter().copied() {
            let limit = ledger.orders.hold_limits.of(reason, channel);
            let limit = limit.map(|limit| (limit.reached_at(at.log_time), limit.action));
            if let Some((reached_at, _)) = limit {
                ledger.due.queue.insert(DueKey::of_hold(reached_at, row, reason));
            }
            let hold = OrderHold { reason, since: at.log_time, note: self.note.clone(), limit };
            ledger.orders.table.edit(row).holds.push(hold);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::orders::OrderState;
    use crate::scenario::{given_a_shop, given_an_order};
    use serde_json::{Value, json};

    fn hold(reason: &str) -> Value {
        json!({"order": "o1", "reason": reason})
    }

    #[test]
    fn an_order_is_held_for_several_reasons_at_once_each_since_when_it_came_up() {
        given_an_order("b2b", 2)
            .when("orders.hold", json!({"order": "o1", "reason": "fraud", "note": "odd address"}))
            .then(
                json!([{"type": "orders.held", "order": "o1", "reasons": ["fraud"], "note": "odd address"}]),
            )
            .days_later(2)
            .and("orders.hold", hold("manual"))
            .order("o1", |order| {
                assert_eq!(order.state, OrderState::Released, "a released order pauses where it is");
                let since: Vec<_> = order.holds.iter().map(|hold| hold.since.to_string()).collect();
                assert_eq!(since, ["2026-01-01T00:00:00Z", "2026-01-03T00:00:00Z"]);
            });
    }

    #[test]
    fn one_reason_holds_once() {
        given_an_order("web", 2)
            .when("orders.hold", hold("payment"))
            .refused_with(json!({"code": "already_held", "order": "o1", "reason": "payment"}));
    }

    #[test]
    fn only_an_order_of_which_something_may_be_shipped_is_held() {
        given_an_order("b2b", 2)
            .and("orders.cancel", json!({"order": "o1", "reason": "customer_request"}))
            .when("orders.hold", hold("fraud"))
            .refused("order_not_open");
        given_a_shop().when("orders.hold", hold("fraud")).refused("unknown_order");
    }

    #[test]
    fn a_hold_is_decided_now() {
        given_an_order("b2b", 2)
            .when_effective("2025-12-01T00:00:00Z", "orders.hold", hold("fraud"))
            .refused("effective_time_not_taken");
    }
}
