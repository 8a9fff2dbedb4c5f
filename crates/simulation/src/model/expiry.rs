//! What becomes of claims, returns and holds of the naive shop when their time is over.

use serde_json::Value;

use super::costs::{Goods, Place};
use super::order::RESERVED;
use super::policies::LimitAction;
use super::read::text;
use super::{Fact, Refusal, Shop};

impl Shop {
    pub(super) fn expire_reservation(&mut self, body: &Value, facts: &mut Vec<Fact>) -> Result<(), Refusal> {
        let reservation = text(body, "reservation");
        let claim = self.stock.claims.get(reservation).cloned().ok_or("unknown_reservation")?;
        if claim.until.is_none_or(|until| until > self.now) {
            return Err("reservation_not_due");
        }
        let mut fact = Fact::new("stock.reservation_expired");
        let goods = Goods { sku: &claim.sku, units: claim.units, parts: &[] };
        let at = |status| Place::At(&claim.location, status);
        self.go(&mut fact, &goods, at("reserved"), at("available"));
        self.stock.drop_claim(reservation);
        facts.push(fact);
        Ok(())
    }

    pub(super) fn expire_return(&mut self, body: &Value, facts: &mut Vec<Fact>) -> Result<(), Refusal> {
        let id = text(body, "return");
        let back = self.returns.get(id).ok_or("unknown_return")?;
        let awaited: Vec<(i64, i64, i64)> = back
            .lines
            .iter()
            .filter(|line| line.awaited() > 0)
            .filter_map(|line| Some((line.number, line.order_line?, line.awaited())))
            .collect();
        let Some(order) = back.order.clone().filter(|_| !awaited.is_empty()) else {
            return Err("nothing_awaited");
        };
        if back.expires_at.is_none_or(|expires_at| expires_at > self.now) {
            return Err("return_not_due");
        }
        for (line, order_line, units) in awaited {
            self.order_mut(&order).line_mut(order_line).return_authorised -= units;
            self.returns.get_mut(id).expect("found above").line_mut(line).authorised -= units;
        }
        facts.push(Fact::new("returns.expired"));
        Ok(())
    }

    pub(super) fn expire_hold(&mut self, body: &Value, facts: &mut Vec<Fact>) -> Result<(), Refusal> {
        let (id, reason) = (text(body, "order"), text(body, "reason"));
        let hold = self.order(id)?.holds.iter().find(|hold| hold.reason == reason);
        let limit = hold.ok_or("not_held_for")?.limit;
        let (_, action) = limit.filter(|(at, _)| *at <= self.now).ok_or("hold_not_due")?;
        let holds = self.order_mut(id).holds.iter_mut();
        holds.filter(|hold| hold.reason == reason).for_each(|hold| hold.limit = None);
        let mut fact = Fact::new("orders.hold_expired");
        match action {
            LimitAction::Escalate => facts.push(fact),
            LimitAction::Unreserve => {
                self.unreserve_order(id, &mut fact);
                facts.push(fact);
                self.hold_for_stock(id, facts);
            }
            LimitAction::Cancel => {
                facts.push(fact);
                let lines = self.orders[id].lines.iter().map(|line| (line.number, line.cancellable()));
                let wanted: Vec<(i64, i64)> = lines.filter(|(_, units)| *units > 0).collect();
                if !wanted.is_empty() {
                    self.cancel_units(id, wanted, facts);
                }
            }
        }
        Ok(())
    }

    /// Everything that is reserved for an order may be sold again; the order waits for it.
    fn unreserve_order(&mut self, id: &str, fact: &mut Fact) {
        for line in self.orders[id].lines.clone() {
            for (at, units) in &line.at {
                let units = units[RESERVED];
                if units > 0 {
                    let changed = self.order_mut(id).line_mut(line.number);
                    changed.open += units;
                    changed.claim(at, RESERVED, -units);
                    let goods = Goods { sku: &line.sku, units, parts: &[] };
                    self.go(fact, &goods, Place::At(at, "reserved"), Place::At(at, "available"));
                }
            }
            self.order_mut(id).line_mut(line.number).forget_empty();
        }
    }
}
