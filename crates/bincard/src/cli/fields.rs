//! `key=value` pairs become a JSON body, by the types that the schema gives them: a SKU of digits stays a text.

use schemars::SchemaGenerator;
use serde_json::{Map, Value};
use thiserror::Error;

/// Why pairs are not a body.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum FieldFault {
    /// Not of the form key=value.
    #[error("{found:?} is not of the form key=value")]
    NotAPair {
        /// The argument.
        found: String,
    },
    /// A list or object that is not JSON.
    #[error("{key}: wanted {wanted}, found {found:?}")]
    NotOfItsType {
        /// The field.
        key: String,
        /// Its JSON type.
        wanted: String,
        /// What was given.
        found: String,
    },
}

/// The body that pairs spell out. `schema` is that of the command or filter; a field it does not know is kept as
/// text, so that the service can refuse it by name.
pub fn body_from_pairs(
    pairs: &[String],
    schema: impl FnOnce(&mut SchemaGenerator) -> schemars::Schema,
) -> Result<Map<String, Value>, FieldFault> {
    let mut generator = SchemaGenerator::default();
    let root = schema(&mut generator).to_value();
    let definitions = generator.take_definitions(true);
    let mut body = Map::new();
    for pair in pairs {
        let (key, text) = pair.split_once('=').ok_or_else(|| FieldFault::NotAPair { found: pair.clone() })?;
        let path: Vec<&str> = key.split('.').collect();
        let mut at = resolve(&root, &definitions);
        for step in &path {
            at = at
                .and_then(|schema| schema.get("properties")?.get(step))
                .and_then(|found| resolve(found, &definitions));
        }
        let value = typed(key, text, at)?;
        place(&mut body, &path, value);
    }
    Ok(body)
}

/// Follows references and looks behind `anyOf` with null, which is how optional fields are described.
fn resolve<'s>(schema: &'s Value, definitions: &'s Map<String, Value>) -> Option<&'s Value> {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        return definitions.get(reference.rsplit('/').next()?).and_then(|found| resolve(found, definitions));
    }
    if let Some(choices) = schema.get("anyOf").and_then(Value::as_array) {
        let some = choices.iter().find(|choice| choice.get("type") != Some(&Value::from("null")))?;
        return resolve(some, definitions);
    }
    Some(schema)
}

fn typed(key: &str, text: &str, schema: Option<&Value>) -> Result<Value, FieldFault> {
    let kinds: Vec<&str> = match schema.and_then(|schema| schema.get("type")) {
        Some(Value::String(kind)) => vec![kind],
        Some(Value::Array(kinds)) => {
            kinds.iter().filter_map(Value::as_str).filter(|kind| *kind != "null").collect()
        }
        _ => vec!["string"],
    };
    if kinds.contains(&"string") {
        return Ok(Value::from(text));
    }
    let refused = || FieldFault::NotOfItsType {
        key: key.to_owned(),
        wanted: kinds.join(" or "),
        found: text.to_owned(),
    };
    serde_json::from_str(text).map_err(|_| refused())
}

fn place(body: &mut Map<String, Value>, path: &[&str], value: Value) {
    match path {
        [] => {}
        [last] => drop(body.insert((*last).to_owned(), value)),
        [first, rest @ ..] => {
            let inner = body.entry((*first).to_owned()).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(inner) = inner {
                place(inner, rest, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger_core::Command;
    use serde_json::json;

    fn body(command: &str, pairs: &[&str]) -> Result<Value, FieldFault> {
        let kind = Command::KINDS.iter().find(|kind| kind.name == command).unwrap();
        let pairs: Vec<String> = pairs.iter().map(|pair| (*pair).to_owned()).collect();
        body_from_pairs(&pairs, kind.schema).map(Value::Object)
    }

    #[test]
    fn a_sku_of_digits_stays_a_text_and_a_quantity_is_a_number() {
        let pairs = ["sku=85048", "location=AMS1", "quantity=3", "unit_cost=2.55", "status=inspection"];
        let wanted = json!({"sku": "85048", "location": "AMS1", "quantity": 3, "unit_cost": "2.55", "status": "inspection"});
        assert_eq!(body("stock.receive", &pairs), Ok(wanted));
    }

    #[test]
    fn what_is_not_a_pair_or_not_of_its_type_is_named() {
        assert_eq!(body("stock.receive", &["sku"]), Err(FieldFault::NotAPair { found: "sku".to_owned() }));
        let refused = body("stock.receive", &["quantity=three"]).unwrap_err();
        assert_eq!(refused.to_string(), "quantity: wanted integer, found \"three\"");
    }

    #[test]
    fn an_unknown_field_is_kept_for_the_service_to_refuse() {
        assert_eq!(body("stock.receive", &["qty=3"]), Ok(json!({"qty": "3"})));
    }
}
