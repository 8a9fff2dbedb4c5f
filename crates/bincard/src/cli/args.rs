//! The arguments of every command, as clap reads and documents them.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::access::{ClientAccessArgs, NatsAccessArgs, SecurityArgs, TokenCommand};
use super::history::{HistoryArgs, JournalCommand, JournalKind};
use super::operations::{ArchiveArgs, BackupArgs, DoctorArgs, RestoreArgs};
use crate::bench::Bench;

/// The one record of your stock: publish commands, query views, replay history.
#[derive(Debug, Parser)]
#[command(name = "bincard", version, propagate_version = true, max_term_width = 110)]
pub struct Cli {
    /// The ledger's name
    #[arg(long, global = true, default_value = "main", value_name = "NAME")]
    pub ledger: String,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the service: the writer, its journal and its views, on HTTP and, if named, on NATS
    Serve(ServeArgs),
    /// Send a command, or a file of commands
    Send(SendArgs),
    /// Ask a view
    Query(QueryArgs),
    /// Bring in trading records of another system
    Import {
        /// The format of the records
        #[command(subcommand)]
        format: ImportFormat,
    },
    /// Load a generated month of a multi-channel retailer
    Demo {
        /// The seed of the month: the same seed gives the same month
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Where to
        #[command(flatten)]
        door: DoorArgs,
    },
    /// Decide by newer rules from the next entry on; what was decided before stays as it is
    UpgradeRules {
        /// Their version [default: the newest that this program knows]
        #[arg(long, value_name = "VERSION")]
        to: Option<u32>,
        /// Where to
        #[command(flatten)]
        door: DoorArgs,
    },
    /// Work on a journal as a whole
    Journal {
        /// What to do with it
        #[command(subcommand)]
        command: JournalCommand,
    },
    /// Read the history of a stopped ledger, or of one whose journal is a stream
    Replay {
        /// What to do with it
        #[command(subcommand)]
        command: ReplayCommand,
    },
    /// Measure this machine: every figure beside what its disk takes
    Bench(BenchArgs),
    /// Say what is wrong with a set-up, and what to do; takes the arguments of serve
    Doctor(Box<DoctorArgs>),
    /// Copy the history of a ledger, running or not, into a folder; again, and only what is new is copied
    Backup(BackupArgs),
    /// Send the sealed segments of a ledger's journal, running or not, to a folder or a bucket; again, and only new ones go
    Archive(ArchiveArgs),
    /// Make a ledger of a copy or an archive
    Restore(RestoreArgs),
    /// Make keys and tokens, for set-ups without an identity provider
    Token {
        /// Which
        #[command(subcommand)]
        command: TokenCommand,
    },
    /// Write the JSON Schemas of every command, event and view, and the OpenAPI and AsyncAPI documents
    Schemas {
        /// The folder to write them into
        #[arg(long, default_value = "schemas", value_name = "DIR")]
        out: PathBuf,
    },
    /// Print shell completions
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write man pages
    Man {
        /// The folder to write them into
        #[arg(long, default_value = "man", value_name = "DIR")]
        out: PathBuf,
    },
}

impl Command {
    /// Whether it has a whole ledger in memory for long.
    pub fn works_on_a_whole_ledger(&self) -> bool {
        matches!(self, Command::Serve(_) | Command::Replay { .. } | Command::Bench(_))
    }
}

/// What an instance among several is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RoleChoice {
    /// Writes when it has the lease, and leaves queries over NATS to others
    Writer,
    /// Answers queries, and never writes
    Query,
    /// Both
    All,
}

