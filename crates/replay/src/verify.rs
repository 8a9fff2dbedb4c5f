//! Verify: the history is whole, every entry kept the books, and every command decides again to the same events.
//!
//! Two ledgers go through it. One folds the stored events, as every reader does. The other decides the stored commands
//! anew, with the time, actor and ids that they were decided with, and what it would have recorded is compared with
//! what was. A history that somebody rewrote with valid checksums passes the first and fails the second.

use journal::{Checked, Frame, FrameSource, Head, JournalRead};
use ledger_core::values::{CommandId, Timestamp};
use ledger_core::{Entry, Ledger, Submission, finance};
use serde::{Serialize, Serializer};

use crate::{Fault, Progress};

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
    /// Events compared.
    pub events: u64,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// The frame says how many events an entry holds.
    EventCount,
    /// Applying the entry keeps every invariant.
    Invariants,
    /// The commands decide to the events that are recorded.
    Decision,
    /// At the end, every control account equals its subledger.
    TieOuts,
    /// At the end, the ledger that decided equals the one that folded.
    LedgerHash,
}

impl Verified {
    /// True when nothing was found.
    pub fn is_green(&self) -> bool {
        self.differences == 0
    }
}

/// Goes through the whole history. Damage (checksums, chain, gaps, undecodable bytes) ends it as a fault, which names
/// the place; everything else is counted as a difference, and the rest is checked all the same.
pub fn verify(journal: &dyn JournalRead, progress: &mut dyn FnMut(Progress)) -> Result<Verified, Fault> {
    let end = journal.head();
    let mut frames = Checked::after(journal.frames_from(1)?, Head::empty(end.ledger));
    let mut verifier = Verifier::default();
    while verifier.found.sequence < end.sequence {
        let Some(frame) = frames.next_frame()? else {
            return Err(Fault::EndsEarly { found: verifier.found.sequence, wanted: end.sequence });
        };
        verifier.frame(&frame)?;
        progress(Progress { sequence: verifier.found.sequence, of: end.sequence });
    }
    Ok(verifier.finish())
}

#[derive(Default)]
struct Verifier {
    folded: Ledger,
    decided: Ledger,
    found: Found,
}

#[derive(Default)]
struct Found {
    sequence: u64,
    epoch: u64,
    head_hash: [u8; 32],
    frames: u64,
    commands: u64,
    events: u64,
    differences: u64,
    first_difference: Option<Difference>,
}

impl Found {
    fn differs(&mut self, check: Check, command_id: Option<CommandId>, what: String) {
        self.differences += 1;
        let sequence = self.sequence;
        self.first_difference.get_or_insert(Difference { sequence, command_id, check, what });
    }
}

impl Verifier {
    fn frame(&mut self, frame: &Frame) -> Result<(), Fault> {
        let log_time = Timestamp::from_micros(frame.header().log_time_us);
        let ordinals: Vec<u64> = frame.entries().map(|(_, first_event, _)| first_event).collect();
        for (place, (sequence, first_event, bytes)) in frame.entries().enumerate() {
            let entry = Entry::decode(bytes).map_err(|source| Fault::Entry { sequence, source })?;
            self.found.sequence = sequence;
            self.found.commands += entry.commands.len() as u64;
            self.found.events += u64::from(entry.event_count());
            let next_event = ordinals.get(place + 1).copied().unwrap_or(frame.last_event() + 1);
            let (said, holds) = (next_event - first_event, u64::from(entry.event_count()));
            if said != holds {
                self.found.differs(Check::EventCount, None, format!("{said} said, {holds} found"));
            }
            if let Err(what) = self.folded.apply(&entry, log_time) {
                self.found.differs(Check::Invariants, None, what);
            }
            self.decide_again(&entry, log_time);
        }
        self.found.frames += 1;
        self.found.epoch = frame.header().epoch;
        self.found.head_hash = frame.hash();
        Ok(())
    }

    /// The second ledger decides the entry's commands, and goes on from what is recorded, whatever it decided.
    fn decide_again(&mut self, stored: &Entry, log_time: Timestamp) {
        let Entry { actor, roles, correlation, commands } = stored;
        let submission = Submission {
            actor: actor.clone(),
            roles: roles.clone(),
            correlation: correlation.clone(),
            commands: commands.iter().map(|decided| decided.submitted.clone()).collect(),
        };
        let difference = match self.decided.decide(submission, log_time) {
            Ok(pending) if pending.entry() == stored => {
                pending.accept();
                return;
            }
            Ok(pending) => first_difference(stored, pending.entry()),
            Err(refused) => (None, format!("recorded, but refused now: {} ({refused})", refused.code())),
        };
        let (command_id, what) = difference;
        self.found.differs(Check::Decision, command_id, what);
        // What it breaks was said when the first ledger folded it.
        let _ = self.decided.apply(stored, log_time);
    }

    fn finish(mut self) -> Verified {
        if let Err(what) = finance::check(&self.folded) {
            self.found.differs(Check::TieOuts, None, what);
        }
        let ledger_hash = self.folded.hash();
        if self.decided.hash() != ledger_hash {
            let what = "deciding every command led to another ledger than folding every event".to_owned();
            self.found.differs(Check::LedgerHash, None, what);
        }
        let Found { sequence, epoch, head_hash, frames, commands, events, differences, first_difference } =
            self.found;
        let entries = sequence;
        Verified {
            sequence,
            epoch,
            head_hash,
            ledger_hash,
            frames,
            entries,
            commands,
            events,
            differences,
            first_difference,
        }
    }
}

/// The first command whose events differ, with the first event that does.
fn first_difference(stored: &Entry, now: &Entry) -> (Option<CommandId>, String) {
    for (stored, now) in stored.commands.iter().zip(&now.commands) {
        if stored == now {
            continue;
        }
        let json = |event: Option<&ledger_core::Event>| {
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
    (None, "the entry decided now is another".to_owned())
}

fn hex<S: Serializer>(hash: &[u8; 32], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}
