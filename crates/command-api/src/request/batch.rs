//! Several commands in one message: each on its own, or all or nothing.

use std::borrow::Cow;

use ledger_core::Submitted;
use ledger_core::values::{CommandId, Text, Timestamp};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Envelope, in_one_pass, submitted, typed};
use crate::invalid::{self, Invalid};
use crate::writer::Request;

/// The most commands of a batch.
pub const BATCH_COMMANDS_MAX: usize = 10_000;
/// The longest batch, in bytes.
pub const BATCH_BYTES_MAX: usize = 900 * 1024;

/// A batch as it was read.
#[derive(Debug)]
pub enum Batch {
    /// All or nothing: one request.
    Atomic(Request),
    /// Each accepted or refused on its own, in order; what cannot be read does not keep the others back.
    Each(Vec<Result<Request, Invalid>>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Commands<'b> {
    #[serde(default)]
    atomic: bool,
    #[serde(borrow)]
    commands: Vec<&'b RawValue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Item<'b> {
    #[serde(borrow)]
    command: Cow<'b, str>,
    #[serde(default)]
    id: Option<CommandId>,
    #[serde(default)]
    effective_at: Option<Timestamp>,
    #[serde(borrow)]
    body: &'b RawValue,
}

impl Batch {
    /// Reads a batch: a JSON array of `{"command", "id", "effective_at", "body"}`, or
    /// `{"atomic": true, "commands": […]}`.
    pub fn read(body: &[u8], envelope: &Envelope) -> Result<Batch, Invalid> {
        if body.len() > BATCH_BYTES_MAX {
            let found = body.len();
            let message = format!("wanted a batch of at most {BATCH_BYTES_MAX} bytes, found {found}");
            return Err(Invalid::whole("batch_too_large", message));
        }
        if envelope.id.is_some() {
            let message = "a batch has no id of its own: give each of its commands an id";
            return Err(Invalid::whole("invalid_value", message));
        }
        if let Some(batch) = Batch::read_at_once(body, envelope) {
            return Ok(batch);
        }
        let is_list = body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[');
        let (prefix, Commands { atomic, commands }) = if is_list {
            ("", Commands { atomic: false, commands: invalid::from_slice(body)? })
        } else {
            invalid::object(body)?;
            ("/commands", invalid::from_slice(body)?)
        };
        if !(1..=BATCH_COMMANDS_MAX).contains(&commands.len()) {
            let code = if commands.is_empty() { "invalid_value" } else { "batch_too_large" };
            let found = commands.len();
            let message = format!("wanted 1 to {BATCH_COMMANDS_MAX} commands, found {found}");
            return Err(Invalid::at(code, prefix, message));
        }
        let read = |(at, item): (usize, &&RawValue)| {
            item_of(item, envelope).map_err(|invalid| invalid.under(&format!("{prefix}/{at}")))
        };
        let items = commands.iter().enumerate().map(read);
        if atomic {
            return Ok(Batch::Atomic(envelope.request(items.collect::<Result<_, _>>()?, body.len())));
        }
        let alone = |(item, raw): (Result<Submitted, Invalid>, &&RawValue)| {
            item.map(|submitted| envelope.request(vec![submitted], raw.get().len()))
        };
        Ok(Batch::Each(items.zip(&commands).map(alone).collect()))
    }

    /// A plain list of commands, each at its first reading; `None` if anything about the list asks for care. What is
    /// wrong with one command is told as ever.
    fn read_at_once(body: &[u8], envelope: &Envelope) -> Option<Batch> {
        let items = in_one_pass(body, |list| Vec::<Item<'_>>::deserialize(list).ok())?;
        if !(1..=BATCH_COMMANDS_MAX).contains(&items.len()) {
            return None;
        }
        let read = |(at, item): (usize, Item<'_>)| {
            let bytes = item.command.len()
                + item.id.as_ref().map_or(0, |id| id.as_str().len())
                + item.body.get().len();
            let submitted = item.submitted(envelope).map_err(|invalid| invalid.under(&format!("/{at}")));
            submitted.map(|submitted| envelope.request(vec![submitted], bytes))
        };
        Some(Batch::Each(items.into_iter().enumerate().map(read).collect()))
    }
}

impl Item<'_> {
    fn submitted(self, envelope: &Envelope) -> Result<Submitted, Invalid> {
        let Item { command, id, effective_at, body } = self;
        let command = typed(&command, body.get().as_bytes()).map_err(|invalid| match invalid.code {
            "unknown_command" => Invalid { path: Some("/command".into()), ..invalid },
            _ => invalid.under("/body"),
        })?;
        Ok(submitted(id, effective_at.or(envelope.effective_at), command))
    }
}

fn item_of(item: &RawValue, envelope: &Envelope) -> Result<Submitted, Invalid> {
    let bytes = item.get().as_bytes();
    invalid::object(bytes)?;
    invalid::from_slice::<Item<'_>>(bytes)?.submitted(envelope)
}
