//! What a view reads from: the folded ledger in short slices, and the history of a key.

use std::time::{Duration, Instant};

use parking_lot::RwLock;
use snapshots::SnapshotSource;

use crate::as_of::AsOfWorker;
use crate::fault::Fault;
use crate::folded::Folded;
use crate::history::History;
use crate::query::QueryFault;
use crate::rows::Rows;

/// How long a query holds the read lock; the fold waits no longer for it.
const SLICE: Duration = Duration::from_micros(500);
/// Looking at the clock costs more than looking at a row.
const STEPS_A_LOOK: u32 = 32;

/// The state and history that a query answers from.
pub(crate) struct Source<'p> {
    pub(crate) state: State<'p>,
    pub(crate) history: History<'p>,
    pub(crate) as_of: &'p AsOfWorker,
    pub(crate) snapshots: Option<&'p dyn SnapshotSource>,
}

/// The folded state.
#[derive(Clone, Copy)]
pub(crate) enum State<'p> {
    /// As the fold goes on.
    Live(&'p RwLock<Folded>),
    /// As of a sequence.
    Fixed(&'p Folded),
}

/// How a slice of a scan ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scan {
    /// Nothing is left, or the page is full.
    Done,
    /// The slice's time is over.
    More,
}

/// The time of one slice.
pub(crate) struct Slice {
    started: Instant,
    steps: u32,
}

impl Slice {
    /// Counts a step; true when the time is over.
    pub(crate) fn is_over(&mut self) -> bool {
        self.steps += 1;
        self.steps.is_multiple_of(STEPS_A_LOOK) && self.started.elapsed() > SLICE
    }
}

impl Source<'_> {
    /// Looks at the state once, briefly.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&Folded) -> T) -> T {
        match self.state {
            State::Live(folded) => look(&folded.read()),
            State::Fixed(folded) => look(folded),
        }
    }

    /// BLAKE3 of the ledger at the position of the history. It takes long, so a fold of its own is asked: the live one
    /// goes on.
    pub(crate) fn ledger_hash(&self) -> Result<[u8; 32], Fault> {
        match self.state {
            State::Fixed(folded) => Ok(folded.ledger.hash()),
            State::Live(_) => {
                let History { upto, journal, .. } = self.history;
                Ok(self.as_of.state_after(upto, journal, self.snapshots)?.ledger.hash())
            }
        }
    }

    /// Scans the state in slices. Rows of one page hold at one position: when the fold moved on between slices, the
    /// page ends with what it has, or begins anew while it has nothing.
    pub(crate) fn scan(
        &self,
        rows: &mut Rows,
        mut slice: impl FnMut(&Folded, &mut Rows, &mut Slice) -> Result<Scan, QueryFault>,
    ) -> Result<(), QueryFault> {
        loop {
            let ended = self.look(|folded| {
                if !rows.is_empty() && rows.position() != folded.position() {
                    rows.cut();
                    return Ok(Scan::Done);
                }
                rows.hold_at(folded.position());
                slice(folded, rows, &mut Slice { started: Instant::now(), steps: 0 })
            })?;
            if ended == Scan::Done {
                return Ok(());
            }
        }
    }
}
