//! Refunds of the naive shop: what may be given back of an order, to the penny.
//!
//! Units that left are counted from the front of a line, cancelled ones from its back. Cancelled units are given back
//! out of what was paid for the order and will never be invoiced (its overpayment), units that left out of what was
//! invoiced for them.

use serde_json::Value;

use super::order::{Charge, Line};
use super::read::{id, list, minor, opt_minor, opt_text, opt_units, round, text, units};
use super::{Fact, OrderState, Refund, Refusal, Shop, When, money};

const LINES_MAX: usize = 1_000;

/// What is granted on one line or charge: net and each tax of what was invoiced, and what comes from the deposit.
#[derive(Default)]
struct Granted {
    shipped_units: i64,
    cancelled_units: i64,
    parts: Vec<i64>,
    from_deposit: i64,
}

impl Granted {
    fn total(&self) -> i64 {
        self.parts.iter().sum::<i64>() + self.from_deposit
    }
}

impl Shop {
    pub(super) fn grant_refund(
        &mut self,
        body: &Value,
        when: &When,
        facts: &mut Vec<Fact>,
    ) -> Result<(), Refusal> {
        let id = id(body, "refund", &when.assigned);
        if self.refunds.contains_key(&id) {
            return Err("refund_exists");
        }
        let (lines, charges) = (list(body, "lines"), list(body, "charges"));
        if lines.len() + charges.len() > LINES_MAX {
            return Err("document_too_large");
        }
        let back = match opt_text(body, "return") {
            Some(back) => Some(self.returns.get(back).ok_or("unknown_return")?),
            None => None,
        };
        let of_return = back.filter(|back| back.authorised).and_then(|back| back.order.clone());
        let order_id = match opt_text(body, "order") {
            Some(order) => {
                self.order(order)?;
                if of_return.as_ref().is_some_and(|other| other != order) {
                    return Err("return_of_another_order");
                }
                Some(order.to_owned())
            }
            None => of_return,
        };
        if opt_text(body, "customer").is_some_and(|customer| !self.customers.contains(customer)) {
            return Err("unknown_customer");
        }
        let channel = self.paying_channel(body, order_id.as_deref())?;
        let (granted_lines, granted_charges) = match &order_id {
            Some(order) => self.of_order(body, order)?,
            None => self.of_nothing(lines, charges)?,
        };
        let wanted: i64 = granted_lines.iter().map(|(.., of)| of.shipped_units + of.cancelled_units).sum();
        if let Some(back) = back {
            if granted_lines.iter().any(|(_, sku, _)| !back.lines.iter().any(|line| line.sku == *sku)) {
                return Err("item_not_returned");
            }
            let units: i64 = back.lines.iter().map(|line| line.authorised.max(line.received)).sum();
            if back.refunded_units + wanted > units {
                return Err("more_than_returned");
            }
        }
        let all =
            || granted_lines.iter().map(|line| &line.2).chain(granted_charges.iter().map(|charge| &charge.1));
        let granted: i64 = all().map(Granted::total).sum();
        let from_deposit: i64 = all().map(|of| of.from_deposit).sum();
        let fee = minor(body, "restocking_fee");
        if granted <= 0 {
            return Err("nothing_to_refund");
        }
        if fee > granted {
            return Err("fee_exceeds_refund");
        }
        let owed = order_id.as_deref().map_or(0, |order| self.money.owed(order));
        let to_receivable = (granted - from_deposit - fee).min(owed).max(0);
        let claim = granted - fee - to_receivable;
        let mut fact = Fact::new("returns.refunded");
        for (account, of) in granted_lines
            .iter()
            .map(|line| ("4300", &line.2))
            .chain(granted_charges.iter().map(|charge| ("4100", &charge.1)))
        {
            let (net, taxes) = of.parts.split_first().unwrap_or((&0, &[]));
            fact.post(account, *net);
            fact.post("2200", taxes.iter().sum());
        }
        fact.post("2300", from_deposit);
        fact.post("4400", -fee);
        fact.post("1100", -to_receivable);
        fact.post("2310", -claim);
        money::change(&mut self.money.claims, &id, claim);
        if let Some(order) = &order_id {
            money::change(&mut self.money.deposits, order, -from_deposit);
            money::change(&mut self.money.receivable, order, -to_receivable);
            self.count_on_order(order, &granted_lines, &granted_charges);
        }
        if let Some(back) = opt_text(body, "return").and_then(|back| self.returns.get_mut(back)) {
            back.refunded_units += wanted;
        }
        self.refunds.insert(id, Refund { channel, order: order_id });
        facts.push(fact);
        Ok(())
    }

