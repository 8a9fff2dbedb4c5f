//! Goods on their way back to the naive shop.

use serde_json::Value;

use super::costs::{Goods, Part, Place, group_of, of_issue, value_of};
use super::policies::DAY_MICROS;
use super::read::{id, list, opt_millionths, opt_text, opt_time, opt_units, text, units};
use super::{Fact, Refusal, Shop, Stage, When};

const LINES_MAX: usize = 1_000;

/// Every grade.
pub(crate) const GRADES: [&str; 4] = ["a", "b", "c", "d"];

#[derive(Debug, Clone, Default)]
pub(crate) struct Return {
    pub(crate) order: Option<String>,
    pub(crate) authorised: bool,
    pub(crate) location: Option<String>,
    pub(crate) lines: Vec<ReturnLine>,
    pub(crate) refunded_units: i64,
    /// Until when what has not come is awaited.
    pub(super) expires_at: Option<i64>,
    pub(super) place: usize,
    /// It is the n-th return ever.
    pub(super) number: u64,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct ReturnLine {
    pub(crate) number: i64,
    pub(crate) order_line: Option<i64>,
    pub(crate) sku: String,
    pub(crate) authorised: i64,
    pub(crate) received: i64,
    /// By grade.
    pub(crate) inspected: [i64; 4],
    /// By grade: units whose way on is decided.
    pub(crate) decided: [i64; 4],
}

impl ReturnLine {
    pub(crate) fn awaited(&self) -> i64 {
        (self.authorised - self.received).max(0)
    }

    pub(crate) fn uninspected(&self) -> i64 {
        self.received - self.inspected.iter().sum::<i64>()
    }
}

impl Return {
    pub(super) fn line(&self, number: i64) -> Result<&ReturnLine, Refusal> {
        self.lines.iter().find(|line| line.number == number).ok_or("unknown_return_line")
    }

    pub(super) fn line_mut(&mut self, number: i64) -> &mut ReturnLine {
        self.lines.iter_mut().find(|line| line.number == number).expect("the line was found before")
    }
}

fn grade(line: &Value) -> usize {
    GRADES.iter().position(|grade| *grade == text(line, "grade")).expect("the generator names grades")
}

fn require_lines(lines: &[Value]) -> Result<(), Refusal> {
    match lines.len() {
        0 => Err("no_lines"),
        1..=LINES_MAX => Ok(()),
        _ => Err("document_too_large"),
    }
}

impl Shop {
    pub(super) fn authorise(
        &mut self,
        body: &Value,
        when: &When,
        facts: &mut Vec<Fact>,
    ) -> Result<(), Refusal> {
        let id = id(body, "return", &when.assigned);
        if self.returns.contains_key(&id) {
            return Err("return_exists");
        }
        let order_id = text(body, "order");
        let order = self.order(order_id)?;
        let said = opt_time(body, "expires_at");
        if said.is_some_and(|expires_at| expires_at <= when.effective_at) {
            return Err("expiry_not_ahead");
        }
        let expires_at = said.or_else(|| self.policies.awaited_until(&order.channel, when.effective_at));
        require_lines(list(body, "lines"))?;
        let mut lines: Vec<ReturnLine> = Vec::new();
        for (number, asked) in (1..).zip(list(body, "lines")) {
            let (order_line, wanted) = (units(asked, "line"), units(asked, "quantity"));
            let line = order.line(order_line)?;
            if lines.iter().any(|earlier| earlier.order_line == Some(order_line)) {
                return Err("line_twice");
            }
            let in_window = self.shipped_in_window(order_id, order_line, &line.sku, when.effective_at);
            let left = line.left_us() - line.returned - line.return_authorised;
            if wanted > in_window.min(line.left_us()).min(left) {
                return Err("return_not_eligible");
            }
            let (sku, order_line) = (line.sku.clone(), Some(order_line));
            lines.push(ReturnLine { number, order_line, sku, authorised: wanted, ..ReturnLine::default() });
        }
        for line in &lines {
            let of_order = self.order_mut(order_id).line_mut(line.order_line.expect("set above"));
            of_order.return_authorised += line.authorised;
        }
        let order = Some(order_id.to_owned());
        let back = Return { order, authorised: true, lines, expires_at, ..Return::default() };
        self.add_return(id, back);
        facts.push(Fact::new("returns.authorised"));
        Ok(())
    }

