//! An archive: sealed segments of a ledger, kept away from this machine in a folder or a bucket that speaks S3.
//!
//! ```text
//! PLACE/<ledger>/00000000000000000001-<BLAKE3>.seg    the segment that begins with this sequence, byte for byte
//! ```
//!
//! An object's name says what must be in it, so nothing is written twice, nothing is ever overwritten with something
//! else, and whoever reads it can tell whether it is what was put there. Nothing is removed, here or there.

mod connector;
mod fetching;
mod place;
mod sending;

pub use fetching::{Fetched, fetch};
pub use place::{Archive, Kept};
pub use sending::{Sender, Sent};

use thiserror::Error;

/// Why an archive does not do what it is asked for.
#[derive(Debug, Error)]
pub enum ArchiveFault {
    /// Not a place.
    #[error("wanted a folder, file:///folder or s3://bucket/prefix, found {found:?}")]
    BadPlace {
        /// What was given.
        found: String,
    },
    /// The place, or the way to it.
    #[error("{place}: {why}")]
    Failed {
        /// The place, or an object in it.
        place: String,
        /// What was found.
        why: String,
    },
    /// The archive goes on with something else than the ledger.
    #[error(
        "{place} holds another segment from sequence {first_sequence} than this ledger: it is of another ledger, or of a \
         history that went another way since a restore; archive this one to another place"
    )]
    Diverged {
        /// The archive.
        place: String,
        /// Where they part.
        first_sequence: u64,
    },
    /// An object is not what its name says, or one is missing.
    #[error("{place}: {why}; nothing was changed there")]
    Damaged {
        /// The archive, or the object.
        place: String,
        /// What was found and what was wanted.
        why: String,
    },
    /// There is nothing to restore.
    #[error("{place} holds no segment of ledger {ledger}: check the place and --ledger")]
    Empty {
        /// The archive.
        place: String,
        /// The ledger.
        ledger: String,
    },
    /// The journal on this machine.
    #[error(transparent)]
    Journal(#[from] journal::Fault),
    /// A file on this machine.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: std::path::PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
}

impl ArchiveFault {
    fn io(path: impl Into<std::path::PathBuf>) -> impl FnOnce(std::io::Error) -> ArchiveFault {
        let path = path.into();
        move |source| ArchiveFault::Io { path, source }
    }
}
