//! Commands, batches and queries that come over HTTP.

use axum::body::Body;
use axum::extract::Query as Parameters;
use axum::extract::rejection::QueryRejection;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use projections::Query;

use super::answering;
use super::body::{envelope, read_json};
use super::ledger::{Ledger, Named};
use super::parameters::query_of_parameters;
use super::problem::Problem;
use crate::invalid::Invalid;
use crate::request::{Batch, TRACE_HEADER, read_command};
use crate::service::{Offered, Service, read_query};
use crate::writer::Request;

pub(super) async fn command(
    Ledger(service): Ledger,
    Named(name): Named,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let request = read_command_request(&name, &headers, body).await;
    answer(&service, service.offer(request), &name, &headers).await
}

pub(super) async fn batch(Ledger(service): Ledger, headers: HeaderMap, body: Body) -> Response {
    let batch = read_batch(&headers, body).await;
    answer(&service, service.offer_batch(batch), "batch", &headers).await
}

pub(super) async fn command_status(Ledger(service): Ledger, Named(id): Named) -> Response {
    match service.command_status(&id).await {
        Some(reply) => answering::reply(&reply),
        None => {
            let detail = format!("no accepted command {id:?} is remembered");
            Problem::new(StatusCode::NOT_FOUND, "unknown_command_id", detail).into_response()
        }
    }
}

pub(super) async fn view(
    Ledger(service): Ledger,
    Named(view): Named,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let query = match read_json(&headers, body).await {
        Ok(body) => read_query(&body),
        Err(invalid) => Err(invalid),
    };
    ask(&service, &view, query).await
}

pub(super) async fn view_by_parameters(
    Ledger(service): Ledger,
    Named(view): Named,
    parameters: Result<Parameters<Vec<(String, String)>>, QueryRejection>,
) -> Response {
    let query = match parameters {
        Ok(Parameters(parameters)) => query_of_parameters(&view, parameters),
        Err(fault) => Err(Invalid::whole("invalid_value", fault.body_text())),
    };
    ask(&service, &view, query).await
}

pub(super) async fn confirm_clock(Ledger(service): Ledger, headers: HeaderMap, body: Body) -> Response {
    match read_json(&headers, body).await {
        Ok(_) => {
            service.confirm_clock();
            StatusCode::NO_CONTENT.into_response()
        }
        Err(invalid) => answering::reply(&invalid.into()),
    }
}

async fn read_command_request(name: &str, headers: &HeaderMap, body: Body) -> Result<Request, Invalid> {
    let envelope = envelope(headers)?;
    read_command(name, &read_json(headers, body).await?, &envelope)
}

async fn read_batch(headers: &HeaderMap, body: Body) -> Result<Batch, Invalid> {
    let envelope = envelope(headers)?;
    Batch::read(&read_json(headers, body).await?, &envelope)
}

async fn answer(service: &Service, offered: Offered, asked: &str, headers: &HeaderMap) -> Response {
    let outcome = service.outcome(offered).await;
    outcome.log(asked, headers.get(TRACE_HEADER).and_then(|value| value.to_str().ok()));
    answering::outcome(&outcome)
}

async fn ask(service: &Service, view: &str, query: Result<Query, Invalid>) -> Response {
    let page = match query {
        Ok(query) => service.query(view, query).await,
        Err(invalid) => Err(invalid.into()),
    };
    answering::page(&page)
}
