//! A ledger whose journal is a stream: several instances run it, one writes, the others follow and answer queries.
//!
//! | phase | what happens |
//! |---|---|
//! | follow | the standby ledger folds what is durable; commands are told who the writer is |
//! | the lease is this instance's | the stream is read to its end, and an epoch is appended there: success is ownership |
//! | own | the writer decides and appends, until it is fenced, loses the lease, or is told to stop |
//! | after that | what it decided may be ahead of the stream: its ledger is dropped and folded anew |

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::Thread;
use std::time::{Duration, Instant};

use journal::jetstream::{Server, Standing, StreamJournal, StreamOptions, StreamReader};
use journal::{JournalRead, Lock};
use ledger_core::values::Timestamp;
use ledger_core::{Entry, Ledger, Settings};
use parking_lot::RwLock;
use snapshots::Snapshots;
use tokio::sync::watch;
use uuid::Uuid;

use super::opening::{
    check_feed, check_is_named, checked_name, open_views, recording_in, spawn, without_doubtful,
};
use super::past::Past;
use super::reading::Reading;
use super::snapshotting::start_snapshotting;
use super::standby::Contender;
use super::standing_back::StandingBack;
use super::{Fault, Folder, Inner, Options, Ownership, Running, Service, rebuilding, views_folder};
use crate::inbox::Inbox;
use crate::metrics::Metrics;

/// How long a start waits for a ledger that somebody else is to create.
const CREATION_WAIT: Duration = Duration::from_secs(30);
/// How long a start waits for it to be clear who writes; after that it serves queries all the same.
const CONTEST_WAIT: Duration = Duration::from_secs(3);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// How an instance takes part in a ledger that several run.
#[derive(Clone)]
pub struct Replication {
    /// The servers that keep the stream.
    pub server: Server,
    /// How many of them keep a copy, when this instance creates the stream.
    pub replicas: usize,
    /// What this instance is for.
    pub role: Role,
}

/// What an instance is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Writes when it has the lease, and leaves queries over NATS to others.
    Writer,
    /// Answers queries, and never writes.
    Query,
    /// Both.
    All,
}

impl Role {
    /// Whether it may become the writer.
    pub fn contends(self) -> bool {
        self != Role::Query
    }

    /// Whether it answers queries over NATS.
    pub fn answers_queries(self) -> bool {
        self != Role::Writer
    }
}

/// What a service knows of itself as an instance among several.
pub(super) struct Replicated {
    pub(super) role: Role,
    /// Everything durable is folded, or decided here.
    pub(super) keeps_up: Arc<AtomicBool>,
}

impl std::fmt::Debug for Replication {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Replication({}, {} replicas, {:?})", self.server.url, self.replicas, self.role)
    }
}

