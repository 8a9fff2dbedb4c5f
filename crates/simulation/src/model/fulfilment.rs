//! Shipments of the naive shop: planned, picked, packed, shipped, delivered.

use serde_json::Value;

use super::costs::{Goods, Part, Place, of_issue, value_of};
use super::order::{PACKED, PICKED, RESERVED};
use super::read::{id, list, minor, opt_text, text, units};
use super::{Fact, Line, Order, OrderState, Refusal, Shop, When};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Planned,
    Picked,
    Packed,
    Shipped,
    Delivered,
    Void,
}

#[derive(Debug, Clone)]
pub(crate) struct Shipment {
    pub(crate) order: String,
    pub(crate) location: String,
    pub(crate) stage: Stage,
    /// Line, planned units, picked units.
    pub(crate) lines: Vec<(i64, i64, i64)>,
    pub(crate) shipped_at: Option<i64>,
    /// When it took its last step.
    since: i64,
}

impl Shop {
    fn fulfillable(&self, id: &str) -> Result<&Order, Refusal> {
        let order = self.order(id)?;
        match order.state {
            OrderState::Released | OrderState::InFulfilment if order.holds.is_empty() => Ok(order),
            OrderState::Released | OrderState::InFulfilment => Err("order_held"),
            OrderState::Captured | OrderState::Completed | OrderState::Closed | OrderState::Cancelled => {
                Err("order_not_released")
            }
        }
    }

    fn shipment_at(&self, id: &str, stage: Stage, when: &When) -> Result<&Shipment, Refusal> {
        let shipment = self.shipments.get(id).ok_or("unknown_shipment")?;
        if shipment.stage != stage {
            return Err("shipment_state_not_fit");
        }
        if when.effective_at < shipment.since { Err("step_before_the_last") } else { Ok(shipment) }
    }

    /// Reserved units of a line at a location that no planned shipment takes.
    pub(crate) fn plannable(&self, order: &str, line: &Line, location: &str) -> i64 {
        let waiting = self.shipments.values().filter(|shipment| {
            shipment.order == order && shipment.location == location && shipment.stage == Stage::Planned
        });
        let planned: i64 = waiting
            .flat_map(|shipment| &shipment.lines)
            .filter(|at| at.0 == line.number)
            .map(|at| at.1)
            .sum();
        (line.claimed_at(location, RESERVED) - planned).max(0)
    }

    pub(super) fn plan(&mut self, body: &Value, when: &When, facts: &mut Vec<Fact>) -> Result<(), Refusal> {
        let id = id(body, "shipment", &when.assigned);
        if self.shipments.contains_key(&id) {
            return Err("shipment_exists");
        }
        let order_id = text(body, "order");
        let order = self.fulfillable(order_id)?;
        let location = match opt_text(body, "location") {
            Some(location) => {
                self.require_location(location)?;
                location.to_owned()
            }
            None => {
                let mut places =
                    order.lines.iter().flat_map(|line| line.at.iter().map(move |(at, _)| (line, at)));
                let first = places.find(|(line, at)| self.plannable(order_id, line, at) > 0);
                first.map(|(_, at)| at.clone()).ok_or("nothing_to_ship")?
            }
        };
        let lines = self.planned_lines(body, order_id, order, &location)?;
        if lines.is_empty() {
            return Err("nothing_to_ship");
        }
        if !self.channel_of(order).ships_in_parts {
            for line in &order.lines {
                let goes: i64 =
                    lines.iter().filter(|going| going.0 == line.number).map(|going| going.1).sum();
                let stays = self.plannable(order_id, line, &location) - goes;
                if line.open + line.backordered + stays > 0 {
                    return Err("partial_shipment_denied");
                }
            }
        }
        let (stage, since) = (Stage::Planned, when.effective_at);
        let shipment =
            Shipment { order: order_id.to_owned(), location, stage, lines, shipped_at: None, since };
        self.shipments.insert(id, shipment);
        self.order_mut(order_id).state = OrderState::InFulfilment;
        facts.push(Fact::new("fulfilment.planned"));
        Ok(())
    }

