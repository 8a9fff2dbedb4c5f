//! Why a snapshot cannot be written or used. Nothing is lost by it: the journal is whole.

use std::io;
use std::path::{Path, PathBuf};

/// A snapshot cannot be written or used.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The disk failed.
    #[error("{}: {source}; check the disk and its space", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Another version wrote it. It is not converted: the journal is folded instead.
    #[error("{}: found {what} {found}, this version reads {wanted}", path.display())]
    OtherFormat {
        /// The file.
        path: PathBuf,
        /// Format of the file or of the state in it.
        what: &'static str,
        /// The number found.
        found: u16,
        /// The number this version writes.
        wanted: u16,
    },
    /// Its bytes are not what was written.
    #[error("{}: the snapshot is damaged: {why}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found and what was wanted.
        why: String,
    },
    /// It is of another ledger, or of another history than the journal's.
    #[error("{}: {why}", path.display())]
    OtherHistory {
        /// The file.
        path: PathBuf,
        /// What was found and what was wanted.
        why: String,
    },
}

impl Fault {
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Fault {
        move |source| Fault::Io { path: path.to_owned(), source }
    }

    pub(crate) fn damaged(path: &Path, why: impl Into<String>) -> Fault {
        Fault::Damaged { path: path.to_owned(), why: why.into() }
    }
}
