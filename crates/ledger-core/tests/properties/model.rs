//! A second stock book, kept by reading events as other systems get them: it shares no code with the ledger.

use std::collections::BTreeMap;

use ledger_core::values::{LocationId, Quantity, Sku, Text};
use ledger_core::{Event, Ledger, Status};
use serde_json::{Value, json};

use crate::money::Money;

/// Units by item, location and status; and what was promised and sent of each order line.
#[derive(Debug, Default)]
pub(crate) struct Model {
    units: BTreeMap<(String, String, String), i64>,
    /// Units that ever came in, by item.
    came_in: BTreeMap<String, i64>,
    /// Units that went out to customers and did not come back, by item.
    sold: BTreeMap<String, i64>,
    /// Ordered, cancelled or refused, and shipped units, by order and line.
    lines: BTreeMap<(String, u64), [i64; 3]>,
    money: Money,
}

const OUTSIDE: &str = "outside";

impl Model {
    /// Takes an event in, by its JSON alone.
    pub(crate) fn read(&mut self, event: &Event) -> Result<(), String> {
        let event = serde_json::to_value(event).map_err(|fault| fault.to_string())?;
        self.money.read(&event);
        match text(&event, "type") {
            "stock.received" | "stock.opened" => self.change(&event, &event, OUTSIDE, text(&event, "status")),
            "stock.adjusted" if units(&event, "change") > 0 => {
                self.go(&event, &event, units(&event, "change"), OUTSIDE, text(&event, "status"))
            }
            "stock.adjusted" => {
                self.go(&event, &event, -units(&event, "change"), text(&event, "status"), OUTSIDE)
            }
            "stock.status_changed" => self.change(&event, &event, text(&event, "from"), text(&event, "to")),
            "stock.reserved" => self.change(&event, &event, "available", "reserved"),
            "stock.unreserved" | "stock.reservation_expired" => {
                self.change(&event, &event, "reserved", "available")
            }
            "stock.written_off" => self.change(&event, &event, text(&event, "status"), OUTSIDE),
            "orders.placed" => self.each(&event, "lines", |model, line| {
                model.line(&event, line)[0] = units(line, "quantity");
                Ok(())
            }),
            "orders.allocated" => self
                .each(&event, "claims", |model, claim| model.change(claim, claim, "available", "reserved")),
            "orders.refused" => self.each(&event, "lines", |model, line| {
                model.line(&event, line)[1] += units(line, "quantity");
                Ok(())
            }),
            "orders.cancelled" => self.each(&event, "lines", |model, line| {
                let waiting = units(line, "open") + units(line, "backordered");
                model.line(&event, line)[1] += waiting;
                model.each(line, "reserved", |model, back| {
                    model.line(&event, line)[1] += units(back, "quantity");
                    model.change(line, back, "reserved", "available")
                })
            }),
            "orders.hold_expired" => self.each(&event, "lines", |model, line| {
                model.each(line, "reserved", |model, back| model.change(line, back, "reserved", "available"))
            }),
            "fulfilment.planned" | "fulfilment.delivered" => Ok(()),
            "fulfilment.picked" => self.each(&event, "lines", |model, line| {
                if units(line, "quantity") > 0 {
                    model.change(line, &at(&event, line), "reserved", "picked")?;
                }
                let short = &line["short"];
                match short["outcome"].as_str() {
                    Some("adjust") => model.change(line, &at(&event, short), "reserved", OUTSIDE),
                    Some("quarantine") => model.change(line, &at(&event, short), "reserved", "quarantined"),
                    _ => Ok(()),
                }
            }),
            "fulfilment.packed" => self.each(&event, "lines", |model, line| {
                model.change(line, &at(&event, line), "picked", "packed")
            }),
            "fulfilment.shipped" => self.each(&event, "lines", |model, line| {
                model.line(&event, line)[2] += units(line, "quantity");
                *model.sold.entry(text(line, "sku").to_owned()).or_default() += units(line, "quantity");
                model.change(line, &at(&event, line), "packed", OUTSIDE)
            }),
            "returns.received" => self.each(&event, "lines", |model, line| {
                let (sku, came_back) = (text(line, "sku").to_owned(), units(line, "quantity"));
                model.change(line, &at(&event, line), OUTSIDE, "inspection")?;
                *model.came_in.entry(sku.clone()).or_default() -= came_back;
                *model.sold.entry(sku).or_default() -= came_back;
                Ok(())
            }),
            "returns.dispositioned" => {
                let to = match text(&event, "outcome") {
                    "restock" => "available",
                    "quarantine" => "quarantined",
                    "refurbish" => "refurbishing",
                    _ => OUTSIDE,
                };
                self.change(&event, &event, "inspection", to)
            }
            "returns.authorised" | "returns.inspected" | "returns.refunded" | "returns.expired" => Ok(()),
            "items.defined"
            | "items.activated"
            | "items.retired"
            | "locations.defined"
            | "customers.defined"
            | "channels.defined"
            | "ledger.created"
            | "ledger.rules_activated"
            | "orders.hold_limit_set"
            | "orders.closed"
            | "orders.archiving_set"
            | "orders.archived"
            | "orders.archiving_postponed"
            | "returns.window_set"
            | "orders.held"
            | "orders.hold_cleared"
            | "orders.released"
            | "orders.backordered"
            | "orders.invoiced"
            | "orders.completed"
            | "payments.captured"
            | "payments.refunded"
            | "finance.posted_manually" => Ok(()),
            unknown => Err(format!("the model does not know what {unknown} does to stock")),
        }
    }

