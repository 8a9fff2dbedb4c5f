//! The HTTP door: the same names as on NATS, the same replies, errors as RFC 9457 problem details.
//!
//! | path | is |
//! |---|---|
//! | `POST /v1/commands/{module.action}` | a command |
//! | `POST /v1/commands` | a batch |
//! | `GET /v1/commands/{id}` | what became of a command |
//! | `GET POST /v1/views/{view}` | a query |
//! | `POST /v1/clock/confirm` | an operator says that the wall clock is right |
//! | `/v1/ledgers/{ledger}/…` | the same for a ledger by name |
//! | `/health/live` `/health/ready` `/metrics` | for whoever runs it |
//! | `/openapi.json` `/asyncapi.json` `/schemas/…` | what this speaks |

mod answering;
mod asking;
mod body;
mod ledger;
pub(crate) mod parameters;
mod problem;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio::net::TcpListener;

use crate::ledgers::Ledgers;
use crate::metrics;
use problem::Problem;

/// Every path of the door.
pub fn router(ledgers: Ledgers) -> Router {
    let ledger_paths = || {
        Router::new()
            .route("/commands", post(asking::batch))
            .route("/commands/{name}", post(asking::command).get(asking::command_status))
            .route("/views/{view}", get(asking::view_by_parameters).post(asking::view))
            .route("/clock/confirm", post(asking::confirm_clock))
    };
    Router::new()
        .nest("/v1", ledger_paths())
        .nest("/v1/ledgers/{ledger}", ledger_paths())
        .route("/health/live", get(|| async { "live\n" }))
        .route("/health/ready", get(ready))
        .route("/metrics", get(exposition))
        .route("/openapi.json", get(|| async { answering::document("openapi.json") }))
        .route("/asyncapi.json", get(|| async { answering::document("asyncapi.json") }))
        .route("/schemas/{*path}", get(answering::schema))
        .fallback(|| async {
            Problem::new(StatusCode::NOT_FOUND, "not_found", "there is nothing under this path")
        })
        .method_not_allowed_fallback(|| async {
            let message = "this path does not take this method; /openapi.json lists what there is";
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message)
        })
        .with_state(ledgers)
}

/// Serves until `stop` is there, then finishes the requests it has.
pub async fn serve(
    listener: TcpListener,
    ledgers: Ledgers,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    axum::serve(listener, router(ledgers)).with_graceful_shutdown(stop).await
}

async fn ready(State(ledgers): State<Ledgers>) -> Response {
    match ledgers.trouble() {
        None => "ready\n".into_response(),
        Some(why) => Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", why).into_response(),
    }
}

async fn exposition(State(ledgers): State<Ledgers>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], metrics::exposition(ledgers.iter()))
        .into_response()
}
