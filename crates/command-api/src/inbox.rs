//! The queue before the writer: bounded, in order of arrival, and full when it is full.

mod to;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use ledger_core::control::RecordStateHash;
use parking_lot::{Condvar, Mutex};
use tokio::sync::oneshot;

pub(crate) use to::To;

use crate::writer::{Answer, Busy, Request};

/// How many commands the writer's thread takes at a time.
const TAKE_MAX: usize = 1024;

/// How much may wait for the writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueLimits {
    /// Commands; a batch of commands that are decided each on their own counts each.
    pub commands: usize,
    /// Bytes as they came over the wire.
    pub bytes: usize,
}

impl Default for QueueLimits {
    /// 16,384 commands, 64 MiB.
    fn default() -> Self {
        QueueLimits { commands: 16_384, bytes: 64 * 1024 * 1024 }
    }
}

/// A command in the queue, and where its answer goes.
pub(crate) type Waiting = (Request, To);

/// The queue. Many offer, one takes.
pub(crate) struct Inbox {
    state: Mutex<State>,
    wake: Condvar,
    limits: QueueLimits,
}

#[derive(Default)]
struct State {
    commands: VecDeque<Waiting>,
    bytes: usize,
    /// When the first of the commands came, or as far as is known when others were taken before it.
    waiting_since: Option<Instant>,
    woken: bool,
    clock_confirmed: bool,
    state_hash: Option<RecordStateHash>,
    /// Why no commands are taken.
    closed: Option<Closed>,
}

/// Why no commands are taken.
enum Closed {
    /// The service ends: for good.
    Stopping(String),
    /// Another instance writes, or none; until this one does.
    Elsewhere(String),
}

/// What the writer's thread found besides commands.
#[derive(Debug, PartialEq)]
pub(crate) struct Signals {
    /// How long the first of the commands that were taken had waited; `None` if none were.
    pub(crate) waited: Option<Duration>,
    /// An operator said that the clock is right.
    pub(crate) clock_confirmed: bool,
    /// A reader hashed a state.
    pub(crate) state_hash: Option<RecordStateHash>,
    /// No more commands will come, and none is left.
    pub(crate) ended: bool,
}

impl Inbox {
    pub(crate) fn new(limits: QueueLimits) -> Self {
        Inbox { state: Mutex::default(), wake: Condvar::new(), limits }
    }

    /// A queue that takes no commands yet, and tells where the writer is.
    pub(crate) fn elsewhere(limits: QueueLimits, writer: &str) -> Self {
        let inbox = Inbox::new(limits);
        inbox.hand_over(writer);
        inbox
    }

    /// Puts a command at the end of the queue; or tells at once why not, and nothing happened.
    pub(crate) fn offer(&self, request: Request) -> Result<oneshot::Receiver<Answer>, Answer> {
        let (to, answer) = oneshot::channel();
        self.state.lock().push(request, To::One(to), &self.limits)?;
        self.wake.notify_one();
        Ok(answer)
    }

    /// Puts commands at the end of the queue, one behind the other with nothing between them, as many as there is room
    /// for.
    pub(crate) fn offer_all(&self, requests: Vec<Request>) -> Taken {
        let mut state = self.state.lock();
        let (count, refusal) = state.room_for(&requests, &self.limits);
        let (places, answers) = To::together(count);
        for (request, to) in requests.into_iter().zip(places) {
            state.add(request, to);
        }
        drop(state);
        self.wake.notify_one();
        Taken { count, answers, refusal }
    }

    /// How many commands wait.
    pub(crate) fn depth(&self) -> usize {
        self.state.lock().commands.len()
    }

