//! Reading events from the journal, from any ordinal on, and waiting where it ends.

use std::collections::VecDeque;
use std::sync::Arc;

use journal::{Frame, FrameSource, JournalRead, entry_of_event};
use ledger_core::Entry;
use ledger_core::values::Timestamp;

use super::{CloudEvent, body, subject_of};

/// Why events cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// The journal.
    #[error(transparent)]
    Journal(#[from] journal::Fault),
    /// An entry that this program cannot read.
    #[error("entry {sequence} cannot be read: {why}; run verify")]
    Entry {
        /// The entry.
        sequence: u64,
        /// What is wrong with it.
        why: String,
    },
    /// The thread that read them panicked.
    #[error("reading events panicked")]
    Panicked,
}

/// Durable events in order.
pub(crate) struct EventSource {
    frames: Box<dyn FrameSource>,
    /// The frame that is being read, and the entry of it that comes next.
    frame: Option<(Frame, u64)>,
    next: u64,
    ready: VecDeque<CloudEvent>,
}

impl EventSource {
    /// Events from this ordinal on; 0 reads as 1. One that is not recorded yet is waited for.
    pub(crate) fn from(journal: &Arc<dyn JournalRead>, ordinal: u64) -> Result<Self, Fault> {
        let next = ordinal.max(1);
        let head = journal.head();
        let sequence = match next <= head.event {
            true => entry_of_event(journal, next)?.unwrap_or(head.sequence + 1),
            false => head.sequence + 1,
        };
        let frames = journal.frames_from(sequence)?;
        Ok(EventSource { frames, frame: None, next, ready: VecDeque::new() })
    }

    /// The next events, up to so many; none at the present end. Blocks while it reads.
    pub(crate) fn read(&mut self, events_max: usize) -> Result<Vec<CloudEvent>, Fault> {
        while self.ready.len() < events_max && self.read_entry()? {}
        let count = self.ready.len().min(events_max);
        self.next += count as u64;
        Ok(self.ready.drain(..count).collect())
    }

    /// The same, looked up where blocking is fine.
    pub(crate) async fn from_apart(journal: &Arc<dyn JournalRead>, ordinal: u64) -> Result<Self, Fault> {
        let journal = Arc::clone(journal);
        let looked_up = tokio::task::spawn_blocking(move || EventSource::from(&journal, ordinal)).await;
        looked_up.unwrap_or(Err(Fault::Panicked))
    }

    /// The next events, read and written out where blocking is fine, and the source for those after them.
    pub(crate) async fn read_apart<T: Send + 'static>(
        mut self,
        events_max: usize,
        write_out: impl Fn(CloudEvent) -> T + Send + 'static,
    ) -> Result<(Self, Vec<T>), Fault> {
        let read = tokio::task::spawn_blocking(move || {
            let events = self.read(events_max)?.into_iter().map(write_out).collect();
            Ok((self, events))
        });
        read.await.unwrap_or(Err(Fault::Panicked))
    }

    /// False at the present end.
    fn read_entry(&mut self) -> Result<bool, Fault> {
        let (frame, sequence) = match self.frame.take() {
            Some(at) => at,
            None => match self.frames.next_frame()? {
                Some(frame) => {
                    let first = frame.header().first_sequence;
                    (frame, first)
                }
                None => return Ok(false),
            },
        };
        if let Some((first_event, bytes)) = frame.entry(sequence) {
            let wanted = self.next + self.ready.len() as u64;
            let log_time = Timestamp::from_micros(frame.header().log_time_us);
            let entry =
                Entry::decode(bytes).map_err(|fault| Fault::Entry { sequence, why: fault.to_string() })?;
            let events = events_of(entry, sequence, first_event, log_time);
            self.ready.extend(events.into_iter().filter(|event| event.ordinal >= wanted));
        }
        if sequence < frame.last_sequence() {
            self.frame = Some((frame, sequence + 1));
        }
        Ok(true)
    }
}

