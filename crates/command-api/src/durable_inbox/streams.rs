//! The inbox's two streams, made if they are missing, and the one consumer that the owner has.

use std::time::Duration;

use async_nats::jetstream::Context;
use async_nats::jetstream::consumer::{AckPolicy, Consumer, pull};
use async_nats::jetstream::stream::{Config, ConsumerErrorKind, DiscardPolicy, RetentionPolicy, Stream};

use super::{Fault, InboxOptions};

/// An owner at a time has it.
const CONSUMER: &str = "owner";
/// How long outcomes are kept: as long as the ledger remembers command ids.
const OUTCOMES_KEPT: Duration = Duration::from_secs(7 * 24 * 3600);
/// A new owner begins with a new consumer, so nothing waits for this; only a lost acknowledgement does.
const ACKNOWLEDGED_WITHIN: Duration = Duration::from_secs(3600);

/// The name of a ledger's inbox.
pub fn inbox_name(ledger: &str) -> String {
    format!("BINCARD_{ledger}_INBOX")
}

/// The name of the stream of outcomes.
pub fn outcomes_name(ledger: &str) -> String {
    format!("BINCARD_{ledger}_OUTCOMES")
}

/// The inbox. A full one refuses new commands; it drops none.
pub(super) async fn inbox(context: &Context, ledger: &str, options: &InboxOptions) -> Result<Stream, Fault> {
    let config = Config {
        name: inbox_name(ledger),
        description: Some("Bincard: commands that wait for the ledger".into()),
        subjects: vec![format!("bincard.{ledger}.inbox.>")],
        retention: RetentionPolicy::WorkQueue,
        discard: DiscardPolicy::New,
        num_replicas: options.replicas,
        ..Config::default()
    };
    let stream = context.get_or_create_stream(config).await.map_err(Fault::jetstream)?;
    let found = &stream.cached_info().config;
    if found.retention != RetentionPolicy::WorkQueue {
        return Err(Fault::NoWorkQueue { stream: found.name.clone() });
    }
    Ok(stream)
}

/// Outcomes: the last of each command.
pub(super) async fn outcomes(context: &Context, ledger: &str, options: &InboxOptions) -> Result<(), Fault> {
    let config = Config {
        name: outcomes_name(ledger),
        description: Some("Bincard: what became of the commands of the inbox".into()),
        subjects: vec![format!("bincard.{ledger}.outcome.*")],
        max_messages_per_subject: 1,
        max_age: OUTCOMES_KEPT,
        allow_direct: true,
        num_replicas: options.replicas,
        ..Config::default()
    };
    context.get_or_create_stream(config).await.map_err(Fault::jetstream)?;
    Ok(())
}

/// A new consumer in the place of the old one. What was acknowledged is out of the stream, so it begins with the first
/// command that has no stored outcome, whatever an owner before had in its hands.
pub(super) async fn consumer(inbox: &Stream, in_hand_max: usize) -> Result<Consumer<pull::Config>, Fault> {
    match inbox.delete_consumer(CONSUMER).await {
        Ok(_) => {}
        Err(fault) if is_not_there(&fault) => {}
        Err(fault) => return Err(Fault::jetstream(fault)),
    }
    let config = pull::Config {
        durable_name: Some(CONSUMER.into()),
        description: Some("Bincard: the owner of the ledger".into()),
        ack_policy: AckPolicy::Explicit,
        ack_wait: ACKNOWLEDGED_WITHIN,
        max_ack_pending: i64::try_from(in_hand_max).unwrap_or(i64::MAX),
        ..pull::Config::default()
    };
    inbox.create_consumer(config).await.map_err(Fault::jetstream)
}

fn is_not_there(fault: &async_nats::jetstream::stream::ConsumerError) -> bool {
    match fault.kind() {
        ConsumerErrorKind::JetStream(error) => error.code() == 404,
        ConsumerErrorKind::TimedOut
        | ConsumerErrorKind::Request
        | ConsumerErrorKind::InvalidConsumerType
        | ConsumerErrorKind::InvalidName
        | ConsumerErrorKind::Other => false,
    }
}
