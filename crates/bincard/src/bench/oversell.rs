//! The race for the last units: many clients, stock for half of what they want, and not one unit sold twice.

use command_api::Outcome;
use tokio::task::JoinSet;

use super::Plan;
use super::report::Row;
use super::shop::Shop;
use super::workload::{Mix, Orders};
use crate::cli::Failure;

const CLIENTS: usize = 8;
const ITEMS: usize = 100;

/// Clients race over scarce items; the row counts units reserved beyond the stock, and fails on the first.
pub(super) async fn race(plan: &Plan) -> Result<Row, Failure> {
    eprintln!("durable: the race for the last units");
    let orders = plan.orders.next_multiple_of(CLIENTS * ITEMS);
    // Each order wants two units: there is stock for half of them.
    let stock = orders / ITEMS;
    let shop = Shop::stocked(plan, ITEMS, Some(stock as u64)).await?;
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        let service = shop.service.clone();
        let wanted = Orders { run: format!("C{client}"), ..shop.orders(Mix::Spread) };
        clients.spawn(async move {
            for batch in wanted.typed_batches(0..orders / CLIENTS) {
                check_decided(&service.outcome(service.offer_batch(Ok(batch))).await)?;
            }
            Ok::<(), Failure>(())
        });
    }
    while let Some(client) = clients.join_next().await {
        client.map_err(Failure::refused)??;
    }
    let (received, reserved) = ((stock * ITEMS) as i64, shop.units("reserved").await?);
    let left = shop.units("available").await?;
    shop.stop().await?;
    if reserved + left != received || reserved == 0 {
        return Err(Failure::corrupt(format!("{received} received, {reserved} reserved and {left} left")));
    }
    let remark = format!(
        "{CLIENTS} clients, {orders} orders of two units, {received} units received, {reserved} sold, {left} left"
    );
    Ok(Row::of(
        "oversell race: units sold beyond the stock",
        "units",
        vec![(reserved - received).max(0) as f64],
    )
    .remarked(remark))
}

/// Sold or refused: a race in which nobody is heard proves nothing.
fn check_decided(outcome: &Outcome) -> Result<(), Failure> {
    let Outcome::Each(lines) = outcome else {
        return Err(Failure::refused("a batch was refused as a whole"));
    };
    match lines.iter().find(|line| !["accepted", "rejected"].contains(&line.status)) {
        None => Ok(()),
        Some(line) => Err(Failure::refused(format!("an order of the race was {}", line.status))),
    }
}
