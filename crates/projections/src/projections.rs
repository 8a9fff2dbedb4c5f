//! The runner: folds the journal, keeps the index, answers queries.

mod opening;
mod storing;
mod taking;

pub use opening::Opening;
use storing::Trouble;
pub use taking::{Taken, Taking};

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use journal::{Frame, Head, JournalRead, Witness};
use ledger_core::values::Timestamp;
use ledger_core::{Entry, entry};
use parking_lot::{Mutex, RwLock, RwLockWriteGuard};
use serde_json::Value;
use smallvec::SmallVec;
use snapshots::SnapshotSource;

use crate::as_of::{AsOfWorker, sequence_at};
use crate::effective::Effective;
use crate::fault::Fault;
use crate::folded::Folded;
use crate::history::{History, Recorded};
use crate::index::{Checkpoint, Index, Key, keys_of, stored_checkpoint};
use crate::named::Named;
use crate::position::Position;
use crate::query::{AsOf, LIMIT_DEFAULT, LIMIT_MAX, Page, Query, QueryFault};
use crate::rows::Rows;
use crate::source::{Source, State};
use crate::store::SledStore;
use crate::views::{Ask, ViewKind};

/// How long the fold holds the write lock; a query waits no longer for it.
const WRITE_SLICE: Duration = Duration::from_micros(500);

/// The read side of one ledger. Clones are the same; one of them folds, any of them answers.
#[derive(Clone)]
pub struct Projections(Arc<Inner>);

struct Inner {
    folded: RwLock<Folded>,
    index: Arc<Index>,
    /// The thread that merges index runs, if there ever was work for it.
    merging: Mutex<Option<JoinHandle<()>>>,
    journal: Arc<dyn JournalRead>,
    /// The last frame folded in. Held while folding and while writing a checkpoint.
    head: Mutex<Head>,
    as_of: AsOfWorker,
    /// Where as-of questions find a ledger to begin with.
    snapshots: Option<Arc<dyn SnapshotSource>>,
    /// A snapshot is being taken.
    taking: AtomicBool,
    /// The snapshot that was taken or loaded last.
    last_taken: Mutex<Option<Taken>>,
    /// The store takes no writes.
    trouble: Mutex<Option<Trouble>>,
}

impl Drop for Inner {
    /// Whoever drops the last handle may open the store's folder again at once.
    fn drop(&mut self) {
        self.index.stop_merging();
        if let Some(thread) = self.merging.get_mut().take() {
            // A panic of the merge was printed where it happened; nothing depends on its outcome.
            let _ = thread.join();
        }
    }
}

/// Where and when an entry was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntryMeta {
    /// Its number.
    pub sequence: u64,
    /// When it was recorded.
    pub log_time: Timestamp,
    /// Start of the writer that recorded it.
    pub epoch: u64,
}

/// A frame with its entries decoded, and their names and keys gathered: all that needs no lock.
struct Decoded {
    frame: Frame,
    entries: Vec<(Entry, Named)>,
    keys: Vec<(u64, SmallVec<[Key; 16]>)>,
}

impl Projections {
    /// Folds the next frame of the log in. Queries go on meanwhile.
    pub fn fold(&self, frame: &Frame) -> Result<(), Fault> {
        self.fold_decoded(&decode(frame)?)
    }

    fn fold_decoded(&self, decoded: &Decoded) -> Result<(), Fault> {
        let frame = &decoded.frame;
        let mut head = self.0.head.lock();
        head.check_next(frame).map_err(|why| Fault::NotNext { why })?;
        // The index first: whoever sees a position finds everything up to it.
        self.0.index.add(&decoded.keys);
        self.fold_entries(decoded)?;
        *head = Head::after(frame);
        self.write_if_due(&head)
    }

    fn fold_entries(&self, Decoded { frame, entries, .. }: &Decoded) -> Result<(), Fault> {
        let (epoch, log_time) = (frame.header().epoch, Timestamp::from_micros(frame.header().log_time_us));
        let mut folded = self.0.folded.write();
        // Behind a snapshot that reaches further than the index, only the index is made good.
        let is_folded = frame.last_sequence() <= folded.ledger.head().sequence;
        let mut since = Instant::now();
        for (entry, named) in entries.iter().filter(|_| !is_folded) {
            folded.apply_named(entry, named, epoch, log_time);
            if since.elapsed() > WRITE_SLICE {
                RwLockWriteGuard::bump(&mut folded);
                since = Instant::now();
            }
        }
        folded.state_hashes.check()
    }

