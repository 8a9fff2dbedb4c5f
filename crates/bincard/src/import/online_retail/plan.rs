//! The plan: invoices as a list of commands that is the same every time it is made.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, NaiveTime, Utc};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::credit;
use super::invoice::{Invoice, Split, read_invoices};
use super::matching::Purchases;
use super::read::ReadError;
use super::sale;
pub use crate::import::planned::{Move, Planned, Repeat};

/// The one place where the shop's goods are.
pub const LOCATION: &str = "online-retail";
/// The one channel on which it sells.
pub const CHANNEL: &str = "online-retail";

/// What the file does not say and the import assumes.
#[derive(Clone, Copy, Debug)]
pub struct Assumptions {
    /// A unit's cost is this part of the SKU's first price that is not zero.
    pub cost_ratio: Decimal,
}

impl Default for Assumptions {
    fn default() -> Assumptions {
        Assumptions { cost_ratio: Decimal::new(60, 2) }
    }
}

/// What the file says about a SKU as a whole.
#[derive(Clone, Debug, Default)]
pub struct Item {
    /// Its first description.
    pub name: Option<Arc<str>>,
    /// Its first price that is not zero: what costs are derived from.
    pub first_price: Option<Decimal>,
}

/// Invoices, and what must be defined before they can be commands.
#[derive(Debug)]
pub struct Plan {
    /// In order of (time, number as text).
    pub invoices: Vec<Invoice>,
    /// Everything that is stock.
    pub items: BTreeMap<Arc<str>, Item>,
    /// Everyone with a number.
    pub customers: BTreeSet<Arc<str>>,
    /// What the costs rest on.
    pub assumptions: Assumptions,
}

impl Plan {
    /// Reads files and plans them.
    pub fn read(files: &[PathBuf], assumptions: Assumptions) -> Result<Plan, ReadError> {
        Ok(Plan::new(read_invoices(files)?, assumptions))
    }

    /// Plans invoices that are in order.
    pub fn new(invoices: Vec<Invoice>, assumptions: Assumptions) -> Plan {
        let mut items: BTreeMap<Arc<str>, Item> = BTreeMap::new();
        for invoice in &invoices {
            let Split { found, returned, sold, lost, .. } = invoice.split();
            for line in [found, returned, sold, lost].into_iter().flatten() {
                let item = items.entry(Arc::clone(&line.sku)).or_default();
                // A description without a price explains an adjustment ("broken"); it is no name.
                if item.name.is_none() && !line.price.is_zero() {
                    item.name.clone_from(&line.description);
                }
                if item.first_price.is_none() && !line.price.is_zero() {
                    item.first_price = Some(line.price);
                }
            }
        }
        let customers = invoices.iter().filter_map(|invoice| invoice.customer.clone()).collect();
        Plan { invoices, items, customers, assumptions }
    }

    /// The same history with the lines of one SKU alone.
    pub fn of_sku(&self, sku: &str) -> Plan {
        let keep = |invoice: &Invoice| {
            let lines: Vec<_> = invoice.lines.iter().filter(|line| &*line.sku == sku).cloned().collect();
            (!lines.is_empty()).then(|| Invoice { lines, ..invoice.clone() })
        };
        Plan::new(self.invoices.iter().filter_map(keep).collect(), self.assumptions)
    }

    /// What must be there first: the location, the channel, items and customers.
    pub fn definitions(&self) -> impl Iterator<Item = Planned> + '_ {
        let location = json!({"location": LOCATION, "name": "Online Retail warehouse", "kind": "warehouse"});
        let channel = json!({
            "channel": CHANNEL, "name": "Online Retail", "kind": "web", "settlement": "prepaid",
            "oversell": "refuse", "partial_shipment": "allowed", "locations": [LOCATION],
        });
        let customers = self.customers.iter().map(|customer| {
            definition(format!("or/customer/{customer}"), "customers.define", json!({"customer": **customer}))
        });
        let items = self.items.iter().flat_map(|(sku, item)| {
            let name = item.name.as_deref().unwrap_or(sku);
            let define = json!({"sku": **sku, "name": name, "kind": "stocked", "costing": "fifo"});
            let define = definition(format!("or/item/{sku}"), "items.define", define);
            let activate = definition(format!("or/activate/{sku}"), "items.activate", json!({"sku": **sku}));
            [Planned { repeat: Repeat::Keep, ..define }, activate]
        });
        [
            definition(format!("or/location/{LOCATION}"), "locations.define", location),
            definition(format!("or/channel/{CHANNEL}"), "channels.define", channel),
        ]
        .into_iter()
        .chain(customers)
        .chain(items)
    }

    /// The commands of each invoice, in the order in which they are to be sent. What comes in precedes what goes out.
    pub fn trading(&self) -> impl Iterator<Item = Vec<Planned>> + '_ {
        let mut purchases = Purchases::of(&self.invoices);
        self.invoices.iter().map(move |invoice| {
            let split = invoice.split();
            let mut steps = Steps { plan: self, invoice, planned: Vec::new() };
            credit::goods(&mut steps, &split.returned, &mut purchases);
            credit::charges(&mut steps, &split.credited);
            sale::adjustments(&mut steps, split.found.iter().chain(&split.lost));
            sale::order(&mut steps, &split);
            sale::fees_and_bad_debts(&mut steps, &split);
            purchases.remember(invoice, &split.sold);
            steps.planned
        })
    }

    /// The day on which the history begins, at midnight.
    pub fn begins_at(&self) -> Option<DateTime<Utc>> {
        self.invoices
            .first()
            .map(|invoice| invoice.at.with_time(NaiveTime::MIN).single().unwrap_or(invoice.at))
    }

    /// The assumed cost of a unit that was sold at a price.
    pub(super) fn cost(&self, price: Decimal) -> String {
        (price * self.assumptions.cost_ratio).round_dp(6).normalize().to_string()
    }

    /// The assumed cost of a unit; a SKU that never had a price costs nothing.
    pub(super) fn cost_of(&self, sku: &str) -> String {
        let first_price = self.items.get(sku).and_then(|item| item.first_price);
        self.cost(first_price.unwrap_or_default())
    }
}

fn definition(command_id: String, name: &'static str, body: Value) -> Planned {
    Planned { command_id, name, body, effective_at: None, repeat: Repeat::Same, moves: Vec::new() }
}

/// Collects the commands of one invoice.
pub(super) struct Steps<'a> {
    pub(super) plan: &'a Plan,
    pub(super) invoice: &'a Invoice,
    pub(super) planned: Vec<Planned>,
}

impl Steps<'_> {
    /// Adds a command; `step` follows the invoice's number in the id.
    pub(super) fn push(&mut self, step: &str, name: &'static str, body: Value) -> &mut Planned {
        self.planned.push(Planned {
            command_id: format!("or/{}/{step}", self.invoice.number),
            name,
            body,
            effective_at: Some(self.invoice.at),
            repeat: Repeat::Same,
            moves: Vec::new(),
        });
        self.planned.last_mut().expect("just pushed")
    }

    /// Adds who and where to a body that wants it.
    pub(super) fn customer_and_country(&self, body: &mut Value) {
        if let Some(customer) = &self.invoice.customer {
            body["customer"] = json!(**customer);
        }
        body["country"] = json!(*self.invoice.country);
    }
}

/// An amount as commands want it, with both decimals.
pub(super) fn money(amount: Decimal) -> String {
    format!("{amount:.2}")
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
