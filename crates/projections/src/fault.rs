//! What stops a reader: the journal or the store failed, or an entry cannot be read.

use ledger_core::codec::CodecFault;

/// A projection cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] journal::Fault),
    /// The store of index runs cannot be read or written. It can be deleted: it is rebuilt from the journal.
    #[error(
        "the projections folder: {why}; check the disk, or delete the folder: it is rebuilt from the journal"
    )]
    Store {
        /// What the store said.
        why: String,
    },
    /// An entry cannot be decoded: a newer version wrote it, or it is damaged. It is never skipped.
    #[error("entry {sequence} cannot be read: {source}")]
    Entry {
        /// The entry's number.
        sequence: u64,
        /// What the decoder found.
        source: CodecFault,
    },
    /// A snapshot cannot be written. Nothing is lost: the next start folds more of the journal.
    #[error("the snapshot cannot be written: {0}")]
    Snapshot(#[from] snapshots::Fault),
    /// A frame was handed over that does not follow what is folded in.
    #[error("the frame does not follow what is folded in: {why}")]
    NotNext {
        /// What was found and what was wanted.
        why: String,
    },
    /// The log records another state after an entry than the one that is folded here.
    #[error(
        "after entry {at_sequence} the state folded here is not the one that the log records: {what}; restart to fold again without the snapshot, and run verify"
    )]
    StateDiffers {
        /// The entry.
        at_sequence: u64,
        /// Where it differs.
        what: String,
    },
    /// An entry that should be there is not in the journal.
    #[error("the journal does not have entry {sequence}, which should be there: run verify")]
    Missing {
        /// The entry's number.
        sequence: u64,
    },
}
