//! Examples of shipping: cost, invoice, charges, parts.

use crate::books::{Account, Status};
use crate::orders::OrderState;
use crate::scenario::{Scenario, a_shop, given_a_shop, given_an_order, given_the_rules};
use serde_json::{Value, json};

fn packed(shop: Scenario, plan: Value) -> Scenario {
    let shipment = json!({"shipment": plan["shipment"]});
    shop.and("fulfilment.plan", plan)
        .and("fulfilment.pick", shipment.clone())
        .and("fulfilment.pack", shipment)
}

fn receive(quantity: i64, unit_cost: &str) -> Value {
    json!({"sku": "TEA-01", "location": "AMS1", "quantity": quantity, "unit_cost": unit_cost})
}

#[test]
fn goods_leave_at_their_cost_and_the_invoice_goes_with_them() {
    packed(given_an_order("b2b", 3), json!({"shipment": "s1", "order": "o1"}))
        .when(
            "fulfilment.ship",
            json!({"shipment": "s1", "carrier": "DHL", "tracking": "T1", "freight": "4.50"}),
        )
        .then(json!([
            {"type": "fulfilment.shipped", "shipment": "s1", "order": "o1", "channel": "b2b", "location": "AMS1",
             "carrier": "DHL", "tracking": "T1", "freight": "4.50",
             "lines": [{"line": 1, "sku": "TEA-01", "quantity": 3,
                "cost": [{"quantity": 3, "value": "12.00", "received_at": "2026-01-01T00:00:00Z"}]}],
             "invoice": {"number": "INV-00000001",
                "lines": [{"line": 1, "sku": "TEA-01", "quantity": 3, "gross": "30.00", "discount": "0.00"}],
                "charges": [], "from_deposit": "0.00", "receivable": "30.00"}},
            {"type": "orders.completed", "order": "o1"}
        ]))
        .units("TEA-01", "AMS1", Status::Packed, 0)
        .balance(Account::Inventory, "8.00")
        .balance(Account::CostOfGoodsSold, "12.00")
        .balance(Account::Receivable, "30.00")
        .balance(Account::Revenue, "-30.00")
        .balance(Account::FreightOut, "4.50")
        .balance(Account::AccruedFreight, "-4.50")
        .order("o1", |order| {
            assert_eq!((order.state, order.lines[0].shipped().units()), (OrderState::Completed, 3));
        });
}

#[test]
fn two_shipments_invoice_the_whole_order_and_its_charges_once() {
    let order = json!({"order": "o1", "channel": "b2b", "destination": {"country": "NL"},
        "lines": [{"sku": "TEA-01", "quantity": 3, "price": "3.3333", "discount": "1.00",
            "taxes": [{"jurisdiction": "NL", "amount": "1.90"}]}],
        "charges": [{"kind": "shipping", "amount": "5.00", "taxes": [{"jurisdiction": "NL", "amount": "1.05"}]}]});
    let shop = given_a_shop().and("stock.receive", receive(5, "4")).and("orders.place", order);
    let first = json!({"shipment": "s1", "order": "o1", "lines": [{"line": 1, "quantity": 1}]});
    let first = packed(shop, first)
        .when("fulfilment.ship", json!({"shipment": "s1"}))
        .then_types(&["fulfilment.shipped"])
        .balance(Account::Revenue, "-3.33")
        .balance(Account::Discounts, "0.33")
        .balance(Account::ChargeRevenue, "-5.00")
        .balance(Account::OutputTax, "-1.68")
        .order("o1", |order| assert_eq!(order.state, OrderState::InFulfilment));
    packed(first, json!({"shipment": "s2", "order": "o1"}))
        .when("fulfilment.ship", json!({"shipment": "s2"}))
        .then_types(&["fulfilment.shipped", "orders.completed"])
        .balance(Account::Revenue, "-10.00")
        .balance(Account::Discounts, "1.00")
        .balance(Account::ChargeRevenue, "-5.00")
        .balance(Account::OutputTax, "-2.95")
        .balance(Account::Receivable, "16.95")
        .order("o1", |order| assert_eq!(order.invoiced, order.total()));
}

#[test]
fn the_oldest_layers_leave_first_and_two_lines_of_one_item_share_them() {
    let order = json!({"order": "o1", "channel": "b2b", "lines": [
        {"sku": "TEA-01", "quantity": 3, "price": "10"}, {"sku": "TEA-01", "quantity": 2, "price": "9"}]});
    let shop = given_a_shop()
        .and("stock.receive", receive(4, "10"))
        .days_later(1)
        .and("stock.receive", receive(4, "16"))
        .and("orders.place", order);
    packed(shop, json!({"shipment": "s1", "order": "o1"}))
        .and("fulfilment.ship", json!({"shipment": "s1"}))
        .balance(Account::CostOfGoodsSold, "56.00")
        .balance(Account::Inventory, "48.00")
        .order("o1", |order| {
            let cost = |line: usize| -> Vec<String> {
                order.lines[line]
                    .issued
                    .iter()
                    .map(|part| format!("{} {}", part.quantity, part.value))
                    .collect()
            };
            assert_eq!(
                (cost(0), cost(1)),
                (vec!["3 30.00".into()], vec!["1 10.00".into(), "1 16.00".into()])
            );
        });
}

