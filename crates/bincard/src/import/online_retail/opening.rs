//! The stock to begin with: the least that never goes under zero over the very commands that will be sent.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use serde_json::json;

use super::plan::{LOCATION, Plan, Planned, Repeat};

/// What the ledger that is imported into knows already.
pub trait Recorded {
    /// Units of a SKU at the import's location that can be sold now.
    fn on_hand(&self, sku: &str) -> i64;
    /// Whether a SKU has had any stock movement.
    fn has_moved(&self, sku: &str) -> bool;
    /// Whether a command is known, and with the same body.
    fn recall(&self, planned: &Planned) -> Recall;
}

/// What a ledger says about a command id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recall {
    /// It never heard of it.
    Unknown,
    /// It has this very command.
    Same,
    /// It has another command under this id.
    Other,
}

/// A ledger in which nothing has happened.
#[derive(Clone, Copy, Debug)]
pub struct Empty;

impl Recorded for Empty {
    fn on_hand(&self, _: &str) -> i64 {
        0
    }

    fn has_moved(&self, _: &str) -> bool {
        false
    }

    fn recall(&self, _: &Planned) -> Recall {
        Recall::Unknown
    }
}

/// What to do about stock that must have been there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OpeningMode {
    /// Opens a SKU once, and stops if a later file needs more than there is.
    #[default]
    Once,
    /// Opens a SKU again by what is missing.
    TopUp,
    /// Opens nothing; what is not there is refused.
    None,
}

/// Units per SKU that must be there before the first command.
pub type Opening = BTreeMap<Arc<str>, i64>;

/// SKUs that have moved already and of which a further file needs more than there is.
#[derive(Debug, PartialEq, Eq)]
pub struct Shortfall(pub Opening);

impl fmt::Display for Shortfall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units: i64 = self.0.values().sum();
        writeln!(
            f,
            "{} SKUs that were opened before need {units} units more than there are; nothing was imported. \
             `--opening top-up` opens what is missing, `--opening none` lets those orders be refused.",
            self.0.len()
        )?;
        for (sku, units) in self.0.iter().take(10) {
            writeln!(f, "  {sku}: {units} missing")?;
        }
        if self.0.len() > 10 {
            writeln!(f, "  and {} more", self.0.len() - 10)?;
        }
        Ok(())
    }
}

impl std::error::Error for Shortfall {}

/// The least opening stock, on top of what the ledger has: for each SKU as much as the commands that it does not know
/// yet would take it below zero. SKUs that need nothing are left out.
pub fn least(plan: &Plan, ledger: &impl Recorded) -> Opening {
    struct Level {
        now: i64,
        lowest: i64,
    }
    let mut levels: HashMap<Arc<str>, Level> = HashMap::with_capacity(plan.items.len());
    for invoice in plan.trading() {
        let is_done = invoice
            .first()
            .is_some_and(|first| first.repeat == Repeat::Invoice && ledger.recall(first) == Recall::Other);
        if is_done {
            continue;
        }
        for command in invoice.iter().filter(|command| !command.moves.is_empty()) {
            if ledger.recall(command) != Recall::Unknown {
                continue;
            }
            for moved in &command.moves {
                let level = levels.entry(Arc::clone(&moved.sku)).or_insert_with(|| {
                    let now = ledger.on_hand(&moved.sku);
                    Level { now, lowest: now }
                });
                level.now = level.now.saturating_add(moved.change);
                level.lowest = level.lowest.min(level.now);
            }
        }
    }
    levels
        .into_iter()
        .filter(|(_, level)| level.lowest < 0)
        .map(|(sku, level)| (sku, level.lowest.saturating_neg()))
        .collect()
}

/// The first command that is refused if a SKU is opened with no more than these units, in a ledger where nothing else
/// is: none if they are enough.
pub fn first_refused(plan: &Plan, sku: &str, units: i64) -> Option<Planned> {
    let mut level = units;
    plan.trading().flatten().find(|command| {
        for moved in command.moves.iter().filter(|moved| &*moved.sku == sku) {
            level = level.saturating_add(moved.change);
        }
        level < 0
    })
}

/// The commands that open what is needed.
pub fn commands(plan: &Plan, ledger: &impl Recorded, mode: OpeningMode) -> Result<Vec<Planned>, Shortfall> {
    if mode == OpeningMode::None {
        return Ok(Vec::new());
    }
    let needed = least(plan, ledger);
    let (again, first): (Opening, Opening) = needed.into_iter().partition(|(sku, _)| ledger.has_moved(sku));
    if mode == OpeningMode::Once && !again.is_empty() {
        return Err(Shortfall(again));
    }
    let begin = plan.invoices.first().map_or("", |invoice| &*invoice.number);
    let opens = first.iter().map(|(sku, units)| open(plan, format!("or/open/{sku}"), sku, *units));
    let top_ups =
        again.iter().map(|(sku, units)| open(plan, format!("or/top-up/{begin}/{sku}"), sku, *units));
    Ok(opens.chain(top_ups).collect())
}

fn open(plan: &Plan, command_id: String, sku: &Arc<str>, units: i64) -> Planned {
    let unit_cost = plan.cost_of(sku);
    Planned {
        command_id,
        name: "stock.open",
        body: json!({"sku": **sku, "location": LOCATION, "quantity": units, "unit_cost": unit_cost}),
        effective_at: plan.begins_at(),
        repeat: Repeat::Keep,
        moves: vec![super::plan::Move { sku: Arc::clone(sku), change: units }],
    }
}

#[cfg(test)]
#[path = "opening_tests.rs"]
mod tests;
