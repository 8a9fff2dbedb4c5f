//! Examples of orders that leave memory.

use crate::scenario::{Scenario, given_a_shop};
use crate::values::{OrderId, Text};
use serde_json::{Value, json};

fn archive() -> Value {
    json!({"order": "o1"})
}

/// Orders are archived ten days after the return window of their items, which is 30 days for TEA-30; o1 of two of those
/// is shipped on account, and owes 20.00.
fn shipped_and_unpaid() -> Scenario {
    given_a_shop()
        .and("orders.set_archiving", json!({"after_days": 10}))
        .and("items.define", json!({"sku": "TEA-30", "name": "Tea", "return_window_days": 30}))
        .and("items.activate", json!({"sku": "TEA-30"}))
        .and("stock.receive", json!({"sku": "TEA-30", "location": "AMS1", "quantity": 5, "unit_cost": "4"}))
        .and(
            "orders.place",
            json!({"order": "o1", "channel": "b2b", "lines": [{"sku": "TEA-30", "quantity": 2, "price": "10"}]}),
        )
        .shipped("s1", "o1")
        .falls_due("2026-02-10T00:00:00Z", "orders.archive", &archive())
}

fn paid(shop: Scenario) -> Scenario {
    shop.and("payments.capture", json!({"payment": "p1", "order": "o1", "amount": "20"}))
}

#[test]
fn an_order_that_nothing_can_happen_to_any_more_leaves_memory_with_all_that_hangs_on_it() {
    let archived = paid(shipped_and_unpaid())
        .when("orders.archive", archive())
        .refused_with(json!({"code": "archiving_not_due", "order": "o1", "log_time": "2026-01-01T00:00:00Z"}))
        .days_later(40)
        .when("orders.archive", archive())
        .then(json!([{"type": "orders.archived", "order": "o1", "due": "2026-02-10T00:00:00Z"}]))
        .nothing_falls_due();
    let ledger = &archived.ledger;
    assert!(ledger.orders().iter().next().is_none() && ledger.shipments().iter().next().is_none());
    assert!(ledger.payments().iter().next().is_none(), "what it moved still ties out");
    let order = OrderId::try_new("o1").unwrap();
    assert_eq!(ledger.orders().archived_at(&order), Some(ledger.head().sequence));
}

#[test]
fn later_commands_are_told_that_the_order_is_archived() {
    let shop = paid(shipped_and_unpaid()).days_later(40).and("orders.archive", archive());
    let sequence = shop.ledger.head().sequence;
    let place = json!({"order": "o1", "channel": "b2b", "charges": [{"kind": "fee", "amount": "1"}]});
    shop.when("orders.place", place)
        .refused_with(json!({"code": "order_archived", "order": "o1", "sequence": sequence}))
        .when("orders.cancel", json!({"order": "o1", "reason": "customer_request"}))
        .refused("order_archived")
        .when("payments.capture", json!({"order": "o1", "amount": "1"}))
        .refused("order_archived")
        .when("orders.archive", archive())
        .refused("order_archived")
        .and("returns.receive", json!({"location": "AMS1", "lines": [{"sku": "TEA-30", "quantity": 1}]}));
}

#[test]
fn an_order_that_owes_or_is_owed_something_stays_and_is_looked_at_again() {
    paid(
        shipped_and_unpaid()
            .days_later(40)
            .when("orders.archive", archive())
            .then(json!([{"type": "orders.archiving_postponed", "order": "o1", "due": "2026-02-10T00:00:00Z",
                "until": "2026-02-20T00:00:00Z"}]))
            .falls_due("2026-02-20T00:00:00Z", "orders.archive", &archive()),
    )
    .days_later(10)
    .when("orders.archive", archive())
    .then_types(&["orders.archived"]);
}

#[test]
fn returns_and_refunds_are_done_before_and_go_with_the_order() {
    let shop = paid(shipped_and_unpaid())
        .and("returns.authorise", json!({"return": "r1", "order": "o1", "reason": "unwanted",
            "lines": [{"line": 1, "quantity": 1}]}))
        .and("returns.receive", json!({"return": "r1", "location": "AMS1", "lines": [{"line": 1, "quantity": 1}]}))
        .and("returns.refund", json!({"refund": "f1", "return": "r1", "reason": "unwanted",
            "lines": [{"line": 1, "quantity": 1}]}))
        .days_later(40)
        .when("orders.archive", archive())
        .then_types(&["orders.archiving_postponed"])
        .and("returns.inspect", json!({"return": "r1", "lines": [{"line": 1, "quantity": 1, "grade": "a"}]}))
        .and("returns.disposition", json!({"return": "r1", "lines": [
            {"line": 1, "quantity": 1, "grade": "a", "outcome": "restock"}]}))
        .days_later(10)
        .when("orders.archive", archive())
        .then_types(&["orders.archiving_postponed"])
        .and("payments.refund", json!({"payment": "out-1", "refund": "f1", "amount": "10"}))
        .days_later(10)
        .when("orders.archive", archive())
        .then(json!([{"type": "orders.archived", "order": "o1", "due": "2026-03-02T00:00:00Z", "returns": ["r1"]}]));
    assert!(
        shop.ledger.returns().iter().next().is_none() && shop.ledger.returns().refunds().next().is_none()
    );
    assert!(shop.ledger.payments().iter().next().is_none());
}

#[test]
fn a_new_policy_is_for_orders_that_ended_before_too_and_none_archives_none() {
    paid(shipped_and_unpaid())
        .and("orders.set_archiving", json!({}))
        .nothing_falls_due()
        .days_later(5)
        .and("orders.set_archiving", json!({"after_days": 1}))
        .falls_due("2026-02-06T00:00:00Z", "orders.archive", &archive());
}

#[test]
fn the_place_of_an_archived_order_is_used_again() {
    let shop = paid(shipped_and_unpaid()).days_later(40).and("orders.archive", archive());
    shop.and(
        "orders.place",
        json!({"order": "o2", "channel": "b2b", "lines": [{"sku": "TEA-30", "quantity": 1, "price": "10"}]}),
    )
    .shipped("s1", "o2")
    .order("o2", |order| assert_eq!(order.left_us().units(), 1));
}
