//! Goods arrive from a supplier.

use bincode::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::arrival::Arrival;
use crate::books::{Account, CostParts, Fact, Movement, Place, Posting, Status, Subject, SubjectKind, World};
use crate::draft::Draft;
use crate::kinds::Action;
use crate::rejection::Rejection;
use crate::values::{LocationId, Name, PositiveQuantity, Price, Quantity, Sku};

/// Takes goods in from a supplier, at their cost.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Receive {
    /// The item.
    pub sku: Sku,
    /// Where it arrives.
    pub location: LocationId,
    /// Units received.
    pub quantity: PositiveQuantity,
    /// What one unit costs, in the ledger's currency.
    pub unit_cost: Price,
    /// Available (default), inspection, quarantined or damaged.
    #[serde(default = "available")]
    pub status: Status,
    /// Who delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supplier: Option<Name>,
    /// The delivery note's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<Name>,
}

fn available() -> Status {
    Status::Available
}

/// Goods arrived.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct Received {
    /// The item.
    pub sku: Sku,
    /// Where it arrived.
    pub location: LocationId,
    /// Units received.
    pub quantity: Quantity,
    /// The status they arrived in.
    pub status: Status,
    /// What they cost.
    pub cost: CostParts,
    /// Who delivered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supplier: Option<Name>,
    /// The delivery note's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document: Option<Name>,
}

impl Action for Receive {
    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Rejection> {
        let Receive { sku, location, quantity, unit_cost, status, supplier, document } = self.clone();
        let (quantity, received_at) = (quantity.get(), draft.context().moment.effective_at);
        let arrival = Arrival { sku: &sku, location: &location, status, quantity, unit_cost };
        let cost = arrival.cost(draft.ledger(), received_at)?;
        draft.record(Received { sku, location, quantity, status, cost, supplier, document });
        Ok(())
    }
}

impl Fact for Received {
    fn subjects(&self, each: &mut dyn FnMut(Subject<'_>)) {
        each(Subject::new(SubjectKind::Item, &self.sku));
        each(Subject::new(SubjectKind::Location, &self.location));
    }

    fn movements(&self, each: &mut dyn FnMut(Movement<'_>)) {
        each(Movement {
            sku: &self.sku,
            from: Place::World(World::Supplier),
            to: Place::Stock(&self.location, self.status),
            quantity: self.quantity,
            parts: &self.cost,
        });
    }

    fn postings(&self, each: &mut dyn FnMut(Posting<'_>)) {
        let value = self.cost.value();
        each(Posting::inventory(&self.location, self.status.group(), &self.sku, value));
        each(Posting::credit(Account::GoodsReceivedNotInvoiced, value).at(&self.location).of(&self.sku));
    }
}

#[cfg(test)]
mod tests {
    use crate::books::{Account, Status};
    use crate::scenario::given_a_shop;
    use serde_json::json;

    #[test]
    fn goods_arrive_available_at_their_cost() {
        given_a_shop()
            .when("stock.receive", json!({"sku": "TEA-01", "location": "AMS1", "quantity": 8, "unit_cost": "10"}))
            .then(json!([{
                "type": "stock.received", "sku": "TEA-01", "location": "AMS1", "quantity": 8, "status": "available",
                "cost": [{"quantity": 8, "value": "80.00", "received_at": "2026-01-01T00:00:00Z"}]
            }]))
            .units("TEA-01", "AMS1", Status::Available, 8)
            .balance(Account::Inventory, "80.00")
            .balance(Account::GoodsReceivedNotInvoiced, "-80.00");
    }

    #[test]
    fn goods_may_wait_for_inspection_but_never_arrive_reserved() {
        let body = |status| json!({"sku": "TEA-01", "location": "AMS1", "quantity": 8, "unit_cost": "10", "status": status});
        given_a_shop()
            .and("stock.receive", body("inspection"))
            .units("TEA-01", "AMS1", Status::Inspection, 8)
            .when("stock.receive", body("reserved"))
            .refused("status_not_allowed");
    }

    #[test]
    fn only_what_is_in_trade_and_stocked_is_received_and_only_where_we_are() {
        let body =
            |sku, location| json!({"sku": sku, "location": location, "quantity": 1, "unit_cost": "10"});
        given_a_shop().when("stock.receive", body("NOPE", "AMS1")).refused("unknown_item");
        given_a_shop().when("stock.receive", body("DRAFT", "AMS1")).refused("item_not_active");
        given_a_shop().when("stock.receive", body("WRAP", "AMS1")).refused("item_not_stocked");
        given_a_shop().when("stock.receive", body("TEA-01", "NOPE")).refused("unknown_location");
    }

    #[test]
    fn a_bucket_and_a_cost_pool_hold_only_so_much() {
        let body = |quantity: u64, unit_cost| json!({"sku": "TEA-01", "location": "AMS1", "quantity": quantity, "unit_cost": unit_cost});
        given_a_shop()
            .and("stock.receive", body(1_000_000_000_000, "0"))
            .when("stock.receive", body(1, "0"))
            .refused("quantity_out_of_range");
        given_a_shop()
            .and("stock.receive", body(1, "10000000000"))
            .and("stock.receive", body(999, "10000000000"))
            .when("stock.receive", body(1, "0.01"))
            .refused("value_out_of_range")
            .when("stock.receive", body(2_000, "10000000000"))
            .refused("amount_out_of_range");
    }
}
