//! What a ledger counts about itself. Counting is an atomic addition: the writer takes no lock and no memory
//! for it.

mod exposition;
mod headway;
mod histogram;

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use journal::Frame;
use ledger_core::Command;
use ledger_core::values::Timestamp;

use parking_lot::Mutex;

pub use exposition::exposition;

use crate::reply::{Line, Outcome, Reply};
use crate::writer::Refuses;
use headway::Headway;
use histogram::{Histogram, Unit};

const OUTCOMES: [&str; 11] = [
    "accepted",
    "duplicate",
    "dry_run",
    "rejected",
    "invalid",
    "unauthorised",
    "forbidden",
    "conflict",
    "busy",
    "unavailable",
    "unknown",
];

/// What an answer's time is filed under: an outcome, or a batch of several.
const BATCH: usize = OUTCOMES.len();

const BYTES: &[u64] =
    &[512, 1 << 10, 2 << 10, 4 << 10, 8 << 10, 16 << 10, 32 << 10, 64 << 10, 128 << 10, 256 << 10, 512 << 10];
const ENTRIES: &[u64] = &[1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096];
/// From fifty microseconds to ten seconds.
const MICROS: &[u64] = &[
    50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000,
    2_000_000, 5_000_000, 10_000_000,
];

/// Counters since the start of the service.
#[derive(Debug)]
pub struct Metrics {
    commands: [AtomicU64; OUTCOMES.len()],
    /// Recorded commands, by their number in the table of kinds.
    recorded: Vec<AtomicU64>,
    answer_times: Vec<Histogram>,
    queries_answered: AtomicU64,
    queries_refused: AtomicU64,
    query_times: Histogram,
    /// The last event that is certainly in the public feed; 0 while there is none.
    feed_event: AtomicU64,
    feed_stands_still: AtomicBool,
    inbox_outcomes: AtomicU64,
    /// The last entry that is certainly in the archive; 0 while there is none.
    archived_sequence: AtomicU64,
    archive_stands_still: AtomicBool,
    /// Why the writer takes no commands. It tells when that changes.
    refuses: Mutex<Refuses>,
    due_waiting: AtomicU64,
    /// When the first of what is due fell due; the end of time while nothing is.
    due_since_us: AtomicI64,
    /// The longest wait among commands that were taken together.
    queue_waits: Histogram,
    pub(crate) headway: Headway,
    frame_bytes: Histogram,
    frame_entries: Histogram,
    append_times: Histogram,
}

impl Default for Metrics {
    fn default() -> Self {
        let kinds = Command::KINDS.iter().map(|kind| kind.number).max().unwrap_or_default();
        let times = || Histogram::new(Unit::Micros, MICROS);
        Metrics {
            commands: Default::default(),
            recorded: (0..=kinds).map(|_| AtomicU64::new(0)).collect(),
            answer_times: (0..=BATCH).map(|_| times()).collect(),
            queries_answered: AtomicU64::new(0),
            queries_refused: AtomicU64::new(0),
            query_times: times(),
            feed_event: AtomicU64::new(0),
            feed_stands_still: AtomicBool::new(false),
            inbox_outcomes: AtomicU64::new(0),
            archived_sequence: AtomicU64::new(0),
            archive_stands_still: AtomicBool::new(false),
            refuses: Mutex::default(),
            due_waiting: AtomicU64::new(0),
            due_since_us: AtomicI64::new(i64::MAX),
            queue_waits: times(),
            headway: Headway::default(),
            frame_bytes: Histogram::new(Unit::Count, BYTES),
            frame_entries: Histogram::new(Unit::Count, ENTRIES),
            append_times: times(),
        }
    }
}

impl Metrics {
    /// Commands that ended so.
    pub fn commands(&self, outcome: &str) -> u64 {
        let place = OUTCOMES.iter().position(|known| *known == outcome);
        place.map_or(0, |place| self.commands[place].load(Ordering::Relaxed))
    }

    /// The last event that is certainly in the public feed; 0 without a feed.
    pub fn feed_event(&self) -> u64 {
        self.feed_event.load(Ordering::Relaxed)
    }

