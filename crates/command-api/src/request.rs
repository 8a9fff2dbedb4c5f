//! Bytes and headers become typed commands, once, at the edge. Inside, nothing is checked again.

mod batch;
mod named;
#[cfg(test)]
mod tests;

pub use batch::{BATCH_BYTES_MAX, BATCH_COMMANDS_MAX, Batch};

use ledger_core::values::{CommandId, CorrelationId, Text, Timestamp};
use ledger_core::{Actor, Command, Submission, Submitted};
use uuid::Uuid;

use crate::auth::Caller;
use crate::invalid::{self, Invalid};
use crate::traces;
use crate::writer::Request;
use named::Named;

/// The longest body of one command or query, in bytes.
pub const BODY_BYTES_MAX: usize = 512 * 1024;

/// Any of these headers names the command: the ledger's own, NATS' and HTTP's.
pub const COMMAND_ID_HEADERS: [&str; 3] = ["Bincard-Command-Id", "Nats-Msg-Id", "Idempotency-Key"];
/// When the fact was true.
pub const EFFECTIVE_AT_HEADER: &str = "Bincard-Effective-At";
/// What ties the command to what other systems did.
pub const CORRELATION_HEADER: &str = "Bincard-Correlation-Id";
/// `true`: decide and answer, record nothing.
pub const DRY_RUN_HEADER: &str = "Bincard-Dry-Run";
/// W3C trace context: what the caller's own traces call this request. It stands in our log lines and spans, in the
/// outcome of a command from the inbox and, if the trace is recorded and nothing else ties the command to what other
/// systems did, in its events.
pub const TRACE_HEADER: &str = "traceparent";
/// Who acts, by their own word: a person's id, `anonymous` without it. With a token, the one it names.
pub const ACTOR_HEADER: &str = "Bincard-Actor";

/// What stands around a command's body.
#[derive(Debug, Clone, PartialEq)]
pub struct Envelope {
    /// The idempotency key, if one was given.
    pub id: Option<CommandId>,
    /// When the fact was true, if that was said.
    pub effective_at: Option<Timestamp>,
    /// What ties the command to what other systems did.
    pub correlation: Option<CorrelationId>,
    /// Who acts, and what they may.
    pub caller: Caller,
    /// Decide and answer, record nothing.
    pub dry_run: bool,
}

impl Envelope {
    /// What stands around a command without headers, from this actor.
    pub fn of(actor: Actor) -> Self {
        let caller = Caller::trusted(actor);
        Envelope { id: None, effective_at: None, correlation: None, caller, dry_run: false }
    }

    /// Reads the headers of a caller who is known; `values` gives all values under a name.
    pub fn read<'h>(caller: Caller, values: impl Fn(&str) -> Vec<&'h [u8]>) -> Result<Self, Invalid> {
        let one = |name: &'static str| -> Result<Option<&'h str>, Invalid> {
            let mut found = values(name).into_iter();
            let Some(value) = found.next() else { return Ok(None) };
            if found.any(|other| other != value) {
                return Err(Invalid::header(name, format!("wanted one {name}, found several that differ")));
            }
            let text = std::str::from_utf8(value);
            text.map(Some).map_err(|_| Invalid::header(name, format!("wanted {name} in UTF-8")))
        };
        let mut id: Option<CommandId> = None;
        for name in COMMAND_ID_HEADERS {
            let Some(text) = one(name)? else { continue };
            let found = text_value(name, text)?;
            if id.as_ref().is_some_and(|id| *id != found) {
                let wanted = COMMAND_ID_HEADERS.join(", ");
                return Err(Invalid::header(name, format!("wanted one command id in {wanted}, found two")));
            }
            id = Some(found);
        }
        let effective_at = one(EFFECTIVE_AT_HEADER)?.map(effective_at_header).transpose()?;
        let correlation = match one(CORRELATION_HEADER)? {
            Some(text) => Some(text_value(CORRELATION_HEADER, text)?),
            None => recorded_trace(&values(TRACE_HEADER)),
        };
        let dry_run = match one(DRY_RUN_HEADER)? {
            None | Some("false") => false,
            Some("true") => true,
            Some(found) => {
                return Err(Invalid::header(
                    DRY_RUN_HEADER,
                    format!("wanted true or false, found {found:?}"),
                ));
            }
        };
        Ok(Envelope { id, effective_at, correlation, caller, dry_run })
    }

    fn request(&self, commands: Vec<Submitted>, bytes: usize) -> Request {
        let Caller { actor, roles, rights } = self.caller.clone();
        let submission = Submission { actor, roles, correlation: self.correlation.clone(), commands };
        Request { submission, rights, dry_run: self.dry_run, bytes }
    }
}

