//! The contract's replies: typed here, JSON on every wire.

#[cfg(test)]
mod tests;

use journal::JournalRead;
use ledger_core::values::CommandId;
use ledger_core::{Entry, Event};
use projections::Position;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::invalid::Invalid;
use crate::writer::{Answer, Busy};

/// The longest reply, in bytes: it fits the one-megabyte message limit of a NATS server.
pub const REPLY_BYTES_MAX: usize = 900 * 1024;

/// What a command's sender is told.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Reply {
    /// It is recorded, and survives a crash.
    Accepted(Accepted),
    /// The business says no.
    Rejected(Rejected),
    /// It cannot be understood.
    Invalid(Invalid),
    /// Nobody knows who asks: the token is missing, not signed by a key that is known, or has expired.
    Unauthorised(Problem),
    /// Whoever asks is known, and may not.
    Forbidden(Problem),
    /// It contradicts what was accepted before.
    Conflict(Problem),
    /// Nothing happened; send it again later, with the same id.
    Busy(Problem),
    /// The writer takes no commands; nothing happened.
    Unavailable(Problem),
    /// The writer stopped before it knew; send it again with the same id, or ask for its status.
    Unknown(Problem),
}

/// What was recorded.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Accepted {
    /// The entry's number; absent for a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u64>,
    /// The entry's place, for a query that is to see it; of a dry run where it was decided.
    pub position: Position,
    /// What happened, in order.
    pub events: Vec<Event>,
    /// The events are more than a reply can hold, so many are left out: read them from the audit view.
    #[serde(skip_serializing_if = "is_zero")]
    pub events_omitted: usize,
    /// The same command was accepted before: this is the first outcome.
    #[serde(skip_serializing_if = "is_false")]
    pub duplicate: bool,
    /// Nothing was recorded.
    #[serde(skip_serializing_if = "is_false")]
    pub dry_run: bool,
}

/// Why the business says no.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rejected {
    /// The stable code.
    pub code: &'static str,
    /// The code in a sentence, with its figures.
    pub message: String,
    /// The figures.
    pub details: Map<String, Value>,
    /// Where it was decided.
    pub position: Position,
}

/// What stands in the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The stable code.
    pub code: &'static str,
    /// The code in a sentence.
    pub message: String,
}

impl Problem {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Problem { code, message: message.into() }
    }
}

impl Reply {
    /// The reply to an answer of the writer. A duplicate's events are read back from the journal.
    pub fn of(answer: Answer, journal: &dyn JournalRead) -> Reply {
        match answer {
            Answer::Accepted { position, entry } => accepted(position, entry, Some(position.sequence)),
            Answer::WouldBeAccepted { position, entry } => accepted(position, entry, None),
            Answer::Duplicate { accepted } => first_outcome(&accepted, journal),
            Answer::Rejected { position, rejection } => Reply::Rejected(Rejected {
                code: rejection.code(),
                message: rejection.to_string(),
                details: details(&rejection),
                position,
            }),
            Answer::Forbidden { permission } => Reply::forbidden(permission),
            Answer::Conflict(conflict) => {
                Reply::Conflict(Problem::new(conflict.code(), conflict.to_string()))
            }
            Answer::Busy(busy) => Reply::busy(&busy),
            Answer::Unavailable { why } => Reply::unavailable(&why),
            Answer::NotTheWriter { writer } => Reply::not_the_writer(&writer),
            Answer::Unknown { why } => Reply::unknown(&why),
        }
    }

    /// Nothing happened, try again.
    pub fn busy(busy: &Busy) -> Reply {
        Reply::Busy(Problem::new(busy.code(), busy.to_string()))
    }

    /// The roles of whoever asks do not include this permission.
    pub fn forbidden(permission: &str) -> Reply {
        let message =
            format!("your roles do not include the permission {permission}: ask an administrator for it");
        Reply::Forbidden(Problem::new("forbidden", message))
    }

    /// The writer takes no commands.
    pub fn unavailable(why: &str) -> Reply {
        Reply::Unavailable(Problem::new("writer_stopped", format!("the ledger takes no commands: {why}")))
    }

    /// Another instance writes.
    pub fn not_the_writer(writer: &str) -> Reply {
        let message =
            format!("this instance answers queries; commands go over NATS, or to the writer: {writer}");
        Reply::Unavailable(Problem::new("not_the_writer", message))
    }

