//! Commands made durable by a service in this process: no wire, no JSON, everything else.

use super::load::{keep_in_flight, one_at_a_time, rate};
use super::report::{Latencies, Row};
use super::shop::Shop;
use super::workload::{BATCH, Mix};
use super::{Plan, frames, oversell};
use crate::cli::Failure;

/// Batches under way, each of [`BATCH`] orders.
pub(super) const BATCHES_IN_FLIGHT: usize = 8;
/// Single commands under way.
const SINGLES_IN_FLIGHT: usize = 1024;
/// Commands sent one at a time, for their latency.
const ALONE: usize = 1000;

/// What a run of batches came to.
pub(super) struct Ran {
    pub(super) orders_a_second: f64,
    views_behind_ms: f64,
}

pub(super) async fn measure(plan: &Plan, sync_ms: f64) -> Result<Vec<Row>, Failure> {
    let (mut spread, mut hot, mut singles, mut alone) = (vec![], vec![], vec![], vec![]);
    for run in 1..=plan.runs {
        eprintln!("durable: run {run} of {}", plan.runs);
        spread.push(batches(Shop::open(plan).await?, plan, Mix::Spread).await?);
        hot.push(batches(Shop::open(plan).await?, plan, Mix::Hot).await?);
        let shop = Shop::open(plan).await?;
        singles.push(one_each(&shop, plan).await?);
        alone.push(one_in_flight(&shop, plan).await?);
        shop.stop().await?;
    }
    let orders = |runs: &[Ran]| runs.iter().map(|run| run.orders_a_second).collect::<Vec<_>>();
    let behind = spread.iter().map(|run| run.views_behind_ms).collect();
    let name = format!("in process: batches of {BATCH}, {BATCHES_IN_FLIGHT} in flight");
    let spread =
        Row::of(&name, "orders/s", orders(&spread)).remarked("typed commands, made as they are sent");
    let hot = Row::of(format!("{name}, every order for one item"), "orders/s", orders(&hot));
    let ratio = format!("{:.2} of the spread figure", hot.median / spread.median);
    let mut rows = frames::appends(&plan.dir)?;
    rows.extend([
        spread,
        hot.remarked(ratio),
        Row::of("in process: until the views show the last order", "ms", behind),
        Row::of(format!("in process: one command each, {SINGLES_IN_FLIGHT} in flight"), "orders/s", singles),
    ]);
    rows.extend(Latencies::one_in_flight("in process", &alone, sync_ms));
    rows.push(oversell::race(plan).await?);
    Ok(rows)
}

/// Places the orders of a run in batches, and looks whether exactly they are in the stock book.
pub(super) async fn batches(shop: Shop, plan: &Plan, mix: Mix) -> Result<Ran, Failure> {
    let orders = shop.orders(mix);
    let batches = orders.typed_batches(0..plan.orders);
    let service = &shop.service;
    let elapsed = keep_in_flight(batches, BATCHES_IN_FLIGHT, async |batch| {
        shop.accepted(service.offer_batch(Ok(batch))).await
    })
    .await?;
    let views_behind = shop.views_caught_up().await?;
    let (wanted, reserved) = (2 * plan.orders as i64, shop.units("reserved").await?);
    if wanted != reserved {
        return Err(Failure::corrupt(format!("{wanted} units were ordered, {reserved} are reserved")));
    }
    shop.stop().await?;
    let views_behind_ms = views_behind.as_secs_f64() * 1e3;
    Ok(Ran { orders_a_second: rate(plan.orders, elapsed), views_behind_ms })
}

async fn one_each(shop: &Shop, plan: &Plan) -> Result<f64, Failure> {
    let orders = shop.orders(Mix::Spread);
    let requests = (0..plan.orders).map(|number| orders.request(number));
    let elapsed = keep_in_flight(requests, SINGLES_IN_FLIGHT, async |request| {
        shop.accepted(shop.service.offer(Ok(request))).await
    });
    Ok(rate(plan.orders, elapsed.await?))
}

async fn one_in_flight(shop: &Shop, plan: &Plan) -> Result<Latencies, Failure> {
    let orders = shop.orders(Mix::Spread);
    let numbers = plan.orders..plan.orders + ALONE;
    let requests = numbers.map(|number| orders.request(number));
    shop.views_caught_up().await?;
    let latencies =
        one_at_a_time(requests, async |request| shop.accepted(shop.service.offer(Ok(request))).await);
    Ok(Latencies::of(latencies.await?))
}