fn events_of(entry: Entry, sequence: u64, first_event: u64, recorded_at: Timestamp) -> Vec<CloudEvent> {
    let mut events = Vec::new();
    for decided in &entry.commands {
        let time = decided.submitted.effective_at.unwrap_or(recorded_at);
        for event in &decided.events {
            events.push(CloudEvent {
                ordinal: first_event + events.len() as u64,
                sequence,
                name: event.name(),
                subject: subject_of(event),
                time,
                recorded_at,
                correlation: entry.correlation.clone(),
                causation: decided.submitted.id.clone(),
                data: body::data_of(event),
            });
        }
    }
    events
}

#[cfg(test)]
mod tests {
    use ledger_core::Settings;
    use ledger_core::values::{Name, Text};
    use serde_json::Value;

    use super::*;
    use crate::events::Origin;
    use crate::request::{Envelope, read_command};
    use crate::{Options, Service};

    async fn shop() -> Service {
        let settings = Settings::named(Name::try_new("main").unwrap());
        let service = Service::in_memory(Options::new("unused", settings)).unwrap();
        for (name, body) in [
            ("locations.define", r#"{"location":"AMS 1","name":"Amsterdam","kind":"warehouse"}"#),
            ("items.define", r#"{"sku":"TEA-01","name":"Tea"}"#),
            ("items.activate", r#"{"sku":"TEA-01"}"#),
            ("stock.receive", r#"{"sku":"TEA-01","location":"AMS 1","quantity":8,"unit_cost":"2.50"}"#),
        ] {
            let request = read_command(name, body.as_bytes(), &Envelope::default()).unwrap();
            assert_eq!(service.submit(request).await.status(), "accepted");
        }
        service
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn events_come_once_and_in_order_from_any_ordinal_and_read_ahead_changes_nothing() {
        let service = shop().await;
        let all = EventSource::from(service.journal(), 0).unwrap().read(1000).unwrap();
        assert_eq!(all.len() as u64, service.journal().head().event);
        assert!(all.iter().zip(1..).all(|(event, ordinal)| event.ordinal == ordinal), "{all:?}");
        for first in 1..=all.len() + 1 {
            let mut source = EventSource::from(service.journal(), first as u64).unwrap();
            let mut read = Vec::new();
            loop {
                let (after, events) = source.read_apart(2, |event| event).await.unwrap();
                source = after;
                if events.is_empty() {
                    break;
                }
                read.extend(events);
            }
            assert_eq!(read, all[first - 1..], "from {first}");
        }
        service.stop().unwrap();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_event_shows_what_it_did_to_units_and_money_and_what_it_is_about() {
        let service = shop().await;
        let origin = Origin { ledger: service.uuid(), name: "main".into() };
        let event = EventSource::from(service.journal(), 1).unwrap().read(1000).unwrap().pop().unwrap();
        let shown: Value = serde_json::from_slice(&event.to_structured(&origin)).unwrap();
        assert_eq!(shown["id"], format!("{}/{}", service.uuid(), event.ordinal));
        assert_eq!((&shown["type"], &shown["subject"]), (&"bincard.stock.received".into(), &"TEA-01".into()));
        assert_eq!(shown["sequence"], service.durable_sequence().to_string());
        let movement = &shown["data"]["movements"][0];
        assert_eq!((&movement["from"]["world"], &movement["quantity"]), (&"supplier".into(), &8.into()));
        assert_eq!(movement["to"], serde_json::json!({"location": "AMS 1", "status": "available"}));
        let sides = shown["data"]["postings"].as_array().unwrap();
        assert_eq!(sides.iter().filter(|side| side["debit"] == "20.00").count(), 1, "{sides:?}");
        assert_eq!(sides.iter().filter(|side| side["credit"] == "20.00").count(), 1, "{sides:?}");
        let mut attributes = Vec::new();
        event.attributes(&origin, |name, value| attributes.push((name, value.to_owned())));
        for (name, value) in attributes {
            assert_eq!(shown[name], value, "{name}");
        }
        service.stop().unwrap();
    }
}
