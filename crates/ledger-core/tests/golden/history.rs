//! The script that golden files are written from: every command and event there is, with its optional fields given in
//! one place and absent in another. Steps are only ever added.

use serde_json::{Value, json};

/// When it was true, the command's name, its body.
pub(crate) type Step = (Option<&'static str>, &'static str, Value);

/// Entry by entry; an entry of several commands is an atomic batch.
pub(crate) fn script() -> Vec<Vec<Step>> {
    [ledger_and_master_data(), stock(), orders(), fulfilment(), returns(), finance(), control(), due()]
        .concat()
}

/// No command: time passes.
pub(crate) const A_DAY_PASSES: &str = "a day passes";

fn now(name: &'static str, body: Value) -> Vec<Step> {
    vec![(None, name, body)]
}

fn then(at: &'static str, name: &'static str, body: Value) -> Vec<Step> {
    vec![(Some(at), name, body)]
}

fn ledger_and_master_data() -> Vec<Vec<Step>> {
    let channel = |id: &str, kind: &str, settlement: &str, oversell: &str, partial_shipment: &str| {
        json!({"channel": id, "name": id, "kind": kind, "settlement": settlement, "oversell": oversell,
            "partial_shipment": partial_shipment, "locations": ["AMS1", "BER 1 "]})
    };
    vec![
        now(
            "ledger.create",
            json!({"settings": {"name": "main", "currency": "GBP",
            "opening_date": "2025-01-01T00:00:00Z", "remember_days": 7, "remember_commands_max": 10_000_000}}),
        ),
        now("ledger.start_epoch", json!({"writer": "bincard 0.1.0"})),
        now("items.define", json!({"sku": "85123A", "name": "WHITE HANGING HEART T-LIGHT HOLDER"})),
        now(
            "items.define",
            json!({"sku": "85123a ", "name": "Lichthalter, weiß", "category": "Deko",
            "kind": "stocked", "costing": "moving_average", "return_window_days": 30}),
        ),
        now("items.define", json!({"sku": "WRAP", "name": "Gift wrap", "kind": "service"})),
        now("items.define", json!({"sku": "OLD", "name": "Out of fashion"})),
        vec![
            (None, "items.activate", json!({"sku": "85123A"})),
            (None, "items.activate", json!({"sku": "85123a "})),
            (None, "items.activate", json!({"sku": "OLD"})),
        ],
        now("items.retire", json!({"sku": "OLD"})),
        now(
            "locations.define",
            json!({"location": "AMS1", "name": "Amsterdam", "kind": "warehouse", "region": "NL"}),
        ),
        now("locations.define", json!({"location": "BER 1 ", "name": "Berlin", "kind": "store"})),
        now("customers.define", json!({"customer": "17850", "class": "trade", "country": "United Kingdom"})),
        now("customers.define", json!({"customer": "C2"})),
        now("channels.define", channel("web", "web", "prepaid", "backorder", "allowed")),
        now("channels.define", channel("strict", "marketplace", "prepaid", "refuse", "denied")),
        now("channels.define", channel("b2b", "b2b", "on_account", "refuse", "allowed")),
    ]
}

fn stock() -> Vec<Vec<Step>> {
    let at = |sku: &str, fields: Value| with(json!({"sku": sku, "location": "AMS1"}), fields);
    vec![
        then(
            "2025-12-31T22:00:00Z",
            "stock.open",
            at("85123A", json!({"quantity": 20, "unit_cost": "1.53"})),
        ),
        now(
            "stock.open",
            at("85123a ", json!({"quantity": 7, "unit_cost": "0.333333", "status": "inspection"})),
        ),
        now(
            "stock.receive",
            at(
                "85123A",
                json!({"quantity": 30, "unit_cost": 1.6, "supplier": "Lights & Co",
            "document": "DN-77"}),
            ),
        ),
        then(
            "2026-01-02T10:00:00.123456Z",
            "stock.receive",
            at("85123a ", json!({"quantity": 12, "unit_cost": "0.5"})),
        ),
        now("stock.adjust", at("85123A", json!({"change": -3, "reason": "count"}))),
        now("stock.adjust", at("85123A", json!({"change": 2, "reason": "count", "note": "behind the rack"}))),
        now(
            "stock.adjust",
            with(
                json!({"sku": "85123a ", "location": "BER 1 "}),
                json!({"change": 4, "status": "damaged", "reason": "found", "unit_cost": "9"}),
            ),
        ),
        now(
            "stock.change_status",
            at(
                "85123A",
                json!({"from": "available", "to": "quarantined", "quantity": 4,
            "reason": "recall"}),
            ),
        ),
        now(
            "stock.change_status",
            at(
                "85123A",
                json!({"from": "quarantined", "to": "refurbishing", "quantity": 1,
            "reason": "repair", "note": "wobbly"}),
            ),
        ),
        now("stock.reserve", at("85123A", json!({"quantity": 2}))),
        now(
            "stock.reserve",
            at(
                "85123A",
                json!({"reservation": "cart-9", "quantity": 3, "holder": "visitor-7",
            "until": "2026-02-01T00:00:00Z"}),
            ),
        ),
        now("stock.unreserve", json!({"reservation": "cart-9", "quantity": 1})),
        now("stock.unreserve", json!({"reservation": "cart-9"})),
        now("stock.write_off", at("85123A", json!({"quantity": 1, "reason": "breakage"}))),
        now(
            "stock.write_off",
            at(
                "85123A",
                json!({"quantity": 2, "status": "quarantined", "reason": "recall",
            "note": "returned to nobody"}),
            ),
        ),
    ]
}

