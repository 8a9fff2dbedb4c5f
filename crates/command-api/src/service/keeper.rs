//! A journal that keeps the frames of a running service, and can be stopped.

use journal::jetstream::StreamAppender;
use journal::{Fault, Frame, Journal, JournalThread, MemoryJournal, Outcome, Space, Wake};

/// A journal as the writer's thread drives it.
pub(super) trait Keeper: Journal + Send {
    /// Whether there will be room for the frames to come.
    fn space(&self) -> Space;
    /// Waits for every submitted frame; exact witnesses on return.
    fn stop(self: Box<Self>) -> Result<(), Fault>;
}

impl Keeper for JournalThread {
    fn space(&self) -> Space {
        JournalThread::space(self)
    }

    fn stop(self: Box<Self>) -> Result<(), Fault> {
        JournalThread::stop(*self)
    }
}

/// A journal in a stream: the servers keep it, and there is nothing to close.
pub(super) struct InStream(pub(super) StreamAppender);

impl Journal for InStream {
    fn submit(&mut self, frame: Frame) {
        self.0.submit(frame);
    }

    fn poll(&mut self) -> Option<Outcome> {
        self.0.poll()
    }
}

impl Keeper for InStream {
    fn space(&self) -> Space {
        Space::Enough
    }

    fn stop(self: Box<Self>) -> Result<(), Fault> {
        Ok(())
    }
}

/// A journal in memory: its outcome is there as soon as a frame is handed over.
pub(super) struct InMemory {
    pub(super) journal: MemoryJournal,
    pub(super) wake: Wake,
}

impl Journal for InMemory {
    fn submit(&mut self, frame: Frame) {
        self.journal.submit(frame);
        (self.wake)();
    }

    fn poll(&mut self) -> Option<Outcome> {
        self.journal.poll()
    }
}

impl Keeper for InMemory {
    fn space(&self) -> Space {
        Space::Enough
    }

    fn stop(self: Box<Self>) -> Result<(), Fault> {
        Ok(())
    }
}
