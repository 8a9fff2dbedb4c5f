//! What was counted differs from what was recorded: units are found, or are missing.

use bincode::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CostSource, cost_of_found, issue};
use crate::books::{Account, CostParts, Fact, Movement, Place, Posting, Status, Subject, SubjectKind, World};
use crate::draft::Draft;
use crate::items::ItemState;
use crate::kinds::Action;
use crate::rejection::Rejection;
use crate::values::{LocationId, NonZeroQuantity, Note, Price, Quantity, ReasonCode, Sku};
use crate::{items, locations};

/// Corrects the recorded quantity of an unclaimed bucket, up or down.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Adjust {
    /// The item.
    pub sku: Sku,
    /// Where.
    pub location: LocationId,
    /// The bucket: available (default), inspection, quarantined, damaged or refurbishing.
    #[serde(default = "available")]
    pub status: Status,
    /// Units found (positive) or missing (negative); never 0.
    pub change: NonZeroQuantity,
    /// Why.
    pub reason: ReasonCode,
    /// What else there is to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
    /// What one found unit cost: used only where neither the pool nor the item's last cost says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_cost: Option<Price>,
}

fn available() -> Status {
    Status::Available
}

/// The recorded quantity was corrected.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct Adjusted {
    /// The item.
    pub sku: Sku,
    /// Where.
    pub location: LocationId,
    /// The bucket.
    pub status: Status,
    /// Units found (positive) or missing (negative).
    pub change: Quantity,
    /// What the found or missing units cost.
    pub cost: CostParts,
    /// Where that cost comes from.
    pub cost_source: CostSource,
    /// Why.
    pub reason: ReasonCode,
    /// What else there is to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
}

impl Action for Adjust {
    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Rejection> {
        let (ledger, change) = (draft.ledger(), self.change.get());
        let (row, item) = items::stocked(ledger, &self.sku)?;
        if item.state == ItemState::Draft {
            items::active(ledger, &self.sku)?;
        }
        let at = locations::known(ledger, &self.location)?;
        super::require_unclaimed(&self.sku, &self.location, self.status)?;
        super::require_on_hand(&self.sku, self.status)?;
        let (item, place) = ((row, &self.sku), (at, &self.location));
        let group = self.status.group();
        let (cost, cost_source) = if change.is_negative() {
            super::require(ledger, item, place, self.status, change.magnitude())?;
            (issue(ledger, row, at, group, change.magnitude()), CostSource::Pool)
        } else {
            let found_at = draft.context().moment.effective_at;
            let found = cost_of_found(ledger, item, (at, group), change, self.unit_cost, found_at)?;
            super::require_room(ledger, item, place, self.status, (change, found.0.value()))?;
            found
        };
        let Adjust { sku, location, status, reason, note, .. } = self.clone();
        draft.record(Adjusted { sku, location, status, change, cost, cost_source, reason, note });
        Ok(())
    }
}

