//! The log as rows: one an accepted command.

use std::ops::ControlFlow;

use journal::{FrameSource, JournalRead};
use ledger_core::Entry;
use ledger_core::values::{ActorId, CommandId, Timestamp};
use serde::Serialize;

use crate::Fault;

/// Which entries: by sequence, both ends included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LogRange {
    /// From this entry; the first when absent.
    pub from: Option<u64>,
    /// To this entry; the last durable one when absent.
    pub to: Option<u64>,
}

/// An accepted command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogRow {
    /// The entry.
    pub sequence: u64,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// When it was true.
    pub effective_at: Timestamp,
    /// Who acted.
    pub actor: ActorId,
    /// The command's id.
    pub command_id: CommandId,
    /// `module.action`.
    pub command: &'static str,
    /// What happened, by name.
    pub events: Vec<&'static str>,
}

/// Hands the rows to the reader in the order of the log, until it breaks.
pub fn log(
    journal: &dyn JournalRead,
    range: LogRange,
    each: &mut dyn FnMut(LogRow) -> ControlFlow<()>,
) -> Result<(), Fault> {
    let (from, to) = (range.from.unwrap_or(1).max(1), range.to.unwrap_or(u64::MAX));
    if from > to {
        return Ok(());
    }
    let mut frames = journal.frames_from(from)?;
    while let Some(frame) = frames.next_frame()? {
        let recorded_at = Timestamp::from_micros(frame.header().log_time_us);
        for (sequence, _, bytes) in frame.entries().filter(|(sequence, ..)| *sequence >= from) {
            if sequence > to {
                return Ok(());
            }
            let entry = Entry::decode(bytes).map_err(|source| Fault::Entry { sequence, source })?;
            for decided in entry.commands {
                let row = LogRow {
                    sequence,
                    recorded_at,
                    effective_at: decided.submitted.effective_at.unwrap_or(recorded_at),
                    actor: entry.actor.id.clone(),
                    command: decided.submitted.command.name(),
                    events: decided.events.iter().map(|event| event.name()).collect(),
                    command_id: decided.submitted.id,
                };
                if each(row).is_break() {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}
