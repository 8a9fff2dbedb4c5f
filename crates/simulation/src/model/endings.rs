//! How orders of the naive shop go on and end: cancelled, released, invoiced, completed.

use serde_json::Value;

use super::costs::{Goods, Place};
use super::order::{Charge, RESERVED};
use super::read::{part, text, units};
use super::{Fact, OrderState, Refusal, Shop, money};

impl Shop {
    pub(super) fn cancel(&mut self, body: &Value, facts: &mut Vec<Fact>) -> Result<(), Refusal> {
        let id = text(body, "order");
        let order = self.open_order(id)?;
        let wanted: Vec<(i64, i64)> = match body["lines"].as_array() {
            Some(lines) if lines.is_empty() => return Err("nothing_to_cancel"),
            Some(lines) => lines.iter().map(|line| (units(line, "line"), units(line, "quantity"))).collect(),
            None => {
                let left = order.lines.iter().filter(|line| line.before_shipped() > 0);
                left.map(|line| (line.number, line.before_shipped())).collect()
            }
        };
        for (at, (number, units)) in wanted.iter().enumerate() {
            if wanted[..at].iter().any(|(earlier, _)| earlier == number) {
                return Err("line_twice");
            }
            let line = order.line(*number)?;
            let cancellable = line.cancellable();
            if *units > cancellable {
                let picked = line.before_shipped() > cancellable;
                return Err(if picked { "units_already_picked" } else { "not_enough_on_line" });
            }
        }
        self.cancel_units(id, wanted, facts);
        Ok(())
    }

    pub(super) fn cancel_units(&mut self, id: &str, wanted: Vec<(i64, i64)>, facts: &mut Vec<Fact>) {
        let order = &self.orders[id];
        let cancelled: i64 = wanted.iter().map(|(_, units)| units).sum();
        let whole = order.before_shipped() == cancelled && order.left_us() == 0;
        let unmet = self.unmet_holds(id);
        let mut fact = Fact::new("orders.cancelled");
        for (number, units) in wanted {
            self.cancel_line(id, number, units, &mut fact);
        }
        if whole {
            self.end(id, OrderState::Cancelled);
        }
        facts.push(fact);
        self.complete_if_done(id, facts);
        self.clear_met_holds(id, &unmet, facts);
    }

    /// Open units go first, then backordered ones, then reserved ones from the location that was used last.
    fn cancel_line(&mut self, id: &str, number: i64, units: i64, fact: &mut Fact) {
        let line = self.order_mut(id).line_mut(number);
        let mut left = units;
        let mut take = |there: i64| {
            let part = there.min(left);
            left -= part;
            part
        };
        let (open, backordered) = (take(line.open), take(line.backordered));
        let given_back: Vec<(String, i64)> =
            line.at.iter().rev().map(|(at, claimed)| (at.clone(), take(claimed[RESERVED]))).collect();
        line.open -= open;
        line.backordered -= backordered;
        line.cancelled += units;
        let sku = line.sku.clone();
        for (at, units) in given_back.into_iter().filter(|(_, units)| *units > 0) {
            self.order_mut(id).line_mut(number).claim(&at, RESERVED, -units);
            let goods = Goods { sku: &sku, units, parts: &[] };
            self.go(fact, &goods, Place::At(&at, "reserved"), Place::At(&at, "available"));
        }
        self.order_mut(id).line_mut(number).forget_empty();
    }

    pub(super) fn release(&mut self, body: &Value, facts: &mut Vec<Fact>) -> Result<(), Refusal> {
        let id = text(body, "order");
        let order = self.order(id)?;
        if order.state != OrderState::Captured {
            return Err("order_not_captured");
        }
        if !order.holds.is_empty() {
            return Err("order_held");
        }
        self.release_now(id, facts);
        Ok(())
    }

    /// An order that ships nothing is invoiced and done at once.
    pub(super) fn release_now(&mut self, id: &str, facts: &mut Vec<Fact>) {
        self.order_mut(id).state = OrderState::Released;
        facts.push(Fact::new("orders.released"));
        if self.orders[id].lines.is_empty() {
            let mut fact = Fact::new("orders.invoiced");
            if self.invoice(id, &[], &mut fact) {
                facts.push(fact);
            }
            self.end(id, OrderState::Completed);
            facts.push(Fact::new("orders.completed"));
        }
    }

    pub(super) fn complete_if_done(&mut self, id: &str, facts: &mut Vec<Fact>) {
        let order = &self.orders[id];
        if order.is_open() && order.before_shipped() == 0 && order.left_us() > 0 {
            self.end(id, OrderState::Completed);
            facts.push(Fact::new("orders.completed"));
        }
    }

    /// Invoices these units (by line) and every charge that is not invoiced yet; false if that is nothing.
    pub(super) fn invoice(&mut self, id: &str, units: &[(i64, i64)], fact: &mut Fact) -> bool {
        let order = self.orders.get_mut(id).expect("the order was found before");
        let mut total = 0;
        for (number, units) in units {
            let line = order.line_mut(*number);
            let before = line.left_us();
            let (gross, discount) = (
                part(line.gross, before, *units, line.ordered),
                part(line.discount, before, *units, line.ordered),
            );
            let taxes: i64 = line.taxes.iter().map(|tax| part(*tax, before, *units, line.ordered)).sum();
            fact.post("4000", -gross);
            fact.post("4200", discount);
            fact.post("2200", -taxes);
            total += gross - discount + taxes;
        }
        let charges: Vec<&mut Charge> = order.charges.iter_mut().filter(|charge| !charge.invoiced).collect();
        if units.is_empty() && charges.is_empty() {
            return false;
        }
        for charge in charges {
            charge.invoiced = true;
            fact.post("4100", -charge.amount);
            fact.post("2200", -charge.taxes.iter().sum::<i64>());
            total += charge.total();
        }
        order.invoiced += total;
        let from_deposit = self.money.deposit(id).max(0).min(total);
        fact.post("2300", from_deposit);
        fact.post("1100", total - from_deposit);
        money::change(&mut self.money.deposits, id, -from_deposit);
        money::change(&mut self.money.receivable, id, total - from_deposit);
        true
    }
}
