//! The endpoints, derived from the tables of commands and views, and how each serves its requests.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use async_nats::HeaderMap;
use async_nats::service::Request;
use async_nats::service::endpoint::Endpoint;
use futures::{Stream, StreamExt};
use ledger_core::Command;
use projections::VIEWS;
use tokio::task::JoinSet;

use crate::auth::{Auth, Caller};
use crate::invalid::Invalid;
use crate::reply::{Outcome, Reply};
use crate::request::{Batch, Envelope, TRACE_HEADER, read_command};
use crate::service::{COMMAND_STATUS, Each, Offered, Service, page_json, query_permission, read_query};
use crate::traces::Told;
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
        let (asked, reading, auth) = (Instant::now(), Arc::clone(&requests), ledger.auth().clone());
        let read =
            tokio::spawn(async move { reading.iter().map(|request| read(name, request, &auth)).collect() });
        async move { (requests, asked, read.await) }
    });
    let mut groups = read.buffered(READ_AHEAD);
    let mut answering = JoinSet::new();
    while let Some((requests, asked, read)) = groups.next().await {
        // A panic while reading: nothing was decided.
        let read: Vec<_> =
            read.unwrap_or_else(|_| requests.iter().map(|_| Err(unreadable().into())).collect());
        let each = ledger.offer_each(read);
        answering.spawn(answer_each(ledger.clone(), requests, asked, each));
        while answering.try_join_next().is_some() {}
    }
    while answering.join_next().await.is_some() {}
}

async fn serve_batches(requests: impl Stream<Item = Request> + Unpin, ledger: Service) {
    let read = requests.map(|request| {
        let request = Arc::new(request);
        let (asked, reading, auth) = (Instant::now(), Arc::clone(&request), ledger.auth().clone());
        let read = tokio::spawn(async move { read_batch(&reading, &auth) });
        async move { (request, asked, read.await) }
    });
    let mut batches = read.buffered(READ_AHEAD);
    let mut answering = JoinSet::new();
    while let Some((request, asked, read)) = batches.next().await {
        let offered = match read.unwrap_or_else(|_| Err(unreadable().into())) {
            Ok(batch) => ledger.offer_batch(Ok(batch)),
            Err(refused) => Offered::Answered(Box::new(refused)),
        };
        answering.spawn(answer(ledger.clone(), request, asked, offered));
        while answering.try_join_next().is_some() {}
    }
    while answering.join_next().await.is_some() {}
}

async fn answer_each(ledger: Service, requests: Arc<Vec<Request>>, asked: Instant, each: Each) {
    let replies = ledger.replies(each).await;
    let time = asked.elapsed();
    for (request, reply) in requests.iter().zip(replies) {
        let outcome = Outcome::One(reply);
        note(&ledger, request, time, &outcome);
        respond(request, outcome.to_json()).await;
    }
}

async fn answer(ledger: Service, request: Arc<Request>, asked: Instant, offered: Offered) {
    let outcome = ledger.outcome(offered).await;
    note(&ledger, &request, asked.elapsed(), &outcome);
    respond(&request, outcome.to_json()).await;
}

/// Counts an answer, and tells the log and the traces of it.
fn note(ledger: &Service, request: &Request, time: Duration, outcome: &Outcome) {
    ledger.metrics().count_answer(outcome, time);
    ledger.traces().answered(&told_over_nats(ledger, request, time), outcome);
    outcome.log(&request.message.subject, trace(request));
}

/// What a subject asks for is behind the ledger and `command` or `query` in it.
fn told_over_nats<'a>(ledger: &'a Service, request: &'a Request, time: Duration) -> Told<'a> {
    let name = request.message.subject.splitn(4, '.').nth(3).unwrap_or_default();
    Told { ledger: ledger.name(), door: "nats", name, trace: trace(request), time }
}

fn trace(request: &Request) -> Option<&str> {
    let headers = request.message.headers.as_ref()?;
    headers.get(TRACE_HEADER).map(|value| value.as_str())
}

/// Questions for one view that are answered at a time: others wait on their subscription.
const QUERIES_MAX: usize = 64;

async fn serve_view(mut requests: impl Stream<Item = Request> + Unpin, view: &'static str, ledger: Service) {
    let mut answering = JoinSet::new();
    while let Some(request) = requests.next().await {
        while answering.len() >= QUERIES_MAX {
            answering.join_next().await;
        }
        let ledger = ledger.clone();
        answering.spawn(async move {
            let asked = Instant::now();
            let caller = caller(ledger.auth(), request.message.headers.as_ref());
            let page = match caller.and_then(|caller| caller.rights.require(&query_permission(view))) {
                Ok(()) => match read_query(&request.message.payload) {
                    Ok(query) => ledger.query(view, query).await,
                    Err(invalid) => Err(invalid.into()),
                },
                Err(refused) => Err(refused),
            };
            let told = told_over_nats(&ledger, &request, asked.elapsed());
            ledger.traces().queried(&told, page.as_ref().err());
            respond(&request, page_json(&page)).await;
        });
        while answering.try_join_next().is_some() {}
    }
    while answering.join_next().await.is_some() {}
}

fn read(name: &str, request: &Request, auth: &Auth) -> Result<Decision, Reply> {
    let envelope = envelope(auth, request.message.headers.as_ref())?;
    Ok(read_command(name, &request.message.payload, &envelope)?)
}

fn read_batch(request: &Request, auth: &Auth) -> Result<Batch, Reply> {
    let envelope = envelope(auth, request.message.headers.as_ref())?;
    Ok(Batch::read(&request.message.payload, &envelope)?)
}

fn unreadable() -> Invalid {
    Invalid::whole("invalid_value", "the request could not be read")
}

fn envelope(auth: &Auth, headers: Option<&HeaderMap>) -> Result<Envelope, Reply> {
    Ok(Envelope::read(caller(auth, headers)?, |name| values(headers, name))?)
}

/// Who calls, by the token in the headers.
fn caller(auth: &Auth, headers: Option<&HeaderMap>) -> Result<Caller, Reply> {
    auth.caller(|name| values(headers, name), SystemTime::now())
}

/// All values of a header.
pub(crate) fn values<'h>(headers: Option<&'h HeaderMap>, name: &str) -> Vec<&'h [u8]> {
    let values = headers.into_iter().flat_map(|headers| headers.get_all(name));
    values.map(|value| value.as_str().as_bytes()).collect()
}

async fn respond(request: &Request, body: Vec<u8>) {
    // A request without a reply subject is decided like any other; nobody waits for its answer.
    let Some(reply) = &request.message.reply else { return };
    if !may_be_answered(reply) {
        tracing::warn!(%reply, "no answer was sent: its subject is not a caller's own");
        return;
    }
    if let Err(fault) = request.respond(Ok(body.into())).await {
        tracing::warn!(%fault, "an answer could not be sent");
    }
}

/// The service may publish where a caller may not: to the journal's stream, to the feed, to the server's own subjects. No
/// answer is sent there, whatever a caller names.
fn may_be_answered(reply: &str) -> bool {
    !(reply.starts_with("bincard.") || reply.starts_with('$'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_goes_to_a_callers_own_subject_and_nowhere_else() {
        let answered = ["_INBOX.x.1", "shop.answers"].map(may_be_answered);
        let not =
            ["bincard.main.journal", "bincard.main.event.x", "$JS.API.STREAM.PURGE.X"].map(may_be_answered);
        assert_eq!((answered, not), ([true; 2], [false; 3]));
    }
}
