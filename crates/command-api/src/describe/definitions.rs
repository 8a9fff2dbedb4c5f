//! Schemas of the ledger's types, written out where they are the subject and referred to where they are a part.
//!
//! The generator knows types by their Rust names, of which several modules have the same (`Define`, `Row`): it numbers
//! them, and the numbers would change with every new command. What has a name of its own in the contract is written
//! out under that name instead; only the small shared types (Sku, Price …) stay definitions.

use ledger_core::Kind;
use projections::ViewKind;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

/// Collects schemas and the definitions that they refer to.
pub(super) struct Definitions(SchemaGenerator);

impl Definitions {
    /// Definitions that will stand under this JSON pointer.
    pub(super) fn under(path: &str) -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = path.to_owned().into();
            settings.meta_schema = None;
        });
        Definitions(settings.into_generator())
    }

    /// The fields of a command.
    pub(super) fn command(&mut self, kind: &Kind) -> Value {
        let schema = (kind.schema)(&mut self.0).to_value();
        self.written_out(schema)
    }

    /// An event as a reply and the feed show it: its name as `type`, then its fields.
    pub(super) fn event(&mut self, kind: &Kind) -> Value {
        let schema = (kind.schema)(&mut self.0).to_value();
        let fields = self.written_out(schema);
        let tag = json!({ "const": kind.name });
        let Value::Object(mut event) = fields else { return fields };
        let mut properties = Map::from_iter([("type".to_owned(), tag)]);
        if let Some(Value::Object(of_fields)) = event.remove("properties") {
            properties.extend(of_fields);
        }
        let mut required = vec![json!("type")];
        if let Some(Value::Array(of_fields)) = event.remove("required") {
            required.extend(of_fields);
        }
        event.insert("properties".into(), Value::Object(properties));
        event.insert("required".into(), Value::Array(required));
        Value::Object(event)
    }

    /// The filters of a view.
    pub(super) fn filter(&mut self, view: &ViewKind) -> Value {
        let schema = (view.filter_schema)(&mut self.0).to_value();
        self.written_out(schema)
    }

    /// A row of a view.
    pub(super) fn row(&mut self, view: &ViewKind) -> Value {
        let schema = (view.row_schema)(&mut self.0).to_value();
        self.written_out(schema)
    }

    /// Any other type.
    pub(super) fn of<T: schemars::JsonSchema>(&mut self) -> Value {
        let schema = self.0.subschema_for::<T>().to_value();
        self.written_out(schema)
    }

    /// What the schemas so far, or one another, refer to; in the order of first use.
    pub(super) fn into_referred(mut self, from: &[&Value]) -> Map<String, Value> {
        let mut known = self.0.take_definitions(true);
        let mut waiting: Vec<String> = Vec::new();
        from.iter().for_each(|schema| collect_references(schema, &mut waiting));
        let mut referred = Map::new();
        while !waiting.is_empty() {
            let name = waiting.remove(0);
            if let Some(definition) = known.remove(&name) {
                collect_references(&definition, &mut waiting);
                referred.insert(name, definition);
            }
        }
        referred
    }

    /// The definition itself in place of a reference to it.
    fn written_out(&self, schema: Value) -> Value {
        let name = schema.get("$ref").and_then(Value::as_str).and_then(last_part);
        match name.and_then(|name| self.0.definitions().get(name)) {
            Some(definition) => definition.clone(),
            None => schema,
        }
    }
}

/// The last part of every reference.
fn collect_references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                match value {
                    Value::String(reference) if key == "$ref" => {
                        found.extend(last_part(reference).map(str::to_owned));
                    }
                    value => collect_references(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect_references(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn last_part(reference: &str) -> Option<&str> {
    reference.rsplit('/').next()
}
