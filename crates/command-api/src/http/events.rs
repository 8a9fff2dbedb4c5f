//! The events over HTTP: Server-Sent Events or JSON lines, straight from the journal, following its end.
//!
//! Nothing is kept for a reader: it says where it was, by `from` or, after a broken connection, by `Last-Event-ID`.
//! A reader that is slow slows only itself.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Extension;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use futures::stream;
use projections::Position;
use tokio::sync::watch;

use super::answering;
use super::asking::allowed;
use super::ledger::Ledger;
use super::parameters::{Came, Given};
use crate::events::{CloudEvent, EventSource, Origin};
use crate::invalid::Invalid;
use crate::reply::Reply;
use crate::service::Service;

/// Events read at a time.
const READ_MAX: usize = 256;
/// A reader that hears nothing for so long is sent a sign of life.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How often the journal is looked at when nobody tells that it has grown.
const LOOK_AGAIN: Duration = Duration::from_millis(250);
const LAST_EVENT_ID: &str = "Last-Event-ID";

/// True once the door stops taking requests: endless answers end.
#[derive(Clone)]
pub(super) struct Stopping(pub(super) watch::Receiver<bool>);

/// Which events.
struct Wanted {
    /// The ordinal of the first one; 1 when absent.
    from: Option<u64>,
    /// Whether to wait for more where the journal ends.
    follow: Option<bool>,
}

/// How events are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    ServerSent,
    Lines,
}

/// What a stream of events goes on with.
struct Tail {
    service: Service,
    origin: Origin,
    /// `None` once it ended.
    source: Option<EventSource>,
    form: Form,
    follow: bool,
    stopping: watch::Receiver<bool>,
}

pub(super) async fn events(
    Ledger(service): Ledger,
    Extension(Stopping(stopping)): Extension<Stopping>,
    headers: HeaderMap,
    parameters: Came,
) -> Response {
    if let Err(refused) = allowed(&service, &headers, "events:read") {
        return answering::reply(&refused);
    }
    let (wanted, form) = match read(&headers, parameters) {
        Ok(read) => read,
        Err(invalid) => return answering::reply(&invalid.into()),
    };
    let source = match EventSource::from_apart(service.journal(), wanted.from.unwrap_or(1)).await {
        Ok(source) => Some(source),
        Err(fault) => return answering::reply(&Reply::unavailable(&fault.to_string())),
    };
    let origin = Origin { ledger: service.uuid(), name: service.name().to_owned() };
    let follow = wanted.follow.unwrap_or(true);
    let tail = Tail { service, origin, source, form, follow, stopping };
    let pieces = stream::unfold(tail, |mut tail| async {
        let piece = tail.next().await?;
        Some((Ok::<_, Infallible>(Bytes::from(piece)), tail))
    });
    let headers = [(header::CONTENT_TYPE, form.content_type()), (header::CACHE_CONTROL, "no-store")];
    (headers, Body::from_stream(pieces)).into_response()
}

/// A browser that lost its connection says the last event it saw, and that is where it goes on.
fn read(headers: &HeaderMap, parameters: Came) -> Result<(Wanted, Form), Invalid> {
    let given = Given::read(parameters, &["from", "follow"])?;
    let asked: Option<u64> = given.parsed("from", "the number of an event")?;
    let follow = given.parsed("follow", "true or false")?;
    let from = match headers.get(LAST_EVENT_ID) {
        None => asked,
        Some(last) => {
            let seen = last.to_str().ok().and_then(|text| text.parse::<u64>().ok()).ok_or_else(|| {
                Invalid::header(LAST_EVENT_ID, "wanted the number of an event, as this stream gave it")
            })?;
            Some(seen.saturating_add(1))
        }
    };
    let accepted = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or("*/*");
    let accepts = |media_type| accepted.split(',').any(|one| one.trim().starts_with(media_type));
    let form = if accepts("text/event-stream") { Form::ServerSent } else { Form::Lines };
    Ok((Wanted { from, follow }, form))
}

impl Tail {
    /// What is written next: events, or a sign of life; `None` at the end.
    async fn next(&mut self) -> Option<Vec<u8>> {
        let mut position = self.service.watch_position();
        let silent_since = tokio::time::Instant::now();
        loop {
            position.borrow_and_update();
            let source = self.source.take()?;
            let (form, origin) = (self.form, self.origin.clone());
            match source.read_apart(READ_MAX, move |event| form.event(&event, &origin)).await {
                Ok((after, events)) => {
                    self.source = Some(after);
                    if !events.is_empty() {
                        return Some(events.concat());
                    }
                }
                Err(fault) => {
                    tracing::error!(%fault, "a reader of events was sent away");
                    return None;
                }
            }
            if !self.follow {
                return None;
            }
            tokio::select! {
                // The sender is gone with the door, or with the service.
                _ = self.stopping.wait_for(|stop| *stop) => return None,
                () = moves(&mut position) => {}
                () = tokio::time::sleep_until(silent_since + HEARTBEAT) => {
                    return Some(self.form.heartbeat().to_vec());
                }
            }
        }
    }
}

/// Returns when the views move. While they stand still for good, what is durable is looked at now and then.
async fn moves(position: &mut watch::Receiver<Position>) {
    if position.changed().await.is_err() {
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

impl Form {
    fn content_type(self) -> &'static str {
        match self {
            Form::ServerSent => "text/event-stream",
            Form::Lines => "application/x-ndjson",
        }
    }

    fn event(self, event: &CloudEvent, origin: &Origin) -> Vec<u8> {
        let json = event.to_structured(origin);
        match self {
            Form::ServerSent => {
                let head = format!("id: {}\nevent: {}\ndata: ", event.ordinal, event.type_name());
                [head.as_bytes(), &json, b"\n\n"].concat()
            }
            Form::Lines => [&json, &b"\n"[..]].concat(),
        }
    }

    fn heartbeat(self) -> &'static [u8] {
        match self {
            Form::ServerSent => b": alive\n\n",
            // JSON readers skip white space.
            Form::Lines => b"\n",
        }
    }
}
