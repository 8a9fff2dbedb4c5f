//! Commands, batches and queries that come over HTTP.

use std::time::Instant;

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use projections::Query;

use super::answering;
use super::body::{caller, envelope, read_json};
use super::ledger::{Ledger, Named};
use super::parameters::{Came, Given, pairs, query_of_parameters};
use super::problem::Problem;
use crate::invalid::Invalid;
use crate::reply::Reply;
use crate::request::{Batch, TRACE_HEADER, read_command};
use crate::service::{COMMAND_STATUS, Offered, Service, query_permission, read_query};
use crate::traces::Told;

pub(super) async fn command(
    Ledger(service): Ledger,
    Named(name): Named,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let asked = Instant::now();
    let offered = match envelope(&service, &headers) {
        Ok(envelope) => {
            let body = read_json(&headers, body).await;
            service.offer(body.and_then(|body| read_command(&name, &body, &envelope)))
        }
        Err(refused) => Offered::Answered(Box::new(refused)),
    };
    answer(&service, offered, &name, &headers, asked).await
}

pub(super) async fn batch(Ledger(service): Ledger, headers: HeaderMap, body: Body) -> Response {
    let asked = Instant::now();
    let offered = match envelope(&service, &headers) {
        Ok(envelope) => {
            let body = read_json(&headers, body).await;
            service.offer_batch(body.and_then(|body| Batch::read(&body, &envelope)))
        }
        Err(refused) => Offered::Answered(Box::new(refused)),
    };
    answer(&service, offered, "batch", &headers, asked).await
}

pub(super) async fn command_status(
    Ledger(service): Ledger,
    Named(id): Named,
    headers: HeaderMap,
    parameters: Came,
) -> Response {
    if let Err(refused) = allowed(&service, &headers, &query_permission(COMMAND_STATUS)) {
        return answering::reply(&refused);
    }
    match status(&service, &id, parameters).await {
        Ok(Some(reply)) | Err(reply) => answering::reply(&reply),
        Ok(None) => {
            let position = service.position();
            let detail = format!("no accepted command {id:?} is remembered at {position}");
            Problem::new(StatusCode::NOT_FOUND, "unknown_command_id", detail).at(position).into_response()
        }
    }
}

async fn status(service: &Service, id: &str, parameters: Came) -> Result<Option<Reply>, Reply> {
    let given = Given::read(parameters, &["min_position"])?;
    if let Some(token) = given.text("min_position") {
        service.reach(token).await?;
    }
    service.command_status(id).await
}

pub(super) async fn view(
    Ledger(service): Ledger,
    Named(view): Named,
    headers: HeaderMap,
    body: Body,
) -> Response {
    if let Err(refused) = allowed(&service, &headers, &query_permission(&view)) {
        return answering::reply(&refused);
    }
    let query = match read_json(&headers, body).await {
        Ok(body) => read_query(&body),
        Err(invalid) => Err(invalid),
    };
    ask(&service, &view, &headers, query).await
}

pub(super) async fn view_by_parameters(
    Ledger(service): Ledger,
    Named(view): Named,
    headers: HeaderMap,
    parameters: Came,
) -> Response {
    if let Err(refused) = allowed(&service, &headers, &query_permission(&view)) {
        return answering::reply(&refused);
    }
    let query = pairs(parameters).and_then(|parameters| query_of_parameters(&view, parameters));
    ask(&service, &view, &headers, query).await
}

/// Whether whoever calls may ask for this; else the refusal.
pub(super) fn allowed(service: &Service, headers: &HeaderMap, permission: &str) -> Result<(), Reply> {
    caller(service, headers)?.rights.require(permission)
}

async fn answer(
    service: &Service,
    offered: Offered,
    name: &str,
    headers: &HeaderMap,
    asked: Instant,
) -> Response {
    let outcome = service.outcome(offered).await;
    let told = told_over_http(service, name, headers, asked);
    service.metrics().count_answer(&outcome, told.time);
    service.traces().answered(&told, &outcome);
    outcome.log(name, told.trace);
    answering::outcome(&outcome)
}

async fn ask(service: &Service, view: &str, headers: &HeaderMap, query: Result<Query, Invalid>) -> Response {
    let asked = Instant::now();
    let page = match query {
        Ok(query) => service.query(view, query).await,
        Err(invalid) => Err(invalid.into()),
    };
    service.traces().queried(&told_over_http(service, view, headers, asked), page.as_ref().err());
    answering::page(&page)
}

fn told_over_http<'a>(
    service: &'a Service,
    name: &'a str,
    headers: &'a HeaderMap,
    asked: Instant,
) -> Told<'a> {
    let trace = headers.get(TRACE_HEADER).and_then(|value| value.to_str().ok());
    Told { ledger: service.name(), door: "http", name, trace, time: asked.elapsed() }
}
