//! The NATS door as AsyncAPI 3.0.

use ledger_core::Command;
use projections::VIEWS;
use serde_json::{Map, Value, json};

use super::components::{self, key, reference};
use crate::auth::AUTHORIZATION_HEADER;
use crate::request::{ACTOR_HEADER, CORRELATION_HEADER, DRY_RUN_HEADER, EFFECTIVE_AT_HEADER};
use crate::service::COMMAND_STATUS;

/// The channels and operations so far.
#[derive(Default)]
struct Document {
    channels: Map<String, Value>,
    operations: Map<String, Value>,
}

pub(super) fn asyncapi() -> Value {
    let mut document = Document::default();
    for kind in Command::KINDS.iter().filter(|kind| kind.public) {
        let (subject, body) = (format!("command.{}", kind.name), key("command", kind.name));
        document.request(&subject, reference(&body), reference("Reply"), command_headers());
    }
    document.request("command.batch", reference("Batch"), reference("BatchReply"), command_headers());
    for view in VIEWS {
        let (query, page) = (key("query", view.name), key("page", view.name));
        document.request(
            &format!("query.{}", view.name),
            reference(&query),
            reference(&page),
            json!({ "type": "object" }),
        );
    }
    let (query, page) = command_status();
    document.request(&format!("query.{COMMAND_STATUS}"), query, page, json!({ "type": "object" }));
    streams(&mut document);
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Bincard",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "An event-sourced inventory ledger for e-commerce: commands and queries as NATS request/reply; events, waiting commands and their outcomes in JetStream streams",
            "license": { "name": "Apache-2.0" },
        },
        "defaultContentType": "application/json",
        "channels": document.channels,
        "operations": document.operations,
        "components": { "schemas": components::schemas() },
    })
}

/// What is kept in JetStream streams.
fn streams(document: &mut Document) {
    let commands = Command::KINDS.iter().filter(|kind| kind.public);
    let commands: Vec<Value> = commands.map(|kind| reference(&key("command", kind.name))).collect();
    document.stream(&Stream {
        name: "event",
        stream: "BINCARD_{ledger}_EVENTS",
        subject: "event.{module}.{event}",
        parameters: &["module", "event"],
        action: "send",
        description: "The public feed: message n of the stream is event n of the ledger, as a CloudEvent in binary mode",
        headers: event_headers(),
        payload: reference("EventData"),
    });
    document.stream(&Stream {
        name: "inbox",
        stream: "BINCARD_{ledger}_INBOX",
        subject: "inbox.{module}.{action}",
        parameters: &["module", "action"],
        action: "receive",
        description: "Commands that wait for the ledger, decided in order; without an id one is called \
                      inbox-<stream>-<sequence>",
        headers: command_headers(),
        payload: json!({ "oneOf": commands }),
    });
    document.stream(&Stream {
        name: "outcome",
        stream: "BINCARD_{ledger}_OUTCOMES",
        subject: "outcome.{command_id}",
        parameters: &["command_id"],
        action: "send",
        description: "What became of a command of the inbox; the last of each id, kept for seven days. The id is \
                      percent-encoded outside [A-Za-z0-9_-]",
        headers: json!({ "type": "object" }),
        payload: reference("Reply"),
    });
}

/// A channel whose messages are kept.
struct Stream {
    name: &'static str,
    stream: &'static str,
    subject: &'static str,
    parameters: &'static [&'static str],
    /// What the service does: it sends or receives.
    action: &'static str,
    description: &'static str,
    headers: Value,
    payload: Value,
}

impl Document {
    fn stream(&mut self, stream: &Stream) {
        let Stream { name, subject, parameters, action, description, headers, payload, .. } = stream;
        let mut named = Map::from_iter([ledger_parameter()]);
        named.extend(parameters.iter().map(|parameter| ((*parameter).to_owned(), json!({}))));
        let channel = json!({
            "address": format!("bincard.{{ledger}}.{subject}"),
            "title": stream.stream,
            "description": description,
            "parameters": named,
            "messages": { "message": { "name": name, "headers": headers, "payload": payload } },
        });
        let operation = json!({
            "action": action,
            "channel": { "$ref": format!("#/channels/{name}") },
            "messages": [{ "$ref": format!("#/channels/{name}/messages/message") }],
        });
        self.channels.insert((*name).to_owned(), channel);
        self.operations.insert((*name).to_owned(), operation);
    }