fn orders() -> Vec<Vec<Step>> {
    vec![
        // Paid in two parts, delivered, in two lines with discount and tax.
        now(
            "orders.place",
            json!({"order": "536365", "channel": "web", "customer": "17850",
            "destination": {"country": "United Kingdom", "region": "Kent", "postal_area": "ME10"},
            "ship_by": "2026-01-10T17:00:00Z", "deliver_by": "2026-01-12T17:00:00Z", "priority": 1,
            "lines": [
                {"sku": "85123A", "quantity": 6, "price": "2.55", "discount": "0.30",
                    "taxes": [{"jurisdiction": "GB", "amount": "3.00"}]},
                {"line": 7, "sku": "85123a ", "quantity": 20, "price": 0.995}],
            "charges": [
                {"kind": "shipping", "amount": "4.95", "description": "standard",
                    "taxes": [{"jurisdiction": "GB", "amount": "0.99"}]},
                {"charge": 3, "kind": "gift_wrap", "amount": "1"}]}),
        ),
        then(
            "2026-01-05T07:00:00Z",
            "payments.capture",
            json!({"payment": "pay-1", "order": "536365",
            "amount": "20.00", "method": "card"}),
        ),
        now(
            "orders.cancel",
            json!({"order": "536365", "lines": [{"line": 7, "quantity": 3}],
            "reason": "customer_request", "note": "too many"}),
        ),
        now(
            "stock.receive",
            json!({"sku": "85123a ", "location": "BER 1 ", "quantity": 1, "unit_cost": "0.7"}),
        ),
        now("orders.allocate", json!({"order": "536365"})),
        now("orders.hold", json!({"order": "536365", "reason": "fraud", "note": "new card"})),
        now("orders.hold", json!({"order": "536365", "reason": "address"})),
        now("orders.clear_hold", json!({"order": "536365", "reason": "fraud", "note": "called"})),
        now("orders.clear_hold", json!({"order": "536365", "reason": "address"})),
        now("payments.capture", json!({"order": "536365", "amount": "21.86"})),
        // Refused in part by its channel, cancelled as a whole.
        now(
            "orders.place",
            json!({"order": "R-1", "channel": "strict",
            "lines": [{"sku": "85123A", "quantity": 200, "price": "2.55"}]}),
        ),
        now("payments.capture", json!({"payment": "pay-2", "order": "R-1", "amount": "10"})),
        now("orders.cancel", json!({"order": "R-1", "reason": "customer_request"})),
        // Charges alone: invoiced and completed at once, on account.
        now("orders.place", json!({"channel": "b2b", "charges": [{"kind": "service", "amount": "12.50"}]})),
        // Free to go without being paid, and released by hand.
        now(
            "orders.place",
            json!({"order": "W-1", "channel": "web",
            "lines": [{"sku": "85123A", "quantity": 1, "price": "2.55"}]}),
        ),
        now("orders.clear_hold", json!({"order": "W-1", "reason": "payment"})),
        now("orders.release", json!({"order": "W-1"})),
        now(
            "orders.place",
            json!({"order": "B-1", "channel": "b2b", "customer": "C2",
            "destination": {"country": "EIRE"}, "lines": [{"sku": "85123A", "quantity": 3, "price": "2.1"}]}),
        ),
    ]
}

