//! What one fold holds in memory: the ledger, and the orders in which views page over it.

use std::collections::BTreeSet;

use ledger_core::items::ItemKind;
use ledger_core::values::{LocationId, Sku, Timestamp};
use ledger_core::{Entry, Event, Ledger};
use serde::{Deserialize, Serialize};
use snapshots::Loaded;

use crate::named::Named;
use crate::order_places::{self, OrderBoard};
use crate::position::Position;
use crate::return_places::{self, ReturnBoard};
use crate::state_hashes::StateHashes;
use crate::subledgers::{Subledgers, cells_named};

/// A ledger with its ordered indexes and incremental totals. None of it decides anything.
#[derive(Debug, Default)]
pub(crate) struct Folded {
    pub(crate) ledger: Ledger,
    /// Every item and location that ever had stock of it, in the order of SKU, then location.
    pub(crate) cells: BTreeSet<(Sku, LocationId)>,
    /// Every stocked item, in the order of SKU.
    pub(crate) stocked: BTreeSet<Sku>,
    /// Every order, in the orders in which the order board shows them.
    pub(crate) order_board: OrderBoard,
    /// Every return, in the orders in which the return board shows them.
    pub(crate) return_board: ReturnBoard,
    /// What control accounts must tie out to.
    pub(crate) subledgers: Subledgers,
    /// The first invariant that an entry did not keep.
    pub(crate) first_broken: Option<Broken>,
    /// What the log records of states, and what ours were.
    pub(crate) state_hashes: StateHashes,
    /// First sequence and epoch of every writer's stretch of the log.
    epochs: Vec<Position>,
}

/// An invariant that an entry did not keep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Broken {
    /// The entry.
    pub(crate) sequence: u64,
    /// Which invariant, and where.
    pub(crate) what: String,
}

/// What stands beside the ledger in a snapshot: what cannot be seen in the ledger itself.
#[derive(Serialize, Deserialize)]
struct Beside {
    /// First sequence and epoch of every writer's stretch of the log.
    epochs: Vec<(u64, u64)>,
    first_broken: Option<Broken>,
}

/// The section of a snapshot that says it.
pub(crate) const BESIDE: &str = "views";

impl Folded {
    /// What a snapshot holds, as if the log had been folded up to there; what is wrong with it if it is none of ours.
    pub(crate) fn of(loaded: Loaded) -> Result<Folded, String> {
        let beside = loaded.beside(BESIDE).ok_or_else(|| format!("it has no section {BESIDE}"))?;
        let beside: Beside =
            serde_json::from_slice(beside).map_err(|fault| format!("section {BESIDE}: {fault}"))?;
        let epochs = beside.epochs.into_iter().map(|(epoch, sequence)| Position { epoch, sequence });
        let ledger = loaded.ledger;
        let mut state_hashes = StateHashes::default();
        state_hashes.found(loaded.state);
        let (items, locations) = (ledger.items(), ledger.locations());
        let cells = ledger.stock().cells();
        Ok(Folded {
            cells: cells.map(|(sku, at, _)| (items.sku(sku).clone(), locations.id(at).clone())).collect(),
            stocked: items
                .iter()
                .filter(|(_, _, item)| item.kind == ItemKind::Stocked)
                .map(|(_, sku, _)| sku.clone())
                .collect(),
            order_board: order_places::board_of(&ledger),
            return_board: return_places::board_of(&ledger),
            subledgers: Subledgers::of(&ledger),
            first_broken: beside.first_broken,
            state_hashes,
            epochs: epochs.collect(),
            ledger,
        })
    }

    /// What is to stand beside the ledger in a snapshot.
    pub(crate) fn beside(&self) -> Vec<u8> {
        let epochs = self.epochs.iter().map(|at| (at.epoch, at.sequence)).collect();
        let beside = Beside { epochs, first_broken: self.first_broken.clone() };
        serde_json::to_vec(&beside).expect("numbers and a text are JSON")
    }

    /// Folds the next entry in.
    pub(crate) fn apply(&mut self, entry: &Entry, epoch: u64, log_time: Timestamp) {
        self.apply_named(entry, &Named::by(entry), epoch, log_time);
    }

    /// The same, where what the entry names is gathered already.
    pub(crate) fn apply_named(&mut self, entry: &Entry, named: &Named, epoch: u64, log_time: Timestamp) {
        let sequence = self.ledger.head().sequence + 1;
        if self.epochs.last().is_none_or(|last| last.epoch != epoch) {
            self.epochs.push(Position { epoch, sequence });
        }
        let mut cells = cells_named(named, &self.ledger);
        self.subledgers.take_out(named, &cells, &self.ledger);
        let orders_before = order_places::named_by(named, &self.ledger);
        let returns_before = return_places::named_by(named, &self.ledger);
        if let Err(what) = self.ledger.apply(entry, log_time) {
            self.first_broken.get_or_insert(Broken { sequence, what });
        }
        // A cell that is there stays there, in its row.
        if cells.iter().any(Option::is_none) {
            let after = cells_named(named, &self.ledger);
            for ((cell, now), name) in cells.iter().zip(&after).zip(&named.cells) {
                if cell.is_none() && now.is_some() {
                    self.cells.insert(name.clone());
                }
            }
            cells = after;
        }
        self.subledgers.put_in(named, &cells, &self.ledger);
        self.order_board.follow(&orders_before, &order_places::named_by(named, &self.ledger));
        self.return_board.follow(&returns_before, &return_places::named_by(named, &self.ledger));
        for event in entry.events() {
            self.state_hashes.look_at(event);
            if let Event::ItemsDefined(item) = event
                && item.kind == ItemKind::Stocked
            {
                self.stocked.insert(item.sku.clone());
            }
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
}
