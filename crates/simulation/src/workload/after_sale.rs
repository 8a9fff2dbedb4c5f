//! Goods and money on their way back.

use fastrand::Rng;
use serde_json::{Value, json};

use super::{CHANNELS, LOCATIONS, Named, Workload, money, one_of};
use crate::model::{GRADES, Line, Order, Return, Shop};

const OUTCOMES: [&str; 5] = ["restock", "quarantine", "write_off", "refurbish", "return_to_supplier"];

impl Workload {
    pub(super) fn after_sale(&mut self, shop: &Shop, rng: &mut Rng, now: i64) -> Named {
        match rng.u8(..12) {
            0..=2 => self.authorise(shop, rng, now),
            3 => self.receive_blind(rng),
            4..=8 => self.next_of_return(shop, rng, now),
            _ => self.refund(shop, rng),
        }
    }

    fn authorise(&mut self, shop: &Shop, rng: &mut Rng, now: i64) -> Named {
        let gone = |line: &Line| line.left_us() > line.returned + line.return_authorised;
        let Some((order, line)) = one_line(shop, rng, gone) else { return self.fulfil(shop, rng) };
        let left = (line.left_us() - line.returned - line.return_authorised).max(1);
        let wanted = rng.i64(1..=left) + i64::from(rng.u8(..15) == 0) * left;
        let mut body =
            json!({"order": order, "reason": "random", "lines": [{"line": line.number, "quantity": wanted}]});
        if rng.bool() {
            body["expires_at"] = self.end(rng, now);
        }
        self.document(rng, "return", "r", &mut body);
        ("returns.authorise", body)
    }

    fn receive_blind(&mut self, rng: &mut Rng) -> Named {
        let lines: Vec<Value> = (0..rng.usize(1..3))
            .map(|_| json!({"sku": self.sku(rng), "quantity": rng.i64(1..4), "unit_cost": "1.234"}))
            .collect();
        let mut body = json!({"location": LOCATIONS[rng.usize(..LOCATIONS.len())], "lines": lines});
        self.document(rng, "return", "r", &mut body);
        ("returns.receive", body)
    }

    fn next_of_return(&mut self, shop: &Shop, rng: &mut Rng, now: i64) -> Named {
        let all: Vec<_> = shop.returns.iter().collect();
        let Some((id, back)) = one_of(&all, rng) else { return self.authorise(shop, rng, now) };
        let next = receive(back, rng).or_else(|| inspect(back, rng)).or_else(|| disposition(back, rng));
        let Some((name, mut body)) = next else { return self.refund(shop, rng) };
        body["return"] = (*id).clone().into();
        (name, body)
    }

    fn refund(&mut self, shop: &Shop, rng: &mut Rng) -> Named {
        let refundable = |line: &Line| {
            line.left_us() + line.cancelled > line.refunds.shipped_units + line.refunds.cancelled_units
        };
        let mut body = json!({"reason": "random"});
        self.document(rng, "refund", "f", &mut body);
        let found = one_line(shop, rng, refundable).filter(|_| rng.u8(..8) != 0);
        let Some((order, line)) = found else {
            body["channel"] = CHANNELS[rng.usize(..CHANNELS.len())].into();
            body["lines"] = json!([{"sku": self.sku(rng), "quantity": 1, "amount": "3.21"}]);
            return ("returns.refund", body);
        };
        let mut asked = json!({"line": line.number, "quantity": rng.i64(1..3)});
        if rng.u8(..5) == 0 {
            asked["amount"] = money(rng.i64(1..2_000));
            if rng.bool() {
                asked["quantity"] = Value::Null;
            }
        }
        if asked["quantity"].is_null() {
            asked.as_object_mut().map(|fields| fields.remove("quantity"));
        }
        body["lines"] = json!([asked]);
        body["order"] = order.clone().into();
        if rng.u8(..7) == 0 {
            body["restocking_fee"] = "0.50".into();
        }
        let charged = |order: &Order| order.charges.first().map(|charge| charge.number);
        if let (Some(charge), 0) = (charged(&shop.orders[order]), rng.u8(..3)) {
            body["charges"] = json!([{"charge": charge, "amount": "1.07"}]);
        }
        let of_order = shop.returns.iter().find(|(_, back)| back.order.as_ref() == Some(order));
        if let (Some((back, _)), true) = (of_order, rng.bool()) {
            body["return"] = back.clone().into();
        }
        ("returns.refund", body)
    }
}

/// A line that fits, of any order.
fn one_line<'s>(
    shop: &'s Shop,
    rng: &mut Rng,
    fits: impl Fn(&Line) -> bool,
) -> Option<(&'s String, &'s Line)> {
    let all = shop.orders.iter().flat_map(|(id, order)| order.lines.iter().map(move |line| (id, line)));
    let fitting: Vec<_> = all.filter(|(_, line)| fits(line)).collect();
    one_of(&fitting, rng).copied()
}

/// All of it mostly, some of it now and then, one too many rarely.
fn some(units: i64, rng: &mut Rng) -> i64 {
    match rng.u8(..30) {
        0 => units + 1,
        1..=8 => rng.i64(1..=units),
        _ => units,
    }
}

fn receive(back: &Return, rng: &mut Rng) -> Option<Named> {
    let line = back.lines.iter().find(|line| line.awaited() > 0)?;
    let elsewhere = || LOCATIONS[0].to_owned();
    let location = back.location.clone().filter(|_| rng.u8(..20) != 0).unwrap_or_else(elsewhere);
    let mut asked = json!({"quantity": some(line.awaited(), rng)});
    if rng.u8(..4) != 0 {
        asked["line"] = line.number.into();
    } else {
        asked["sku"] = line.sku.clone().into();
    }
    Some(("returns.receive", json!({"location": location, "lines": [asked]})))
}

fn inspect(back: &Return, rng: &mut Rng) -> Option<Named> {
    let line = back.lines.iter().find(|line| line.uninspected() > 0)?;
    let grade = GRADES[rng.usize(..GRADES.len())];
    let asked = json!({"line": line.number, "quantity": some(line.uninspected(), rng), "grade": grade});
    Some(("returns.inspect", json!({"lines": [asked]})))
}

fn disposition(back: &Return, rng: &mut Rng) -> Option<Named> {
    let mut lines = Vec::new();
    for line in &back.lines {
        for (grade, (inspected, decided)) in GRADES.iter().zip(line.inspected.iter().zip(line.decided)) {
            if inspected - decided > 0 {
                let outcome = OUTCOMES[rng.usize(..OUTCOMES.len())];
                let units = some(inspected - decided, rng);
                lines.push(
                    json!({"line": line.number, "quantity": units, "grade": grade, "outcome": outcome}),
                );
            }
        }
    }
    (!lines.is_empty()).then(|| ("returns.disposition", json!({"lines": lines})))
}
