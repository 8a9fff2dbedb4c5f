//! Examples of goods coming back.

use crate::books::{Account, Status};
use crate::returns::ReturnStage;
use crate::scenario::{Scenario, given_a_shipped_order, given_a_shop};
use crate::values::{ReturnId, Text};
use serde_json::{Value, json};

fn authorised(quantity: i64) -> Scenario {
    given_a_shipped_order("b2b", 3).and(
        "returns.authorise",
        json!({"return": "r1", "order": "o1", "lines": [{"line": 1, "quantity": quantity}], "reason": "too_small"}),
    )
}

fn receive(line: Value) -> Value {
    json!({"return": "r1", "location": "AMS1", "lines": [line]})
}

fn stage(scenario: &Scenario) -> ReturnStage {
    scenario.ledger.returns().find(&ReturnId::try_new("r1").unwrap()).unwrap().stage()
}

#[test]
fn goods_come_back_at_what_their_shipment_cost_in_parts_and_not_more_than_authorised() {
    let came = authorised(2)
        .when("returns.receive", receive(json!({"line": 1, "quantity": 1})))
        .then(json!([{"type": "returns.received", "return": "r1", "blind": false, "location": "AMS1",
            "order": "o1", "channel": "b2b", "lines": [{"line": 1, "order_line": 1, "sku": "TEA-01", "quantity": 1,
                "cost": [{"quantity": 1, "value": "4.00", "received_at": "2026-01-01T00:00:00Z"}],
                "cost_source": "issue"}]}]))
        .units("TEA-01", "AMS1", Status::Inspection, 1)
        .balance(Account::CostOfGoodsSold, "8.00")
        .balance(Account::Inventory, "12.00")
        .when("returns.receive", receive(json!({"line": 1, "quantity": 2})))
        .refused_with(json!({"code": "more_than_authorised", "return": "r1", "sku": "TEA-01", "authorised": 2,
            "received": 1, "wanted": 2}));
    assert_eq!(stage(&came), ReturnStage::Received);
    came.and("returns.receive", receive(json!({"sku": "TEA-01", "quantity": 1}))).order("o1", |order| {
        let line = &order.lines[0];
        assert_eq!(
            (line.return_authorised().units(), line.returned().units(), line.shipped().units()),
            (0, 2, 3)
        );
    });
}

#[test]
fn a_partial_return_takes_the_issue_value_of_its_units_layer_by_layer_and_back_to_the_shelf() {
    let stock = |quantity, unit_cost| json!({"sku": "TEA-01", "location": "AMS1", "quantity": quantity, "unit_cost": unit_cost});
    let back = |id: &str, quantity: i64| {
        vec![
            (
                "returns.authorise",
                json!({"return": id, "order": "o1",
                "lines": [{"line": 1, "quantity": quantity}], "reason": "too_small"}),
            ),
            (
                "returns.receive",
                json!({"return": id, "location": "AMS1", "lines": [{"line": 1, "quantity": quantity}]}),
            ),
            (
                "returns.inspect",
                json!({"return": id, "lines": [{"line": 1, "quantity": quantity, "grade": "a"}]}),
            ),
            (
                "returns.disposition",
                json!({"return": id,
                "lines": [{"line": 1, "quantity": quantity, "grade": "a", "outcome": "restock"}]}),
            ),
        ]
    };
    let run = |shop: Scenario, steps: Vec<(&str, Value)>| {
        steps.into_iter().fold(shop, |shop, (name, body)| shop.and(name, body))
    };
    let order =
        json!({"order": "o1", "channel": "b2b", "lines": [{"sku": "TEA-01", "quantity": 5, "price": "20"}]});
    let shipped = given_a_shop()
        .and("stock.receive", stock(3, "10"))
        .days_later(1)
        .and("stock.receive", stock(4, "16"))
        .and("orders.place", order)
        .shipped("s1", "o1")
        .balance(Account::CostOfGoodsSold, "62.00");
    // Four of three at 10 and two at 16: the first three cost 30, the fourth 16.
    let first = run(shipped, back("r1", 4)).balance(Account::CostOfGoodsSold, "16.00");
    run(first, back("r2", 1))
        .balance(Account::CostOfGoodsSold, "0.00")
        .balance(Account::Inventory, "94.00")
        .units("TEA-01", "AMS1", Status::Available, 7)
        // What came back keeps its age: the oldest layer leaves first again.
        .and(
            "orders.place",
            json!({"order": "o2", "channel": "b2b",
            "lines": [{"sku": "TEA-01", "quantity": 3, "price": "20"}]}),
        )
        .shipped("s2", "o2")
        .balance(Account::CostOfGoodsSold, "30.00");
}

