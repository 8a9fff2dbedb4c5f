//! Valuation vectors that other systems publish or got wrong, numbered as in the book of finance.

use crate::books::Account;
use crate::scenario::{Scenario, given_a_shop};
use serde_json::{Value, json};

fn receive(sku: &str, quantity: u64, unit_cost: &str) -> (&'static str, Value) {
    ("stock.receive", json!({"sku": sku, "location": "AMS1", "quantity": quantity, "unit_cost": unit_cost}))
}

fn issue(sku: &str, quantity: u64) -> (&'static str, Value) {
    ("stock.write_off", json!({"sku": sku, "location": "AMS1", "quantity": quantity, "reason": "vector"}))
}

/// Each step with the value of inventory after it.
fn values_after<const N: usize>(steps: [((&'static str, Value), &str); N]) -> Scenario {
    steps.into_iter().fold(given_a_shop(), |shop, ((name, body), value)| {
        shop.days_later(1).and(name, body).balance(Account::Inventory, value)
    })
}

#[test]
fn vector_1_by_fifo_the_oldest_leave_first() {
    values_after([
        (receive("TEA-01", 8, "10"), "80.00"),
        (receive("TEA-01", 4, "16"), "144.00"),
        (issue("TEA-01", 10), "32.00"),
        (receive("TEA-01", 2, "6"), "44.00"),
    ]);
}

#[test]
fn vector_1_by_average_every_unit_costs_the_same() {
    values_after([
        (receive("AVG-01", 8, "10"), "80.00"),
        (receive("AVG-01", 4, "16"), "144.00"),
        (issue("AVG-01", 10), "24.00"),
        (receive("AVG-01", 2, "6"), "36.00"),
    ]);
}

#[test]
fn vector_2_a_stock_of_zero_is_worth_exactly_zero() {
    values_after([
        (receive("AVG-01", 2, "1.00"), "2.00"),
        (receive("AVG-01", 1, "1.01"), "3.01"),
        (issue("AVG-01", 3), "0.00"),
    ]);
}

#[test]
fn vector_2_one_unit_at_a_time_the_last_takes_the_remainder() {
    values_after([
        (receive("AVG-01", 2, "1.00"), "2.00"),
        (receive("AVG-01", 1, "1.01"), "3.01"),
        (issue("AVG-01", 1), "2.01"),
        (issue("AVG-01", 1), "1.00"),
        (issue("AVG-01", 1), "0.00"),
    ]);
}
