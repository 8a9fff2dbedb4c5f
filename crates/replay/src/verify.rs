//! Verify: the history is whole, every entry kept the books, and every command decides again to the same events.
//!
//! Two ledgers go through it. One folds the stored events, as every reader does ([`fold`]). The other decides the stored
//! commands anew, with the time, actor and ids that they were decided with, and what it would have recorded is compared
//! with what was ([`decide`]). A history that somebody rewrote with valid checksums passes the first and fails the
//! second.
//!
//! ```text
//!   journal ──► frames ──► fold: decode, apply, tie out ──► decide: decide anew, compare
//!                          one thread                       the same thread, or another
//! ```
//!
//! A state hash that the log records is held against the state that the fold came to after the entry it names.
//!
//! An entry is decided again by the rules that were in force when it was recorded. Those that are too old for this
//! program are folded and counted; rules that are too new stop it.

mod decide;
mod fold;
mod recorded;
#[cfg(test)]
mod tests;

use std::ops::RangeInclusive;

use journal::{Checked, Frame, FrameSource, Head, JournalRead};
use ledger_core::Entry;
use ledger_core::control::RULES_KNOWN;
use ledger_core::values::{CommandId, Timestamp};
use serde::{Serialize, Serializer};

use crate::{Fault, Progress};
use decide::Decider;
use fold::Folder;

/// How a history is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verify {
    /// Every command is decided again; without it, the stored events are only folded.
    pub decide: bool,
    /// Commands are decided on a thread of their own, beside the one that reads and folds.
    pub two_threads: bool,
}

/// What a history was found to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// Sequence of the last entry.
    pub sequence: u64,
    /// Start of the writer that recorded it.
    pub epoch: u64,
    /// Hash of the last frame: with it, the whole history is named.
    #[serde(serialize_with = "hex")]
    pub head_hash: [u8; 32],
    /// BLAKE3 of the ledger that the events fold into.
    #[serde(serialize_with = "hex")]
    pub ledger_hash: [u8; 32],
    /// Frames read; each one's checksum and hash were computed, and its place in the chain.
    pub frames: u64,
    /// Entries folded.
    pub entries: u64,
    /// Commands decided again.
    pub commands: u64,
    /// Entries that could only be folded: they were decided by rules that this program does not know any more.
    pub folded_only: u64,
    /// Events folded.
    pub events: u64,
    /// Recorded state hashes that were held against the state folded here.
    pub state_hashes: u64,
    /// How many differences there are; zero is green.
    pub differences: u64,
    /// The first of them.
    pub first_difference: Option<Difference>,
}

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The entry.
    pub sequence: u64,
    /// The command, where it is one command's.
    pub command_id: Option<CommandId>,
    /// Which check found it.
    pub check: Check,
    /// What was found and what was wanted.
    pub what: String,
}

/// The checks, in the order in which they are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// The frame says how many events an entry holds.
    EventCount,
    /// Applying the entry keeps every invariant.
    Invariants,
    /// After every entry each control account equals its subledger, at the end by a walk over all of it.
    TieOuts,
    /// The state after an entry is the one whose hash is recorded.
    StateHash,
    /// The commands decide to what is recorded.
    Decision,
    /// At the end, the ledger that decided equals the one that folded.
    LedgerHash,
}

impl Verified {
    /// True when nothing was found.
    pub fn is_green(&self) -> bool {
        self.differences == 0
    }
}

impl Default for Verify {
    fn default() -> Self {
        Verify { decide: true, two_threads: false }
    }
}

/// Folds the whole history and decides it again. Damage (checksums, chain, gaps, undecodable bytes) ends it as a fault,
/// which names the place; everything else is counted as a difference, and the rest is checked all the same.
pub fn verify(journal: &dyn JournalRead, progress: &mut dyn FnMut(Progress)) -> Result<Verified, Fault> {
    Verify::default().run(journal, progress)
}

