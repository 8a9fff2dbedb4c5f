//! The unit of meaning: accepted commands with their whole context and all their events, all or nothing.
//!
//! Stored form: head (actor, roles, correlation, number of commands), then for each command its head (id, effective
//! time, assigned id), the command, the number of its events and the events. Commands and events each begin with
//! `kind: u16, length: u32`.

use bincode::{Decode, Encode};

use crate::codec::{self, CodecFault};
use crate::draft::Actor;
use crate::kinds::{Command, Event};
use crate::values::{CommandId, CorrelationId, Name, Text, Timestamp};

/// What identifies a command: the id it came under and what it asked for, as hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Fingerprint {
    /// The first 16 bytes of BLAKE3 of the command id.
    pub id: [u8; 16],
    /// The first 16 bytes of BLAKE3 of the stored command and its effective time.
    pub body: [u8; 16],
}

/// The first 16 bytes of BLAKE3 of a command id: what the ledger remembers of it.
pub fn id_hash(id: &str) -> [u8; 16] {
    first_half(blake3::hash(id.as_bytes()))
}

fn first_half(hash: blake3::Hash) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&hash.as_bytes()[..16]);
    half
}

/// A command as it was submitted, with what the edge fixed for it.
#[derive(Debug, Clone)]
pub struct Submitted {
    /// The idempotency key.
    pub id: CommandId,
    /// When it was true, where that is not when it is recorded.
    pub effective_at: Option<Timestamp>,
    /// A UUID v7 for a document that was given no id.
    pub assigned: Option<[u8; 16]>,
    /// What is asked for.
    pub command: Command,
    /// The hashes under which the ledger remembers the command: always those of the id, effective time and command.
    fingerprint: Fingerprint,
    /// The stored command, where it was made: at the edge, so that the writer only copies it. Empty when read back.
    stored: Vec<u8>,
}

impl PartialEq for Submitted {
    fn eq(&self, other: &Self) -> bool {
        let Submitted { id, effective_at, assigned, command, fingerprint, stored: _ } = self;
        *fingerprint == other.fingerprint
            && *id == other.id
            && *effective_at == other.effective_at
            && *assigned == other.assigned
            && *command == other.command
    }
}

impl Submitted {
    /// A command under its id.
    pub fn new(
        id: CommandId,
        effective_at: Option<Timestamp>,
        assigned: Option<[u8; 16]>,
        command: impl Into<Command>,
    ) -> Self {
        let command = command.into();
        let mut stored = Vec::with_capacity(128);
        command.encode(&mut stored);
        let fingerprint = fingerprint(&id, effective_at, &stored);
        Submitted { id, effective_at, assigned, command, fingerprint, stored }
    }

    /// The hashes under which the ledger remembers the command.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    fn encode_command(&self, bytes: &mut Vec<u8>) {
        if self.stored.is_empty() {
            self.command.encode(bytes);
        } else {
            bytes.extend_from_slice(&self.stored);
        }
    }
}

fn fingerprint(id: &CommandId, effective_at: Option<Timestamp>, stored_command: &[u8]) -> Fingerprint {
    let mut body = blake3::Hasher::new();
    body.update(stored_command);
    codec::hash_into(&effective_at, &mut body);
    Fingerprint { id: id_hash(id.as_str()), body: first_half(body.finalize()) }
}

/// One command, or several that stand or fall together, from one actor.
#[derive(Debug, Clone, PartialEq)]
pub struct Submission {
    /// Who acts.
    pub actor: Actor,
    /// The roles the actor was asserted to have.
    pub roles: Vec<Name>,
    /// What ties this to what other systems did.
    pub correlation: Option<CorrelationId>,
    /// The commands, one or more.
    pub commands: Vec<Submitted>,
}

/// A command that was accepted, and what happened by it.
#[derive(Debug, Clone, PartialEq)]
pub struct Decided {
    /// The command.
    pub submitted: Submitted,
    /// Its events in the order in which they were recorded.
    pub events: Vec<Event>,
}

