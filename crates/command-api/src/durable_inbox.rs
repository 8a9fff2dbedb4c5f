//! The durable inbox: commands that wait in a JetStream work queue until the ledger's owner has decided them.
//!
//! A command on `bincard.<ledger>.inbox.<module>.<action>` survives the service being away. The owner decides them in
//! the order of the stream, stores each outcome on `bincard.<ledger>.outcome.<command id>`, and only then acknowledges
//! the command. If it crashes in between, the command comes again under the same id, and the ledger answers what it
//! answered before: the effect is there once.
//!
//! | step | look at |
//! |---|---|
//! | a message becomes a command under an id | [`letter`] |
//! | read, decide, store, acknowledge, many on their way at a time | [`consuming`] |
//! | the streams, and the consumer of the owner | [`streams`] |
//!
//! Outcomes of commands that were requests are not stored: whoever asked was answered, and `command_status` tells the
//! rest.

mod consuming;
mod letter;
mod streams;

use std::time::Duration;

use async_nats::Client;
use tokio::task::JoinHandle;

use crate::service::Service;

pub use letter::outcome_subject;
pub use streams::{inbox_name, outcomes_name};

/// The first pause after a failure, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));

/// How the streams are made, if they are not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxOptions {
    /// Copies of every message in the cluster.
    pub replicas: usize,
}

impl Default for InboxOptions {
    /// One copy: a single server.
    fn default() -> Self {
        InboxOptions { replicas: 1 }
    }
}

/// Why commands of the inbox are not decided just now.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// The server, or the way to it.
    #[error("JetStream: {0}")]
    JetStream(String),
    /// The stream keeps what was decided, so it would be decided for ever.
    #[error("the stream {stream} is no work queue: delete it, and it is made as one")]
    NoWorkQueue {
        /// The stream.
        stream: String,
    },
    /// The writer stopped before a command was decided; it comes again.
    #[error("a command was not decided: {why}")]
    NotDecided {
        /// What the ledger said.
        why: String,
    },
}

impl Fault {
    fn jetstream(fault: impl std::fmt::Display) -> Self {
        Fault::JetStream(fault.to_string())
    }
}

/// An inbox that is emptied as long as this instance owns its ledger.
pub struct DurableInbox(JoinHandle<()>);

impl DurableInbox {
    /// Decides what waits, and what will come.
    pub fn start(client: Client, ledger: Service, options: InboxOptions) -> Self {
        DurableInbox(tokio::spawn(async move {
            ledger.while_owner(|_| consume(&client, &ledger, &options)).await;
        }))
    }

    /// Takes no more commands. What has no stored outcome yet comes again after the next start.
    pub async fn stop(self) {
        self.0.abort();
        let _ = self.0.await;
    }
}

async fn consume(client: &Client, ledger: &Service, options: &InboxOptions) {
    let mut pause = PAUSES.0;
    loop {
        let before = ledger.metrics().inbox_outcomes();
        let Err(fault) = consuming::consume(client, ledger, options).await;
        if ledger.metrics().inbox_outcomes() > before {
            pause = PAUSES.0;
        }
        tracing::warn!(ledger = ledger.name(), %fault, "the inbox waits {} ms and tries again", pause.as_millis());
        tokio::time::sleep(pause).await;
        pause = PAUSES.1.min(pause * 2);
    }
}
