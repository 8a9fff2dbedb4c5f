//! The projections' thread: folds durable frames in order, and tells how far it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::time::Duration;

use journal::{Frame, FrameSource, JournalRead};
use parking_lot::RwLock;
use projections::{Fault, Position, Projections};
use tokio::sync::watch;

use super::precedence::Precedence;
use super::rebuilding::Handover;
use super::snapshotting::Pace;
use super::standing_back::StandingBack;

/// Without being woken the thread looks this often.
const IDLE: Duration = Duration::from_millis(200);

/// All that the projections' thread works with.
pub(super) struct Reading {
    pub(super) projections: Projections,
    /// Where whoever asks finds them.
    pub(super) in_use: Arc<RwLock<Projections>>,
    /// New ones, to take their place.
    pub(super) handovers: Receiver<Handover>,
    pub(super) journal: Arc<dyn JournalRead>,
    pub(super) position: watch::Sender<Position>,
    /// No more frames will come.
    pub(super) ending: Arc<AtomicBool>,
    /// Why the views do not move any more, once that is so.
    pub(super) stopped: watch::Sender<Option<String>>,
    /// The ledger of a question about the past is let go so long after it.
    pub(super) past_kept: Duration,
    /// When a snapshot is begun, where any are kept.
    pub(super) pace: Option<Pace>,
    /// While commands are decided here, the views come second.
    pub(super) standing_back: StandingBack,
}

impl Reading {
    /// Runs until no more frames will come and all are folded in.
    pub(super) fn run(mut self) -> Result<(), Fault> {
        Precedence::Views.take();
        let _tells = TellsOfPanic(self.stopped.clone());
        let folded = self.fold_all();
        if let (Ok(()), Some(pace)) = (&folded, self.pace.take()) {
            pace.end(&self.projections);
        }
        if let Err(fault) = &folded {
            tracing::error!(%fault, "the views stand still until a restart");
            self.stopped.send_replace(Some(fault.to_string()));
        }
        folded
    }

    /// Without it the next start folds more of the journal, and that is all.
    fn last_checkpoint(&self) -> Result<(), Fault> {
        match self.projections.checkpoint() {
            Err(fault @ Fault::Store { .. }) => {
                tracing::warn!(%fault, "no checkpoint was written: the next start takes longer");
                Ok(())
            }
            written => written,
        }
    }

    fn fold_all(&mut self) -> Result<(), Fault> {
        let mut folded = self.projections.position().sequence;
        let mut frames = self.journal.frames_from(folded + 1)?;
        let mut handover: Option<Handover> = None;
        loop {
            handover = handover.or_else(|| self.handovers.try_recv().ok());
            if let Some(ready) = handover.take_if(|handover| handover.reaches() <= folded) {
                self.hand_over(ready);
            }
            let ending = self.ending.load(Ordering::Acquire);
            match self.next_frame(frames.as_mut())? {
                Some(frame) => {
                    self.standing_back.wait();
                    self.projections.fold(&frame)?;
                    if let Some(pace) = &self.pace {
                        pace.folded(&self.projections, folded, frame.last_sequence());
                    }
                    folded = frame.last_sequence();
                    self.position.send_replace(self.projections.position());
                }
                None if ending => return self.last_checkpoint(),
                None => {
                    self.standing_back.is_up_to_date();
                    self.projections.retry_store()?;
                    // A snapshot may have been finished behind the entry that records its state.
                    self.projections.check_state()?;
                    self.projections.forget_past(self.past_kept);
                    std::thread::park_timeout(IDLE);
                }
            }
        }
    }

    /// A network that fails is waited for, damage is not.
    fn next_frame(&self, frames: &mut dyn FrameSource) -> Result<Option<Frame>, Fault> {
        match frames.next_frame() {
            Err(journal::Fault::Unreachable { server, why }) => {
                tracing::warn!(server, why, "the views cannot read on just now");
                Ok(None)
            }
            read => Ok(read?),
        }
    }

    fn hand_over(&mut self, handover: Handover) {
        if let Some(views) = handover.take(&self.projections, self.journal.as_ref()) {
            *self.in_use.write() = views.clone();
            self.projections = views;
        }
    }
}

/// Views over which nobody folds any more are not to look well.
struct TellsOfPanic(watch::Sender<Option<String>>);

impl Drop for TellsOfPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let why = "the thread that folds the views panicked: restart; the log tells where";
            self.0.send_replace(Some(why.into()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_told_and_an_end_is_not() {
        let (stopped, told) = watch::channel(None);
        drop(TellsOfPanic(stopped.clone()));
        assert_eq!(*told.borrow(), None);
        let panics = std::thread::spawn(move || {
            let _tells = TellsOfPanic(stopped);
            panic!("as a test wants it");
        });
        assert!(
            panics.join().is_err() && told.borrow().as_deref().is_some_and(|why| why.contains("panicked"))
        );
    }
}