/// An accepted submission.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Who acted.
    pub actor: Actor,
    /// The roles the actor was asserted to have.
    pub roles: Vec<Name>,
    /// What ties this to what other systems did.
    pub correlation: Option<CorrelationId>,
    /// The commands in the order in which they were decided.
    pub commands: Vec<Decided>,
}

#[derive(Decode)]
struct EntryHead {
    actor: Actor,
    roles: Vec<Name>,
    correlation: Option<CorrelationId>,
    commands: u32,
}

#[derive(Decode)]
struct CommandHead {
    id: CommandId,
    effective_at: Option<Timestamp>,
    assigned: Option<[u8; 16]>,
    events: u32,
}

impl Entry {
    /// Every event in order.
    pub fn events(&self) -> impl Iterator<Item = &Event> {
        self.commands.iter().flat_map(|decided| &decided.events)
    }

    /// How many events there are.
    pub fn event_count(&self) -> u32 {
        self.commands.iter().map(|decided| count(decided.events.len())).sum()
    }

    /// What was submitted, to be decided anew.
    pub fn into_submission(self) -> Submission {
        let Entry { actor, roles, correlation, commands } = self;
        let commands = commands.into_iter().map(|decided| decided.submitted).collect();
        Submission { actor, roles, correlation, commands }
    }

    /// Appends the stored form.
    pub fn encode(&self, bytes: &mut Vec<u8>) {
        let head = (&self.actor, &self.roles, &self.correlation, count(self.commands.len()));
        codec::encode_into(&head, bytes);
        for Decided { submitted, events } in &self.commands {
            let Submitted { id, effective_at, assigned, .. } = submitted;
            codec::encode_into(&(id, effective_at, assigned, count(events.len())), bytes);
            submitted.encode_command(bytes);
            for event in events {
                event.encode(bytes);
            }
        }
    }

    /// Whether a stored entry holds an event of this kind; found without decoding what commands and events say.
    pub fn holds(mut bytes: &[u8], event_kind: u16) -> Result<bool, CodecFault> {
        const WHAT: &str = "an entry";
        let bytes = &mut bytes;
        let head: EntryHead = codec::decode_front(bytes, WHAT)?;
        for _ in 0..head.commands {
            let head: CommandHead = codec::decode_front(bytes, WHAT)?;
            codec::decode_kind(bytes, WHAT)?;
            for _ in 0..head.events {
                if codec::decode_kind(bytes, WHAT)?.0 == event_kind {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Reads the stored form; trailing bytes are an error.
    pub fn decode(mut bytes: &[u8]) -> Result<Entry, CodecFault> {
        const WHAT: &str = "an entry";
        let bytes = &mut bytes;
        let head: EntryHead = codec::decode_front(bytes, WHAT)?;
        let mut commands = Vec::with_capacity(head.commands.min(1024) as usize);
        for _ in 0..head.commands {
            let head: CommandHead = codec::decode_front(bytes, WHAT)?;
            let stored = *bytes;
            let command = Command::decode(bytes)?;
            let fingerprint = fingerprint(&head.id, head.effective_at, &stored[..stored.len() - bytes.len()]);
            let mut events = Vec::with_capacity(head.events.min(1024) as usize);
            for _ in 0..head.events {
                events.push(Event::decode(bytes)?);
            }
            let CommandHead { id, effective_at, assigned, .. } = head;
            let submitted =
                Submitted { id, effective_at, assigned, command, fingerprint, stored: Vec::new() };
            commands.push(Decided { submitted, events });
        }
        if !bytes.is_empty() {
            return Err(CodecFault::TrailingBytes { what: WHAT, left: bytes.len() });
        }
        Ok(Entry { actor: head.actor, roles: head.roles, correlation: head.correlation, commands })
    }
}

fn count(length: usize) -> u32 {
    u32::try_from(length).expect("an entry is at most 512 KiB")
}
