//! What an operator asks of a service that runs.

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::answering;
use super::asking::allowed;
use super::body::read_json;
use super::ledger::Ledger;
use super::problem::Problem;
use crate::invalid::Invalid;
use crate::reply::{Reply, json};
use crate::service::NotRebuilt;

/// The wall clock is right.
pub(super) async fn confirm_clock(Ledger(service): Ledger, headers: HeaderMap, body: Body) -> Response {
    if let Err(refused) = allowed(&service, &headers, "operate:confirm_clock") {
        return answering::reply(&refused);
    }
    let read = read_json(&headers, body).await.map_err(Reply::from);
    match read.and_then(|_| service.confirm_clock()) {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(refused) => answering::reply(&refused),
    }
}

/// The views are to be folded anew: `{}`, or `{"anyway": true}` to take them even if they answer something else.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Rebuild {
    #[serde(default)]
    anyway: bool,
}

pub(super) async fn rebuild_views(Ledger(service): Ledger, headers: HeaderMap, body: Body) -> Response {
    if let Err(refused) = allowed(&service, &headers, "operate:rebuild_views") {
        return answering::reply(&refused);
    }
    let asked = match read_json(&headers, body).await.and_then(|body| read(&body)) {
        Ok(asked) => asked,
        Err(invalid) => return answering::reply(&invalid.into()),
    };
    let rebuilding = tokio::task::spawn_blocking(move || service.rebuild_views(asked.anyway));
    let (status, code, why) = match rebuilding.await {
        Ok(Ok(rebuilt)) => return answering::json_response(json(&rebuilt)),
        Ok(Err(fault @ NotRebuilt::UnderWay)) => {
            (StatusCode::CONFLICT, "rebuild_under_way", fault.to_string())
        }
        Ok(Err(fault)) => (StatusCode::SERVICE_UNAVAILABLE, "not_rebuilt", fault.to_string()),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "not_rebuilt", "it panicked: see the log".to_owned()),
    };
    Problem::new(status, code, why).into_response()
}

fn read(body: &[u8]) -> Result<Rebuild, Invalid> {
    crate::invalid::from_slice(body)
}
