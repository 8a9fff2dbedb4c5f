//! The feed's stream: made if it is missing, and asked what it holds.

use async_nats::Client;
use async_nats::jetstream::context::GetStreamErrorKind;
use async_nats::jetstream::stream::{Config, RawMessageErrorKind, Stream};
use async_nats::jetstream::{self, Context, ErrorCode};
use uuid::Uuid;

use super::{Fault, FeedOptions};

/// The name of a ledger's feed.
pub fn stream_name(ledger: &str) -> String {
    format!("BINCARD_{ledger}_EVENTS")
}

/// The last event of a feed: a proof that the journal had it once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Whose event it is.
    pub ledger: Uuid,
    /// The event's ordinal.
    pub event: u64,
    /// The entry that holds it.
    pub sequence: u64,
}

/// The last event of the ledger's feed; `None` if there is no feed, or its last message has expired or is no event.
pub async fn last_seen(client: &Client, ledger: &str) -> Result<Option<Seen>, Fault> {
    let context = jetstream::new(client.clone());
    let stream = match context.get_stream(stream_name(ledger)).await {
        Ok(stream) => stream,
        Err(error) => {
            return match error.kind() {
                GetStreamErrorKind::JetStream(told) if told.error_code() == ErrorCode::STREAM_NOT_FOUND => {
                    Ok(None)
                }
                // A witness that cannot be asked is not one that says nothing.
                _ => Err(Fault::jetstream(error)),
            };
        }
    };
    let last = stream.cached_info().state.last_sequence;
    Ok(match message(&stream, last).await? {
        Found::Event(seen) if seen.event == last => Some(seen),
        Found::Event(_) | Found::Other(_) | Found::Nothing => None,
    })
}

/// The feed's stream. One that is there is taken as its operator made it.
pub(super) async fn open(context: &Context, ledger: &str, options: &FeedOptions) -> Result<Stream, Fault> {
    let config = Config {
        name: stream_name(ledger),
        description: Some("Bincard: every event of the ledger; the n-th message is the n-th event".into()),
        subjects: vec![format!("bincard.{ledger}.event.>")],
        num_replicas: options.replicas,
        // A message that vanished would be taken for an event that never was.
        deny_delete: true,
        deny_purge: true,
        allow_direct: true,
        ..Config::default()
    };
    context.get_or_create_stream(config).await.map_err(Fault::jetstream)
}

/// The number of the last message, which is this ledger's event of that number, or has expired.
pub(super) async fn last(stream: &Stream, ledger: Uuid) -> Result<u64, Fault> {
    let info = stream.get_info().await.map_err(Fault::jetstream)?;
    let last = info.state.last_sequence;
    let found = match message(stream, last).await? {
        Found::Event(seen) if (seen.ledger, seen.event) == (ledger, last) => return Ok(last),
        Found::Nothing => return Ok(last),
        Found::Event(seen) => format!("event {} of ledger {}", seen.event, seen.ledger),
        Found::Other(what) => what,
    };
    Err(Fault::NotOurs { stream: info.config.name, sequence: last, found, ledger })
}

/// What a message says it is.
enum Found {
    Event(Seen),
    Other(String),
    Nothing,
}

async fn message(stream: &Stream, number: u64) -> Result<Found, Fault> {
    if number == 0 {
        return Ok(Found::Nothing);
    }
    let message = match stream.get_raw_message(number).await {
        Ok(message) => message,
        Err(fault) if fault.kind() == RawMessageErrorKind::NoMessageFound => return Ok(Found::Nothing),
        Err(fault) => return Err(Fault::jetstream(fault)),
    };
    let header = |name: &str| message.headers.get(name).map(|value| value.as_str());
    let event = header("ce-id").and_then(|id| {
        let (ledger, event) = id.split_once('/')?;
        let sequence = header("ce-sequence")?.parse().ok()?;
        Some(Seen { ledger: ledger.parse().ok()?, event: event.parse().ok()?, sequence })
    });
    Ok(event.map_or_else(|| Found::Other(format!("a message on {}", message.subject)), Found::Event))
}