/// Where the service keeps its ledger and listens.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The folder that holds ledgers, one folder each
    #[arg(long, default_value = "bincard-data", env = "BINCARD_DATA_DIR", value_name = "DIR")]
    pub data: PathBuf,
    /// The NATS server to answer on, several with commas between them; none when absent
    #[arg(long, env = "NATS_URL", value_name = "URL")]
    pub nats: Option<String>,
    /// Do not publish events to the stream BINCARD_<ledger>_EVENTS
    #[arg(long)]
    pub no_feed: bool,
    /// Do not take commands from the stream BINCARD_<ledger>_INBOX
    #[arg(long)]
    pub no_inbox: bool,
    /// The address to answer HTTP on
    #[arg(long, default_value = "127.0.0.1:7400", value_name = "ADDRESS")]
    pub http: SocketAddr,
    /// What keeps the journal: with jetstream, several instances serve the ledger, one of them writes, and another takes
    /// over when it is gone
    #[arg(long, value_enum, default_value_t = JournalKind::File)]
    pub journal: JournalKind,
    /// How many servers of a NATS cluster keep a copy of every stream, when it is made
    #[arg(long, default_value_t = 1, value_name = "COPIES", value_parser = clap::value_parser!(u8).range(1..=5))]
    pub replicas: u8,
    /// What this instance is for, among several
    #[arg(long, value_enum, default_value_t = RoleChoice::All)]
    pub role: RoleChoice,
    /// Exit when the writer stops for good, so that a supervisor starts the service again
    #[arg(long)]
    pub exit_on_stop: bool,
    /// Log lines as JSON
    #[arg(long)]
    pub log_json: bool,
    /// Entries between two snapshots of the ledger, which make a start fast; 0 takes none
    #[arg(long, default_value_t = 250_000, value_name = "ENTRIES")]
    pub snapshot_every: u64,
    /// Where sealed segments of the journal are sent as they come: a folder or s3://bucket/prefix; see bincard archive
    #[arg(long, env = "BINCARD_ARCHIVE_TO", value_name = "PLACE")]
    pub archive_to: Option<String>,
    /// What is asked of callers, and shown to them
    #[command(flatten)]
    pub security: SecurityArgs,
    /// How the NATS server is reached
    #[command(flatten)]
    pub nats_access: NatsAccessArgs,
}

/// Which ledger is meant: a running service, or a folder.
#[derive(Debug, Clone, Default, Args)]
pub struct DoorArgs {
    /// A NATS server on which the ledger is served
    #[arg(long, value_name = "URL", conflicts_with_all = ["http", "data"])]
    pub nats: Option<String>,
    /// The HTTP address at which the ledger is served [default: http://127.0.0.1:7400]
    #[arg(long, value_name = "URL", conflicts_with = "data")]
    pub http: Option<String>,
    /// The folder of ledgers: the service that serves it is asked, else it is opened
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// What is shown there, and who is trusted
    #[command(flatten)]
    pub access: ClientAccessArgs,
}

/// A command to send.
#[derive(Debug, Args)]
pub struct SendArgs {
    /// The command, module.action (stock.receive)
    #[arg(required_unless_present = "file")]
    pub name: Option<String>,
    /// Its fields as key=value; nested ones as key.key=value
    #[arg(value_name = "KEY=VALUE")]
    pub fields: Vec<String>,
    /// Its fields as one JSON object
    #[arg(long, value_name = "OBJECT", conflicts_with = "fields")]
    pub json: Option<String>,
    /// A file of commands, one JSON object a line: {"command", "id", "body", "effective_at"}; - for standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["name", "fields", "json", "id", "dry_run"])]
    pub file: Option<PathBuf>,
    /// The command id: sent again, it gets the first answer
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,
    /// When it was true (RFC 3339), if that is not now
    #[arg(long, value_name = "TIME")]
    pub effective_at: Option<String>,
    /// Decide and answer, but record nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Where to
    #[command(flatten)]
    pub door: DoorArgs,
}

/// How rows are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Table,
    /// For programs: an array of objects
    Json,
    /// For spreadsheets
    Csv,
}

