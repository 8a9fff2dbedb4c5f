//! What can go wrong with a journal other than a refused append; each message says what to do next.

use std::io;
use std::path::{Path, PathBuf};

/// A journal cannot be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The disk, or the way to it, failed.
    #[error("{}: {source}; check the disk and its space, then start again", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The history is damaged. Nothing has been changed.
    #[error(
        "the journal is damaged: {} at byte {offset}: {why}; nothing was changed: restore this file from a backup or a \
         replica, then run verify",
        path.display()
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Byte offset in the file.
        offset: u64,
        /// What was found and what was wanted, with the sequence.
        why: String,
    },
    /// The stream lost or rewrote what it had acknowledged. Nothing has been changed.
    #[error(
        "the journal is damaged: stream {stream} at stream sequence {stream_sequence}: {why}; nothing was changed: \
         restore the stream from a backup or a copy of the journal, then run verify"
    )]
    DamagedStream {
        /// The stream.
        stream: String,
        /// The message.
        stream_sequence: u64,
        /// What was found and what was wanted, with the sequence.
        why: String,
    },
    /// The servers that keep the stream do not answer.
    #[error("{server}: {why}; check the address, and whether the server runs with JetStream")]
    Unreachable {
        /// Who was asked.
        server: String,
        /// What happened.
        why: String,
    },
    /// The stream, or its server, cannot keep what it acknowledges.
    #[error("stream {stream} cannot keep a journal: {why}; correct that, or use another NATS account")]
    Unsuitable {
        /// The stream or server.
        stream: String,
        /// What was found.
        why: String,
    },
    /// Another process holds the ledger's files.
    #[error("the ledger is in use: {address}; ask the service at its address, or stop that process first")]
    InUse {
        /// `served at <address>`, or who else holds the files.
        address: String,
    },
    /// The files or frames belong to another ledger.
    #[error(
        "{}: found ledger {}, wanted {}; check the data directory and the ledger's name",
        path.display(), uuid_text(found), uuid_text(wanted)
    )]
    WrongLedger {
        /// Where it was found.
        path: PathBuf,
        /// Uuid in the file or frame.
        found: [u8; 16],
        /// Uuid asked for.
        wanted: [u8; 16],
    },
    /// There is no journal at this place.
    #[error("{} holds no journal; start the service, which makes one, or check the data directory", path.display())]
    Missing {
        /// The directory looked into.
        path: PathBuf,
    },
    /// There is a journal at this place already.
    #[error("{} holds a journal already; open it, or choose another directory", path.display())]
    Exists {
        /// The directory.
        path: PathBuf,
    },
    /// A frame was submitted that does not follow the head. Nothing was written.
    #[error("the frame does not follow the journal's head: {why}; nothing was written")]
    NotNext {
        /// What was found and what was wanted.
        why: String,
    },
    /// No room for the next segment. Nothing was written, and the journal is unharmed.
    #[error("no room for the next journal segment: {why}; free space on the disk")]
    Full {
        /// What the operating system said.
        why: String,
    },
    /// An earlier write or sync failed; the journal takes no more frames.
    #[error("the journal stopped after a failed write: {why}; restart to recover from what is on disk")]
    Stopped {
        /// The first failure.
        why: String,
    },
}

impl Fault {
    /// True if the history itself is damaged or another's, rather than the way to it.
    pub fn is_damage(&self) -> bool {
        matches!(self, Fault::Corrupt { .. } | Fault::DamagedStream { .. } | Fault::WrongLedger { .. })
    }

    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Fault {
        move |source| Fault::Io { path: path.to_owned(), source }
    }

    pub(crate) fn corrupt(path: &Path, offset: u64, why: impl Into<String>) -> Fault {
        Fault::Corrupt { path: path.to_owned(), offset, why: why.into() }
    }
}

fn uuid_text(uuid: &[u8; 16]) -> String {
    let hex: String = uuid.iter().map(|byte| format!("{byte:02x}")).collect();
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}