    /// A fault once the log was found to record another state than the one folded here.
    pub fn check_state(&self) -> Result<(), Fault> {
        self.0.folded.read().state_hashes.check()
    }

    fn merge_if_due(&self) {
        if self.0.index.claim_merge() {
            let index = Arc::clone(&self.0.index);
            let thread = std::thread::spawn(move || {
                if let Err(fault) = index.merge() {
                    tracing::error!(%fault, "index runs could not be merged; lookups go on with the old ones");
                }
            });
            // Only one merge is claimed at a time, so the thread before this one is done.
            self.0.merging.lock().replace(thread);
        }
    }

    /// How far the log is folded in.
    pub fn position(&self) -> Position {
        self.0.folded.read().position()
    }

    /// The position of an entry, to check a caller's token; `None` if it is not folded in.
    pub fn position_at(&self, sequence: u64) -> Option<Position> {
        self.0.folded.read().position_at(sequence)
    }

    /// BLAKE3 of the ledger folded so far. Takes as long as the ledger is large, and holds the fold up meanwhile.
    pub fn ledger_hash(&self) -> [u8; 32] {
        self.0.folded.read().ledger.hash()
    }

    /// An entry as the journal has it; `None` if there is none under that number.
    pub fn entry(&self, sequence: u64) -> Result<Option<(EntryMeta, Entry)>, Fault> {
        let Some(Recorded { sequence, epoch, log_time, entry, .. }) =
            self.history(sequence).entry(sequence)?
        else {
            return Ok(None);
        };
        Ok(Some((EntryMeta { sequence, log_time, epoch }, entry)))
    }

    /// The entry that an accepted command became, while its id is remembered.
    pub fn command_status(&self, command_id: &str) -> Option<u64> {
        let id = entry::id_hash(command_id);
        self.0.folded.read().ledger.remembered().find(&id).map(|command| command.sequence)
    }

    /// Lets the ledger go that questions about the past were answered from, if none was asked for so long; true if there
    /// was one.
    pub fn forget_past(&self, idle_min: Duration) -> bool {
        self.0.as_of.forget(idle_min)
    }

    /// The snapshot that was taken last, or that this began with.
    pub fn last_snapshot(&self) -> Option<Taken> {
        self.0.last_taken.lock().clone()
    }

    /// How far the index runs in the store reach: proof that the journal was durable up to there.
    pub fn witness(&self) -> Option<Witness> {
        witness_of(self.0.index.checkpoint())
    }

    /// Answers a query. It may take long (a history, an as-of): call it where blocking is fine.
    pub fn query(&self, view: &str, query: Query) -> Result<Page, QueryFault> {
        let kind = ViewKind::find(view)?;
        let limit = query.limit.unwrap_or(LIMIT_DEFAULT);
        if !(1..=LIMIT_MAX).contains(&limit) {
            return Err(QueryFault::InvalidLimit { found: limit });
        }
        let sort = kind.sort(query.sort.as_deref())?;
        let mut rows = Rows::open(kind.name, sort, query.cursor.as_deref(), limit as usize)?;
        if let Some(token) = &query.min_position {
            self.check_min_position(token)?;
        }
        match query.as_of.filter(|as_of| *as_of != AsOf::default()) {
            None => {
                let upto = self.position();
                rows.hold_at(upto);
                let source = Source {
                    state: State::Live(&self.0.folded),
                    history: self.history(upto.sequence),
                    as_of: &self.0.as_of,
                    snapshots: self.0.snapshots.as_deref(),
                };
                kind.answer(&Ask::State(&source), &query.filter, &mut rows)?;
            }
            Some(as_of) => self.query_as_of(kind, as_of, &query, &mut rows)?,
        }
        Ok(rows.into_page())
    }

