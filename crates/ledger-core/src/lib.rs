//! The pure ledger: commands, events, rules, and the state they fold into.
//!
//! One fact, three books: an event moves units, changes the state of a document and posts money, by three pure
//! functions of itself. A rule reads the ledger and records events; `Ledger::apply` is the only fold. Nothing here
//! knows a clock, randomness, a float, a thread, a file or a network.

pub mod archiving;
pub mod books;
pub mod codec;
pub mod draft;
pub mod due;
pub mod entry;
pub mod kinds;
pub mod ledger;
pub mod rejection;
pub mod remembered;
pub mod state;
pub mod values;

pub mod channels;
pub mod control;
pub mod customers;
pub mod finance;
pub mod fulfilment;
pub mod items;
pub mod locations;
pub mod orders;
pub mod payments;
pub mod returns;
pub mod stock;

pub use books::{Account, Fact, Movement, Place, Posting, Status, StatusGroup, Subject, SubjectKind, World};
pub use draft::{Actor, ActorKind, Context, Draft};
pub use due::{Due, DueKind};
pub use entry::{Decided, Entry, Fingerprint, Submission, Submitted};
pub use kinds::{Action, Command, Event, Kind};
pub use ledger::{Head, Ledger, Moment, Pending, Settings};
pub use rejection::{EntryRefusal, Rejection};

#[cfg(test)]
mod scenario;
