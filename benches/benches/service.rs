//! The running service's figures on this machine, after each other as `bincard bench` prints them: `make bench`.

use bincard::bench::{self, Bench, Plan};
use bincard::cli::Format;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    bincard::allocator::set_for_a_whole_ledger();
    let dir = std::env::var_os("BENCH_DIR").map_or_else(std::env::temp_dir, Into::into);
    let orders = std::env::var("BENCH_ORDERS").ok().and_then(|orders| orders.parse().ok()).unwrap_or(200_000);
    let plan = Plan::here(dir, orders, 10_000, 3);
    let runtime = tokio::runtime::Runtime::new()?;
    for bench in [Bench::Nats, Bench::Http, Bench::Jetstream, Bench::Replay, Bench::Start, Bench::Query] {
        let report = runtime.block_on(bench::run(bench, &plan)).map_err(|failure| failure.message)?;
        report.print(Format::Table, &mut std::io::stdout())?;
        println!();
    }
    Ok(())
}
