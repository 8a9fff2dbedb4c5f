//! What the demo's retailer trades in, where, and through which channels.

use serde_json::{Value, json};

/// How many items it trades in.
pub(super) const ITEMS: usize = 400;

const ADJECTIVES: [&str; 20] = [
    "Oak", "Linen", "Ceramic", "Brass", "Bamboo", "Copper", "Wool", "Glass", "Cotton", "Slate", "Cork",
    "Enamel", "Walnut", "Steel", "Marble", "Rattan", "Felt", "Leather", "Clay", "Paper",
];

const NOUNS: [(&str, &str, u32); 20] = [
    ("Tea Cup", "kitchen", 900),
    ("Lantern", "lighting", 2450),
    ("Cushion", "living", 1990),
    ("Bread Board", "kitchen", 2900),
    ("Vase", "living", 3450),
    ("Candle Holder", "lighting", 1250),
    ("Storage Basket", "storage", 2750),
    ("Wall Hook", "hall", 790),
    ("Coaster Set", "kitchen", 1190),
    ("Photo Frame", "living", 1490),
    ("Plant Pot", "garden", 1890),
    ("Bird Feeder", "garden", 2190),
    ("Door Mat", "hall", 2390),
    ("Tray", "kitchen", 1790),
    ("Desk Lamp", "lighting", 5900),
    ("Throw", "living", 4900),
    ("Clock", "hall", 3900),
    ("Notebook", "desk", 690),
    ("Pen Stand", "desk", 1090),
    ("Watering Can", "garden", 2690),
];

/// The five places: three warehouses, a store, a 3PL.
pub(super) const LOCATIONS: [(&str, &str, &str, &str); 5] = [
    ("AMS1", "Amsterdam warehouse", "warehouse", "NL"),
    ("BER1", "Berlin warehouse", "warehouse", "DE"),
    ("LYO1", "Lyon warehouse", "warehouse", "FR"),
    ("UTR-SHOP", "Utrecht store", "store", "NL"),
    ("WAW-3PL", "Warsaw fulfilment partner", "third_party", "PL"),
];

/// Where orders go.
pub(super) const COUNTRIES: [&str; 6] = ["NL", "DE", "FR", "BE", "AT", "PL"];

/// An item: its SKU, its definition, its price and its unit cost in cents.
pub(super) struct Ware {
    pub(super) sku: String,
    pub(super) definition: Value,
    pub(super) price_cents: u32,
    pub(super) cost_cents: u32,
}

/// The item under a number below [`ITEMS`].
pub(super) fn ware(number: usize) -> Ware {
    let (adjective, (noun, category, price)) = (ADJECTIVES[number % 20], NOUNS[number / 20 % 20]);
    let spread = u32::try_from(number % 20).unwrap_or(0) * 35;
    let price_cents = price + spread;
    let sku = format!("{}-{:03}", category[..3].to_uppercase(), number + 1);
    let costing = if number.is_multiple_of(7) { "moving_average" } else { "fifo" };
    let definition = json!({
        "sku": sku, "name": format!("{adjective} {noun}"), "category": category, "costing": costing,
        "return_window_days": 30
    });
    Ware { sku, definition, price_cents, cost_cents: price_cents * 42 / 100 }
}

/// A channel: who is sold to, and how often of a hundred orders.
pub(super) struct Outlet {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) kind: &'static str,
    pub(super) settlement: &'static str,
    pub(super) oversell: &'static str,
    pub(super) partial_shipment: &'static str,
    pub(super) locations: &'static [&'static str],
    pub(super) share_percent: u32,
}

/// Web, two marketplaces, the store and business customers.
pub(super) const OUTLETS: [Outlet; 5] = [
    Outlet {
        id: "web",
        name: "Web shop",
        kind: "web",
        settlement: "prepaid",
        oversell: "backorder",
        partial_shipment: "allowed",
        locations: &["AMS1", "BER1", "LYO1", "WAW-3PL"],
        share_percent: 45,
    },
    Outlet {
        id: "bazaar",
        name: "Bazaar marketplace",
        kind: "marketplace",
        settlement: "on_account",
        oversell: "refuse",
        partial_shipment: "allowed",
        locations: &["WAW-3PL", "AMS1"],
        share_percent: 22,
    },
    Outlet {
        id: "halles",
        name: "Halles marketplace",
        kind: "marketplace",
        settlement: "on_account",
        oversell: "refuse",
        partial_shipment: "allowed",
        locations: &["LYO1", "BER1"],
        share_percent: 15,
    },
    Outlet {
        id: "till",
        name: "Utrecht till",
        kind: "store",
        settlement: "prepaid",
        oversell: "refuse",
        partial_shipment: "allowed",
        locations: &["UTR-SHOP"],
        share_percent: 10,
    },
    Outlet {
        id: "b2b",
        name: "Business customers",
        kind: "b2b",
        settlement: "on_account",
        oversell: "backorder",
        partial_shipment: "denied",
        locations: &["BER1", "AMS1"],
        share_percent: 8,
    },
];

/// Cents as the decimal text that commands carry.
pub(super) fn euros(cents: u32) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}
