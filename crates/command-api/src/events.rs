//! Events as other systems read them: CloudEvents 1.0, one for each event of the journal, in its order.
//!
//! The journal's own encoding stays free to change; this form is the contract. An event is told by what it was
//! ([`CloudEvent::type_name`]), its place ([`CloudEvent::ordinal`], counted from 1 without gaps), and its data: the
//! event's fields with the units it moved and the amounts it posted, so that a reader needs no rule of ours to keep
//! its own stock or books.

mod body;
mod source;

use std::fmt::Write;

use ledger_core::values::{CommandId, CorrelationId, Text, Timestamp};
use ledger_core::{Event, Fact, SubjectKind};

use crate::traces;

pub(crate) use body::{MovementBody, PostingBody};
pub(crate) use source::{EventSource, Fault};

/// The media type of an event's data.
pub(crate) const DATA_CONTENT_TYPE: &str = "application/json";

/// Whose events they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The ledger's identity.
    pub(crate) ledger: uuid::Uuid,
    /// The ledger's name.
    pub(crate) name: String,
}

impl Origin {
    /// The `id` of an event: unique within its `source`, and nowhere else in the world given to another event.
    pub(crate) fn id(&self, ordinal: u64) -> String {
        format!("{}/{ordinal}", self.ledger)
    }
}

/// One event with its attributes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CloudEvent {
    /// Its place among all events of the ledger, from 1.
    pub(crate) ordinal: u64,
    /// The entry that holds it.
    pub(crate) sequence: u64,
    /// `module.past_participle`.
    pub(crate) name: &'static str,
    /// The key of the document it is about, else of the item or other record.
    pub(crate) subject: Option<String>,
    /// When it was true.
    pub(crate) time: Timestamp,
    /// When it was recorded.
    pub(crate) recorded_at: Timestamp,
    /// What ties it to what other systems did.
    pub(crate) correlation: Option<CorrelationId>,
    /// The command that caused it.
    pub(crate) causation: CommandId,
    /// The event's fields, `movements` and `postings`: a JSON object.
    pub(crate) data: String,
}

impl CloudEvent {
    /// The `type`.
    pub(crate) fn type_name(&self) -> String {
        format!("bincard.{}", self.name)
    }

    /// Every attribute but `specversion` and `datacontenttype`, as text.
    pub(crate) fn attributes(&self, origin: &Origin, mut each: impl FnMut(&'static str, &str)) {
        let mut text = String::with_capacity(64);
        let mut put = |name, value: &dyn std::fmt::Display| {
            text.clear();
            write!(text, "{value}").expect("text takes text");
            each(name, &text);
        };
        put("id", &origin.id(self.ordinal));
        put("source", &format_args!("/bincard/{}", origin.name));
        put("type", &self.type_name());
        if let Some(subject) = &self.subject {
            put("subject", subject);
        }
        put("time", &self.time);
        put("sequence", &self.sequence);
        put("recordedtime", &self.recorded_at);
        if let Some(correlation) = &self.correlation {
            put("correlationid", &correlation.as_str());
            // The trace that the command came with, if nothing else did.
            if traces::parent(correlation.as_str()).is_some() {
                put("traceparent", &correlation.as_str());
            }
        }
        put("causationid", &self.causation.as_str());
    }

    /// The event as one JSON object: CloudEvents' JSON format.
    pub(crate) fn to_structured(&self, origin: &Origin) -> Vec<u8> {
        let mut json = String::with_capacity(512 + self.data.len());
        json.push_str("{\"specversion\":\"1.0\"");
        self.attributes(origin, |name, value| {
            let value = serde_json::to_string(value).expect("text is JSON");
            write!(json, ",\"{name}\":{value}").expect("text takes text");
        });
        write!(json, ",\"datacontenttype\":\"{DATA_CONTENT_TYPE}\",\"data\":{}}}", self.data)
            .expect("text takes text");
        json.into_bytes()
    }
}

/// The key of the document an event is about, else that of its chief record.
fn subject_of(event: &Event) -> Option<String> {
    let (mut document, mut record) = (None, None);
    event.subjects(&mut |subject| {
        let place = if SubjectKind::is_document(subject.kind) { &mut document } else { &mut record };
        if place.is_none() {
            *place = Some(subject.id.to_owned());
        }
    });
    document.or(record)
}
