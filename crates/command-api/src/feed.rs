//! The public feed: every event of the ledger as a CloudEvent on NATS, in a JetStream stream, once and in order.
//!
//! The n-th message of the stream is the n-th event. Each is published with the last sequence that its place demands, so
//! the server refuses whatever would come twice, be missing or out of turn: it does not matter how often a publisher
//! crashes, or how many there are. The feed reads what is durable, may lag, and never keeps the writer waiting.
//!
//! | step | look at |
//! |---|---|
//! | a message of an event: subject, headers, body | [`message`] |
//! | the messages of a journal, without threads | [`messages`] |
//! | which may be sent, which are certain, where to go on after a doubt | [`pipeline`] |
//! | the stream, and whether it holds this ledger's events | [`stream`] |
//! | from the journal to the stream | [`publisher`] |

mod message;
mod messages;
pub mod pipeline;
mod publisher;
mod stream;

use std::time::Duration;

use async_nats::Client;
use tokio::task::JoinHandle;

use crate::service::Service;

pub use message::Message;
pub use messages::Messages;
pub use stream::{Seen, last_seen, stream_name};

/// The first pause after a failure, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));

/// How the feed's stream is made, if it is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedOptions {
    /// Copies of every message in the cluster.
    pub replicas: usize,
}

impl Default for FeedOptions {
    /// One copy: a single server.
    fn default() -> Self {
        FeedOptions { replicas: 1 }
    }
}

/// Why the feed does not go on. `is_for_good` tells whether trying again can help.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The server, or the way to it.
    #[error("JetStream: {0}")]
    JetStream(String),
    /// Somebody else's messages are in the stream.
    #[error(
        "message {sequence} of the stream {stream} is {found}, wanted event {sequence} of ledger {ledger}: give this \
         ledger another name, or delete the stream to publish its events anew"
    )]
    NotOurs {
        /// The stream.
        stream: String,
        /// The message.
        sequence: u64,
        /// What it says it is.
        found: String,
        /// This ledger.
        ledger: uuid::Uuid,
    },
    /// The journal lost what was published.
    #[error(
        "the journal ends with event {head}, but event {seen} was published once: the journal is damaged; restore it \
         from a backup, then run verify"
    )]
    JournalEndsBefore {
        /// The journal's last event.
        head: u64,
        /// The feed's last event.
        seen: u64,
    },
    /// The journal cannot be read.
    #[error("{0}")]
    Journal(String),
}

impl From<crate::events::Fault> for Fault {
    /// A journal that is a stream comes from the same servers: what is not to be had just now is had later.
    fn from(fault: crate::events::Fault) -> Self {
        match fault {
            crate::events::Fault::Journal(fault @ journal::Fault::Unreachable { .. }) => {
                Fault::jetstream(fault)
            }
            fault => Fault::Journal(fault.to_string()),
        }
    }
}

impl Fault {
    fn is_for_good(&self) -> bool {
        match self {
            Fault::JetStream(_) => false,
            Fault::NotOurs { .. } | Fault::JournalEndsBefore { .. } | Fault::Journal(_) => true,
        }
    }

    pub(crate) fn jetstream(fault: impl std::fmt::Display) -> Self {
        Fault::JetStream(fault.to_string())
    }
}

/// A feed that runs as long as this instance owns its ledger.
pub struct Feed(JoinHandle<()>);

impl Feed {
    /// Publishes the ledger's events from now on, beginning with the first that is not in the stream.
    pub fn start(client: Client, ledger: Service, options: FeedOptions) -> Self {
        Feed(tokio::spawn(async move {
            ledger.while_owner(|_| publish(&client, &ledger, &options)).await;
        }))
    }

    /// Publishes no more. What the stream lacks is published after the next start.
    pub async fn stop(self) {
        self.0.abort();
        let _ = self.0.await;
    }
}

/// Publishes until it cannot go on for good; any other trouble is waited out.
async fn publish(client: &Client, ledger: &Service, options: &FeedOptions) {
    let _leaves = Leaves(ledger);
    ledger.metrics().note_feed_stands_still(false);
    let mut pause = PAUSES.0;
    loop {
        let before = ledger.metrics().feed_event();
        let Err(fault) = publisher::publish(client, ledger, options).await;
        if fault.is_for_good() {
            tracing::error!(ledger = ledger.name(), %fault, "the feed stands still");
            ledger.metrics().note_feed_stands_still(true);
            return;
        }
        if ledger.metrics().feed_event() > before {
            pause = PAUSES.0;
        }
        tracing::warn!(ledger = ledger.name(), %fault, "the feed waits {} ms and tries again", pause.as_millis());
        tokio::time::sleep(pause).await;
        pause = PAUSES.1.min(pause * 2);
    }
}

/// Whoever owns the ledger next tells how far the feed is.
struct Leaves<'f>(&'f Service);

impl Drop for Leaves<'_> {
    fn drop(&mut self) {
        self.0.metrics().note_feed_event(0);
    }
}
