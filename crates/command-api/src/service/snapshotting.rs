//! The snapshots' thread: takes what the fold has begun, slice by slice, and keeps the folder small.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use journal::RealDisk;
use ledger_core::control::RecordStateHash;
use projections::{Projections, Taken, Taking};
use snapshots::Snapshots;

use super::Fault;
use super::opening::spawn;

/// Between two snapshots the thread rests so many times as long as the last one took: however fast the ledger grows,
/// most of the machine stays with it.
const REST: u32 = 9;

/// When a snapshot is begun, as the fold sees it.
pub(super) struct Pace {
    snapshots: Snapshots,
    /// One is begun behind the first frame that reaches a multiple of so many entries: so that every instance takes its
    /// snapshots at the same sequences, and their state hashes can be compared.
    every: u64,
    begun: SyncSender<Taking<RealDisk>>,
    rest: Arc<Rest>,
    ending: Arc<AtomicBool>,
}

/// All that the snapshots' thread works with.
struct Snapshotting {
    snapshots: Snapshots,
    begun: Receiver<Taking<RealDisk>>,
    rest: Arc<Rest>,
    ending: Arc<AtomicBool>,
    /// Takes the hash of a state to the writer, where this instance has it.
    record: Record,
}

/// What a state hash is handed to.
pub(super) type Record = Box<dyn Fn(RecordStateHash) + Send>;

/// A time of rest, counted from the start of the service.
struct Rest {
    since: Instant,
    until_ms: AtomicU64,
}

impl Rest {
    fn begin(&self, length: Duration) {
        self.until_ms.store((self.since.elapsed() + length).as_millis() as u64, Ordering::Relaxed);
    }

    fn is_over(&self) -> bool {
        self.since.elapsed().as_millis() as u64 >= self.until_ms.load(Ordering::Relaxed)
    }
}

/// Starts the thread where a folder is given and `every` is not 0.
pub(super) fn start_snapshotting(
    snapshots: Option<&Snapshots>,
    every: u64,
    record: Record,
) -> Result<(Option<Pace>, Option<JoinHandle<()>>), Fault> {
    let Some(snapshots) = snapshots.filter(|_| every > 0) else { return Ok((None, None)) };
    let (begun, to_take) = sync_channel(1);
    let rest = Arc::new(Rest { since: Instant::now(), until_ms: AtomicU64::new(0) });
    let ending = Arc::new(AtomicBool::new(false));
    let pace = Pace {
        snapshots: snapshots.clone(),
        every,
        begun,
        rest: Arc::clone(&rest),
        ending: Arc::clone(&ending),
    };
    let snapshotting = Snapshotting { snapshots: snapshots.clone(), begun: to_take, rest, ending, record };
    Ok((Some(pace), Some(spawn("snapshots", move || snapshotting.run())?)))
}

impl Pace {
    /// The fold went from one sequence to another.
    pub(super) fn folded(&self, projections: &Projections, before: u64, now: u64) {
        if before / self.every == now / self.every {
            return;
        }
        // What follows a snapshot is the entry that records its hash: with nothing else, nothing is to be taken again.
        let last = projections.last_snapshot().map_or(0, |taken| taken.head.sequence);
        if now - last > 1 && self.rest.is_over() {
            self.begin(projections);
        }
    }

    /// No more frames will come: what was written since the last snapshot need not be folded at the next start.
    pub(super) fn end(self, projections: &Projections) {
        self.ending.store(true, Ordering::Release);
        let last = projections.last_snapshot().map_or(0, |taken| taken.head.sequence);
        if projections.position().sequence - last >= self.every / 4 {
            self.begin(projections);
        }
    }

    fn begin(&self, projections: &Projections) {
        if let Some(taking) = projections.begin_snapshot(&self.snapshots) {
            // There is room: only one is under way at a time. A thread that is gone takes none.
            drop(self.begun.try_send(taking));
        }
    }
}

impl Snapshotting {
    /// Runs until the fold has ended and what it began last is taken.
    fn run(self) {
        while let Ok(taking) = self.begun.recv() {
            let (sequence, began) = (taking.head().sequence, Instant::now());
            match self.take(taking) {
                Ok(taken) => {
                    let took = began.elapsed();
                    tracing::info!(sequence, took_ms = took.as_millis() as u64, "a snapshot was taken");
                    self.rest.begin(took * REST);
                    (self.record)(taken.state);
                }
                Err(fault) => tracing::error!(%fault, sequence, "no snapshot was taken; the ledger goes on"),
            }
        }
    }

    fn take(&self, mut taking: Taking<RealDisk>) -> Result<Taken, projections::Fault> {
        loop {
            let began = Instant::now();
            if let Some(taken) = taking.step()? {
                self.snapshots.prune()?;
                return Ok(taken);
            }
            // Half of the time is the fold's, unless it has ended.
            if !self.ending.load(Ordering::Acquire) {
                std::thread::sleep(began.elapsed().min(Duration::from_millis(5)));
            }
        }
    }
}
