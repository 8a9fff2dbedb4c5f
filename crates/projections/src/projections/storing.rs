//! Writing the index's tail when it is due. A store that takes no writes, on a full disk, does not stop the fold: answers
//! come from the tail in memory meanwhile, and the store is tried again after a pause.

use std::time::{Duration, Instant};

use journal::Head;

use super::Projections;
use crate::fault::Fault;
use crate::index::Checkpoint;

/// The pause after the first failure; it doubles with each one that follows.
const PAUSE: Duration = Duration::from_millis(500);
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// A tail of so many runs takes some 100 MB. A store that is away for longer stops the fold.
const RUNS_IN_MEMORY_MAX: usize = 32;

/// A store that does not take writes.
#[derive(Debug)]
pub(super) struct Trouble {
    why: String,
    pause: Duration,
    again_at: Instant,
}

impl Projections {
    /// Writes the index's tail and how far it reaches. Done by itself whenever the tail fills a run, and to be done at
    /// a clean stop.
    pub fn checkpoint(&self) -> Result<(), Fault> {
        let head = self.0.head.lock();
        self.write_checkpoint(&head)
    }

    /// Why the store takes no writes; `None` while it does.
    pub fn store_trouble(&self) -> Option<String> {
        self.0.trouble.lock().as_ref().map(|trouble| trouble.why.clone())
    }

    /// Tries a store again that took no writes, if its pause is over. For whoever folds, while there is nothing to fold.
    pub fn retry_store(&self) -> Result<(), Fault> {
        if self.0.trouble.lock().is_none() {
            return Ok(());
        }
        let head = self.0.head.lock();
        self.write_if_due(&head)
    }

    pub(super) fn write_if_due(&self, head: &Head) -> Result<(), Fault> {
        if !self.0.index.is_due() {
            return Ok(());
        }
        let mut trouble = self.0.trouble.lock();
        if trouble.as_ref().is_some_and(|trouble| Instant::now() < trouble.again_at) {
            return Ok(());
        }
        match self.write_checkpoint(head) {
            Ok(()) => {
                if trouble.take().is_some() {
                    tracing::info!("the projections folder takes writes again");
                }
                Ok(())
            }
            Err(fault @ Fault::Store { .. }) if self.0.index.runs_in_tail() < RUNS_IN_MEMORY_MAX => {
                let pause = trouble.as_ref().map_or(PAUSE, |before| (before.pause * 2).min(PAUSE_MAX));
                tracing::error!(%fault, again_in_ms = pause.as_millis() as u64, "the index stays in memory");
                *trouble = Some(Trouble { why: fault.to_string(), pause, again_at: Instant::now() + pause });
                Ok(())
            }
            Err(fault) => Err(fault),
        }
    }

    fn write_checkpoint(&self, head: &Head) -> Result<(), Fault> {
        let Head { ledger, sequence, event, hash, .. } = *head;
        self.0.index.write_tail(Checkpoint { ledger, sequence, event, hash })?;
        self.merge_if_due();
        Ok(())
    }
}
