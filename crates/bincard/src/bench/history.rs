//! Reading a history again: verifying it, folding every view anew, and starting a service over it.

use std::sync::Arc;
use std::time::Instant;

use journal::OfflineJournal;
use projections::{MemoryStore, Projections};

use super::Plan;
use super::load::rate;
use super::report::Row;
use super::shop::{self, LEDGER, Shop};
use super::workload::Mix;
use crate::cli::Failure;

/// Events a second of `bincard replay verify` and `bincard replay rebuild`.
pub(super) async fn replay(plan: &Plan) -> Result<Vec<Row>, Failure> {
    eprintln!("replay: placing {} orders", plan.orders);
    let shop = Shop::open(plan).await?;
    shop.fill(plan.orders).await?;
    let folder = shop.stop().await?;
    let journal = OfflineJournal::open(&folder.path().join(LEDGER)).map_err(Failure::corrupt)?;
    let (mut verified, mut folded, mut digested) = (Vec::new(), Vec::new(), Vec::new());
    let journal = Arc::new(journal);
    for run in 1..=plan.runs {
        eprintln!("replay: run {run} of {}", plan.runs);
        let reading = Arc::clone(&journal);
        let (found, elapsed) = blocking(move || replay::verify(&reading, &mut |_| {})).await?;
        if !found.is_green() {
            return Err(Failure::corrupt(format!("verify found {} differences", found.differences)));
        }
        let events = usize::try_from(found.events).unwrap_or(usize::MAX);
        verified.push(rate(events, elapsed));
        let reading = Arc::clone(&journal);
        let (views, elapsed) = blocking(move || {
            let views = Projections::open(Box::new(MemoryStore::default()), reading)?;
            views.checkpoint()?;
            Ok(views)
        })
        .await?;
        folded.push(rate(events, elapsed));
        let (_, elapsed) = blocking(move || Ok(views.digest()?)).await?;
        digested.push(rate(events, elapsed));
    }
    Ok(vec![
        Row::of("replay verify: chain, invariants, every command decided again", "events/s", verified),
        Row::of("replay rebuild: every view folded anew, until it answers", "events/s", folded),
        Row::of("replay rebuild: a digest of every row of every view", "events/s", digested),
    ])
}

/// Seconds from an existing folder to the first accepted command.
pub(super) async fn start(plan: &Plan) -> Result<Vec<Row>, Failure> {
    eprintln!("start: placing {} orders", plan.orders);
    let shop = Shop::open(plan).await?;
    shop.fill(plan.orders).await?;
    let orders = shop.orders(Mix::Spread);
    let folder = shop.stop().await?;
    let (mut opened, mut answered, mut entries) = (Vec::new(), Vec::new(), 0);
    for run in 1..=plan.runs {
        eprintln!("start: run {run} of {}", plan.runs);
        let began = Instant::now();
        let service = shop::start(folder.path()).await?;
        opened.push(began.elapsed().as_secs_f64());
        let reply = service.submit(orders.request(plan.orders + run)).await;
        answered.push(began.elapsed().as_secs_f64());
        if reply.status() != "accepted" {
            return Err(Failure::refused(format!("the first order was {}", reply.status())));
        }
        entries = service.durable_sequence();
        let stopped = tokio::task::spawn_blocking(move || service.stop()).await;
        stopped.expect("closing a ledger does not panic").map_err(crate::door::opening_fault)?;
    }
    let remark = format!("{entries} entries");
    Ok(vec![
        Row::of("start: until commands are taken", "s", opened).remarked(remark),
        Row::of("start: until the first command is durable", "s", answered),
    ])
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, replay::Fault> + Send + 'static,
) -> Result<(T, std::time::Duration), Failure> {
    let timed = tokio::task::spawn_blocking(move || {
        let began = Instant::now();
        work().map(|found| (found, began.elapsed()))
    });
    timed.await.expect("reading a history does not panic").map_err(Failure::corrupt)
}
