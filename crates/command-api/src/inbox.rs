//! The queue before the writer: bounded, in order of arrival, and full when it is full.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::writer::{Answer, Busy, Request};

/// How many commands the writer's thread takes at a time.
const TAKE_MAX: usize = 256;
const POISON: &str = "no code panics while it holds the queue";

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
pub(crate) type Waiting = (Request, oneshot::Sender<Answer>);

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
    woken: bool,
    clock_confirmed: bool,
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
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Signals {
    /// An operator said that the clock is right.
    pub(crate) clock_confirmed: bool,
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
        let mut state = self.state();
        match &state.closed {
            None => {}
            Some(Closed::Stopping(why)) => return Err(Answer::Unavailable { why: why.clone() }),
            Some(Closed::Elsewhere(writer)) => return Err(Answer::NotTheWriter { writer: writer.clone() }),
        }
        let bytes = state.bytes + request.bytes;
        if state.commands.len() >= self.limits.commands || bytes > self.limits.bytes {
            return Err(Answer::Busy(Busy::QueueFull));
        }
        let (to, answer) = oneshot::channel();
        state.bytes = bytes;
        state.commands.push_back((request, to));
        drop(state);
        self.wake.notify_one();
        Ok(answer)
    }

    /// How many commands wait.
    pub(crate) fn depth(&self) -> usize {
        self.state().commands.len()
    }

    /// The writer's thread has something to look at besides commands.
    pub(crate) fn wake(&self) {
        self.state().woken = true;
        self.wake.notify_one();
    }

    /// An operator says that the clock is right.
    pub(crate) fn confirm_clock(&self) {
        self.state().clock_confirmed = true;
        self.wake.notify_one();
    }

    /// Takes no more commands; those that wait are still decided.
    pub(crate) fn close(&self, why: &str) {
        let mut state = self.state();
        if !matches!(state.closed, Some(Closed::Stopping(_))) {
            state.closed = Some(Closed::Stopping(why.to_owned()));
        }
        drop(state);
        self.wake.notify_one();
    }

    /// Takes no more commands until it is opened again, and tells where the writer is; those that wait are still
    /// decided.
    pub(crate) fn hand_over(&self, writer: &str) {
        let mut state = self.state();
        if !matches!(state.closed, Some(Closed::Stopping(_))) {
            state.closed = Some(Closed::Elsewhere(writer.to_owned()));
        }
        drop(state);
        self.wake.notify_one();
    }

    /// This instance writes now.
    pub(crate) fn open(&self) {
        let mut state = self.state();
        if matches!(state.closed, Some(Closed::Elsewhere(_))) {
            state.closed = None;
        }
    }

    /// Takes no more commands, and lets those that wait go without an answer: nobody is there to decide them.
    pub(crate) fn abandon(&self, why: &str) {
        self.close(why);
        self.state().commands.clear();
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
            nothing_to_take && !state.woken && !state.clock_confirmed && !ends
        };
        let (mut state, _) = self.wake.wait_timeout_while(self.state(), wait_max, idle).expect(POISON);
        if wanted {
            let count = state.commands.len().min(TAKE_MAX);
            let taken = state.commands.drain(..count);
            let bytes: usize = taken.map(|waiting| (waiting.0.bytes, into.push_back(waiting)).0).sum();
            state.bytes -= bytes;
        }
        state.woken = false;
        let clock_confirmed = std::mem::take(&mut state.clock_confirmed);
        let ended = may_end && state.closed.is_some() && state.commands.is_empty();
        Signals { clock_confirmed, ended }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect(POISON)
    }
}