#[test]
fn an_averaged_item_leaves_at_the_average_and_the_last_units_take_the_rest() {
    let receive = |quantity, unit_cost| json!({"sku": "AVG-01", "location": "AMS1", "quantity": quantity, "unit_cost": unit_cost});
    let order =
        json!({"order": "o1", "channel": "b2b", "lines": [{"sku": "AVG-01", "quantity": 3, "price": "2"}]});
    let shop = given_a_shop()
        .and("stock.receive", receive(2, "1.00"))
        .and("stock.receive", receive(1, "1.01"))
        .and("orders.place", order);
    let one = json!({"shipment": "s1", "order": "o1", "lines": [{"line": 1, "quantity": 1}]});
    let first = packed(shop, one)
        .and("fulfilment.ship", json!({"shipment": "s1"}))
        .balance(Account::CostOfGoodsSold, "1.00");
    packed(first, json!({"shipment": "s2", "order": "o1"}))
        .and("fulfilment.ship", json!({"shipment": "s2"}))
        .balance(Account::CostOfGoodsSold, "3.01")
        .balance(Account::Inventory, "0.00");
}

#[test]
fn where_orders_do_not_leave_in_parts_nothing_leaves_while_a_unit_waits_for_stock() {
    let channel = json!({"channel": "whole", "name": "Whole", "kind": "b2b", "settlement": "on_account",
        "oversell": "backorder", "partial_shipment": "denied", "locations": ["AMS1"]});
    let order = json!({"order": "o1", "channel": "whole", "lines": [{"sku": "TEA-01", "quantity": 3, "price": "10"}]});
    given_a_shop()
        .and("channels.define", channel)
        .and("stock.receive", receive(3, "4"))
        .and("orders.place", order)
        .and("fulfilment.plan", json!({"shipment": "s1", "order": "o1"}))
        .and(
            "fulfilment.pick",
            json!({"shipment": "s1", "lines": [{"line": 1, "quantity": 2, "short": "adjust"}]}),
        )
        .when("fulfilment.pack", json!({"shipment": "s1"}))
        .refused_with(json!({"code": "order_held", "order": "o1", "holds": ["stock"]}))
        .and("orders.cancel", json!({"order": "o1", "lines": [{"line": 1, "quantity": 1}], "reason": "gone"}))
        .and("fulfilment.pack", json!({"shipment": "s1"}))
        .and("fulfilment.ship", json!({"shipment": "s1"}))
        .order("o1", |order| assert_eq!(order.state, OrderState::Completed));
}

#[test]
fn only_a_packed_shipment_of_an_order_that_is_not_held_leaves() {
    given_an_order("b2b", 3)
        .and("fulfilment.plan", json!({"shipment": "s1", "order": "o1"}))
        .when("fulfilment.ship", json!({"shipment": "s1"}))
        .refused_with(json!({"code": "shipment_state_not_fit", "shipment": "s1", "state": "planned",
            "wanted": "packed"}));
    packed(given_an_order("b2b", 3), json!({"shipment": "s1", "order": "o1"}))
        .when("fulfilment.ship", json!({"shipment": "nope"}))
        .refused("unknown_shipment")
        .and("orders.hold", json!({"order": "o1", "reason": "manual"}))
        .when("fulfilment.ship", json!({"shipment": "s1"}))
        .refused("order_held")
        .units("TEA-01", "AMS1", Status::Packed, 3);
}

#[test]
fn a_step_is_not_dated_before_the_one_that_it_follows() {
    let sent = json!({"shipment": "s1"});
    packed(given_an_order("b2b", 3), json!({"shipment": "s1", "order": "o1"}))
        .when_effective("2025-12-31T23:00:00Z", "fulfilment.ship", sent)
        .refused_with(json!({"code": "step_before_the_last", "shipment": "s1", "state": "packed",
            "since": "2026-01-01T00:00:00Z", "effective_at": "2025-12-31T23:00:00Z"}));
}

#[test]
fn rules_1_let_a_step_be_dated_before_the_one_that_it_follows() {
    let order =
        json!({"order": "o1", "channel": "b2b", "lines": [{"sku": "TEA-01", "quantity": 3, "price": "10"}]});
    let shop = a_shop(given_the_rules(1)).and("stock.receive", receive(5, "4")).and("orders.place", order);
    packed(shop, json!({"shipment": "s1", "order": "o1"}))
        .when_effective("2025-12-31T23:00:00Z", "fulfilment.ship", json!({"shipment": "s1"}))
        .then_types(&["fulfilment.shipped", "orders.completed"]);
}
