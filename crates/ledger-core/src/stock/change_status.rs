//! Stock turns out to be better or worse than it was thought to be: it moves to another status on the spot.

use bincode::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Refusal, issue};
use crate::books::{CostParts, Fact, Movement, Place, Posting, Status, Subject, SubjectKind, legal_edge};
use crate::draft::Draft;
use crate::kinds::Action;
use crate::rejection::Rejection;
use crate::values::{LocationId, Note, PositiveQuantity, Quantity, ReasonCode, Sku};
use crate::{items, locations};

/// Moves unclaimed units to another unclaimed status of the same location.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeStatus {
    /// The item.
    pub sku: Sku,
    /// Where.
    pub location: LocationId,
    /// The status they are in: available, inspection, quarantined, damaged or refurbishing.
    pub from: Status,
    /// The status they are to be in.
    pub to: Status,
    /// Units.
    pub quantity: PositiveQuantity,
    /// Why.
    pub reason: ReasonCode,
    /// What else there is to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
}

/// Units are in another status.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct StatusChanged {
    /// The item.
    pub sku: Sku,
    /// Where.
    pub location: LocationId,
    /// The status they were in.
    pub from: Status,
    /// The status they are in.
    pub to: Status,
    /// Units.
    pub quantity: Quantity,
    /// The cost that went with them: every legal change of status is one of cost pool too.
    pub cost: CostParts,
    /// Why.
    pub reason: ReasonCode,
    /// What else there is to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
}

impl Action for ChangeStatus {
    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Rejection> {
        let (ledger, quantity) = (draft.ledger(), self.quantity.get());
        let ChangeStatus { sku, location, from, to, reason, note, .. } = self.clone();
        let (row, _) = items::stocked(ledger, &sku)?;
        let at = locations::known(ledger, &location)?;
        super::require_unclaimed(&sku, &location, from)?;
        super::require_unclaimed(&sku, &location, to)?;
        if !may_change(&location, from, to) {
            return Err(Refusal::StatusChangeNotAllowed { sku, from, to }.into());
        }
        super::require(ledger, (row, &sku), (at, &location), from, quantity)?;
        let cost = issue(ledger, row, at, from.group(), quantity);
        super::require_room(ledger, (row, &sku), (at, &location), to, (quantity, cost.value()))?;
        draft.record(StatusChanged { sku, location, from, to, quantity, cost, reason, note });
        Ok(())
    }
}

/// Legal edges within one location, but for the way into a transfer, which needs its document.
fn may_change(location: &LocationId, from: Status, to: Status) -> bool {
    to.is_on_hand() && legal_edge(&Place::Stock(location, from), &Place::Stock(location, to))
}

