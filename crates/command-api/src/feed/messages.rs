//! The messages of a journal's events, from any one on, read where blocking is fine.

use std::sync::Arc;

use journal::JournalRead;
use uuid::Uuid;

use super::{Fault, message::Message};
use crate::events::{EventSource, Origin};

/// Durable events in order, each as its message.
pub struct Messages {
    source: EventSource,
    origin: Origin,
}

impl Messages {
    /// Those from this event on, of the ledger of this name. One that is not recorded yet is waited for.
    pub fn from(journal: &Arc<dyn JournalRead>, ordinal: u64, name: &str) -> Result<Self, Fault> {
        let origin = Origin { ledger: Uuid::from_bytes(journal.head().ledger), name: name.to_owned() };
        Ok(Messages { source: EventSource::from(journal, ordinal)?, origin })
    }

    /// The next messages, up to so many; none at the present end.
    pub fn read(&mut self, messages_max: usize) -> Result<Vec<Message>, Fault> {
        let events = self.source.read(messages_max)?;
        Ok(events.into_iter().map(|event| Message::of(event, &self.origin)).collect())
    }
}
