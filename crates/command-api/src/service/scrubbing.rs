//! The scrub: a start trusts the sealed segments of a journal in files, and this reads them again, for ever.
//!
//! A bit that turned over in a frame nobody asks for is found while there still is a backup with the right one. It reads a
//! little, rests, and reads on, so that nobody who waits for the disk notices.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use journal::{FileReader, Scrubber};
use parking_lot::Mutex;

use super::Fault;
use super::opening::spawn;
use super::precedence::Precedence;

/// Between two rests so much is read: some milliseconds of a disk.
const PIECE_BYTES: u64 = 1024 * 1024;
/// A short journal is read faster than its round demands.
const REST_MAX: Duration = Duration::from_secs(1);
/// However short a round is to be, the thread sleeps between two.
const BETWEEN_ROUNDS_MIN: Duration = Duration::from_millis(10);

/// What was found so far.
#[derive(Debug, Default)]
pub(crate) struct Scrubbed {
    sequence: AtomicU64,
    /// What is wrong, by the segment's place in the journal; gone when the segment reads well again.
    damage: Mutex<BTreeMap<usize, String>>,
}

impl Scrubbed {
    /// This round has read every sealed segment up to this entry.
    pub(crate) fn sequence(&self) -> u64 {
        self.sequence.load(Ordering::Relaxed)
    }

    /// How many segments did not read well.
    pub(crate) fn damaged_segments(&self) -> u64 {
        self.damage.lock().len() as u64
    }

    /// The damage in words; `None` while all segments read well.
    pub(super) fn trouble(&self) -> Option<String> {
        self.damage.lock().values().next().map(|first| format!("a sealed segment was read again: {first}"))
    }
}

/// The thread that scrubs. Dropping the sender ends it.
pub(super) struct Scrubs {
    until: SyncSender<()>,
    thread: JoinHandle<ControlFlow<()>>,
}

impl Scrubs {
    /// Ends it where it is.
    pub(super) fn stop(self) -> Result<(), Fault> {
        drop(self.until);
        self.thread.join().map(|_ended| ()).map_err(|_| Fault::Panicked { who: "scrub" })
    }
}

struct Scrubbing {
    journal: FileReader,
    round: Duration,
    scrubbed: Arc<Scrubbed>,
    until: Receiver<()>,
}

/// Starts the thread. A round through the whole journal takes this long, or as long as the disk needs.
pub(super) fn start_scrubbing(
    journal: FileReader,
    round: Duration,
) -> Result<(Scrubs, Arc<Scrubbed>), Fault> {
    let scrubbed = Arc::new(Scrubbed::default());
    let (until, ends) = sync_channel(0);
    let scrubbing = Scrubbing { journal, round, scrubbed: Arc::clone(&scrubbed), until: ends };
    let thread = spawn("scrub", move || scrubbing.run())?;
    Ok((Scrubs { until, thread }, scrubbed))
}

impl Scrubbing {
    fn run(self) -> ControlFlow<()> {
        Precedence::Scrub.take();
        loop {
            let ends_at = Instant::now() + self.round;
            self.go_round(ends_at)?;
            let left = ends_at.saturating_duration_since(Instant::now());
            self.rest(left.max(BETWEEN_ROUNDS_MIN))?;
        }
    }

    /// Reads every segment that is sealed by the time it comes to it.
    fn go_round(&self, ends_at: Instant) -> ControlFlow<()> {
        let mut scrubber = self.journal.scrub();
        for place in 0.. {
            let rest = rest_length(ends_at, &scrubber);
            let mut piece = 0;
            let checked = scrubber.next_segment_with(&mut |bytes| {
                piece += bytes;
                if piece < PIECE_BYTES {
                    return ControlFlow::Continue(());
                }
                piece = 0;
                self.rest(rest)
            });
            match checked {
                Ok(ControlFlow::Break(())) => return ControlFlow::Break(()),
                Ok(ControlFlow::Continue(None)) => return ControlFlow::Continue(()),
                Ok(ControlFlow::Continue(Some(checked))) => {
                    self.scrubbed.damage.lock().remove(&place);
                    self.scrubbed.sequence.store(checked.last_sequence, Ordering::Relaxed);
                }
                Err(fault) => {
                    self.note_damage(place, fault.to_string());
                    scrubber.skip();
                }
            }
            self.rest(rest)?;
        }
        ControlFlow::Continue(())
    }

    /// It is said again in the log only if something else is wrong.
    fn note_damage(&self, place: usize, found: String) {
        let known = self.scrubbed.damage.lock().insert(place, found.clone());
        if known.as_ref() != Some(&found) {
            tracing::error!(found, "a sealed segment does not read well: restore it while there is a backup");
        }
    }

    fn rest(&self, length: Duration) -> ControlFlow<()> {
        match self.until.recv_timeout(length) {
            Err(RecvTimeoutError::Timeout) => ControlFlow::Continue(()),
            Ok(()) | Err(RecvTimeoutError::Disconnected) => ControlFlow::Break(()),
        }
    }
}

/// What is left of the round, over the pieces that are left to be read.
fn rest_length(ends_at: Instant, scrubber: &Scrubber) -> Duration {
    let pieces = scrubber.bytes_left().div_ceil(PIECE_BYTES).max(1);
    let left = ends_at.saturating_duration_since(Instant::now());
    let each = left.as_micros() as u64 / pieces;
    Duration::from_micros(each).min(REST_MAX)
}
