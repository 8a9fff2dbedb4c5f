//! Commands over NATS: one JSON message each, and in batches.

use std::time::{Duration, Instant};

use async_nats::{Client, HeaderMap, HeaderValue, Subscriber};
use command_api::nats::{self, Access};
use futures::StreamExt;

use super::load::rate;
use super::nats_server::{NatsServers, Servers};
use super::report::{Latencies, Row};
use super::shop::{LEDGER, Shop};
use super::workload::{BATCH, Mix, Orders};
use super::{Plan, workload};
use crate::cli::Failure;

const SINGLES_IN_FLIGHT: usize = 512;
const BATCHES_IN_FLIGHT: usize = 8;
/// Commands sent one at a time, for their latency.
const ALONE: usize = 1000;
/// Longer than any answer takes.
const ANSWER_WAIT: Duration = Duration::from_secs(60);

/// What a run came to.
struct Ran {
    batches: f64,
    singles: f64,
    alone: Latencies,
}

pub(super) async fn measure(plan: &Plan, sync_ms: f64) -> Result<Vec<Row>, Failure> {
    let mut ran = Vec::new();
    let remark = match &plan.nats {
        Some(url) => {
            for run in 1..=plan.runs {
                eprintln!("nats: run {run} of {} through {}", plan.runs, nats::without_secrets(url));
                ran.push(through(url, plan).await?);
            }
            "the service named; the load generator here"
        }
        None => {
            let Some(server) = NatsServers::start(Servers::Plain, &plan.dir).await? else {
                let why = "there is no nats-server in NATS_SERVER or PATH; --nats URL names a running one";
                return Ok(vec![Row::skipped("over NATS", why)]);
            };
            for run in 1..=plan.runs {
                eprintln!("nats: run {run} of {}", plan.runs);
                ran.push(own_service(&server.url, plan).await?);
            }
            "nats-server, service, views and load generator on these cores"
        }
    };
    let of = |figure: &dyn Fn(&Ran) -> f64| ran.iter().map(figure).collect::<Vec<_>>();
    let batches = format!("over NATS: batches of {BATCH}, {BATCHES_IN_FLIGHT} in flight");
    let singles = format!("over NATS: one message each, {SINGLES_IN_FLIGHT} in flight");
    let mut rows = vec![
        Row::of(batches, "orders/s", of(&|ran| ran.batches)).remarked(remark),
        Row::of(singles, "orders/s", of(&|ran| ran.singles)).remarked(remark),
    ];
    let alone: Vec<Latencies> = ran.iter().map(|ran| ran.alone).collect();
    rows.extend(Latencies::one_in_flight("over NATS", &alone, sync_ms));
    Ok(rows)
}

async fn own_service(url: &str, plan: &Plan) -> Result<Ran, Failure> {
    let shop = Shop::open(plan).await?;
    let own = Way { url, access: &Access::default(), token: None, ledger: LEDGER };
    let door = nats::serve(own.connect().await?, shop.service.clone()).await.map_err(Failure::usage)?;
    let ran = measured(&own, shop.orders(Mix::Spread), plan).await;
    door.stop().await.map_err(Failure::usage)?;
    shop.stop().await?;
    ran
}

/// A ledger that is served: it gets the shop, and keeps the orders.
async fn through(url: &str, plan: &Plan) -> Result<Ran, Failure> {
    let run = super::run_id();
    let way = Way { url, access: &plan.nats_access, token: plan.token.as_deref(), ledger: &plan.ledger };
    let mut caller = Caller::new(way.connect().await?, &way, "batch").await?;
    let batches = workload::shop("bench-shop", plan.items, None).into_iter();
    caller.all(batches.map(|batch| (HeaderMap::new(), batch)), 1).await?;
    measured(&way, Orders { run, items: plan.items, mix: Mix::Spread }, plan).await
}

async fn measured(way: &Way<'_>, orders: Orders, plan: &Plan) -> Result<Ran, Failure> {
    let client = way.connect().await?;
    let mut caller = Caller::new(client.clone(), way, "batch").await?;
    let batches = orders.batches(0..plan.orders);
    let elapsed =
        caller.all(batches.into_iter().map(|batch| (HeaderMap::new(), batch)), BATCHES_IN_FLIGHT).await?;
    let batches = rate(plan.orders, elapsed);

    let mut caller = Caller::new(client, way, "orders.place").await?;
    let messages = |numbers: std::ops::Range<usize>| {
        let message = |number: usize| {
            let mut headers = HeaderMap::new();
            headers.insert("Bincard-Command-Id", orders.id(number).as_str());
            (headers, orders.body(number).into_bytes())
        };
        numbers.map(message).collect::<Vec<_>>()
    };
    let singles = messages(plan.orders..2 * plan.orders);
    let elapsed = caller.all(singles.into_iter(), SINGLES_IN_FLIGHT).await?;
    let singles = rate(plan.orders, elapsed);
    let mut latencies = Vec::new();
    for message in messages(2 * plan.orders..2 * plan.orders + ALONE) {
        latencies.push(caller.all(std::iter::once(message), 1).await?);
    }
    Ok(Ran { batches, singles, alone: Latencies::of(latencies) })
}

/// Where a ledger is served, and what is shown there.
struct Way<'w> {
    url: &'w str,
    access: &'w Access,
    token: Option<&'w str>,
    ledger: &'w str,
}

impl Way<'_> {
    async fn connect(&self) -> Result<Client, Failure> {
        let connected = self.access.connect(self.url, |options| options.name("bincard bench")).await;
        let shown = nats::without_secrets(self.url);
        connected.map_err(|fault| Failure::usage(format!("NATS at {shown}: {fault}")))
    }
}

/// A client with one inbox for all its answers: a subscription for each request would be what is measured.
struct Caller {
    client: Client,
    subject: String,
    inbox: String,
    answers: Subscriber,
    authorization: Option<HeaderValue>,
}

impl Caller {
    async fn new(client: Client, way: &Way<'_>, command: &str) -> Result<Caller, Failure> {
        let inbox = client.new_inbox();
        let answers = client.subscribe(inbox.clone()).await.map_err(Failure::usage)?;
        let authorization = way.token.map(|token| HeaderValue::from(format!("Bearer {token}")));
        let subject = format!("bincard.{}.command.{command}", way.ledger);
        Ok(Caller { client, subject, inbox, answers, authorization })
    }

    /// Sends all, never more than `in_flight` at a time; each answer says that everything was accepted.
    async fn all(
        &mut self,
        mut messages: impl Iterator<Item = (HeaderMap, Vec<u8>)>,
        in_flight: usize,
    ) -> Result<Duration, Failure> {
        let began = Instant::now();
        let mut under_way = 0;
        loop {
            while under_way < in_flight {
                let Some((mut headers, body)) = messages.next() else { break };
                if let Some(authorization) = &self.authorization {
                    headers.insert("Authorization", authorization.clone());
                }
                let (subject, inbox) = (self.subject.clone(), self.inbox.clone());
                let sent = self.client.publish_with_reply_and_headers(subject, inbox, headers, body.into());
                sent.await.map_err(Failure::usage)?;
                under_way += 1;
            }
            if under_way == 0 {
                return Ok(began.elapsed());
            }
            let answer = tokio::time::timeout(ANSWER_WAIT, self.answers.next()).await;
            let answer = answer.map_err(|_| Failure::refused("no answer came over NATS"))?;
            let answer = answer.ok_or_else(|| Failure::refused("the NATS connection ended"))?;
            super::check_accepted(&answer.payload)?;
            under_way -= 1;
        }
    }
}
