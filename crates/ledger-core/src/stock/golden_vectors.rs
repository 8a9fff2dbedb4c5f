//! Valuation vectors that other systems publish or got wrong, numbered as in the book of finance.

use crate::books::Account;
use crate::scenario::{Scenario, given_a_shop};
use serde_json::json;

enum Step {
    /// Units at a unit cost.
    Receive(u64, &'static str),
    /// Units that are ordered, picked, packed and shipped.
    Deliver(u64),
}
use Step::{Deliver, Receive};

/// Takes an item through the steps, each with the value of inventory after it.
fn values_after(sku: &str, steps: &[(Step, &str)]) -> Scenario {
    steps.iter().zip(1..).fold(given_a_shop(), |shop, ((step, value), number)| {
        let shop = shop.days_later(1);
        let shop = match step {
            Receive(quantity, unit_cost) => shop.and(
                "stock.receive",
                json!({"sku": sku, "location": "AMS1", "quantity": quantity, "unit_cost": unit_cost}),
            ),
            Deliver(quantity) => deliver(shop, sku, *quantity, number),
        };
        shop.balance(Account::Inventory, value)
    })
}

fn deliver(shop: Scenario, sku: &str, quantity: u64, number: u32) -> Scenario {
    let (order, shipment) = (format!("o{number}"), format!("s{number}"));
    let lines = json!([{"sku": sku, "quantity": quantity, "price": "20"}]);
    shop.and("orders.place", json!({"order": order, "channel": "b2b", "lines": lines}))
        .and("fulfilment.plan", json!({"shipment": shipment, "order": order}))
        .and("fulfilment.pick", json!({"shipment": shipment}))
        .and("fulfilment.pack", json!({"shipment": shipment}))
        .and("fulfilment.ship", json!({"shipment": shipment}))
}

#[test]
fn vector_1_by_fifo_the_oldest_leave_first() {
    let steps = [
        (Receive(8, "10"), "80.00"),
        (Receive(4, "16"), "144.00"),
        (Deliver(10), "32.00"),
        (Receive(2, "6"), "44.00"),
    ];
    values_after("TEA-01", &steps).balance(Account::CostOfGoodsSold, "112.00");
}

#[test]
fn vector_1_by_average_every_unit_costs_the_same() {
    let steps = [
        (Receive(8, "10"), "80.00"),
        (Receive(4, "16"), "144.00"),
        (Deliver(10), "24.00"),
        (Receive(2, "6"), "36.00"),
    ];
    values_after("AVG-01", &steps).balance(Account::CostOfGoodsSold, "120.00");
}

#[test]
fn vector_2_a_stock_of_zero_is_worth_exactly_zero() {
    let steps = [(Receive(2, "1.00"), "2.00"), (Receive(1, "1.01"), "3.01"), (Deliver(3), "0.00")];
    values_after("AVG-01", &steps).balance(Account::CostOfGoodsSold, "3.01");
}

#[test]
fn vector_2_one_unit_at_a_time_the_last_takes_the_remainder() {
    let steps = [
        (Receive(2, "1.00"), "2.00"),
        (Receive(1, "1.01"), "3.01"),
        (Deliver(1), "2.01"),
        (Deliver(1), "1.00"),
        (Deliver(1), "0.00"),
    ];
    values_after("AVG-01", &steps);
}
