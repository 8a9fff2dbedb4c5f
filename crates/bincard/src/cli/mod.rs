//! The command line: what can be asked for, by people and by scripts.

mod args;
mod fields;
mod output;

pub use args::{
    BenchArgs, Cli, Command, DoorArgs, Format, ImportFormat, OpeningChoice, QueryArgs, ReplayCommand,
    SendArgs, ServeArgs,
};
pub use fields::{FieldFault, body_from_pairs};
pub use output::{Failure, exit, print_rows};
