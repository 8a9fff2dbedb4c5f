//! The position token: how far a reader has folded the log, as callers see it.

use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

/// `epoch.sequence`: an entry of the log and the start of the writer that recorded it. Tokens compare by sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Position {
    /// The writer's start, from 1; 0 before the first.
    pub epoch: u64,
    /// The entry's number, from 1; 0 before the first.
    pub sequence: u64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.epoch, self.sequence)
    }
}

/// A text that is no position token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("wanted a position as epoch.sequence (3.1042), found {found:?}")]
pub struct NotAPosition {
    found: String,
}

impl FromStr for Position {
    type Err = NotAPosition;
    fn from_str(text: &str) -> Result<Self, NotAPosition> {
        let parsed = text.split_once('.').and_then(|(epoch, sequence)| {
            Some(Position { epoch: epoch.parse().ok()?, sequence: sequence.parse().ok()? })
        });
        // Only the one canonical spelling: no plus signs, no leading zeros.
        parsed
            .filter(|position| position.to_string() == text)
            .ok_or_else(|| NotAPosition { found: text.chars().take(64).collect() })
    }
}

impl Serialize for Position {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for Position {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Position".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": r"^\d+\.\d+$", "description": "epoch.sequence" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_read_as_it_is_written() {
        let position = Position { epoch: 3, sequence: 1042 };
        assert_eq!(position.to_string(), "3.1042");
        assert_eq!("3.1042".parse(), Ok(position));
    }

    #[test]
    fn any_other_spelling_is_refused() {
        for text in ["", "3", "3.", ".3", "3.x", "+3.1", "03.1", "3.1.2", "-1.2"] {
            assert!(text.parse::<Position>().is_err(), "{text:?}");
        }
    }
}
