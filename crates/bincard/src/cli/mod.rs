//! The command line: what can be asked for, by people and by scripts.

mod args;
mod fields;
mod output;

pub use args::{
    BenchArgs, Cli, Command, DoorArgs, Format, HistoryArgs, ImportFormat, JournalCommand, JournalCopyArgs,
    JournalKind, OpeningChoice, QueryArgs, ReplayCommand, RoleChoice, SendArgs, ServeArgs,
};
pub use fields::{FieldFault, body_from_pairs};
pub use output::{Failure, exit, print_rows};