    fn request(&mut self, subject: &str, body: Value, reply: Value, headers: Value) {
        let name = subject.replace('.', "_");
        let channel = json!({
            "address": format!("bincard.{{ledger}}.{subject}"),
            "parameters": Map::from_iter([ledger_parameter()]),
            "messages": { "request": { "name": subject, "headers": headers, "payload": body } },
        });
        // The requester names the subject of the reply, so its channel has no address of its own.
        let replies = format!("{name}_reply");
        let reply_channel = json!({
            "address": null,
            "messages": { "reply": { "name": format!("{subject}.reply"), "payload": reply } },
        });
        let operation = json!({
            "action": "receive",
            "channel": { "$ref": format!("#/channels/{name}") },
            "messages": [{ "$ref": format!("#/channels/{name}/messages/request") }],
            "reply": {
                "address": { "location": "$message.header#/reply", "description": "The reply subject of the request" },
                "channel": { "$ref": format!("#/channels/{replies}") },
                "messages": [{ "$ref": format!("#/channels/{replies}/messages/reply") }],
            },
        });
        self.channels.insert(name.clone(), channel);
        self.channels.insert(replies, reply_channel);
        self.operations.insert(name, operation);
    }
}

fn ledger_parameter() -> (String, Value) {
    ("ledger".to_owned(), json!({ "description": "The ledger's name", "default": "main" }))
}

fn event_headers() -> Value {
    let text = |description: &str| json!({ "type": "string", "description": description });
    json!({
        "type": "object",
        "description": "Values are percent-encoded where they are not printable ASCII, and for space, quote and percent",
        "required": ["ce-specversion", "ce-id", "ce-source", "ce-type", "ce-time", "ce-sequence", "ce-causationid"],
        "properties": {
            "ce-specversion": { "const": "1.0" },
            "ce-id": text("the ledger's uuid / the event's ordinal, which is the sequence of the stream"),
            "ce-source": text("/bincard/ and the ledger's name"),
            "ce-type": text("bincard. and the event's name"),
            "ce-subject": text("the key of the document, else of the item or other record"),
            "ce-time": text("when it was true"),
            "ce-recordedtime": text("when it was recorded"),
            "ce-sequence": text("the entry, as in replies"),
            "ce-correlationid": text("what ties it to what other systems did"),
            "ce-traceparent": text("W3C trace context of the command, if it came with one that is recorded and no correlation id"),
            "ce-causationid": text("the id of the command that caused it"),
            "ce-datacontenttype": { "const": "application/json" },
        },
    })
}

fn command_headers() -> Value {
    let text = |description: &str| json!({ "type": "string", "description": description });
    json!({
        "type": "object",
        "properties": {
            "Bincard-Command-Id": text("The command's id: the same id with the same body is the same command"),
            "Nats-Msg-Id": text("Taken in place of Bincard-Command-Id"),
            EFFECTIVE_AT_HEADER: text("When the fact was true, as RFC 3339; now when absent"),
            CORRELATION_HEADER: text("What ties the command to what other systems did"),
            DRY_RUN_HEADER: text("true: decide and answer, record nothing"),
            ACTOR_HEADER: text("Who acts, where no token says it; anonymous when absent"),
            AUTHORIZATION_HEADER: text("Bearer and a token, where the service asks who calls"),
        },
    })
}

fn command_status() -> (Value, Value) {
    let filter =
        json!({ "type": "object", "required": ["id"], "properties": { "id": { "type": "string" } } });
    let query = json!({ "allOf": [reference("Query"), { "properties": { "filter": filter } }] });
    let row = json!({ "allOf": [reference("Reply"), { "properties": { "id": { "type": "string" } } }] });
    let rows = json!({ "type": "array", "maxItems": 1, "items": row });
    (query, json!({ "type": "object", "properties": { "position": { "type": "string" }, "rows": rows } }))
}
