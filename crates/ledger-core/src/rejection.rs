//! What the business says no to: a code that programs rely on, a sentence for people, and the figures behind it.

use schemars::JsonSchema;
use serde::Serialize;
use thiserror::Error;

use crate::values::Timestamp;
use crate::{
    channels, control, customers, finance, fulfilment, items, locations, orders, payments, returns, stock,
};

/// A command that was understood and is refused. Its JSON is the code with the figures behind it.
#[derive(Debug, Clone, PartialEq, Error, Serialize, JsonSchema)]
#[serde(untagged)]
#[error(transparent)]
pub enum Rejection {
    /// Whatever the command, it cannot become an entry.
    Entry(#[from] EntryRefusal),
    /// By the ledger's own life cycle.
    Control(#[from] control::Refusal),
    /// By the item catalogue.
    Items(#[from] items::Refusal),
    /// By the locations.
    Locations(#[from] locations::Refusal),
    /// By the customers.
    Customers(#[from] customers::Refusal),
    /// By the sales channels.
    Channels(#[from] channels::Refusal),
    /// By the stock book.
    Stock(#[from] stock::Refusal),
    /// By the order book.
    Orders(#[from] orders::Refusal),
    /// By the payments.
    Payments(#[from] payments::Refusal),
    /// By fulfilment.
    Fulfilment(#[from] fulfilment::Refusal),
    /// By the returns desk.
    Returns(#[from] returns::Refusal),
    /// By finance.
    Finance(#[from] finance::Refusal),
}

impl Rejection {
    /// The stable code: a snake_case sentence.
    pub fn code(&self) -> &'static str {
        match self {
            Rejection::Entry(refusal) => refusal.into(),
            Rejection::Control(refusal) => refusal.into(),
            Rejection::Items(refusal) => refusal.into(),
            Rejection::Locations(refusal) => refusal.into(),
            Rejection::Customers(refusal) => refusal.into(),
            Rejection::Channels(refusal) => refusal.into(),
            Rejection::Stock(refusal) => refusal.into(),
            Rejection::Orders(refusal) => refusal.into(),
            Rejection::Payments(refusal) => refusal.into(),
            Rejection::Fulfilment(refusal) => refusal.into(),
            Rejection::Returns(refusal) => refusal.into(),
            Rejection::Finance(refusal) => refusal.into(),
        }
    }
}

/// Declares a module's refusals: the code is the variant's name in snake_case, the details are its fields.
#[macro_export]
macro_rules! refusals {
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($body:tt)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, thiserror::Error, serde::Serialize, schemars::JsonSchema, strum::IntoStaticStr)]
        #[serde(tag = "code", rename_all = "snake_case")]
        #[strum(serialize_all = "snake_case")]
        $vis enum $name { $($body)* }
    };
}

refusals! {
    /// Why any command at all may be refused.
    pub enum EntryRefusal {
        /// A fact cannot be true later than it is recorded.
        #[error("effective_at {effective_at} is in the future: the ledger's time is {log_time}; leave it out for a fact of now, or send it when that time has come")]
        EffectiveInTheFuture {
            /// What was given.
            effective_at: Timestamp,
            /// The ledger's time.
            log_time: Timestamp,
        },
        /// Before the ledger's opening date nothing can have happened in it.
        #[error("effective_at {effective_at} is before the ledger's opening date {opening_date}")]
        EffectiveBeforeOpening {
            /// What was given.
            effective_at: Timestamp,
            /// The opening date, a genesis setting.
            opening_date: Timestamp,
        },
        /// Reservations and holds are decided now.
        #[error("{command} is decided now and takes no effective_at")]
        EffectiveTimeNotTaken {
            /// The command's name.
            command: String,
        },
        /// The entry would be over the limit of the contract.
        #[error("the entry would take {bytes} bytes, at most {bytes_max} are allowed: send the document in parts")]
        DocumentTooLarge {
            /// Encoded bytes.
            bytes: usize,
            /// The limit.
            bytes_max: usize,
        },
        /// One command id twice in an atomic batch.
        #[error("command id {id} stands twice in one batch")]
        CommandIdTwice {
            /// The id.
            id: String,
        },
        /// A rule would have broken one of the books: nothing was recorded.
        #[error("nothing was recorded, because the books would not have held: {what}")]
        BooksWouldBreak {
            /// Which invariant, and where.
            what: String,
        },
    }
}
