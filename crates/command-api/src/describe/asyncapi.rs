//! The NATS door as AsyncAPI 3.0.

use ledger_core::Command;
use projections::VIEWS;
use serde_json::{Map, Value, json};

use super::components::{self, key, reference};
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
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Bincard",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "An event-sourced inventory ledger for e-commerce: commands and queries as NATS request/reply",
            "license": { "name": "Apache-2.0" },
        },
        "defaultContentType": "application/json",
        "channels": document.channels,
        "operations": document.operations,
        "components": { "schemas": components::schemas() },
    })
}

impl Document {
    fn request(&mut self, subject: &str, body: Value, reply: Value, headers: Value) {
        let name = subject.replace('.', "_");
        let channel = json!({
            "address": format!("bincard.{{ledger}}.{subject}"),
            "parameters": { "ledger": { "description": "The ledger's name", "default": "main" } },
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
            ACTOR_HEADER: text("Who acts; anonymous when absent"),
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