    /// True once the public feed cannot go on without an operator; the log says why.
    pub fn feed_stands_still(&self) -> bool {
        self.feed_stands_still.load(Ordering::Relaxed)
    }

    pub(crate) fn note_feed_stands_still(&self, stands_still: bool) {
        self.feed_stands_still.store(stands_still, Ordering::Relaxed);
    }

    /// Commands of the durable inbox whose outcome was stored.
    pub fn inbox_outcomes(&self) -> u64 {
        self.inbox_outcomes.load(Ordering::Relaxed)
    }

    /// Every sealed segment is in the archive, up to this entry.
    pub fn note_archived(&self, up_to: u64) {
        self.archived_sequence.store(up_to, Ordering::Relaxed);
        self.archive_stands_still.store(false, Ordering::Relaxed);
    }

    /// A sealed segment could not be sent to the archive.
    pub fn note_archive_stands_still(&self) {
        self.archive_stands_still.store(true, Ordering::Relaxed);
    }

    pub(crate) fn count_inbox_outcome(&self) {
        self.inbox_outcomes.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn note_feed_event(&self, ordinal: u64) {
        self.feed_event.store(ordinal, Ordering::Relaxed);
    }

    /// Why the writer takes no commands just now.
    pub(crate) fn refuses(&self) -> Refuses {
        self.refuses.lock().clone()
    }

    pub(crate) fn note_refuses(&self, refuses: Refuses) {
        *self.refuses.lock() = refuses;
    }

    pub(crate) fn count_reply(&self, reply: &Reply) {
        self.count(outcome_of(reply));
    }

    pub(crate) fn count_line(&self, line: &Line) {
        let outcome = match line {
            Line { duplicate: true, .. } => "duplicate",
            Line { dry_run: true, .. } => "dry_run",
            Line { status, .. } => status,
        };
        self.count(outcome);
    }

    /// The answer to a message has left, so long after the message came.
    pub(crate) fn count_answer(&self, outcome: &Outcome, time: Duration) {
        let place = match outcome {
            Outcome::One(reply) => OUTCOMES.iter().position(|known| *known == outcome_of(reply)),
            Outcome::Each(_) => Some(BATCH),
        };
        if let Some(place) = place {
            self.answer_times[place].observe_time(time);
        }
    }

    pub(crate) fn count_query(&self, answered: bool, time: Duration) {
        let counter = if answered { &self.queries_answered } else { &self.queries_refused };
        counter.fetch_add(1, Ordering::Relaxed);
        self.query_times.observe_time(time);
    }

    /// Commands are in the log, whoever sent them: a caller, a timer or the writer itself.
    pub(crate) fn count_recorded(&self, commands: &[u16]) {
        for kind in commands {
            if let Some(counter) = self.recorded.get(usize::from(*kind)) {
                counter.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// So much is due and not decided yet, the first of it since then.
    pub(crate) fn note_due(&self, waiting: usize, since: Option<Timestamp>) {
        self.due_waiting.store(waiting as u64, Ordering::Relaxed);
        self.due_since_us.store(since.map_or(i64::MAX, Timestamp::micros), Ordering::Relaxed);
    }

    /// Commands were taken from the queue; the first had waited so long.
    pub(crate) fn count_taken(&self, waited: Duration) {
        self.queue_waits.observe_time(waited);
        self.headway.takes(true);
    }

    /// A frame goes to the journal; tell when it is settled.
    pub(crate) fn count_frame(&self, frame: &Frame) -> Instant {
        self.frame_bytes.observe(frame.bytes().len() as u64);
        self.frame_entries.observe(u64::from(frame.header().entries));
        self.headway.writes(true);
        Instant::now()
    }

    /// A frame is durable.
    pub(crate) fn count_durable(&self, submitted: Instant) {
        self.append_times.observe_time(submitted.elapsed());
        self.headway.writes(false);
    }

    fn count(&self, outcome: &str) {
        if let Some(place) = OUTCOMES.iter().position(|known| *known == outcome) {
            self.commands[place].fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn outcome_of(reply: &Reply) -> &'static str {
    match reply {
        Reply::Accepted(accepted) if accepted.duplicate => "duplicate",
        Reply::Accepted(accepted) if accepted.dry_run => "dry_run",
        reply => reply.status(),
    }
}
