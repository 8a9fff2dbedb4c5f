//! How long a question takes: by key, and the first page of a board, while nothing else happens and under write load.

use std::time::{Duration, Instant};

use command_api::Service;
use projections::Query;
use serde_json::{Map, Value, json};
use tokio::sync::watch;

use super::Plan;
use super::load::rate;
use super::report::{Latencies, Row};
use super::shop::{Shop, accepted};
use super::workload::{BATCH, Mix, Orders};
use crate::cli::Failure;

/// Questions of each kind and run.
const QUESTIONS: usize = 1000;
/// Orders a second while questions are asked under load.
const LOAD: usize = 50_000;

/// A question: what it is called, the view, and what the n-th one asks.
type Question<'q> = (&'static str, &'static str, &'q dyn Fn(usize) -> Query);

pub(super) async fn measure(plan: &Plan) -> Result<Vec<Row>, Failure> {
    eprintln!("query: placing {} orders", plan.orders);
    let shop = Shop::open(plan).await?;
    shop.fill(plan.orders).await?;
    let orders = shop.orders(Mix::Spread);
    let by_key = |number: usize| filtered(json!({"order": orders.id(number * 7919 % plan.orders)}));
    let by_item = |number: usize| filtered(json!({"sku": orders.skus(number * 31)[0]}));
    let board = |_: usize| Query {
        sort: Some("-placed_at".into()),
        limit: Some(50),
        ..filtered(json!({"state": "released", "channel": "bench", "held": false}))
    };
    let questions: [Question<'_>; 3] = [
        ("an order by its id", "order", &by_key),
        ("an item's stock", "stock_position", &by_item),
        ("a board's first page, two filters", "order_board", &board),
    ];
    let mut rows = Vec::new();
    for (name, view, question) in questions {
        let runs = asked(plan, &shop, view, question).await?;
        rows.extend(Latencies::rows(&format!("query, idle: {name}"), &runs));
    }
    let (stop, stopping) = watch::channel(false);
    let load =
        tokio::spawn(write_load(shop.service.clone(), shop.orders(Mix::Spread), plan.orders, stopping));
    let loaded = under_load(plan, &shop, &questions).await;
    stop.send_replace(true);
    let placed = load.await.expect("placing orders does not panic")?;
    let remark = format!("{placed:.0} orders/s placed meanwhile, {LOAD} wanted");
    rows.extend(loaded?.into_iter().map(|row| row.remarked(remark.clone())));
    shop.stop().await?;
    Ok(rows)
}

async fn under_load(plan: &Plan, shop: &Shop, questions: &[Question<'_>]) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    for (name, view, question) in questions {
        let runs = asked(plan, shop, view, question).await?;
        rows.extend(Latencies::rows(&format!("query, under load: {name}"), &runs));
    }
    Ok(rows)
}

async fn asked(
    plan: &Plan,
    shop: &Shop,
    view: &str,
    question: &dyn Fn(usize) -> Query,
) -> Result<Vec<Latencies>, Failure> {
    let mut runs = Vec::new();
    for run in 0..plan.runs {
        let mut latencies = Vec::with_capacity(QUESTIONS);
        for number in 0..QUESTIONS {
            let query = question(run * QUESTIONS + number);
            let began = Instant::now();
            let page = shop.service.query(view, query).await;
            latencies.push(began.elapsed());
            let page = page.map_err(|reply| Failure::refused(reply.message().unwrap_or(reply.status())))?;
            if page.rows.is_empty() {
                return Err(Failure::corrupt(format!("{view} answered no rows")));
            }
        }
        runs.push(Latencies::of(latencies));
    }
    Ok(runs)
}

/// Places orders at a steady pace until told to stop; how many a second that came to.
async fn write_load(
    service: Service,
    orders: Orders,
    from: usize,
    stopping: watch::Receiver<bool>,
) -> Result<f64, Failure> {
    let (began, mut placed) = (Instant::now(), 0);
    let mut pace = tokio::time::interval(Duration::from_secs_f64(BATCH as f64 / LOAD as f64));
    while !*stopping.borrow() {
        pace.tick().await;
        for batch in orders.typed_batches(from + placed..from + placed + BATCH) {
            accepted(&service, service.offer_batch(Ok(batch))).await?;
        }
        placed += BATCH;
    }
    Ok(rate(placed, began.elapsed()))
}

fn filtered(filter: Value) -> Query {
    let filter = if let Value::Object(filter) = filter { filter } else { Map::new() };
    Query { filter, ..Query::default() }
}
