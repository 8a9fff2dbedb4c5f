//! The one binary: reads the command line, runs it, and leaves with the exit status of the contract.

use std::process::ExitCode;

use bincard::allocator;
use bincard::cli::Cli;
use clap::Parser;

fn main() -> ExitCode {
    let cli = Cli::parse();
    if cli.command.works_on_a_whole_ledger() {
        allocator::set_for_a_whole_ledger();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let done = match runtime {
        Ok(runtime) => runtime.block_on(bincard::subcommands::run(cli)),
        Err(error) => Err(bincard::cli::Failure::usage(format!("no threads could be started: {error}"))),
    };
    match done {
        Ok(status) => ExitCode::from(status),
        Err(failure) => {
            if !failure.message.is_empty() {
                eprintln!("bincard: {}", failure.message);
            }
            ExitCode::from(failure.status)
        }
    }
}
