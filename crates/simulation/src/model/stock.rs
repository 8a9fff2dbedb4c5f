//! The stock of the naive shop: units by status, what they cost, and claims outside orders.

use serde_json::Value;

use super::costs::{Claim, Goods, Part, Place, group_of, value_of};
use super::read::{id, opt_millionths, opt_text, opt_time, opt_units, round, text, units};
use super::{Fact, ItemState, Refusal, Shop, When};

/// What may be put into a bucket; units that are set free go back into a fuller one.
const UNITS_MAX: i64 = 1_000_000_000_000;
const VALUE_MAX: i64 = 1_000_000_000_000_000;

/// Every status.
pub(crate) const STATUSES: [&str; 9] = [
    "available",
    "reserved",
    "picked",
    "packed",
    "inspection",
    "quarantined",
    "damaged",
    "refurbishing",
    "in_transit",
];

/// The status of this name.
pub(super) fn status(name: &str) -> &'static str {
    STATUSES.iter().find(|status| **status == name).expect("the generator names statuses")
}

fn is_claimed(status: &str) -> bool {
    matches!(status, "reserved" | "picked" | "packed")
}

impl Shop {
    /// Refuses more units or value than the books hold in a bucket.
    pub(super) fn require_room(
        &self,
        sku: &str,
        (location, status): (&str, &'static str),
        units: i64,
        value: i64,
    ) -> Result<(), Refusal> {
        if self.stock.at(sku, location, status) + units > UNITS_MAX {
            return Err("quantity_out_of_range");
        }
        if value_of(self.stock.pool(sku, location, group_of(status))) + value > VALUE_MAX {
            return Err("value_out_of_range");
        }
        Ok(())
    }

    pub(super) fn require_there(
        &self,
        sku: &str,
        (location, status): (&str, &'static str),
        wanted: i64,
    ) -> Result<(), Refusal> {
        match self.stock.at(sku, location, status) >= wanted {
            true => Ok(()),
            false if status == "available" => Err("not_enough_available"),
            false => Err("not_enough_in_status"),
        }
    }

    /// What found units cost: as those they join, as the last that came in, or as was said.
    pub(super) fn cost_of_found(
        &self,
        sku: &str,
        (location, group): (&str, &'static str),
        (units, received_at): (i64, i64),
        given: Option<i64>,
    ) -> Result<Part, Refusal> {
        let pool = self.stock.pool(sku, location, group);
        let held: i64 = pool.iter().map(|part| part.units).sum();
        let value = if held > 0 {
            worth(value_of(pool), units, held)?
        } else {
            let unit = self.stock.last_cost.get(sku).copied().or(given).ok_or("cost_unknown")?;
            worth(unit, units, 10_000)?
        };
        Ok(Part { units, value, received_at })
    }

    pub(super) fn goods_in(
        &mut self,
        body: &Value,
        when: &When,
        (name, world, credit): (&'static str, &'static str, &str),
        facts: &mut Vec<Fact>,
    ) -> Result<(), Refusal> {
        let (sku, location, wanted) = (text(body, "sku"), text(body, "location"), units(body, "quantity"));
        self.require_active_stocked(sku)?;
        self.require_location(location)?;
        let status = status(opt_text(body, "status").unwrap_or("available"));
        if !matches!(status, "available" | "inspection" | "quarantined" | "damaged") {
            return Err("status_not_allowed");
        }
        let value = worth(opt_millionths(body, "unit_cost").unwrap_or_default(), wanted, 10_000)?;
        self.require_room(sku, (location, status), wanted, value)?;
        let parts = [Part { units: wanted, value, received_at: when.effective_at }];
        let mut fact = Fact::new(name);
        let goods = Goods { sku, units: wanted, parts: &parts };
        self.go(&mut fact, &goods, Place::World(world), Place::At(location, status));
        fact.post("1400", value);
        fact.post(credit, -value);
        facts.push(fact);
        Ok(())
    }

    pub(super) fn adjust(&mut self, body: &Value, when: &When, facts: &mut Vec<Fact>) -> Result<(), Refusal> {
        let (sku, location, change) = (text(body, "sku"), text(body, "location"), units(body, "change"));
        let item = self.require_stocked(sku)?;
        if item.state == ItemState::Draft {
            return Err("item_not_active");
        }
        self.require_location(location)?;
        let status = status(opt_text(body, "status").unwrap_or("available"));
        require_free_on_hand(status)?;
        let (ours, outside) = (Place::At(location, status), Place::World("adjustment"));
        let mut fact = Fact::new("stock.adjusted");
        if change < 0 {
            self.require_there(sku, (location, status), -change)?;
            let parts = self.stock.issue(sku, location, group_of(status), -change);
            self.go(&mut fact, &Goods { sku, units: -change, parts: &parts }, ours, outside);
            fact.post("1400", -value_of(&parts));
            fact.post("5200", value_of(&parts));
        } else {
            let given = opt_millionths(body, "unit_cost");
            let part =
                self.cost_of_found(sku, (location, group_of(status)), (change, when.effective_at), given)?;
            self.require_room(sku, (location, status), change, part.value)?;
            self.go(&mut fact, &Goods { sku, units: change, parts: &[part] }, outside, ours);
            fact.post("1400", part.value);
            fact.post("5200", -part.value);
        }
        facts.push(fact);
        Ok(())
    }

    pub(super) fn change_status(&mut self, body: &Value, facts: &mut Vec<Fact>) -> Result<(), Refusal> {
        let (sku, location, wanted) = (text(body, "sku"), text(body, "location"), units(body, "quantity"));
        self.require_stocked(sku)?;
        self.require_location(location)?;
        let (from, to) = (status(text(body, "from")), status(text(body, "to")));
        if is_claimed(from) || is_claimed(to) {
            return Err("stock_is_claimed");
        }
        let allowed: &[&str] = match from {
            "available" => &["quarantined", "damaged", "inspection"],
            "inspection" => &["quarantined", "damaged", "available", "refurbishing"],
            "quarantined" | "damaged" => &["inspection", "available", "refurbishing"],
            "refurbishing" => &["quarantined", "damaged", "available"],
            _ => &[],
        };
        if !allowed.contains(&to) {
            return Err("status_change_not_allowed");
        }
        self.require_there(sku, (location, from), wanted)?;
        let parts = self.stock.issue(sku, location, group_of(from), wanted);
        self.require_room(sku, (location, to), wanted, value_of(&parts))?;
        let mut fact = Fact::new("stock.status_changed");
        let goods = Goods { sku, units: wanted, parts: &parts };
        self.go(&mut fact, &goods, Place::At(location, from), Place::At(location, to));
        facts.push(fact);
        Ok(())
    }

    pub(super) fn write_off(&mut self, body: &Value, facts: &mut Vec<Fact>) -> Result<(), Refusal> {
        let (sku, location, wanted) = (text(body, "sku"), text(body, "location"), units(body, "quantity"));
        self.require_stocked(sku)?;
        self.require_location(location)?;
        let status = status(opt_text(body, "status").unwrap_or("available"));
        require_free_on_hand(status)?;
        self.require_there(sku, (location, status), wanted)?;
        let parts = self.stock.issue(sku, location, group_of(status), wanted);
        let mut fact = Fact::new("stock.written_off");
        let goods = Goods { sku, units: wanted, parts: &parts };
        self.go(&mut fact, &goods, Place::At(location, status), Place::World("written_off"));
        fact.post("5100", value_of(&parts));
        fact.post("1400", -value_of(&parts));
        facts.push(fact);
        Ok(())
    }

    pub(super) fn reserve(
        &mut self,
        body: &Value,
        when: &When,
        facts: &mut Vec<Fact>,
    ) -> Result<(), Refusal> {
        let reservation = id(body, "reservation", &when.assigned);
        let (sku, location, wanted) = (text(body, "sku"), text(body, "location"), units(body, "quantity"));
        if self.stock.claims.contains_key(&reservation) {
            return Err("reservation_exists");
        }
        self.require_active_stocked(sku)?;
        self.require_location(location)?;
        let until = opt_time(body, "until");
        if until.is_some_and(|until| until <= when.log_time) {
            return Err("reservation_ends_in_the_past");
        }
        self.require_there(sku, (location, "available"), wanted)?;
        self.require_room(sku, (location, "reserved"), wanted, 0)?;
        let mut fact = Fact::new("stock.reserved");
        let goods = Goods { sku, units: wanted, parts: &[] };
        self.go(&mut fact, &goods, Place::At(location, "available"), Place::At(location, "reserved"));
        let (sku, location) = (sku.to_owned(), location.to_owned());
        self.stock.add_claim(reservation, Claim { sku, location, units: wanted, until, place: 0 });
        facts.push(fact);
        Ok(())
    }

    pub(super) fn unreserve(&mut self, body: &Value, facts: &mut Vec<Fact>) -> Result<(), Refusal> {
        let reservation = text(body, "reservation");
        let claim = self.stock.claims.get(reservation).cloned().ok_or("unknown_reservation")?;
        let wanted = opt_units(body, "quantity").unwrap_or(claim.units);
        if wanted > claim.units {
            return Err("not_enough_reserved");
        }
        self.require_room(&claim.sku, (&claim.location, "available"), wanted, 0)?;
        let mut fact = Fact::new("stock.unreserved");
        let (from, to) = (Place::At(&claim.location, "reserved"), Place::At(&claim.location, "available"));
        self.go(&mut fact, &Goods { sku: &claim.sku, units: wanted, parts: &[] }, from, to);
        match wanted == claim.units {
            true => self.stock.drop_claim(reservation),
            false => {
                let left = Claim { units: claim.units - wanted, ..claim };
                self.stock.claims.insert(reservation.to_owned(), left);
            }
        }
        facts.push(fact);
        Ok(())
    }
}

fn require_free_on_hand(status: &str) -> Result<(), Refusal> {
    match status {
        "reserved" | "picked" | "packed" => Err("stock_is_claimed"),
        "in_transit" => Err("status_not_allowed"),
        _ => Ok(()),
    }
}

/// `value × share / whole` in minor units, unless the books cannot hold it.
fn worth(value: i64, share: i64, whole: i64) -> Result<i64, Refusal> {
    let exact = i128::from(value) * i128::from(share) / i128::from(whole);
    if exact > i128::from(VALUE_MAX) + 1 {
        return Err("amount_out_of_range");
    }
    let worth = round(value, share, whole);
    if worth > VALUE_MAX { Err("amount_out_of_range") } else { Ok(worth) }
}
