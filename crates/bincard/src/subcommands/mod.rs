//! One file a subcommand; each turns its arguments into calls, and the outcome into print and an exit status.

mod archive;
mod archiving;
mod backup;
mod bench;
mod copying;
mod demo;
mod doctor;
mod import;
mod loading;
mod offline;
mod on_nats;
mod papers;
mod query;
mod replay;
mod restore;
mod securing;
mod send;
mod serve;
mod telemetry;
mod token;
mod upgrade_rules;

use std::io;

use crate::cli::{Cli, Command, Failure, JournalCommand, exit};
use crate::door::DoorFault;

/// Does what the command line asks; gives the exit status.
pub async fn run(cli: Cli) -> Result<u8, Failure> {
    let Cli { ledger, command } = cli;
    check_ledger_name(&ledger)?;
    match command {
        Command::Serve(args) => serve::run(&ledger, args).await,
        Command::Send(args) => send::run(&ledger, args).await,
        Command::Query(args) => query::run(&ledger, args).await,
        Command::Import { format } => import::run(&ledger, format).await,
        Command::Demo { seed, door } => demo::run(&ledger, seed, &door).await,
        Command::Bench(args) => bench::run(ledger, args).await,
        Command::Journal { command: JournalCommand::Copy(args) } => copying::run(&ledger, &args),
        Command::UpgradeRules { to, door } => upgrade_rules::run(&ledger, to, &door).await,
        Command::Replay { command } => replay::run(&ledger, command),
        Command::Doctor(args) => doctor::run(&ledger, *args).await,
        Command::Archive(args) => archive::run(&ledger, args).await,
        Command::Backup(args) => backup::run(&ledger, args).await,
        Command::Restore(args) => restore::run(&ledger, args).await,
        Command::Token { command } => token::run(command),
        Command::Schemas { out } => papers::schemas(&out),
        Command::Completions { shell } => papers::completions(shell),
        Command::Man { out } => papers::man(&out),
    }
}

/// The name is part of subjects, paths and folders.
fn check_ledger_name(name: &str) -> Result<(), Failure> {
    let is_good = (1..=32).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-')
        && !name.starts_with(['_', '-']);
    if is_good {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "--ledger: wanted a name of a-z, 0-9, _ and -, 1 to 32 long and not beginning with _ or -, found {name:?}"
    )))
}

impl From<DoorFault> for Failure {
    fn from(fault: DoorFault) -> Self {
        match &fault {
            DoorFault::NobodyThere { .. }
            | DoorFault::NobodyAnswers { .. }
            | DoorFault::NotUnderstood { .. }
            | DoorFault::Unsendable { .. }
            | DoorFault::Held { .. }
            | DoorFault::NotOpened { .. } => Failure::usage(fault),
            DoorFault::NoAnswer { .. } | DoorFault::QueryRefused { .. } => Failure::refused(fault),
            DoorFault::Corrupt { .. } => Failure::corrupt(fault),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // Whoever read the output has seen enough.
            io::ErrorKind::BrokenPipe => Failure { status: exit::DONE, message: String::new() },
            _ => Failure::usage(error),
        }
    }
}
