//! A command to be sent by an import, and what its repetition means.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::Value;

/// A command to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// The same whenever and from whatever file it is planned.
    pub command_id: String,
    /// `module.action`.
    pub name: &'static str,
    /// The command's fields.
    pub body: Value,
    /// None for definitions, which hold from when they are recorded.
    pub effective_at: Option<DateTime<Utc>>,
    /// What a conflict about this id means.
    pub repeat: Repeat,
    /// What it does to the stock that can be sold: none for most commands.
    pub moves: Vec<Move>,
}

/// What it means when the ledger knows a command's id with another body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// It cannot come from another file: the invoice itself was changed, and someone should know.
    Same,
    /// It was set once and is not compared: done.
    Keep,
    /// If it is the invoice's first command, the invoice was imported from a file with another history: all done.
    Invoice,
}

/// A change of a SKU's stock that can be sold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// The SKU.
    pub sku: Arc<str>,
    /// Units; never zero.
    pub change: i64,
}
