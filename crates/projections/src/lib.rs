//! Read models: what the ledger answers when it is asked.
//!
//! A view never re-implements a rule. It renders the ledger that `Ledger::apply` folded, or reads the history of a key
//! from the journal through the index. Everything here can be deleted: it is rebuilt from the journal.
//!
//! | to do this | look at |
//! |---|---|
//! | fold a journal and ask it | [`Projections`] |
//! | see which views there are, with their filters and rows | [`VIEWS`], one file each in `views/` |
//! | ask a question | [`Query`], [`Page`], [`QueryFault`] |
//! | compare two ledgers by what they answer | [`Projections::digest`] |
//! | take a snapshot while the fold goes on, open from one | [`Projections::begin_snapshot`], [`Projections::open_from`] |
//! | keep index runs and checkpoints | [`Store`], [`SledStore`], [`MemoryStore`] |

mod as_of;
mod board;
mod digest;
mod effective;
mod fault;
mod folded;
mod history;
mod index;
mod log_page;
mod named;
mod order_places;
mod position;
mod projections;
mod query;
mod return_places;
mod rows;
mod source;
mod state_hashes;
mod store;
mod subledgers;
mod views;

pub use digest::{Digest, ViewDigest};
pub use fault::Fault;
pub use position::Position;
pub use projections::{EntryMeta, Opening, Projections, Taken, Taking, stored_witness};
pub use query::{AsOf, LIMIT_DEFAULT, LIMIT_MAX, PAGE_BYTES_MAX, Page, Query, QueryFault};
pub use store::{MemoryStore, SledStore, Store, Write};
pub use views::{HEALTH, ServiceHealth, VIEWS, ViewKind, WriterState};
