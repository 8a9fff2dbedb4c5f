//! Questions about the past: one at a time, and a few that wait.
//!
//! Each needs a ledger of its own, folded up to then: the third one in memory, beside the writer's and the views'. Those that
//! wait do so here, and not in the threads that answer everybody else.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use projections::{AsOf, Query};
use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::reply::{Problem, Reply};

/// More than so many do not wait.
const WAITING_MAX: usize = 8;
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// Whose turn it is to have the third ledger.
pub(super) struct Past {
    turn: Arc<Semaphore>,
    waiting: AtomicUsize,
    /// The views are folded anew: the third ledger is theirs.
    taken: AtomicBool,
}

impl Default for Past {
    fn default() -> Self {
        let turn = Arc::new(Semaphore::new(1));
        Past { turn, waiting: AtomicUsize::new(0), taken: AtomicBool::new(false) }
    }
}

/// Whether a question is answered by a ledger folded up to then.
pub(super) fn is_about_the_past(query: &Query) -> bool {
    query.as_of.is_some_and(|as_of| as_of != AsOf::default())
        // The hash of the live ledger is taken from a fold of its own.
        || query.filter.get("ledger_hash") == Some(&Value::Bool(true))
}

impl Past {
    /// Waits for the turn to ask; keep it until the question is answered.
    pub(super) async fn turn(&self) -> Result<OwnedSemaphorePermit, Reply> {
        self.check_not_taken()?;
        let _place = self.place()?;
        let turn = Arc::clone(&self.turn).acquire_owned().await.expect("it is never closed");
        self.check_not_taken()?;
        Ok(turn)
    }

    /// Takes the third ledger's place, when the question that is being answered is; those that wait are sent away. Blocks.
    pub(super) fn take(&self) -> TakenPlace<'_> {
        self.taken.store(true, Ordering::Release);
        loop {
            match Arc::clone(&self.turn).try_acquire_owned() {
                Ok(turn) => return TakenPlace { past: self, _turn: turn },
                Err(_) => std::thread::sleep(LOOK_AGAIN),
            }
        }
    }

    fn place(&self) -> Result<Place<'_>, Reply> {
        let before = self.waiting.fetch_add(1, Ordering::AcqRel);
        let place = Place(&self.waiting);
        if before < WAITING_MAX {
            return Ok(place);
        }
        Err(busy(&format!("{WAITING_MAX} questions about the past wait already: ask again in a while")))
    }

    fn check_not_taken(&self) -> Result<(), Reply> {
        if self.taken.load(Ordering::Acquire) {
            return Err(busy("the views are being folded anew: ask about the past when that is done"));
        }
        Ok(())
    }
}

fn busy(why: &str) -> Reply {
    Reply::Busy(Problem::new("as_of_busy", why))
}

/// One that waits.
struct Place<'p>(&'p AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// The third ledger's place, until it is dropped.
pub(super) struct TakenPlace<'p> {
    past: &'p Past,
    _turn: OwnedSemaphorePermit,
}

impl Drop for TakenPlace<'_> {
    fn drop(&mut self) {
        self.past.taken.store(false, Ordering::Release);
    }
}
