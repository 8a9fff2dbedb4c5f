//! The journal as a stream of one server and of three, and the public feed.

use std::time::{Duration, Instant};

use command_api::feed::{Feed, FeedOptions};
use command_api::nats::Access;
use command_api::service::{Replication, Role};
use journal::JournalRead;
use journal::jetstream::Server;

use super::Plan;
use super::durable::{self, BATCHES_IN_FLIGHT};
use super::load::rate;
use super::nats_server::{NatsServers, Servers};
use super::report::Row;
use super::shop::Shop;
use super::workload::{BATCH, Mix};
use crate::cli::Failure;

const NO_SERVER: &str = "there is no nats-server in NATS_SERVER or PATH";
/// Every message synced takes long: one order in so many is enough to tell.
const FEED_SHARE: usize = 10;
/// Longer than a feed takes for the events of a run.
const FEED_WAIT: Duration = Duration::from_secs(600);

pub(super) async fn measure(plan: &Plan) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    for (count, name) in [(1, "one server"), (3, "three servers, three copies")] {
        let mut orders = Vec::new();
        for run in 1..=plan.runs {
            eprintln!("jetstream: journal on {name}, run {run} of {}", plan.runs);
            let servers = Servers::JetStream { count, sync_always: true };
            let Some(servers) = NatsServers::start(servers, &plan.dir).await? else {
                return Ok(vec![Row::skipped("JetStream", NO_SERVER)]);
            };
            orders.push(journal_on(&servers, count, plan).await?);
        }
        let name = format!(
            "JetStream journal, {name}, every message synced: batches of {BATCH}, {BATCHES_IN_FLIGHT} in flight"
        );
        rows.push(Row::of(name, "orders/s", orders).remarked("typed commands; servers on these cores"));
    }
    for (sync_always, name) in [(false, "synced every two minutes"), (true, "every message synced")] {
        let mut events = Vec::new();
        for run in 1..=plan.runs {
            eprintln!("jetstream: feed {name}, run {run} of {}", plan.runs);
            let servers = Servers::JetStream { count: 1, sync_always };
            let Some(servers) = NatsServers::start(servers, &plan.dir).await? else {
                return Ok(vec![Row::skipped("feed", NO_SERVER)]);
            };
            events.push(feed_to(&servers, plan).await?);
        }
        rows.push(Row::of(format!("feed, one server, {name}"), "events/s", events));
    }
    Ok(rows)
}

async fn journal_on(servers: &NatsServers, replicas: usize, plan: &Plan) -> Result<f64, Failure> {
    let options = Access::default().options(&servers.url).map_err(Failure::usage)?;
    let server = Server { url: servers.url.clone(), options };
    let shop = Shop::on_stream(plan, Replication { server, replicas, role: Role::All }).await?;
    durable::batches(shop, plan, Mix::Spread).await.map(|ran| ran.orders_a_second)
}

/// Events a second, from the start of a feed that has everything before it.
async fn feed_to(servers: &NatsServers, plan: &Plan) -> Result<f64, Failure> {
    let shop = Shop::open(plan).await?;
    shop.fill(plan.orders.div_ceil(FEED_SHARE)).await?;
    let client = Access::default().connect(&servers.url, |options| options.name("bincard bench")).await;
    let wanted = shop.service.journal().head().event;
    let began = Instant::now();
    let feed = Feed::start(client.map_err(Failure::usage)?, shop.service.clone(), FeedOptions::default());
    while shop.service.metrics().feed_event() < wanted {
        if began.elapsed() > FEED_WAIT {
            return Err(Failure::refused("the feed did not catch up"));
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let elapsed = began.elapsed();
    feed.stop().await;
    shop.stop().await?;
    Ok(rate(usize::try_from(wanted).unwrap_or(usize::MAX), elapsed))
}
