//! An event as a NATS message: CloudEvents 1.0 in binary mode, attributes in headers, data in the body.

use async_nats::HeaderMap;
use async_nats::header::NATS_EXPECTED_LAST_SEQUENCE;
use bytes::Bytes;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::events::{CloudEvent, DATA_CONTENT_TYPE, Origin};

/// What the binding says a header's value cannot carry as it is; what is not ASCII is encoded too.
const ENCODED: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'%');

/// A message that waits to be published, or to be certain.
#[derive(Debug, Clone)]
pub struct Message {
    /// The event's place among all of the ledger, from 1.
    pub ordinal: u64,
    /// Where it is published.
    pub subject: String,
    /// The event's attributes, and the last sequence that its place demands of the stream.
    pub headers: HeaderMap,
    /// The event's data: a JSON object.
    pub body: Bytes,
}

impl Message {
    /// The message of an event. It is taken only as the message that its ordinal says.
    pub(super) fn of(event: CloudEvent, origin: &Origin) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert("ce-specversion", "1.0");
        event.attributes(origin, |name, value| {
            let value: String = utf8_percent_encode(value, ENCODED).collect();
            headers.insert(header_of(name), value);
        });
        headers.insert("ce-datacontenttype", DATA_CONTENT_TYPE);
        headers.insert("Content-Type", DATA_CONTENT_TYPE);
        headers.insert(NATS_EXPECTED_LAST_SEQUENCE, (event.ordinal - 1).to_string());
        Message {
            ordinal: event.ordinal,
            subject: format!("bincard.{}.event.{}", origin.name, event.name),
            headers,
            body: event.data.into(),
        }
    }
}

fn header_of(attribute: &'static str) -> &'static str {
    match attribute {
        "id" => "ce-id",
        "source" => "ce-source",
        "type" => "ce-type",
        "subject" => "ce-subject",
        "time" => "ce-time",
        "sequence" => "ce-sequence",
        "recordedtime" => "ce-recordedtime",
        "correlationid" => "ce-correlationid",
        "traceparent" => "ce-traceparent",
        "causationid" => "ce-causationid",
        other => unreachable!("an event has no attribute {other}"),
    }
}

#[cfg(test)]
mod tests {
    use ledger_core::values::{CommandId, Text, Timestamp};

    use super::*;

    #[test]
    fn attributes_are_headers_that_any_server_can_carry() {
        let origin = Origin { ledger: uuid::Uuid::from_u128(7), name: "main".into() };
        let event = CloudEvent {
            ordinal: 12,
            sequence: 5,
            name: "stock.received",
            subject: Some("THÉ \"1\" 100%".into()),
            time: Timestamp::from_micros(0),
            recorded_at: Timestamp::from_micros(1_000_000),
            correlation: None,
            causation: CommandId::try_new("c-1").unwrap(),
            data: "{}".into(),
        };
        let message = Message::of(event, &origin);
        let header = |name: &str| message.headers.get(name).map(|value| value.as_str().to_owned());
        assert_eq!(message.subject, "bincard.main.event.stock.received");
        assert_eq!(header("ce-id").unwrap(), "00000000-0000-0000-0000-000000000007/12");
        assert_eq!(header("ce-type").unwrap(), "bincard.stock.received");
        assert_eq!(header("ce-subject").unwrap(), "TH%C3%89%20%221%22%20100%25");
        assert_eq!(header("ce-time").unwrap(), "1970-01-01T00:00:00Z");
        assert_eq!(header("ce-sequence").unwrap(), "5");
        assert_eq!((header("ce-causationid").unwrap(), header("ce-correlationid")), ("c-1".into(), None));
        assert_eq!(header("Nats-Expected-Last-Sequence").unwrap(), "11");
    }
}
