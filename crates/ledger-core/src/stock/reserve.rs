//! A claim on stock outside an order: a cart's, with a time to live, or one made by hand.

use bincode::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Refusal, Reservation};
use crate::books::{Fact, Movement, Place, Status, Subject, SubjectKind};
use crate::draft::Draft;
use crate::due::{DueKey, DueKind};
use crate::kinds::Action;
use crate::ledger::{Ledger, Moment};
use crate::rejection::Rejection;
use crate::values::{ActorId, Amount, LocationId, PositiveQuantity, Quantity, ReservationId, Sku, Timestamp};
use crate::{items, locations};

/// Claims available units at a location.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reserve {
    /// The id under which the claim is freed; assigned when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reservation: Option<ReservationId>,
    /// The item.
    pub sku: Sku,
    /// Where.
    pub location: LocationId,
    /// Units.
    pub quantity: PositiveQuantity,
    /// For whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<ActorId>,
    /// Until when it claims: then its units are freed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// Units are claimed.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct Reserved {
    /// The id under which the claim is freed.
    pub reservation: ReservationId,
    /// The item.
    pub sku: Sku,
    /// Where.
    pub location: LocationId,
    /// Units.
    pub quantity: Quantity,
    /// For whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holder: Option<ActorId>,
    /// Until when the claim is meant to last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

impl Action for Reserve {
    const TAKES_EFFECTIVE_AT: bool = false;

    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Rejection> {
        let reservation = draft.id_or_assigned(self.reservation.as_ref());
        let (ledger, quantity) = (draft.ledger(), self.quantity.get());
        if ledger.stock.reservations.row(&reservation).is_some() {
            return Err(Refusal::ReservationExists { reservation }.into());
        }
        let (row, _) = items::active_stocked(ledger, &self.sku)?;
        let at = locations::known(ledger, &self.location)?;
        let log_time = draft.context().moment.log_time;
        if let Some(until) = self.until.filter(|until| *until <= log_time) {
            return Err(Refusal::ReservationEndsInThePast { reservation, until, log_time }.into());
        }
        let (item, place) = ((row, &self.sku), (at, &self.location));
        super::require(ledger, item, place, Status::Available, quantity)?;
        super::require_room(ledger, item, place, Status::Reserved, (quantity, Amount::ZERO))?;
        let Reserve { sku, location, holder, until, .. } = self.clone();
        draft.record(Reserved { reservation, sku, location, quantity, holder, until });
        Ok(())
    }
}

impl Fact for Reserved {
    fn subjects(&self, each: &mut dyn FnMut(Subject<'_>)) {
        each(Subject::new(SubjectKind::Reservation, &self.reservation));
        each(Subject::new(SubjectKind::Item, &self.sku));
        each(Subject::new(SubjectKind::Location, &self.location));
    }

    fn movements(&self, each: &mut dyn FnMut(Movement<'_>)) {
        each(Movement {
            sku: &self.sku,
            from: Place::Stock(&self.location, Status::Available),
            to: Place::Stock(&self.location, Status::Reserved),
            quantity: self.quantity,
            parts: &[],
        });
    }

    fn apply(&self, ledger: &mut Ledger, _at: &Moment) {
        let rows = ledger.items.row(&self.sku).zip(ledger.locations.row(&self.location));
        let Some((item, location)) = rows else { return };
        let Reserved { quantity, holder, until, .. } = self.clone();
        let reservation = Reservation { item, location, quantity, holder, until };
        let row = ledger.stock.reservations.insert(self.reservation.clone(), reservation);
        if let Some(until) = self.until {
            ledger.due.queue.insert(DueKey::new(until, DueKind::Reservation, row));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::books::{Account, Status};
    use crate::scenario::{Scenario, given_a_shop};
    use serde_json::{Value, json};

    fn reserve(id: &str, quantity: u64) -> Value {
        json!({"reservation": id, "sku": "TEA-01", "location": "AMS1", "quantity": quantity})
    }

    fn three_available() -> Scenario {
        let receive = json!({"sku": "TEA-01", "location": "AMS1", "quantity": 3, "unit_cost": "10"});
        given_a_shop().and("stock.receive", receive)
    }

    #[test]
    fn a_claim_takes_units_out_of_what_may_be_sold_and_costs_nothing() {
        let mut cart = reserve("cart-1", 2);
        cart["holder"] = json!("visitor-7");
        cart["until"] = json!("2026-01-01T00:30:00Z");
        three_available()
            .when("stock.reserve", cart)
            .then(json!([{"type": "stock.reserved", "reservation": "cart-1", "sku": "TEA-01", "location": "AMS1",
                "quantity": 2, "holder": "visitor-7", "until": "2026-01-01T00:30:00Z"}]))
            .units("TEA-01", "AMS1", Status::Available, 1)
            .units("TEA-01", "AMS1", Status::Reserved, 2)
            .balance(Account::Inventory, "30.00");
    }

    #[test]
    fn a_claim_without_an_id_gets_the_one_that_was_assigned() {
        three_available()
            .when("stock.reserve", json!({"sku": "TEA-01", "location": "AMS1", "quantity": 1}))
            .then(json!([{"type": "stock.reserved", "reservation": "07070707-0707-0707-0707-070707070707",
                "sku": "TEA-01", "location": "AMS1", "quantity": 1}]));
    }

    #[test]
    fn an_id_claims_once_and_never_more_than_is_available() {
        let claimed = three_available().and("stock.reserve", reserve("cart-1", 2));
        claimed.clone().when("stock.reserve", reserve("cart-1", 1)).refused("reservation_exists");
        claimed.when("stock.reserve", reserve("cart-2", 2)).refused_with(json!({
            "code": "not_enough_available", "sku": "TEA-01", "location": "AMS1", "available": 1, "wanted": 2
        }));
    }

    #[test]
    fn a_claim_is_on_an_item_in_trade_at_a_known_location_for_a_time_to_come() {
        let body = |sku, location| json!({"sku": sku, "location": location, "quantity": 1});
        given_a_shop().when("stock.reserve", body("NOPE", "AMS1")).refused("unknown_item");
        given_a_shop().when("stock.reserve", body("DRAFT", "AMS1")).refused("item_not_active");
        given_a_shop().when("stock.reserve", body("WRAP", "AMS1")).refused("item_not_stocked");
        given_a_shop().when("stock.reserve", body("TEA-01", "NOPE")).refused("unknown_location");
        let mut over = body("TEA-01", "AMS1");
        over["until"] = json!("2026-01-01T00:00:00Z");
        three_available().when("stock.reserve", over).refused("reservation_ends_in_the_past");
    }

    #[test]
    fn a_claim_is_decided_now() {
        three_available()
            .when_effective("2025-12-31T00:00:00Z", "stock.reserve", reserve("cart-1", 1))
            .refused("effective_time_not_taken");
    }

    #[test]
    fn the_reserved_bucket_holds_only_so_much() {
        let receive =
            json!({"sku": "TEA-01", "location": "AMS1", "quantity": 1_000_000_000_000u64, "unit_cost": "0"});
        given_a_shop()
            .and("stock.receive", receive.clone())
            .and("stock.reserve", reserve("all", 1_000_000_000_000))
            .and("stock.receive", receive)
            .when("stock.reserve", reserve("one more", 1))
            .refused("quantity_out_of_range");
    }
}
