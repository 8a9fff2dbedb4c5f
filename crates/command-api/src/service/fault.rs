//! Why a ledger cannot be started or stopped, and what to do about it.

use std::path::PathBuf;

/// Why a ledger cannot be started or stopped.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The journal, or the folder.
    #[error(transparent)]
    Journal(#[from] journal::Fault),
    /// The views.
    #[error(transparent)]
    Views(#[from] projections::Fault),
    /// The folder of snapshots cannot be read.
    #[error(transparent)]
    Snapshots(#[from] snapshots::Fault),
    /// The ledger's folder.
    #[error("{}: {source}", dir.display())]
    Folder {
        /// Where it is.
        dir: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// An entry of the journal cannot be folded in.
    #[error("entry {sequence} of the journal cannot be folded in: {why}; run verify")]
    Entry {
        /// The entry.
        sequence: u64,
        /// What is wrong with it.
        why: String,
    },
    /// The public feed has events that the journal does not have.
    #[error(
        "the journal ends with event {head}, but event {seen} is in the public feed (entry {sequence}): the journal is \
         damaged; restore it from a backup, then run verify; to serve it as it is, say --no-feed"
    )]
    EndsBeforeFeed {
        /// The journal's last event.
        head: u64,
        /// The feed's last event.
        seen: u64,
        /// The entry that held it.
        sequence: u64,
    },
    /// Only a newer program knows the rules that the journal is decided by.
    #[error(
        "the ledger is decided by rules {rules}, this program knows those up to {newest}: upgrade the program"
    )]
    RulesNotKnown {
        /// The rules in force.
        rules: u32,
        /// The newest that this program knows.
        newest: u32,
    },
    /// The folder holds a ledger of another name.
    #[error("{} holds the ledger {found:?}, wanted {wanted:?}", dir.display())]
    OtherLedger {
        /// The folder.
        dir: PathBuf,
        /// The name in the journal.
        found: String,
        /// The name asked for.
        wanted: String,
    },
    /// A ledger with a history in files, asked to be run from a stream.
    #[error(
        "{} holds a journal in files, and this service is to use a stream: copy it with bincard journal copy, and give \
         the service another --data",
        dir.display()
    )]
    FileJournal {
        /// Where the files are.
        dir: PathBuf,
    },
    /// A ledger's name is part of subjects and folders.
    #[error(
        "wanted a ledger name of a-z, 0-9, _ and -, 1 to 32 long and not beginning with _ or -, found {found:?}"
    )]
    BadName {
        /// What was given.
        found: String,
    },
    /// The first frame did not become durable.
    #[error("the ledger could not be taken: {why}")]
    NotTaken {
        /// What happened.
        why: String,
    },
    /// The operating system gave no thread.
    #[error("no thread could be started: {0}")]
    NoThread(#[source] std::io::Error),
    /// A thread ended by a panic.
    #[error("the thread of the {who} panicked; everything acknowledged is in the journal")]
    Panicked {
        /// Which one.
        who: &'static str,
    },
}
