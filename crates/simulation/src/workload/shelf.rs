//! Goods in, changes on the shelf, claims outside orders, postings by hand, master data and nonsense.

use fastrand::Rng;
use serde_json::{Value, json};

use super::{CHANNELS, LOCATIONS, Named, SKUS, Workload, money, one_of, policy, price, time};
use crate::model::{STATUSES, Shop};

/// The most units that a command can name.
const QUANTITY_MAX: i64 = 1_000_000_000_000;

impl Workload {
    pub(super) fn goods_in(&mut self, rng: &mut Rng) -> Named {
        let status = if rng.u8(..4) == 0 { STATUSES[rng.usize(..STATUSES.len())] } else { "available" };
        let body = json!({"sku": self.sku(rng), "location": LOCATIONS[rng.usize(..LOCATIONS.len())],
            "quantity": rng.i64(1..20), "unit_cost": price(rng, 9_000), "status": status});
        (if rng.u8(..5) == 0 { "stock.open" } else { "stock.receive" }, body)
    }

    pub(super) fn on_the_shelf(&mut self, shop: &Shop, rng: &mut Rng, now: i64) -> Named {
        match rng.u8(..10) {
            0..=3 => self.reserve(shop, rng, now),
            4 | 5 => unreserve(shop, rng),
            _ => self.change(shop, rng),
        }
    }

    fn reserve(&mut self, shop: &Shop, rng: &mut Rng, now: i64) -> Named {
        let there: Vec<_> =
            shop.stock.units.iter().filter(|(cell, units)| cell.2 == "available" && **units > 0).collect();
        let found = one_of(&there, rng).map(|(cell, units)| (cell.0.clone(), cell.1.clone(), **units));
        let (sku, location, units) =
            found.unwrap_or_else(|| (self.sku(rng).to_owned(), LOCATIONS[0].to_owned(), 1));
        let too_many = i64::from(rng.u8(..20) == 0);
        let quantity = rng.i64(1..=units.min(4) + too_many);
        let mut body = json!({"sku": sku, "location": location, "quantity": quantity});
        self.document(rng, "reservation", "v", &mut body);
        if rng.u8(..4) != 0 {
            body["until"] = self.end(rng, now);
        }
        if let (Some(known), 0) = (shop.stock.claims.keys().next(), rng.u8(..20)) {
            body["reservation"] = known.clone().into();
        }
        ("stock.reserve", body)
    }

    fn change(&mut self, shop: &Shop, rng: &mut Rng) -> Named {
        let held: Vec<_> = shop.stock.units.iter().filter(|(_, units)| **units > 0).collect();
        let Some((cell, units)) = one_of(&held, rng) else { return self.goods_in(rng) };
        let (sku, location, status, units) = (&cell.0, &cell.1, cell.2, **units);
        let mut body = json!({"sku": sku, "location": location, "reason": "random"});
        // More than there are, rarely, though never more than a quantity can say.
        let more = if rng.u8(..25) == 0 { units } else { 0 };
        let some = (rng.i64(1..=units.min(5)) + more).min(QUANTITY_MAX);
        match rng.u8(..4) {
            0 => {
                (body["status"], body["change"]) = (status.into(), rng.i64(1..5).into());
                if rng.bool() {
                    body["unit_cost"] = "1.005".into();
                }
                ("stock.adjust", body)
            }
            1 => {
                (body["status"], body["change"]) = (status.into(), (-some).into());
                ("stock.adjust", body)
            }
            2 => {
                (body["status"], body["quantity"]) = (status.into(), some.into());
                ("stock.write_off", body)
            }
            _ => {
                let to = STATUSES[rng.usize(..STATUSES.len())];
                (body["from"], body["to"], body["quantity"]) = (status.into(), to.into(), some.into());
                ("stock.change_status", body)
            }
        }
    }

    pub(super) fn by_hand(&mut self, rng: &mut Rng) -> Named {
        match rng.u8(..9) {
            6..9 => policy(rng),
            0 => ("items.retire", json!({"sku": SKUS[SKUS.len() - 1]})),
            1 => ("items.activate", json!({"sku": "DRAFT"})),
            2 => {
                self.documents += 1;
                ("customers.define", json!({"customer": format!("C{}", self.documents), "country": "DE"}))
            }
            _ => {
                const ACCOUNTS: [&str; 8] = ["1000", "1100", "1400", "2110", "2300", "2310", "5400", "5810"];
                let (amount, mut lines) = (rng.i64(1..90_000), Vec::new());
                let gap = i64::from(rng.u8(..12) == 0);
                let account = |rng: &mut Rng| ACCOUNTS[rng.usize(..ACCOUNTS.len())];
                lines.push(json!({"account": account(rng), "debit": money(amount)}));
                lines.push(json!({"account": account(rng), "credit": money(amount + gap)}));
                if rng.u8(..8) == 0 {
                    lines[0]["channel"] = ["web", "nowhere"][rng.usize(..2)].into();
                    lines[0]["item"] = ["TEA-01", "NOTHING"][rng.usize(..2)].into();
                }
                if rng.u8(..10) == 0 {
                    lines.truncate(1);
                }
                let mut body = json!({"lines": lines, "reason": "random"});
                self.document(rng, "posting", "m", &mut body);
                ("finance.post_manual", body)
            }
        }
    }

