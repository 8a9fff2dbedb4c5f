//! Where units of the naive shop are, and what they cost: layers, oldest first, or an average.

use std::collections::{BTreeMap, BTreeSet};

use super::dues::Places;
use super::read::round;
use super::{Fact, Move, Shop};

/// Units that came in together: how many, at which cost, since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) units: i64,
    pub(crate) value: i64,
    pub(crate) received_at: i64,
}

#[derive(Debug, Clone)]
pub(crate) struct Claim {
    pub(crate) sku: String,
    pub(crate) location: String,
    pub(crate) units: i64,
    /// When it ends by itself.
    pub(crate) until: Option<i64>,
    pub(super) place: usize,
}

type Cell = (String, String, &'static str);

#[derive(Debug, Clone, Default)]
pub(crate) struct Stock {
    /// Units by item, location and status.
    pub(crate) units: BTreeMap<Cell, i64>,
    /// Costs by item, location and group of statuses, oldest first; one part where an average is kept.
    pools: BTreeMap<Cell, Vec<Part>>,
    averages: BTreeSet<String>,
    /// Millionths.
    pub(super) last_cost: BTreeMap<String, i64>,
    pub(crate) claims: BTreeMap<String, Claim>,
    places: Places,
}

/// Where units are.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place<'p> {
    At(&'p str, &'static str),
    World(&'static str),
}

pub(super) fn group_of(status: &str) -> &'static str {
    match status {
        "available" | "reserved" | "picked" | "packed" => "sellable",
        "inspection" => "inspection",
        "quarantined" | "damaged" => "impaired",
        "refurbishing" => "refurbishing",
        _ => "in_transit",
    }
}

/// What the first `units` units of a part cost.
fn first_of(whole: Part, units: i64) -> Part {
    Part { units, value: round(whole.value, units, whole.units), received_at: whole.received_at }
}

/// What `wanted` units cost of an issue, behind the first `before` of it.
pub(super) fn of_issue(issue: &[Part], before: i64, wanted: i64) -> Vec<Part> {
    let (mut skip, mut left, mut taken) = (before, wanted, Vec::new());
    for whole in issue {
        let skipped = skip.min(whole.units);
        let units = left.min(whole.units - skipped);
        skip -= skipped;
        left -= units;
        if units > 0 {
            let value = super::part(whole.value, skipped, units, whole.units);
            taken.push(Part { units, value, received_at: whole.received_at });
        }
    }
    taken
}

pub(super) fn value_of(parts: &[Part]) -> i64 {
    parts.iter().map(|part| part.value).sum()
}

impl Stock {
    pub(crate) fn at(&self, sku: &str, location: &str, status: &'static str) -> i64 {
        self.units.get(&(sku.to_owned(), location.to_owned(), status)).copied().unwrap_or_default()
    }

    /// Units of an item that are anywhere.
    pub(crate) fn of_item(&self, sku: &str) -> i64 {
        self.units.iter().filter(|(cell, _)| cell.0 == sku).map(|(_, units)| units).sum()
    }

    pub(super) fn add_claim(&mut self, id: String, claim: Claim) {
        let place = self.places.take();
        self.claims.insert(id, Claim { place, ..claim });
    }

    pub(super) fn drop_claim(&mut self, id: &str) {
        if let Some(claim) = self.claims.remove(id) {
            self.places.give_back(claim.place);
        }
    }

    pub(super) fn pool(&self, sku: &str, location: &str, group: &'static str) -> &[Part] {
        self.pools.get(&(sku.to_owned(), location.to_owned(), group)).map_or(&[], Vec::as_slice)
    }

    /// What the next units to leave cost.
    pub(super) fn issue(&self, sku: &str, location: &str, group: &'static str, wanted: i64) -> Vec<Part> {
        let (mut left, mut parts) = (wanted, Vec::new());
        for layer in self.pool(sku, location, group) {
            if left > 0 {
                let part = first_of(*layer, left.min(layer.units));
                left -= part.units;
                parts.push(part);
            }
        }
        parts
    }

    fn take(&mut self, cell: Cell, parts: &[Part]) {
        let pool = self.pools.entry(cell).or_default();
        for part in parts {
            let first = pool.first_mut().expect("what leaves was there");
            first.units -= part.units;
            first.value -= part.value;
            if first.units == 0 {
                assert_eq!(first.value, 0, "no units have no value");
                pool.remove(0);
            }
        }
    }

    fn put(&mut self, cell: Cell, parts: &[Part]) {
        let average = self.averages.contains(&cell.0);
        let pool = self.pools.entry(cell).or_default();
        for part in parts {
            match pool.first_mut() {
                Some(first) if average => {
                    first.units += part.units;
                    first.value += part.value;
                }
                None if average => pool.push(Part { received_at: 0, ..*part }),
                _ => {
                    let at = pool.iter().position(|layer| layer.received_at > part.received_at);
                    pool.insert(at.unwrap_or(pool.len()), *part);
                }
            }
        }
    }
}

/// A movement that is being made: of what, how many, at which cost.
pub(super) struct Goods<'g> {
    pub(super) sku: &'g str,
    pub(super) units: i64,
    pub(super) parts: &'g [Part],
}

impl Shop {
    /// Moves units and their cost, and notes it on the fact.
    pub(super) fn go(&mut self, fact: &mut Fact, goods: &Goods<'_>, from: Place<'_>, to: Place<'_>) {
        let Goods { sku, units, parts } = *goods;
        let named = |place: Place<'_>| match place {
            Place::At(location, status) => format!("{status}@{location}"),
            Place::World(world) => world.to_owned(),
        };
        let value = value_of(parts);
        fact.moves.push(Move { sku: sku.to_owned(), from: named(from), to: named(to), units, value });
        if self.items.get(sku).is_some_and(|item| item.average) {
            self.stock.averages.insert(sku.to_owned());
        }
        let cell = |location: &str, what: &'static str| (sku.to_owned(), location.to_owned(), what);
        if let Place::At(location, status) = from {
            let there = self.stock.units.entry(cell(location, status)).or_default();
            *there -= units;
            assert!(*there >= 0, "the naive shop sold what it did not have");
            self.stock.take(cell(location, group_of(status)), parts);
        }
        if let Place::At(location, status) = to {
            *self.stock.units.entry(cell(location, status)).or_default() += units;
            self.stock.put(cell(location, group_of(status)), parts);
        }
        if let Place::World("supplier" | "opening" | "adjustment") = from {
            self.stock.last_cost.insert(sku.to_owned(), round(value, 10_000, units));
        }
    }
}
