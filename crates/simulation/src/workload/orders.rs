//! Orders come in, are held, released, allocated, cancelled and paid.

use fastrand::Rng;
use serde_json::{Value, json};

use super::policies::REASONS;
use super::{CHANNELS, Named, Workload, money, one_of, price, time};
use crate::model::{Order, OrderState, Shop};

impl Workload {
    pub(super) fn place(&mut self, shop: &Shop, rng: &mut Rng, now: i64) -> Named {
        let mut lines: Vec<Value> = Vec::new();
        for _ in 0..rng.usize(1..5) {
            // Lines of one order repeat items.
            let mut line =
                json!({"sku": self.sku(rng), "quantity": rng.i64(1..7), "price": price(rng, 20_000)});
            if rng.u8(..4) == 0 {
                line["discount"] = money(rng.i64(0..150));
            }
            if rng.u8(..3) == 0 {
                line["taxes"] = json!([{"jurisdiction": "NL", "amount": money(rng.i64(0..400))}]);
            }
            lines.push(line);
        }
        match rng.u8(..40) {
            0 => lines.iter_mut().for_each(|line| line["line"] = 7.into()),
            1 | 2 => (1..).zip(&mut lines).for_each(|(at, line)| line["line"] = (10 * at).into()),
            _ => {}
        }
        let mut body = json!({"channel": CHANNELS[rng.usize(..CHANNELS.len())], "lines": lines});
        if rng.u8(..4) == 0 {
            let tax = json!([{"jurisdiction": "NL", "amount": money(rng.i64(0..90))}]);
            body["charges"] = json!([{"kind": "shipping", "amount": money(rng.i64(0..900)), "taxes": tax}]);
            if rng.u8(..6) == 0 {
                body["lines"] = json!([]);
            }
        }
        if rng.u8(..3) == 0 {
            body["customer"] = "C1".into();
            body["destination"] = json!({"country": "NL"});
        }
        if rng.u8(..5) == 0 {
            body["ship_by"] = time(now + rng.i64(0..86_400_000_000));
            body["deliver_by"] = time(now + rng.i64(0..172_800_000_000));
        }
        self.document(rng, "order", "o", &mut body);
        if let (Some(known), 0) = (shop.orders.keys().next(), rng.u8(..30)) {
            body["order"] = known.clone().into();
        }
        ("orders.place", body)
    }

    pub(super) fn on_an_order(&mut self, shop: &Shop, rng: &mut Rng) -> Named {
        let completed = shop.orders.iter().find(|(_, order)| order.state == OrderState::Completed);
        if let (Some((id, _)), 0) = (completed, rng.u8(..12)) {
            return ("orders.close", json!({"order": id}));
        }
        let open: Vec<_> = shop.orders.iter().filter(|(_, order)| order.is_open()).collect();
        let Some((id, order)) = one_of(&open, rng) else { return self.goods_in(rng) };
        let reason = REASONS[rng.usize(..REASONS.len())];
        match rng.u8(..8) {
            0 => ("orders.hold", json!({"order": id, "reason": reason})),
            1 | 2 => {
                let held = one_of(&order.holds, rng).map_or(reason, |hold| hold.reason.as_str());
                ("orders.clear_hold", json!({"order": id, "reason": held}))
            }
            3 => ("orders.release", json!({"order": id})),
            4 | 5 => ("orders.allocate", json!({"order": id})),
            _ => cancel(id, order, rng),
        }
    }

    /// Pays an order in whole or in part, or gives back what was granted.
    pub(super) fn pay(&mut self, shop: &Shop, rng: &mut Rng) -> Named {
        let claims: Vec<_> = shop.money.claims.iter().collect();
        if let (Some((refund, owed)), 0) = (one_of(&claims, rng), rng.u8(..4)) {
            let amount = if rng.u8(..4) == 0 { **owed / 2 + rng.i64(1..5) } else { **owed };
            let mut body = json!({"refund": refund, "amount": money(amount)});
            self.document(rng, "payment", "p", &mut body);
            return ("payments.refund", body);
        }
        let owing: Vec<_> =
            shop.orders.keys().map(|id| (id, shop.left_to_pay(id))).filter(|(_, left)| *left > 0).collect();
        let Some((order, left)) = one_of(&owing, rng) else { return self.goods_in(rng) };
        let amount = match rng.u8(..10) {
            0 | 1 => *left / 2 + 1,
            2 => *left + 1,
            _ => *left,
        };
        let mut body = json!({"order": order, "amount": money(amount)});
        self.document(rng, "payment", "p", &mut body);
        ("payments.capture", body)
    }
}

fn cancel(id: &str, order: &Order, rng: &mut Rng) -> Named {
    let mut body = json!({"order": id, "reason": "random"});
    let line = one_of(&order.lines, rng).filter(|_| rng.u8(..4) != 0);
    if let Some(line) = line {
        let units = line.before_shipped().max(1);
        let wanted = rng.i64(1..=units) + i64::from(rng.u8(..20) == 0) * units;
        body["lines"] = json!([{"line": line.number, "quantity": wanted}]);
    }
    ("orders.cancel", body)
}
