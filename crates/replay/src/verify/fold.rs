//! The ledger that folds what is stored: invariants and tie-outs hold after every entry.

use journal::Frame;
use ledger_core::control::RecordStateHash;
use ledger_core::values::Timestamp;
use ledger_core::{Entry, Ledger, finance};

use super::recorded::Recorded;
use super::{Check, Difference, Differences, ReadFrame};
use crate::Fault;

#[derive(Default)]
pub(super) struct Folder {
    ledger: Ledger,
    /// The newest version of the rules that is known.
    newest_rules: u32,
    /// State hashes to be met on the way.
    recorded: Recorded,
    pub(super) state_hashes: u64,
    pub(super) sequence: u64,
    pub(super) epoch: u64,
    pub(super) head_hash: [u8; 32],
    pub(super) frames: u64,
    pub(super) events: u64,
    pub(super) differences: Differences,
}

impl Folder {
    /// Stops at entries that were decided by rules above these; checks these state hashes when it comes by.
    pub(super) fn knowing(newest_rules: u32, recorded: Recorded) -> Self {
        Folder { newest_rules, recorded, ..Folder::default() }
    }

    /// Decodes and folds the entries of the next frame, and gives them on.
    pub(super) fn frame(&mut self, frame: Frame) -> Result<ReadFrame, Fault> {
        let log_time = Timestamp::from_micros(frame.header().log_time_us);
        let mut entries = Vec::with_capacity(frame.header().entries as usize);
        let mut stored = frame.entries().peekable();
        while let Some((sequence, first_event, bytes)) = stored.next() {
            let entry = Entry::decode(bytes).map_err(|source| Fault::Entry { sequence, source })?;
            self.sequence = sequence;
            let next_event = stored.peek().map_or(frame.last_event() + 1, |(_, first_event, _)| *first_event);
            let (said, holds) = (next_event - first_event, u64::from(entry.event_count()));
            if said != holds {
                self.differs(Check::EventCount, format!("{said} said, {holds} found"));
            }
            self.events += holds;
            let (rules, newest) = (self.ledger.rules(), self.newest_rules);
            if rules > newest {
                return Err(Fault::RulesNotKnown { sequence, rules, newest });
            }
            self.fold(&entry, log_time);
            entries.push(entry);
        }
        drop(stored);
        self.frames += 1;
        self.epoch = frame.header().epoch;
        self.head_hash = frame.hash();
        Ok(ReadFrame { frame, log_time, entries })
    }

    fn fold(&mut self, entry: &Entry, log_time: Timestamp) {
        if let Err(what) = self.ledger.apply(entry, log_time) {
            self.differs(Check::Invariants, what);
        }
        if let Err(what) = finance::check_totals(&self.ledger) {
            self.differs(Check::TieOuts, what);
        }
        if let Some(recorded) = self.recorded.remove(&self.sequence) {
            self.state_hashes += 1;
            let found = RecordStateHash::of(self.sequence, &self.ledger.section_hashes());
            if let Some(what) = recorded.difference(&found) {
                self.differs(Check::StateHash, what);
            }
        }
    }

    /// Walks the subledgers once more, line by line; the hash of the ledger.
    pub(super) fn finish(&mut self) -> [u8; 32] {
        if let Err(what) = finance::check(&self.ledger) {
            self.differs(Check::TieOuts, what);
        }
        self.ledger.hash()
    }

    fn differs(&mut self, check: Check, what: String) {
        self.differences.add(Difference { sequence: self.sequence, command_id: None, check, what });
    }
}
