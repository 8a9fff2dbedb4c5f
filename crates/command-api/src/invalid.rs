//! What cannot be understood: which field, what was found there, and what was wanted.

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

/// Input that is not a command, a batch or a query. Nothing was decided.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize)]
#[error("{message}")]
pub struct Invalid {
    /// The stable code.
    pub code: &'static str,
    /// What was found and what was wanted.
    pub message: String,
    /// JSON pointer to the field, where a field of the body is at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The header, where a header is at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
}

impl Invalid {
    /// The input as a whole.
    pub fn whole(code: &'static str, message: impl Into<String>) -> Self {
        Invalid { code, message: message.into(), path: None, header: None }
    }

    /// One field of the body.
    pub fn at(code: &'static str, path: impl Into<String>, message: impl Into<String>) -> Self {
        Invalid { path: Some(path.into()), ..Invalid::whole(code, message) }
    }

    /// One header.
    pub fn header(header: &str, message: impl Into<String>) -> Self {
        Invalid { header: Some(header.to_owned()), ..Invalid::whole("invalid_value", message) }
    }

    /// The same, for a value that stands deeper in a document: `prefix` is the JSON pointer to it.
    pub fn under(mut self, prefix: &str) -> Self {
        if self.header.is_none() {
            self.path = Some(format!("{prefix}{}", self.path.unwrap_or_default()));
        }
        self
    }

    pub(crate) fn from_json(error: serde_path_to_error::Error<serde_json::Error>) -> Self {
        let path = pointer(error.path());
        let inner = error.into_inner();
        if inner.is_syntax() || inner.is_eof() {
            return Invalid::whole("not_json", format!("wanted one JSON document: {inner}"));
        }
        let message = without_place(&inner.to_string());
        let code = code_of(&message);
        let path = match (code, first_quoted(&message)) {
            ("missing_field", Some(field)) => format!("{path}/{}", escaped(field)),
            ("unknown_field" | "duplicate_field", Some(field))
                if !path.ends_with(&format!("/{}", escaped(field))) =>
            {
                format!("{path}/{}", escaped(field))
            }
            (_, _) => path,
        };
        Invalid::at(code, path, message)
    }
}

/// Reads a JSON document into a type, streaming, so that a key given twice is seen.
pub(crate) fn from_slice<'de, T: Deserialize<'de>>(body: &'de [u8]) -> Result<T, Invalid> {
    read_with(body, |deserializer| serde_path_to_error::deserialize(deserializer))
}

/// Reads a whole JSON document with `read`; anything behind it is an error.
pub(crate) fn read_with<'de, T>(
    body: &'de [u8],
    read: impl FnOnce(
        &mut serde_json::Deserializer<serde_json::de::SliceRead<'de>>,
    ) -> Result<T, serde_path_to_error::Error<serde_json::Error>>,
) -> Result<T, Invalid> {
    if let Err(error) = std::str::from_utf8(body) {
        let at = error.valid_up_to();
        return Err(Invalid::whole("not_json", format!("wanted UTF-8, found another byte at offset {at}")));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let value = read(&mut deserializer).map_err(Invalid::from_json)?;
    deserializer
        .end()
        .map_err(|error| Invalid::whole("not_json", format!("wanted one JSON document: {error}")))?;
    Ok(value)
}

/// A document of named fields: a list of values in the right order is none.
pub(crate) fn object(body: &[u8]) -> Result<(), Invalid> {
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    if first == Some(&b'{') {
        return Ok(());
    }
    read_with(body, |deserializer| serde_path_to_error::deserialize::<_, IgnoredAny>(deserializer))?;
    let found = match first {
        Some(b'[') => "an array",
        Some(b'"') => "a string",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        Some(_) | None => "a number",
    };
    Err(Invalid::at("wrong_type", "", format!("wanted a JSON object, found {found}")))
}

/// Derived readers take a list of values for a struct, in the order of its fields. The contract does not: the order of
/// fields is not part of it. `read` is what was made of the body.
pub(crate) fn no_positional_fields(body: &[u8], read: &impl Serialize) -> Result<(), Invalid> {
    let given: Value = from_slice(body)?;
    let read = serde_json::to_value(read).unwrap_or_default();
    match positional_fields(&given, &read) {
        Some(path) => Err(Invalid::at("wrong_type", path, "wanted a JSON object, found an array")),
        None => Ok(()),
    }
}

/// JSON pointer to the first list that was read as named fields.
fn positional_fields(given: &Value, read: &Value) -> Option<String> {
    match (given, read) {
        (Value::Array(_), Value::Object(_)) => Some(String::new()),
        (Value::Array(given), Value::Array(read)) => given
            .iter()
            .zip(read)
            .enumerate()
            .find_map(|(at, (given, read))| Some(format!("/{at}{}", positional_fields(given, read)?))),
        (Value::Object(given), Value::Object(read)) => given.iter().find_map(|(key, given)| {
            Some(format!("/{}{}", escaped(key), positional_fields(given, read.get(key)?)?))
        }),
        _ => None,
    }
}

fn code_of(message: &str) -> &'static str {
    const CODES: [(&str, &str); 5] = [
        ("missing field", "missing_field"),
        ("unknown field", "unknown_field"),
        ("duplicate field", "duplicate_field"),
        ("invalid type", "wrong_type"),
        ("invalid length", "wrong_type"),
    ];
    CODES.iter().find(|(start, _)| message.starts_with(start)).map_or("invalid_value", |(_, code)| code)
}

/// The parser's "at line 1 column 7" says where the value ends, which the path says better.
fn without_place(message: &str) -> String {
    message.rfind(" at line ").map_or(message, |at| &message[..at]).to_owned()
}

fn first_quoted(message: &str) -> Option<&str> {
    message.split('`').nth(1)
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
            Segment::Map { key } => pointer.push_str(&format!("/{}", escaped(key))),
            // Neither is a step in the document: a variant is its value, and unknown is nowhere in particular.
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    pointer
}

/// RFC 6901.
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
