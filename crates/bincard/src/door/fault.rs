//! Why a door did not open, or nothing came back through it; each message says what to do.

use std::path::PathBuf;

use thiserror::Error;

/// Nothing can be said about the command or query.
#[derive(Debug, Error)]
pub enum DoorFault {
    /// Nothing listens there.
    #[error(
        "nothing answers at {tried}: {why}; start the service (bincard serve), or name another with --nats URL, \
         --http URL or --data DIR"
    )]
    NobodyThere {
        /// The address.
        tried: String,
        /// What the operating system or client said.
        why: String,
    },
    /// The NATS server is there, the ledger is not.
    #[error(
        "NATS {url} is there, but nobody answers on {subject}; start the service on it (bincard serve --nats {url}) \
         and check --ledger"
    )]
    NobodyAnswers {
        /// The server.
        url: String,
        /// The subject.
        subject: String,
    },
    /// It was sent, and no answer came.
    #[error(
        "{tried} did not answer: {why}; what was sent may have been recorded: send it again with the same id"
    )]
    NoAnswer {
        /// The address.
        tried: String,
        /// What the client said.
        why: String,
    },
    /// Whoever answers does not speak the contract.
    #[error("the answer is none of a ledger; is it the right address? It begins: {found}")]
    NotUnderstood {
        /// The beginning of the answer.
        found: String,
    },
    /// The query is refused.
    #[error("{message} ({code})")]
    QueryRefused {
        /// The stable code.
        code: String,
        /// The code in a sentence.
        message: String,
    },
    /// The ledger's folder is held by a process that does not serve it.
    #[error("the ledger in {} is in use: {by}; wait until that process is done, or stop it", dir.display())]
    Held {
        /// The folder.
        dir: PathBuf,
        /// What the lock says.
        by: String,
    },
    /// The ledger's folder cannot be opened.
    #[error("{why}")]
    Corrupt {
        /// What was found and what to do.
        why: String,
    },
    /// The ledger's folder cannot be opened.
    #[error("{why}")]
    NotOpened {
        /// What was found and what to do.
        why: String,
    },
    /// A word of the request cannot be sent.
    #[error("{why}")]
    Unsendable {
        /// What was found and what was wanted.
        why: String,
    },
}