fn fulfilment() -> Vec<Vec<Step>> {
    vec![
        now(
            "fulfilment.plan",
            json!({"shipment": "S-1", "order": "536365", "location": "AMS1",
            "lines": [{"line": 1, "quantity": 6}, {"line": 7, "quantity": 4}]}),
        ),
        now("fulfilment.pick", json!({"shipment": "S-1"})),
        now("fulfilment.pack", json!({"shipment": "S-1"})),
        then(
            "2026-01-05T08:30:00Z",
            "fulfilment.ship",
            json!({"shipment": "S-1", "carrier": "Royal Mail",
            "tracking": "GB123", "freight": "3.10"}),
        ),
        now("fulfilment.deliver", json!({"shipment": "S-1"})),
        // Short in both ways: what is missing is found elsewhere, or waits.
        now("fulfilment.plan", json!({"shipment": "S-2", "order": "536365"})),
        now(
            "fulfilment.pick",
            json!({"shipment": "S-2", "lines": [{"line": 7, "quantity": 2, "short": "adjust"}]}),
        ),
        now("fulfilment.pack", json!({"shipment": "S-2"})),
        now("fulfilment.ship", json!({"shipment": "S-2"})),
        now("fulfilment.plan", json!({"order": "B-1", "lines": [{"line": 1, "quantity": 1}]})),
        now("fulfilment.plan", json!({"shipment": "S-3", "order": "B-1"})),
        now(
            "fulfilment.pick",
            json!({"shipment": "S-3", "lines": [{"line": 1, "quantity": 1,
            "short": "quarantine"}]}),
        ),
        now("fulfilment.pack", json!({"shipment": "S-3"})),
        now("fulfilment.ship", json!({"shipment": "S-3", "freight": "7"})),
        now("payments.capture", json!({"payment": "pay-3", "order": "B-1", "amount": "1.00"})),
    ]
}

fn returns() -> Vec<Vec<Step>> {
    let lines = |body: Value, lines: Value| with(body, json!({"lines": lines}));
    vec![
        now(
            "returns.authorise",
            json!({"return": "RMA-1", "order": "536365", "reason": "unwanted", "note": "gift",
            "lines": [{"line": 1, "quantity": 4}, {"line": 7, "quantity": 2}], "expires_at": "2026-02-05T00:00:00Z"}),
        ),
        now(
            "returns.authorise",
            json!({"order": "536365", "reason": "wrong_item",
            "lines": [{"line": 1, "quantity": 1}]}),
        ),
        then(
            "2026-01-05T08:45:00Z",
            "returns.receive",
            lines(
                json!({"return": "RMA-1", "location": "AMS1",
            "note": "box torn"}),
                json!([{"line": 1, "quantity": 4}, {"line": 2, "quantity": 1}]),
            ),
        ),
        now(
            "returns.receive",
            lines(
                json!({"location": "BER 1 ", "order": "536365", "customer": "17850",
            "country": "EIRE"}),
                json!([{"sku": "85123A", "quantity": 2},
            {"sku": "85123a ", "quantity": 1, "unit_cost": "0.4"}]),
            ),
        ),
        now(
            "returns.receive",
            lines(json!({"return": "BLIND", "location": "AMS1"}), json!([{"sku": "85123A", "quantity": 1}])),
        ),
        now(
            "returns.inspect",
            lines(
                json!({"return": "RMA-1"}),
                json!([
            {"line": 1, "quantity": 1, "grade": "a"}, {"line": 1, "quantity": 1, "grade": "b"},
            {"line": 1, "quantity": 2, "grade": "c"}, {"line": 2, "quantity": 1, "grade": "d"}]),
            ),
        ),
        now(
            "returns.disposition",
            lines(
                json!({"return": "RMA-1"}),
                json!([
            {"line": 1, "quantity": 1, "grade": "a", "outcome": "restock"},
            {"line": 1, "quantity": 1, "grade": "b", "outcome": "quarantine"},
            {"line": 1, "quantity": 1, "grade": "c", "outcome": "refurbish"},
            {"line": 1, "quantity": 1, "grade": "c", "outcome": "write_off"},
            {"line": 2, "quantity": 1, "grade": "d", "outcome": "return_to_supplier"}]),
            ),
        ),
        // Of the return, less a fee; of charges and an allowance; of what was never shipped; of an unpaid invoice.
        now(
            "returns.refund",
            lines(
                json!({"refund": "REF-1", "return": "RMA-1", "restocking_fee": "1.00",
            "reason": "unwanted", "note": "two of four"}),
                json!([{"line": 1, "quantity": 2}]),
            ),
        ),
        now(
            "returns.refund",
            json!({"order": "536365", "reason": "late", "lines": [{"line": 7, "amount": "0.50"}],
            "charges": [{"charge": 1, "amount": "2.97"}]}),
        ),
        now(
            "returns.refund",
            lines(
                json!({"refund": "REF-3", "order": "R-1", "reason": "not_shipped"}),
                json!([{"line": 1, "quantity": 1}]),
            ),
        ),
        now(
            "returns.refund",
            lines(
                json!({"refund": "REF-4", "order": "B-1", "reason": "damaged"}),
                json!([{"line": 1, "quantity": 1, "amount": "1.5"}]),
            ),
        ),
        now(
            "returns.refund",
            json!({"refund": "REF-5", "channel": "web", "customer": "17850",
            "country": "United Kingdom", "reason": "goodwill", "lines": [{"sku": "85123A", "quantity": 1,
            "amount": "2.55"}], "charges": [{"kind": "shipping", "amount": "1"}]}),
        ),
        now(
            "payments.refund",
            json!({"payment": "out-1", "refund": "REF-1", "amount": "3.00", "method": "card"}),
        ),
        now("payments.refund", json!({"refund": "REF-5", "amount": 3.55})),
    ]
}

