//! What stops a tool: the history itself cannot be read.

use ledger_core::codec::CodecFault;

/// A history cannot be read to its end.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The journal is damaged, missing, or in use; the message says where and what to do.
    #[error(transparent)]
    Journal(#[from] journal::Fault),
    /// An entry cannot be decoded: a newer version wrote it, or it is damaged.
    #[error("entry {sequence} cannot be read: {source}")]
    Entry {
        /// The entry's number.
        sequence: u64,
        /// What the decoder found.
        source: CodecFault,
    },
    /// Only a newer program knows the rules.
    #[error(
        "entry {sequence} was decided by rules {rules}, this program knows those up to {newest}: upgrade the program"
    )]
    RulesNotKnown {
        /// The entry's number.
        sequence: u64,
        /// The rules in force.
        rules: u32,
        /// The newest that this program knows.
        newest: u32,
    },
    /// The journal ends before the head it says it has.
    #[error("the journal ends at sequence {found}, but says that it reaches {wanted}")]
    EndsEarly {
        /// The last entry found.
        found: u64,
        /// The head.
        wanted: u64,
    },
    /// The views could not be folded.
    #[error(transparent)]
    Views(#[from] projections::Fault),
    /// The views could not be read.
    #[error(transparent)]
    Query(#[from] projections::QueryFault),
}
