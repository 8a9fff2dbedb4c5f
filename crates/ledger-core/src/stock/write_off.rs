//! Units are given up: destroyed, expired, beyond repair.

use bincode::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::issue;
use crate::books::{Account, CostParts, Fact, Movement, Place, Posting, Status, Subject, SubjectKind, World};
use crate::draft::Draft;
use crate::kinds::Action;
use crate::rejection::Rejection;
use crate::values::{LocationId, Note, PositiveQuantity, Quantity, ReasonCode, Sku};
use crate::{items, locations};

/// Gives unclaimed units up, at their cost.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WriteOff {
    /// The item.
    pub sku: Sku,
    /// Where.
    pub location: LocationId,
    /// The status they are in: available (default), inspection, quarantined, damaged or refurbishing.
    #[serde(default = "available")]
    pub status: Status,
    /// Units.
    pub quantity: PositiveQuantity,
    /// Why.
    pub reason: ReasonCode,
    /// What else there is to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
}

fn available() -> Status {
    Status::Available
}

/// Units were given up.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct WrittenOff {
    /// The item.
    pub sku: Sku,
    /// Where they were.
    pub location: LocationId,
    /// The status they were in.
    pub status: Status,
    /// Units.
    pub quantity: Quantity,
    /// What they cost.
    pub cost: CostParts,
    /// Why.
    pub reason: ReasonCode,
    /// What else there is to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
}

impl Action for WriteOff {
    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Rejection> {
        let (ledger, quantity) = (draft.ledger(), self.quantity.get());
        let WriteOff { sku, location, status, reason, note, .. } = self.clone();
        let (row, _) = items::stocked(ledger, &sku)?;
        let at = locations::known(ledger, &location)?;
        super::require_unclaimed(&sku, &location, status)?;
        super::require_on_hand(&sku, status)?;
        super::require(ledger, (row, &sku), (at, &location), status, quantity)?;
        let cost = issue(ledger, row, at, status.group(), quantity);
        draft.record(WrittenOff { sku, location, status, quantity, cost, reason, note });
        Ok(())
    }
}

impl Fact for WrittenOff {
    fn subjects(&self, each: &mut dyn FnMut(Subject<'_>)) {
        each(Subject::new(SubjectKind::Item, &self.sku));
        each(Subject::new(SubjectKind::Location, &self.location));
    }

    fn movements(&self, each: &mut dyn FnMut(Movement<'_>)) {
        each(Movement {
            sku: &self.sku,
            from: Place::Stock(&self.location, self.status),
            to: Place::World(World::WrittenOff),
            quantity: self.quantity,
            parts: &self.cost,
        });
    }

    fn postings(&self, each: &mut dyn FnMut(Posting<'_>)) {
        let value = self.cost.value();
        each(Posting::debit(Account::WriteOffs, value).at(&self.location).of(&self.sku));
        each(Posting::inventory(&self.location, self.status.group(), &self.sku, value).reversed());
    }
}

#[cfg(test)]
mod tests {
    use crate::books::{Account, Status};
    use crate::scenario::{Scenario, given_a_shop};
    use serde_json::{Value, json};

    fn write_off(status: &str, quantity: u64) -> Value {
        json!({"sku": "TEA-01", "location": "AMS1", "status": status, "quantity": quantity, "reason": "water"})
    }

    fn three_available() -> Scenario {
        let receive = json!({"sku": "TEA-01", "location": "AMS1", "quantity": 3, "unit_cost": "10"});
        given_a_shop().and("stock.receive", receive)
    }

    #[test]
    fn what_is_given_up_is_a_cost_of_its_own() {
        three_available()
            .when("stock.write_off", json!({"sku": "TEA-01", "location": "AMS1", "quantity": 2, "reason": "water",
                "note": "burst pipe"}))
            .then(json!([{
                "type": "stock.written_off", "sku": "TEA-01", "location": "AMS1", "status": "available", "quantity": 2,
                "cost": [{"quantity": 2, "value": "20.00", "received_at": "2026-01-01T00:00:00Z"}],
                "reason": "water", "note": "burst pipe"
            }]))
            .units("TEA-01", "AMS1", Status::Available, 1)
            .balance(Account::Inventory, "10.00")
            .balance(Account::WriteOffs, "20.00");
    }

    #[test]
    fn damaged_stock_leaves_its_own_cost_pool() {
        let change = json!({"sku": "TEA-01", "location": "AMS1", "from": "available", "to": "damaged", "quantity": 1,
            "reason": "dent"});
        three_available()
            .and("stock.change_status", change)
            .and("stock.write_off", write_off("damaged", 1))
            .units("TEA-01", "AMS1", Status::Damaged, 0)
            .balance(Account::Inventory, "20.00")
            .when("stock.write_off", write_off("damaged", 1))
            .refused("not_enough_in_status");
    }

    #[test]
    fn no_more_is_given_up_than_is_there_and_nothing_that_is_claimed_or_on_the_way() {
        for (status, code) in [
            ("available", "not_enough_available"),
            ("reserved", "stock_is_claimed"),
            ("picked", "stock_is_claimed"),
            ("packed", "stock_is_claimed"),
            ("in_transit", "status_not_allowed"),
        ] {
            three_available().when("stock.write_off", write_off(status, 4)).refused(code);
        }
    }

    #[test]
    fn only_a_stocked_item_at_a_known_location_is_given_up() {
        let body =
            |sku, location| json!({"sku": sku, "location": location, "quantity": 1, "reason": "water"});
        given_a_shop().when("stock.write_off", body("NOPE", "AMS1")).refused("unknown_item");
        given_a_shop().when("stock.write_off", body("WRAP", "AMS1")).refused("item_not_stocked");
        given_a_shop().when("stock.write_off", body("TEA-01", "NOPE")).refused("unknown_location");
    }
}
