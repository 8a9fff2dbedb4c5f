//! Opening: the nearest snapshot, and the tail of the journal on top; without one, the whole journal.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{SyncSender, sync_channel};

use journal::{Head, JournalRead};
use parking_lot::{Mutex, RwLock};
use snapshots::SnapshotSource;

use super::{Decoded, Inner, Projections, Taken, decode};
use crate::as_of::AsOfWorker;
use crate::fault::Fault;
use crate::folded::Folded;
use crate::index::{Checkpoint, Index};
use crate::store::Store;

/// Frames decoded ahead of the fold.
const FRAMES_AHEAD: usize = 16;

/// What projections are opened from.
pub struct Opening<'o> {
    /// Index runs of this history are used again; those of another are thrown away.
    pub store: Box<dyn Store>,
    /// What is folded, to its durable head.
    pub journal: Arc<dyn JournalRead>,
    /// Where to begin; from the journal's start when there is none.
    pub snapshots: Option<Arc<dyn SnapshotSource>>,
    /// Told now and then: the sequence reached and the one to reach.
    pub progress: &'o mut dyn FnMut(u64, u64),
}

impl Projections {
    /// Folds the journal from its start to its durable head. Index runs of this history that the store holds are used
    /// again; those of another are thrown away.
    pub fn open(store: Box<dyn Store>, journal: Arc<dyn JournalRead>) -> Result<Self, Fault> {
        Projections::open_with_progress(store, journal, &mut |_, _| {})
    }

    /// The same, telling now and then the sequence reached and the one to reach.
    pub fn open_with_progress(
        store: Box<dyn Store>,
        journal: Arc<dyn JournalRead>,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Self, Fault> {
        Projections::open_from(Opening { store, journal, snapshots: None, progress })
    }

    /// The same from the nearest snapshot, if there is one that fits.
    pub fn open_from(opening: Opening<'_>) -> Result<Self, Fault> {
        let nearest = opening.snapshots.as_deref().and_then(|from| restored(from, opening.journal.as_ref()));
        Projections::open_behind(nearest, opening)
    }

    /// The same from the journal's start, whatever snapshots there are: those are for questions about the past.
    pub fn open_anew(opening: Opening<'_>) -> Result<Self, Fault> {
        Projections::open_behind(None, opening)
    }

    fn open_behind(nearest: Option<(Folded, Taken)>, opening: Opening<'_>) -> Result<Self, Fault> {
        let Opening { store, journal, snapshots, progress } = opening;
        let end = journal.head();
        let index = Index::open(store, end.ledger, |stored| belongs(stored, journal.as_ref()))?;
        let (folded, began) = match nearest {
            Some((folded, taken)) => (folded, Some(taken)),
            None => (Folded::default(), None),
        };
        let start = start_of(&index, began.as_ref().map(|taken| taken.head), journal.as_ref())?;
        let projections = Projections(Arc::new(Inner {
            folded: RwLock::new(folded),
            index: Arc::new(index),
            merging: Mutex::new(None),
            journal: journal.clone(),
            head: Mutex::new(start),
            as_of: AsOfWorker::default(),
            snapshots,
            taking: AtomicBool::new(false),
            last_taken: Mutex::new(began),
            trouble: Mutex::new(None),
        }));
        projections.merge_if_due();
        // One thread reads, decodes and keeps the index while this one folds: it takes as long as the slower of the two.
        let (decoded_to, decoded) = sync_channel(FRAMES_AHEAD);
        std::thread::scope(|scope| {
            let ahead = &projections;
            scope.spawn(move || {
                if let Err(fault) = ahead.index_and_decode(end.sequence, &decoded_to) {
                    // The other side may have stopped at a fault of its own; then that one is told.
                    let _ = decoded_to.send(Err(fault));
                }
            });
            for decoded in decoded {
                let decoded = decoded?;
                projections.fold_entries(&decoded)?;
                progress(decoded.frame.last_sequence(), end.sequence);
            }
            Ok::<(), Fault>(())
        })?;
        Ok(projections)
    }

    /// Reads every frame behind the head and up to an entry, and brings head and index there. Nobody asks yet, so that
    /// they may be ahead of what is folded.
    fn index_and_decode(
        &self,
        upto: u64,
        decoded_to: &SyncSender<Result<Decoded, Fault>>,
    ) -> Result<(), Fault> {
        let mut head = self.0.head.lock();
        let mut frames = self.0.journal.frames_from(head.sequence + 1)?;
        while head.sequence < upto {
            let frame = frames.next_frame()?.ok_or(Fault::Missing { sequence: head.sequence + 1 })?;
            head.check_next(&frame).map_err(|why| Fault::NotNext { why })?;
            let decoded = decode(&frame)?;
            self.0.index.add(&decoded.keys);
            *head = Head::after(&frame);
            if decoded_to.send(Ok(decoded)).is_err() {
                return Ok(());
            }
            self.write_if_due(&head)?;
        }
        Ok(())
    }
}

/// What the nearest snapshot holds.
fn restored(from: &dyn SnapshotSource, journal: &dyn JournalRead) -> Option<(Folded, Taken)> {
    let loaded = from.nearest(journal, journal.head().sequence)?;
    let taken = Taken { head: loaded.head, state: loaded.state.clone() };
    let folded = Folded::of(loaded).inspect_err(|why| {
        tracing::warn!(sequence = taken.head.sequence, %why, "a snapshot is left aside: the journal is folded");
    });
    Some((folded.ok()?, taken))
}

/// The frame behind which reading begins: the end of the snapshot or of the index, whichever is first.
fn start_of(index: &Index, snapshot: Option<Head>, journal: &dyn JournalRead) -> Result<Head, Fault> {
    let indexed = index.checkpoint().sequence;
    match snapshot {
        Some(head) if head.sequence <= indexed => Ok(head),
        Some(_) if indexed > 0 => {
            let frame = journal.frame_at(indexed)?.ok_or(Fault::Missing { sequence: indexed })?;
            Ok(Head::after(&frame))
        }
        Some(_) | None => Ok(Head::empty(journal.head().ledger)),
    }
}

/// Whether the runs cover a stretch of this journal's history: it has the very frame that the checkpoint names.
fn belongs(stored: &Checkpoint, journal: &dyn JournalRead) -> Result<bool, Fault> {
    let there = stored.ledger == journal.head().ledger
        && match journal.frame_at(stored.sequence)? {
            Some(frame) => {
                Head::after(&frame).hash == stored.hash && frame.last_sequence() == stored.sequence
            }
            None => false,
        };
    if !there {
        tracing::warn!(
            sequence = stored.sequence,
            "the index runs are of another history: they are built anew"
        );
    }
    Ok(there)
}
