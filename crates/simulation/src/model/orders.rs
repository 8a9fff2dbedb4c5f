//! The orders of the naive shop: placed, promised and allocated.

use serde_json::Value;

use super::costs::{Goods, Place};
use super::order::{Charge, RESERVED};
use super::read::{id, list, minor, opt_millionths, opt_text, opt_time, round, text, units};
use super::{Fact, Line, Order, OrderState, Refusal, Shop, When};

const LINES_MAX: usize = 1_000;
const TOTAL_MAX: i64 = 1_000_000_000_000_000;

impl Shop {
    pub(super) fn order(&self, id: &str) -> Result<&Order, Refusal> {
        let gone = if self.archived.contains(id) { "order_archived" } else { "unknown_order" };
        self.orders.get(id).ok_or(gone)
    }

    pub(super) fn order_mut(&mut self, id: &str) -> &mut Order {
        self.orders.get_mut(id).expect("the order was found before")
    }

    pub(super) fn open_order(&self, id: &str) -> Result<&Order, Refusal> {
        let order = self.order(id)?;
        if order.is_open() { Ok(order) } else { Err("order_not_open") }
    }

    pub(super) fn channel_of(&self, order: &Order) -> &super::Channel {
        &self.channels[&order.channel]
    }

    pub(super) fn place(&mut self, body: &Value, when: &When, facts: &mut Vec<Fact>) -> Result<(), Refusal> {
        let id = id(body, "order", &when.assigned);
        if self.orders.contains_key(&id) {
            return Err("order_exists");
        }
        if self.archived.contains(&id) {
            return Err("order_archived");
        }
        if !self.channels.contains_key(text(body, "channel")) {
            return Err("unknown_channel");
        }
        if opt_text(body, "customer").is_some_and(|customer| !self.customers.contains(customer)) {
            return Err("unknown_customer");
        }
        let count = list(body, "lines").len() + list(body, "charges").len();
        if count == 0 {
            return Err("nothing_ordered");
        }
        if count > LINES_MAX {
            return Err("document_too_large");
        }
        if let (Some(ship_by), Some(deliver_by)) = (opt_time(body, "ship_by"), opt_time(body, "deliver_by"))
            && deliver_by < ship_by
        {
            return Err("deliver_by_before_ship_by");
        }
        let lines = self.priced_lines(list(body, "lines"))?;
        let charges = numbered_charges(list(body, "charges"))?;
        let mut order = Order {
            channel: text(body, "channel").to_owned(),
            state: OrderState::Captured,
            holds: Vec::new(),
            lines,
            charges,
            invoiced: 0,
            archive_at: None,
            place: 0,
        };
        if order.payable() > TOTAL_MAX {
            return Err("amount_out_of_range");
        }
        let lines: Vec<i64> = order.lines.iter().map(|line| line.number).collect();
        order.place = self.order_places.take();
        self.orders.insert(id.clone(), order);
        facts.push(Fact::new("orders.placed"));
        self.promise(&id, &lines, facts);
        self.hold_or_release(&id, facts);
        Ok(())
    }

    fn priced_lines(&self, asked: &[Value]) -> Result<Vec<Line>, Refusal> {
        let numbers = numbers(asked, "line");
        if has_twice(&numbers) {
            return Err("line_twice");
        }
        let mut lines = Vec::new();
        for (number, asked) in numbers.into_iter().zip(asked) {
            let sku = text(asked, "sku");
            self.require_active_stocked(sku)?;
            let (ordered, discount) = (units(asked, "quantity"), minor(asked, "discount"));
            let price = opt_millionths(asked, "price").unwrap_or_default();
            let gross = round(price, ordered, 10_000);
            if gross > TOTAL_MAX {
                return Err("amount_out_of_range");
            }
            if discount > gross {
                return Err("discount_over_gross");
            }
            let taxes = list(asked, "taxes").iter().map(|tax| minor(tax, "amount")).collect();
            let sku = sku.to_owned();
            lines.push(Line {
                number,
                sku,
                ordered,
                gross,
                discount,
                taxes,
                open: ordered,
                ..Line::default()
            });
        }
        Ok(lines)
    }

