//! Examples of authorising a return.

use crate::books::Status;
use crate::scenario::{given_a_shipped_order, given_a_shop, given_an_order};
use serde_json::{Value, json};

fn authorise(id: &str, quantity: i64) -> Value {
    json!({"return": id, "order": "o1", "lines": [{"line": 1, "quantity": quantity}], "reason": "too_small"})
}

#[test]
fn what_left_us_may_come_back_and_nothing_twice() {
    given_a_shipped_order("b2b", 3)
        .when("returns.authorise", authorise("r1", 2))
        .then(json!([{"type": "returns.authorised", "return": "r1", "order": "o1",
            "lines": [{"line": 1, "order_line": 1, "sku": "TEA-01", "quantity": 2}], "reason": "too_small"}]))
        .when("returns.authorise", authorise("r2", 2))
        .refused_with(json!({"code": "return_not_eligible", "order": "o1", "line": 1, "shipped": 3,
            "in_window": 3, "authorised": 2, "returned": 0, "wanted": 2}))
        .and(
            "returns.receive",
            json!({"return": "r1", "location": "BER1", "lines": [{"line": 1, "quantity": 2}]}),
        )
        .units("TEA-01", "BER1", Status::Inspection, 2)
        .when("returns.authorise", authorise("r2", 2))
        .refused_with(json!({"code": "return_not_eligible", "order": "o1", "line": 1, "shipped": 3,
            "in_window": 3, "authorised": 0, "returned": 2, "wanted": 2}))
        .and("returns.authorise", authorise("r2", 1))
        .order("o1", |order| {
            assert_eq!(
                (order.lines[0].return_authorised().units(), order.lines[0].returned().units()),
                (1, 2)
            );
        });
}

#[test]
fn what_did_not_leave_us_cannot_come_back() {
    given_an_order("b2b", 3).when("returns.authorise", authorise("r1", 1)).refused("return_not_eligible");
}

#[test]
fn the_return_window_counts_from_the_shipment_of_the_units() {
    let item = json!({"sku": "WIN-01", "name": "Tea for a month", "return_window_days": 30});
    let order =
        json!({"order": "o1", "channel": "b2b", "lines": [{"sku": "WIN-01", "quantity": 5, "price": "10"}]});
    let part = json!({"shipment": "s1", "order": "o1", "lines": [{"line": 1, "quantity": 2}]});
    let shipped_in_parts = given_a_shop()
        .and("items.define", item)
        .and("items.activate", json!({"sku": "WIN-01"}))
        .and("stock.receive", json!({"sku": "WIN-01", "location": "AMS1", "quantity": 5, "unit_cost": "4"}))
        .and("orders.place", order)
        .and("fulfilment.plan", part)
        .and("fulfilment.pick", json!({"shipment": "s1"}))
        .and("fulfilment.pack", json!({"shipment": "s1"}))
        .and("fulfilment.ship", json!({"shipment": "s1"}))
        .days_later(20)
        .shipped("s2", "o1");
    let on_the_last_day = shipped_in_parts.clone().days_later(10);
    on_the_last_day.and("returns.authorise", authorise("r1", 5));
    shipped_in_parts
        .days_later(11)
        .when("returns.authorise", authorise("r1", 4))
        .refused_with(json!({"code": "return_not_eligible", "order": "o1", "line": 1, "shipped": 5,
            "in_window": 3, "authorised": 0, "returned": 0, "wanted": 4}))
        // Said in time, if only written down now.
        .when_effective("2026-01-31T00:00:00Z", "returns.authorise", authorise("r1", 4))
        .then_types(&["returns.authorised"]);
}

#[test]
fn an_authorisation_names_lines_that_there_are_each_once_and_expires_later() {
    let order = || given_a_shipped_order("b2b", 3);
    let with = |field: &str, value: Value| {
        let mut body = authorise("r1", 1);
        body[field] = value;
        body
    };
    order().when("returns.authorise", with("lines", json!([]))).refused("no_lines");
    let twice = json!([{"line": 1, "quantity": 1}, {"line": 1, "quantity": 1}]);
    order().when("returns.authorise", with("lines", twice)).refused("line_twice");
    let other = json!([{"line": 9, "quantity": 1}]);
    order().when("returns.authorise", with("lines", other)).refused("unknown_line");
    order().when("returns.authorise", with("order", json!("o9"))).refused("unknown_order");
    order()
        .when("returns.authorise", with("expires_at", json!("2026-01-01T00:00:00Z")))
        .refused_with(json!({"code": "expiry_not_ahead", "return": "r1",
            "expires_at": "2026-01-01T00:00:00Z", "now": "2026-01-01T00:00:00Z"}));
    order()
        .and("returns.authorise", with("expires_at", json!("2026-02-01T00:00:00Z")))
        .when("returns.authorise", authorise("r1", 1))
        .refused_with(json!({"code": "return_exists", "return": "r1"}));
}
