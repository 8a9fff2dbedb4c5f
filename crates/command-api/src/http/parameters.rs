//! What stands behind the question mark: a view's filters by name with the fields of a query beside them, or the few
//! parameters of another path.

use axum::extract::Query as Parameters;
use axum::extract::rejection::QueryRejection;
use projections::{AsOf, Query, VIEWS, ViewKind};
use schemars::generate::SchemaSettings;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::invalid::Invalid;

/// The parameters that every view has beside its filters.
pub(crate) const QUERY_PARAMETERS: [&str; 7] =
    ["limit", "cursor", "sort", "min_position", "as_of_sequence", "as_of_recorded_at", "as_of_effective_at"];

/// Parameters as they came.
pub(super) type Came = Result<Parameters<Vec<(String, String)>>, QueryRejection>;

/// The parameters of a path that has only these, each of them once at the most.
pub(super) struct Given(Vec<(String, String)>);

impl Given {
    pub(super) fn read(came: Came, known: &[&str]) -> Result<Self, Invalid> {
        let given = pairs(came)?;
        for (at, (name, _)) in given.iter().enumerate() {
            check_is_first(&given[..at], name)?;
            if !known.contains(&name.as_str()) {
                let message = format!("there is no parameter {name:?} here; there is {}", known.join(", "));
                return Err(Invalid::at("unknown_field", format!("/{name}"), message));
            }
        }
        Ok(Given(given))
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(given, _)| given == name).map(|(_, text)| text.as_str())
    }

    /// `wanted` in words, for whoever gave something else.
    pub(super) fn parsed<T: DeserializeOwned>(&self, name: &str, wanted: &str) -> Result<Option<T>, Invalid> {
        self.text(name).map(|text| parsed(name, text, wanted)).transpose()
    }
}

/// The parameters in order.
pub(super) fn pairs(came: Came) -> Result<Vec<(String, String)>, Invalid> {
    let Parameters(given) = came.map_err(|fault| Invalid::whole("invalid_value", fault.body_text()))?;
    Ok(given)
}

fn check_is_first(before: &[(String, String)], name: &str) -> Result<(), Invalid> {
    if before.iter().any(|(seen, _)| seen == name) {
        let message = format!("wanted the parameter {name} once, found it twice");
        return Err(Invalid::at("duplicate_field", format!("/{name}"), message));
    }
    Ok(())
}

/// `limit`, `cursor`, `sort`, `min_position`, `as_of_sequence`, `as_of_recorded_at`, `as_of_effective_at`; any other
/// parameter is a filter.
pub(super) fn query_of_parameters(view: &str, parameters: Vec<(String, String)>) -> Result<Query, Invalid> {
    let mut query = Query::default();
    let mut as_of = AsOf::default();
    let filters = VIEWS.iter().find(|kind| kind.name == view).map(filter_types);
    for (at, (name, _)) in parameters.iter().enumerate() {
        check_is_first(&parameters[..at], name)?;
    }
    for (name, text) in parameters {
        match name.as_str() {
            "limit" => query.limit = Some(parsed(&name, &text, "a whole number")?),
            "cursor" => query.cursor = Some(text),
            "sort" => query.sort = Some(text),
            "min_position" => query.min_position = Some(text),
            "as_of_sequence" => as_of.sequence = Some(parsed(&name, &text, "a whole number")?),
            "as_of_recorded_at" => as_of.recorded_at = Some(quoted(&name, &text)?),
            "as_of_effective_at" => as_of.effective_at = Some(quoted(&name, &text)?),
            _ => {
                let value = filter_value(filters.as_ref(), &name, &text);
                query.filter.insert(name.clone(), value);
            }
        }
    }
    query.as_of = (as_of != AsOf::default()).then_some(as_of);
    Ok(query)
}

/// The filters of a view with their JSON types, as their schema has them.
fn filter_types(kind: &ViewKind) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let schema = (kind.filter_schema)(&mut settings.into_generator());
    schema.get("properties").cloned().unwrap_or_default()
}

/// A number or boolean where the filter is one; text otherwise, and the view says what it wanted.
fn filter_value(filters: Option<&Value>, name: &str, text: &str) -> Value {
    let is_text = filters.and_then(|filters| filters.get(name)).is_none_or(|schema| says(schema, "string"));
    if is_text {
        return Value::String(text.to_owned());
    }
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

/// Whether a schema names this type anywhere.
fn says(schema: &Value, wanted: &str) -> bool {
    match schema {
        Value::String(found) => found == wanted,
        Value::Array(items) => items.iter().any(|item| says(item, wanted)),
        Value::Object(fields) => {
            let parts = ["type", "anyOf", "oneOf"];
            fields.contains_key("enum")
                || fields.contains_key("const")
                || parts.iter().any(|part| fields.get(*part).is_some_and(|part| says(part, wanted)))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn parsed<T: DeserializeOwned>(name: &str, text: &str, wanted: &str) -> Result<T, Invalid> {
    serde_json::from_str(text).map_err(|_| {
        Invalid::at("wrong_type", format!("/{name}"), format!("wanted {wanted}, found {text:?}"))
    })
}

fn quoted<T: DeserializeOwned>(name: &str, text: &str) -> Result<T, Invalid> {
    serde_json::from_value(Value::String(text.to_owned()))
        .map_err(|fault| Invalid::at("invalid_value", format!("/{name}"), fault.to_string()))
}
