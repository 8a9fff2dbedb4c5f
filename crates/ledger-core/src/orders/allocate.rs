//! Waiting units get stock that has become available.

use bincode::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::{Bucket, OrderLine, Refusal, holds, move_units, open};
use crate::books::{Fact, Movement, Place, Status, Subject, SubjectKind};
use crate::channels::Channel;
use crate::codes;
use crate::draft::Draft;
use crate::kinds::Action;
use crate::ledger::{Ledger, Moment};
use crate::rejection::Rejection;
use crate::state::Row;
use crate::values::{LocationId, OrderId, Quantity, Sku};

/// Reserves what is open or backordered from what is now available at the channel's locations. Who comes first when
/// several orders wait is the caller's choice. With all of it reserved, the order no longer holds for `stock`.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Allocate {
    /// The order.
    pub order: OrderId,
}

codes! {
    /// Where on its line a unit waited.
    pub enum Waiting {
        /// Neither promised nor backordered yet.
        Open = 1 "open",
        /// Backordered.
        Backordered = 2 "backordered",
    }
}

/// Units of an order were reserved.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct Allocated {
    /// The order.
    pub order: OrderId,
    /// What was reserved where, in the order of the lines.
    pub claims: Vec<Claim>,
}

/// Units of a line that were reserved at one location.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct Claim {
    /// The order's line.
    pub line: u16,
    /// The item.
    pub sku: Sku,
    /// Where.
    pub location: LocationId,
    /// Where on the line they waited.
    pub from: Waiting,
    /// Units.
    pub quantity: Quantity,
}

impl Action for Allocate {
    const TAKES_EFFECTIVE_AT: bool = false;

    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Rejection> {
        let ledger = draft.ledger();
        let (row, order) = open(ledger, &self.order)?;
        let waiting = order.waiting();
        if waiting.is_zero() {
            return Err(Refusal::NothingWaiting { order: self.order.clone() }.into());
        }
        let channel = ledger.channels.get(order.channel);
        let mut claims = Claims::default();
        for line in &order.lines {
            claims.claim(ledger, channel, line, (Waiting::Backordered, line.backordered()));
            claims.claim(ledger, channel, line, (Waiting::Open, line.open()));
        }
        let claims = claims.into_inner();
        if claims.is_empty() {
            return Err(Refusal::NothingAvailable { order: self.order.clone(), waiting }.into());
        }
        let unmet = holds::unmet_holds(ledger, row);
        draft.record(Allocated { order: self.order.clone(), claims });
        holds::clear_met_holds(draft, row, &unmet);
        Ok(())
    }
}

/// Claims for one order that are not recorded yet: each sees what those before it took, so that two lines of an order
/// never both take the last unit, though all of them become one event.
#[derive(Debug, Default)]
pub(super) struct Claims {
    claims: Vec<Claim>,
    taken: SmallVec<[Taken; 4]>,
}

#[derive(Debug, Clone, Copy)]
struct Taken {
    item: Row,
    location: Row,
    quantity: Quantity,
}

impl Claims {
    /// Claims units of a line at the first of the channel's locations that has them all, else across them in order.
    /// Gives back how many are short.
    pub(super) fn claim(
        &mut self,
        ledger: &Ledger,
        channel: &Channel,
        line: &OrderLine,
        (from, wanted): (Waiting, Quantity),
    ) -> Quantity {
        if wanted.is_zero() {
            return wanted;
        }
        let left: SmallVec<[(Row, Quantity); 4]> =
            channel.locations.iter().map(|at| (*at, left_at(ledger, line.item, *at, &self.taken))).collect();
        if let Some((location, _)) = left.iter().find(|(_, left)| *left >= wanted) {
            self.push(ledger, line, from, *location, wanted);
            return Quantity::ZERO;
        }
        let mut short = wanted;
        for (location, left) in left {
            let part = left.min(short);
            if part.is_positive() {
                self.push(ledger, line, from, location, part);
                short -= part;
            }
        }
        short
    }

    fn push(&mut self, ledger: &Ledger, line: &OrderLine, from: Waiting, location: Row, quantity: Quantity) {
        self.claims.push(Claim {
            line: line.number,
            sku: ledger.items.sku(line.item).clone(),
            location: ledger.locations.id(location).clone(),
            from,
            quantity,
        });
        self.taken.push(Taken { item: line.item, location, quantity });
    }

