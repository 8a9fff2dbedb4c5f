//! The entry that is being built: a rule reads the ledger, records an event, and the next rule sees its effect.

use bincode::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::codes;
use crate::kinds::Event;
use crate::ledger::{Ledger, Moment};
use crate::values::{ActorId, Text};

codes! {
    /// What kind of actor acts.
    pub enum ActorKind {
        /// A human being.
        Person = 1 "person",
        /// A policy that acts by itself.
        Rule = 2 "rule",
        /// Something fell due.
        Timer = 3 "timer",
        /// Another system.
        Connector = 4 "connector",
    }
}

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Actor {
    /// The actor's id.
    pub id: ActorId,
    /// What kind of actor it is.
    pub kind: ActorKind,
}

/// What a rule may know besides the ledger: everything else comes in the command.
#[derive(Debug, Clone)]
pub struct Context {
    /// Log time and effective time.
    pub moment: Moment,
    /// Who acts.
    pub actor: Actor,
    /// The id the edge assigned, for a document that was given none.
    pub assigned: Option<[u8; 16]>,
}

/// One command on its way to becoming part of an entry. Dropped with a refusal, all it recorded is taken back.
#[derive(Debug)]
pub struct Draft<'l> {
    ledger: &'l mut Ledger,
    context: Context,
    events: Vec<Event>,
    ids_given: u32,
}

impl<'l> Draft<'l> {
    pub(crate) fn open(ledger: &'l mut Ledger, context: Context) -> Self {
        Draft { ledger, context, events: Vec::with_capacity(4), ids_given: 0 }
    }

    /// The ledger as it stands after what was recorded so far.
    pub fn ledger(&self) -> &Ledger {
        self.ledger
    }

    /// Time and actor.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Records a fact: it is applied at once, and the next rule sees it.
    pub fn record(&mut self, event: impl Into<Event>) {
        let event = event.into();
        self.ledger.apply_event(&event, &self.context.moment);
        self.events.push(event);
    }

    /// The document id given, or the one the edge assigned to this command.
    pub fn id_or_assigned<T: Text + Clone>(&mut self, given: Option<&T>) -> T {
        if let Some(given) = given {
            return given.clone();
        }
        let uuid = uuid::Uuid::from_bytes(self.context.assigned.unwrap_or_default());
        self.ids_given += 1;
        let text = if self.ids_given == 1 { uuid.to_string() } else { format!("{uuid}-{}", self.ids_given) };
        T::try_new(text).expect("a UUID with a number is a valid id")
    }

    pub(crate) fn into_events(self) -> Vec<Event> {
        self.events
    }
}
