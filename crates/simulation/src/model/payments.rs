//! Money in and out of the naive shop.

use serde_json::Value;

use super::read::{id, minor, text};
use super::{Fact, Refusal, Shop, When, money};

impl Shop {
    pub(super) fn capture(
        &mut self,
        body: &Value,
        when: &When,
        facts: &mut Vec<Fact>,
    ) -> Result<(), Refusal> {
        let payment = id(body, "payment", &when.assigned);
        if self.payments.contains_key(&payment) {
            return Err("payment_exists");
        }
        let (id, wanted) = (text(body, "order"), minor(body, "amount"));
        let order = self.order(id)?;
        if wanted > self.outstanding(id) {
            return Err("capture_exceeds_order");
        }
        let account = if self.channel_of(order).prepaid { "1110" } else { "1000" };
        let to_receivable = wanted.min(self.money.owed(id).max(0));
        let unmet = self.unmet_holds(id);
        let mut fact = Fact::new("payments.captured");
        fact.post(account, wanted);
        fact.post("1100", -to_receivable);
        fact.post("2300", to_receivable - wanted);
        money::change(&mut self.money.receivable, id, -to_receivable);
        money::change(&mut self.money.deposits, id, wanted - to_receivable);
        self.payments.insert(payment, Some(id.to_owned()));
        facts.push(fact);
        self.clear_met_holds(id, &unmet, facts);
        Ok(())
    }

    pub(super) fn pay_refund(
        &mut self,
        body: &Value,
        when: &When,
        facts: &mut Vec<Fact>,
    ) -> Result<(), Refusal> {
        let payment = id(body, "payment", &when.assigned);
        if self.payments.contains_key(&payment) {
            return Err("payment_exists");
        }
        let (refund, amount) = (text(body, "refund"), minor(body, "amount"));
        let granted = self.refunds.get(refund).ok_or("unknown_refund")?;
        let order = granted.order.clone();
        if amount > self.money.claim(refund) {
            return Err("refund_exceeds_claim");
        }
        let account = if self.channels[&granted.channel].prepaid { "1110" } else { "1000" };
        let mut fact = Fact::new("payments.refunded");
        fact.post("2310", amount);
        fact.post(account, -amount);
        money::change(&mut self.money.claims, refund, -amount);
        self.payments.insert(payment, order);
        facts.push(fact);
        Ok(())
    }
}
