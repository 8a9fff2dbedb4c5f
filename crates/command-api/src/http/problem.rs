//! Errors as RFC 9457 problem details, with the code that the contract gives them.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use projections::Position;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::reply::{Reply, json};

/// A problem as it goes over the wire.
#[derive(Debug, Serialize)]
pub(super) struct Problem {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    detail: String,
    /// The status of the reply in one word, where there is a reply.
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
    code: &'static str,
    /// Path, header, details and position, as in the reply.
    #[serde(flatten)]
    more: Map<String, Value>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        let title = status.canonical_reason().unwrap_or("Error");
        let (status, detail) = (status.as_u16(), detail.into());
        Problem { r#type: "about:blank", title, status, detail, outcome: None, code, more: Map::new() }
    }

    /// The same, and how far the log was when it was found.
    pub(super) fn at(mut self, position: Position) -> Self {
        self.more.insert("position".into(), serde_json::json!(position));
        self
    }

    /// The problem that a reply tells of; `None` if the command was accepted.
    pub(super) fn of(reply: &Reply) -> Option<Self> {
        let (code, message) = (reply.code()?, reply.message()?);
        let mut more = match serde_json::to_value(reply) {
            Ok(Value::Object(fields)) => fields,
            Ok(_) | Err(_) => unreachable!("a reply is a JSON object"),
        };
        for told_already in ["status", "code", "message"] {
            more.shift_remove(told_already);
        }
        let outcome = Some(reply.status());
        Some(Problem { outcome, more, ..Problem::new(status_of(reply, code), code, message) })
    }
}

/// The HTTP status of a reply that is not an acceptance.
fn status_of(reply: &Reply, code: &str) -> StatusCode {
    match reply {
        Reply::Accepted(_) => StatusCode::OK,
        Reply::Rejected(_) => StatusCode::UNPROCESSABLE_ENTITY,
        Reply::Invalid(_) if matches!(code, "unknown_command" | "unknown_view") => StatusCode::NOT_FOUND,
        Reply::Invalid(_) if code == "too_slow" => StatusCode::REQUEST_TIMEOUT,
        Reply::Invalid(_) => StatusCode::BAD_REQUEST,
        Reply::Unauthorised(_) => StatusCode::UNAUTHORIZED,
        Reply::Forbidden(_) => StatusCode::FORBIDDEN,
        Reply::Conflict(_) => StatusCode::CONFLICT,
        Reply::Busy(_) if code == "queue_full" => StatusCode::TOO_MANY_REQUESTS,
        Reply::Busy(_) | Reply::Unavailable(_) | Reply::Unknown(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, json(&self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
