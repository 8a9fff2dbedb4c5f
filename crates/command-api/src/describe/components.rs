//! The parts that OpenAPI and AsyncAPI share: what a reply, a batch, a query and a page look like.

use ledger_core::{Command, Event};
use projections::{Query, VIEWS};
use serde_json::{Map, Value, json};

use super::definitions::Definitions;
use crate::events::{MovementBody, PostingBody};

/// Where shared schemas stand in both documents.
pub(super) const SCHEMAS: &str = "/components/schemas";

/// A reference to a shared schema.
pub(super) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#{SCHEMAS}/{name}") })
}

/// The name of a command's, event's or view's schema among the shared ones.
pub(super) fn key(what: &str, name: &str) -> String {
    format!("{what}.{name}")
}

/// Every shared schema.
pub(super) fn schemas() -> Map<String, Value> {
    let mut definitions = Definitions::under(SCHEMAS);
    let mut schemas = Map::new();
    for kind in Command::KINDS.iter().filter(|kind| kind.public) {
        schemas.insert(key("command", kind.name), definitions.command(kind));
    }
    for kind in Event::KINDS {
        schemas.insert(key("event", kind.name), definitions.event(kind));
    }
    for view in VIEWS {
        schemas.insert(key("filter", view.name), definitions.filter(view));
        schemas.insert(key("row", view.name), definitions.row(view));
        schemas.insert(key("page", view.name), page_schema(&reference(&key("row", view.name))));
        let query = json!({ "filter": reference(&key("filter", view.name)), "sort": { "enum": view.sorts } });
        let query = json!({ "allOf": [reference("Query"), { "properties": query }] });
        schemas.insert(key("query", view.name), query);
    }
    let events = Event::KINDS.iter().map(|kind| reference(&key("event", kind.name)));
    schemas.insert("Event".into(), json!({ "oneOf": events.collect::<Vec<_>>() }));
    schemas.insert("EventData".into(), event_data_schema(&mut definitions));
    schemas.insert("CloudEvent".into(), cloud_event_schema());
    schemas.insert("Query".into(), definitions.of::<Query>());
    schemas.insert("Reply".into(), reply_schema());
    schemas.insert("Batch".into(), batch_schema());
    schemas.insert("BatchReply".into(), batch_reply_schema());
    schemas.insert("Problem".into(), problem_schema());
    let referred = definitions.into_referred(&schemas.values().collect::<Vec<_>>());
    for (name, schema) in referred {
        // A type of the ledger that is called like a shared schema keeps that one's place.
        schemas.entry(name).or_insert(schema);
    }
    schemas
}

/// Every reply to a command.
pub(super) fn reply_schema() -> Value {
    let position = json!({ "type": "string", "pattern": r"^\d+\.\d+$", "description": "epoch.sequence" });
    let code = json!({ "type": "string", "description": "stable, in snake_case" });
    let accepted = json!({
        "title": "accepted", "type": "object", "required": ["status", "position", "events"],
        "properties": {
            "status": { "const": "accepted" },
            "sequence": { "type": "integer", "description": "the entry; absent for a dry run" },
            "position": position,
            "events": { "type": "array", "items": { "type": "object", "required": ["type"] } },
            "events_omitted": { "type": "integer", "description": "so many events did not fit the reply" },
            "duplicate": { "type": "boolean", "description": "the same command was accepted before" },
            "dry_run": { "type": "boolean", "description": "nothing was recorded" },
        },
    });
    let rejected = json!({
        "title": "rejected", "type": "object", "required": ["status", "code", "message", "details", "position"],
        "properties": {
            "status": { "const": "rejected" }, "code": code, "message": { "type": "string" },
            "details": { "type": "object", "description": "the figures behind the code" }, "position": position,
        },
    });
    let invalid = json!({
        "title": "invalid", "type": "object", "required": ["status", "code", "message"],
        "properties": {
            "status": { "const": "invalid" }, "code": code, "message": { "type": "string" },
            "path": { "type": "string", "description": "JSON pointer to the field" },
            "header": { "type": "string", "description": "the header" },
        },
    });
    let other = json!({
        "title": "not decided", "type": "object", "required": ["status", "code", "message"],
        "properties": {
            "status": { "enum": ["unauthorised", "forbidden", "conflict", "busy", "unavailable", "unknown"] },
            "code": code, "message": { "type": "string" },
        },
    });
    json!({ "oneOf": [accepted, rejected, invalid, other] })
}

