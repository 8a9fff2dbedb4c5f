//! `bincard bench`: this machine's figures, printed.

use std::io;

use crate::bench::{self, Plan};
use crate::cli::{BenchArgs, Failure, exit};

/// Measures, prints the report, and gives the exit status.
pub(super) async fn run(ledger: String, args: BenchArgs) -> Result<u8, Failure> {
    if args.nats.is_some() || args.http.is_some() {
        check_is_for_measuring(&ledger)?;
    }
    let plan = Plan {
        dir: args.dir.unwrap_or_else(std::env::temp_dir),
        orders: args.orders as usize,
        items: args.items as usize,
        runs: args.runs as usize,
        nats: args.nats,
        nats_access: args.nats_access.access(),
        http: args.http,
        token: args.token,
        ledger,
    };
    let report = bench::run(args.bench, &plan).await?;
    report.print(args.format, &mut io::stdout().lock())?;
    Ok(exit::DONE)
}

/// A log forgets nothing: what is measured in somebody's ledger would stand in their books for ever.
fn check_is_for_measuring(ledger: &str) -> Result<(), Failure> {
    if ledger.starts_with("bench") {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "--ledger {ledger}: what is measured stays in the ledger for good; serve one for it whose name begins with \
         bench, and name that"
    )))
}