    /// Reserves what is there of a line, first where all of it is, else in the order of the channel's locations;
    /// gives what is short.
    fn claim_line(
        &self,
        order: &Order,
        line: &Line,
        wanted: i64,
        taken: &mut Vec<(String, String, i64)>,
    ) -> (Vec<(String, i64)>, i64) {
        let locations = &self.channel_of(order).locations;
        let left = |at: &String, taken: &[(String, String, i64)]| {
            let before = taken.iter().filter(|(sku, location, _)| *sku == line.sku && location == at);
            self.stock.at(&line.sku, at, "available") - before.map(|(.., units)| units).sum::<i64>()
        };
        let mut claims = Vec::new();
        let mut short = wanted;
        if wanted > 0 {
            match locations.iter().find(|at| left(at, taken) >= wanted) {
                Some(at) => {
                    claims.push((at.clone(), wanted));
                    short = 0;
                }
                None => {
                    for at in locations {
                        let part = left(at, taken).min(short);
                        if part > 0 {
                            claims.push((at.clone(), part));
                            short -= part;
                        }
                    }
                }
            }
        }
        taken.extend(claims.iter().map(|(at, units)| (line.sku.clone(), at.clone(), *units)));
        (claims, short)
    }

    /// Open units of these lines are reserved; the rest waits or is refused, as the channel says.
    pub(super) fn promise(&mut self, id: &str, lines: &[i64], facts: &mut Vec<Fact>) {
        let order = &self.orders[id];
        let backorders = self.channel_of(order).backorders;
        let (mut taken, mut claims, mut short) = (Vec::new(), Vec::new(), Vec::new());
        for number in lines {
            let line = order.line(*number).expect("a line of the order");
            let (claimed, missing) = self.claim_line(order, line, line.open, &mut taken);
            claims.extend(claimed.into_iter().map(|(at, units)| (*number, at, units, false)));
            if missing > 0 {
                short.push((*number, missing));
            }
        }
        self.allocated(id, claims, facts);
        if short.is_empty() {
            return;
        }
        let order = self.order_mut(id);
        if backorders {
            for (number, units) in short {
                let line = order.line_mut(number);
                line.open -= units;
                line.backordered += units;
            }
            facts.push(Fact::new("orders.backordered"));
            return;
        }
        let whole = order.before_shipped() == short.iter().map(|(_, units)| units).sum::<i64>()
            && order.left_us() == 0;
        for (number, units) in short {
            let line = order.line_mut(number);
            line.open -= units;
            line.cancelled += units;
        }
        if whole {
            self.end(id, OrderState::Cancelled);
        }
        facts.push(Fact::new("orders.refused"));
    }

    /// Line, location, units, and whether they were backordered before.
    fn allocated(&mut self, id: &str, claims: Vec<(i64, String, i64, bool)>, facts: &mut Vec<Fact>) {
        if claims.is_empty() {
            return;
        }
        let mut fact = Fact::new("orders.allocated");
        for (number, at, units, was_backordered) in claims {
            let line = self.order_mut(id).line_mut(number);
            *(if was_backordered { &mut line.backordered } else { &mut line.open }) -= units;
            line.claim(&at, RESERVED, units);
            let sku = line.sku.clone();
            let goods = Goods { sku: &sku, units, parts: &[] };
            self.go(&mut fact, &goods, Place::At(&at, "available"), Place::At(&at, "reserved"));
        }
        facts.push(fact);
    }

    pub(super) fn allocate(&mut self, body: &Value, facts: &mut Vec<Fact>) -> Result<(), Refusal> {
        let id = text(body, "order");
        let order = self.open_order(id)?;
        if order.waiting() == 0 {
            return Err("nothing_waiting");
        }
        let (mut taken, mut claims) = (Vec::new(), Vec::new());
        for line in &order.lines {
            for (wanted, was_backordered) in [(line.backordered, true), (line.open, false)] {
                let (claimed, _) = self.claim_line(order, line, wanted, &mut taken);
                claims
                    .extend(claimed.into_iter().map(|(at, units)| (line.number, at, units, was_backordered)));
            }
        }
        if claims.is_empty() {
            return Err("nothing_available");
        }
        let unmet = self.unmet_holds(id);
        self.allocated(id, claims, facts);
        self.clear_met_holds(id, &unmet, facts);
        Ok(())
    }
}

fn numbered_charges(asked: &[Value]) -> Result<Vec<Charge>, Refusal> {
    let numbers = numbers(asked, "charge");
    if has_twice(&numbers) {
        return Err("charge_twice");
    }
    let charges = numbers.into_iter().zip(asked).map(|(number, asked)| Charge {
        number,
        kind: text(asked, "kind").to_owned(),
        amount: minor(asked, "amount"),
        taxes: list(asked, "taxes").iter().map(|tax| minor(tax, "amount")).collect(),
        invoiced: false,
        refunded: 0,
    });
    Ok(charges.collect())
}

/// The numbers given, or the places in the list, from 1.
fn numbers(asked: &[Value], field: &str) -> Vec<i64> {
    (1..).zip(asked).map(|(place, asked)| asked[field].as_i64().unwrap_or(place)).collect()
}

fn has_twice(numbers: &[i64]) -> bool {
    numbers.iter().enumerate().any(|(at, number)| numbers[..at].contains(number))
}