/// What is asked of a view.
#[derive(Debug, Clone, Args)]
pub struct QueryArgs {
    /// The view (stock_position, bin_card, order_board …)
    pub view: String,
    /// Filters as key=value
    #[arg(value_name = "KEY=VALUE")]
    pub filters: Vec<String>,
    /// Rows of a page
    #[arg(long, value_name = "ROWS")]
    pub limit: Option<u32>,
    /// Every page
    #[arg(long)]
    pub all: bool,
    /// Where the page before ended
    #[arg(long)]
    pub cursor: Option<String>,
    /// The order of the rows
    #[arg(long)]
    pub sort: Option<String>,
    /// Wait until this position is in the view (read your own writes)
    #[arg(long, value_name = "EPOCH.SEQUENCE")]
    pub min_position: Option<String>,
    /// As it was known at an entry
    #[arg(long, value_name = "N")]
    pub as_of_sequence: Option<u64>,
    /// As it was known at a time (RFC 3339)
    #[arg(long, value_name = "TIME")]
    pub as_of_recorded: Option<String>,
    /// As it was true at a time (RFC 3339)
    #[arg(long, value_name = "TIME")]
    pub as_of_effective: Option<String>,
    /// How rows are printed
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
    /// What keeps the journal, when it is read without a service: files in the folder, or a stream on the server that
    /// --nats names
    #[arg(long, value_enum, default_value_t = JournalKind::File)]
    pub journal: JournalKind,
    /// Where to ask
    #[command(flatten)]
    pub door: DoorArgs,
}

/// What is measured, and how.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// What is measured
    #[arg(value_enum)]
    pub bench: Bench,
    /// Orders of two lines a run
    #[arg(long, default_value_t = 200_000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub orders: u32,
    /// Items of the shop
    #[arg(long, default_value_t = 10_000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub items: u32,
    /// Runs of each figure
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub runs: u32,
    /// Where ledgers are made for the time of a run, on the disk to be measured
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// A NATS server on which --ledger is served: measured is what is there, and the orders stay there for good
    #[arg(long, value_name = "URL")]
    pub nats: Option<String>,
    /// The HTTP address at which --ledger is served: measured is what is there, and the orders stay there for good
    #[arg(long, value_name = "URL")]
    pub http: Option<String>,
    /// The token that is shown to the service that is named
    #[arg(long, env = "BINCARD_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub token: Option<String>,
    /// How the NATS server that is named is reached
    #[command(flatten)]
    pub nats_access: NatsAccessArgs,
    /// How the report is printed
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

/// A format of records to import.
#[derive(Debug, Subcommand)]
pub enum ImportFormat {
    /// Invoices of the Online Retail data set (CSV or gzip)
    OnlineRetail {
        /// The files, in order
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// A unit's assumed cost, as a part of the SKU's first price
        #[arg(long, default_value = "0.60", value_name = "RATIO")]
        cost_ratio: String,
        /// How much stock there is to begin with
        #[arg(long, value_enum, default_value_t = OpeningChoice::Least)]
        opening: OpeningChoice,
        /// Where to
        #[command(flatten)]
        door: DoorArgs,
    },
}

/// How much stock an import begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OpeningChoice {
    /// The least that never goes under zero; a SKU that is open already is not opened again
    Least,
    /// As least, and what an open SKU still lacks is added
    TopUp,
    /// None
    None,
}

/// What to do with a history.
#[derive(Debug, Subcommand)]
pub enum ReplayCommand {
    /// Print the entries of the log
    Log {
        /// Where it is
        #[command(flatten)]
        history: HistoryArgs,
        /// From this sequence
        #[arg(long, default_value_t = 1, value_name = "N")]
        from: u64,
        /// To this sequence
        #[arg(long, value_name = "N")]
        to: Option<u64>,
        /// How entries are printed
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
    /// Check frames, chain, invariants and tie-outs, and decide every command again
    Verify {
        /// Where it is
        #[command(flatten)]
        history: HistoryArgs,
        /// Fold the events alone: no command is decided again
        #[arg(long)]
        fold_only: bool,
        /// How the result is printed
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
    /// Fold every view anew from the journal and print a digest of its rows
    Rebuild {
        /// Where it is
        #[command(flatten)]
        history: HistoryArgs,
        /// How the result is printed
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
    /// Ask a view as it was
    AsOf(Box<QueryArgs>),
}
