//! The engine's figures on this machine: `make bench`.

use std::hint::black_box;
use std::time::Instant;

use benches::orders::{open_shop, order, take};
use benches::table::{RUNS, row};
use ledger_core::{Entry, Ledger, Submission};

const ITEMS: usize = 10_000;
const ORDERS: usize = 200_000;

fn main() {
    let shop = open_shop(ITEMS);
    println!(
        "one core, in memory; {ITEMS} items, {ORDERS} orders of two lines a run, median of {RUNS} (least to most)"
    );
    let spread = decide(&shop, false);
    let spread = row("place order: decide, apply, encode", "orders/s", spread);
    let hot = row("the same, every order for one item", "orders/s", decide(&shop, true));
    println!("{:<58} {:>12.2}", "hot item against spread", hot / spread);
    fold(&shop);
}

fn orders(hot: bool) -> Vec<Submission> {
    (0..ORDERS).map(|number| order(number, ITEMS, hot)).collect()
}

fn decide(shop: &Ledger, hot: bool) -> Vec<f64> {
    let run = |_| {
        let (mut ledger, orders) = (shop.clone(), orders(hot));
        let begun = Instant::now();
        let bytes: usize = orders.into_iter().map(|order| take(&mut ledger, order)).sum();
        black_box(bytes);
        let rate = ORDERS as f64 / begun.elapsed().as_secs_f64();
        drop(ledger);
        rate
    };
    (0..RUNS).map(run).collect()
}

fn fold(shop: &Ledger) {
    let mut writer = shop.clone();
    let log_time = benches::orders::log_time();
    let decide = |order| writer.decide(order, log_time).map(|pending| pending.accept().2);
    let entries: Vec<Vec<u8>> =
        orders(false).into_iter().map(decide).collect::<Result<_, _>>().expect("orders fit");
    let bytes: usize = entries.iter().map(Vec::len).sum();
    let events: u32 =
        entries.iter().map(|bytes| Entry::decode(bytes).expect("it was encoded").event_count()).sum();
    println!("{:<58} {:>12.1} bytes", "place order: stored entry", bytes as f64 / ORDERS as f64);
    let run = |_| {
        let mut ledger = shop.clone();
        let begun = Instant::now();
        for bytes in &entries {
            let entry = Entry::decode(bytes).expect("it was encoded");
            ledger.apply(&entry, log_time).expect("every invariant holds");
        }
        f64::from(events) / begun.elapsed().as_secs_f64()
    };
    row("decode and fold", "events/s", (0..RUNS).map(run).collect());
}
