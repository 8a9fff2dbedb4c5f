//! State hashes that the log records, held against those of our own snapshots: a reader that folded to another state
//! knows it, and says so.
//!
//! A hash is recorded by the owner of the ledger once its snapshot is durable. An instance compares it with the hash of a
//! snapshot that it took of the same state, or began with; neither costs it a walk over its ledger.

use std::collections::VecDeque;

use ledger_core::Event;
use ledger_core::control::{RecordStateHash, StateHashRecorded};

use crate::fault::Fault;

/// A hash and its counterpart come within a few snapshots of each other.
const KEPT: usize = 8;

/// What is known of state hashes.
#[derive(Debug, Default)]
pub(crate) struct StateHashes {
    own: VecDeque<RecordStateHash>,
    recorded: VecDeque<StateHashRecorded>,
    /// The last sequence at which ours was the recorded one.
    agreed_at: Option<u64>,
    /// The first sequence at which ours was another, and where it differed.
    differs: Option<(u64, String)>,
}

impl StateHashes {
    /// A snapshot of our own has this hash.
    pub(crate) fn found(&mut self, own: RecordStateHash) {
        if let Some(recorded) = self.recorded.iter().find(|recorded| recorded.at_sequence == own.at_sequence)
        {
            let difference = recorded.difference(&own);
            self.compared(own.at_sequence, difference);
        }
        keep(&mut self.own, own);
    }

    /// The log records this event.
    pub(crate) fn look_at(&mut self, event: &Event) {
        let Event::LedgerStateHashRecorded(recorded) = event else { return };
        if let Some(own) = self.own.iter().find(|own| own.at_sequence == recorded.at_sequence) {
            let difference = recorded.difference(own);
            self.compared(recorded.at_sequence, difference);
        }
        keep(&mut self.recorded, recorded.clone());
    }

    fn compared(&mut self, at_sequence: u64, difference: Option<String>) {
        match difference {
            None => self.agreed_at = Some(at_sequence),
            Some(what) => {
                tracing::error!(at_sequence, %what, "the state folded here is not the one that the log records");
                self.differs.get_or_insert((at_sequence, what));
            }
        }
    }

    /// The last sequence at which ours was the recorded one.
    pub(crate) fn agreed_at(&self) -> Option<u64> {
        self.agreed_at
    }

    /// The first sequence at which ours was another, and where it differed.
    pub(crate) fn differs(&self) -> Option<&(u64, String)> {
        self.differs.as_ref()
    }

    /// A fault once ours was another.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        match self.differs.clone() {
            Some((at_sequence, what)) => Err(Fault::StateDiffers { at_sequence, what }),
            None => Ok(()),
        }
    }
}

fn keep<T>(hashes: &mut VecDeque<T>, hash: T) {
    hashes.push_back(hash);
    if hashes.len() > KEPT {
        hashes.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use ledger_core::ledger::SECTIONS;
    use ledger_core::values::{Name, Text};

    use super::*;

    fn own(at_sequence: u64, byte: u8) -> RecordStateHash {
        RecordStateHash::of(at_sequence, &[[byte; 32]; SECTIONS.len()])
    }

    fn recorded(at_sequence: u64, byte: u8) -> Event {
        let RecordStateHash { format, root, sections, .. } = own(at_sequence, byte);
        let ledger = Name::try_new("main").unwrap();
        StateHashRecorded { at_sequence, format, root, sections, ledger }.into()
    }

    #[test]
    fn whichever_comes_first_the_two_are_compared() {
        let mut hashes = StateHashes::default();
        hashes.found(own(10, 7));
        hashes.look_at(&recorded(10, 7));
        hashes.look_at(&recorded(20, 8));
        assert_eq!(hashes.agreed_at(), Some(10));
        hashes.found(own(20, 8));
        assert_eq!((hashes.agreed_at(), hashes.differs()), (Some(20), None));
    }

    #[test]
    fn the_first_difference_stays_and_names_its_section() {
        let mut hashes = StateHashes::default();
        for at in [10, 20, 30] {
            hashes.found(own(at, 7));
            hashes.look_at(&recorded(at, if at == 10 { 7 } else { 9 }));
        }
        assert_eq!(hashes.agreed_at(), Some(10));
        let fault = hashes.check().unwrap_err().to_string();
        assert!(fault.contains("entry 20") && fault.contains("section head"), "{fault}");
    }
}
