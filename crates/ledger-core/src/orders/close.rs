//! A completed order is put away.

use bincode::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{OrderState, Refusal, known};
use crate::books::{Fact, Subject, SubjectKind};
use crate::draft::Draft;
use crate::kinds::Action;
use crate::ledger::{Ledger, Moment};
use crate::rejection::Rejection;
use crate::values::OrderId;

/// Puts a completed order away: nobody has to look at it any more. It bars neither a return nor a refund. A cancelled
/// order stays a cancelled one.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Close {
    /// The order.
    pub order: OrderId,
}

/// An order was put away.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct Closed {
    /// The order.
    pub order: OrderId,
}

impl Action for Close {
    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Rejection> {
        let (_, order) = known(draft.ledger(), &self.order)?;
        if order.state != OrderState::Completed {
            return Err(Refusal::OrderNotCompleted { order: self.order.clone(), state: order.state }.into());
        }
        draft.record(Closed { order: self.order.clone() });
        Ok(())
    }
}

impl Fact for Closed {
    fn subjects(&self, each: &mut dyn FnMut(Subject<'_>)) {
        each(Subject::new(SubjectKind::Order, &self.order));
    }

    fn apply(&self, ledger: &mut Ledger, _at: &Moment) {
        let Some(order) = ledger.orders.row(&self.order) else { return };
        ledger.orders.table.edit(order).state = OrderState::Closed;
    }
}

#[cfg(test)]
mod tests {
    use crate::orders::OrderState;
    use crate::scenario::{given_a_shipped_order, given_an_order};
    use serde_json::json;

    #[test]
    fn a_completed_order_is_closed_once_and_still_takes_a_return() {
        given_a_shipped_order("b2b", 3)
            .when("orders.close", json!({"order": "o1"}))
            .then(json!([{"type": "orders.closed", "order": "o1"}]))
            .order("o1", |order| assert_eq!(order.state, OrderState::Closed))
            .when("orders.close", json!({"order": "o1"}))
            .refused_with(json!({"code": "order_not_completed", "order": "o1", "state": "closed"}))
            .and(
                "returns.authorise",
                json!({"return": "r1", "order": "o1", "reason": "unwanted",
                "lines": [{"line": 1, "quantity": 3}]}),
            )
            .and(
                "returns.receive",
                json!({"return": "r1", "location": "AMS1", "lines": [{"line": 1, "quantity": 3}]}),
            )
            .and(
                "returns.refund",
                json!({"return": "r1", "reason": "unwanted", "lines": [{"line": 1, "quantity": 3}]}),
            );
    }

    #[test]
    fn only_a_completed_order_is_closed() {
        given_an_order("b2b", 3)
            .when("orders.close", json!({"order": "o1"}))
            .refused_with(json!({"code": "order_not_completed", "order": "o1", "state": "released"}))
            .and("orders.cancel", json!({"order": "o1", "reason": "customer_request"}))
            .when("orders.close", json!({"order": "o1"}))
            .refused("order_not_completed")
            .when("orders.close", json!({"order": "nope"}))
            .refused("unknown_order");
    }
}