    fn planned_lines(
        &self,
        body: &Value,
        order_id: &str,
        order: &Order,
        location: &str,
    ) -> Result<Vec<(i64, i64, i64)>, Refusal> {
        if body["lines"].is_null() {
            let all =
                order.lines.iter().map(|line| (line.number, self.plannable(order_id, line, location), 0));
            return Ok(all.filter(|line| line.1 > 0).collect());
        }
        let mut lines: Vec<(i64, i64, i64)> = Vec::new();
        for asked in list(body, "lines") {
            let (number, wanted) = (units(asked, "line"), units(asked, "quantity"));
            let line = order.line(number)?;
            if lines.iter().any(|earlier| earlier.0 == number) {
                return Err("line_twice");
            }
            if wanted > self.plannable(order_id, line, location) {
                return Err("not_enough_reserved");
            }
            lines.push((number, wanted, 0));
        }
        Ok(lines)
    }

    pub(super) fn pick(&mut self, body: &Value, when: &When, facts: &mut Vec<Fact>) -> Result<(), Refusal> {
        let id = text(body, "shipment");
        let shipment = self.shipment_at(id, Stage::Planned, when)?.clone();
        let order = self.fulfillable(&shipment.order)?;
        let said = list(body, "lines");
        for (at, line) in said.iter().enumerate() {
            if said[..at].iter().any(|earlier| earlier["line"] == line["line"]) {
                return Err("line_twice");
            }
            if !shipment.lines.iter().any(|planned| planned.0 == units(line, "line")) {
                return Err("not_in_shipment");
            }
        }
        // Line, picked, short, and where the short ones go.
        let mut picks: Vec<(i64, i64, i64, &str)> = Vec::new();
        for (number, planned, _) in &shipment.lines {
            let to_pick = (*planned).min(order.line(*number)?.claimed_at(&shipment.location, RESERVED));
            let (mut picked, mut outcome) = (to_pick, "");
            if let Some(line) = said.iter().find(|line| units(line, "line") == *number) {
                picked = units(line, "quantity");
                if picked > to_pick {
                    return Err("more_than_planned");
                }
                if picked < to_pick {
                    outcome = opt_text(line, "short").ok_or("short_not_explained")?;
                }
            }
            if to_pick > 0 {
                picks.push((*number, picked, to_pick - picked, outcome));
            }
        }
        let short: Vec<i64> = picks.iter().filter(|pick| pick.2 > 0).map(|pick| pick.0).collect();
        self.picked(id, &shipment, &picks, facts);
        self.shipments.get_mut(id).expect("the shipment was found before").since = when.effective_at;
        for number in short {
            self.promise(&shipment.order, &[number], facts);
            self.complete_if_done(&shipment.order, facts);
            self.hold_for_stock(&shipment.order, facts);
        }
        Ok(())
    }

    fn picked(
        &mut self,
        id: &str,
        shipment: &Shipment,
        picks: &[(i64, i64, i64, &str)],
        facts: &mut Vec<Fact>,
    ) {
        let Shipment { order, location, .. } = shipment;
        let takes: Vec<(i64, i64)> =
            picks.iter().filter(|pick| pick.2 > 0).map(|pick| (pick.0, pick.2)).collect();
        let mut costs = self.costs_of(order, location, &takes).into_iter();
        let mut fact = Fact::new("fulfilment.picked");
        let reserved = Place::At(location, "reserved");
        for (number, picked, short, outcome) in picks {
            let line = self.order_mut(order).line_mut(*number);
            line.claim(location, RESERVED, -picked - short);
            line.claim(location, PICKED, *picked);
            line.open += short;
            line.forget_empty();
            let sku = line.sku.clone();
            if *picked > 0 {
                let goods = Goods { sku: &sku, units: *picked, parts: &[] };
                self.go(&mut fact, &goods, reserved, Place::At(location, "picked"));
            }
            if *short > 0 {
                let parts = costs.next().expect("a cost for each short line");
                let goods = Goods { sku: &sku, units: *short, parts: &parts };
                let adjusted = *outcome == "adjust";
                let to =
                    if adjusted { Place::World("adjustment") } else { Place::At(location, "quarantined") };
                self.go(&mut fact, &goods, reserved, to);
                if adjusted {
                    fact.post("5200", value_of(&parts));
                    fact.post("1400", -value_of(&parts));
                }
            }
        }
        let changed = self.shipments.get_mut(id).expect("the shipment was found before");
        for line in &mut changed.lines {
            line.2 = picks.iter().find(|pick| pick.0 == line.0).map_or(0, |pick| pick.1);
        }
        let anything = changed.lines.iter().any(|line| line.2 > 0);
        changed.stage = if anything { Stage::Picked } else { Stage::Void };
        facts.push(fact);
    }