    fn paying_channel(&self, body: &Value, order: Option<&str>) -> Result<String, Refusal> {
        let named = opt_text(body, "channel");
        if named.is_some_and(|named| !self.channels.contains_key(named)) {
            return Err("unknown_channel");
        }
        match (order, named) {
            (None, None) => Err("channel_not_named"),
            (None, Some(named)) => Ok(named.to_owned()),
            (Some(order), named) => {
                let channel = self.order(order)?.channel.clone();
                if named.is_some_and(|named| named != channel) {
                    return Err("order_of_another_channel");
                }
                Ok(channel)
            }
        }
    }

    #[expect(
        clippy::type_complexity,
        reason = "two lists that live for one function: line, item and grant; charge and grant"
    )]
    fn of_order(
        &self,
        body: &Value,
        id: &str,
    ) -> Result<(Vec<(i64, String, Granted)>, Vec<(i64, Granted)>), Refusal> {
        let order = self.order(id)?;
        // What was paid and will never be invoiced.
        let mut deposit = (self.money.deposit(id) - (order.payable() - order.invoiced).max(0)).max(0);
        let shipped_only = !body["return"].is_null();
        let (mut lines, mut charges) = (Vec::<(i64, String, Granted)>::new(), Vec::<(i64, Granted)>::new());
        for asked in list(body, "lines") {
            let number = opt_units(asked, "line").ok_or("order_line_not_named")?;
            let line = order.line(number)?;
            if opt_text(asked, "sku").is_some_and(|sku| sku != line.sku) {
                return Err("item_of_another_line");
            }
            if lines.iter().any(|earlier| earlier.0 == number) {
                return Err("line_twice");
            }
            let amount = opt_minor(asked, "amount");
            if opt_units(asked, "quantity").is_none() && amount.is_none() {
                return Err("amount_not_given");
            }
            let granted = of_line(line, (units(asked, "quantity"), amount), shipped_only, deposit)?;
            deposit -= granted.from_deposit;
            lines.push((number, line.sku.clone(), granted));
        }
        for asked in list(body, "charges") {
            let (number, kind) = (opt_units(asked, "charge"), opt_text(asked, "kind"));
            if number.is_none() && kind.is_none() {
                return Err("charge_not_named");
            }
            let fits = |charge: &&Charge| {
                number.is_none_or(|number| number == charge.number)
                    && kind.is_none_or(|kind| kind == charge.kind)
            };
            let charge = order.charges.iter().find(fits).ok_or("unknown_charge")?;
            if charges.iter().any(|earlier| earlier.0 == charge.number) {
                return Err("line_twice");
            }
            let granted = of_charge(charge, order.state, minor(asked, "amount"), deposit)?;
            deposit -= granted.from_deposit;
            charges.push((charge.number, granted));
        }
        Ok((lines, charges))
    }

    #[expect(clippy::type_complexity, reason = "as for an order")]
    fn of_nothing(
        &self,
        lines: &[Value],
        charges: &[Value],
    ) -> Result<(Vec<(i64, String, Granted)>, Vec<(i64, Granted)>), Refusal> {
        let mut granted = (Vec::new(), Vec::new());
        for asked in lines {
            if !asked["line"].is_null() {
                return Err("order_not_named");
            }
            let sku = opt_text(asked, "sku").ok_or("item_not_named")?;
            if !self.items.contains_key(sku) {
                return Err("unknown_item");
            }
            let amount = opt_minor(asked, "amount").ok_or("amount_not_given")?;
            let of = Granted {
                shipped_units: units(asked, "quantity"),
                parts: vec![amount],
                ..Granted::default()
            };
            granted.0.push((0, sku.to_owned(), of));
        }
        for asked in charges {
            if !asked["charge"].is_null() {
                return Err("order_not_named");
            }
            if text(asked, "kind").is_empty() {
                return Err("charge_not_named");
            }
            granted.1.push((0, Granted { parts: vec![minor(asked, "amount")], ..Granted::default() }));
        }
        Ok(granted)
    }

    fn count_on_order(&mut self, id: &str, lines: &[(i64, String, Granted)], charges: &[(i64, Granted)]) {
        let order = self.order_mut(id);
        for (number, _, granted) in lines {
            let refunds = &mut order.line_mut(*number).refunds;
            refunds.shipped_units += granted.shipped_units;
            refunds.cancelled_units += granted.cancelled_units;
            refunds.from_deposit += granted.from_deposit;
            refunds.parts.resize(granted.parts.len().max(refunds.parts.len()), 0);
            refunds.parts.iter_mut().zip(&granted.parts).for_each(|(part, granted)| *part += granted);
        }
        for (number, granted) in charges {
            let charge = order.charges.iter_mut().find(|charge| charge.number == *number);
            charge.expect("the charge was found before").refunded += granted.total();
        }
    }
}

