//! The endpoints, derived from the tables of commands and views, and how each serves its requests.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;

use async_nats::HeaderMap;
use async_nats::service::Request;
use async_nats::service::endpoint::Endpoint;
use futures::{Stream, StreamExt};
use ledger_core::Command;
use projections::VIEWS;
use tokio::task::JoinSet;

use crate::invalid::Invalid;
use crate::reply::Outcome;
use crate::request::{Batch, Envelope, TRACE_HEADER, read_command};
use crate::service::{COMMAND_STATUS, Each, Offered, Service, page_json, read_query};
use crate::writer::Request as Decision;

/// How many groups of one subscription's requests are read at a time.
const READ_AHEAD: usize = 8;
/// Commands that wait for the same reader are read, decided and answered together, so many at the most.
const TOGETHER: usize = 64;

/// What an endpoint is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    Command(&'static str),
    Batch,
    View(&'static str),
}

/// Every endpoint: what it is asked for, its subject below the ledger's, its metadata.
pub(super) fn asked_of() -> Vec<(Asked, String, HashMap<String, String>)> {
    let schema = |path: String| HashMap::from([("schema".to_owned(), path)]);
    let commands = Command::KINDS.iter().filter(|kind| kind.public).map(|kind| {
        let path = format!("commands/{}.json", kind.name);
        (Asked::Command(kind.name), format!("command.{}", kind.name), schema(path))
    });
    let views = VIEWS.iter().map(|view| {
        let path = format!("views/{}.json", view.name);
        (Asked::View(view.name), format!("query.{}", view.name), schema(path))
    });
    let batch = (Asked::Batch, "command.batch".to_owned(), HashMap::new());
    let status = (Asked::View(COMMAND_STATUS), format!("query.{COMMAND_STATUS}"), HashMap::new());
    commands.chain([batch]).chain(views).chain([status]).collect()
}

/// Serves an endpoint until the end, or until it is stopped, and answers what it has.
pub(super) async fn serve(
    endpoint: Endpoint,
    asked: Asked,
    ledger: Service,
    end: impl Future<Output = ()> + Send,
) {
    let end = pin!(end);
    let requests = endpoint.take_until(end);
    match asked {
        Asked::View(view) => serve_view(requests, view, ledger).await,
        Asked::Command(name) => serve_commands(requests, name, ledger).await,
        Asked::Batch => serve_batches(requests, ledger).await,
    }
}

/// Reads in parallel, takes places in the queue in order, and waits for outcomes beside that.
async fn serve_commands(requests: impl Stream<Item = Request> + Unpin, name: &'static str, ledger: Service) {
    let read = requests.ready_chunks(TOGETHER).map(|requests| {
        let requests = Arc::new(requests);
        let reading = Arc::clone(&requests);
        let read = tokio::spawn(async move { reading.iter().map(|request| read(name, request)).collect() });
        async move { (requests, read.await) }
    });
    let mut groups = read.buffered(READ_AHEAD);
    let mut answering = JoinSet::new();
    while let Some((requests, read)) = groups.next().await {
        // A panic while reading: nothing was decided.
        let read: Vec<_> = read.unwrap_or_else(|_| requests.iter().map(|_| Err(unreadable())).collect());
        let each = ledger.offer_each(read);
        answering.spawn(answer_each(ledger.clone(), requests, each));
        while answering.try_join_next().is_some() {}
    }
    while answering.join_next().await.is_some() {}
}

async fn serve_batches(requests: impl Stream<Item = Request> + Unpin, ledger: Service) {
    let read = requests.map(|request| {
        let request = Arc::new(request);
        let reading = Arc::clone(&request);
        let read = tokio::spawn(async move { read_batch(&reading) });
        async move { (request, read.await) }
    });
    let mut batches = read.buffered(READ_AHEAD);
    let mut answering = JoinSet::new();
    while let Some((request, read)) = batches.next().await {
        let offered = ledger.offer_batch(read.unwrap_or_else(|_| Err(unreadable())));
        answering.spawn(answer(ledger.clone(), request, offered));
        while answering.try_join_next().is_some() {}
    }
    while answering.join_next().await.is_some() {}
}

async fn answer_each(ledger: Service, requests: Arc<Vec<Request>>, each: Each) {
    let replies = ledger.replies(each).await;
    for (request, reply) in requests.iter().zip(replies) {
        let outcome = Outcome::One(reply);
        outcome.log(&request.message.subject, trace(request));
        respond(request, outcome.to_json()).await;
    }
}

async fn answer(ledger: Service, request: Arc<Request>, offered: Offered) {
    let outcome = ledger.outcome(offered).await;
    outcome.log(&request.message.subject, trace(&request));
    respond(&request, outcome.to_json()).await;
}

fn trace(request: &Request) -> Option<&str> {
    let headers = request.message.headers.as_ref()?;
    headers.get(TRACE_HEADER).map(|value| value.as_str())
}

async fn serve_view(mut requests: impl Stream<Item = Request> + Unpin, view: &'static str, ledger: Service) {
    let mut answering = JoinSet::new();
    while let Some(request) = requests.next().await {
        let ledger = ledger.clone();
        answering.spawn(async move {
            let page = match read_query(&request.message.payload) {
                Ok(query) => ledger.query(view, query).await,
                Err(invalid) => Err(invalid.into()),
            };
            respond(&request, page_json(&page)).await;
        });
        while answering.try_join_next().is_some() {}
    }
    while answering.join_next().await.is_some() {}
}

fn read(name: &str, request: &Request) -> Result<Decision, Invalid> {
    read_command(name, &request.message.payload, &envelope(request.message.headers.as_ref())?)
}

fn read_batch(request: &Request) -> Result<Batch, Invalid> {
    Batch::read(&request.message.payload, &envelope(request.message.headers.as_ref())?)
}

fn unreadable() -> Invalid {
    Invalid::whole("invalid_value", "the request could not be read")
}

fn envelope(headers: Option<&HeaderMap>) -> Result<Envelope, Invalid> {
    Envelope::read(|name| {
        let values = headers.into_iter().flat_map(|headers| headers.get_all(name));
        values.map(|value| value.as_str().as_bytes()).collect()
    })
}

async fn respond(request: &Request, body: Vec<u8>) {
    // A request without a reply subject is decided like any other; nobody waits for its answer.
    if request.message.reply.is_some()
        && let Err(fault) = request.respond(Ok(body.into())).await
    {
        tracing::warn!(%fault, "an answer could not be sent");
    }
}
