//! History tools: print the log, verify it, rebuild the views, and ask as of a time.
//!
//! They read any journal, change nothing, and know neither arguments nor terminals.
//!
//! | to do this | call |
//! |---|---|
//! | print entries | [`log`] |
//! | check frames, chain, invariants and tie-outs, and decide every command again | [`verify`] |
//! | fold every view anew, with a digest of all their rows | [`rebuild`] |
//! | ask a view as of a sequence, a recorded time or an effective time | [`as_of`] |

mod as_of;
mod fault;
mod log;
mod rebuild;
mod verify;

pub use as_of::as_of;
pub use fault::Fault;
pub use log::{LogRange, LogRow, log};
pub use rebuild::{Rebuilt, rebuild};
pub use verify::{Check, Difference, Verified, Verify, verify};

/// How far a tool is: sequences read, and how many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Sequence of the last entry read.
    pub sequence: u64,
    /// Sequence of the last entry there is.
    pub of: u64,
}
