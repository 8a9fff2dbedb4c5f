//! Examples of picking, with all that was planned and with less.

use crate::books::{Account, Status};
use crate::orders::OrderState;
use crate::scenario::{Scenario, given_an_order};
use serde_json::{Value, json};

fn planned(channel: &str, quantity: i64) -> Scenario {
    let order = given_an_order(channel, quantity);
    let released = if channel == "b2b" {
        order
    } else {
        order
            .and("orders.clear_hold", json!({"order": "o1", "reason": "payment"}))
            .and("orders.release", json!({"order": "o1"}))
    };
    released.and("fulfilment.plan", json!({"shipment": "s1", "order": "o1"}))
}

fn pick(quantity: i64, short: Option<&str>) -> Value {
    let mut line = json!({"line": 1, "quantity": quantity});
    if let Some(short) = short {
        line["short"] = json!(short);
    }
    json!({"shipment": "s1", "lines": [line]})
}

#[test]
fn all_that_was_planned_is_picked() {
    planned("b2b", 3)
        .when("fulfilment.pick", json!({"shipment": "s1"}))
        .then(json!([{"type": "fulfilment.picked", "shipment": "s1", "order": "o1", "channel": "b2b",
            "location": "AMS1", "lines": [{"line": 1, "sku": "TEA-01", "quantity": 3}]}]))
        .units("TEA-01", "AMS1", Status::Reserved, 0)
        .units("TEA-01", "AMS1", Status::Picked, 3)
        .balance(Account::Inventory, "20.00");
}

#[test]
fn what_is_missing_is_adjusted_and_the_order_gets_other_units() {
    planned("b2b", 3)
        .when("fulfilment.pick", pick(1, Some("adjust")))
        .then_types(&["fulfilment.picked", "orders.allocated"])
        .units("TEA-01", "AMS1", Status::Picked, 1)
        .units("TEA-01", "AMS1", Status::Reserved, 2)
        .units("TEA-01", "AMS1", Status::Available, 0)
        .balance(Account::Shrinkage, "8.00")
        .balance(Account::Inventory, "12.00")
        .when("fulfilment.plan", json!({"shipment": "s2", "order": "o1"}))
        .then(json!([{"type": "fulfilment.planned", "shipment": "s2", "order": "o1", "location": "AMS1",
            "lines": [{"line": 1, "sku": "TEA-01", "quantity": 2}]}]));
}

#[test]
fn what_is_in_doubt_is_quarantined_and_the_order_waits_where_its_channel_backorders() {
    planned("web", 5)
        .when("fulfilment.pick", pick(3, Some("quarantine")))
        .then_types(&["fulfilment.picked", "orders.backordered"])
        .units("TEA-01", "AMS1", Status::Picked, 3)
        .units("TEA-01", "AMS1", Status::Quarantined, 2)
        .units("TEA-01", "AMS1", Status::Reserved, 0)
        .balance(Account::Inventory, "20.00")
        .balance(Account::Shrinkage, "0.00")
        .order("o1", |order| assert_eq!(order.lines[0].backordered().units(), 2));
}

#[test]
fn a_shipment_of_which_nothing_is_there_is_void() {
    planned("b2b", 5)
        .when("fulfilment.pick", pick(0, Some("adjust")))
        .then_types(&["fulfilment.picked", "orders.refused"])
        .balance(Account::Shrinkage, "20.00")
        .balance(Account::Inventory, "0.00")
        .order("o1", |order| assert_eq!(order.state, OrderState::Cancelled))
        .when("fulfilment.pack", json!({"shipment": "s1"}))
        .refused_with(json!({"code": "shipment_state_not_fit", "shipment": "s1", "state": "void",
            "wanted": "picked"}));
}

#[test]
fn missing_units_of_two_lines_cost_what_the_item_costs_by_layer() {
    let missing = json!({"shipment": "s1", "lines": [
        {"line": 1, "quantity": 1, "short": "adjust"}, {"line": 2, "quantity": 0, "short": "quarantine"}]});
    given_an_order("b2b", 3)
        .and("stock.receive", json!({"sku": "TEA-01", "location": "AMS1", "quantity": 4, "unit_cost": "7"}))
        .and(
            "orders.place",
            json!({"order": "o2", "channel": "b2b", "lines": [
                {"sku": "TEA-01", "quantity": 4, "price": "10"}, {"sku": "TEA-01", "quantity": 2, "price": "9"}]}),
        )
        .and("fulfilment.plan", json!({"shipment": "s1", "order": "o2"}))
        .when("fulfilment.pick", missing)
        .then_types(&["fulfilment.picked", "orders.refused", "orders.refused"])
        // The oldest five cost 4 each: three are missing on line 1, two are quarantined on line 2.
        .balance(Account::Shrinkage, "12.00")
        .balance(Account::Inventory, "36.00");
}

#[test]
fn units_that_were_cancelled_since_the_plan_are_not_looked_for() {
    planned("b2b", 3)
        .and(
            "orders.cancel",
            json!({"order": "o1", "lines": [{"line": 1, "quantity": 2}], "reason": "changed_mind"}),
        )
        .when("fulfilment.pick", json!({"shipment": "s1"}))
        .then(json!([{"type": "fulfilment.picked", "shipment": "s1", "order": "o1", "channel": "b2b",
            "location": "AMS1", "lines": [{"line": 1, "sku": "TEA-01", "quantity": 1}]}]))
        .units("TEA-01", "AMS1", Status::Available, 4);
}

#[test]
fn a_hold_pauses_a_planned_shipment() {
    planned("b2b", 3)
        .and("orders.hold", json!({"order": "o1", "reason": "address"}))
        .when("fulfilment.pick", json!({"shipment": "s1"}))
        .refused_with(json!({"code": "order_held", "order": "o1", "holds": ["address"]}))
        .and("orders.clear_hold", json!({"order": "o1", "reason": "address"}))
        .and("fulfilment.pick", json!({"shipment": "s1"}));
}

#[test]
fn a_pick_explains_what_is_short_and_names_what_was_planned_once() {
    let shipment = || planned("b2b", 3);
    shipment().when("fulfilment.pick", pick(2, None)).refused_with(json!({"code": "short_not_explained",
        "shipment": "s1", "line": 1, "planned": 3, "picked": 2}));
    shipment().when("fulfilment.pick", pick(4, None)).refused_with(json!({"code": "more_than_planned",
        "shipment": "s1", "line": 1, "planned": 3, "picked": 4}));
    shipment()
        .when("fulfilment.pick", json!({"shipment": "s1", "lines": [{"line": 2, "quantity": 1}]}))
        .refused_with(json!({"code": "not_in_shipment", "shipment": "s1", "line": 2}));
    let twice = json!({"shipment": "s1", "lines": [{"line": 1, "quantity": 3}, {"line": 1, "quantity": 3}]});
    shipment().when("fulfilment.pick", twice).refused("line_twice");
    shipment().when("fulfilment.pick", json!({"shipment": "nope"})).refused("unknown_shipment");
    shipment()
        .and("fulfilment.pick", pick(3, Some("adjust")))
        .when("fulfilment.pick", pick(3, None))
        .refused("shipment_state_not_fit");
}