    /// Things that are not there, or there already, or too large.
    pub(super) fn nonsense(&mut self, shop: &Shop, rng: &mut Rng, now: i64) -> Named {
        let sku = ["NOPE", "DRAFT", "WRAP", "TEA-01"][rng.usize(..4)];
        let location = ["NOWHERE", "AMS1"][rng.usize(..2)];
        let id = |known: Option<&String>, rng: &mut Rng| -> Value {
            known.filter(|_| rng.bool()).cloned().unwrap_or_else(|| "nope".to_owned()).into()
        };
        let gone = shop.archived.first().filter(|_| rng.bool());
        let (order, shipment) = (gone.or(shop.orders.keys().next()), shop.shipments.keys().next());
        let (back, refund) = (shop.returns.keys().next(), shop.refunds.keys().next());
        match rng.u8(..21) {
            18 => ("orders.close", json!({"order": id(order, rng)})),
            19 => {
                let lines = json!([{"sku": sku, "quantity": 1, "unit_cost": "1"}]);
                ("returns.receive", json!({"order": id(order, rng), "location": location, "lines": lines}))
            }
            20 => {
                let lines = json!([{"line": 1, "quantity": 1}]);
                ("returns.authorise", json!({"order": id(order, rng), "reason": "random", "lines": lines}))
            }
            0 => ("items.define", json!({"sku": sku, "name": "Again"})),
            1 => ("items.activate", json!({"sku": sku})),
            2 => ("items.retire", json!({"sku": sku})),
            3 => ("locations.define", json!({"location": "AMS1", "name": "Again", "kind": "store"})),
            4 => {
                let at = if rng.bool() { vec!["AMS1", "AMS1"] } else { vec![location] };
                let channel = ["web", "new"][rng.usize(..2)];
                let body = json!({"channel": channel, "name": "Again", "kind": "web",
                    "settlement": "prepaid", "oversell": "refuse", "partial_shipment": "allowed", "locations": at});
                ("channels.define", body)
            }
            5 => {
                let quantity = [1, QUANTITY_MAX][rng.usize(..2)];
                let body = json!({"sku": sku, "location": location, "quantity": quantity, "unit_cost": "0"});
                ("stock.receive", body)
            }
            6 => ("stock.reserve", json!({"sku": sku, "location": location, "quantity": 999_999_999})),
            7 => (
                "stock.unreserve",
                json!({"reservation": id(shop.stock.claims.keys().next(), rng), "quantity": 900}),
            ),
            8 => {
                let line =
                    json!({"sku": sku, "quantity": 1, "price": "1", "discount": money(rng.i64(0..200))});
                (
                    "orders.place",
                    json!({"order": id(order, rng), "channel": "web", "customer": "C9", "lines": [line]}),
                )
            }
            9 => {
                let body = json!({"channel": CHANNELS[0], "lines": [], "ship_by": time(now), "deliver_by": time(now - 1)});
                ("orders.place", body)
            }
            10 => ("orders.release", json!({"order": id(order, rng)})),
            11 => ("orders.cancel", json!({"order": id(order, rng), "lines": [], "reason": "random"})),
            12 => ("payments.capture", json!({"order": id(order, rng), "amount": "9999999.00"})),
            13 => ("payments.refund", json!({"refund": id(refund, rng), "amount": "9999999.00"})),
            14 => ("fulfilment.ship", json!({"shipment": id(shipment, rng)})),
            15 => {
                let lines = json!([{"line": 9, "quantity": 1, "grade": "a"}]);
                ("returns.inspect", json!({"return": id(back, rng), "lines": lines}))
            }
            16 => (
                "returns.receive",
                json!({"return": id(back, rng), "location": location, "lines": [{"quantity": 1}]}),
            ),
            _ => (
                "returns.refund",
                json!({"refund": id(refund, rng), "reason": "random", "lines": [{"sku": sku}]}),
            ),
        }
    }
}

fn unreserve(shop: &Shop, rng: &mut Rng) -> Named {
    let claims: Vec<_> = shop.stock.claims.iter().collect();
    let Some((id, claim)) = one_of(&claims, rng) else {
        return ("stock.unreserve", json!({"reservation": "nothing"}));
    };
    let mut body = json!({"reservation": id});
    if rng.bool() {
        body["quantity"] = rng.i64(1..=claim.units).into();
    }
    ("stock.unreserve", body)
}