    fn add_return(&mut self, id: String, back: Return) {
        let place = self.return_places.take();
        self.returns_ever += 1;
        self.returns.insert(id, Return { place, number: self.returns_ever, ..back });
    }

    fn shipped_in_window(&self, order: &str, line: i64, sku: &str, now: i64) -> i64 {
        let window = self.items[sku].window_days;
        let shipments = self.shipments.values().filter(|shipment| shipment.order == order);
        shipments
            .filter(|shipment| matches!(shipment.stage, Stage::Shipped | Stage::Delivered))
            .filter(|shipment| {
                let shipped_at = shipment.shipped_at.expect("it was shipped");
                window.is_none_or(|days| now <= shipped_at + days * DAY_MICROS)
            })
            .flat_map(|shipment| &shipment.lines)
            .filter(|at| at.0 == line)
            .map(|at| at.2)
            .sum()
    }

    pub(super) fn receive_return(
        &mut self,
        body: &Value,
        when: &When,
        facts: &mut Vec<Fact>,
    ) -> Result<(), Refusal> {
        let id = id(body, "return", &when.assigned);
        self.require_location(text(body, "location"))?;
        require_lines(list(body, "lines"))?;
        if self.returns.contains_key(&id) {
            return self.receive_authorised(&id, body, facts);
        }
        if list(body, "lines").iter().any(|line| !line["line"].is_null()) {
            return Err("unknown_return");
        }
        self.receive_blind(id, body, when, facts)
    }

    fn receive_authorised(&mut self, id: &str, body: &Value, facts: &mut Vec<Fact>) -> Result<(), Refusal> {
        let (found, location) = (&self.returns[id], text(body, "location"));
        let Some(order_id) = found.order.clone().filter(|_| found.authorised) else {
            return Err("return_exists");
        };
        if found.location.as_deref().is_some_and(|earlier| earlier != location) {
            return Err("return_elsewhere");
        }
        if opt_text(body, "order").is_some_and(|named| named != order_id) {
            return Err("return_of_another_order");
        }
        let mut came: Vec<(i64, i64)> = Vec::new();
        for asked in list(body, "lines") {
            let line = match (opt_units(asked, "line"), opt_text(asked, "sku")) {
                (None, None) => return Err("line_not_named"),
                (None, Some(sku)) => {
                    found.lines.iter().find(|line| line.sku == sku).ok_or("more_than_authorised")?
                }
                (Some(number), sku) => {
                    let line = found.line(number)?;
                    if sku.is_some_and(|sku| line.sku != sku) {
                        return Err("more_than_authorised");
                    }
                    line
                }
            };
            if came.iter().any(|earlier| earlier.0 == line.number) {
                return Err("line_twice");
            }
            if units(asked, "quantity") > line.awaited() {
                return Err("more_than_authorised");
            }
            came.push((line.number, units(asked, "quantity")));
        }
        let mut fact = Fact::new("returns.received");
        for (number, quantity) in came {
            let back = self.returns.get_mut(id).expect("found above");
            back.location = Some(location.to_owned());
            let line = back.line_mut(number);
            line.received += quantity;
            let number = line.order_line.expect("authorised lines are of an order");
            let of_order = self.order_mut(&order_id).line_mut(number);
            let parts = of_issue(&of_order.issued, of_order.returned, quantity);
            of_order.return_authorised -= quantity;
            of_order.returned += quantity;
            let sku = of_order.sku.clone();
            self.came_back(&mut fact, &Goods { sku: &sku, units: quantity, parts: &parts }, location);
        }
        facts.push(fact);
        Ok(())
    }

