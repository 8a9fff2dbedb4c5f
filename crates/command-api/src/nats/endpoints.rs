//! The endpoints, derived from the tables of commands and views, and how each serves its requests.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;

use async_nats::HeaderMap;
use async_nats::service::Request;
use async_nats::service::endpoint::Endpoint;
use bytes::Bytes;
use futures::StreamExt;
use ledger_core::Command;
use projections::VIEWS;
use tokio::task::JoinSet;

use crate::invalid::Invalid;
use crate::request::{Batch, Envelope, TRACE_HEADER, read_command};
use crate::service::{COMMAND_STATUS, Offered, Service, page_json, read_query};
use crate::writer::Request as Decision;

/// How many requests of one subscription are read at a time.
const READ_AHEAD: usize = 32;

/// What an endpoint is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    Command(&'static str),
    Batch,
    View(&'static str),
}

impl Asked {
    /// Of an endpoint's description, if it is one of a view.
    pub(super) fn into_view<S, M>((asked, subject, metadata): (Asked, S, M)) -> Option<(&'static str, S, M)> {
        match asked {
            Asked::View(view) => Some((view, subject, metadata)),
            Asked::Command(_) | Asked::Batch => None,
        }
    }
}

/// A request that was read, whatever came of that.
enum Read {
    Command(Result<Decision, Invalid>),
    Batch(Result<Batch, Invalid>),
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

/// Reads in parallel, takes places in the queue in order, and waits for outcomes beside that.
pub(super) async fn serve_commands(
    endpoint: Endpoint,
    asked: Asked,
    ledger: Service,
    until: impl Future<Output = ()> + Send,
) {
    let until = pin!(until);
    let read = endpoint.take_until(until).map(|request| {
        let request = Arc::new(request);
        let reading = Arc::clone(&request);
        let read = tokio::spawn(async move { read(asked, &reading) });
        async move { (request, read.await) }
    });
    let mut requests = read.buffered(READ_AHEAD);
    let mut answering = JoinSet::new();
    while let Some((request, read)) = requests.next().await {
        let offered = match read {
            Ok(Read::Command(command)) => ledger.offer(command),
            Ok(Read::Batch(batch)) => ledger.offer_batch(batch),
            // A panic while reading: nothing was decided.
            Err(_) => ledger.offer(Err(Invalid::whole("invalid_value", "the request could not be read"))),
        };
        answering.spawn(answer(ledger.clone(), request, offered));
        while answering.try_join_next().is_some() {}
    }
    while answering.join_next().await.is_some() {}
}

async fn answer(ledger: Service, request: Arc<Request>, offered: Offered) {
    let outcome = ledger.outcome(offered).await;
    let trace = request.message.headers.as_ref().and_then(|headers| headers.get(TRACE_HEADER));
    outcome.log(&request.message.subject, trace.map(|value| value.as_str()));
    respond(&request, outcome.to_json()).await;
}

/// Serves a view's endpoint until it is stopped, and answers what it has.
pub(super) async fn serve_view(mut endpoint: Endpoint, view: &'static str, ledger: Service) {
    let mut answering = JoinSet::new();
    while let Some(request) = endpoint.next().await {
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

fn read(asked: Asked, request: &Request) -> Read {
    let body: &Bytes = &request.message.payload;
    let envelope = envelope(request.message.headers.as_ref());
    match asked {
        Asked::Command(name) => {
            Read::Command(envelope.and_then(|envelope| read_command(name, body, &envelope)))
        }
        Asked::Batch | Asked::View(_) => {
            Read::Batch(envelope.and_then(|envelope| Batch::read(body, &envelope)))
        }
    }
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
