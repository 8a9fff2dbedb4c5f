//! The command line: what can be asked for, by people and by scripts.

mod access;
mod args;
mod fields;
mod history;
mod operations;
mod output;

pub use access::{ClientAccessArgs, NatsAccessArgs, SecurityArgs, TokenCommand};
pub use args::{
    BenchArgs, Cli, Command, DoorArgs, Format, ImportFormat, OpeningChoice, QueryArgs, ReplayCommand,
    RoleChoice, SendArgs, ServeArgs,
};
pub use fields::{FieldFault, body_from_pairs};
pub use history::{HistoryArgs, JournalCommand, JournalCopyArgs, JournalKind};
pub use operations::{ArchiveArgs, BackupArgs, DoctorArgs, RestoreArgs, Verification};
pub use output::{Failure, Pages, exit, print_rows};