impl Verify {
    /// Goes through the whole history, as [`verify`] does.
    pub fn run(
        self,
        journal: &dyn JournalRead,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Verified, Fault> {
        self.run_knowing(RULES_KNOWN, journal, progress)
    }

    /// The same by a program that knows these versions of the rules.
    fn run_knowing(
        self,
        known: RangeInclusive<u32>,
        journal: &dyn JournalRead,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Verified, Fault> {
        let folder = Folder::knowing(*known.end(), recorded::recorded(journal)?);
        if !self.decide {
            let folder = fold_all(folder, journal, progress, |_| {})?;
            return Ok(together(folder, None));
        }
        let mut decider = Decider::knowing(known);
        if !self.two_threads {
            let folder = fold_all(folder, journal, progress, |read| decider.frame(read))?;
            return Ok(together(folder, Some(decider)));
        }
        /// Frames that may wait to be decided again: some megabytes.
        const AHEAD_FRAMES_MAX: usize = 16;
        let (to_decide, folded) = std::sync::mpsc::sync_channel::<ReadFrame>(AHEAD_FRAMES_MAX);
        std::thread::scope(|scope| {
            let deciding = scope.spawn(move || {
                folded.into_iter().for_each(|read| decider.frame(read));
                decider
            });
            let folder = fold_all(folder, journal, progress, |read| {
                to_decide.send(read).expect("it decides until the last frame was sent");
            });
            drop(to_decide);
            let decider = deciding.join().expect("deciding does not panic");
            Ok(together(folder?, Some(decider)))
        })
    }
}

/// A frame with its entries, decoded once for both ledgers.
struct ReadFrame {
    frame: Frame,
    log_time: Timestamp,
    entries: Vec<Entry>,
}

fn fold_all(
    mut folder: Folder,
    journal: &dyn JournalRead,
    progress: &mut dyn FnMut(Progress),
    mut folded: impl FnMut(ReadFrame),
) -> Result<Folder, Fault> {
    let end = journal.head();
    let mut frames = Checked::after(journal.frames_from(1)?, Head::empty(end.ledger));
    while folder.sequence < end.sequence {
        let Some(frame) = frames.next_frame()? else {
            return Err(Fault::EndsEarly { found: folder.sequence, wanted: end.sequence });
        };
        folded(folder.frame(frame)?);
        progress(Progress { sequence: folder.sequence, of: end.sequence });
    }
    Ok(folder)
}

fn together(mut folder: Folder, decider: Option<Decider>) -> Verified {
    let ledger_hash = folder.finish();
    let (mut differences, mut commands, mut folded_only) = (folder.differences, 0, 0);
    if let Some(decider) = decider {
        (commands, folded_only) = (decider.commands, decider.folded_only);
        differences.add_all(decider.finish(folder.sequence, ledger_hash));
    }
    Verified {
        sequence: folder.sequence,
        epoch: folder.epoch,
        head_hash: folder.head_hash,
        ledger_hash,
        frames: folder.frames,
        entries: folder.sequence,
        commands,
        folded_only,
        events: folder.events,
        state_hashes: folder.state_hashes,
        differences: differences.count,
        first_difference: differences.first,
    }
}

/// How many there are, and the first of them by sequence and check.
#[derive(Default)]
struct Differences {
    count: u64,
    first: Option<Difference>,
}

impl Differences {
    fn add(&mut self, difference: Difference) {
        self.count += 1;
        self.keep_first(difference);
    }

    fn add_all(&mut self, others: Differences) {
        self.count += others.count;
        others.first.into_iter().for_each(|first| self.keep_first(first));
    }

    fn keep_first(&mut self, other: Difference) {
        let place = |difference: &Difference| (difference.sequence, difference.check);
        if self.first.as_ref().is_none_or(|first| place(&other) < place(first)) {
            self.first = Some(other);
        }
    }
}

fn hex<S: Serializer>(hash: &[u8; 32], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}
