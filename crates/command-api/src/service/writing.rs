//! The writer's thread: moves commands, frames and answers between the queue, the writer and the journal.

use std::collections::VecDeque;
use std::sync::Arc;
use std::thread::Thread;
use std::time::{Duration, Instant, SystemTime};

use journal::{Fault, Frame, Space};
use ledger_core::values::Timestamp;
use tokio::sync::watch;

use super::Ownership;
use super::keeper::Keeper;
use super::precedence::Precedence;
use super::replicated::NOBODY_YET;
use crate::inbox::{Inbox, To, Waiting};
use crate::metrics::Metrics;
use crate::writer::{Input, Output, Refuses, Writer};

/// Without work the thread wakes this often: to look at the clock, and whether there is space.
const IDLE: Duration = Duration::from_millis(500);

/// More than so many things that are due are not counted.
const DUE_COUNT_MAX: usize = 10_000;

/// Commands that are decided between two looks at the clock and the journal, if so many wait: half a millisecond. What
/// becomes durable together shares the cost of a frame, which a fast disk would take for every few commands.
const STRIDE: usize = 128;

/// The wall clock, in UTC.
pub(super) fn wall_clock() -> Timestamp {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since_1970.as_micros()).unwrap_or(i64::MAX))
}

/// How long the thread may sleep: until something falls due, if that is soon. What is due already waits for the frame in
/// flight, for room or for a clock that can be believed, and the thread is woken or looks again after the usual time.
fn wait_max(due_at: Option<Timestamp>, now: Timestamp) -> Duration {
    let left = due_at.map(|due_at| due_at.micros().saturating_sub(now.micros()));
    let left = left.and_then(|micros| u64::try_from(micros).ok()).filter(|micros| *micros > 0);
    left.map_or(IDLE, |micros| IDLE.min(Duration::from_micros(micros)))
}

/// All that the writer's thread works with.
pub(super) struct Writing {
    pub(super) writer: Writer<To>,
    pub(super) keeper: Box<dyn Keeper>,
    pub(super) inbox: Arc<Inbox>,
    /// Folds what is durable.
    pub(super) reading: Thread,
    /// Why the writer stopped, once it has.
    pub(super) stopped: watch::Sender<Option<String>>,
    /// Who may act for the ledger: nobody here once the writer takes no more commands.
    pub(super) ownership: watch::Sender<Ownership>,
    /// What the instance is when the writer has ended: a follower can come back.
    pub(super) ends_as: Ownership,
    pub(super) metrics: Arc<Metrics>,
    /// When the frame in flight was handed to the journal.
    pub(super) submitted: Option<Instant>,
    /// Why commands are not taken, as it was told last.
    pub(super) refuses: Refuses,
    /// When it was told last what is due.
    pub(super) due_told: Option<Instant>,
}

impl Writing {
    /// Runs until the queue is closed and everything in it is answered.
    pub(super) fn run(mut self) -> Result<(), Fault> {
        Precedence::Writer.take();
        let _abandons = Abandons {
            inbox: Arc::clone(&self.inbox),
            stopped: self.stopped.clone(),
            ownership: self.ownership.clone(),
            metrics: Arc::clone(&self.metrics),
        };
        let mut taken: VecDeque<Waiting> = VecDeque::new();
        let mut out = Vec::new();
        let mut space = Space::Enough;
        // The frame that took the ledger.
        self.metrics.count_recorded(self.writer.recorded());
        loop {
            self.deliver(&mut out);
            while let Some(outcome) = self.keeper.poll() {
                if let Some(submitted) = self.submitted.take() {
                    self.metrics.count_durable(submitted);
                }
                self.writer.step(Input::Journal(outcome), wall_clock(), &mut out);
                self.metrics.count_recorded(self.writer.recorded());
                self.deliver(&mut out);
                self.reading.unpark();
            }
            let space_now = self.keeper.space();
            if space != space_now {
                space = space_now.clone();
                self.writer.step(Input::Space(space_now), wall_clock(), &mut out);
            }
            let now = wall_clock();
            if self.takes_front(&taken, now) {
                self.decide_some(&mut taken, now, &mut out);
                continue;
            }
            let takes_more = taken.is_empty() && self.writer.takes_commands();
            let settled = self.writer.is_settled();
            if taken.is_empty() {
                self.metrics.headway.takes(false);
            }
            self.tell_refuses(now);
            self.tell_due(now);
            let wait = wait_max(self.writer.ledger().next_due_at(), now);
            let signals = self.inbox.take(takes_more, settled, &mut taken, wait);
            if let Some(waited) = signals.waited {
                self.metrics.count_taken(waited);
            }
            if signals.clock_confirmed {
                self.writer.step(Input::ClockConfirmed, wall_clock(), &mut out);
            }
            if let Some(hash) = signals.state_hash {
                self.writer.step(Input::StateHash(hash), wall_clock(), &mut out);
            }
            if taken.is_empty() {
                self.writer.step(Input::Tick, wall_clock(), &mut out);
                if signals.ended && out.is_empty() {
                    self.ownership.send_replace(self.ends_as);
                    return self.keeper.stop();
                }
            }
        }
    }

