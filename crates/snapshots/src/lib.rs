//! The ledger at one sequence, in one verified file: so that a start need not fold the whole journal.
//!
//! A snapshot is never the only copy of anything. One that is damaged, of another format or of another history is left
//! aside with a line in the log, and the one before it, or the journal from its start, is used instead.
//!
//! | to do this | look at |
//! |---|---|
//! | see the bytes of a file | [`format`] |
//! | write one, piece by piece | [`Snapshots::begin`], [`SnapshotWriter`] |
//! | find and load the nearest one | [`SnapshotSource`], [`Loaded`] |
//! | know what they prove about the journal | [`Snapshots::witnesses`] |
//! | keep the folder small | [`Snapshots::prune`] |

mod fault;
mod folder;
pub mod format;
mod read;
mod write;

pub use fault::Fault;
pub use folder::{KEPT_APART, SnapshotSource, Snapshots};
pub use read::Loaded;
pub use write::SnapshotWriter;
