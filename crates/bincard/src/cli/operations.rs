//! The arguments of what whoever runs a ledger does with it.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::access::ClientAccessArgs;
use super::args::{Format, ServeArgs};
use super::history::HistoryArgs;

/// A copy to make, or to bring up to date.
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// The folder of the copy; one folder for each ledger is made in it
    #[arg(long, value_name = "FOLDER")]
    pub to: PathBuf,
    /// The HTTP address at which the ledger is served
    #[arg(long, value_name = "URL", conflicts_with = "data")]
    pub http: Option<String>,
    /// The folder of ledgers: the service that serves it is asked, else it is read [default: bincard-data]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// What is shown to the service, and who is trusted
    #[command(flatten)]
    pub access: ClientAccessArgs,
}

/// Sealed segments to send away.
#[derive(Debug, Args)]
pub struct ArchiveArgs {
    /// A folder, or s3://bucket/prefix with the keys, region and endpoint in AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
    /// AWS_REGION and AWS_ENDPOINT_URL
    #[arg(long, value_name = "PLACE")]
    pub to: String,
    /// Read every segment back that is there already, and compare
    #[arg(long)]
    pub verify: bool,
    /// Where the journal is
    #[command(flatten)]
    pub history: HistoryArgs,
}

/// A copy to make a ledger of.
#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// The folder of a copy; or an archive: its folder, or s3://bucket/prefix as for bincard archive
    #[arg(long, value_name = "PLACE")]
    pub from: String,
    /// The folder of ledgers that it is restored into
    #[arg(long, default_value = "bincard-data", env = "BINCARD_DATA_DIR", value_name = "DIR")]
    pub data: PathBuf,
    /// How much is checked before the ledger is put in its place
    #[arg(long, value_enum, default_value_t = Verification::Chain)]
    pub verify: Verification,
}

/// A set-up to look at: the arguments of serve.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// How findings are printed
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
    /// What serve would be given
    #[command(flatten)]
    pub serve: ServeArgs,
}

/// How much of a copy is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Verification {
    /// Every file, every frame, and that each follows the one before it
    Chain,
    /// That, and every entry is folded and every command decided again
    Full,
}
