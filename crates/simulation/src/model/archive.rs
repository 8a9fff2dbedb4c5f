//! Which orders of the naive shop are forgotten, when, and what goes with them.

use serde_json::Value;

use super::policies::DAY_MICROS;
use super::read::{opt_units, text};
use super::{Fact, Order, OrderState, Refusal, Return, Shop};

impl Shop {
    pub(super) fn close(&mut self, body: &Value, facts: &mut Vec<Fact>) -> Result<(), Refusal> {
        let id = text(body, "order");
        if self.order(id)?.state != OrderState::Completed {
            return Err("order_not_completed");
        }
        self.order_mut(id).state = OrderState::Closed;
        facts.push(Fact::new("orders.closed"));
        Ok(())
    }

    /// Every order that ended is looked at anew, as if it had ended now.
    pub(super) fn set_archiving(&mut self, body: &Value, facts: &mut Vec<Fact>) -> Result<(), Refusal> {
        self.policies.archive_after_days = opt_units(body, "after_days");
        let ended = self.orders.iter().filter(|(_, order)| !order.is_open());
        for id in ended.map(|(id, _)| id.clone()).collect::<Vec<_>>() {
            self.order_mut(&id).archive_at = self.archive_at(&id);
        }
        facts.push(Fact::new("orders.archiving_set"));
        Ok(())
    }

    /// The order has ended now.
    pub(super) fn end(&mut self, id: &str, state: OrderState) {
        let archive_at = self.archive_at(id);
        let order = self.order_mut(id);
        order.holds.clear();
        (order.state, order.archive_at) = (state, archive_at);
    }

    /// When an order is forgotten that ends now: after the longest window of what left us, and the policy's days.
    fn archive_at(&self, id: &str) -> Option<i64> {
        let days = self.policies.archive_after_days?;
        let left_us = self.orders[id].lines.iter().filter(|line| line.left_us() > 0);
        let window = left_us.filter_map(|line| self.items[&line.sku].window_days).max();
        Some(self.now + (window.unwrap_or_default() + days) * DAY_MICROS)
    }

    pub(super) fn archive(&mut self, body: &Value, facts: &mut Vec<Fact>) -> Result<(), Refusal> {
        let id = text(body, "order");
        if self.order(id)?.archive_at.is_none_or(|at| at > self.now) {
            return Err("archiving_not_due");
        }
        if self.is_settled(id) {
            self.forget(id);
            facts.push(Fact::new("orders.archived"));
        } else {
            let days = self.policies.archive_after_days.unwrap_or_default().max(1);
            self.order_mut(id).archive_at = Some(self.now + days * DAY_MICROS);
            facts.push(Fact::new("orders.archiving_postponed"));
        }
        Ok(())
    }

    /// Nobody owes anybody anything for it, and nothing is on its way back.
    fn is_settled(&self, id: &str) -> bool {
        let mut refunds = self.refunds.iter().filter(|(_, refund)| refund.order.as_deref() == Some(id));
        let mut returns = self.returns.values().filter(|back| back.order.as_deref() == Some(id));
        self.money.owed(id) == 0
            && self.money.deposit(id) == 0
            && refunds.all(|(refund, _)| self.money.claim(refund) == 0)
            && returns.all(Return::is_over)
            && !self.orders[id].is_open()
    }

    fn forget(&mut self, id: &str) {
        let of_it = |order: &Option<String>| order.as_deref() == Some(id);
        let gone = self.returns.values().filter(|back| of_it(&back.order));
        let mut gone: Vec<_> = gone.map(|back| (back.number, back.place)).collect();
        // The one that came first goes first, so that the place of the last is taken again first.
        gone.sort_unstable();
        gone.into_iter().for_each(|(_, place)| self.return_places.give_back(place));
        self.returns.retain(|_, back| !of_it(&back.order));
        self.refunds.retain(|_, refund| !of_it(&refund.order));
        self.shipments.retain(|_, shipment| shipment.order != id);
        self.payments.retain(|_, order| !of_it(order));
        if let Some(Order { place, .. }) = self.orders.remove(id) {
            self.order_places.give_back(place);
        }
        self.archived.insert(id.to_owned());
    }
}

impl Return {
    /// All that came has found its way and nothing is awaited; or nothing came in time.
    fn is_over(&self) -> bool {
        let decided = |line: &super::returns::ReturnLine| line.decided.iter().sum::<i64>() == line.received;
        self.lines.iter().all(|line| line.awaited() == 0 && line.uninspected() == 0 && decided(line))
    }
}
