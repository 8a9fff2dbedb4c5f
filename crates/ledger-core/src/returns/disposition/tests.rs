//! Examples of what becomes of goods that came back.

use crate::books::{Account, Status};
use crate::returns::ReturnStage;
use crate::scenario::{Scenario, given_a_shipped_order};
use crate::values::{ReturnId, Text};
use serde_json::{Value, json};

/// All five units of an order came back: three as new, two defective.
fn inspected() -> Scenario {
    given_a_shipped_order("b2b", 5)
        .and(
            "returns.authorise",
            json!({"return": "r1", "order": "o1", "lines": [{"line": 1, "quantity": 5}],
            "reason": "too_small"}),
        )
        .and(
            "returns.receive",
            json!({"return": "r1", "location": "AMS1", "lines": [{"line": 1, "quantity": 5}]}),
        )
        .and(
            "returns.inspect",
            json!({"return": "r1", "lines": [{"line": 1, "quantity": 3, "grade": "a"},
            {"line": 1, "quantity": 2, "grade": "d"}]}),
        )
}

fn disposition(quantity: i64, grade: &str, outcome: &str) -> Value {
    json!({"return": "r1", "lines": [{"line": 1, "quantity": quantity, "grade": grade, "outcome": outcome}]})
}

fn stage(scenario: &Scenario) -> ReturnStage {
    scenario.ledger.returns().find(&ReturnId::try_new("r1").unwrap()).unwrap().stage()
}

#[test]
fn restocked_goods_may_be_sold_again() {
    inspected()
        .when("returns.disposition", disposition(3, "a", "restock"))
        .then(json!([{"type": "returns.dispositioned", "return": "r1", "line": 1, "order": "o1", "channel": "b2b",
            "sku": "TEA-01", "location": "AMS1", "quantity": 3, "grade": "a", "outcome": "restock",
            "cost": [{"quantity": 3, "value": "12.00", "received_at": "2026-01-01T00:00:00Z"}]}]))
        .units("TEA-01", "AMS1", Status::Available, 3)
        .units("TEA-01", "AMS1", Status::Inspection, 2)
        .balance(Account::Inventory, "20.00");
}

#[test]
fn quarantined_and_refurbished_goods_stay_ours_at_their_cost() {
    inspected()
        .and("returns.disposition", disposition(2, "d", "quarantine"))
        .units("TEA-01", "AMS1", Status::Quarantined, 2)
        .and("returns.disposition", disposition(3, "a", "refurbish"))
        .units("TEA-01", "AMS1", Status::Refurbishing, 3)
        .units("TEA-01", "AMS1", Status::Inspection, 0)
        .balance(Account::Inventory, "20.00")
        .balance(Account::CostOfGoodsSold, "0.00");
}

#[test]
fn written_off_goods_are_a_loss_and_goods_back_at_the_supplier_a_claim() {
    inspected()
        .and("returns.disposition", disposition(2, "d", "write_off"))
        .balance(Account::WriteOffs, "8.00")
        .and("returns.disposition", disposition(3, "a", "return_to_supplier"))
        .balance(Account::SupplierClaims, "12.00")
        .balance(Account::Inventory, "0.00")
        .units("TEA-01", "AMS1", Status::Inspection, 0);
}

#[test]
fn several_ways_in_one_command_are_a_fact_each_and_all_or_none() {
    let both = json!({"return": "r1", "lines": [
        {"line": 1, "quantity": 1, "grade": "a", "outcome": "restock"},
        {"line": 1, "quantity": 1, "grade": "a", "outcome": "write_off"}]});
    inspected()
        .when("returns.disposition", both)
        .then_types(&["returns.dispositioned", "returns.dispositioned"])
        .balance(Account::WriteOffs, "4.00");
    let too_many = json!({"return": "r1", "lines": [
        {"line": 1, "quantity": 2, "grade": "a", "outcome": "restock"},
        {"line": 1, "quantity": 2, "grade": "a", "outcome": "restock"}]});
    inspected()
        .when("returns.disposition", too_many)
        .refused_with(json!({"code": "more_than_inspected", "return": "r1", "line": 1, "grade": "a",
            "undecided": 1, "wanted": 2}))
        .units("TEA-01", "AMS1", Status::Available, 0);
}

#[test]
fn a_return_is_closed_when_all_of_it_found_its_way() {
    let inspected = inspected();
    assert_eq!(stage(&inspected), ReturnStage::Inspected);
    let partly = inspected.and("returns.disposition", disposition(3, "a", "restock"));
    assert_eq!(stage(&partly), ReturnStage::Inspected);
    assert_eq!(
        stage(&partly.and("returns.disposition", disposition(2, "d", "write_off"))),
        ReturnStage::Closed
    );
}

#[test]
fn only_what_was_found_in_that_condition_finds_a_way_and_is_still_there() {
    inspected()
        .when("returns.disposition", disposition(1, "b", "restock"))
        .refused("more_than_inspected")
        .when("returns.disposition", json!({"return": "r9", "lines": []}))
        .refused("unknown_return")
        .when("returns.disposition", json!({"return": "r1", "lines": []}))
        .refused("no_lines")
        .when(
            "returns.disposition",
            json!({"return": "r1",
            "lines": [{"line": 2, "quantity": 1, "grade": "a", "outcome": "restock"}]}),
        )
        .refused("unknown_return_line")
        .and(
            "stock.write_off",
            json!({"sku": "TEA-01", "location": "AMS1", "status": "inspection",
            "quantity": 4, "reason": "fire"}),
        )
        .when("returns.disposition", disposition(2, "a", "restock"))
        .refused("not_enough_in_status");
}
