//! The time of a claim outside an order is over: its units may be sold again.

use bincode::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Refusal;
use crate::books::{Fact, Movement, Place, Status, Subject, SubjectKind};
use crate::draft::Draft;
use crate::kinds::Action;
use crate::ledger::{Ledger, Moment};
use crate::rejection::Rejection;
use crate::values::{LocationId, Quantity, ReservationId, Sku};

/// Frees what a reservation still claims, once its `until` is reached.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpireReservation {
    /// The reservation.
    pub reservation: ReservationId,
}

/// A reservation ended by time.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct ReservationExpired {
    /// The reservation.
    pub reservation: ReservationId,
    /// The item.
    pub sku: Sku,
    /// Where.
    pub location: LocationId,
    /// Units freed: all that it still claimed.
    pub quantity: Quantity,
}

impl Action for ExpireReservation {
    const TAKES_EFFECTIVE_AT: bool = false;

    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Rejection> {
        let (ledger, reservation) = (draft.ledger(), self.reservation.clone());
        let Some(claim) = ledger.stock.reservations.find(&reservation) else {
            return Err(Refusal::UnknownReservation { reservation }.into());
        };
        let (until, log_time) = (claim.until, draft.context().moment.log_time);
        if until.is_none_or(|until| until > log_time) {
            return Err(Refusal::ReservationNotDue { reservation, until, log_time }.into());
        }
        let (sku, location) =
            (ledger.items.sku(claim.item).clone(), ledger.locations.id(claim.location).clone());
        draft.record(ReservationExpired { reservation, sku, location, quantity: claim.quantity });
        Ok(())
    }
}

impl Fact for ReservationExpired {
    fn subjects(&self, each: &mut dyn FnMut(Subject<'_>)) {
        each(Subject::new(SubjectKind::Reservation, &self.reservation));
        each(Subject::new(SubjectKind::Item, &self.sku));
        each(Subject::new(SubjectKind::Location, &self.location));
    }

    fn movements(&self, each: &mut dyn FnMut(Movement<'_>)) {
        each(Movement {
            sku: &self.sku,
            from: Place::Stock(&self.location, Status::Reserved),
            to: Place::Stock(&self.location, Status::Available),
            quantity: self.quantity,
            parts: &[],
        });
    }

    fn apply(&self, ledger: &mut Ledger, _at: &Moment) {
        super::unclaim(ledger, &self.reservation, self.quantity);
    }
}

#[cfg(test)]
mod tests {
    use crate::books::Status;
    use crate::scenario::{Scenario, given_a_shop};
    use serde_json::{Value, json};

    fn cart() -> Value {
        json!({"reservation": "cart-1"})
    }

    fn two_of_three_reserved_for_a_day() -> Scenario {
        let receive = json!({"sku": "TEA-01", "location": "AMS1", "quantity": 3, "unit_cost": "10"});
        let reserve = json!({"reservation": "cart-1", "sku": "TEA-01", "location": "AMS1", "quantity": 2,
            "until": "2026-01-02T00:00:00Z"});
        given_a_shop().and("stock.receive", receive).and("stock.reserve", reserve)
    }

    #[test]
    fn a_claim_whose_time_is_over_falls_due_and_is_freed() {
        two_of_three_reserved_for_a_day()
            .and("stock.unreserve", json!({"reservation": "cart-1", "quantity": 1}))
            .falls_due("2026-01-02T00:00:00Z", "stock.expire_reservation", &cart())
            .when("stock.expire_reservation", cart())
            .refused_with(json!({"code": "reservation_not_due", "reservation": "cart-1",
                "until": "2026-01-02T00:00:00Z", "log_time": "2026-01-01T00:00:00Z"}))
            .days_later(1)
            .when("stock.expire_reservation", cart())
            .then(json!([{"type": "stock.reservation_expired", "reservation": "cart-1", "sku": "TEA-01",
                "location": "AMS1", "quantity": 1}]))
            .units("TEA-01", "AMS1", Status::Available, 3)
            .nothing_falls_due()
            .when("stock.expire_reservation", cart())
            .refused("unknown_reservation");
    }

    #[test]
    fn a_claim_that_was_freed_before_does_not_fall_due() {
        two_of_three_reserved_for_a_day().and("stock.unreserve", cart()).nothing_falls_due();
    }

    #[test]
    fn a_claim_without_an_end_never_is_due() {
        two_of_three_reserved_for_a_day()
            .and(
                "stock.reserve",
                json!({"reservation": "mine", "sku": "TEA-01", "location": "AMS1", "quantity": 1}),
            )
            .when("stock.expire_reservation", json!({"reservation": "mine"}))
            .refused_with(json!({"code": "reservation_not_due", "reservation": "mine", "until": null,
                "log_time": "2026-01-01T00:00:00Z"}));
    }
}
