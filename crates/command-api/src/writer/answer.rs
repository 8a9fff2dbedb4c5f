//! What the writer answers, as typed facts; `reply.rs` turns them into the contract's JSON, off the writer.

use ledger_core::values::{CommandId, Timestamp};
use ledger_core::{Entry, Rejection};
use projections::Position;
use thiserror::Error;

/// The outcome of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// It is an entry of the log now, and durable.
    Accepted {
        /// The entry's place.
        position: Position,
        /// The entry.
        entry: Entry,
    },
    /// It would be accepted; nothing was recorded.
    WouldBeAccepted {
        /// Where it was decided.
        position: Position,
        /// What would be recorded.
        entry: Entry,
    },
    /// The same was accepted before: the first outcome is in the log.
    Duplicate {
        /// Each command and the sequence of its entry.
        accepted: Vec<(CommandId, u64)>,
    },
    /// The business says no.
    Rejected {
        /// Where it was decided.
        position: Position,
        /// Why.
        rejection: Rejection,
    },
    /// The caller's roles do not include this permission.
    Forbidden {
        /// The command's name.
        permission: &'static str,
    },
    /// The command ids contradict what was accepted before.
    Conflict(Conflict),
    /// Nothing happened; the same may be sent again later.
    Busy(Busy),
    /// The writer takes no commands any more; nothing happened.
    Unavailable {
        /// What happened to it.
        why: String,
    },
    /// Another instance writes; nothing happened.
    NotTheWriter {
        /// Where it is, as far as it is known.
        writer: String,
    },
    /// The writer stopped before it knew whether the entry is durable.
    Unknown {
        /// What happened to it.
        why: String,
    },
}

/// Command ids that contradict what was accepted before.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Conflict {
    /// A command id stands for one command, for good.
    #[error("command id {id} was accepted at sequence {sequence} with another command: use a new id")]
    CommandIdReused {
        /// The id.
        id: CommandId,
        /// The entry that has it.
        sequence: u64,
    },
    /// Commands that stand or fall together cannot have happened in part.
    #[error(
        "{known} of the {commands} commands of this atomic batch were accepted before: send all with new ids, or only \
         those that are missing"
    )]
    BatchPartlyKnown {
        /// How many were accepted before.
        known: usize,
        /// How many the batch has.
        commands: usize,
    },
}

impl Conflict {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Conflict::CommandIdReused { .. } | Conflict::BatchPartlyKnown { .. } => "command_id_reused",
        }
    }
}

/// Why no command is taken just now.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Busy {
    /// More commands wait than the service keeps.
    #[error("the queue is full: nothing happened, send it again with the same id")]
    QueueFull,
    /// The journal cannot make its next segment.
    #[error("the disk is full: nothing happened; free space, then send it again with the same id ({why})")]
    DiskFull {
        /// What the operating system said.
        why: String,
    },
    /// The wall clock leapt.
    #[error(
        "the wall clock says {wall_clock}, the ledger's time is {ledger_time}: nothing happened; correct the clock, or \
         let an operator confirm it"
    )]
    ClockSuspect {
        /// What the wall clock says.
        wall_clock: Timestamp,
        /// The last time that was plausible.
        ledger_time: Timestamp,
    },
}

/// Why every command is `busy`, whatever it asks for: nothing while commands are taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refuses {
    /// The disk has no room for the frames to come.
    pub space: Option<Busy>,
    /// The wall clock cannot be believed.
    pub clock: Option<Busy>,
}

impl Busy {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Busy::QueueFull => "queue_full",
            Busy::DiskFull { .. } => "disk_full",
            Busy::ClockSuspect { .. } => "clock_suspect",
        }
    }
}
