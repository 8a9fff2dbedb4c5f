//! A claim outside an order is freed, whole or in part. What an order claims is not freed here.

use bincode::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Refusal;
use crate::books::{Fact, Movement, Place, Status, Subject, SubjectKind};
use crate::draft::Draft;
use crate::kinds::Action;
use crate::ledger::{Ledger, Moment};
use crate::rejection::Rejection;
use crate::values::{Amount, LocationId, PositiveQuantity, Quantity, ReservationId, Sku};

/// Frees what a reservation claims.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Unreserve {
    /// The reservation.
    pub reservation: ReservationId,
    /// Units to free; all that it still claims when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<PositiveQuantity>,
}

/// Units that were claimed may be sold again.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct Unreserved {
    /// The reservation: gone once it claims nothing.
    pub reservation: ReservationId,
    /// The item.
    pub sku: Sku,
    /// Where.
    pub location: LocationId,
    /// Units freed.
    pub quantity: Quantity,
}

impl Action for Unreserve {
    const TAKES_EFFECTIVE_AT: bool = false;

    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Rejection> {
        let (ledger, reservation) = (draft.ledger(), self.reservation.clone());
        let Some(claim) = ledger.stock.reservations.find(&reservation) else {
            return Err(Refusal::UnknownReservation { reservation }.into());
        };
        let quantity = self.quantity.map_or(claim.quantity, PositiveQuantity::get);
        if quantity > claim.quantity {
            let (reserved, wanted) = (claim.quantity, quantity);
            return Err(Refusal::NotEnoughReserved { reservation, reserved, wanted }.into());
        }
        let (sku, location) =
            (ledger.items.sku(claim.item).clone(), ledger.locations.id(claim.location).clone());
        let (item, place) = ((claim.item, &sku), (claim.location, &location));
        super::require_room(ledger, item, place, Status::Available, (quantity, Amount::ZERO))?;
        draft.record(Unreserved { reservation, sku, location, quantity });
        Ok(())
    }
}

impl Fact for Unreserved {
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
    use serde_json::json;

    fn two_of_three_reserved() -> Scenario {
        given_a_shop()
            .and(
                "stock.receive",
                json!({"sku": "TEA-01", "location": "AMS1", "quantity": 3, "unit_cost": "10"}),
            )
            .and(
                "stock.reserve",
                json!({"reservation": "cart-1", "sku": "TEA-01", "location": "AMS1", "quantity": 2}),
            )
    }

    #[test]
    fn a_claim_is_freed_in_parts_until_it_is_gone() {
        let part = json!({"reservation": "cart-1", "quantity": 1});
        two_of_three_reserved()
            .when("stock.unreserve", part.clone())
            .then(json!([{"type": "stock.unreserved", "reservation": "cart-1", "sku": "TEA-01", "location": "AMS1",
                "quantity": 1}]))
            .units("TEA-01", "AMS1", Status::Available, 2)
            .units("TEA-01", "AMS1", Status::Reserved, 1)
            .and("stock.unreserve", part.clone())
            .units("TEA-01", "AMS1", Status::Available, 3)
            .when("stock.unreserve", part)
            .refused("unknown_reservation");
    }

    #[test]
    fn without_a_quantity_all_of_it_is_freed() {
        let freed = two_of_three_reserved().and("stock.unreserve", json!({"reservation": "cart-1"})).units(
            "TEA-01",
            "AMS1",
            Status::Available,
            3,
        );
        assert!(freed.ledger.stock().reservations().is_empty());
    }

    #[test]
    fn no_more_is_freed_than_is_claimed() {
        two_of_three_reserved()
            .when("stock.unreserve", json!({"reservation": "cart-1", "quantity": 3}))
            .refused("not_enough_reserved")
            .when("stock.unreserve", json!({"reservation": "cart-2"}))
            .refused("unknown_reservation");
    }

    #[test]
    fn freed_units_need_room_among_the_available() {
        let most =
            json!({"sku": "TEA-01", "location": "AMS1", "quantity": 999_999_999_999u64, "unit_cost": "0"});
        two_of_three_reserved()
            .and("stock.receive", most)
            .when("stock.unreserve", json!({"reservation": "cart-1"}))
            .refused("quantity_out_of_range");
    }
}