#[test]
fn the_rest_of_a_return_comes_to_the_same_place_and_only_what_was_authorised() {
    let mut elsewhere = receive(json!({"line": 1, "quantity": 1}));
    elsewhere["location"] = json!("BER1");
    let mut other_order = receive(json!({"line": 1, "quantity": 1}));
    other_order["order"] = json!("o9");
    authorised(2)
        .when("returns.receive", other_order)
        .refused_with(json!({"code": "return_of_another_order", "return": "r1", "order": "o1"}))
        .and("returns.receive", receive(json!({"line": 1, "quantity": 1})))
        .when("returns.receive", elsewhere)
        .refused_with(json!({"code": "return_elsewhere", "return": "r1", "location": "AMS1"}))
        .when("returns.receive", receive(json!({"line": 1, "sku": "TEA-02", "quantity": 1})))
        .refused_with(
            json!({"code": "more_than_authorised", "return": "r1", "sku": "TEA-02", "authorised": 0,
            "received": 0, "wanted": 1}),
        )
        .when("returns.receive", receive(json!({"sku": "TEA-02", "quantity": 1})))
        .refused("more_than_authorised")
        .when("returns.receive", receive(json!({"line": 7, "quantity": 1})))
        .refused("unknown_return_line")
        .when("returns.receive", receive(json!({"quantity": 1})))
        .refused("line_not_named");
    let twice = json!({"return": "r1", "location": "AMS1", "lines": [
        {"line": 1, "quantity": 1}, {"line": 1, "quantity": 1}]});
    authorised(2).when("returns.receive", twice).refused("line_twice");
}

#[test]
fn goods_come_out_of_the_blue_at_the_best_cost_that_is_known() {
    let blind = |id: &str, unit_cost: Option<&str>| {
        let mut line = json!({"sku": "TEA-02", "quantity": 2});
        if let Some(unit_cost) = unit_cost {
            line["unit_cost"] = json!(unit_cost);
        }
        json!({"return": id, "location": "AMS1", "lines": [line], "customer": "C1", "country": "NL"})
    };
    let received = |id: &str, value: &str, source: &str| {
        json!([{"type": "returns.received", "return": id, "blind": true, "location": "AMS1", "customer": "C1",
            "country": "NL", "lines": [{"line": 1, "sku": "TEA-02", "quantity": 2,
                "cost": [{"quantity": 2, "value": value, "received_at": "2026-01-01T00:00:00Z"}],
                "cost_source": source}]}])
    };
    let shop = given_a_shop()
        .when("returns.receive", blind("r1", None))
        .refused_with(json!({"code": "cost_unknown", "sku": "TEA-02"}))
        .when("returns.receive", blind("r1", Some("3")))
        .then(received("r1", "6.00", "given"))
        .balance(Account::Inventory, "6.00")
        .balance(Account::CostOfGoodsSold, "-6.00")
        .when("returns.receive", blind("r2", Some("9")))
        .then(received("r2", "6.00", "pool"));
    shop.and("stock.receive", json!({"sku": "TEA-02", "location": "BER1", "quantity": 1, "unit_cost": "5"}))
        .and(
            "stock.write_off",
            json!({"sku": "TEA-02", "location": "AMS1", "status": "inspection",
            "quantity": 4, "reason": "broken"}),
        )
        .when("returns.receive", blind("r3", None))
        .then(received("r3", "10.00", "last_cost"));
}

#[test]
fn a_blind_return_has_an_id_of_its_own_and_names_what_came() {
    let blind = |line: Value| json!({"return": "r1", "location": "AMS1", "lines": [line]});
    let shop = || given_a_shop();
    shop().when("returns.receive", blind(json!({"line": 1, "quantity": 1}))).refused("unknown_return");
    shop()
        .when("returns.receive", blind(json!({"quantity": 1})))
        .refused_with(json!({"code": "item_not_named", "line": 1}));
    shop().when("returns.receive", blind(json!({"sku": "WRAP", "quantity": 1}))).refused("item_not_stocked");
    shop().when("returns.receive", blind(json!({"sku": "NOPE", "quantity": 1}))).refused("unknown_item");
    shop().when("returns.receive", json!({"location": "AMS1", "lines": []})).refused("no_lines");
    shop().when("returns.receive", json!({"location": "NOPE", "lines": []})).refused("unknown_location");
    let many = vec![json!({"sku": "TEA-01", "quantity": 1, "unit_cost": "4"}); 1_001];
    shop()
        .when("returns.receive", json!({"return": "r1", "location": "AMS1", "lines": many}))
        .refused_with(json!({"code": "document_too_large", "lines": 1_001, "lines_max": 1_000}));
    let mut of_nobody = blind(json!({"sku": "TEA-01", "quantity": 1}));
    of_nobody["customer"] = json!("C9");
    shop().when("returns.receive", of_nobody).refused("unknown_customer");
    let known = json!({"sku": "TEA-01", "quantity": 1, "unit_cost": "4"});
    shop()
        .and("returns.receive", blind(known.clone()))
        .when("returns.receive", blind(known))
        .refused_with(json!({"code": "return_exists", "return": "r1"}));
    let most = json!({"sku": "TEA-01", "quantity": 1_000_000_000_000i64, "unit_cost": "0"});
    let mut twice = blind(most.clone());
    twice["lines"] = json!([most.clone(), most]);
    shop().when("returns.receive", twice).refused("quantity_out_of_range");
}

#[test]
fn a_blind_return_may_say_which_order_it_is_of() {
    let mut blind = receive(json!({"sku": "TEA-01", "quantity": 1}));
    blind["order"] = json!("o1");
    given_a_shipped_order("b2b", 3)
        .when("returns.receive", blind)
        .then(json!([{"type": "returns.received", "return": "r1", "blind": true, "location": "AMS1", "order": "o1",
            "channel": "b2b", "lines": [{"line": 1, "sku": "TEA-01", "quantity": 1,
                "cost": [{"quantity": 1, "value": "4.00", "received_at": "2026-01-01T00:00:00Z"}],
                "cost_source": "last_cost"}]}]))
        .order("o1", |order| assert_eq!(order.lines[0].returned().units(), 0));
}
