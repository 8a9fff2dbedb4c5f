//! What the ledger takes in memory and in the journal: bytes asked of the allocator for each bucket, order and
//! remembered id, and bytes stored of an order's whole life.

mod figures;
mod shop;

use std::alloc::System;

use figures::{Wanted, row, row_wanted};
use ledger_core::values::Text;
use ledger_core::{Ledger, Settings, Submission};
use serde_json::json;
use shop::{STEPS, Shop, log_time, one, settings, submission, take, take_at};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const SHOP: Shop = Shop { items: 10_000, customers: 10_000 };
const ORDERS: usize = 100_000;

fn main() {
    println!("bytes asked of the allocator; {} items, {ORDERS} orders of two lines", SHOP.items);
    let mut ledger = SHOP.open();
    for (name, body) in [
        ("items.define", json!({"sku": "AVG", "name": "AVG", "costing": "moving_average"})),
        ("items.activate", json!({"sku": "AVG"})),
    ] {
        take(&mut ledger, submission(name, name, body));
    }
    let average = json!({"sku": "AVG", "location": "AMS1", "quantity": 1, "unit_cost": "2.50"});
    let id = grown(&mut ledger, ORDERS, 0.0, |ledger, number| {
        take(ledger, submission(&format!("again-{number}"), "stock.receive", average.clone()))
    });
    row_wanted("a remembered command id", id.memory, "bytes", Wanted { floor: 64.0, goal: 48.0 });
    let each = |name: &str, ledger: &mut Ledger, count, wanted, step: &dyn Fn(usize) -> Submission| {
        let grown = grown(ledger, count, id.memory, |ledger, number| take(ledger, step(number)));
        row_wanted(name, grown.memory, "bytes", wanted);
    };
    let bucket = Wanted { floor: 400.0, goal: 150.0 };
    let receipt = |item| SHOP.receipt(&format!("ber-{item}"), item, "BER1", 10);
    each("a stock bucket with one layer", &mut ledger, SHOP.items, bucket, &receipt);
    let open = Wanted { floor: 1536.0, goal: 600.0 };
    each("an open order of two lines", &mut ledger, ORDERS, open, &|number| SHOP.order(number, false));
    let (mut memory, mut stored) = (0.0, 0.0);
    for (step, name) in
        ["placed, held", "paid", "planned", "picked", "packed", "shipped"].into_iter().enumerate()
    {
        let grown =
            grown(&mut ledger, ORDERS, id.memory, |ledger, number| take(ledger, SHOP.step(number, step)));
        memory += grown.memory;
        stored += grown.stored;
        row(&format!("with customer, country and taxes: {name}"), memory, "bytes");
    }
    let closed = Wanted { floor: 500.0, goal: 250.0 };
    let (first, ids) = (ORDERS, STEPS as f64 * id.memory);
    let life = grown(&mut ledger, ORDERS, ids, |ledger, number| {
        (0..STEPS).flat_map(|step| take(ledger, SHOP.step(first + number, step))).collect()
    });
    row_wanted("a completed order with shipment and payment", life.memory, "bytes", closed);
    let gone = Wanted { floor: 64.0, goal: 32.0 };
    row_wanted("an archived order, shipment and payment with it", archived(), "bytes", gone);
    let journal = Wanted { floor: 2500.0, goal: 1200.0 };
    row_wanted(&format!("journal, the life of {STEPS} commands"), stored, "bytes", journal);
}

/// What stays of an order that came and left memory again: of those after the first, whose places they take. Next to no
/// ids are remembered, so that theirs do not count.
fn archived() -> f64 {
    let mut ledger = SHOP.open_with(Settings { remember_commands_max: 1_000, ..settings() });
    take(&mut ledger, submission("archiving", "orders.set_archiving", json!({"after_days": 1})));
    let mut come_and_go = |numbers: std::ops::Range<usize>| {
        let count = numbers.len();
        for number in numbers {
            (0..STEPS).for_each(|step| drop(take(&mut ledger, SHOP.step(number, step))));
        }
        assert_eq!(take_due(&mut ledger, 2), count);
    };
    come_and_go(0..ORDERS);
    let before = in_use();
    come_and_go(ORDERS..2 * ORDERS);
    come_and_go(2 * ORDERS..3 * ORDERS);
    (in_use() as f64 - before as f64) / (2 * ORDERS) as f64
}

/// Everything that falls due within so many days; gives back how much that was.
fn take_due(ledger: &mut Ledger, days: u32) -> usize {
    let until = log_time().plus_days(days);
    let decided = std::iter::from_fn(|| {
        let due = ledger.next_due().filter(|due| due.at <= until)?;
        Some(take_at(ledger, one(due.id.as_str(), due.command), until))
    });
    decided.count()
}

struct Grown {
    memory: f64,
    stored: f64,
}

/// What each of so many commands adds, beside its remembered id.
fn grown(
    ledger: &mut Ledger,
    count: usize,
    id: f64,
    mut step: impl FnMut(&mut Ledger, usize) -> Vec<u8>,
) -> Grown {
    let before = in_use();
    let stored: usize = (0..count).map(|number| step(ledger, number).len()).sum();
    let memory = (in_use() as f64 - before as f64) / count as f64 - id;
    Grown { memory, stored: stored as f64 / count as f64 }
}

fn in_use() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated.saturating_sub(stats.bytes_deallocated)
}
