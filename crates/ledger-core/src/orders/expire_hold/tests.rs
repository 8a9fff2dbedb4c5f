//! Examples of holds that reach their limit.

use crate::books::Status;
use crate::orders::OrderState;
use crate::scenario::{Scenario, given_a_shop, given_an_order};
use serde_json::{Value, json};

fn payment() -> Value {
    json!({"order": "o1", "reason": "payment"})
}

/// An unpaid order of 2 of the 5 there are, whose hold for payment may stand for a day.
fn held_for_a_day(action: &str) -> Scenario {
    let limit = json!({"reason": "payment", "channel": "web", "hours": 24, "action": action});
    let order =
        json!({"order": "o1", "channel": "web", "lines": [{"sku": "TEA-01", "quantity": 2, "price": "10"}]});
    given_a_shop()
        .and("stock.receive", json!({"sku": "TEA-01", "location": "AMS1", "quantity": 5, "unit_cost": "4"}))
        .and("orders.set_hold_limit", limit)
        .and("orders.place", order)
        .falls_due("2026-01-02T00:00:00Z", "orders.expire_hold", &payment())
}

#[test]
fn its_units_may_be_sold_again_and_the_order_waits_for_others() {
    held_for_a_day("unreserve")
        .days_later(1)
        .when("orders.expire_hold", payment())
        .then(
            json!([{"type": "orders.hold_expired", "order": "o1", "reason": "payment", "action": "unreserve",
            "lines": [{"line": 1, "sku": "TEA-01", "reserved": [{"location": "AMS1", "quantity": 2}]}]}]),
        )
        .units("TEA-01", "AMS1", Status::Available, 5)
        .order("o1", |order| {
            assert_eq!((order.lines[0].open().units(), order.state), (2, OrderState::Captured));
            assert!(order.holds.iter().all(|hold| hold.limit.is_none()), "it stands on without a limit");
        })
        .nothing_falls_due()
        .when("orders.expire_hold", payment())
        .refused("hold_not_due")
        .and("orders.allocate", json!({"order": "o1"}));
}

#[test]
fn an_order_may_be_cancelled_as_a_whole() {
    held_for_a_day("cancel")
        .days_later(1)
        .when("orders.expire_hold", payment())
        .then(json!([
            {"type": "orders.hold_expired", "order": "o1", "reason": "payment", "action": "cancel"},
            {"type": "orders.cancelled", "order": "o1", "whole": true, "reason": "hold_limit",
                "lines": [{"line": 1, "sku": "TEA-01", "open": 0, "backordered": 0,
                    "reserved": [{"location": "AMS1", "quantity": 2}]}]}]))
        .order("o1", |order| assert_eq!(order.state, OrderState::Cancelled))
        .units("TEA-01", "AMS1", Status::Available, 5)
        .nothing_falls_due();
}

#[test]
fn what_is_picked_is_not_cancelled() {
    given_an_order("b2b", 3)
        .and("orders.set_hold_limit", json!({"reason": "fraud", "hours": 1, "action": "cancel"}))
        .and("fulfilment.plan", json!({"shipment": "s1", "order": "o1"}))
        .and("fulfilment.pick", json!({"shipment": "s1"}))
        .and("orders.hold", json!({"order": "o1", "reason": "fraud"}))
        .days_later(1)
        .when("orders.expire_hold", json!({"order": "o1", "reason": "fraud"}))
        .then_types(&["orders.hold_expired"])
        .nothing_falls_due();
}

#[test]
fn an_escalation_is_on_record_and_changes_nothing_else() {
    held_for_a_day("escalate")
        .days_later(1)
        .when("orders.expire_hold", payment())
        .then(json!([{"type": "orders.hold_expired", "order": "o1", "reason": "payment", "action": "escalate"}]))
        .units("TEA-01", "AMS1", Status::Reserved, 2)
        .nothing_falls_due();
}

#[test]
fn a_hold_that_is_cleared_or_an_order_that_ends_does_not_fall_due() {
    held_for_a_day("cancel").and("orders.clear_hold", payment()).nothing_falls_due();
    held_for_a_day("cancel")
        .and("payments.capture", json!({"order": "o1", "amount": "20"}))
        .nothing_falls_due();
    held_for_a_day("cancel")
        .and("orders.cancel", json!({"order": "o1", "reason": "customer_request"}))
        .nothing_falls_due();
}

#[test]
fn only_a_hold_whose_limit_is_reached_expires() {
    held_for_a_day("cancel")
        .when("orders.expire_hold", payment())
        .refused_with(json!({"code": "hold_not_due", "order": "o1", "reason": "payment",
            "limit": "2026-01-02T00:00:00Z", "log_time": "2026-01-01T00:00:00Z"}))
        .when("orders.expire_hold", json!({"order": "o1", "reason": "fraud"}))
        .refused("not_held_for");
}
