//! A ledger that runs: its journal, its writer, its views, and the way in for doors and for programs in process.

mod asking;
mod fault;
mod folding;
mod keeper;
mod offering;
mod opening;
mod ownership;
mod past;
mod precedence;
mod reading;
mod rebuilding;
mod replicated;
mod scrubbing;
mod snapshotting;
mod standby;
mod standing;
mod standing_back;
#[cfg(test)]
mod tests;
mod views_folder;
mod writing;

pub use asking::{COMMAND_STATUS, page_json, query_permission, read_query};
pub use fault::Fault;
pub use folding::fold;
pub use offering::{Each, Offered};
pub use opening::without_doubtful;
pub use ownership::Ownership;
pub use rebuilding::{NotRebuilt, Rebuilt};
pub use replicated::{Replication, Role};

use past::Past;
use rebuilding::Handovers;
use replicated::Replicated;
use scrubbing::{Scrubbed, Scrubs};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use journal::{JournalRead, Lock};
use ledger_core::Settings;
use ledger_core::control::RecordStateHash;
use ledger_core::values::Text;
use parking_lot::RwLock;
use projections::{Position, Projections};
use snapshots::Snapshots;
use tokio::sync::watch;

use crate::auth::Auth;
use crate::feed::Seen;
use crate::inbox::{Inbox, QueueLimits};
use crate::metrics::Metrics;
use crate::reply::Reply;
use crate::traces::Traces;

/// How a ledger is run.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder of ledgers; this one lives in `<data>/<name>`.
    pub data: PathBuf,
    /// What is fixed when the ledger is created, its name above all. Of an existing ledger only the name is looked at.
    pub settings: Settings,
    /// Where others can ask while this runs; they are told when they find the folder held.
    pub address: String,
    /// How whoever asks is known.
    pub auth: Auth,
    /// Where spans go.
    pub traces: Traces,
    /// How much may wait for the writer.
    pub queue: QueueLimits,
    /// How long a query waits for its `min_position`.
    pub min_position_wait: Duration,
    /// A writer that makes no headway for so long while commands wait is in trouble: a slow disk takes a hundredth.
    pub stuck_after: Duration,
    /// Length of a journal segment in bytes.
    pub segment_bytes: u64,
    /// The last event of the public feed, if there is one: a journal that ends before it is damaged.
    pub feed_seen: Option<Seen>,
    /// The journal is a stream that several instances share; without it, files in the ledger's folder.
    pub replication: Option<Replication>,
    /// Entries between two snapshots of the ledger; none are taken when 0.
    pub snapshot_every: u64,
    /// The ledger that questions about the past are answered from is let go when nobody has asked for so long.
    pub past_kept: Duration,
    /// How long it may take to read every sealed segment of a journal in files again.
    pub scrub_round: Duration,
}

impl Options {
    /// The defaults for a ledger of these settings under this folder.
    pub fn new(data: impl Into<PathBuf>, settings: Settings) -> Self {
        Options {
            data: data.into(),
            settings,
            address: String::new(),
            auth: Auth::off(),
            traces: Traces::default(),
            queue: QueueLimits::default(),
            min_position_wait: Duration::from_secs(5),
            stuck_after: Duration::from_secs(10),
            segment_bytes: journal::Options::default().segment_bytes,
            feed_seen: None,
            replication: None,
            snapshot_every: 250_000,
            past_kept: Duration::from_secs(5 * 60),
            scrub_round: Duration::from_secs(24 * 60 * 60),
        }
    }
}

/// A ledger that runs. Clones are the same ledger.
#[derive(Clone)]
pub struct Service(Arc<Inner>);

struct Inner {
    settings: Settings,
    uuid: [u8; 16],
    inbox: Arc<Inbox>,
    journal: Arc<dyn JournalRead>,
    /// Those that answer: a rebuild puts others in their place.
    projections: Arc<RwLock<Projections>>,
    handovers: Handovers,
    past: Past,
    position: watch::Receiver<Position>,
    min_position_wait: Duration,
    stuck_after: Duration,
    writer_stopped: watch::Receiver<Option<String>>,
    views_stopped: watch::Receiver<Option<String>>,
    ownership: watch::Receiver<Ownership>,
    /// Of an instance among several.
    replicated: Option<Replicated>,
    metrics: Arc<Metrics>,
    /// What reading the sealed segments again has found; `None` where the journal is not in files.
    scrubbed: Option<Arc<Scrubbed>>,
    auth: Auth,
    traces: Traces,
    running: Mutex<Option<Running>>,
    /// Held as long as anybody can ask: the views' files stay open after a stop.
    folder: Option<Folder>,
}

/// The folder of a ledger, in the hands of this process.
struct Folder {
    dir: PathBuf,
    snapshots: Snapshots,
    _lock: Lock,
}