    fn receive_blind(
        &mut self,
        id: String,
        body: &Value,
        when: &When,
        facts: &mut Vec<Fact>,
    ) -> Result<(), Refusal> {
        let location = text(body, "location");
        if let Some(order) = opt_text(body, "order") {
            self.order(order)?;
        }
        if opt_text(body, "customer").is_some_and(|customer| !self.customers.contains(customer)) {
            return Err("unknown_customer");
        }
        let mut came: Vec<(String, Part)> = Vec::new();
        for asked in list(body, "lines") {
            let sku = opt_text(asked, "sku").ok_or("item_not_named")?;
            self.require_stocked(sku)?;
            let quantity = units(asked, "quantity");
            let given = opt_millionths(asked, "unit_cost");
            let part =
                self.cost_of_found(sku, (location, "inspection"), (quantity, when.effective_at), given)?;
            let earlier: i64 = came.iter().filter(|line| line.0 == sku).map(|line| line.1.units).sum();
            self.require_room(sku, (location, "inspection"), quantity + earlier, part.value)?;
            came.push((sku.to_owned(), part));
        }
        let mut fact = Fact::new("returns.received");
        let mut lines = Vec::new();
        for (number, (sku, part)) in (1..).zip(came) {
            self.came_back(&mut fact, &Goods { sku: &sku, units: part.units, parts: &[part] }, location);
            lines.push(ReturnLine { number, sku, received: part.units, ..ReturnLine::default() });
        }
        let order = opt_text(body, "order").map(str::to_owned);
        let location = Some(location.to_owned());
        self.add_return(id, Return { order, location, lines, ..Return::default() });
        facts.push(fact);
        Ok(())
    }

    fn came_back(&mut self, fact: &mut Fact, goods: &Goods<'_>, location: &str) {
        self.go(fact, goods, Place::World("customer"), Place::At(location, "inspection"));
        fact.post("1400", value_of(goods.parts));
        fact.post("5000", -value_of(goods.parts));
    }

    pub(super) fn inspect(&mut self, body: &Value, facts: &mut Vec<Fact>) -> Result<(), Refusal> {
        let back = self.returns.get_mut(text(body, "return")).ok_or("unknown_return")?;
        require_lines(list(body, "lines"))?;
        let mut changed = back.clone();
        for asked in list(body, "lines") {
            let number = units(asked, "line");
            if units(asked, "quantity") > changed.line(number)?.uninspected() {
                return Err("more_than_received");
            }
            changed.line_mut(number).inspected[grade(asked)] += units(asked, "quantity");
        }
        *back = changed;
        facts.push(Fact::new("returns.inspected"));
        Ok(())
    }

    pub(super) fn disposition(&mut self, body: &Value, facts: &mut Vec<Fact>) -> Result<(), Refusal> {
        let id = text(body, "return");
        if !self.returns.contains_key(id) {
            return Err("unknown_return");
        }
        require_lines(list(body, "lines"))?;
        for asked in list(body, "lines") {
            let (back, quantity, grade) = (&self.returns[id], units(asked, "quantity"), grade(asked));
            let line = back.line(units(asked, "line"))?.clone();
            let location = back.location.clone().unwrap_or_default();
            if quantity > line.inspected[grade] - line.decided[grade] {
                return Err("more_than_inspected");
            }
            self.require_there(&line.sku, (&location, "inspection"), quantity)?;
            let parts = self.stock.issue(&line.sku, &location, group_of("inspection"), quantity);
            let mut fact = Fact::new("returns.dispositioned");
            let (to, account) = match text(asked, "outcome") {
                "restock" => (Place::At(&location, "available"), "1400"),
                "quarantine" => (Place::At(&location, "quarantined"), "1400"),
                "refurbish" => (Place::At(&location, "refurbishing"), "1400"),
                "write_off" => (Place::World("written_off"), "5100"),
                _ => (Place::World("supplier"), "1450"),
            };
            if let Place::At(_, status) = to {
                self.require_room(&line.sku, (&location, status), quantity, value_of(&parts))?;
            }
            let goods = Goods { sku: &line.sku, units: quantity, parts: &parts };
            self.go(&mut fact, &goods, Place::At(&location, "inspection"), to);
            fact.post(account, value_of(&parts));
            fact.post("1400", -value_of(&parts));
            self.returns.get_mut(id).expect("found above").line_mut(line.number).decided[grade] += quantity;
            facts.push(fact);
        }
        Ok(())
    }
}
