//! Why an order of the naive shop is held back, and when a reason is gone.

use serde_json::Value;

use super::read::text;
use super::{Fact, Hold, OrderState, Refusal, Shop};

impl Shop {
    pub(super) fn hold(&mut self, body: &Value, facts: &mut Vec<Fact>) -> Result<(), Refusal> {
        let (id, reason) = (text(body, "order"), text(body, "reason"));
        if self.open_order(id)?.is_held_for(reason) {
            return Err("already_held");
        }
        self.hold_now(id, &[reason], facts);
        Ok(())
    }

    /// The order is held back from now on, for as long as the limits say.
    fn hold_now(&mut self, id: &str, reasons: &[&str], facts: &mut Vec<Fact>) {
        for reason in reasons {
            let limit = self.policies.limit_of(reason, &self.orders[id].channel, self.now);
            self.order_mut(id).holds.push(Hold { reason: (*reason).to_owned(), limit });
        }
        facts.push(Fact::new("orders.held"));
    }

    pub(super) fn clear_hold(&mut self, body: &Value, facts: &mut Vec<Fact>) -> Result<(), Refusal> {
        let (id, reason) = (text(body, "order"), text(body, "reason"));
        if !self.order(id)?.is_held_for(reason) {
            return Err("not_held_for");
        }
        self.order_mut(id).holds.retain(|hold| hold.reason != reason);
        facts.push(Fact::new("orders.hold_cleared"));
        Ok(())
    }

    /// A new order waits for payment or stock where its channel wants that, else it is released.
    pub(super) fn hold_or_release(&mut self, id: &str, facts: &mut Vec<Fact>) {
        let order = &self.orders[id];
        if order.state != OrderState::Captured {
            return;
        }
        let mut reasons = Vec::new();
        if self.channel_of(order).prepaid && order.payable() > 0 {
            reasons.push("payment");
        }
        if self.wants_stock(id) {
            reasons.push("stock");
        }
        if reasons.is_empty() {
            self.release_now(id, facts);
        } else {
            self.hold_now(id, &reasons, facts);
        }
    }

    pub(super) fn hold_for_stock(&mut self, id: &str, facts: &mut Vec<Fact>) {
        if self.wants_stock(id) && !self.orders[id].is_held_for("stock") {
            self.hold_now(id, &["stock"], facts);
        }
    }

    fn wants_stock(&self, id: &str) -> bool {
        let order = &self.orders[id];
        !self.channel_of(order).ships_in_parts && order.waiting() > 0
    }

    /// What is left to pay: not invoiced yet, and invoiced and not paid, less what was paid before.
    pub(super) fn outstanding(&self, id: &str) -> i64 {
        let order = &self.orders[id];
        order.payable() - order.invoiced + self.money.owed(id) - self.money.deposit(id)
    }

    /// The same for whoever pays.
    pub(crate) fn left_to_pay(&self, id: &str) -> i64 {
        self.outstanding(id)
    }

    fn is_met(&self, id: &str, reason: &str) -> bool {
        match reason {
            "payment" => self.outstanding(id) <= 0,
            "stock" => self.orders[id].waiting() == 0,
            _ => false,
        }
    }

    pub(super) fn unmet_holds(&self, id: &str) -> Vec<String> {
        let reasons = self.orders[id].holds.iter().map(|hold| &hold.reason);
        reasons.filter(|reason| !self.is_met(id, reason)).cloned().collect()
    }

    /// Takes off the holds that were not met before and are now, and releases an order that waited for them alone.
    pub(super) fn clear_met_holds(&mut self, id: &str, unmet: &[String], facts: &mut Vec<Fact>) {
        let holds = self.orders[id].holds.clone();
        let met = |hold: &Hold| unmet.contains(&hold.reason) && self.is_met(id, &hold.reason);
        let left: Vec<Hold> = holds.iter().filter(|hold| !met(hold)).cloned().collect();
        if left.len() == holds.len() {
            return;
        }
        self.order_mut(id).holds = left;
        facts.push(Fact::new("orders.hold_cleared"));
        let order = &self.orders[id];
        if order.state == OrderState::Captured && order.holds.is_empty() {
            self.release_now(id, facts);
        }
    }
}
