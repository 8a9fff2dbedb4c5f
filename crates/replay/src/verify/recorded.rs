//! The state hashes that a history records, gathered before it is folded: each is checked when the fold comes by.

use std::collections::BTreeMap;

use journal::{FrameSource, JournalRead};
use ledger_core::control::StateHashRecorded;
use ledger_core::ledger::STATE_FORMAT;
use ledger_core::{Entry, Event};

use crate::Fault;

/// State hashes of the format that this program computes, by the entry that they are of.
pub(super) type Recorded = BTreeMap<u64, StateHashRecorded>;

/// Goes through the whole history, and decodes no more of it than the kinds of its events. Damage is for whoever folds to
/// find: this ends where it begins.
pub(super) fn recorded(journal: &dyn JournalRead) -> Result<Recorded, Fault> {
    let (end, mut found) = (journal.head().sequence, Recorded::new());
    let mut frames = journal.frames_from(1)?;
    let mut sequence = 0;
    while sequence < end {
        let Some(frame) = frames.next_frame()? else { break };
        for (_, _, bytes) in frame.entries() {
            if !matches!(Entry::holds(bytes, StateHashRecorded::KIND), Ok(true)) {
                continue;
            }
            let Ok(entry) = Entry::decode(bytes) else { continue };
            for decided in entry.commands {
                found.extend(decided.events.into_iter().filter_map(|event| match event {
                    Event::LedgerStateHashRecorded(recorded) if recorded.format == STATE_FORMAT => {
                        Some((recorded.at_sequence, recorded))
                    }
                    _ => None,
                }));
            }
        }
        sequence = frame.last_sequence();
    }
    Ok(found)
}