/// The data of an event of the feed: its fields, with what it did to the books.
fn event_data_schema(definitions: &mut Definitions) -> Value {
    let list = |schema: Value, description: &str| json!({ "type": "array", "items": schema, "description": description });
    let books = json!({
        "movements": list(definitions.of::<MovementBody<'static>>(), "Units that changed their place"),
        "postings": list(definitions.of::<PostingBody<'static>>(), "Amounts; debits and credits are equal"),
    });
    json!({ "allOf": [
        reference("Event"),
        { "type": "object", "required": ["movements", "postings"], "properties": books },
    ] })
}

/// CloudEvents 1.0 in its JSON format, as this service writes it.
fn cloud_event_schema() -> Value {
    let text = |description: &str| json!({ "type": "string", "description": description });
    let time =
        |description: &str| json!({ "type": "string", "format": "date-time", "description": description });
    json!({
        "type": "object",
        "required": ["specversion", "id", "source", "type", "time", "datacontenttype", "sequence", "causationid", "data"],
        "properties": {
            "specversion": { "const": "1.0" },
            "id": text("the ledger's uuid / the event's ordinal, from 1 without gaps"),
            "source": text("/bincard/ and the ledger's name"),
            "type": text("bincard. and the event's name"),
            "subject": text("the key of the document, else of the item or other record"),
            "time": time("when it was true"),
            "recordedtime": time("when it was recorded"),
            "datacontenttype": { "const": "application/json" },
            "sequence": text("the entry, as in replies"),
            "correlationid": text("what ties it to what other systems did"),
            "traceparent": text("W3C trace context of the command, if it came with one that is recorded and no correlation id"),
            "causationid": text("the id of the command that caused it"),
            "data": reference("EventData"),
        },
    })
}

fn page_schema(row: &Value) -> Value {
    json!({
        "type": "object", "required": ["position", "rows"],
        "properties": {
            "position": { "type": "string", "description": "what the rows include, as epoch.sequence" },
            "rows": { "type": "array", "items": row },
            "next": { "type": "string", "description": "the cursor of the next page; absent on the last" },
        },
    })
}

fn batch_schema() -> Value {
    let names: Vec<&str> = Command::KINDS.iter().filter(|kind| kind.public).map(|kind| kind.name).collect();
    let command = json!({
        "type": "object", "required": ["command", "body"], "additionalProperties": false,
        "properties": {
            "command": { "enum": names },
            "id": { "type": "string", "minLength": 1, "maxLength": 64 },
            "effective_at": { "type": "string", "format": "date-time" },
            "body": { "type": "object" },
        },
    });
    let commands = json!({ "type": "array", "minItems": 1, "maxItems": crate::request::BATCH_COMMANDS_MAX, "items": command });
    let group = json!({
        "type": "object", "required": ["commands"], "additionalProperties": false,
        "properties": { "atomic": { "type": "boolean", "default": false }, "commands": commands },
    });
    json!({ "oneOf": [commands, group] })
}

fn batch_reply_schema() -> Value {
    let line = json!({
        "type": "object", "required": ["status"],
        "properties": {
            "status": { "enum": ["accepted", "rejected", "invalid", "forbidden", "conflict", "busy", "unavailable", "unknown"] },
            "sequence": { "type": "integer" }, "code": { "type": "string" }, "message": { "type": "string" },
            "path": { "type": "string" }, "duplicate": { "type": "boolean" }, "dry_run": { "type": "boolean" },
        },
    });
    let each = json!({
        "type": "object", "required": ["results"],
        "properties": { "results": { "type": "array", "items": line } },
    });
    json!({ "oneOf": [each, reference("Reply")] })
}

fn problem_schema() -> Value {
    json!({
        "type": "object", "description": "RFC 9457", "required": ["type", "title", "status", "detail", "code"],
        "properties": {
            "type": { "type": "string" }, "title": { "type": "string" }, "status": { "type": "integer" },
            "detail": { "type": "string" }, "code": { "type": "string" },
            "outcome": { "type": "string", "description": "the status of the reply" },
            "path": { "type": "string" }, "header": { "type": "string" }, "details": { "type": "object" },
            "position": { "type": "string" },
        },
    })
}
