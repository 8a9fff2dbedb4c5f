//! The file journal: frames in preallocated segments, on one machine.
//!
//! ```text
//! DIR/<ledger>/                          the directory handed to open and create
//!   LOCK                                 held exclusively by a service, shared by offline readers
//!   head                                 two slots: the last durable frame, at most a second behind
//!   journal/
//!     00000000000000000001.seg           named by the first sequence; sealed, has a footer
//!     00000000000000004711.seg           the open one: frames, then zeros
//!     spare-0.tmp                        the next one, zero-filled and synced before it is needed
//!   quarantine/
//!     00000000000000004900-0.torn        bytes of a torn last frame, kept when it was cut off
//! ```
//!
//! Why a crash cannot lose an acknowledged frame: a frame is acknowledged after its `sync_data`; it lies in space
//! that was zero-filled and synced before, so no metadata has to follow; the frame after it is written only then,
//! so a crash can damage at most the last frame, which nobody was told of.

mod append;
mod index;
mod lock;
mod offline;
mod read;
mod recover;
mod scrub;
mod sealed;
mod segment;
mod spare;
#[cfg(test)]
mod tests;
mod thread;
mod urgency;
mod witness;

use std::path::PathBuf;

pub use append::FileJournal;
pub use lock::Lock;
pub use offline::OfflineJournal;
pub use read::FileReader;
pub use scrub::{Scrubber, SegmentChecked};
pub use sealed::{SealedSegment, sealed_segments};
pub use spare::{Spare, SpareOrder};
pub use thread::{JournalThread, Wake};

use crate::journal::Head;

/// How a file journal lays out its files.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Length of a segment in bytes, at least 1 KiB. A longer one is made for a frame that needs it.
    pub segment_bytes: u64,
}

impl Default for Options {
    /// Segments of 64 MiB.
    fn default() -> Self {
        Self { segment_bytes: 64 * 1024 * 1024 }
    }
}

/// Whether there will be room for the frames to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Space {
    /// The next segment is there, or not needed yet.
    Enough,
    /// The next segment cannot be made: take no more commands until it can.
    Low {
        /// What the operating system said.
        why: String,
    },
}

/// What opening a journal found.
#[derive(Clone, Debug)]
pub struct Recovery {
    /// The last frame that is there, and durable now.
    pub head: Head,
    /// A frame that a crash cut short, and that was cut off.
    pub torn: Option<TornTail>,
    /// What an operator may want to know; nothing is wrong with the history.
    pub notes: Vec<String>,
}

/// Bytes behind the last whole frame: a write that a crash interrupted, of which nobody was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TornTail {
    /// The segment.
    pub path: PathBuf,
    /// Byte offset behind the last whole frame.
    pub offset: u64,
    /// The sequence that the torn frame would have begun with.
    pub sequence: u64,
    /// How many bytes, from the first to the last that is not zero.
    pub bytes: u64,
    /// Why the bytes are not a frame.
    pub why: String,
    /// Where the bytes are kept; `None` for a reader that changes nothing.
    pub quarantine: Option<PathBuf>,
}

impl std::fmt::Display for TornTail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { path, offset, sequence, bytes, why, quarantine } = self;
        write!(
            f,
            "{bytes} bytes of a torn frame for sequence {sequence} in {} at byte {offset}: {why}",
            path.display()
        )?;
        match quarantine {
            Some(kept) => write!(f, "; kept in {}", kept.display()),
            None => Ok(()),
        }
    }
}
