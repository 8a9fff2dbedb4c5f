//! What the service speaks, written down from the tables of kinds and views: JSON Schemas, OpenAPI and AsyncAPI.
//!
//! | document | says |
//! |---|---|
//! | `commands/<module.action>.json` | the fields of a command |
//! | `events/<module.past_participle>.json` | the fields of an event |
//! | `views/<view>.json` | the filters and the rows of a view |
//! | `reply.json` | every reply to a command |
//! | `openapi.json` | all of it over HTTP |
//! | `asyncapi.json` | all of it over NATS |

mod asyncapi;
mod components;
mod definitions;
mod openapi;
mod schemas;

use serde_json::Value;

/// Every document with its path below `schemas/`, in the order of the tables.
pub fn documents() -> Vec<(String, Value)> {
    let mut documents = schemas::schemas();
    documents.push(("openapi.json".into(), openapi::openapi()));
    documents.push(("asyncapi.json".into(), asyncapi::asyncapi()));
    documents
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use ledger_core::{Command, Event};
    use projections::VIEWS;

    use super::*;

    #[test]
    fn every_public_command_event_and_view_has_its_schema_and_nothing_internal_is_shown() {
        let documents = documents();
        let paths: BTreeSet<&str> = documents.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths.len(), documents.len(), "no path twice");
        for kind in Command::KINDS {
            let path = format!("commands/{}.json", kind.name);
            assert_eq!(paths.contains(path.as_str()), kind.public, "{path}");
        }
        for kind in Event::KINDS {
            assert!(paths.contains(format!("events/{}.json", kind.name).as_str()), "{}", kind.name);
        }
        for view in VIEWS {
            assert!(paths.contains(format!("views/{}.json", view.name).as_str()), "{}", view.name);
        }
    }

    #[test]
    fn every_reference_leads_to_something() {
        for (path, document) in documents() {
            let mut references = Vec::new();
            collect_references(&document, &mut references);
            for reference in references {
                let pointer = reference.strip_prefix('#').expect("references stay within their document");
                assert!(document.pointer(pointer).is_some(), "{path}: {reference}");
            }
        }
    }

    #[test]
    fn shared_names_are_nobodys_twice_and_carry_no_numbers() {
        let openapi = documents().into_iter().find(|(path, _)| path == "openapi.json").unwrap().1;
        let schemas = openapi["components"]["schemas"].as_object().unwrap();
        let own = ["Event", "Query", "Reply", "Batch", "BatchReply", "Problem"];
        for name in schemas.keys() {
            assert!(!name.ends_with(|last: char| last.is_ascii_digit()), "{name}: two types of one name");
        }
        for name in own {
            let mut definitions = definitions::Definitions::under("/$defs");
            let of_ledger: Vec<Value> = Command::KINDS.iter().map(|kind| definitions.command(kind)).collect();
            let of_ledger: Vec<&Value> = of_ledger.iter().collect();
            assert!(
                !definitions.into_referred(&of_ledger).contains_key(name),
                "{name} is a type of the ledger too"
            );
        }
    }

    fn collect_references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                for (key, value) in fields {
                    match value {
                        Value::String(reference) if key == "$ref" => found.push(reference.clone()),
                        value => collect_references(value, found),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| collect_references(item, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}
