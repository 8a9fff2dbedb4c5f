//! What a request carries: its body, said to be JSON, and its headers.

use std::time::SystemTime;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, header};

use super::connections::TooSlow;
use crate::auth::Caller;
use crate::invalid::Invalid;
use crate::reply::Reply;
use crate::request::{BATCH_BYTES_MAX, Envelope};
use crate::service::Service;

/// Reads the body, up to the longest that anything may have. A browser sends `application/json` to another site only
/// after asking, so asking for it keeps web pages from acting in the name of whoever looks at them.
pub(super) async fn read_json(headers: &HeaderMap, body: Body) -> Result<Bytes, Invalid> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let media_type = content_type.split(';').next().unwrap_or("").trim();
    let is_json = media_type.eq_ignore_ascii_case("application/json");
    let is_like_json = media_type.starts_with("application/") && media_type.ends_with("+json");
    if !is_json && !is_like_json {
        let message = format!("wanted Content-Type: application/json, found {content_type:?}");
        return Err(Invalid::header("Content-Type", message));
    }
    let read = axum::body::to_bytes(body, BATCH_BYTES_MAX).await;
    read.map_err(|fault| {
        if let Some(slow) = TooSlow::behind(&fault) {
            return Invalid::whole("too_slow", slow.to_string());
        }
        let message = format!("wanted a whole body of at most {BATCH_BYTES_MAX} bytes: {fault}");
        Invalid::whole("too_large", message)
    })
}

/// Who calls, by the token in the headers.
pub(super) fn caller(service: &Service, headers: &HeaderMap) -> Result<Caller, Reply> {
    service.auth().caller(|name| values(headers, name), SystemTime::now())
}

/// What stands around a command.
pub(super) fn envelope(service: &Service, headers: &HeaderMap) -> Result<Envelope, Reply> {
    Ok(Envelope::read(caller(service, headers)?, |name| values(headers, name))?)
}

fn values<'h>(headers: &'h HeaderMap, name: &str) -> Vec<&'h [u8]> {
    headers.get_all(name).iter().map(|value| value.as_bytes()).collect()
}