impl Fact for StatusChanged {
    fn subjects(&self, each: &mut dyn FnMut(Subject<'_>)) {
        each(Subject::new(SubjectKind::Item, &self.sku));
        each(Subject::new(SubjectKind::Location, &self.location));
    }

    fn movements(&self, each: &mut dyn FnMut(Movement<'_>)) {
        each(Movement {
            sku: &self.sku,
            from: Place::Stock(&self.location, self.from),
            to: Place::Stock(&self.location, self.to),
            quantity: self.quantity,
            parts: &self.cost,
        });
    }

    fn postings(&self, each: &mut dyn FnMut(Posting<'_>)) {
        let value = self.cost.value();
        each(Posting::inventory(&self.location, self.to.group(), &self.sku, value));
        each(Posting::inventory(&self.location, self.from.group(), &self.sku, value).reversed());
    }
}

#[cfg(test)]
mod tests {
    use crate::books::{Account, Fact, Status, StatusGroup};
    use crate::scenario::{Scenario, given_a_shop};
    use crate::values::{LocationId, Text};
    use serde_json::{Value, json};

    fn change(from: &str, to: &str, quantity: u64) -> Value {
        json!({"sku": "TEA-01", "location": "AMS1", "from": from, "to": to, "quantity": quantity, "reason": "check"})
    }

    fn three_available() -> Scenario {
        let receive = json!({"sku": "TEA-01", "location": "AMS1", "quantity": 3, "unit_cost": "10"});
        given_a_shop().and("stock.receive", receive)
    }

    #[test]
    fn units_take_their_cost_along_to_another_cost_pool() {
        let changed = three_available()
            .when("stock.change_status", change("available", "quarantined", 2))
            .then(json!([{
                "type": "stock.status_changed", "sku": "TEA-01", "location": "AMS1", "from": "available",
                "to": "quarantined", "quantity": 2,
                "cost": [{"quantity": 2, "value": "20.00", "received_at": "2026-01-01T00:00:00Z"}], "reason": "check"
            }]))
            .units("TEA-01", "AMS1", Status::Available, 1)
            .units("TEA-01", "AMS1", Status::Quarantined, 2)
            .balance(Account::Inventory, "30.00");
        let (_, entry) = changed.log.last().unwrap();
        let mut groups = Vec::new();
        entry.events().for_each(|event| {
            event.postings(&mut |line| groups.push((line.group.unwrap(), line.amount.to_string())));
        });
        let moved =
            [(StatusGroup::Impaired, "20.00".to_owned()), (StatusGroup::Sellable, "-20.00".to_owned())];
        assert_eq!(groups, moved);
    }

    #[test]
    fn every_change_of_status_is_one_of_cost_pool() {
        let at = LocationId::try_new("AMS1").unwrap();
        let unclaimed = || Status::ALL.iter().copied().filter(|status| !status.is_claimed());
        for (from, to) in unclaimed().flat_map(|from| unclaimed().map(move |to| (from, to))) {
            assert!(!super::may_change(&at, from, to) || from.group() != to.group(), "{from} to {to}");
        }
    }

    #[test]
    fn claimed_stock_is_changed_by_its_claim_alone() {
        for claimed in ["reserved", "picked", "packed"] {
            let (out, into) = (change(claimed, "damaged", 1), change("available", claimed, 1));
            three_available().when("stock.change_status", out).refused("stock_is_claimed");
            three_available().when("stock.change_status", into).refused("stock_is_claimed");
        }
    }

    #[test]
    fn units_go_only_where_goods_can_go() {
        for (from, to) in [
            ("available", "available"),
            ("available", "refurbishing"),
            ("quarantined", "damaged"),
            ("available", "in_transit"),
            ("in_transit", "available"),
            ("refurbishing", "inspection"),
        ] {
            three_available()
                .when("stock.change_status", change(from, to, 1))
                .refused("status_change_not_allowed");
        }
    }

    #[test]
    fn no_more_is_changed_than_is_there() {
        three_available()
            .when("stock.change_status", change("available", "damaged", 4))
            .refused("not_enough_available");
        three_available()
            .when("stock.change_status", change("inspection", "available", 1))
            .refused("not_enough_in_status");
    }

    #[test]
    fn only_a_stocked_item_at_a_known_location_has_a_status() {
        let body = |sku, location| {
            json!({"sku": sku, "location": location, "from": "available", "to": "damaged",
            "quantity": 1, "reason": "check"})
        };
        given_a_shop().when("stock.change_status", body("NOPE", "AMS1")).refused("unknown_item");
        given_a_shop().when("stock.change_status", body("WRAP", "AMS1")).refused("item_not_stocked");
        given_a_shop().when("stock.change_status", body("TEA-01", "NOPE")).refused("unknown_location");
    }

    #[test]
    fn the_other_bucket_holds_only_so_much() {
        let receive = |status| {
            json!({"sku": "TEA-01", "location": "AMS1",
            "quantity": 1_000_000_000_000u64, "unit_cost": "0", "status": status})
        };
        given_a_shop()
            .and("stock.receive", receive("available"))
            .and("stock.receive", receive("damaged"))
            .when("stock.change_status", change("damaged", "available", 1))
            .refused("quantity_out_of_range");
    }
}
