//! Properties: whatever is ordered, received, held, cancelled and paid in whatever order, the books agree.
//!
//! Every step of a scenario already checks that replay folds to the same ledger, that a refusal leaves no trace, and
//! every tie-out: units, claims, line buckets, postings.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::captured;
use crate::channels::Settlement;
use crate::kinds::Event;
use crate::ledger::Ledger;
use crate::orders::{self, OrderState};
use crate::scenario::{Scenario, given_a_shop};
use crate::values::{Amount, Text};

fn a_step() -> impl Strategy<Value = (&'static str, Value)> {
    let sku = prop_oneof![Just("TEA-01"), Just("AVG-01")];
    let location = prop_oneof![Just("AMS1"), Just("BER1")];
    let channel = prop_oneof![Just("web"), Just("strict"), Just("b2b"), Just("whole")];
    let order = || (1..=4u8).prop_map(|number| format!("o{number}"));
    let line = (sku.clone(), 1..4i64, 0..400i64, 0..100i64).prop_map(|(sku, quantity, cents, discount)| {
        let price = format!("{}.{:02}5", cents / 100, cents % 100);
        let discount = format!("0.{:02}", discount.min(quantity * cents).min(99));
        json!({"sku": sku, "quantity": quantity, "price": price, "discount": discount,
            "taxes": [{"jurisdiction": "NL", "amount": format!("0.{:02}", cents % 100)}]})
    });
    let charge = (0..500i64).prop_map(
        |cents| json!({"kind": "shipping", "amount": format!("{}.{:02}", cents / 100, cents % 100)}),
    );
    let lines = proptest::collection::vec(line, 0..4);
    let charges = proptest::collection::vec(charge, 0..2);
    prop_oneof![
        2 => (sku, location, 1..6i64).prop_map(|(sku, location, quantity)| {
            ("stock.receive", json!({"sku": sku, "location": location, "quantity": quantity, "unit_cost": "1.37"}))
        }),
        3 => (order(), channel, lines, charges).prop_map(|(order, channel, lines, charges)| {
            ("orders.place", json!({"order": order, "channel": channel, "lines": lines, "charges": charges}))
        }),
        1 => order().prop_map(|order| ("orders.hold", json!({"order": order, "reason": "fraud"}))),
        1 => order().prop_map(|order| ("orders.clear_hold", json!({"order": order, "reason": "fraud"}))),
        1 => order().prop_map(|order| ("orders.release", json!({"order": order}))),
        2 => order().prop_map(|order| ("orders.allocate", json!({"order": order}))),
        1 => order().prop_map(|order| ("orders.cancel", json!({"order": order, "reason": "test"}))),
        2 => (order(), 1..4u16, 1..3i64).prop_map(|(order, line, quantity)| {
            ("orders.cancel", json!({"order": order, "lines": [{"line": line, "quantity": quantity}], "reason": "test"}))
        }),
        2 => (order(), 1..900i64).prop_map(|(order, cents)| {
            ("payments.capture", json!({"order": order, "amount": format!("{}.{:02}", cents / 100, cents % 100)}))
        }),
        2 => order().prop_map(|order| ("payments.capture", json!({"order": order, "amount": "left"}))),
    ]
}

/// The step as a command: a payment of all that is left knows how much that is, and every payment has its own id.
fn command_of(shop: &Scenario, number: usize, name: &str, mut body: Value) -> Option<Value> {
    if name == "payments.capture" {
        body["payment"] = json!(format!("p{number}"));
    }
    if body["amount"] == "left" {
        let order = shop.ledger.orders().iter().find(|(_, id, _)| body["order"] == id.as_str());
        let left = orders::outstanding(&shop.ledger, order?.0);
        if !left.is_positive() {
            return None;
        }
        body["amount"] = json!(left);
    }
    Some(body)
}

fn orders_agree(ledger: &Ledger) {
    for (row, id, order) in ledger.orders().iter() {
        let left = orders::outstanding(ledger, row);
        assert_eq!(
            left,
            order.payable() - captured(ledger, row),
            "{id}: what is left is what was not captured"
        );
        let prepaid = ledger.channels().get(order.channel).settlement == Settlement::Prepaid;
        if prepaid && order.state == OrderState::Released {
            assert!(!left.is_positive(), "{id} is released with {left} to pay");
        }
        let promised = order.lines.iter().all(|line| line.open().is_zero());
        assert!(promised, "{id}: every unit is reserved, waits for stock, or is cancelled");
        let kept: Amount = order.lines.iter().map(orders::OrderLine::payable).sum();
        assert!(!kept.is_negative() && kept <= order.total(), "{id}: the part that is kept is a part");
        let over = matches!(order.state, OrderState::Cancelled | OrderState::Completed);
        assert!(!over || (order.before_shipped().is_zero() && order.holds.is_empty()), "{id} is over");
        let waits = order.state == OrderState::Captured && order.holds.is_empty();
        assert!(!waits || !prepaid || !left.is_positive(), "{id} is neither held nor paid");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn orders_stock_and_money_agree_whatever_happens(steps in proptest::collection::vec(a_step(), 1..40)) {
        let mut shop = given_a_shop().and("channels.define", json!({"channel": "whole", "name": "Whole", "kind": "web",
            "settlement": "prepaid", "oversell": "backorder", "partial_shipment": "denied",
            "locations": ["BER1", "AMS1"]}));
        for (number, (name, body)) in steps.into_iter().enumerate() {
            let Some(body) = command_of(&shop, number, name, body) else { continue };
            shop = shop.when(name, body);
            orders_agree(&shop.ledger);
        }
        let promised = shop.log.iter().flat_map(|(_, entry)| entry.events());
        let placed = promised.filter(|event| matches!(event, Event::OrdersPlaced(_))).count();
        prop_assert_eq!(placed, shop.ledger.orders().iter().count());
    }
}