    /// The writer stopped before it knew.
    pub fn unknown(why: &str) -> Reply {
        let message =
            format!("the writer stopped before it knew the outcome, send it again with the same id: {why}");
        Reply::Unknown(Problem::new("outcome_unknown", message))
    }

    /// The outcome in a word.
    pub fn status(&self) -> &'static str {
        match self {
            Reply::Accepted(_) => "accepted",
            Reply::Rejected(_) => "rejected",
            Reply::Invalid(_) => "invalid",
            Reply::Unauthorised(_) => "unauthorised",
            Reply::Forbidden(_) => "forbidden",
            Reply::Conflict(_) => "conflict",
            Reply::Busy(_) => "busy",
            Reply::Unavailable(_) => "unavailable",
            Reply::Unknown(_) => "unknown",
        }
    }

    /// The code in a sentence; an accepted command has none.
    pub fn message(&self) -> Option<&str> {
        match self {
            Reply::Accepted(_) => None,
            Reply::Rejected(rejected) => Some(&rejected.message),
            Reply::Invalid(invalid) => Some(&invalid.message),
            Reply::Unauthorised(problem)
            | Reply::Forbidden(problem)
            | Reply::Conflict(problem)
            | Reply::Busy(problem)
            | Reply::Unavailable(problem)
            | Reply::Unknown(problem) => Some(&problem.message),
        }
    }

    /// The stable code; an accepted command has none.
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Reply::Accepted(_) => None,
            Reply::Rejected(rejected) => Some(rejected.code),
            Reply::Invalid(invalid) => Some(invalid.code),
            Reply::Unauthorised(problem)
            | Reply::Forbidden(problem)
            | Reply::Conflict(problem)
            | Reply::Busy(problem)
            | Reply::Unavailable(problem)
            | Reply::Unknown(problem) => Some(problem.code),
        }
    }

    /// The reply as it goes over the wire; events that would not fit a message are left out.
    pub fn to_json(&self) -> Vec<u8> {
        let bytes = json(self);
        match self {
            Reply::Accepted(accepted) if bytes.len() > REPLY_BYTES_MAX => {
                let events_omitted = accepted.events.len();
                json(&Reply::Accepted(Accepted { events: Vec::new(), events_omitted, ..accepted.clone() }))
            }
            _ => bytes,
        }
    }
}

/// The outcome of one message: of a command or an atomic batch, or of commands each on their own.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// One outcome.
    One(Reply),
    /// One line for each command, in order.
    Each(Vec<Line>),
}

impl Outcome {
    /// A log line for whoever follows one request: what was asked, under which trace, and what came of it.
    pub(crate) fn log(&self, asked: &str, trace: Option<&str>) {
        match self {
            Outcome::One(reply) => {
                tracing::debug!(asked, trace, status = reply.status(), code = reply.code(), "answered");
            }
            Outcome::Each(lines) => tracing::debug!(asked, trace, commands = lines.len(), "answered"),
        }
    }

    /// The outcome as it goes over the wire. If sentences and paths of a batch would not fit a message, its codes do.
    pub fn to_json(&self) -> Vec<u8> {
        match self {
            Outcome::One(reply) => reply.to_json(),
            Outcome::Each(lines) => {
                let bytes = json(&Results { results: lines.clone() });
                if bytes.len() <= REPLY_BYTES_MAX {
                    return bytes;
                }
                let bare = lines.iter().map(|line| Line { message: None, path: None, ..line.clone() });
                json(&Results { results: bare.collect() })
            }
        }
    }
}

#[derive(Serialize)]
struct Results {
    results: Vec<Line>,
}

/// What became of one command of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// As in a reply.
    pub status: &'static str,
    /// The entry's number, once it is recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u64>,
    /// The stable code of what was not accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// The code in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// JSON pointer to a field that cannot be understood.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The same command was accepted before.
    #[serde(skip_serializing_if = "is_false")]
    pub duplicate: bool,
    /// Nothing was recorded.
    #[serde(skip_serializing_if = "is_false")]
    pub dry_run: bool,
}

