//! `cargo run -p simulation -- --seed 7`: runs seeds, tells each one's digest, and how to run one again that fails.

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use simulation::{Options, Report, Violation, run};

/// Runs the ledger in a simulated world in which everything goes wrong.
#[derive(Parser)]
struct Args {
    /// The seed to run.
    #[arg(long, conflicts_with = "seeds")]
    seed: Option<u64>,
    /// Seeds to run, as FIRST..LAST (the last one not included).
    #[arg(long, value_parser = seeds)]
    seeds: Option<(u64, u64)>,
    /// How many commands clients send in each seed.
    #[arg(long, default_value_t = Options::default().commands)]
    steps: u64,
    /// Several instances on a replicated stream, rather than one on a disk.
    #[arg(long)]
    cluster: bool,
    /// Tell everything that happens.
    #[arg(short, long)]
    verbose: bool,
}

fn seeds(text: &str) -> Result<(u64, u64), String> {
    let bounds = text.split_once("..").and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
    bounds.ok_or_else(|| format!("wanted FIRST..LAST, found {text:?}"))
}

fn main() -> ExitCode {
    let args = Args::parse();
    let options = Options { commands: args.steps, cluster: args.cluster, verbose: args.verbose };
    match (args.seed, args.seeds) {
        (_, Some((first, last))) => many(first, last, options),
        (seed, None) => one(seed.unwrap_or(1), options),
    }
}

fn one(seed: u64, options: Options) -> ExitCode {
    match run(seed, options) {
        Ok(report) => {
            println!("seed {seed}: {}  {report}", report.digest);
            ExitCode::SUCCESS
        }
        Err(violation) => {
            failed(seed, options, &violation);
            ExitCode::FAILURE
        }
    }
}

fn many(first: u64, last: u64, options: Options) -> ExitCode {
    // The summary tells; a panic inside is told with its seed.
    std::panic::set_hook(Box::new(|_| {}));
    let begun = Instant::now();
    let (mut failures, mut all) = (0u64, Report::default());
    for seed in first..last {
        match run(seed, options) {
            Ok(report) => all.add(&report),
            Err(violation) => {
                failures += 1;
                failed(seed, options, &violation);
            }
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    let run = last.saturating_sub(first);
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let rate = run as f64 / seconds.max(0.001);
    println!("{run} seeds, {failures} failed: {all}, {seconds:.1} s ({rate:.0} seeds/s)");
    if failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn failed(seed: u64, options: Options, violation: &Violation) {
    let shown: String = violation.to_string().chars().take(4_000).collect();
    println!("seed {seed} FAILED: {shown}");
    let cluster = if options.cluster { " --cluster" } else { "" };
    println!(
        "run it again: cargo run -p simulation --{cluster} --seed {seed} --steps {} -v",
        options.commands
    );
}