/// Starts an instance. Blocks until queries can be answered: as long as it takes to read and fold the whole stream.
pub(super) fn start(options: Options, replication: Replication) -> Result<Service, Fault> {
    let name = checked_name(&options)?;
    let dir = options.data.join(&name);
    let lock = Lock::exclusive(&dir, &options.address)?;
    refuse_file_journal(&dir)?;
    let role = replication.role;
    let replicas = replication.replicas;
    let stream = StreamJournal::open(&StreamOptions {
        server: replication.server,
        ledger: name.clone(),
        create: role.contends().then_some(replicas),
    })?;
    for warning in [stream.sync_warning(), stream.copies_warning(replicas)].into_iter().flatten() {
        tracing::warn!("{warning}");
    }
    let reader = stream.reader();
    check_feed(reader.head(), options.feed_seen)?;
    let views_dir =
        views_folder::in_use(&dir).map_err(|source| Fault::Folder { dir: dir.clone(), source })?;
    let mut snapshots = Snapshots::of_ledger(&dir);
    for witness in snapshots.witnesses()?.into_iter().chain(projections::stored_witness(&views_dir)?) {
        reader.check_witness(&witness)?;
    }

    let inbox = Arc::new(Inbox::elsewhere(options.queue, NOBODY_YET));
    let (ownership_told, ownership) = watch::channel(Ownership::Follower);
    let (writer_told, writer_stopped) = watch::channel(None);
    let (ending, keeps_up) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let metrics = Arc::new(Metrics::default());
    let lease = stream.lease(&Uuid::now_v7().to_string(), &options.address);
    let standing = lease.standing();
    let contender = Contender {
        stream,
        lease,
        may_write: role.contends(),
        settings: options.settings.clone(),
        snapshots: snapshots.clone(),
        inbox: Arc::clone(&inbox),
        ownership: ownership_told,
        stopped: writer_told,
        keeps_up: Arc::clone(&keeps_up),
        metrics: Arc::clone(&metrics),
        ending: Arc::clone(&ending),
    };
    let writing = spawn("writer", move || contender.run())?;
    let abandon = Abandon { ending: Arc::clone(&ending), thread: writing.thread().clone() };

    let settings = settings_of(&reader, &name)?;
    check_is_named(Some(&settings), &dir, &name)?;
    let journal: Arc<dyn JournalRead> = Arc::new(reader.clone());
    let projections =
        without_doubtful(&mut snapshots, |snapshots| open_views(&views_dir, &journal, snapshots))?;
    let (position_told, position) = watch::channel(projections.position());
    let (views_told, views_stopped) = watch::channel(None);
    let no_more_frames = Arc::new(AtomicBool::new(false));
    let (pace, snapshotting) =
        start_snapshotting(Some(&snapshots), options.snapshot_every, recording_in(&inbox))?;
    let (handovers, new_views) = rebuilding::handovers();
    let in_use = Arc::new(RwLock::new(projections));
    let reading = Reading {
        pace,
        projections: in_use.read().clone(),
        in_use: Arc::clone(&in_use),
        handovers: new_views,
        journal: Arc::clone(&journal),
        position: position_told,
        ending: Arc::clone(&no_more_frames),
        stopped: views_told,
        past_kept: options.past_kept,
        standing_back: StandingBack::of(Arc::clone(&metrics)),
    };
    let reading = spawn("views", move || reading.run())?;
    let wakes = reading.thread().clone();
    reader.on_growth(Box::new(move || wakes.unpark()));
    if role.contends() {
        wait_for_the_contest(&ownership, &standing);
    }
    tracing::info!(ledger = %settings.name, sequence = reader.head().sequence, ?role, "the ledger is followed");
    abandon.not_needed();
    Ok(Service(Arc::new(Inner {
        settings,
        uuid: reader.head().ledger,
        inbox,
        journal,
        projections: in_use,
        handovers,
        past: Past::default(),
        position,
        min_position_wait: options.min_position_wait,
        traces: options.traces,
        stuck_after: options.stuck_after,
        writer_stopped,
        views_stopped,
        ownership,
        replicated: Some(Replicated { role, keeps_up }),
        metrics,
        scrubbed: None,
        auth: options.auth,
        running: Mutex::new(Some(Running {
            writing,
            reading,
            snapshotting,
            scrubbing: None,
            no_more_frames,
            ending,
        })),
        folder: Some(Folder { dir, snapshots, _lock: lock }),
    })))
}

/// What commands are told before anybody is known to write.
pub(super) const NOBODY_YET: &str = "no instance has taken the ledger yet";

/// A folder with a file journal belongs to a service on one machine: its history would be left behind unseen.
fn refuse_file_journal(dir: &Path) -> Result<(), Fault> {
    let journal = dir.join("journal");
    if journal.is_dir() { Err(Fault::FileJournal { dir: journal }) } else { Ok(()) }
}

/// What was fixed when the ledger was created, once it is.
fn settings_of(reader: &StreamReader, name: &str) -> Result<Settings, Fault> {
    let began = Instant::now();
    let frame = loop {
        match reader.frame_at(1)? {
            Some(frame) => break frame,
            None if began.elapsed() > CREATION_WAIT => {
                let why = format!("nobody created the ledger {name} in {} s", CREATION_WAIT.as_secs());
                return Err(Fault::NotTaken { why });
            }
            None => std::thread::sleep(LOOK_AGAIN),
        }
    };
    let unfit = |why: String| Fault::Entry { sequence: 1, why };
    let (_, _, bytes) = frame.entries().next().ok_or_else(|| unfit("it is not there".into()))?;
    let entry = Entry::decode(bytes).map_err(|fault| unfit(fault.to_string()))?;
    let mut ledger = Ledger::new();
    ledger.apply(&entry, Timestamp::from_micros(frame.header().log_time_us)).map_err(unfit)?;
    ledger.settings().cloned().ok_or_else(|| unfit("it does not create the ledger".into()))
}

/// So that the first command after a start finds a writer, if there is to be one soon.
fn wait_for_the_contest(ownership: &watch::Receiver<Ownership>, standing: &watch::Receiver<Standing>) {
    let began = Instant::now();
    let is_clear =
        || matches!(*ownership.borrow(), Ownership::Owner { .. }) || standing.borrow().holder_is_alive;
    while !is_clear() && began.elapsed() < CONTEST_WAIT {
        std::thread::sleep(LOOK_AGAIN);
    }
}

/// Ends the contender if the start is not completed.
struct Abandon {
    ending: Arc<AtomicBool>,
    thread: Thread,
}

impl Abandon {
    fn not_needed(self) {
        std::mem::forget(self);
    }
}

impl Drop for Abandon {
    fn drop(&mut self) {
        self.ending.store(true, Ordering::Release);
        self.thread.unpark();
    }
}