/// What may be granted on a line for so many units, or an amount of the asker's own.
fn of_line(
    line: &Line,
    (wanted, amount): (i64, Option<i64>),
    shipped_only: bool,
    deposit: i64,
) -> Result<Granted, Refusal> {
    let refunds = &line.refunds;
    let shipped_left = line.left_us() - refunds.shipped_units;
    let cancelled_left = if shipped_only { 0 } else { line.cancelled - refunds.cancelled_units };
    if wanted > shipped_left + cancelled_left {
        return Err("more_than_refundable");
    }
    // Of what was invoiced, what is not granted yet; of what was never invoiced, the same.
    let mut left = line.parts(0, line.left_us());
    left.iter_mut().zip(&refunds.parts).for_each(|(left, granted)| *left -= granted);
    let sum = |parts: &[i64]| parts.iter().sum::<i64>();
    let deposit_left = sum(&line.parts(line.ordered - line.cancelled, line.cancelled)) - refunds.from_deposit;
    let worth_of_cancelled = |units: i64| {
        sum(&line.parts(line.ordered - refunds.cancelled_units - units, units)).min(deposit_left)
    };
    let mut cancelled = wanted.min(cancelled_left);
    if worth_of_cancelled(cancelled) > deposit && wanted <= shipped_left {
        cancelled = 0;
    }
    let shipped = wanted - cancelled;
    let usual: Vec<i64> = line
        .parts(refunds.shipped_units, shipped)
        .iter()
        .zip(&left)
        .map(|(usual, left)| *usual.min(left))
        .collect();
    let usual_from_deposit = worth_of_cancelled(cancelled);
    let granted = amount.unwrap_or(usual_from_deposit + sum(&usual));
    let touches_shipped = shipped > 0 || wanted == 0;
    let from_deposit = if touches_shipped { granted.min(usual_from_deposit) } else { granted };
    let deposit_max = if cancelled > 0 { deposit.min(deposit_left) } else { 0 };
    let shipped_max = if touches_shipped { sum(&left) } else { 0 };
    if from_deposit > deposit_max || granted - from_deposit > shipped_max {
        return Err("refund_exceeds_paid");
    }
    let parts = if amount.is_none() { usual } else { shares(granted - from_deposit, &left) };
    Ok(Granted { shipped_units: shipped, cancelled_units: cancelled, parts, from_deposit })
}

fn of_charge(charge: &Charge, state: OrderState, wanted: i64, deposit: i64) -> Result<Granted, Refusal> {
    let left = charge.total() - charge.refunded;
    let refundable = match (charge.invoiced, state) {
        (true, _) => left,
        (false, OrderState::Cancelled) => left.min(deposit),
        (false, _) => 0,
    };
    if wanted > refundable {
        return Err("refund_exceeds_paid");
    }
    if !charge.invoiced {
        return Ok(Granted { from_deposit: wanted, ..Granted::default() });
    }
    let upto =
        |tax: i64, refunded: i64| if charge.total() == 0 { 0 } else { round(tax, refunded, charge.total()) };
    let taxes: Vec<i64> = charge
        .taxes
        .iter()
        .map(|tax| upto(*tax, charge.refunded + wanted) - upto(*tax, charge.refunded))
        .collect();
    let net = wanted - taxes.iter().sum::<i64>();
    Ok(Granted { parts: std::iter::once(net).chain(taxes).collect(), ..Granted::default() })
}

/// Splits an amount by weights: rounded down, and what is left to the largest remainders, the first of equal ones.
fn shares(total: i64, weights: &[i64]) -> Vec<i64> {
    let whole: i128 = weights.iter().map(|weight| i128::from(*weight)).sum();
    if whole <= 0 {
        let first = std::iter::once(total);
        return first.chain(std::iter::repeat(0)).take(weights.len()).collect();
    }
    let exact = |weight: i64| i128::from(total) * i128::from(weight);
    let mut split: Vec<i64> = weights
        .iter()
        .map(|weight| i64::try_from(exact(*weight).div_euclid(whole)).expect("money fits"))
        .collect();
    let mut by_remainder: Vec<usize> = (0..weights.len()).collect();
    by_remainder.sort_by_key(|at| (-exact(weights[*at]).rem_euclid(whole), *at));
    let left = total - split.iter().sum::<i64>();
    for at in by_remainder.into_iter().take(usize::try_from(left).unwrap_or_default()) {
        split[at] += 1;
    }
    split
}
