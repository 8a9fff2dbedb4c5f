//! One JSON Schema (draft 2020-12) for each command, event and view.

use ledger_core::{Command, Event};
use projections::{VIEWS, ViewKind};
use serde_json::{Map, Value, json};

use super::components;
use super::definitions::Definitions;

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

pub(super) fn schemas() -> Vec<(String, Value)> {
    let commands = Command::KINDS.iter().filter(|kind| kind.public).map(|kind| {
        let mut definitions = Definitions::under("/$defs");
        let schema = definitions.command(kind);
        (format!("commands/{}.json", kind.name), document(kind.name, schema, definitions))
    });
    let events = Event::KINDS.iter().map(|kind| {
        let mut definitions = Definitions::under("/$defs");
        let schema = definitions.event(kind);
        (format!("events/{}.json", kind.name), document(kind.name, schema, definitions))
    });
    let views = VIEWS.iter().map(|view| (format!("views/{}.json", view.name), view_document(view)));
    let reply = document("reply", components::reply_schema(), Definitions::under("/$defs"));
    commands.chain(events).chain(views).chain([("reply.json".to_owned(), reply)]).collect()
}

fn view_document(view: &ViewKind) -> Value {
    let mut definitions = Definitions::under("/$defs");
    let schema = json!({
        "description": view.summary,
        "type": "object",
        "properties": {
            "filter": definitions.filter(view),
            "row": definitions.row(view),
            "sort": { "enum": view.sorts },
        },
    });
    document(view.name, schema, definitions)
}

/// A schema as a document of its own, with what it refers to.
fn document(title: &str, schema: Value, definitions: Definitions) -> Value {
    let mut document = Map::new();
    document.insert("$schema".into(), json!(DIALECT));
    document.insert("title".into(), json!(title));
    let referred = definitions.into_referred(&[&schema]);
    if let Value::Object(fields) = schema {
        document.extend(fields);
    }
    if !referred.is_empty() {
        document.insert("$defs".into(), Value::Object(referred));
    }
    Value::Object(document)
}