    /// Whoever asks whether the ledger is ready is told what a command would be told.
    fn tell_refuses(&mut self, now: Timestamp) {
        let refuses = self.writer.refuses(now);
        if self.refuses != refuses {
            self.refuses = refuses.clone();
            self.metrics.note_refuses(refuses);
        }
    }

    /// What is due is decided within a step, unless it is refused or nothing is taken: then it is counted now and then.
    fn tell_due(&mut self, now: Timestamp) {
        if self.due_told.is_some_and(|told| told.elapsed() < IDLE) {
            return;
        }
        let ledger = self.writer.ledger();
        let since = ledger.next_due_at().filter(|due_at| *due_at <= now);
        self.metrics.note_due(ledger.due_count(now, DUE_COUNT_MAX), since);
        self.due_told = Some(Instant::now());
    }

    /// Whether the command that came first can be decided now, into the frame that is open.
    fn takes_front(&self, taken: &VecDeque<Waiting>, now: Timestamp) -> bool {
        let Some((request, _)) = taken.front() else { return false };
        self.writer.takes_commands() && !self.writer.is_of_next_frame(request, now)
    }

    /// Decides a few commands under one look at the clock, as long as the writer takes them; then the journal is looked
    /// at again.
    fn decide_some(&mut self, taken: &mut VecDeque<Waiting>, now: Timestamp, out: &mut Vec<Output<To>>) {
        for _ in 0..STRIDE {
            // A frame or an answer that is ready does not wait for the others.
            if !out.is_empty() || !self.takes_front(taken, now) {
                return;
            }
            let Some((request, to)) = taken.pop_front() else { return };
            self.writer.step(Input::Command(request, to), now, out);
        }
    }

    /// The next frame goes to the journal before the answers of the last one leave: the disk does not wait for them.
    fn deliver(&mut self, out: &mut Vec<Output<To>>) {
        if let Some(Output::Append(frame)) = out.pop_if(|last| matches!(last, Output::Append(_))) {
            self.submit(frame);
        }
        for output in out.drain(..) {
            match output {
                Output::Append(frame) => self.submit(frame),
                Output::Reply(to, answer) => to.send(answer),
                Output::Stopped { why } => {
                    tracing::error!(%why, "the writer stopped: commands are refused");
                    if self.ends_as == Ownership::Follower {
                        self.inbox.hand_over(NOBODY_YET);
                    }
                    self.ownership.send_replace(self.ends_as);
                    self.stopped.send_replace(Some(why));
                }
            }
        }
    }

    fn submit(&mut self, frame: Frame) {
        self.submitted = Some(self.metrics.count_frame(&frame));
        self.keeper.submit(frame);
    }
}

/// When the thread ends nothing is under way any more; and if it ends by a panic, nobody waits for ever.
struct Abandons {
    inbox: Arc<Inbox>,
    stopped: watch::Sender<Option<String>>,
    ownership: watch::Sender<Ownership>,
    metrics: Arc<Metrics>,
}

impl Drop for Abandons {
    fn drop(&mut self) {
        self.metrics.headway.takes(false);
        self.metrics.headway.writes(false);
        self.metrics.note_refuses(Refuses::default());
        self.metrics.note_due(0, None);
        if std::thread::panicking() {
            let why = "the writer's thread panicked; restart to go on from what is on disk";
            self.inbox.abandon(why);
            self.ownership.send_replace(Ownership::Stopped);
            self.stopped.send_replace(Some(why.into()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thread_sleeps_until_something_falls_due_and_never_spins_on_what_is() {
        let now = Timestamp::from_micros(1_000_000);
        let due_in = |micros| wait_max(Some(now.plus_micros(micros)), now);
        assert_eq!(wait_max(None, now), IDLE);
        assert_eq!((due_in(20_000), due_in(3_600_000_000)), (Duration::from_millis(20), IDLE));
        assert_eq!((due_in(0), due_in(-1)), (IDLE, IDLE));
    }
}