fn finance() -> Vec<Vec<Step>> {
    vec![
        now(
            "finance.post_manual",
            json!({"lines": [{"account": "5810", "debit": "3.20"},
            {"account": "1000", "credit": "3.2"}], "reason": "bank_charge"}),
        ),
        now(
            "finance.post_manual",
            json!({"posting": "A563185", "lines": [
            {"account": "5800", "debit": 11062.06, "channel": "web", "country": "United Kingdom"},
            {"account": "1110", "credit": "11000", "item": "85123A"}, {"account": "1100", "credit": "62.06"}],
            "reason": "bad_debt", "note": "Adjust bad debt"}),
        ),
    ]
}

fn control() -> Vec<Vec<Step>> {
    vec![
        now("ledger.record_state_hash", json!({"at_sequence": 40, "format": 1, "root": "5a".repeat(32)})),
        now(
            "ledger.record_state_hash",
            json!({"at_sequence": 41, "format": 1, "root": "5b".repeat(32), "sections": [
                {"section": "head", "hash": "5c".repeat(32)}, {"section": "control", "hash": "5d".repeat(32)}]}),
        ),
        now("ledger.activate_rules", json!({"rules": 2})),
    ]
}

/// What falls due: holds by each action, a claim, a return.
fn due() -> Vec<Vec<Step>> {
    let order = |id: &str| {
        now(
            "orders.place",
            json!({"order": id, "channel": "b2b", "lines": [{"sku": "85123A", "quantity": 1, "price": "2"}]}),
        )
    };
    let hold = |order: &str, reason: &str| json!({"order": order, "reason": reason});
    vec![
        now("orders.set_hold_limit", json!({"reason": "fraud", "hours": 1, "action": "unreserve"})),
        now(
            "orders.set_hold_limit",
            json!({"reason": "tax", "channel": "b2b", "hours": 2, "action": "cancel"}),
        ),
        now("orders.set_hold_limit", json!({"reason": "value", "hours": 3, "action": "escalate"})),
        now(
            "orders.set_hold_limit",
            json!({"reason": "manual", "channel": "b2b", "hours": 0, "action": "cancel"}),
        ),
        now("stock.receive", json!({"sku": "85123A", "location": "AMS1", "quantity": 9, "unit_cost": "1.6"})),
        order("H-1"),
        order("H-2"),
        now("orders.hold", hold("H-1", "fraud")),
        now("orders.hold", hold("H-1", "value")),
        now("orders.hold", hold("H-2", "tax")),
        now(
            "stock.reserve",
            json!({"reservation": "cart-10", "sku": "85123A", "location": "AMS1", "quantity": 1,
                "until": "2026-01-06T00:00:00Z"}),
        ),
        now(
            "returns.authorise",
            json!({"return": "RMA-9", "order": "B-1", "reason": "unwanted", "expires_at": "2026-01-06T00:00:00Z",
                "lines": [{"line": 1, "quantity": 1}]}),
        ),
        now(A_DAY_PASSES, Value::Null),
        now("stock.expire_reservation", json!({"reservation": "cart-10"})),
        now("returns.expire", json!({"return": "RMA-9"})),
        now("orders.expire_hold", hold("H-1", "fraud")),
        now("orders.expire_hold", hold("H-1", "value")),
        now("orders.expire_hold", hold("H-2", "tax")),
        now("returns.set_window", json!({"days": 30})),
        now("returns.set_window", json!({"days": 0, "channel": "b2b"})),
        now(
            "orders.place",
            json!({"order": "A-1", "channel": "b2b", "charges": [{"kind": "service", "amount": "1"}]}),
        ),
        now("orders.close", json!({"order": "A-1"})),
        now("orders.set_archiving", json!({"after_days": 0})),
        now("orders.archive", json!({"order": "A-1"})),
        now("payments.capture", json!({"payment": "pay-9", "order": "A-1", "amount": "1"})),
        now(A_DAY_PASSES, Value::Null),
        now("orders.archive", json!({"order": "A-1"})),
        now("orders.set_archiving", json!({})),
    ]
}

fn with(mut body: Value, fields: Value) -> Value {
    if let (Value::Object(body), Value::Object(fields)) = (&mut body, fields) {
        body.extend(fields);
    }
    body
}
