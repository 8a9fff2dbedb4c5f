//! The replicated journal: one JetStream stream a ledger, one message a frame, one frame in flight.
//!
//! Why no acknowledged frame is lost, and no two writers are acknowledged for one sequence: every publish names the
//! stream sequence that it follows, and the server stores it only there. A writer that was paused, partitioned or
//! replaced meanwhile names a place that is taken. It has one frame in flight: with several, a rival can move the
//! stream to exactly the place that a later one of them predicted, and it would be acknowledged behind its own
//! rejection.
//!
//! The rules are plain structs without a network, so that a simulation can lose, delay and repeat every message:
//!
//! | rule | look at |
//! |---|---|
//! | append a frame and learn its fate, whatever the network does | [`Appender`] |
//! | tell the history from what a losing rival left, and from damage | [`Chain`] |
//!
//! and over real servers:
//!
//! | to do this | look at |
//! |---|---|
//! | open, follow and append to a ledger's stream | [`StreamJournal`] |
//! | read it, on any thread | [`StreamReader`] |
//! | agree on who should write | [`Lease`] |
//! | see the settings of the stream | `jetstream/setup.rs` |

mod append;
mod chain;
mod keep;
mod lease;
mod link;
mod read;
mod setup;
mod tail;
#[cfg(test)]
mod tests;

pub use append::{Appender, Ask, Attempt, Heard, Next, RESOLVE_DEADLINE, RETRY_PAUSE};
pub use chain::{Chain, Reading, VoidFrame};
pub use keep::{StreamAppender, StreamJournal, StreamOptions};
pub use lease::{Holder, LEASE_LAPSE, LEASE_RENEWAL, Lease, OnChange, Standing};
pub use link::{SERVER_MIN, Server};
pub use read::StreamReader;
pub use setup::{check_stream, stream_name};
