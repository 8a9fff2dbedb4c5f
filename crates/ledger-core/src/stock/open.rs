//! Stock that was there before the ledger was.

use bincode::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::arrival::Arrival;
use crate::books::{Account, CostParts, Fact, Movement, Place, Posting, Status, Subject, SubjectKind, World};
use crate::draft::Draft;
use crate::kinds::Action;
use crate::rejection::Rejection;
use crate::values::{LocationId, PositiveQuantity, Price, Quantity, Sku};

/// Takes over stock that was there before the ledger was, at its cost.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Open {
    /// The item.
    pub sku: Sku,
    /// Where it is.
    pub location: LocationId,
    /// Units there.
    pub quantity: PositiveQuantity,
    /// What one unit cost, in the ledger's currency.
    pub unit_cost: Price,
    /// Available (default), inspection, quarantined or damaged.
    #[serde(default = "available")]
    pub status: Status,
}

fn available() -> Status {
    Status::Available
}

/// Opening stock is on the books.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct Opened {
    /// The item.
    pub sku: Sku,
    /// Where it is.
    pub location: LocationId,
    /// Units there.
    pub quantity: Quantity,
    /// The status they are in.
    pub status: Status,
    /// What they cost.
    pub cost: CostParts,
}

impl Action for Open {
    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Rejection> {
        let Open { sku, location, quantity, unit_cost, status } = self.clone();
        let (quantity, received_at) = (quantity.get(), draft.context().moment.effective_at);
        let arrival = Arrival { sku: &sku, location: &location, status, quantity, unit_cost };
        let cost = arrival.cost(draft.ledger(), received_at)?;
        draft.record(Opened { sku, location, quantity, status, cost });
        Ok(())
    }
}

impl Fact for Opened {
    fn subjects(&self, each: &mut dyn FnMut(Subject<'_>)) {
        each(Subject::new(SubjectKind::Item, &self.sku));
        each(Subject::new(SubjectKind::Location, &self.location));
    }

    fn movements(&self, each: &mut dyn FnMut(Movement<'_>)) {
        each(Movement {
            sku: &self.sku,
            from: Place::World(World::Opening),
            to: Place::Stock(&self.location, self.status),
            quantity: self.quantity,
            parts: &self.cost,
        });
    }

    fn postings(&self, each: &mut dyn FnMut(Posting<'_>)) {
        let value = self.cost.value();
        each(Posting::inventory(&self.location, self.status.group(), &self.sku, value));
        each(Posting::credit(Account::OpeningEquity, value).at(&self.location).of(&self.sku));
    }
}

#[cfg(test)]
mod tests {
    use crate::books::{Account, Status};
    use crate::scenario::given_a_shop;
    use serde_json::{Value, json};

    fn body(sku: &str, location: &str, quantity: u64, unit_cost: &str) -> Value {
        json!({"sku": sku, "location": location, "quantity": quantity, "unit_cost": unit_cost})
    }

    #[test]
    fn opening_stock_stands_against_opening_equity() {
        given_a_shop()
            .when_effective("2025-12-31T00:00:00Z", "stock.open", body("TEA-01", "AMS1", 3, "2.5"))
            .then(json!([{
                "type": "stock.opened", "sku": "TEA-01", "location": "AMS1", "quantity": 3, "status": "available",
                "cost": [{"quantity": 3, "value": "7.50", "received_at": "2025-12-31T00:00:00Z"}]
            }]))
            .units("TEA-01", "AMS1", Status::Available, 3)
            .balance(Account::Inventory, "7.50")
            .balance(Account::OpeningEquity, "-7.50");
    }

    #[test]
    fn opening_stock_is_of_a_stocked_item_in_trade_at_a_known_location() {
        given_a_shop().when("stock.open", body("NOPE", "AMS1", 1, "1")).refused("unknown_item");
        given_a_shop().when("stock.open", body("DRAFT", "AMS1", 1, "1")).refused("item_not_active");
        given_a_shop().when("stock.open", body("WRAP", "AMS1", 1, "1")).refused("item_not_stocked");
        given_a_shop().when("stock.open", body("TEA-01", "NOPE", 1, "1")).refused("unknown_location");
    }

    #[test]
    fn opening_stock_is_never_claimed_and_never_beyond_the_books() {
        let mut picked = body("TEA-01", "AMS1", 1, "1");
        picked["status"] = json!("picked");
        given_a_shop().when("stock.open", picked).refused("status_not_allowed");
        let most = 1_000_000_000_000;
        given_a_shop().when("stock.open", body("TEA-01", "AMS1", most, "100")).refused("amount_out_of_range");
        let full = given_a_shop().and("stock.open", body("TEA-01", "AMS1", most, "10"));
        full.when("stock.open", body("TEA-01", "AMS1", 1, "0")).refused("quantity_out_of_range");
        given_a_shop()
            .and("stock.open", body("TEA-01", "AMS1", most - 1, "10"))
            .when("stock.open", body("TEA-01", "AMS1", 1, "10.01"))
            .refused("value_out_of_range");
    }
}