    /// The claims, to be recorded.
    pub(super) fn into_inner(self) -> Vec<Claim> {
        self.claims
    }
}

fn left_at(ledger: &Ledger, item: Row, location: Row, taken: &[Taken]) -> Quantity {
    let taken = taken.iter().filter(|taken| taken.item == item && taken.location == location);
    ledger.stock.quantity(item, location, Status::Available) - taken.map(|taken| taken.quantity).sum()
}

impl Waiting {
    const fn bucket(self) -> Bucket {
        match self {
            Waiting::Open => Bucket::Open,
            Waiting::Backordered => Bucket::Backordered,
        }
    }
}

impl Fact for Allocated {
    fn subjects(&self, each: &mut dyn FnMut(Subject<'_>)) {
        each(Subject::new(SubjectKind::Order, &self.order));
    }

    fn movements(&self, each: &mut dyn FnMut(Movement<'_>)) {
        for claim in &self.claims {
            each(Movement {
                sku: &claim.sku,
                from: Place::Stock(&claim.location, Status::Available),
                to: Place::Stock(&claim.location, Status::Reserved),
                quantity: claim.quantity,
                parts: &[],
            });
        }
    }

    fn apply(&self, ledger: &mut Ledger, _at: &Moment) {
        let Some(order) = ledger.orders.row(&self.order) else { return };
        for claim in &self.claims {
            let Some(location) = ledger.locations.row(&claim.location) else { continue };
            let way = (claim.from.bucket(), Bucket::Reserved(location));
            move_units(ledger, order, claim.line, way, claim.quantity);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::books::Status;
    use crate::orders::OrderState;
    use crate::scenario::{given_a_shop, given_an_order};
    use crate::values::Quantity;
    use serde_json::json;

    fn receipt(location: &str, quantity: i64) -> serde_json::Value {
        json!({"sku": "TEA-01", "location": location, "quantity": quantity, "unit_cost": "4"})
    }

    #[test]
    fn a_backordered_order_gets_what_was_received() {
        given_an_order("web", 7)
            .and("stock.receive", receipt("BER1", 1))
            .when("orders.allocate", json!({"order": "o1"}))
            .then(json!([{"type": "orders.allocated", "order": "o1", "claims": [
                {"line": 1, "sku": "TEA-01", "location": "BER1", "from": "backordered", "quantity": 1}]}]))
            .units("TEA-01", "BER1", Status::Reserved, 1)
            .order("o1", |order| assert_eq!(order.lines[0].backordered(), Quantity::ONE));
    }

    #[test]
    fn an_order_that_may_not_leave_in_parts_is_released_once_it_is_all_there() {
        given_a_shop()
            .and("channels.define", json!({"channel": "whole", "name": "Whole", "kind": "b2b", "settlement": "on_account",
                "oversell": "backorder", "partial_shipment": "denied", "locations": ["AMS1"]}))
            .and("orders.place", json!({"order": "o1", "channel": "whole", "lines": [
                {"sku": "TEA-01", "quantity": 1, "price": "10"}, {"sku": "TEA-01", "quantity": 2, "price": "10"}]}))
            .and("stock.receive", receipt("AMS1", 2))
            .when("orders.allocate", json!({"order": "o1"}))
            .then_types(&["orders.allocated"])
            .and("stock.receive", receipt("AMS1", 1))
            .when("orders.allocate", json!({"order": "o1"}))
            .then_types(&["orders.allocated", "orders.hold_cleared", "orders.released"])
            .order("o1", |order| assert_eq!(order.state, OrderState::Released));
    }

    #[test]
    fn there_is_something_to_allocate_and_something_to_allocate_from() {
        given_an_order("web", 5).when("orders.allocate", json!({"order": "o1"})).refused("nothing_waiting");
        given_an_order("web", 7)
            .when("orders.allocate", json!({"order": "o1"}))
            .refused_with(json!({"code": "nothing_available", "order": "o1", "waiting": 2}));
        given_an_order("web", 7)
            .and("orders.cancel", json!({"order": "o1", "reason": "customer_request"}))
            .when("orders.allocate", json!({"order": "o1"}))
            .refused("order_not_open");
        given_a_shop().when("orders.allocate", json!({"order": "o1"})).refused("unknown_order");
    }
}