    /// How long the first command has waited; zero if none waits.
    pub(crate) fn waits_since(&self) -> Duration {
        self.state.lock().waiting_since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// The writer's thread has something to look at besides commands.
    pub(crate) fn wake(&self) {
        self.state.lock().woken = true;
        self.wake.notify_one();
    }

    /// An operator says that the clock is right: of this machine, and now. Where nobody writes, that says nothing of a
    /// writer to come.
    pub(crate) fn confirm_clock(&self) -> Result<(), Answer> {
        let mut state = self.state.lock();
        if let Some(refusal) = state.refusal() {
            return Err(refusal);
        }
        state.clock_confirmed = true;
        drop(state);
        self.wake.notify_one();
        Ok(())
    }

    /// A reader hashed a durable state, to be recorded. Of several that wait, the last one counts.
    pub(crate) fn record_state_hash(&self, hash: RecordStateHash) {
        self.state.lock().state_hash = Some(hash);
        self.wake.notify_one();
    }

    /// Takes no more commands; those that wait are still decided.
    pub(crate) fn close(&self, why: &str) {
        let mut state = self.state.lock();
        if !matches!(state.closed, Some(Closed::Stopping(_))) {
            state.closed = Some(Closed::Stopping(why.to_owned()));
        }
        drop(state);
        self.wake.notify_one();
    }

    /// Takes no more commands until it is opened again, and tells where the writer is; those that wait are still
    /// decided.
    pub(crate) fn hand_over(&self, writer: &str) {
        let mut state = self.state.lock();
        if !matches!(state.closed, Some(Closed::Stopping(_))) {
            state.closed = Some(Closed::Elsewhere(writer.to_owned()));
        }
        drop(state);
        self.wake.notify_one();
    }

    /// This instance writes now.
    pub(crate) fn open(&self) {
        let mut state = self.state.lock();
        if matches!(state.closed, Some(Closed::Elsewhere(_))) {
            state.closed = None;
            // It was meant for the writer before.
            state.clock_confirmed = false;
        }
    }

    /// Takes no more commands, and lets those that wait go without an answer: nobody is there to decide them.
    pub(crate) fn abandon(&self, why: &str) {
        self.close(why);
        let mut state = self.state.lock();
        state.commands.clear();
        state.waiting_since = None;
    }

    /// Waits for commands, if any are wanted, or a signal, at most so long. Whoever has nothing else to wait for
    /// `may_end`, and is told when the queue is closed and empty.
    pub(crate) fn take(
        &self,
        wanted: bool,
        may_end: bool,
        into: &mut VecDeque<Waiting>,
        wait_max: Duration,
    ) -> Signals {
        let idle = |state: &mut State| {
            let nothing_to_take = !wanted || state.commands.is_empty();
            let ends = may_end && state.closed.is_some() && state.commands.is_empty();
            let signalled = state.woken || state.clock_confirmed || state.state_hash.is_some();
            nothing_to_take && !signalled && !ends
        };
        let deadline = Instant::now() + wait_max;
        let mut state = self.state.lock();
        while idle(&mut state) {
            if self.wake.wait_until(&mut state, deadline).timed_out() {
                break;
            }
        }
        let mut waited = None;
        if wanted && !state.commands.is_empty() {
            waited = state.waiting_since.take().map(|since| since.elapsed());
            state.move_to(into);
            state.waiting_since = (!state.commands.is_empty()).then(Instant::now);
        }
        state.woken = false;
        let clock_confirmed = std::mem::take(&mut state.clock_confirmed);
        let state_hash = state.state_hash.take();
        let ended = may_end && state.closed.is_some() && state.commands.is_empty();
        Signals { waited, clock_confirmed, state_hash, ended }
    }
}

/// How much of what was offered has a place in the queue.
pub(crate) struct Taken {
    /// So many commands, from the first.
    pub(crate) count: usize,
    /// Their answers.
    pub(crate) answers: oneshot::Receiver<Vec<Answer>>,
    /// Why the others have none; nothing happened to them.
    pub(crate) refusal: Option<Answer>,
}

impl State {
    fn push(&mut self, request: Request, to: To, limits: &QueueLimits) -> Result<(), Answer> {
        if let (_, Some(refusal)) = self.room_for(std::slice::from_ref(&request), limits) {
            return Err(refusal);
        }
        self.add(request, to);
        Ok(())
    }

    fn add(&mut self, request: Request, to: To) {
        if self.commands.is_empty() {
            self.waiting_since = Some(Instant::now());
        }
        self.bytes += request.bytes;
        self.commands.push_back((request, to));
    }

    /// Why nothing is taken; `None` while the queue is open.
    fn refusal(&self) -> Option<Answer> {
        match &self.closed {
            None => None,
            Some(Closed::Stopping(why)) => Some(Answer::Unavailable { why: why.clone() }),
            Some(Closed::Elsewhere(writer)) => Some(Answer::NotTheWriter { writer: writer.clone() }),
        }
    }

    /// How many of these, from the first, may join the queue; and why the next one may not.
    fn room_for(&self, requests: &[Request], limits: &QueueLimits) -> (usize, Option<Answer>) {
        if let Some(refusal) = self.refusal() {
            return (0, Some(refusal));
        }
        let mut bytes = self.bytes;
        let mut fits = |(at, request): (usize, &Request)| {
            bytes += request.bytes;
            self.commands.len() + at < limits.commands && bytes <= limits.bytes
        };
        let count = requests.iter().enumerate().take_while(|next| fits(*next)).count();
        (count, (count < requests.len()).then_some(Answer::Busy(Busy::QueueFull)))
    }

    fn move_to(&mut self, into: &mut VecDeque<Waiting>) {
        if into.is_empty() && self.commands.len() <= TAKE_MAX {
            std::mem::swap(into, &mut self.commands);
            self.bytes = 0;
            return;
        }
        let count = self.commands.len().min(TAKE_MAX);
        let taken = self.commands.drain(..count);
        self.bytes -= taken.map(|waiting| (waiting.0.bytes, into.push_back(waiting)).0).sum::<usize>();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn confirmed(inbox: &Inbox) -> bool {
        inbox.take(false, false, &mut VecDeque::new(), Duration::ZERO).clock_confirmed
    }

    #[test]
    fn a_confirmed_clock_is_that_of_the_writer_of_now() {
        let inbox = Inbox::elsewhere(QueueLimits::default(), "http://other:7400");
        let refused = Answer::NotTheWriter { writer: "http://other:7400".into() };
        assert_eq!(inbox.confirm_clock(), Err(refused));
        inbox.open();
        assert!(!confirmed(&inbox), "it was refused");
        assert_eq!(inbox.confirm_clock(), Ok(()));
        assert!(confirmed(&inbox));

        assert_eq!(inbox.confirm_clock(), Ok(()));
        inbox.hand_over("http://other:7400");
        inbox.open();
        assert!(!confirmed(&inbox), "it was meant for the writer before");
    }
}
