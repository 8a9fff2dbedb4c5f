//! A copy of a ledger's history: its frames, byte for byte, in a folder that reads like any stopped ledger.
//!
//! ```text
//! FOLDER/<ledger>/backup.json      what the copy holds, with a BLAKE3 of every file
//! FOLDER/<ledger>/journal/…        a file journal: `bincard replay verify --data FOLDER` works on it
//! ```
//!
//! A running ledger is read through its service, which gives out durable frames alone. So a copy never holds an entry
//! that a crash could still take back, and a later backup goes on from where the one before ended.

mod copy;
mod manifest;
mod source;

pub use copy::{Copied, copy};
pub use manifest::{FileSum, MANIFEST, Manifest};
pub use source::Source;

use std::path::PathBuf;

use thiserror::Error;

/// Why there is no copy.
#[derive(Debug, Error)]
pub enum BackupFault {
    /// A journal on either side.
    #[error(transparent)]
    Journal(#[from] journal::Fault),
    /// The service, or the way to it.
    #[error("{url}: {why}")]
    Service {
        /// Where it was asked.
        url: String,
        /// What came of it.
        why: String,
    },
    /// The source has nothing to copy.
    #[error("{from} holds no entry: check the address, the folder and --ledger")]
    Empty {
        /// The source.
        from: String,
    },
    /// The copy goes on with other frames than the source.
    #[error(
        "{} holds a copy up to sequence {sequence} that is not a part of {from}: it is of another ledger, or of a history that \
         went another way since a restore; use a new folder",
        dir.display()
    )]
    Diverged {
        /// The copy.
        dir: PathBuf,
        /// Its last entry.
        sequence: u64,
        /// The source.
        from: String,
    },
    /// A file of the copy is not what its manifest says.
    #[error("{}: {why}; this copy cannot be trusted: use another one", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
        /// What was found and what was wanted.
        why: String,
    },
    /// A file.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The ledger is there.
    #[error("{} holds a ledger already: restore into another --data, or move it away first", dir.display())]
    Exists {
        /// The folder.
        dir: PathBuf,
    },
}

impl BackupFault {
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> BackupFault {
        let path = path.into();
        move |source| BackupFault::Io { path, source }
    }
}
