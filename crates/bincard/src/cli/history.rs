//! The arguments of where a history is kept, and of moving it.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::access::NatsAccessArgs;

/// What keeps a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum JournalKind {
    /// Files in the ledger's folder, on one machine
    File,
    /// A stream on NATS servers, shared by several instances
    Jetstream,
}

/// Where a history is.
#[derive(Debug, Clone, Args)]
pub struct HistoryArgs {
    /// The folder of ledgers
    #[arg(long, default_value = "bincard-data", env = "BINCARD_DATA_DIR", value_name = "DIR")]
    pub data: PathBuf,
    /// What keeps the journal
    #[arg(long, value_enum, default_value_t = JournalKind::File)]
    pub journal: JournalKind,
    /// The NATS server that keeps the stream; several with commas between them
    #[arg(long, env = "NATS_URL", value_name = "URL")]
    pub nats: Option<String>,
    /// How it is reached
    #[command(flatten)]
    pub nats_access: NatsAccessArgs,
}

/// What to do with a journal.
#[derive(Debug, Subcommand)]
pub enum JournalCommand {
    /// Copy a history between a folder of ledgers and a stream, the same frames byte for byte
    Copy(JournalCopyArgs),
}

/// From where to where a history is copied.
#[derive(Debug, Args)]
pub struct JournalCopyArgs {
    /// A folder of ledgers, or jetstream
    #[arg(long, value_name = "DIR|jetstream")]
    pub from: String,
    /// A folder of ledgers, or jetstream; what it has already must be the beginning of the same history
    #[arg(long, value_name = "DIR|jetstream")]
    pub to: String,
    /// The NATS server that keeps the stream; several with commas between them
    #[arg(long, env = "NATS_URL", value_name = "URL")]
    pub nats: Option<String>,
    /// How it is reached
    #[command(flatten)]
    pub nats_access: NatsAccessArgs,
    /// How many servers keep a copy of a stream that is created
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=5))]
    pub replicas: u8,
}