impl Line {
    /// The line of an answer. A batch's lines show no events, so a duplicate's entry is not read.
    pub fn of_answer(answer: Answer, journal: &dyn JournalRead) -> Line {
        match answer {
            Answer::Duplicate { accepted } => {
                let sequence = accepted.last().map(|(_, sequence)| *sequence);
                Line { sequence, duplicate: true, ..Line::accepted() }
            }
            Answer::Accepted { position, .. } => {
                Line { sequence: Some(position.sequence), ..Line::accepted() }
            }
            Answer::WouldBeAccepted { .. } => Line { dry_run: true, ..Line::accepted() },
            answer => Line::of_reply(Reply::of(answer, journal)),
        }
    }

    /// The line of a reply.
    pub fn of_reply(reply: Reply) -> Line {
        let (status, code, message) = (reply.status(), reply.code(), reply.message().map(str::to_owned));
        let line = Line { status, code, message, ..Line::accepted() };
        match reply {
            Reply::Accepted(Accepted { sequence, duplicate, dry_run, .. }) => {
                Line { sequence, duplicate, dry_run, ..line }
            }
            Reply::Invalid(invalid) => Line { path: invalid.path, ..line },
            Reply::Rejected(_)
            | Reply::Unauthorised(_)
            | Reply::Forbidden(_)
            | Reply::Conflict(_)
            | Reply::Busy(_)
            | Reply::Unavailable(_)
            | Reply::Unknown(_) => line,
        }
    }

    fn accepted() -> Line {
        Line {
            status: "accepted",
            sequence: None,
            code: None,
            message: None,
            path: None,
            duplicate: false,
            dry_run: false,
        }
    }
}

impl From<Invalid> for Reply {
    fn from(invalid: Invalid) -> Self {
        Reply::Invalid(invalid)
    }
}

/// Anything that serialises without a chance to fail.
pub(crate) fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("keys are text and no value refuses to be written")
}

fn accepted(position: Position, entry: Entry, sequence: Option<u64>) -> Reply {
    let events = entry.commands.into_iter().flat_map(|decided| decided.events).collect();
    let dry_run = sequence.is_none();
    Reply::Accepted(Accepted { sequence, position, events, events_omitted: 0, duplicate: false, dry_run })
}

fn details(rejection: &ledger_core::Rejection) -> Map<String, Value> {
    match serde_json::to_value(rejection) {
        Ok(Value::Object(mut fields)) => {
            fields.remove("code");
            fields
        }
        Ok(_) | Err(_) => unreachable!("a rejection is its code and its figures"),
    }
}

/// The events of commands that were accepted before, from the entries that hold them.
fn first_outcome(accepted: &[(CommandId, u64)], journal: &dyn JournalRead) -> Reply {
    let mut events = Vec::new();
    let mut last: Option<(Position, Entry)> = None;
    for (id, sequence) in accepted {
        if last.as_ref().is_none_or(|(position, _)| position.sequence != *sequence) {
            match read_entry(*sequence, journal) {
                Ok(read) => last = Some(read),
                Err(why) => return Reply::Unavailable(Problem::new("journal_unreadable", why)),
            }
        }
        let commands = last.iter().flat_map(|(_, entry)| &entry.commands);
        let decided = commands.filter(|decided| decided.submitted.id == *id);
        events.extend(decided.flat_map(|decided| decided.events.iter().cloned()));
    }
    let (position, _) = last.expect("a duplicate names at least one command");
    let sequence = Some(position.sequence);
    Reply::Accepted(Accepted {
        sequence,
        position,
        events,
        events_omitted: 0,
        duplicate: true,
        dry_run: false,
    })
}

fn read_entry(sequence: u64, journal: &dyn JournalRead) -> Result<(Position, Entry), String> {
    let frame = journal.frame_at(sequence).map_err(|fault| fault.to_string())?;
    let frame = frame.ok_or_else(|| format!("the journal has no entry {sequence}"))?;
    let (_, bytes) = frame.entry(sequence).ok_or_else(|| format!("the frame has no entry {sequence}"))?;
    let entry = Entry::decode(bytes).map_err(|fault| format!("entry {sequence}: {fault}"))?;
    Ok((Position { epoch: frame.header().epoch, sequence }, entry))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_false(flag: &bool) -> bool {
    !flag
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}
