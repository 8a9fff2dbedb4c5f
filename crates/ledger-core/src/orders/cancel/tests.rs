//! Examples: which units a cancellation takes, and what becomes of the order.

use serde_json::{Value, json};

use crate::books::Status;
use crate::orders::OrderState;
use crate::scenario::{given_a_shop, given_an_order};
use crate::values::Quantity;

fn units(units: i64) -> Quantity {
    Quantity::try_new(units).unwrap()
}

fn cancel(quantity: i64) -> Value {
    json!({"order": "o1", "lines": [{"line": 1, "quantity": quantity}], "reason": "customer_request"})
}

fn cancel_all() -> Value {
    json!({"order": "o1", "reason": "customer_request"})
}

#[test]
fn a_whole_order_is_cancelled_and_what_it_had_reserved_is_available_again() {
    given_an_order("web", 7)
        .when("orders.cancel", json!({"order": "o1", "reason": "customer_request", "note": "too late"}))
        .then(json!([{"type": "orders.cancelled", "order": "o1", "lines": [
            {"line": 1, "sku": "TEA-01", "open": 0, "backordered": 2,
                "reserved": [{"location": "AMS1", "quantity": 5}]}],
            "whole": true, "reason": "customer_request", "note": "too late"}]))
        .units("TEA-01", "AMS1", Status::Available, 5)
        .units("TEA-01", "AMS1", Status::Reserved, 0)
        .order("o1", |order| {
            assert_eq!((order.state, order.lines[0].cancelled()), (OrderState::Cancelled, units(7)));
            assert!(order.holds.is_empty(), "nothing holds what is over");
        });
}

#[test]
fn backordered_units_are_cancelled_before_reserved_ones() {
    given_an_order("b2b", 5).and("orders.cancel", cancel(3)).units("TEA-01", "AMS1", Status::Reserved, 2);
    given_an_order("web", 7)
        .and("orders.cancel", cancel(1))
        .order("o1", |order| assert_eq!(order.lines[0].backordered(), units(1)))
        .and("orders.cancel", cancel(3))
        .units("TEA-01", "AMS1", Status::Reserved, 3)
        .units("TEA-01", "AMS1", Status::Available, 2)
        .order("o1", |order| {
            assert_eq!((order.state, order.lines[0].cancelled()), (OrderState::Captured, units(4)))
        });
}

#[test]
fn of_several_locations_the_one_claimed_last_gets_its_units_back_first() {
    let receipt = |location| json!({"sku": "TEA-01", "location": location, "quantity": 2, "unit_cost": "4"});
    given_a_shop()
        .and("stock.receive", receipt("AMS1"))
        .and("stock.receive", receipt("BER1"))
        .and(
            "orders.place",
            json!({"order": "o1", "channel": "b2b", "lines": [
            {"sku": "TEA-01", "quantity": 4, "price": "10"}]}),
        )
        .and("orders.cancel", cancel(3))
        .units("TEA-01", "BER1", Status::Reserved, 0)
        .units("TEA-01", "AMS1", Status::Reserved, 1);
}

#[test]
fn cancelling_what_waits_releases_an_order_that_is_now_all_there() {
    given_a_shop()
        .and(
            "channels.define",
            json!({"channel": "whole", "name": "Whole", "kind": "b2b", "settlement": "on_account",
            "oversell": "backorder", "partial_shipment": "denied", "locations": ["AMS1"]}),
        )
        .and("stock.receive", json!({"sku": "TEA-01", "location": "AMS1", "quantity": 2, "unit_cost": "4"}))
        .and(
            "orders.place",
            json!({"order": "o1", "channel": "whole", "lines": [
            {"sku": "TEA-01", "quantity": 3, "price": "10"}]}),
        )
        .when("orders.cancel", cancel(1))
        .then_types(&["orders.cancelled", "orders.hold_cleared", "orders.released"]);
}

#[test]
fn what_is_not_cancelled_keeps_its_price_to_the_cent() {
    given_a_shop()
        .and("orders.place", json!({"order": "o1", "channel": "web", "lines": [
            {"sku": "TEA-01", "quantity": 3, "price": "3.335", "discount": "1", "taxes": [{"jurisdiction": "NL", "amount": "1.89"}]}]}))
        .order("o1", |order| assert_eq!(order.payable().to_string(), "10.90"))
        .and("orders.cancel", cancel(1))
        .order("o1", |order| assert_eq!(order.payable().to_string(), "7.26"));
}

#[test]
fn an_order_of_charges_alone_that_is_not_invoiced_is_cancelled() {
    given_a_shop()
        .and(
            "orders.place",
            json!({"order": "o1", "channel": "web", "charges": [{"kind": "fee", "amount": "7"}]}),
        )
        .and("orders.cancel", cancel_all())
        .order("o1", |order| assert_eq!(order.state, OrderState::Cancelled));
}

#[test]
fn an_order_that_is_over_is_not_cancelled() {
    given_an_order("b2b", 1)
        .and("orders.cancel", cancel_all())
        .when("orders.cancel", cancel_all())
        .refused_with(json!({"code": "order_not_open", "order": "o1", "state": "cancelled"}));
    given_a_shop().when("orders.cancel", cancel_all()).refused("unknown_order");
}

#[test]
fn lines_to_cancel_are_named_once_are_there_and_have_that_much() {
    let order = || given_an_order("b2b", 3);
    let lines = |lines: Value| json!({"order": "o1", "lines": lines, "reason": "customer_request"});
    order().when("orders.cancel", lines(json!([]))).refused("nothing_to_cancel");
    let line = json!({"line": 1, "quantity": 1});
    order().when("orders.cancel", lines(json!([line, line]))).refused("line_twice");
    order().when("orders.cancel", lines(json!([{"line": 2, "quantity": 1}]))).refused("unknown_line");
    order()
        .when("orders.cancel", cancel(4))
        .refused_with(json!({"code": "not_enough_on_line", "order": "o1",
        "line": 1, "bucket": "before shipped", "there": 3, "wanted": 4}));
}

#[test]
fn what_the_warehouse_has_in_its_hands_is_not_cancelled() {
    let picked = json!([{"line": 1, "quantity": 2}]);
    let shop = given_an_order("b2b", 3)
        .and("fulfilment.plan", json!({"shipment": "s1", "order": "o1", "lines": picked}))
        .and("fulfilment.pick", json!({"shipment": "s1"}));
    let refusal = |wanted: i64| {
        json!({"code": "units_already_picked", "order": "o1", "line": 1, "picked": 2, "cancellable": 1,
            "wanted": wanted})
    };
    shop.when("orders.cancel", cancel_all())
        .refused_with(refusal(3))
        .when("orders.cancel", cancel(2))
        .refused_with(refusal(2));
}
