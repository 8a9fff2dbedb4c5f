//! Views folded anew from the journal's start, beside those that answer: compared at one sequence, then put in their
//! place.
//!
//! Commands are taken and queries answered all the time. Only while the two are compared no frame is folded: an answer is
//! then as old as it says.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use journal::JournalRead;
use parking_lot::Mutex;
use projections::{Digest, Fault, MemoryStore, Opening, Position, Projections, QueryFault, SledStore, Store};
use serde::Serialize;
use snapshots::SnapshotSource;

use super::{Service, views_folder};

/// How often the log says how far a rebuild is.
const TOLD_EVERY: Duration = Duration::from_secs(10);

/// What a rebuild came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rebuilt {
    /// Where both were compared.
    pub position: Position,
    /// The digest of what the views answer that were folded anew.
    pub digest: String,
    /// The views that answered something else before. `ledger` where what they are made of differed.
    pub differing: Vec<&'static str>,
    /// Whether the new ones answer now.
    pub in_use: bool,
}

/// Why there was no rebuild. The views answer on as before.
#[derive(Debug, thiserror::Error)]
pub enum NotRebuilt {
    /// One at a time.
    #[error("another rebuild is under way: wait for it")]
    UnderWay,
    /// The service ends, or its views stand still.
    #[error("the views are not folded any more: see why in the health view, or restart")]
    Ended,
    /// The folder.
    #[error("the folder for the new views: {0}")]
    Folder(#[from] std::io::Error),
    /// The fold.
    #[error(transparent)]
    Views(#[from] Fault),
    /// The comparison.
    #[error("the views could not be compared: {0}")]
    Compare(#[from] QueryFault),
}

/// New views on their way to the thread that folds.
pub(super) struct Handover {
    views: Projections,
    /// Put them in place even if they answer something else.
    anyway: bool,
    told: SyncSender<Result<Rebuilt, NotRebuilt>>,
}

/// The way to the thread that folds. One rebuild at a time has it.
pub(super) type Handovers = Mutex<SyncSender<Handover>>;

/// A way for new views, and where they come out.
pub(super) fn handovers() -> (Handovers, Receiver<Handover>) {
    let (to, from) = sync_channel(1);
    (Mutex::new(to), from)
}

impl Service {
    /// Folds every view anew from the journal's start, compares it with what answers now, and puts it in its place if
    /// nothing differs, or `anyway`. Blocks until that is done.
    pub fn rebuild_views(&self, anyway: bool) -> Result<Rebuilt, NotRebuilt> {
        let handovers = self.0.handovers.try_lock().ok_or(NotRebuilt::UnderWay)?;
        // The new views are the third ledger in memory.
        let _place = self.0.past.take();
        self.projections().forget_past(Duration::ZERO);
        let folder = self.0.folder.as_ref();
        let unfinished = folder.map(|folder| views_folder::next(&folder.dir)).transpose()?;
        let store: Box<dyn Store> = match &unfinished {
            Some(unfinished) => Box::new(SledStore::open(&unfinished.dir)?),
            None => Box::new(MemoryStore::default()),
        };
        let snapshots = folder.map(|folder| Arc::new(folder.snapshots.clone()) as Arc<dyn SnapshotSource>);
        let mut told_at = Instant::now();
        let mut progress = |sequence: u64, of: u64| {
            if told_at.elapsed() > TOLD_EVERY {
                tracing::info!(sequence, of, "the views are being folded anew");
                told_at = Instant::now();
            }
        };
        let journal = Arc::clone(&self.0.journal);
        let views = Projections::open_anew(Opening { store, journal, snapshots, progress: &mut progress })?;
        let (told, outcome) = sync_channel(1);
        // The thread looks for it at least some times a second.
        handovers.send(Handover { views, anyway, told }).map_err(|_| NotRebuilt::Ended)?;
        let rebuilt = outcome.recv().unwrap_or(Err(NotRebuilt::Ended))?;
        if let Some(unfinished) = unfinished.filter(|_| rebuilt.in_use) {
            unfinished.finish()?;
        }
        let Rebuilt { position, differing, in_use, .. } = &rebuilt;
        tracing::info!(%position, ?differing, in_use, "the views were folded anew");
        Ok(rebuilt)
    }
}

impl Handover {
    /// How far the new views are: those in use are to be there first.
    pub(super) fn reaches(&self) -> u64 {
        self.views.position().sequence
    }

    /// Brings the new views to where those in use are, compares them, and tells. Gives them back if they take over.
    pub(super) fn take(self, in_use: &Projections, journal: &dyn JournalRead) -> Option<Projections> {
        let Handover { views, anyway, told } = self;
        let compared =
            catch_up(&views, in_use.position().sequence, journal).map_err(NotRebuilt::from).and_then(|()| {
                let digest = views.digest()?;
                Ok((differing(in_use, &views, &digest)?, digest.digest))
            });
        let rebuilt = compared.map(|(differing, digest)| {
            let in_use = differing.is_empty() || anyway;
            Rebuilt { position: views.position(), digest, differing, in_use }
        });
        let takes_over = rebuilt.as_ref().is_ok_and(|rebuilt| rebuilt.in_use);
        // Those that do not are closed before anybody hears of it: their folder goes.
        let views = takes_over.then_some(views);
        // Whoever asked may have gone.
        drop(told.send(rebuilt));
        views
    }
}

fn catch_up(views: &Projections, upto: u64, journal: &dyn JournalRead) -> Result<(), Fault> {
    let mut frames = journal.frames_from(views.position().sequence + 1)?;
    while views.position().sequence < upto {
        let sequence = views.position().sequence + 1;
        views.fold(&frames.next_frame()?.ok_or(Fault::Missing { sequence })?)?;
    }
    Ok(())
}

/// The views that answer something else, and `ledger` where what they are made of differs.
fn differing(
    in_use: &Projections,
    views: &Projections,
    digest: &Digest,
) -> Result<Vec<&'static str>, QueryFault> {
    let before = in_use.digest()?;
    let pairs = before.views.iter().zip(&digest.views);
    let mut differing: Vec<_> =
        pairs.filter(|(before, now)| before != now).map(|(before, _)| before.view).collect();
    if in_use.ledger_hash() != views.ledger_hash() {
        differing.push("ledger");
    }
    Ok(differing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::{Envelope, read_command};
    use crate::service::Options;
    use ledger_core::Settings;
    use ledger_core::values::{Name, Text};

    fn given_a_service() -> Service {
        let settings = Settings::named(Name::try_new("main").unwrap());
        Service::in_memory(Options::new("", settings)).unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn views_that_answer_something_else_are_named_and_only_taken_if_that_was_said() {
        let (service, other) = (given_a_service(), given_a_service());
        let define =
            read_command("items.define", br#"{"sku": "TEA-01", "name": "Tea"}"#, &Envelope::default());
        assert_eq!(other.submit(define.unwrap()).await.status(), "accepted");
        let mut position = other.watch_position();
        position.wait_for(|at| at.sequence == other.durable_sequence()).await.unwrap();
        let compare = |anyway| {
            let (told, outcome) = sync_channel(1);
            let handover = Handover { views: other.projections(), anyway, told };
            let taken = handover.take(&service.projections(), service.journal().as_ref());
            (taken.is_some(), outcome.recv().unwrap().unwrap())
        };
        let (taken, rebuilt) = compare(false);
        assert!(!taken && !rebuilt.in_use);
        assert!(rebuilt.differing.contains(&"audit") && rebuilt.differing.contains(&"ledger"), "{rebuilt:?}");
        let (taken, rebuilt) = compare(true);
        assert!(taken && rebuilt.in_use && !rebuilt.differing.is_empty());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn one_at_a_time_and_none_behind_a_stop() {
        let service = given_a_service();
        let held = service.0.handovers.lock();
        assert!(matches!(service.rebuild_views(false), Err(NotRebuilt::UnderWay)));
        drop(held);
        assert!(service.rebuild_views(false).unwrap().in_use);
        service.stop().unwrap();
        assert!(matches!(service.rebuild_views(false), Err(NotRebuilt::Ended)));
    }
}
