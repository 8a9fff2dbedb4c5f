//! The projections' thread: folds durable frames in order, and tells how far it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use journal::JournalRead;
use projections::{Fault, Position, Projections};
use tokio::sync::watch;

/// Without being woken the thread looks this often.
const IDLE: Duration = Duration::from_millis(200);

/// All that the projections' thread works with.
pub(super) struct Reading {
    pub(super) projections: Projections,
    pub(super) journal: Arc<dyn JournalRead>,
    pub(super) position: watch::Sender<Position>,
    /// No more frames will come.
    pub(super) ending: Arc<AtomicBool>,
    /// Why the views do not move any more, once that is so.
    pub(super) stopped: watch::Sender<Option<String>>,
}

impl Reading {
    /// Runs until no more frames will come and all are folded in.
    pub(super) fn run(self) -> Result<(), Fault> {
        let folded = self.fold_all();
        if let Err(fault) = &folded {
            tracing::error!(%fault, "the views stand still until a restart");
            self.stopped.send_replace(Some(fault.to_string()));
        }
        folded
    }

    fn fold_all(&self) -> Result<(), Fault> {
        let mut frames = self.journal.frames_from(self.projections.position().sequence + 1)?;
        loop {
            let ending = self.ending.load(Ordering::Acquire);
            match frames.next_frame()? {
                Some(frame) => {
                    self.projections.fold(&frame)?;
                    self.position.send_replace(self.projections.position());
                }
                None if ending => return self.projections.checkpoint(),
                None => std::thread::park_timeout(IDLE),
            }
        }
    }
}
