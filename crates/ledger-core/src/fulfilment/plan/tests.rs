//! Examples of planning a shipment.

use crate::orders::OrderState;
use crate::scenario::{given_a_shop, given_an_order};
use serde_json::json;

#[test]
fn all_that_is_reserved_is_planned_and_the_order_is_in_fulfilment() {
    given_an_order("b2b", 3)
        .when("fulfilment.plan", json!({"shipment": "s1", "order": "o1"}))
        .then(json!([{"type": "fulfilment.planned", "shipment": "s1", "order": "o1", "location": "AMS1",
            "lines": [{"line": 1, "sku": "TEA-01", "quantity": 3}]}]))
        .order("o1", |order| assert_eq!(order.state, OrderState::InFulfilment));
}

#[test]
fn an_order_leaves_in_parts_and_no_unit_is_planned_twice() {
    given_an_order("b2b", 3)
        .and(
            "fulfilment.plan",
            json!({"shipment": "s1", "order": "o1", "lines": [{"line": 1, "quantity": 1}]}),
        )
        .when(
            "fulfilment.plan",
            json!({"shipment": "s2", "order": "o1", "lines": [{"line": 1, "quantity": 3}]}),
        )
        .refused_with(json!({"code": "not_enough_reserved", "order": "o1", "line": 1, "location": "AMS1",
            "free": 2, "wanted": 3}))
        .when("fulfilment.plan", json!({"shipment": "s2", "order": "o1"}))
        .then(json!([{"type": "fulfilment.planned", "shipment": "s2", "order": "o1", "location": "AMS1",
            "lines": [{"line": 1, "sku": "TEA-01", "quantity": 2}]}]))
        .when("fulfilment.plan", json!({"shipment": "s3", "order": "o1"}))
        .refused("nothing_to_ship");
}

#[test]
fn each_location_ships_its_own_parcel_the_first_with_something_reserved_by_default() {
    let shipment = |shipment, location, line, quantity| {
        json!([{"type": "fulfilment.planned", "shipment": shipment, "order": "o1", "location": location,
            "lines": [{"line": line, "sku": "TEA-01", "quantity": quantity}]}])
    };
    given_a_shop()
        .and("stock.receive", json!({"sku": "TEA-01", "location": "AMS1", "quantity": 5, "unit_cost": "4"}))
        .and("stock.receive", json!({"sku": "TEA-01", "location": "BER1", "quantity": 5, "unit_cost": "4"}))
        .and(
            "orders.place",
            json!({"order": "o1", "channel": "b2b", "lines": [{"sku": "TEA-01", "quantity": 7, "price": "10"}]}),
        )
        .when("fulfilment.plan", json!({"shipment": "s1", "order": "o1"}))
        .then(shipment("s1", "AMS1", 1, 5))
        .when("fulfilment.plan", json!({"shipment": "s2", "order": "o1", "location": "AMS1"}))
        .refused_with(json!({"code": "nothing_to_ship", "order": "o1", "location": "AMS1"}))
        .when("fulfilment.plan", json!({"shipment": "s2", "order": "o1"}))
        .then(shipment("s2", "BER1", 1, 2));
}

#[test]
fn only_a_released_order_that_nothing_holds_is_planned() {
    let plan = || json!({"shipment": "s1", "order": "o1"});
    given_an_order("web", 3).when("fulfilment.plan", plan()).refused_with(
        json!({"code": "order_not_released", "order": "o1", "state": "captured", "holds": ["payment"]}),
    );
    given_an_order("b2b", 3)
        .and("orders.hold", json!({"order": "o1", "reason": "credit"}))
        .when("fulfilment.plan", plan())
        .refused_with(json!({"code": "order_held", "order": "o1", "holds": ["credit"]}));
    given_an_order("b2b", 3)
        .and("orders.cancel", json!({"order": "o1", "reason": "changed_mind"}))
        .when("fulfilment.plan", plan())
        .refused("order_not_released");
}

#[test]
fn where_orders_do_not_leave_in_parts_nothing_stays_behind() {
    given_an_order("strict", 3)
        .and("orders.clear_hold", json!({"order": "o1", "reason": "payment"}))
        .and("orders.release", json!({"order": "o1"}))
        .when(
            "fulfilment.plan",
            json!({"shipment": "s1", "order": "o1", "lines": [{"line": 1, "quantity": 2}]}),
        )
        .refused_with(
            json!({"code": "partial_shipment_denied", "order": "o1", "channel": "strict", "line": 1,
            "left_behind": 1}),
        )
        .and("fulfilment.plan", json!({"shipment": "s1", "order": "o1"}));
}

#[test]
fn a_plan_names_an_order_a_place_and_lines_that_there_are_each_once() {
    let order = || given_an_order("b2b", 3);
    let lines = |lines| json!({"shipment": "s1", "order": "o1", "lines": lines});
    order().when("fulfilment.plan", json!({"order": "nope"})).refused("unknown_order");
    order().when("fulfilment.plan", json!({"order": "o1", "location": "NOPE"})).refused("unknown_location");
    order().when("fulfilment.plan", lines(json!([]))).refused("nothing_to_ship");
    order().when("fulfilment.plan", lines(json!([{"line": 2, "quantity": 1}]))).refused("unknown_line");
    let twice = json!([{"line": 1, "quantity": 1}, {"line": 1, "quantity": 1}]);
    order().when("fulfilment.plan", lines(twice)).refused_with(json!({"code": "line_twice", "line": 1}));
    order()
        .and("fulfilment.plan", lines(json!([{"line": 1, "quantity": 1}])))
        .when("fulfilment.plan", json!({"shipment": "s1", "order": "o1"}))
        .refused_with(json!({"code": "shipment_exists", "shipment": "s1"}));
}
