//! What one fold holds in memory: the ledger, and the orders in which views page over it.

use std::collections::BTreeSet;

use ledger_core::books::{Place, StatusGroup};
use ledger_core::state::Row;
use ledger_core::values::{Amount, LocationId, Sku, Timestamp};
use ledger_core::{Entry, Fact, Ledger};
use smallvec::SmallVec;

use crate::position::Position;

/// A ledger with its ordered indexes and incremental totals. None of it decides anything.
#[derive(Default)]
pub(crate) struct Folded {
    pub(crate) ledger: Ledger,
    /// Every item and location that ever had stock of it, in the order of SKU, then location.
    pub(crate) cells: BTreeSet<(Sku, LocationId)>,
    /// What the cost pools of a group hold, over all items and locations.
    pub(crate) pool_values: [Amount; StatusGroup::COUNT],
    /// The first invariant that an entry did not keep.
    pub(crate) first_broken: Option<Broken>,
    /// First sequence and epoch of every writer's stretch of the log.
    epochs: Vec<Position>,
}

/// An invariant that an entry did not keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Broken {
    /// The entry.
    pub(crate) sequence: u64,
    /// Which invariant, and where.
    pub(crate) what: String,
}

type Cells = SmallVec<[(Row, Row); 8]>;

impl Folded {
    /// Folds the next entry in.
    pub(crate) fn apply(&mut self, entry: &Entry, epoch: u64, log_time: Timestamp) {
        let sequence = self.ledger.head().sequence + 1;
        if self.epochs.last().is_none_or(|last| last.epoch != epoch) {
            self.epochs.push(Position { epoch, sequence });
        }
        let cells_before = self.cells_of(entry);
        self.count_pools(&cells_before, |total, value| *total -= value);
        if let Err(what) = self.ledger.apply(entry, log_time) {
            self.first_broken.get_or_insert(Broken { sequence, what });
        }
        let cells_after = self.cells_of(entry);
        self.count_pools(&cells_after, |total, value| *total += value);
        for (item, location) in cells_after.iter().filter(|cell| !cells_before.contains(cell)) {
            let sku = self.ledger.items().sku(*item).clone();
            self.cells.insert((sku, self.ledger.locations().id(*location).clone()));
        }
    }

    /// How far the log is folded in.
    pub(crate) fn position(&self) -> Position {
        let sequence = self.ledger.head().sequence;
        Position { epoch: self.epochs.last().map_or(0, |last| last.epoch), sequence }
    }

    /// The position of an entry that is folded in.
    pub(crate) fn position_at(&self, sequence: u64) -> Option<Position> {
        if sequence > self.ledger.head().sequence {
            return None;
        }
        let stretch = self.epochs.partition_point(|start| start.sequence <= sequence);
        let epoch = stretch.checked_sub(1).map_or(0, |place| self.epochs[place].epoch);
        Some(Position { epoch, sequence })
    }

    /// The cells that the entry moves units in or out of and that are there, each once.
    fn cells_of(&self, entry: &Entry) -> Cells {
        let mut cells = Cells::new();
        for event in entry.events() {
            event.movements(&mut |movement| {
                for place in [movement.from, movement.to] {
                    let Place::Stock(location, _) = place else { continue };
                    let item = self.ledger.items().row(movement.sku);
                    let cell = item.zip(self.ledger.locations().row(location));
                    cells.extend(cell.filter(|(item, at)| self.ledger.stock().cell(*item, *at).is_some()));
                }
            });
        }
        cells.sort_unstable();
        cells.dedup();
        cells
    }

    fn count_pools(&mut self, cells: &Cells, count: impl Fn(&mut Amount, Amount)) {
        for (item, location) in cells {
            let Some(cell) = self.ledger.stock().cell(*item, *location) else { continue };
            for group in StatusGroup::ALL {
                count(&mut self.pool_values[group.index()], cell.group_value(*group));
            }
        }
    }
}
