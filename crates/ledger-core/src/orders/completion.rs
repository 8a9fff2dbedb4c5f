//! The end of an order's way: nothing of it is left before shipped.

use bincode::{Decode, Encode};
use schemars::JsonSchema;
use serde::Serialize;

use super::hold_limits::end;
use super::{OrderState, holds, promise};
use crate::books::{Fact, Subject, SubjectKind};
use crate::draft::Draft;
use crate::ledger::{Ledger, Moment};
use crate::state::Row;
use crate::values::OrderId;

/// Nothing of an order is left to be shipped.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct Completed {
    /// The order.
    pub order: OrderId,
}

/// Completes the order if goods of it were shipped and none are left before shipped. To be called after whatever ships
/// or cancels units.
pub(crate) fn complete_if_done(draft: &mut Draft<'_>, row: Row) {
    let order = draft.ledger().orders.get(row);
    if order.is_open() && order.before_shipped().is_zero() && order.left_us().is_positive() {
        complete(draft, row);
    }
}

pub(super) fn complete(draft: &mut Draft<'_>, row: Row) {
    let order = draft.ledger().orders.id(row).clone();
    draft.record(Completed { order });
}

/// A shipment of the order was planned: for the `apply` of the fact that says so.
pub(crate) fn enter_fulfilment(ledger: &mut Ledger, row: Row) {
    ledger.orders.table.edit(row).state = OrderState::InFulfilment;
}

/// Promises the open units of a line again, in the entry that put them back to open: reserved where there is stock, the
/// rest backordered or refused by the channel. Where that leaves nothing before shipped, the order is completed or
/// cancelled; where its channel's orders do not leave in parts and something waits now, it holds for `stock`.
pub(crate) fn reallocate(draft: &mut Draft<'_>, row: Row, line: u16) {
    let Some(place) = draft.ledger().orders.get(row).place_of(line) else { return };
    promise::promise(draft, row, place..place + 1);
    complete_if_done(draft, row);
    holds::hold_for_stock(draft, row);
}

impl Fact for Completed {
    fn subjects(&self, each: &mut dyn FnMut(Subject<'_>)) {
        each(Subject::new(SubjectKind::Order, &self.order));
    }

    fn apply(&self, ledger: &mut Ledger, at: &Moment) {
        let Some(order) = ledger.orders.row(&self.order) else { return };
        end(ledger, order, OrderState::Completed, at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::books::{Movement, Place, Status, StatusGroup};
    use crate::draft::{Actor, ActorKind, Context};
    use crate::finance;
    use crate::kinds::Event;
    use crate::orders::{Bucket, move_units};
    use crate::scenario::{Scenario, given_a_shop, given_an_order};
    use crate::stock;
    use crate::values::{ActorId, LocationId, Quantity, Sku, Text, Timestamp};
    use serde_json::json;

    /// So many reserved units of o1 turn out to be unfit on the shelf: they are quarantined, and the line's are open.
    fn reallocated(mut shop: Scenario, unfit: i64) -> (Scenario, Vec<Event>) {
        let (sku, at) = (Sku::try_new("TEA-01").unwrap(), LocationId::try_new("AMS1").unwrap());
        let quantity = Quantity::try_new(unfit).unwrap();
        let ledger = &mut shop.ledger;
        let order = ledger.orders.row(&OrderId::try_new("o1").unwrap()).unwrap();
        let (item, location) = (ledger.items.row(&sku).unwrap(), ledger.locations.row(&at).unwrap());
        let parts = stock::issue(ledger, item, location, StatusGroup::Sellable, quantity);
        let (from, to) = (Place::Stock(&at, Status::Reserved), Place::Stock(&at, Status::Quarantined));
        stock::apply_movement(ledger, &Movement { sku: &sku, from, to, quantity, parts: &parts }).unwrap();
        move_units(ledger, order, 1, (Bucket::Reserved(location), Bucket::Open), quantity);
        let now = Timestamp::default();
        let moment = Moment { log_time: now, effective_at: now, sequence: 1 };
        let actor = Actor { id: ActorId::try_new("tester").unwrap(), kind: ActorKind::Person };
        let mut draft = Draft::open(ledger, Context { moment, actor, assigned: None });
        reallocate(&mut draft, order, 1);
        let events = draft.into_events();
        assert_eq!(finance::check(&shop.ledger), Ok(()));
        (shop, events)
    }

    fn names(events: &[Event]) -> Vec<&'static str> {
        events.iter().map(Event::name).collect()
    }

    #[test]
    fn what_is_short_is_taken_from_elsewhere_and_the_rest_waits() {
        let receipt = json!({"sku": "TEA-01", "location": "BER1", "quantity": 2, "unit_cost": "4"});
        let (shop, events) = reallocated(given_an_order("web", 5).and("stock.receive", receipt), 3);
        assert_eq!(names(&events), ["orders.allocated", "orders.backordered"]);
        shop.units("TEA-01", "BER1", Status::Reserved, 2)
            .order("o1", |order| assert_eq!(order.lines[0].backordered(), Quantity::ONE));
    }

    #[test]
    fn what_is_short_for_good_is_refused_and_an_order_of_which_nothing_is_left_is_cancelled() {
        let (shop, events) = reallocated(given_an_order("b2b", 5), 2);
        assert_eq!(names(&events), ["orders.refused"]);
        shop.order("o1", |order| assert_eq!(order.state, OrderState::Released));
        let (shop, events) = reallocated(given_an_order("b2b", 5), 5);
        assert_eq!(names(&events), ["orders.refused"]);
        shop.order("o1", |order| assert_eq!(order.state, OrderState::Cancelled));
    }

    #[test]
    fn an_order_that_may_not_leave_in_parts_holds_when_something_of_it_waits_again() {
        let shop = given_a_shop()
            .and(
                "channels.define",
                json!({"channel": "whole", "name": "Whole", "kind": "b2b",
                "settlement": "on_account", "oversell": "backorder", "partial_shipment": "denied",
                "locations": ["AMS1"]}),
            )
            .and(
                "stock.receive",
                json!({"sku": "TEA-01", "location": "AMS1", "quantity": 5, "unit_cost": "4"}),
            )
            .and(
                "orders.place",
                json!({"order": "o1", "channel": "whole",
                "lines": [{"sku": "TEA-01", "quantity": 5, "price": "10"}]}),
            );
        let (_, events) = reallocated(shop, 1);
        assert_eq!(names(&events), ["orders.backordered", "orders.held"]);
    }
}
