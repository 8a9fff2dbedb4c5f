//! The ledger that decides every stored command again, and compares what it would record with what is recorded.

use std::ops::RangeInclusive;

use ledger_core::values::{CommandId, Timestamp};
use ledger_core::{Entry, Event, Ledger};

use super::{Check, Difference, Differences, ReadFrame};

pub(super) struct Decider {
    ledger: Ledger,
    /// The versions of the rules by which entries can be decided again.
    known: RangeInclusive<u32>,
    pub(super) commands: u64,
    pub(super) folded_only: u64,
    differences: Differences,
}

impl Decider {
    /// Decides by these versions of the rules.
    pub(super) fn knowing(known: RangeInclusive<u32>) -> Self {
        let (ledger, differences) = (Ledger::new(), Differences::default());
        Decider { ledger, known, commands: 0, folded_only: 0, differences }
    }

    pub(super) fn frame(&mut self, ReadFrame { frame, log_time, entries }: ReadFrame) {
        for ((sequence, _, stored), entry) in frame.entries().zip(entries) {
            self.entry(sequence, log_time, entry, stored);
        }
    }

    /// Decides the entry's commands, and goes on from what is recorded, whatever it decided.
    fn entry(&mut self, sequence: u64, log_time: Timestamp, entry: Entry, stored: &[u8]) {
        if !self.known.contains(&self.ledger.rules()) {
            self.folded_only += 1;
            // What it breaks was said when the other ledger folded it.
            let _ = self.ledger.apply(&entry, log_time);
            return;
        }
        self.commands += entry.commands.len() as u64;
        let (command_id, what) = match self.ledger.decide(entry.into_submission(), log_time) {
            Ok(pending) if pending.bytes() == stored => {
                pending.accept();
                return;
            }
            Ok(pending) => first_difference(&again(stored), pending.entry()),
            Err(refused) => (None, format!("recorded, but refused now: {} ({refused})", refused.code())),
        };
        self.differences.add(Difference { sequence, command_id, check: Check::Decision, what });
        let _ = self.ledger.apply(&again(stored), log_time);
    }

    /// Whether deciding led to the ledger that folding led to.
    pub(super) fn finish(mut self, sequence: u64, folded_hash: [u8; 32]) -> Differences {
        if self.ledger.hash() != folded_hash {
            let what = "deciding every command led to another ledger than folding every event".to_owned();
            self.differences.add(Difference { sequence, command_id: None, check: Check::LedgerHash, what });
        }
        self.differences
    }
}

fn again(stored: &[u8]) -> Entry {
    Entry::decode(stored).expect("it was decoded to be folded")
}

/// The first command whose events differ, with the first event that does.
fn first_difference(stored: &Entry, now: &Entry) -> (Option<CommandId>, String) {
    for (stored, now) in stored.commands.iter().zip(&now.commands) {
        if stored == now {
            continue;
        }
        let json = |event: Option<&Event>| {
            event.map_or("nothing".to_owned(), |event| {
                serde_json::to_string(event).expect("an event is plain data with text keys")
            })
        };
        let events = stored.events.len().max(now.events.len());
        let (mut recorded, mut decided) = (String::new(), String::new());
        if let Some(at) = (0..events).find(|at| stored.events.get(*at) != now.events.get(*at)) {
            (recorded, decided) = (json(stored.events.get(at)), json(now.events.get(at)));
        }
        let command = stored.submitted.command.name();
        return (
            Some(stored.submitted.id.clone()),
            format!("{command} recorded {recorded}, decided now {decided}"),
        );
    }
    (None, "the same commands and events are stored in other bytes than they are written in now".to_owned())
}
