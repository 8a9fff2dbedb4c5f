//! Commands over HTTP: one request each, and in batches.

use std::time::{Duration, Instant};

use command_api::{Ledgers, http};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::http_client::Connection;
use super::load::rate;
use super::report::{Latencies, Row};
use super::shop::Shop;
use super::workload::{BATCH, Mix, Orders};
use super::{Plan, workload};
use crate::cli::Failure;

const BATCH_CONNECTIONS: usize = 8;
const SINGLE_CONNECTIONS: usize = 128;
/// Commands sent one at a time, for their latency.
const ALONE: usize = 1000;

/// What a run came to.
struct Ran {
    batches: f64,
    singles: f64,
    alone: Latencies,
}

/// A request: its idempotency key, and its body.
type Post = (Option<String>, Vec<u8>);

pub(super) async fn measure(plan: &Plan, sync_ms: f64) -> Result<Vec<Row>, Failure> {
    let mut ran = Vec::new();
    for run in 1..=plan.runs {
        eprintln!("http: run {run} of {}", plan.runs);
        ran.push(match &plan.http {
            Some(url) => through(url, plan).await?,
            None => own_service(plan).await?,
        });
    }
    let remark = match &plan.http {
        Some(_) => "the service named; the load generator here",
        None => "service, views and load generator on these cores",
    };
    let of = |figure: &dyn Fn(&Ran) -> f64| ran.iter().map(figure).collect::<Vec<_>>();
    let batches = format!("over HTTP: batches of {BATCH}, {BATCH_CONNECTIONS} connections");
    let singles = format!("over HTTP: one request each, {SINGLE_CONNECTIONS} connections");
    let mut rows = vec![
        Row::of(batches, "orders/s", of(&|ran| ran.batches)).remarked(remark),
        Row::of(singles, "orders/s", of(&|ran| ran.singles)).remarked(remark),
    ];
    let alone: Vec<Latencies> = ran.iter().map(|ran| ran.alone).collect();
    rows.extend(Latencies::one_in_flight("over HTTP", &alone, sync_ms));
    Ok(rows)
}

async fn own_service(plan: &Plan) -> Result<Ran, Failure> {
    let shop = Shop::open(plan).await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let host = listener.local_addr()?.to_string();
    let (stop, stopping) = oneshot::channel::<()>();
    let until = async { stopping.await.unwrap_or_default() };
    let door = tokio::spawn(http::serve(listener, Ledgers::from(shop.service.clone()), until));
    let ran = measured(&host, "/v1", &shop.orders(Mix::Spread), plan).await;
    // The door may have ended with an error, which the join tells.
    let _ = stop.send(());
    door.await.expect("serving HTTP does not panic")?;
    shop.stop().await?;
    ran
}

/// A ledger that is served: it gets the shop, and keeps the orders.
async fn through(url: &str, plan: &Plan) -> Result<Ran, Failure> {
    if url.starts_with("https://") {
        return Err(Failure::usage("--http: wanted http://host:port: the client of the bench speaks no TLS"));
    }
    let host = url.strip_prefix("http://").unwrap_or(url).trim_end_matches('/');
    let paths = format!("/v1/ledgers/{}", plan.ledger);
    let shop = workload::shop("bench-shop", plan.items, None).into_iter().map(|batch| (None, batch));
    posted(host, plan, &format!("{paths}/commands"), shop.collect(), 1).await?;
    let orders = Orders { run: super::run_id(), items: plan.items, mix: Mix::Spread };
    measured(host, &paths, &orders, plan).await
}

async fn measured(host: &str, paths: &str, orders: &Orders, plan: &Plan) -> Result<Ran, Failure> {
    let batches = orders.batches(0..plan.orders).into_iter().map(|batch| (None, batch)).collect();
    let elapsed = posted(host, plan, &format!("{paths}/commands"), batches, BATCH_CONNECTIONS).await?;
    let batches = rate(plan.orders, elapsed);

    let path = format!("{paths}/commands/orders.place");
    let single = |number: usize| (Some(orders.id(number)), orders.body(number).into_bytes());
    let singles = (plan.orders..2 * plan.orders).map(single).collect();
    let elapsed = posted(host, plan, &path, singles, SINGLE_CONNECTIONS).await?;
    let singles = rate(plan.orders, elapsed);

    let mut connection = Connection::open(host, plan.token.as_deref()).await?;
    let mut latencies = Vec::new();
    for (id, body) in (2 * plan.orders..2 * plan.orders + ALONE).map(single) {
        let began = Instant::now();
        super::check_accepted(connection.post(&path, id.as_deref(), &body).await?)?;
        latencies.push(began.elapsed());
    }
    Ok(Ran { batches, singles, alone: Latencies::of(latencies) })
}

/// Posts all over so many connections, each with one request at a time.
async fn posted(
    host: &str,
    plan: &Plan,
    path: &str,
    posts: Vec<Post>,
    connections: usize,
) -> Result<Duration, Failure> {
    let share = posts.len().div_ceil(connections);
    let mut posts = posts.into_iter();
    let mut clients = JoinSet::new();
    let began = Instant::now();
    for _ in 0..connections {
        let posts: Vec<Post> = posts.by_ref().take(share).collect();
        let (host, path, token) = (host.to_owned(), path.to_owned(), plan.token.clone());
        clients.spawn(async move {
            let mut connection = Connection::open(&host, token.as_deref()).await?;
            for (id, body) in posts {
                super::check_accepted(connection.post(&path, id.as_deref(), &body).await?)?;
            }
            Ok::<(), Failure>(())
        });
    }
    while let Some(client) = clients.join_next().await {
        client.map_err(Failure::refused)??;
    }
    Ok(began.elapsed())
}
