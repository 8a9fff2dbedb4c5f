//! A shipment reaches the customer.

use bincode::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{PlannedLine, ShipmentState, contents, in_state};
use crate::books::{Fact, Subject, SubjectKind};
use crate::draft::Draft;
use crate::kinds::Action;
use crate::ledger::{Ledger, Moment};
use crate::orders::{Bucket, move_units};
use crate::rejection::Rejection;
use crate::values::{OrderId, ShipmentId};

/// Says that the customer has a shipment. A hold does not matter any more.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Deliver {
    /// The shipment.
    pub shipment: ShipmentId,
}

/// A shipment was delivered.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct Delivered {
    /// The shipment.
    pub shipment: ShipmentId,
    /// Its order.
    pub order: OrderId,
    /// What the customer has.
    pub lines: Vec<PlannedLine>,
}

impl Action for Deliver {
    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Rejection> {
        let ledger = draft.ledger();
        let shipment = in_state(draft, &self.shipment, ShipmentState::Shipped)?;
        let order = ledger.orders.id(shipment.order).clone();
        let lines = contents(ledger, &shipment)?;
        draft.record(Delivered { shipment: self.shipment.clone(), order, lines });
        Ok(())
    }
}

impl Fact for Delivered {
    fn subjects(&self, each: &mut dyn FnMut(Subject<'_>)) {
        each(Subject::new(SubjectKind::Shipment, &self.shipment));
        each(Subject::new(SubjectKind::Order, &self.order));
    }

    fn apply(&self, ledger: &mut Ledger, at: &Moment) {
        let Some(shipment) = ledger.shipments.edit(&self.shipment) else { return };
        shipment.state = ShipmentState::Delivered;
        shipment.delivered_at = Some(at.effective_at);
        let order = shipment.order;
        for PlannedLine { line, quantity, .. } in &self.lines {
            move_units(ledger, order, *line, (Bucket::Shipped, Bucket::Delivered), *quantity);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::orders::OrderState;
    use crate::scenario::given_an_order;
    use serde_json::json;

    #[test]
    fn the_customer_has_what_was_shipped_even_while_the_order_is_held() {
        given_an_order("b2b", 3)
            .and(
                "fulfilment.plan",
                json!({"shipment": "s1", "order": "o1", "lines": [{"line": 1, "quantity": 2}]}),
            )
            .and("fulfilment.pick", json!({"shipment": "s1"}))
            .and("fulfilment.pack", json!({"shipment": "s1"}))
            .when("fulfilment.deliver", json!({"shipment": "s1"}))
            .refused("shipment_state_not_fit")
            .and("fulfilment.ship", json!({"shipment": "s1"}))
            .and("orders.hold", json!({"order": "o1", "reason": "credit"}))
            .when("fulfilment.deliver", json!({"shipment": "s1"}))
            .then(json!([{"type": "fulfilment.delivered", "shipment": "s1", "order": "o1",
                "lines": [{"line": 1, "sku": "TEA-01", "quantity": 2}]}]))
            .order("o1", |order| {
                assert_eq!((order.lines[0].shipped().units(), order.lines[0].delivered().units()), (0, 2));
                assert_eq!(order.state, OrderState::InFulfilment);
            })
            .when("fulfilment.deliver", json!({"shipment": "s1"}))
            .refused_with(json!({"code": "shipment_state_not_fit", "shipment": "s1", "state": "delivered",
                "wanted": "shipped"}))
            .when("fulfilment.deliver", json!({"shipment": "nope"}))
            .refused("unknown_shipment");
    }
}