    fn each(
        &mut self,
        event: &Value,
        list: &str,
        mut read: impl FnMut(&mut Model, &Value) -> Result<(), String>,
    ) -> Result<(), String> {
        event[list].as_array().into_iter().flatten().try_for_each(|line| read(self, line))
    }

    fn line(&mut self, event: &Value, line: &Value) -> &mut [i64; 3] {
        let number = line["line"].as_u64().unwrap_or_default();
        self.lines.entry((text(event, "order").to_owned(), number)).or_default()
    }

    /// Moves `quantity` of `at` between statuses of the item of `of` at the location of `at`.
    fn change(&mut self, of: &Value, at: &Value, from: &str, to: &str) -> Result<(), String> {
        self.go(of, at, units(at, "quantity"), from, to)
    }

    fn go(&mut self, of: &Value, at: &Value, moved: i64, from: &str, to: &str) -> Result<(), String> {
        let (sku, location) = (text(of, "sku").to_owned(), text(at, "location").to_owned());
        if moved <= 0 {
            return Err(format!("{moved} of {sku} went from {from} to {to} at {location}"));
        }
        if from == OUTSIDE {
            *self.came_in.entry(sku.clone()).or_default() += moved;
        } else {
            let left = self.units.entry((sku.clone(), location.clone(), from.to_owned())).or_default();
            *left -= moved;
            if *left < 0 {
                return Err(format!(
                    "{moved} of {sku} left {from} at {location}, which is short by {}",
                    -*left
                ));
            }
        }
        if to != OUTSIDE {
            *self.units.entry((sku, location, to.to_owned())).or_default() += moved;
        }
        Ok(())
    }

    /// Whether the ledger holds exactly this stock, and never promised or sold more than there was.
    pub(crate) fn agrees_with(&self, ledger: &Ledger) -> Result<(), String> {
        for ((sku, location, status), here) in &self.units {
            let item = Sku::try_new(sku).ok().and_then(|sku| ledger.items().row(&sku));
            let at =
                LocationId::try_new(location).ok().and_then(|location| ledger.locations().row(&location));
            let (Some(item), Some(at)) = (item, at) else {
                return Err(format!("{sku} at {location} is not known to the ledger"));
            };
            let status = Status::parse(status).ok_or_else(|| format!("{status} is no status"))?;
            let there = ledger.stock().quantity(item, at, status).units();
            if there != *here {
                return Err(format!(
                    "{sku} at {location}: the ledger has {there} {status}, the model {here}"
                ));
            }
        }
        let in_ledger = |(_, _, cell): (_, _, &ledger_core::stock::Cell)| -> i64 {
            Status::ALL.iter().map(|status| cell.quantity(*status)).sum::<Quantity>().units()
        };
        let (there, here): (i64, i64) =
            (ledger.stock().cells().map(in_ledger).sum(), self.units.values().sum());
        if there != here {
            return Err(format!("the ledger holds {there} units in all, the model {here}"));
        }
        self.money.agrees_with(ledger)?;
        self.never_oversold()
    }

    fn never_oversold(&self) -> Result<(), String> {
        for (sku, sold) in &self.sold {
            let came_in = self.came_in.get(sku).copied().unwrap_or_default();
            if *sold > came_in {
                return Err(format!("{sku}: {sold} sold, only {came_in} ever came in"));
            }
        }
        for ((order, line), [ordered, given_up, shipped]) in &self.lines {
            if given_up + shipped > *ordered {
                return Err(format!(
                    "order {order} line {line}: {shipped} shipped and {given_up} given up of {ordered}"
                ));
            }
        }
        Ok(())
    }
}

/// The quantity of a line at the location of its event.
fn at(event: &Value, line: &Value) -> Value {
    json!({"location": event["location"], "quantity": line["quantity"]})
}

fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field].as_str().unwrap_or_default()
}

fn units(value: &Value, field: &str) -> i64 {
    value[field].as_i64().unwrap_or_default()
}
