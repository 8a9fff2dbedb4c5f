//! Examples: what an order that comes in gets, and which orders are refused.

use serde_json::{Value, json};

use crate::books::{Account, Status};
use crate::orders::OrderState;
use crate::scenario::{Scenario, command, given_a_shop};
use crate::values::Quantity;

fn units(units: i64) -> Quantity {
    Quantity::try_new(units).unwrap()
}

fn given_tea(at: &[(&str, i64)]) -> Scenario {
    at.iter().fold(given_a_shop(), |shop, (location, quantity)| {
        let body = json!({"sku": "TEA-01", "location": location, "quantity": quantity, "unit_cost": "4"});
        shop.and("stock.receive", body)
    })
}

fn order(channel: &str, quantities: &[i64]) -> Value {
    let lines: Vec<_> = quantities
        .iter()
        .map(|quantity| json!({"sku": "TEA-01", "quantity": quantity, "price": "10"}))
        .collect();
    json!({"order": "o1", "channel": channel, "lines": lines})
}

fn with(mut body: Value, field: &str, value: Value) -> Value {
    body[field] = value;
    body
}

#[test]
fn an_order_on_account_is_reserved_and_released_at_once() {
    given_tea(&[("AMS1", 5)])
        .when("orders.place", order("b2b", &[3]))
        .then(json!([
            {"type": "orders.placed", "order": "o1", "channel": "b2b", "priority": 5, "lines": [
                {"line": 1, "sku": "TEA-01", "quantity": 3, "price": "10", "gross": "30.00", "discount": "0.00"}]},
            {"type": "orders.allocated", "order": "o1", "claims": [
                {"line": 1, "sku": "TEA-01", "location": "AMS1", "from": "open", "quantity": 3}]},
            {"type": "orders.released", "order": "o1"},
        ]))
        .units("TEA-01", "AMS1", Status::Available, 2)
        .units("TEA-01", "AMS1", Status::Reserved, 3)
        .order("o1", |order| assert_eq!(order.state, OrderState::Released));
}

#[test]
fn a_prepaid_order_holds_until_it_is_paid() {
    given_tea(&[("AMS1", 5)])
        .when("orders.place", order("web", &[3]))
        .then_types(&["orders.placed", "orders.allocated", "orders.held"])
        .order("o1", |order| assert_eq!(order.state, OrderState::Captured));
}

#[test]
fn a_free_order_is_released_at_once() {
    let free =
        json!({"order": "o1", "channel": "web", "lines": [{"sku": "TEA-01", "quantity": 1, "price": "0"}]});
    given_tea(&[("AMS1", 5)]).when("orders.place", free).then_types(&[
        "orders.placed",
        "orders.allocated",
        "orders.released",
    ]);
}

#[test]
fn two_lines_of_one_order_cannot_both_take_the_last_unit() {
    given_tea(&[("AMS1", 1)])
        .when("orders.place", order("web", &[1, 1]))
        .then_types(&["orders.placed", "orders.allocated", "orders.backordered", "orders.held"])
        .units("TEA-01", "AMS1", Status::Available, 0)
        .units("TEA-01", "AMS1", Status::Reserved, 1)
        .order("o1", |order| {
            assert_eq!((order.lines[0].reserved(), order.lines[1].reserved()), (units(1), units(0)));
            assert_eq!(order.lines[1].backordered(), units(1));
        });
}

#[test]
fn the_last_unit_goes_to_the_order_that_came_first() {
    given_tea(&[("AMS1", 1)])
        .and("orders.place", order("b2b", &[1]))
        .when("orders.place", with(order("b2b", &[1]), "order", json!("o2")))
        .then_types(&["orders.placed", "orders.refused"])
        .order("o1", |order| assert_eq!(order.lines[0].reserved(), units(1)))
        .order("o2", |order| assert_eq!(order.lines[0].cancelled(), units(1)));
}

#[test]
fn a_line_comes_from_the_first_location_that_has_it_all_else_from_several_in_order() {
    given_tea(&[("AMS1", 2), ("BER1", 3)])
        .and("orders.place", order("b2b", &[3]))
        .units("TEA-01", "AMS1", Status::Reserved, 0)
        .units("TEA-01", "BER1", Status::Reserved, 3);
    given_tea(&[("AMS1", 2), ("BER1", 3)])
        .and("orders.place", order("b2b", &[4]))
        .units("TEA-01", "AMS1", Status::Reserved, 2)
        .units("TEA-01", "BER1", Status::Reserved, 2);
}

