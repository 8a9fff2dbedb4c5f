//! The ledger in memory, on one core: decide, fold, decide again; over orders and over their whole life.
//!
//! The time is what the thread itself has worked, so that what else runs on the machine costs less of the figure.
//! Growth is measured up to `BENCH_ENTRIES_MAX` entries, ten million unless told otherwise: those take some 6 GB.

mod figures;
mod shop;

use std::hint::black_box;

use figures::{Wanted, row, row_wanted};
use ledger_core::Submission;
use ledger_core::{Entry, Ledger, finance};
use rustix::time::{ClockId, Timespec, clock_gettime};
use shop::{STEPS, Shop, log_time, take};

/// As the binary has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs of each figure.
const RUNS: usize = 5;
/// Commands that are typed before they are decided: as many as wait for a busy writer, not a year's.
const WAITING: usize = 512;
const SHOP: Shop = Shop { items: 10_000, customers: 10_000 };
const ORDERS: usize = 200_000;
const LIVES: usize = 20_000;

const DECIDED: Wanted = Wanted { floor: 300_000.0, goal: 700_000.0 };
const FOLDED: Wanted = Wanted { floor: 500_000.0, goal: 1_500_000.0 };
const DECIDED_AGAIN: Wanted = Wanted { floor: 200_000.0, goal: 500_000.0 };

fn main() {
    println!(
        "thread time; {} items, {ORDERS} orders of two lines, {LIVES} lives; median of {RUNS}",
        SHOP.items
    );
    let open = SHOP.open();
    let spread = row_of_runs("place order", place(&open, false), "orders/s", DECIDED);
    let hot = row_of_runs("place order, all for one item", place(&open, true), "orders/s", DECIDED);
    row("hot against spread", hot / spread, "(floor 0.9)");
    lives(&open);
    growth();
}

fn place(open: &Ledger, hot: bool) -> Vec<f64> {
    runs(|| {
        let mut ledger = open.clone();
        rate_of(&mut (0..ORDERS).map(|number| SHOP.order(number, hot)), &mut ledger)
    })
}

fn lives(open: &Ledger) {
    let all = || (0..STEPS).flat_map(|step| (0..LIVES).map(move |number| SHOP.step(number, step)));
    let mut lived = open.clone();
    let stored: Vec<Vec<u8>> = all().map(|command| take(&mut lived, command)).collect();
    let events: usize = stored.iter().map(|bytes| decoded(bytes).event_count() as usize).sum();
    let decided = runs(|| {
        let mut ledger = open.clone();
        rate_of(&mut all(), &mut ledger)
    });
    row_of_runs("whole life: decide, apply, encode", decided, "commands/s", DECIDED);
    let folded = runs(|| {
        let mut ledger = open.clone();
        rate(events, || {
            for bytes in &stored {
                ledger.apply(&decoded(bytes), log_time()).expect("every invariant holds");
                finance::check_totals(&ledger).expect("the books tie out");
            }
        })
    });
    row_of_runs("whole life: decode, fold, tie out", folded, "events/s", FOLDED);
    let decided_again = runs(|| {
        let mut ledger = open.clone();
        rate(events, || {
            for bytes in &stored {
                let submission = decoded(bytes).into_submission();
                let pending = ledger.decide(submission, log_time()).expect("it was accepted before");
                assert_eq!(pending.bytes(), bytes, "it decides to what is stored");
                pending.accept();
            }
        })
    });
    row_of_runs("whole life: decode, decide again, compare", decided_again, "events/s", DECIDED_AGAIN);
    finance::check(&lived).expect("the books tie out line by line");
}

/// What a command costs with ten times, a hundred times … as many entries behind it.
fn growth() {
    const MEASURED: usize = 5_000;
    const SMALL: Shop = Shop { items: 1_000, customers: 1 };
    let most =
        std::env::var("BENCH_ENTRIES_MAX").ok().and_then(|most| most.parse().ok()).unwrap_or(10_000_000);
    let (mut ledger, mut number, mut first, mut entries) = (SMALL.open(), 0, None, 10_000);
    while entries <= most {
        while ledger.head().sequence < entries {
            take(&mut ledger, SMALL.order(number, false));
            number += 1;
        }
        let mut costs: Vec<f64> = runs(|| {
            let orders: Vec<_> =
                (number..number + MEASURED).map(|number| SMALL.order(number, false)).collect();
            number += MEASURED;
            1e9 / rate(MEASURED, || orders.into_iter().for_each(|order| drop(take(&mut ledger, order))))
        });
        costs.sort_by(f64::total_cmp);
        let cost = costs[RUNS / 2];
        let times = cost / *first.get_or_insert(cost);
        row(&format!("place order behind {entries} entries"), cost, &format!("ns, {times:.2} x the first"));
        entries *= 10;
    }
}

fn decoded(bytes: &[u8]) -> Entry {
    Entry::decode(bytes).expect("it was encoded")
}

fn runs(run: impl FnMut() -> f64) -> Vec<f64> {
    std::iter::repeat_with(run).take(RUNS).collect()
}

/// Commands a second: they are typed as a queue fills, and only what the ledger does is timed.
fn rate_of(commands: &mut impl Iterator<Item = Submission>, ledger: &mut Ledger) -> f64 {
    let (mut count, mut worked) = (0, 0.0);
    loop {
        let waiting: Vec<_> = commands.take(WAITING).collect();
        if waiting.is_empty() {
            return count as f64 / worked;
        }
        count += waiting.len();
        worked +=
            seconds_of(|| waiting.into_iter().for_each(|command| drop(black_box(take(ledger, command)))));
    }
}

fn rate(count: usize, work: impl FnOnce()) -> f64 {
    count as f64 / seconds_of(work)
}

fn seconds_of(work: impl FnOnce()) -> f64 {
    let seconds = |time: Timespec| time.tv_sec as f64 + time.tv_nsec as f64 / 1e9;
    let begun = clock_gettime(ClockId::ThreadCPUTime);
    work();
    seconds(clock_gettime(ClockId::ThreadCPUTime)) - seconds(begun)
}

/// The median of several runs with the least and the most of them.
fn row_of_runs(name: &str, mut runs: Vec<f64>, unit: &str, wanted: Wanted) -> f64 {
    runs.sort_by(f64::total_cmp);
    let median = runs[runs.len() / 2];
    row_wanted(name, median, unit, wanted);
    println!("{:<48} {:>12} ({:.1} to {:.1})", "", "", runs[0], runs[runs.len() - 1]);
    median
}
