//! The shop that every seed begins with, itself defined by commands: items, locations, channels, some stock.

use fastrand::Rng;
use serde_json::json;

use super::{Named, policy};

/// Items that are kept in stock. The last one goes out of trade now and then.
pub(crate) const SKUS: [&str; 5] = ["TEA-01", "TEA-02", "MUG-01", "POT-01", "TIN-01"];
pub(crate) const LOCATIONS: [&str; 3] = ["AMS1", "BER1", "CDG1"];
pub(crate) const CHANNELS: [&str; 4] = ["web", "strict", "b2b", "desk"];

/// The commands that set the shop up, in an order in which they are accepted.
pub(crate) fn set_up(rng: &mut Rng) -> Vec<Named> {
    let mut commands: Vec<Named> = Vec::new();
    for location in LOCATIONS {
        let body = json!({"location": location, "name": location, "kind": "warehouse"});
        commands.push(("locations.define", body));
    }
    for (at, sku) in SKUS.into_iter().enumerate() {
        let costing = if at % 2 == 0 { "fifo" } else { "moving_average" };
        let mut body = json!({"sku": sku, "name": sku, "costing": costing});
        if at == 1 {
            body["return_window_days"] = rng.u16(0..3).into();
        }
        commands.push(("items.define", body));
        commands.push(("items.activate", json!({"sku": sku})));
    }
    commands.push(("items.define", json!({"sku": "WRAP", "name": "Gift wrap", "kind": "service"})));
    commands.push(("items.activate", json!({"sku": "WRAP"})));
    commands.push(("items.define", json!({"sku": "DRAFT", "name": "Not yet"})));
    commands.push(("customers.define", json!({"customer": "C1", "country": "NL"})));
    for (channel, settlement, oversell, partial_shipment) in [
        ("web", "prepaid", "backorder", "allowed"),
        ("strict", "prepaid", "refuse", "denied"),
        ("b2b", "on_account", "refuse", "allowed"),
        ("desk", "on_account", "backorder", "denied"),
    ] {
        let from = if channel == "desk" { &LOCATIONS[1..] } else { &LOCATIONS[..] };
        let body = json!({"channel": channel, "name": channel, "kind": "web", "settlement": settlement,
            "oversell": oversell, "partial_shipment": partial_shipment, "locations": from});
        commands.push(("channels.define", body));
    }
    for _ in 0..rng.usize(..8) {
        commands.push(policy(rng));
    }
    for sku in SKUS {
        let location = LOCATIONS[rng.usize(..LOCATIONS.len())];
        let body =
            json!({"sku": sku, "location": location, "quantity": rng.i64(3..40), "unit_cost": "3.333"});
        commands.push(("stock.receive", body));
    }
    commands
}