#[test]
fn what_is_short_is_backordered_or_refused_by_the_channel() {
    given_tea(&[("AMS1", 2)])
        .and("orders.place", order("web", &[5]))
        .order("o1", |order| assert_eq!(order.lines[0].backordered(), units(3)));
    given_tea(&[("AMS1", 2)])
        .when("orders.place", order("b2b", &[5]))
        .then_types(&["orders.placed", "orders.allocated", "orders.refused", "orders.released"])
        .order("o1", |order| {
            assert_eq!(order.lines[0].cancelled(), units(3));
            assert_eq!(order.payable().to_string(), "20.00");
        });
}

#[test]
fn an_order_of_which_nothing_remains_is_cancelled_charges_and_all() {
    let charges = json!([{"kind": "shipping", "amount": "5"}]);
    given_a_shop()
        .when("orders.place", with(order("strict", &[1, 2]), "charges", charges))
        .then_types(&["orders.placed", "orders.refused"])
        .order("o1", |order| {
            assert_eq!(order.state, OrderState::Cancelled);
            assert!(order.payable().is_zero());
        });
}

#[test]
fn where_orders_do_not_leave_in_parts_one_that_is_not_all_there_holds_for_stock() {
    let whole = json!({"channel": "whole", "name": "Whole", "kind": "b2b", "settlement": "on_account",
        "oversell": "backorder", "partial_shipment": "denied", "locations": ["AMS1"]});
    given_tea(&[("AMS1", 2)])
        .and("channels.define", whole)
        .and("orders.place", order("whole", &[2]))
        .order("o1", |order| assert_eq!(order.state, OrderState::Released))
        .when("orders.place", with(order("whole", &[1]), "order", json!("o2")))
        .then_types(&["orders.placed", "orders.backordered", "orders.held"])
        .order("o2", |order| assert!(order.is_held_for(crate::orders::HoldReason::Stock)));
}

#[test]
fn an_order_of_charges_alone_is_invoiced_at_release_and_done() {
    let body = json!({"order": "o1", "channel": "b2b", "destination": {"country": "NL"},
        "charges": [{"kind": "service", "description": "Tasting", "amount": "100",
            "taxes": [{"jurisdiction": "NL", "amount": "21"}]}]});
    given_a_shop()
        .when("orders.place", body)
        .then(json!([
            {"type": "orders.placed", "order": "o1", "channel": "b2b", "destination": {"country": "NL"}, "priority": 5,
                "lines": [], "charges": [{"charge": 1, "kind": "service", "description": "Tasting",
                    "amount": "100.00", "taxes": [{"jurisdiction": "NL", "amount": "21.00"}]}]},
            {"type": "orders.released", "order": "o1"},
            {"type": "orders.invoiced", "order": "o1", "channel": "b2b", "country": "NL", "invoice": {
                "number": "INV-00000001", "lines": [],
                "charges": [{"charge": 1, "amount": "100.00", "taxes": [{"jurisdiction": "NL", "amount": "21.00"}]}],
                "from_deposit": "0.00", "receivable": "121.00"}},
            {"type": "orders.completed", "order": "o1"},
        ]))
        .balance(Account::Receivable, "121.00")
        .balance(Account::ChargeRevenue, "-100.00")
        .balance(Account::OutputTax, "-21.00")
        .order("o1", |order| assert_eq!(order.state, OrderState::Completed));
}

#[test]
fn an_order_without_an_id_gets_the_one_assigned() {
    let mut nameless = order("b2b", &[1]);
    nameless.as_object_mut().unwrap().remove("order");
    given_tea(&[("AMS1", 1)])
        .and("orders.place", nameless)
        .order("07070707-0707-0707-0707-070707070707", |order| assert_eq!(order.lines.len(), 1));
}

#[test]
fn an_order_keeps_the_time_at_which_it_was_placed() {
    let at = "2025-12-24T10:00:00Z";
    given_tea(&[("AMS1", 1)])
        .when_effective(at, "orders.place", order("b2b", &[1]))
        .then_types(&["orders.placed", "orders.allocated", "orders.released"])
        .order("o1", |order| assert_eq!(order.placed_at.to_string(), at));
}

#[test]
fn an_order_comes_once_from_a_known_channel() {
    given_a_shop()
        .and("orders.place", order("web", &[1]))
        .when("orders.place", order("web", &[1]))
        .refused("order_exists");
    given_a_shop().when("orders.place", order("nope", &[1])).refused("unknown_channel");
    given_a_shop()
        .when("orders.place", with(order("web", &[1]), "customer", json!("C99")))
        .refused("unknown_customer");
}

