//! The day before: what the retailer trades in, where, with whom, and what is on the shelves.

use serde_json::json;

use super::catalogue::{COUNTRIES, ITEMS, LOCATIONS, OUTLETS, euros, ware};
use super::retailer::Retailer;

/// Customers with a number; the store's and the marketplaces' have none.
pub(super) const CUSTOMERS: u32 = 240;

/// Locations, channels, customers, items.
pub(super) fn define(retailer: &mut Retailer) {
    for (location, name, kind, region) in LOCATIONS {
        let body = json!({"location": location, "name": name, "kind": kind, "region": region});
        retailer.act("locations.define", body);
    }
    for outlet in &OUTLETS {
        let body = json!({
            "channel": outlet.id, "name": outlet.name, "kind": outlet.kind, "settlement": outlet.settlement,
            "oversell": outlet.oversell, "partial_shipment": outlet.partial_shipment, "locations": outlet.locations
        });
        retailer.act("channels.define", body);
    }
    for number in 1..=CUSTOMERS {
        let country = COUNTRIES[retailer.dice.usize(0..COUNTRIES.len())];
        let class = if number % 8 == 0 { "business" } else { "consumer" };
        retailer.act(
            "customers.define",
            json!({"customer": customer(number), "class": class, "country": country}),
        );
    }
    for number in 0..ITEMS {
        let ware = ware(number);
        retailer.act("items.define", ware.definition);
        retailer.act("items.activate", json!({"sku": ware.sku}));
    }
}

/// Stock that was there before the ledger was.
pub(super) fn open_stock(retailer: &mut Retailer) {
    for number in 0..ITEMS {
        let ware = ware(number);
        for (location, _, kind, _) in LOCATIONS {
            if kind == "store" && number % 3 != 0 || kind != "store" && retailer.chance(35) {
                continue;
            }
            let quantity = if kind == "store" { retailer.dice.u32(1..6) } else { retailer.dice.u32(2..26) };
            let unit_cost = euros(ware.cost_cents);
            let body =
                json!({"sku": ware.sku, "location": location, "quantity": quantity, "unit_cost": unit_cost});
            retailer.act("stock.open", body);
        }
    }
}

/// The id of the customer under a number from 1.
pub(super) fn customer(number: u32) -> String {
    format!("CUST-{number:04}")
}
