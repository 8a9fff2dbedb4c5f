//! One of the instances: it follows the stream, and for a time it writes.

use std::collections::VecDeque;
use std::sync::Arc;

use command_api::writer::Writer;
use journal::jetstream::{Appender, Chain, Reading};
use journal::{Fault, Frame, Journal, JournalRead, MemoryJournal, Outcome};
use ledger_core::values::Timestamp;
use ledger_core::{Entry, Ledger};

use crate::Violation;
use crate::auditor::Auditor;
use crate::world::Message;

/// A process of the cluster.
pub(super) struct Instance {
    /// Counts its starts: what was sent in an earlier life is not heard in a later one.
    pub(super) life: u64,
    pub(super) is_up: bool,
    /// It does nothing until then, and does not know that it did nothing.
    pub(super) paused_until: u64,
    /// Microseconds that its wall clock is off.
    pub(super) skew: i64,
    chain: Chain,
    /// What it has folded of the history.
    pub(super) ledger: Ledger,
    /// The history as it has read it.
    pub(super) history: Vec<Frame>,
    /// The same, for its feed.
    journal: MemoryJournal,
    pub(super) owner: Option<Owner>,
}

/// What an instance has while it writes, or believes that it does.
pub(super) struct Owner {
    pub(super) writer: Writer<u64>,
    pub(super) appender: Appender,
    pub(super) auditor: Auditor,
    pub(super) in_flight: Option<Frame>,
    pub(super) inbox: VecDeque<Message>,
    /// The last sequence that it knows to be durable.
    pub(super) durable: u64,
    pub(super) serving: bool,
}

impl Instance {
    pub(super) fn new(ledger: [u8; 16], skew: i64) -> Self {
        Instance {
            life: 0,
            is_up: false,
            paused_until: 0,
            skew,
            chain: Chain::of("SIMULATION"),
            ledger: Ledger::new(),
            history: Vec::new(),
            journal: MemoryJournal::new(ledger),
            owner: None,
        }
    }

    /// Starts anew: everything it knew is gone.
    pub(super) fn start(&mut self, ledger: [u8; 16]) {
        *self = Instance { life: self.life + 1, is_up: true, ..Instance::new(ledger, self.skew) };
    }

    pub(super) fn reader(&self) -> Arc<dyn JournalRead> {
        Arc::new(self.journal.reader())
    }

    pub(super) fn last_stream_sequence(&self) -> u64 {
        self.chain.last_stream_sequence()
    }

    /// Takes the messages behind those that it has read.
    pub(super) fn read(&mut self, messages: &[Frame]) -> Result<(), Violation> {
        for frame in messages {
            let stream_sequence = self.chain.last_stream_sequence() + 1;
            let fault = |fault: Fault| Violation(format!("a stream that nobody damaged: {fault}"));
            match self.chain.read(stream_sequence, frame.bytes()).map_err(fault)? {
                Reading::Next(frame) => self.fold(frame)?,
                Reading::Void(void) => {
                    return Err(format!("with one frame in flight nothing is void, found {void:?}").into());
                }
                Reading::Known => return Err(Violation("the next message is none that was read".into())),
            }
        }
        Ok(())
    }

    fn fold(&mut self, frame: Frame) -> Result<(), Violation> {
        let at = Timestamp::from_micros(frame.header().log_time_us);
        for (sequence, _, bytes) in frame.entries() {
            let entry = Entry::decode(bytes).map_err(|fault| Violation(fault.to_string()))?;
            let broken = |what: String| Violation(format!("sequence {sequence}: {what}"));
            self.ledger.apply(&entry, at).map_err(broken)?;
        }
        self.journal.submit(frame.clone());
        if !matches!(self.journal.poll(), Some(Outcome::Durable { .. })) {
            return Err(Violation("a frame of the history does not follow the one before it".into()));
        }
        self.history.push(frame);
        Ok(())
    }
}