#[test]
fn an_order_orders_something_and_not_too_much() {
    given_a_shop().when("orders.place", order("web", &[])).refused("nothing_ordered");
    let many = vec![1; 1001];
    given_a_shop().when("orders.place", order("web", &many)).refused_with(json!({
        "code": "document_too_large", "order": "o1", "lines": 1001, "lines_max": 1000}));
    given_a_shop().and("orders.place", order("web", &many[..1000]));
}

#[test]
fn a_number_stands_once() {
    let line = |number: Option<u16>| {
        let mut line = json!({"sku": "TEA-01", "quantity": 1, "price": "1"});
        if let Some(number) = number {
            line["line"] = json!(number);
        }
        line
    };
    let body = |lines: Value| json!({"order": "o1", "channel": "web", "lines": lines});
    given_a_shop()
        .when("orders.place", body(json!([line(Some(2)), line(None)])))
        .refused_with(json!({"code": "line_twice", "order": "o1", "line": 2}));
    given_a_shop().and("orders.place", body(json!([line(Some(20)), line(Some(7)), line(None)]))).order(
        "o1",
        |order| {
            assert_eq!(order.lines.iter().map(|line| line.number).collect::<Vec<_>>(), [20, 7, 3]);
            assert_eq!(order.line(7).map(|(place, _)| place), Some(1));
        },
    );
    let charge = json!({"charge": 1, "kind": "fee", "amount": "1"});
    given_a_shop()
        .when("orders.place", json!({"channel": "web", "charges": [charge, charge]}))
        .refused("charge_twice");
}

#[test]
fn only_goods_in_trade_are_ordered_as_lines() {
    let of = |sku| json!({"channel": "web", "lines": [{"sku": sku, "quantity": 1, "price": "1"}]});
    given_a_shop().when("orders.place", of("NOPE")).refused("unknown_item");
    given_a_shop().when("orders.place", of("DRAFT")).refused("item_not_active");
    given_a_shop().when("orders.place", of("WRAP")).refused("item_not_stocked");
}

#[test]
fn a_discount_is_at_most_the_gross_and_the_total_within_bounds() {
    let line = |quantity: i64, price: &str, discount: &str| {
        json!({"order": "o1", "channel": "web",
            "lines": [{"sku": "TEA-01", "quantity": quantity, "price": price, "discount": discount}]})
    };
    given_a_shop().when("orders.place", line(2, "0.125", "0.26")).refused_with(json!({
        "code": "discount_over_gross", "order": "o1", "line": 1, "discount": "0.26", "gross": "0.25"}));
    given_a_shop().and("orders.place", line(2, "0.125", "0.25"));
    given_a_shop().when("orders.place", line(1_000_000_000_000, "1000", "0")).refused("amount_out_of_range");
    let big = json!({"sku": "TEA-01", "quantity": 6, "price": "1000000000000"});
    given_a_shop()
        .when("orders.place", json!({"channel": "web", "lines": [big, big]}))
        .refused("amount_out_of_range");
}

#[test]
fn what_is_to_be_delivered_is_shipped_before() {
    let body = with(order("web", &[1]), "ship_by", json!("2026-02-02T00:00:00Z"));
    given_a_shop()
        .when("orders.place", with(body.clone(), "deliver_by", json!("2026-02-01T00:00:00Z")))
        .refused("deliver_by_before_ship_by");
    given_a_shop().and("orders.place", with(body, "deliver_by", json!("2026-02-02T00:00:00Z")));
}

#[test]
fn fields_are_read_strictly() {
    let read = |body: Value| {
        crate::kinds::Command::deserialize("orders.place", body).expect("the command is in the table").is_ok()
    };
    assert!(read(with(order("web", &[1]), "priority", json!(9))));
    assert!(!read(with(order("web", &[1]), "priority", json!(10))));
    assert!(!read(with(order("web", &[1]), "prioritty", json!(1))));
    assert!(!read(with(order("web", &[0]), "order", json!("o2"))));
    assert!(!read(with(
        order("web", &[]),
        "lines",
        json!([{"line": 0, "sku": "A", "quantity": 1, "price": "1"}])
    )));
    assert!(!read(with(order("web", &[1]), "charges", json!([{"kind": "fee", "amount": "-1"}]))));
    assert_eq!(command("orders.place", order("web", &[1])).name(), "orders.place");
}
