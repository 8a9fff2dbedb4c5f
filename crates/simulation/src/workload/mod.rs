//! What clients ask for: mostly the next sensible thing for the shop as it is, sometimes nonsense.

mod after_sale;
mod orders;
mod parcels;
mod policies;
mod set_up;
mod shelf;

use fastrand::Rng;
use serde_json::Value;
use uuid::Uuid;

use crate::ask::{Ask, Command};
use crate::model::Shop;

use policies::policy;
pub(crate) use set_up::{CHANNELS, LOCATIONS, SKUS, set_up};

const HOUR_MICROS: i64 = 3_600_000_000;
/// No run of a world lasts as long.
const YEAR_MICROS: i64 = 365 * 24 * HOUR_MICROS;

/// A command's name and body.
pub(crate) type Named = (&'static str, Value);

/// How a seed's clients behave: some seeds have one item that everybody wants, some send batches, some cheat.
#[derive(Debug, Clone)]
pub(crate) struct Workload {
    /// Percent of lines that are for the first item.
    hot_percent: u8,
    batch_percent: u8,
    dry_run_percent: u8,
    backdated_percent: u8,
    nonsense_percent: u8,
    /// Percent of commands that leave their document without an id.
    nameless_percent: u8,
    weights: [u32; 8],
    /// How far ahead the ends of claims and returns are that are to come within the run, in microseconds.
    soon_micros: i64,
    documents: u64,
}

impl Workload {
    pub(crate) fn new(rng: &mut Rng) -> Self {
        let mut percent = |often: &[u8]| often[rng.usize(..often.len())];
        Workload {
            hot_percent: percent(&[0, 30, 90]),
            batch_percent: percent(&[0, 5, 20]),
            dry_run_percent: percent(&[0, 3, 10]),
            backdated_percent: percent(&[0, 10, 30]),
            nonsense_percent: percent(&[1, 5, 15]),
            nameless_percent: percent(&[0, 10]),
            weights: [1, 3, 4, 1, 6, 6, 5, 1].map(|weight| weight * u32::from(percent(&[1, 1, 2, 4]))),
            soon_micros: [500_000, 3_000_000, 60_000_000, 3 * HOUR_MICROS][rng.usize(..4)],
            documents: 0,
        }
    }

    /// The next thing to ask for, under this id.
    pub(crate) fn next(&mut self, shop: &Shop, rng: &mut Rng, id: &str, now: i64) -> Ask {
        let many = rng.u8(..100) < self.batch_percent;
        let count = if many { rng.usize(2..6) } else { 1 };
        let mut commands = Vec::new();
        for at in 0..count {
            let (name, body) = self.one(shop, rng, now);
            // One id may stand twice in a batch: that is refused.
            let same_id = at > 0 && rng.u8(..100) < 2;
            let id = if at == 0 || same_id { id.to_owned() } else { format!("{id}.{at}") };
            commands.push(self.command(rng, id, (name, body), now));
        }
        Ask { commands, dry_run: rng.u8(..100) < self.dry_run_percent }
    }

    pub(crate) fn command(&self, rng: &mut Rng, id: String, (name, body): Named, now: i64) -> Command {
        let effective_at = (rng.u8(..100) < self.backdated_percent).then(|| {
            let hours = rng.i64(0..72);
            // A few are said to be true in the future, which is refused.
            if rng.u8(..100) < 5 { now + 3_600_000_000 } else { now - hours * 3_600_000_000 - 60_000_000 }
        });
        Command { id, name, body, effective_at, assigned: Uuid::from_u128(rng.u128(..)) }
    }

    fn one(&mut self, shop: &Shop, rng: &mut Rng, now: i64) -> Named {
        if rng.u8(..100) < self.nonsense_percent {
            return self.nonsense(shop, rng, now);
        }
        let mut pick = rng.u32(..self.weights.iter().sum::<u32>());
        let what = self.weights.iter().position(|weight| {
            let hit = pick < *weight;
            pick = pick.saturating_sub(*weight);
            hit
        });
        match what.unwrap_or_default() {
            0 => self.goods_in(rng),
            1 => self.on_the_shelf(shop, rng, now),
            2 => self.place(shop, rng, now),
            3 => self.on_an_order(shop, rng),
            4 => self.pay(shop, rng),
            5 => self.fulfil(shop, rng),
            6 => self.after_sale(shop, rng, now),
            _ => self.by_hand(rng),
        }
    }

    /// An id of its own for a new document, or none at all.
    fn document(&mut self, rng: &mut Rng, field: &str, kind: &str, body: &mut Value) {
        if rng.u8(..100) >= self.nameless_percent {
            self.documents += 1;
            body[field] = format!("{kind}{}", self.documents).into();
        }
    }

    /// When a claim or a return is to end: mostly within the run, sometimes after it, rarely before it began. Now and then
    /// at a full second, so that several end together.
    fn end(&self, rng: &mut Rng, now: i64) -> Value {
        let end = match rng.u8(..60) {
            0 => now - YEAR_MICROS,
            1..10 => now + YEAR_MICROS,
            _ => now + rng.i64(1..self.soon_micros),
        };
        time(if rng.bool() { end } else { end / 1_000_000 * 1_000_000 + 1_000_000 })
    }

    fn sku(&self, rng: &mut Rng) -> &'static str {
        if rng.u8(..100) < self.hot_percent { SKUS[0] } else { SKUS[rng.usize(..SKUS.len())] }
    }
}

/// One of them, if there are any.
fn one_of<'a, T>(all: &'a [T], rng: &mut Rng) -> Option<&'a T> {
    if all.is_empty() { None } else { Some(&all[rng.usize(..all.len())]) }
}

/// A time as clients write it.
fn time(micros: i64) -> Value {
    ledger_core::values::Timestamp::from_micros(micros).to_string().into()
}

/// An amount as clients write it.
fn money(minor_units: i64) -> Value {
    format!("{}.{:02}", minor_units / 100, minor_units % 100).into()
}

/// A price with three places, so that costs do not divide evenly.
fn price(rng: &mut Rng, thousandths_max: u32) -> Value {
    let thousandths = rng.u32(..thousandths_max);
    format!("{}.{:03}", thousandths / 1000, thousandths % 1000).into()
}