impl Default for Envelope {
    fn default() -> Self {
        Envelope::of(Caller::anonymous().actor)
    }
}

/// Reads one command from its name, its headers and its fields as JSON.
pub fn read_command(name: &str, body: &[u8], envelope: &Envelope) -> Result<Request, Invalid> {
    if body.len() > BODY_BYTES_MAX {
        let found = body.len();
        let message = format!("wanted a body of at most {BODY_BYTES_MAX} bytes, found {found}");
        return Err(Invalid::whole("too_large", message));
    }
    let command = typed(name, body)?;
    let submitted = submitted(envelope.id.clone(), envelope.effective_at, command);
    Ok(envelope.request(vec![submitted], body.len()))
}

/// A typed command under its id, or under a new one; documents without an id of their own get another.
fn submitted(id: Option<CommandId>, effective_at: Option<Timestamp>, command: Command) -> Submitted {
    let id = id.unwrap_or_else(|| {
        CommandId::try_new(Uuid::now_v7().to_string())
            .expect("a UUID is a short id without control characters")
    });
    Submitted::new(id, effective_at, Some(Uuid::now_v7().into_bytes()), command)
}

fn typed(name: &str, body: &[u8]) -> Result<Command, Invalid> {
    if !is_public(name) {
        let message = format!("wanted a command that there is (see /openapi.json), found {name:?}");
        return Err(Invalid::whole("unknown_command", message));
    }
    let at_once = in_one_pass(body, |fields| Command::deserialize(name, fields)?.ok());
    // Whatever is wrong with it, the careful reader says where.
    at_once.map_or_else(|| typed_with_care(name, body), Ok)
}

/// Reads a JSON document without keeping track of where it is; `None` where that does not work out.
fn in_one_pass<'b, T>(body: &'b [u8], read: impl FnOnce(Fields<'_, 'b>) -> Option<T>) -> Option<T> {
    let mut deserializer = serde_json::Deserializer::from_str(std::str::from_utf8(body).ok()?);
    let value = read(Named(&mut deserializer))?;
    deserializer.end().ok()?;
    Some(value)
}

/// The source of values of a JSON document.
type Fields<'d, 'b> = Named<&'d mut serde_json::Deserializer<serde_json::de::StrRead<'b>>>;

/// The same again for an exact answer: which field, what was found there, and what was wanted.
fn typed_with_care(name: &str, body: &[u8]) -> Result<Command, Invalid> {
    invalid::object(body)?;
    let command = invalid::read_with(body, |deserializer| {
        let mut track = serde_path_to_error::Track::new();
        let tracked = serde_path_to_error::Deserializer::new(deserializer, &mut track);
        let command = Command::deserialize(name, tracked).expect("a public command is in the table");
        command.map_err(|error| serde_path_to_error::Error::new(track.path(), error))
    })?;
    // Only a list can be what should have been named fields.
    if body.contains(&b'[') {
        invalid::no_positional_fields(body, &command)?;
    }
    Ok(command)
}

fn is_public(name: &str) -> bool {
    Command::KINDS.iter().any(|kind| kind.public && kind.name == name)
}

/// The trace of a request, if there is one that is recorded. A header that is not the W3C's is passed over: tracing never
/// gets in the way of a command.
fn recorded_trace(values: &[&[u8]]) -> Option<CorrelationId> {
    let [header] = values else { return None };
    let header = std::str::from_utf8(header).ok()?;
    traces::parent(header).filter(|parent| parent.is_sampled())?;
    CorrelationId::try_new(header).ok()
}

fn text_value<T: Text>(header: &str, text: &str) -> Result<T, Invalid> {
    T::try_new(text).map_err(|fault| Invalid::header(header, fault.to_string()))
}

fn effective_at_header(text: &str) -> Result<Timestamp, Invalid> {
    Timestamp::parse(text).ok_or_else(|| {
        let message = format!("wanted a time as RFC 3339 (2026-11-22T08:30:00Z), found {text:?}");
        Invalid::header(EFFECTIVE_AT_HEADER, message)
    })
}
