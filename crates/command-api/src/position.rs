//! A place in a ledger's log, as programs carry it from a reply to a query: `epoch.sequence`.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// The entry up to which something is known, and the writer's start that made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Position {
    /// The number of the writer's start.
    pub epoch: u64,
    /// The entry's number.
    pub sequence: u64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.epoch, self.sequence)
    }
}

impl FromStr for Position {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (epoch, sequence) = text.split_once('.').ok_or(())?;
        Ok(Position { epoch: epoch.parse().map_err(drop)?, sequence: sequence.parse().map_err(drop)? })
    }
}

impl Serialize for Position {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
