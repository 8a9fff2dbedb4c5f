//! The returns desk: what comes back, in which condition, what is done with it, and what is paid back.

use ledger_core::values::{OrderId, Text};
use serde_json::{Value, json};

use super::retailer::Retailer;

/// Grade and what is done with goods of that grade.
const FATES: [(&str, &str); 6] = [
    ("a", "restock"),
    ("a", "restock"),
    ("b", "refurbish"),
    ("c", "quarantine"),
    ("d", "write_off"),
    ("d", "return_to_supplier"),
];

/// Some of what arrived some days ago comes back; now and then a parcel that nobody announced.
pub(super) fn desk(retailer: &mut Retailer, day: u32) {
    let old_enough: Vec<_> =
        retailer.arrived.iter().filter(|(_, arrived)| arrived + 3 <= day).cloned().collect();
    retailer.arrived.retain(|(_, arrived)| arrived + 3 > day);
    for (order, _) in old_enough {
        if retailer.chance(12) {
            take_back(retailer, &order);
        }
    }
    if day % 6 == 5 {
        take_in_unannounced(retailer);
    }
}

fn take_back(retailer: &mut Retailer, order: &str) {
    let Some(line) = OrderId::try_new(order).ok().and_then(|id| {
        let order = retailer.ledger.orders().find(&id)?;
        order.lines.iter().find(|line| line.delivered().is_positive()).map(|line| line.number)
    }) else {
        return;
    };
    retailer.returns_opened += 1;
    let id = format!("RMA-{:04}", retailer.returns_opened);
    let lines = json!([{"line": line, "quantity": 1}]);
    let reason = ["not_as_described", "arrived_late", "damaged_in_transit", "no_longer_wanted"];
    let body =
        json!({"return": id, "order": order, "lines": lines, "reason": reason[retailer.dice.usize(0..4)]});
    if retailer.act("returns.authorise", body).is_none() || retailer.chance(10) {
        return;
    }
    let received = json!({"return": id, "location": "AMS1", "lines": [{"line": 1, "quantity": 1}]});
    if retailer.act("returns.receive", received).is_none() || retailer.chance(10) {
        return;
    }
    inspect_and_dispose(retailer, &id);
    let refund = json!({"refund": format!("REF-{id}"), "return": id, "order": order, "lines": lines, "reason": "returned"});
    pay_back(retailer, &format!("REF-{id}"), refund);
}

fn take_in_unannounced(retailer: &mut Retailer) {
    retailer.returns_opened += 1;
    let id = format!("RMA-{:04}", retailer.returns_opened);
    let sku = super::catalogue::ware(retailer.dice.usize(0..super::catalogue::ITEMS)).sku;
    let line = json!({"sku": sku, "quantity": 1, "unit_cost": "8.00"});
    let body = json!({"return": id, "location": "BER1", "lines": [line], "country": "DE", "note": "no slip in the parcel"});
    if retailer.act("returns.receive", body).is_some() {
        inspect_and_dispose(retailer, &id);
        let refund = json!({
            "refund": format!("REF-{id}"), "channel": "web", "country": "DE", "reason": "goodwill",
            "lines": [{"sku": sku, "quantity": 1, "amount": "9.90"}]
        });
        pay_back(retailer, &format!("REF-{id}"), refund);
    }
}

fn inspect_and_dispose(retailer: &mut Retailer, id: &str) {
    let (grade, outcome) = FATES[retailer.dice.usize(0..FATES.len())];
    let inspected = json!({"return": id, "lines": [{"line": 1, "quantity": 1, "grade": grade}]});
    retailer.act("returns.inspect", inspected);
    let disposed =
        json!({"return": id, "lines": [{"line": 1, "quantity": 1, "grade": grade, "outcome": outcome}]});
    retailer.act("returns.disposition", disposed);
}

fn pay_back(retailer: &mut Retailer, refund: &str, body: Value) {
    let Some(events) = retailer.act("returns.refund", body) else { return };
    let claim = events.iter().find_map(|event| serde_json::to_value(event).ok()?.get("claim").cloned());
    if let Some(claim) = claim.filter(|claim| claim != "0.00") {
        let body =
            json!({"payment": format!("PAY-{refund}"), "refund": refund, "amount": claim, "method": "card"});
        retailer.act("payments.refund", body);
    }
}
