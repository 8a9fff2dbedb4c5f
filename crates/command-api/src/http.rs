//! The HTTP door: the same names as on NATS, the same replies, errors as RFC 9457 problem details.
//!
//! | path | is |
//! |---|---|
//! | `POST /v1/commands/{module.action}` | a command |
//! | `POST /v1/commands` | a batch |
//! | `GET /v1/commands/{id}` | what became of a command |
//! | `GET POST /v1/views/{view}` | a query |
//! | `GET /v1/events` | every event from an ordinal on, as Server-Sent Events or JSON lines |
//! | `GET /v1/journal?from=` | the journal's frames, byte for byte, for backups |
//! | `POST /v1/clock/confirm` | an operator says that the wall clock is right |
//! | `POST /v1/views/rebuild` | every view is folded anew beside those that answer, and takes their place |
//! | `/v1/ledgers/{ledger}/…` | the same for a ledger by name |
//! | `/health/live` `/health/ready` `/metrics` | for whoever runs it |
//! | `/openapi.json` `/asyncapi.json` `/schemas/…` | what this speaks |

mod answering;
mod asking;
mod body;
mod connections;
mod events;
mod journal;
mod ledger;
mod operating;
pub(crate) mod parameters;
mod problem;
mod tls;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::Listener;
use axum::{Extension, Router};
use tokio::sync::watch;

use crate::ledgers::Ledgers;
use crate::metrics;
use problem::Problem;

pub use connections::Patience;
pub use tls::{Identity, TlsFault, TlsListener};

/// Every path of the door. Answers without an end are cut off once `stopping` is true.
pub fn router(ledgers: Ledgers, stopping: watch::Receiver<bool>) -> Router {
    let ledger_paths = || {
        Router::new()
            .route("/commands", post(asking::batch))
            .route("/commands/{name}", post(asking::command).get(asking::command_status))
            .route("/views/{view}", get(asking::view_by_parameters).post(asking::view))
            .route("/events", get(events::events))
            .route("/journal", get(journal::frames))
            .route("/clock/confirm", post(operating::confirm_clock))
            .route("/views/rebuild", post(operating::rebuild_views))
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
        .layer(Extension(events::Stopping(stopping)))
        .with_state(ledgers)
}

/// Serves until `stop` is there, then finishes the requests it has.
pub async fn serve<L: Listener>(
    listener: L,
    ledgers: Ledgers,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    serve_with(Patience::default(), listener, ledgers, stop).await
}

/// The same, with another patience for clients that are slow.
pub async fn serve_with<L: Listener>(
    patience: Patience,
    listener: L,
    ledgers: Ledgers,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let (told, stopping) = watch::channel(false);
    let router = router(ledgers, stopping.clone());
    let stop = async move {
        stop.await;
        told.send_replace(true);
    };
    let serving = connections::serve(listener, router, stopping, patience);
    tokio::join!(serving, stop);
    Ok(())
}

async fn ready(State(ledgers): State<Ledgers>) -> Response {
    match ledgers.trouble() {
        None => "ready\n".into_response(),
        Some(why) => Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", why).into_response(),
    }
}

async fn exposition(State(ledgers): State<Ledgers>) -> Response {
    // How old the first entry is that the views lack stands in the journal.
    match tokio::task::spawn_blocking(move || metrics::exposition(ledgers.iter())).await {
        Ok(text) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response(),
        Err(_) => {
            let why = "the figures could not be gathered: see the log";
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "no_metrics", why).into_response()
        }
    }
}
