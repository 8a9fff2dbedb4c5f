//! The third ledger: as of a sequence, folded from the nearest snapshot, one question at a time.

use std::time::{Duration, Instant};

use journal::{FrameSource, JournalRead};
use ledger_core::values::Timestamp;
use parking_lot::{MappedMutexGuard, Mutex, MutexGuard};
use snapshots::SnapshotSource;

/// Loading a snapshot takes as long as folding about so many entries: it is worth it if it saves more.
const WORTH_LOADING: u64 = 1_000;

use crate::fault::Fault;
use crate::folded::Folded;
use crate::history::Recorded;

/// Answers as-of questions one after the other. What it folded last is kept: the next page of the same question, and
/// a question about a later time, go on from there.
#[derive(Default)]
pub(crate) struct AsOfWorker {
    kept: Mutex<Option<Folded>>,
    asked_last: Mutex<Option<Instant>>,
}

impl AsOfWorker {
    /// The state after an entry. Waits for whoever asked before.
    pub(crate) fn state_after(
        &self,
        sequence: u64,
        journal: &dyn JournalRead,
        snapshots: Option<&dyn SnapshotSource>,
    ) -> Result<MappedMutexGuard<'_, Folded>, Fault> {
        let mut kept = self.kept.lock();
        *self.asked_last.lock() = Some(Instant::now());
        let mut may_load_upto = sequence;
        loop {
            let begun = kept.take();
            match folded_from(begun, may_load_upto, sequence, journal, snapshots) {
                // It began with a snapshot that is not what the log says: an earlier one will do, or none.
                Err(Fault::StateDiffers { at_sequence, .. }) if at_sequence > 0 => {
                    may_load_upto = at_sequence - 1;
                }
                folded => {
                    *kept = Some(folded?);
                    break;
                }
            }
        }
        Ok(MutexGuard::map(kept, |kept| kept.as_mut().expect("it was put there on the line before")))
    }
}

impl AsOfWorker {
    /// Lets the kept ledger go if nobody has asked for so long; true if there was one. Does not wait: while a question is
    /// being answered nothing is let go.
    pub(crate) fn forget(&self, idle_min: Duration) -> bool {
        let asked_last = *self.asked_last.lock();
        if asked_last.is_none_or(|asked| asked.elapsed() < idle_min) {
            return false;
        }
        let Some(folded) = self.kept.try_lock().and_then(|mut kept| kept.take()) else { return false };
        // To take a large ledger apart takes a while, and whoever calls has other things to do.
        std::thread::spawn(move || drop(folded));
        true
    }
}

fn folded_from(
    begun: Option<Folded>,
    may_load_upto: u64,
    sequence: u64,
    journal: &dyn JournalRead,
    snapshots: Option<&dyn SnapshotSource>,
) -> Result<Folded, Fault> {
    let mut folded = begun.filter(|kept| kept.position().sequence <= sequence).unwrap_or_default();
    let saved = |at: u64| at.saturating_sub(folded.position().sequence);
    if let Some(snapshots) = snapshots
        && snapshots.nearest_sequence(may_load_upto).is_some_and(|nearest| saved(nearest) > WORTH_LOADING)
        && let Some(loaded) = snapshots.nearest(journal, may_load_upto)
        && saved(loaded.head.sequence) > 0
    {
        folded = Folded::of(loaded).unwrap_or(folded);
    }
    fold_until(&mut folded, sequence, journal)?;
    folded.state_hashes.check()?;
    Ok(folded)
}

fn fold_until(folded: &mut Folded, sequence: u64, journal: &dyn JournalRead) -> Result<(), Fault> {
    let mut next = folded.position().sequence + 1;
    let mut frames: Option<Box<dyn FrameSource>> = None;
    while next <= sequence {
        let frames = match &mut frames {
            Some(frames) => frames,
            none => none.insert(journal.frames_from(next)?),
        };
        let frame = frames.next_frame()?.ok_or(Fault::Missing { sequence: next })?;
        for at in next..=frame.last_sequence().min(sequence) {
            let recorded = Recorded::read(&frame, at)?.ok_or(Fault::Missing { sequence: at })?;
            folded.apply(&recorded.entry, recorded.epoch, recorded.log_time);
        }
        next = frame.last_sequence() + 1;
    }
    Ok(())
}

/// The last entry recorded at a time or before; 0 if there is none. Log time never falls, so it is found by halving.
pub(crate) fn sequence_at(
    recorded_at: Timestamp,
    head: u64,
    journal: &dyn JournalRead,
) -> Result<u64, Fault> {
    let (mut low, mut high) = (0, head);
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        let frame = journal.frame_at(middle)?.ok_or(Fault::Missing { sequence: middle })?;
        if frame.header().log_time_us <= recorded_at.micros() {
            low = frame.last_sequence().min(head);
        } else {
            high = frame.header().first_sequence - 1;
        }
    }
    Ok(low)
}