    /// What units of these lines cost when they leave together: units of one item share one issue.
    fn costs_of(&self, order: &str, location: &str, takes: &[(i64, i64)]) -> Vec<Vec<Part>> {
        let sku = |number: i64| self.orders[order].line(number).expect("a line of the order").sku.as_str();
        let mut costs = Vec::new();
        for (at, (number, wanted)) in takes.iter().enumerate() {
            let of_item = |takes: &[(i64, i64)]| -> i64 {
                takes.iter().filter(|take| sku(take.0) == sku(*number)).map(|take| take.1).sum()
            };
            let issue = self.stock.issue(sku(*number), location, "sellable", of_item(takes));
            costs.push(of_issue(&issue, of_item(&takes[..at]), *wanted));
        }
        costs
    }

    pub(super) fn pack(&mut self, body: &Value, when: &When, facts: &mut Vec<Fact>) -> Result<(), Refusal> {
        let id = text(body, "shipment");
        let shipment = self.shipment_at(id, Stage::Picked, when)?.clone();
        self.fulfillable(&shipment.order)?;
        let mut fact = Fact::new("fulfilment.packed");
        let at = |status| Place::At(&shipment.location, status);
        for (number, _, picked) in shipment.lines.iter().filter(|line| line.2 > 0) {
            let line = self.order_mut(&shipment.order).line_mut(*number);
            line.claim(&shipment.location, PICKED, -picked);
            line.claim(&shipment.location, PACKED, *picked);
            let sku = line.sku.clone();
            self.go(&mut fact, &Goods { sku: &sku, units: *picked, parts: &[] }, at("picked"), at("packed"));
        }
        self.stage(id, Stage::Packed, when);
        facts.push(fact);
        Ok(())
    }

    pub(super) fn ship(&mut self, body: &Value, when: &When, facts: &mut Vec<Fact>) -> Result<(), Refusal> {
        let id = text(body, "shipment");
        let shipment = self.shipment_at(id, Stage::Packed, when)?.clone();
        self.fulfillable(&shipment.order)?;
        let Shipment { order, location, .. } = &shipment;
        let parcel: Vec<(i64, i64)> =
            shipment.lines.iter().filter(|line| line.2 > 0).map(|line| (line.0, line.2)).collect();
        let costs = self.costs_of(order, location, &parcel);
        let mut fact = Fact::new("fulfilment.shipped");
        self.invoice(order, &parcel, &mut fact);
        for ((number, units), parts) in parcel.into_iter().zip(costs) {
            let line = self.order_mut(order).line_mut(number);
            line.claim(location, PACKED, -units);
            line.forget_empty();
            line.shipped += units;
            line.issued.extend(parts.iter().copied());
            let sku = line.sku.clone();
            let goods = Goods { sku: &sku, units, parts: &parts };
            self.go(&mut fact, &goods, Place::At(location, "packed"), Place::World("customer"));
            fact.post("5000", value_of(&parts));
            fact.post("1400", -value_of(&parts));
        }
        let freight = minor(body, "freight");
        fact.post("5500", freight);
        fact.post("2120", -freight);
        self.stage(id, Stage::Shipped, when).shipped_at = Some(when.effective_at);
        facts.push(fact);
        self.complete_if_done(order, facts);
        Ok(())
    }

    pub(super) fn deliver(
        &mut self,
        body: &Value,
        when: &When,
        facts: &mut Vec<Fact>,
    ) -> Result<(), Refusal> {
        let id = text(body, "shipment");
        let shipment = self.shipment_at(id, Stage::Shipped, when)?.clone();
        for (number, _, units) in &shipment.lines {
            let line = self.order_mut(&shipment.order).line_mut(*number);
            line.shipped -= units;
            line.delivered += units;
        }
        self.stage(id, Stage::Delivered, when);
        facts.push(Fact::new("fulfilment.delivered"));
        Ok(())
    }

    fn stage(&mut self, id: &str, stage: Stage, when: &When) -> &mut Shipment {
        let shipment = self.shipments.get_mut(id).expect("the shipment was found before");
        shipment.stage = stage;
        shipment.since = when.effective_at;
        shipment
    }
}
