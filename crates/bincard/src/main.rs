//! The one binary: reads the command line, runs it, and leaves with the exit status of the contract.

use std::process::ExitCode;
use std::time::Duration;

use bincard::allocator;
use bincard::cli::Cli;
use clap::Parser;

/// How long what still runs on threads of its own may take to end.
const GOODBYE: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let cli = Cli::parse();
    if cli.command.works_on_a_whole_ledger() {
        allocator::set_for_a_whole_ledger();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let done = match runtime {
        Ok(runtime) => {
            let done = runtime.block_on(bincard::subcommands::run(cli));
            // What is durable is; a rebuild or a question about the past that goes on is let go.
            runtime.shutdown_timeout(GOODBYE);
            done
        }
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
