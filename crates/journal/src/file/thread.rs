//! The file journal on a thread of its own, so that the writer goes on deciding while a frame is synced.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::Space;
use super::append::{FileJournal, outcome_of};
use super::spare::{Spare, SpareOrder};
use super::urgency;
use crate::disk::{Disk, RealDisk};
use crate::fault::Fault;
use crate::frame::Frame;
use crate::journal::{Journal, Outcome};

/// The thread wakes this often without work, to write the head witness and to try again for space.
const IDLE: Duration = Duration::from_millis(500);
/// Pause between two attempts to make the next segment.
const SPACE_RETRY: Duration = Duration::from_secs(1);

/// Called on the journal's thread when an outcome is ready to be polled.
pub type Wake = Box<dyn Fn() + Send>;

/// Runs a [`FileJournal`]. A second thread makes the segments to come.
pub struct JournalThread<D: Disk = RealDisk> {
    frames: Sender<Frame>,
    outcomes: Receiver<Outcome>,
    space: Arc<Mutex<Space>>,
    thread: JoinHandle<FileJournal<D>>,
    urgency: Result<(), String>,
    /// Frames without an outcome yet.
    in_flight: usize,
}

impl<D: Disk> JournalThread<D> {
    /// Starts the threads.
    pub fn start(journal: FileJournal<D>, wake: Wake) -> std::io::Result<Self> {
        let (frames, frames_in) = channel();
        let (outcomes_out, outcomes) = channel();
        let space = Arc::new(Mutex::new(journal.space().clone()));
        let maker = SpareMaker::start()?;
        let told = Arc::clone(&space);
        let worker = Worker { journal, frames: frames_in, outcomes: outcomes_out, wake, space: told, maker };
        let (urgency_told, urgency) = channel();
        let thread = std::thread::Builder::new().name("journal".into()).spawn(move || {
            // Nobody listens any more where the thread is told to end at once.
            let _ = urgency_told.send(urgency::ask());
            worker.run()
        })?;
        let urgency = urgency.recv().unwrap_or_else(|_| Err(PANICKED.into()));
        Ok(Self { frames, outcomes, space, thread, urgency, in_flight: 0 })
    }

    /// Whether the thread runs before all usual ones when the disk is done; or why it waits for its turn.
    pub fn urgency(&self) -> Result<(), &str> {
        match &self.urgency {
            Ok(()) => Ok(()),
            Err(why) => Err(why),
        }
    }

    /// Whether there will be room for the frames to come.
    pub fn space(&self) -> Space {
        self.space.lock().expect(SPACE_LOCK).clone()
    }

    /// A clean stop: waits for every submitted frame, then writes the head witness.
    pub fn stop(self) -> Result<(), Fault> {
        drop(self.frames);
        match self.thread.join() {
            Ok(journal) => journal.close(),
            Err(_) => Err(Fault::Stopped { why: PANICKED.into() }),
        }
    }
}

const SPACE_LOCK: &str = "no code panics while it holds the space signal";
const PANICKED: &str = "the journal's thread panicked";

impl<D: Disk> Journal for JournalThread<D> {
    fn submit(&mut self, frame: Frame) {
        // Without the thread there is no outcome to come: poll tells.
        let _ = self.frames.send(frame);
        self.in_flight += 1;
    }

    fn poll(&mut self) -> Option<Outcome> {
        let outcome = self.outcomes.try_recv().ok().or_else(|| {
            let dead = self.in_flight > 0 && self.thread.is_finished();
            // The last outcome may have been sent between the two looks.
            dead.then(|| self.outcomes.try_recv().unwrap_or(Outcome::Unknown { why: PANICKED.into() }))
        })?;
        self.in_flight -= 1;
        Some(outcome)
    }
}

struct Worker<D: Disk> {
    journal: FileJournal<D>,
    frames: Receiver<Frame>,
    outcomes: Sender<Outcome>,
    wake: Wake,
    space: Arc<Mutex<Space>>,
    maker: SpareMaker<D>,
}

impl<D: Disk> Worker<D> {
    /// Appends until the sender is gone.
    fn run(mut self) -> FileJournal<D> {
        let started = Instant::now();
        loop {
            match self.frames.recv_timeout(IDLE) {
                Ok(frame) => {
                    let outcome = outcome_of(self.journal.append(&frame), &frame);
                    let _ = self.outcomes.send(outcome);
                    (self.wake)();
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.look_after_space();
            let now_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX).max(1);
            // A failure stops the journal, and the next frame's outcome tells it.
            let _ = self.journal.write_witness(now_us);
        }
        if let Some(made) = self.maker.finish() {
            self.journal.take_spare(made);
        }
        self.journal
    }

    fn look_after_space(&mut self) {
        if let Some(made) = self.maker.poll() {
            self.journal.take_spare(made);
        }
        if self.maker.may_order()
            && let Some(order) = self.journal.spare_wanted()
        {
            self.maker.order(order);
        }
        let mut told = self.space.lock().expect(SPACE_LOCK);
        if *told != *self.journal.space() {
            told.clone_from(self.journal.space());
        }
    }
}

/// A thread that zero-fills segments: it may wait for the disk as long as it likes.
struct SpareMaker<D: Disk> {
    orders: Sender<SpareOrder<D>>,
    made: Receiver<Result<Spare<D>, String>>,
    busy: bool,
    failed_at: Option<Instant>,
}

impl<D: Disk> SpareMaker<D> {
    fn start() -> std::io::Result<Self> {
        let (orders, orders_in) = channel::<SpareOrder<D>>();
        let (made_out, made) = channel();
        std::thread::Builder::new().name("journal-space".into()).spawn(move || {
            for order in orders_in {
                if made_out.send(order.run()).is_err() {
                    break;
                }
            }
        })?;
        Ok(Self { orders, made, busy: false, failed_at: None })
    }

    fn may_order(&self) -> bool {
        !self.busy && self.failed_at.is_none_or(|failed| failed.elapsed() >= SPACE_RETRY)
    }

    fn order(&mut self, order: SpareOrder<D>) {
        self.busy = self.orders.send(order).is_ok();
    }

    fn poll(&mut self) -> Option<Result<Spare<D>, String>> {
        let made = self.made.try_recv().ok()?;
        self.note(&made);
        Some(made)
    }

    /// Waits for the segment that is being made, if any.
    fn finish(&mut self) -> Option<Result<Spare<D>, String>> {
        let made = if self.busy { self.made.recv().ok()? } else { return None };
        self.note(&made);
        Some(made)
    }

    fn note(&mut self, made: &Result<Spare<D>, String>) {
        self.busy = false;
        self.failed_at = made.is_err().then(Instant::now);
    }
}
