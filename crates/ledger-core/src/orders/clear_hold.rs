//! A reason to hold an order back is gone.

use bincode::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::hold_limits::drop_holds;
use super::{HoldReason, Refusal, known};
use crate::books::{Fact, Subject, SubjectKind};
use crate::draft::Draft;
use crate::kinds::Action;
use crate::ledger::{Ledger, Moment};
use crate::rejection::Rejection;
use crate::values::{Note, OrderId};

/// Takes a hold off an order, whoever or whatever put it on. Release is a step of its own.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClearHold {
    /// The order.
    pub order: OrderId,
    /// Which hold.
    pub reason: HoldReason,
    /// What is to be said with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
}

/// Holds were taken off an order.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct HoldCleared {
    /// The order.
    pub order: OrderId,
    /// Which holds.
    pub reasons: Vec<HoldReason>,
    /// What was said with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
}

impl Action for ClearHold {
    const TAKES_EFFECTIVE_AT: bool = false;

    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Rejection> {
        let (_, order) = known(draft.ledger(), &self.order)?;
        if !order.is_held_for(self.reason) {
            return Err(Refusal::NotHeldFor { order: self.order.clone(), reason: self.reason }.into());
        }
        let ClearHold { order, reason, note } = self.clone();
        draft.record(HoldCleared { order, reasons: vec![reason], note });
        Ok(())
    }
}

impl Fact for HoldCleared {
    fn subjects(&self, each: &mut dyn FnMut(Subject<'_>)) {
        each(Subject::new(SubjectKind::Order, &self.order));
    }

    fn apply(&self, ledger: &mut Ledger, _at: &Moment) {
        let Some(order) = ledger.orders.row(&self.order) else { return };
        drop_holds(ledger, order, |reason| self.reasons.contains(&reason));
    }
}

#[cfg(test)]
mod tests {
    use crate::orders::{HoldReason, OrderState};
    use crate::scenario::given_an_order;
    use serde_json::json;

    #[test]
    fn a_hold_is_cleared_and_the_others_stand() {
        given_an_order("web", 2)
            .and("orders.hold", json!({"order": "o1", "reason": "fraud"}))
            .when("orders.clear_hold", json!({"order": "o1", "reason": "fraud", "note": "called"}))
            .then(json!([{"type": "orders.hold_cleared", "order": "o1", "reasons": ["fraud"], "note": "called"}]))
            .order("o1", |order| {
                assert!(order.is_held_for(HoldReason::Payment) && !order.is_held_for(HoldReason::Fraud));
            });
    }

    #[test]
    fn clearing_the_last_hold_does_not_release() {
        given_an_order("web", 2)
            .and("orders.clear_hold", json!({"order": "o1", "reason": "payment"}))
            .order("o1", |order| assert_eq!(order.state, OrderState::Captured));
    }

    #[test]
    fn only_a_hold_that_stands_is_cleared() {
        given_an_order("b2b", 2)
            .when("orders.clear_hold", json!({"order": "o1", "reason": "fraud"}))
            .refused_with(json!({"code": "not_held_for", "order": "o1", "reason": "fraud"}))
            .when("orders.clear_hold", json!({"order": "o2", "reason": "fraud"}))
            .refused("unknown_order");
    }
}
