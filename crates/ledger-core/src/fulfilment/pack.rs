//! A picked shipment is put into parcels.

use bincode::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{PlannedLine, ShipmentState, contents, fulfillable, in_state};
use crate::books::{Fact, Movement, Place, Status, Subject, SubjectKind};
use crate::draft::Draft;
use crate::kinds::Action;
use crate::ledger::{Ledger, Moment};
use crate::orders::{Bucket, move_units};
use crate::rejection::Rejection;
use crate::values::{LocationId, OrderId, ShipmentId};

/// Puts all that was picked for a shipment into parcels.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pack {
    /// The shipment.
    pub shipment: ShipmentId,
}

/// A shipment was packed.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct Packed {
    /// The shipment.
    pub shipment: ShipmentId,
    /// Its order.
    pub order: OrderId,
    /// Where it was packed.
    pub location: LocationId,
    /// What is in it.
    pub lines: Vec<PlannedLine>,
}

impl Action for Pack {
    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Rejection> {
        let ledger = draft.ledger();
        let shipment = in_state(draft, &self.shipment, ShipmentState::Picked)?;
        let order = ledger.orders.id(shipment.order);
        fulfillable(ledger, order)?;
        let packed = Packed {
            shipment: self.shipment.clone(),
            order: order.clone(),
            location: ledger.locations.id(shipment.location).clone(),
            lines: contents(ledger, &shipment)?,
        };
        draft.record(packed);
        Ok(())
    }
}

impl Fact for Packed {
    fn subjects(&self, each: &mut dyn FnMut(Subject<'_>)) {
        each(Subject::new(SubjectKind::Shipment, &self.shipment));
        each(Subject::new(SubjectKind::Order, &self.order));
        each(Subject::new(SubjectKind::Location, &self.location));
        self.lines.iter().for_each(|line| each(Subject::new(SubjectKind::Item, &line.sku)));
    }

    fn movements(&self, each: &mut dyn FnMut(Movement<'_>)) {
        for PlannedLine { sku, quantity, .. } in &self.lines {
            let from = Place::Stock(&self.location, Status::Picked);
            let to = Place::Stock(&self.location, Status::Packed);
            each(Movement { sku, from, to, quantity: *quantity, parts: &[] });
        }
    }

    fn apply(&self, ledger: &mut Ledger, at: &Moment) {
        let Some(shipment) = ledger.shipments.edit(&self.shipment) else { return };
        shipment.state = ShipmentState::Packed;
        shipment.packed_at = Some(at.effective_at);
        let (order, location) = (shipment.order, shipment.location);
        for PlannedLine { line, quantity, .. } in &self.lines {
            move_units(ledger, order, *line, (Bucket::Picked(location), Bucket::Packed(location)), *quantity);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::books::Status;
    use crate::scenario::given_an_order;
    use serde_json::json;

    #[test]
    fn what_was_picked_is_packed() {
        given_an_order("b2b", 3)
            .and("fulfilment.plan", json!({"shipment": "s1", "order": "o1"}))
            .and(
                "fulfilment.pick",
                json!({"shipment": "s1", "lines": [{"line": 1, "quantity": 2, "short": "adjust"}]}),
            )
            .when("fulfilment.pack", json!({"shipment": "s1"}))
            .then(json!([{"type": "fulfilment.packed", "shipment": "s1", "order": "o1", "location": "AMS1",
                "lines": [{"line": 1, "sku": "TEA-01", "quantity": 2}]}]))
            .units("TEA-01", "AMS1", Status::Picked, 0)
            .units("TEA-01", "AMS1", Status::Packed, 2)
            .order("o1", |order| assert_eq!(order.lines[0].claimed().units(), 3));
    }

    #[test]
    fn only_a_picked_shipment_of_an_order_that_is_not_held_is_packed() {
        let planned = given_an_order("b2b", 3)
            .and("fulfilment.plan", json!({"shipment": "s1", "order": "o1"}))
            .when("fulfilment.pack", json!({"shipment": "s1"}))
            .refused_with(json!({"code": "shipment_state_not_fit", "shipment": "s1", "state": "planned",
                "wanted": "picked"}));
        planned
            .and("fulfilment.pick", json!({"shipment": "s1"}))
            .and("orders.hold", json!({"order": "o1", "reason": "fraud"}))
            .when("fulfilment.pack", json!({"shipment": "s1"}))
            .refused("order_held")
            .and("orders.clear_hold", json!({"order": "o1", "reason": "fraud"}))
            .and("fulfilment.pack", json!({"shipment": "s1"}));
    }
}