impl Fact for Adjusted {
    fn subjects(&self, each: &mut dyn FnMut(Subject<'_>)) {
        each(Subject::new(SubjectKind::Item, &self.sku));
        each(Subject::new(SubjectKind::Location, &self.location));
    }

    fn movements(&self, each: &mut dyn FnMut(Movement<'_>)) {
        let (ours, outside) = (Place::Stock(&self.location, self.status), Place::World(World::Adjustment));
        let (from, to) = if self.change.is_negative() { (ours, outside) } else { (outside, ours) };
        each(Movement { sku: &self.sku, from, to, quantity: self.change.magnitude(), parts: &self.cost });
    }

    fn postings(&self, each: &mut dyn FnMut(Posting<'_>)) {
        let value = if self.change.is_negative() { -self.cost.value() } else { self.cost.value() };
        each(Posting::inventory(&self.location, self.status.group(), &self.sku, value));
        each(Posting::credit(Account::Shrinkage, value).at(&self.location).of(&self.sku));
    }
}

#[cfg(test)]
mod tests {
    use crate::books::{Account, Status};
    use crate::scenario::{Scenario, given_a_shop};
    use serde_json::{Value, json};

    fn adjust(change: i64) -> Value {
        json!({"sku": "TEA-01", "location": "AMS1", "change": change, "reason": "count"})
    }

    fn two_receipts() -> Scenario {
        let receive = |quantity, cost| json!({"sku": "TEA-01", "location": "AMS1", "quantity": quantity, "unit_cost": cost});
        given_a_shop()
            .and("stock.receive", receive(2, "10"))
            .days_later(1)
            .and("stock.receive", receive(2, "16"))
    }

    #[test]
    fn missing_units_leave_at_the_cost_of_the_oldest() {
        two_receipts()
            .when("stock.adjust", adjust(-3))
            .then(json!([{
                "type": "stock.adjusted", "sku": "TEA-01", "location": "AMS1", "status": "available", "change": -3,
                "cost": [{"quantity": 2, "value": "20.00", "received_at": "2026-01-01T00:00:00Z"},
                    {"quantity": 1, "value": "16.00", "received_at": "2026-01-02T00:00:00Z"}],
                "cost_source": "pool", "reason": "count"
            }]))
            .units("TEA-01", "AMS1", Status::Available, 1)
            .balance(Account::Inventory, "16.00")
            .balance(Account::Shrinkage, "36.00");
    }

    #[test]
    fn found_units_cost_what_the_pool_costs_on_average() {
        two_receipts()
            .when("stock.adjust", adjust(2))
            .then(json!([{
                "type": "stock.adjusted", "sku": "TEA-01", "location": "AMS1", "status": "available", "change": 2,
                "cost": [{"quantity": 2, "value": "26.00", "received_at": "2026-01-02T00:00:00Z"}],
                "cost_source": "pool", "reason": "count"
            }]))
            .balance(Account::Inventory, "78.00")
            .balance(Account::Shrinkage, "-26.00");
    }

    #[test]
    fn found_units_in_an_empty_pool_cost_what_was_last_paid() {
        let mut damaged = adjust(1);
        damaged["status"] = json!("damaged");
        damaged["unit_cost"] = json!("99");
        damaged["note"] = json!("behind the rack");
        two_receipts().when("stock.adjust", damaged).then(json!([{
            "type": "stock.adjusted", "sku": "TEA-01", "location": "AMS1", "status": "damaged", "change": 1,
            "cost": [{"quantity": 1, "value": "16.00", "received_at": "2026-01-02T00:00:00Z"}],
            "cost_source": "last_cost", "reason": "count", "note": "behind the rack"
        }]));
    }

    #[test]
    fn without_any_known_cost_the_finder_says_it() {
        given_a_shop().when("stock.adjust", adjust(1)).refused("cost_unknown");
        let mut given = adjust(4);
        given["unit_cost"] = json!("2.125");
        given_a_shop().when("stock.adjust", given).then(json!([{
            "type": "stock.adjusted", "sku": "TEA-01", "location": "AMS1", "status": "available", "change": 4,
            "cost": [{"quantity": 4, "value": "8.50", "received_at": "2026-01-01T00:00:00Z"}],
            "cost_source": "given", "reason": "count"
        }]));
    }

    #[test]
    fn no_more_is_missing_than_was_there() {
        two_receipts().when("stock.adjust", adjust(-5)).refused("not_enough_available");
        let mut damaged = adjust(-1);
        damaged["status"] = json!("damaged");
        two_receipts().when("stock.adjust", damaged).refused("not_enough_in_status");
    }

    #[test]
    fn claimed_stock_and_stock_on_the_way_are_not_adjusted() {
        for (status, code) in [
            ("reserved", "stock_is_claimed"),
            ("picked", "stock_is_claimed"),
            ("packed", "stock_is_claimed"),
            ("in_transit", "status_not_allowed"),
        ] {
            for change in [-1, 1] {
                let mut body = adjust(change);
                body["status"] = json!(status);
                two_receipts().when("stock.adjust", body).refused(code);
            }
        }
    }

    #[test]
    fn only_a_stocked_item_that_was_in_trade_is_adjusted_at_a_known_location() {
        let body = |sku, location| json!({"sku": sku, "location": location, "change": 1, "reason": "count", "unit_cost": "1"});
        given_a_shop().when("stock.adjust", body("NOPE", "AMS1")).refused("unknown_item");
        given_a_shop().when("stock.adjust", body("WRAP", "AMS1")).refused("item_not_stocked");
        given_a_shop().when("stock.adjust", body("DRAFT", "AMS1")).refused("item_not_active");
        given_a_shop().when("stock.adjust", body("TEA-01", "NOPE")).refused("unknown_location");
        given_a_shop()
            .and("items.retire", json!({"sku": "TEA-01"}))
            .and("stock.adjust", body("TEA-01", "AMS1"))
            .units("TEA-01", "AMS1", Status::Available, 1);
    }

    #[test]
    fn a_find_keeps_within_what_the_books_can_hold() {
        let most =
            json!({"sku": "TEA-01", "location": "AMS1", "quantity": 1_000_000_000_000u64, "unit_cost": "10"});
        given_a_shop()
            .and("stock.receive", most.clone())
            .when("stock.adjust", adjust(1))
            .refused("quantity_out_of_range");
        let mut damaged = adjust(1_000_000_000_000);
        damaged["status"] = json!("damaged");
        damaged["unit_cost"] = json!("11");
        given_a_shop().when("stock.adjust", damaged).refused("amount_out_of_range");
        let quarantined = json!({"sku": "TEA-01", "location": "AMS1", "quantity": 1_000_000_000_000u64,
            "unit_cost": "10", "status": "quarantined"});
        let mut damaged = adjust(1);
        damaged["status"] = json!("damaged");
        given_a_shop()
            .and("stock.receive", quarantined)
            .when("stock.adjust", damaged)
            .refused("value_out_of_range");
    }
}
