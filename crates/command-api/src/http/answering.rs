//! Outcomes, pages and documents as HTTP responses.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use projections::Page;
use serde_json::Value;

use super::problem::Problem;
use crate::describe;
use crate::reply::{Outcome, Reply, json};

pub(super) fn outcome(outcome: &Outcome) -> Response {
    match outcome {
        Outcome::One(told) => reply(told),
        Outcome::Each(_) => json_response(outcome.to_json()),
    }
}

pub(super) fn reply(reply: &Reply) -> Response {
    match Problem::of(reply) {
        Some(problem) => problem.into_response(),
        None => json_response(reply.to_json()),
    }
}

pub(super) fn page(page: &Result<Page, Reply>) -> Response {
    match page {
        Ok(page) => json_response(json(page)),
        Err(refused) => reply(refused),
    }
}

/// A document that describes this service.
pub(super) fn document(path: &str) -> Response {
    static DOCUMENTS: LazyLock<Vec<(String, Value)>> = LazyLock::new(describe::documents);
    match DOCUMENTS.iter().find(|(known, _)| known == path) {
        Some((_, document)) => json_response(json(document)),
        None => Problem::new(StatusCode::NOT_FOUND, "not_found", format!("there is no document {path:?}"))
            .into_response(),
    }
}

pub(super) async fn schema(Path(path): Path<String>) -> Response {
    document(&path)
}

pub(super) fn json_response(bytes: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], bytes).into_response()
}
