//! One JSON Schema (draft 2020-12) for each command, event and view.

use ledger_core::{Command, Event, Kind};
use projections::{VIEWS, ViewKind};
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::components;

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

pub(super) fn schemas() -> Vec<(String, Value)> {
    let commands = Command::KINDS.iter().filter(|kind| kind.public);
    let commands = commands.map(|kind| (format!("commands/{}.json", kind.name), command(kind)));
    let events = Event::KINDS.iter().map(|kind| (format!("events/{}.json", kind.name), event(kind)));
    let views = VIEWS.iter().map(|view| (format!("views/{}.json", view.name), view_schema(view)));
    let reply =
        ("reply.json".to_owned(), titled("reply", SchemaGenerator::default(), components::reply_schema()));
    commands.chain(events).chain(views).chain([reply]).collect()
}

fn command(kind: &Kind) -> Value {
    let mut generator = generator();
    let schema = (kind.schema)(&mut generator).to_value();
    titled(kind.name, generator, schema)
}

/// An event as a reply and the feed show it: its name as `type`, then its fields.
fn event(kind: &Kind) -> Value {
    let mut generator = generator();
    let schema = (kind.schema)(&mut generator).to_value();
    titled(kind.name, generator, components::typed(kind.name, schema))
}

fn view_schema(view: &ViewKind) -> Value {
    let mut generator = generator();
    let filter = (view.filter_schema)(&mut generator).to_value();
    let row = (view.row_schema)(&mut generator).to_value();
    let schema = json!({
        "description": view.summary,
        "type": "object",
        "properties": { "filter": filter, "row": row, "sort": { "enum": view.sorts } },
    });
    titled(view.name, generator, schema)
}

fn generator() -> SchemaGenerator {
    SchemaSettings::draft2020_12().into_generator()
}

/// A schema as a document of its own, with what it refers to.
fn titled(title: &str, mut generator: SchemaGenerator, schema: Value) -> Value {
    let mut document = Map::new();
    document.insert("$schema".into(), json!(DIALECT));
    document.insert("title".into(), json!(title));
    if let Value::Object(fields) = schema {
        document.extend(fields);
    }
    let definitions = generator.take_definitions(true);
    if !definitions.is_empty() {
        document.insert("$defs".into(), Value::Object(definitions));
    }
    Value::Object(document)
}