/// What a stop ends, in this order.
struct Running {
    writing: JoinHandle<Result<(), Fault>>,
    reading: JoinHandle<Result<(), projections::Fault>>,
    snapshotting: Option<JoinHandle<()>>,
    scrubbing: Option<Scrubs>,
    no_more_frames: Arc<AtomicBool>,
    /// An instance among several is to end, whether it writes or follows.
    ending: Arc<AtomicBool>,
}

impl Service {
    /// What was fixed when the ledger was created.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// The ledger's name, in subjects and paths.
    pub fn name(&self) -> &str {
        self.0.settings.name.as_str()
    }

    /// The ledger's identity.
    pub fn uuid(&self) -> uuid::Uuid {
        uuid::Uuid::from_bytes(self.0.uuid)
    }

    /// The number of the writer's start: this one's, or of the last one whose entries the views show.
    pub fn epoch(&self) -> u64 {
        match *self.0.ownership.borrow() {
            Ownership::Owner { epoch } => epoch,
            Ownership::Follower | Ownership::Stopped => self.position().epoch,
        }
    }

    /// What this instance is for, if it is one among several.
    pub fn role(&self) -> Option<Role> {
        self.0.replicated.as_ref().map(|replicated| replicated.role)
    }

    /// How far the journal is durable.
    pub fn durable_sequence(&self) -> u64 {
        self.0.journal.head().sequence
    }

    /// How far the views are.
    pub fn position(&self) -> Position {
        *self.0.position.borrow()
    }

    /// How far the views are, and every change of that: whoever waits for news of the journal waits for this.
    pub fn watch_position(&self) -> watch::Receiver<Position> {
        self.0.position.clone()
    }

    /// The views that answer now, for a reader in process.
    pub fn projections(&self) -> Projections {
        self.0.projections.read().clone()
    }

    /// Durable frames, for a reader in process.
    pub fn journal(&self) -> &Arc<dyn JournalRead> {
        &self.0.journal
    }

    /// How whoever asks is known.
    pub fn auth(&self) -> &Auth {
        &self.0.auth
    }

    /// Counters of what was asked and answered.
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    pub(crate) fn traces(&self) -> &Traces {
        &self.0.traces
    }

    /// How many commands wait for the writer.
    pub fn queue_depth(&self) -> usize {
        self.0.inbox.depth()
    }

    /// A reader hashed a state that is durable: it is recorded, for whoever replays to there. Of several that come at
    /// once the last one is; one that comes while the writer takes nothing is let go.
    pub fn record_state_hash(&self, hash: RecordStateHash) {
        self.0.inbox.record_state_hash(hash);
    }

    /// An operator says that the wall clock is right. Refused where nobody writes, and told where the writer is.
    pub fn confirm_clock(&self) -> Result<(), Reply> {
        if let Some(why) = &*self.0.writer_stopped.borrow()
            && *self.0.ownership.borrow() == Ownership::Stopped
        {
            return Err(Reply::unavailable(why));
        }
        self.0.inbox.confirm_clock().map_err(|refusal| Reply::of(refusal, &self.0.journal))?;
        tracing::warn!("an operator confirmed the wall clock");
        Ok(())
    }

    /// Waits until the writer has stopped for good, and tells why. Does not return while it runs, nor while an instance
    /// follows others that write.
    pub async fn stopped(&self) -> String {
        if self.0.replicated.is_some() {
            // Where the sender is gone the thread has ended.
            let _ = self.0.ownership.clone().wait_for(|ownership| *ownership == Ownership::Stopped).await;
        }
        let mut stopped = self.0.writer_stopped.clone();
        let why = stopped.wait_for(Option::is_some).await.map(|why| why.clone().unwrap_or_default());
        match why {
            Ok(why) => why,
            // The thread ended without trouble: it was asked to.
            Err(_) => std::future::pending().await,
        }
    }

    /// A clean stop: takes no more commands, answers those it has, and leaves exact witnesses and a checkpoint.
    /// Blocks until that is done; a second call returns at once. Dropping the last handle does the same.
    pub fn stop(&self) -> Result<(), Fault> {
        self.0.stop()
    }
}

impl Inner {
    fn stop(&self) -> Result<(), Fault> {
        self.inbox.close("it is stopping");
        let running = self.running.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take();
        let Some(Running { writing, reading, snapshotting, scrubbing, no_more_frames, ending }) = running
        else {
            return Ok(());
        };
        let scrubbed = scrubbing.map(Scrubs::stop).transpose();
        ending.store(true, Ordering::Release);
        writing.thread().unpark();
        let written = writing.join().map_err(|_| Fault::Panicked { who: "writer" });
        no_more_frames.store(true, Ordering::Release);
        reading.thread().unpark();
        let read = reading.join().map_err(|_| Fault::Panicked { who: "views" });
        // It ends with the fold: what the fold began last is taken.
        let taken = snapshotting.map(JoinHandle::join).transpose();
        let taken = taken.map_err(|_| Fault::Panicked { who: "snapshots" });
        written??;
        read??;
        taken?;
        scrubbed?;
        Ok(())
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Err(fault) = self.stop() {
            tracing::error!(%fault, "the ledger did not stop cleanly");
        }
    }
}
