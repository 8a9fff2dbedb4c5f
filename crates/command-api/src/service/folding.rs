//! The fold of the writer's own ledger: nothing of it is shown, so it is folded without views beside it.

use journal::{Checked, Frame, FrameSource, Head, JournalRead};
use ledger_core::control::RecordStateHash;
use ledger_core::values::Timestamp;
use ledger_core::{Entry, Event, Ledger};
use snapshots::SnapshotSource;

use super::Fault;

/// The writer's own ledger: the nearest snapshot, and the tail of the journal on top.
pub fn fold(journal: &dyn JournalRead, snapshots: &dyn SnapshotSource) -> Result<Ledger, Fault> {
    let head = journal.head();
    let (mut ledger, start, began) = match snapshots.nearest(journal, head.sequence) {
        Some(loaded) => (loaded.ledger, loaded.head, Some(loaded.state)),
        None => (Ledger::new(), Head::empty(head.ledger), None),
    };
    let mut frames = Checked::after(journal.frames_from(start.sequence + 1)?, start);
    while ledger.head().sequence < head.sequence {
        let sequence = ledger.head().sequence + 1;
        let Some(frame) = frames.next_frame()? else {
            return Err(Fault::Entry { sequence, why: "it is not there".into() });
        };
        apply_frame(&mut ledger, &frame, began.as_ref())?;
    }
    Ok(ledger)
}

/// Folds the next frame into a ledger. `began` is the state that the ledger was loaded with: what the log says of it is
/// held against it.
pub(super) fn apply_frame(
    ledger: &mut Ledger,
    frame: &Frame,
    began: Option<&RecordStateHash>,
) -> Result<(), Fault> {
    let log_time = Timestamp::from_micros(frame.header().log_time_us);
    for (sequence, _, bytes) in frame.entries() {
        let entry =
            Entry::decode(bytes).map_err(|fault| Fault::Entry { sequence, why: fault.to_string() })?;
        began.map_or(Ok(()), |began| check_began(began, &entry))?;
        ledger.apply(&entry, log_time).map_err(|why| Fault::Entry { sequence, why })?;
    }
    Ok(())
}

fn check_began(began: &RecordStateHash, entry: &Entry) -> Result<(), Fault> {
    for event in entry.events() {
        if let Event::LedgerStateHashRecorded(recorded) = event
            && recorded.at_sequence == began.at_sequence
            && let Some(what) = recorded.difference(began)
        {
            let at_sequence = began.at_sequence;
            return Err(projections::Fault::StateDiffers { at_sequence, what }.into());
        }
    }
    Ok(())
}
