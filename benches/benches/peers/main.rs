//! What a user would pick instead, doing the same logical work on the same disk in the same run: `make bench`.
//!
//! An order of two lines: its id is not known yet, both items are available, they are reserved, the order is recorded,
//! and all of that is durable before the next one. The figures of the ledger itself follow, and how many times a peer's
//! best they are.

mod postgres;
mod sqlite;

use std::time::{Duration, Instant};

use bincard::bench::{self, Bench, Plan, Row};
use bincard::cli::Format;

/// How long each figure of a peer is measured.
const RUN: Duration = Duration::from_secs(3);
const RUNS: usize = 3;
const ITEMS: usize = 10_000;

type Fault = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Fault> {
    bincard::allocator::set_for_a_whole_ledger();
    let dir = std::env::var_os("BENCH_DIR").map_or_else(std::env::temp_dir, Into::into);
    let mut peers = postgres::measure(&dir)?;
    peers.extend(sqlite::measure(&dir)?);
    let orders = std::env::var("BENCH_ORDERS").ok().and_then(|orders| orders.parse().ok()).unwrap_or(200_000);
    let plan = Plan::here(dir, orders, ITEMS, RUNS);
    let runtime = tokio::runtime::Runtime::new()?;
    let mut report =
        runtime.block_on(bench::run(Bench::Durable, &plan)).map_err(|failure| failure.message)?;
    let ledger = report.rows.iter().find(|row| row.figure.starts_with("in process: batches"));
    let ledger = ledger.map_or(f64::NAN, |row| row.median);
    for (name, first_words, floor) in [
        ("the ledger over the best PostgreSQL row of one order a transaction", postgres::ONE_EACH, 30),
        ("the ledger over the best SQLite row", sqlite::EVERY, 3),
    ] {
        let rows = peers.iter().filter(|row| row.figure.starts_with(first_words));
        let ratio = match rows.map(|row| row.median).filter(|best| best.is_finite()).max_by(f64::total_cmp) {
            Some(best) => {
                Row::of(name, "times", vec![ledger / best]).remarked(format!("wanted at least {floor}"))
            }
            None => Row::skipped(name, "the peer was not measured"),
        };
        peers.push(ratio);
    }
    report.rows.extend(peers);
    report.print(Format::Table, &mut std::io::stdout())?;
    Ok(())
}

/// Orders a second of one client, until the time is over.
fn rate(until: Instant, mut place: impl FnMut() -> Result<usize, Fault>) -> Result<f64, Fault> {
    let began = Instant::now();
    let mut orders = 0;
    while Instant::now() < until {
        orders += place()?;
    }
    Ok(orders as f64 / began.elapsed().as_secs_f64())
}

/// The two items of an order.
fn items(number: usize) -> (String, String) {
    let sku = |item: usize| format!("BENCH-{item:06}");
    (sku(number * 31 % ITEMS), sku((number * 7919 + 13) % ITEMS))
}