    /// Hands over every row of a view.
    pub(crate) fn every_row(
        &self,
        kind: &'static ViewKind,
        each: &mut dyn FnMut(Value),
    ) -> Result<(), QueryFault> {
        if let Some(every_row) = kind.every_row {
            let history = self.history(self.position().sequence);
            let state = State::Live(&self.0.folded);
            let (as_of, snapshots) = (&self.0.as_of, self.0.snapshots.as_deref());
            return every_row(&Source { state, history, as_of, snapshots }, each);
        }
        let mut query = Query { limit: Some(LIMIT_MAX), ..Query::default() };
        loop {
            let page = self.query(kind.name, query.clone())?;
            page.rows.into_iter().for_each(&mut *each);
            match page.next {
                Some(next) => query.cursor = Some(next),
                None => return Ok(()),
            }
        }
    }

    fn query_as_of(
        &self,
        kind: &'static ViewKind,
        as_of: AsOf,
        query: &Query,
        rows: &mut Rows,
    ) -> Result<(), QueryFault> {
        let upto = self.as_of_position(as_of)?;
        rows.hold_at(upto);
        let history = self.history(upto.sequence);
        if let Some(at) = as_of.effective_at {
            return kind.answer(&Ask::Effective(&Effective { history, at }), &query.filter, rows);
        }
        let (as_of, snapshots) = (&self.0.as_of, self.0.snapshots.as_deref());
        let folded = as_of.state_after(upto.sequence, self.0.journal.as_ref(), snapshots)?;
        let source = Source { state: State::Fixed(&folded), history, as_of, snapshots };
        kind.answer(&Ask::State(&source), &query.filter, rows)
    }

    /// The last entry that an as-of question may see.
    fn as_of_position(&self, as_of: AsOf) -> Result<Position, QueryFault> {
        let head = self.position();
        let mut sequence = as_of.sequence.unwrap_or(head.sequence);
        if sequence > head.sequence {
            let found = sequence.to_string();
            return Err(QueryFault::UnknownPosition { found, head, why: "it is not recorded yet" });
        }
        if let Some(recorded_at) = as_of.recorded_at {
            sequence = sequence_at(recorded_at, sequence, self.0.journal.as_ref())?;
        }
        Ok(self.position_at(sequence).unwrap_or_default())
    }

    fn check_min_position(&self, token: &str) -> Result<(), QueryFault> {
        let head = self.position();
        let refuse = |why| Err(QueryFault::UnknownPosition { found: token.to_owned(), head, why });
        let Ok(wanted) = token.parse::<Position>() else {
            return refuse("a position is epoch.sequence, as a reply gave it");
        };
        match self.position_at(wanted.sequence) {
            Some(there) if there == wanted => Ok(()),
            Some(_) => refuse("another writer recorded something else under that sequence"),
            None => refuse("it has not arrived yet"),
        }
    }

    fn history(&self, upto: u64) -> History<'_> {
        History { index: &self.0.index, journal: self.0.journal.as_ref(), upto }
    }
}

fn decode(frame: &Frame) -> Result<Decoded, Fault> {
    let count = frame.header().entries as usize;
    let (mut entries, mut keys) = (Vec::with_capacity(count), Vec::with_capacity(count));
    for (sequence, _, bytes) in frame.entries() {
        let entry = Entry::decode(bytes).map_err(|source| Fault::Entry { sequence, source })?;
        keys.push((sequence, keys_of(&entry)));
        let named = Named::by(&entry);
        entries.push((entry, named));
    }
    Ok(Decoded { frame: frame.clone(), entries, keys })
}

fn witness_of(checkpoint: Checkpoint) -> Option<Witness> {
    let Checkpoint { sequence, hash, .. } = checkpoint;
    (sequence > 0).then_some(Witness { sequence, hash })
}

/// How far the index runs in a projections folder reach: proof, to be handed to the journal when it is opened, that
/// it was durable up to there. `None` if there is no such folder or no checkpoint in it.
pub fn stored_witness(dir: &Path) -> Result<Option<Witness>, Fault> {
    if !dir.is_dir() {
        return Ok(None);
    }
    Ok(stored_checkpoint(&SledStore::open(dir)?)?.and_then(witness_of))
}
