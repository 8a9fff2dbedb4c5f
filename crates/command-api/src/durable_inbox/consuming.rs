//! Read, decide, store, acknowledge: each step in the order of the stream, with many commands between the steps.
//!
//! A command that finds the queue full holds back those behind it until it is decided. When the disk is full or the
//! clock suspect, those that were offered with it are tried again one by one, in order.

use std::convert::Infallible;
use std::time::Duration;

use async_nats::Client;
use async_nats::jetstream::consumer::pull::Stream as Messages;
use async_nats::jetstream::consumer::{Consumer, pull};
use async_nats::jetstream::context::PublishAckFuture;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::{self, Context, Message};
use futures::StreamExt;
use futures::stream::FuturesOrdered;
use tokio::time::Instant;

use super::letter::{Letter, outcome_subject};
use super::{Fault, InboxOptions, streams};
use crate::reply::{Outcome, Reply};
use crate::request::TRACE_HEADER;
use crate::service::{Offered, Service};
use crate::traces::Told;
use crate::writer::Request;

/// At most so many commands wait for their outcome, and so many outcomes to be stored.
const WINDOW: usize = 1024;
/// How long a command that could not be decided rests before it is tried again.
const REST: Duration = Duration::from_millis(50);
/// Without a command for so long, the server is asked whether one was lost on the way.
const IDLE: Duration = Duration::from_secs(10);
/// The server gives a sign of life so often.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// How long one pull for messages stands.
const PULL: Duration = Duration::from_secs(30);

/// Decides commands until something is in the way.
pub(super) async fn consume(
    client: &Client,
    ledger: &Service,
    options: &InboxOptions,
) -> Result<Infallible, Fault> {
    let context = jetstream::new(client.clone());
    let inbox = streams::inbox(&context, ledger.name(), options).await?;
    streams::outcomes(&context, ledger.name(), options).await?;
    let consumer = streams::consumer(&inbox, 2 * WINDOW).await?;
    let pulls = consumer.stream().max_messages_per_batch(WINDOW).heartbeat(HEARTBEAT).expires(PULL);
    let messages = pulls.messages().await.map_err(Fault::jetstream)?;
    tracing::info!(ledger = ledger.name(), waiting = inbox.cached_info().state.messages, "the inbox is open");
    let desk = Desk { ledger, context, consumer, delivered: 0, quiet_checks: 0 };
    desk.run(messages).await
}

/// Where letters are opened, decided and answered.
struct Desk<'d> {
    ledger: &'d Service,
    context: Context,
    consumer: Consumer<pull::Config>,
    /// How many messages the consumer was given; the next one says so, or one was lost.
    delivered: u64,
    /// How often in a row the server said that messages are in our hands that are not.
    quiet_checks: u32,
}

impl Desk<'_> {
    async fn run(mut self, mut messages: Messages) -> Result<Infallible, Fault> {
        let mut deciding = FuturesOrdered::new();
        let mut storing = FuturesOrdered::new();
        // A command found the queue full: those behind it wait until it is decided.
        let mut holds_back = false;
        let mut idle_since = Instant::now();
        loop {
            let may_take = !holds_back && deciding.len() < WINDOW && storing.len() < WINDOW;
            tokio::select! {
                biased;
                Some(stored) = storing.next(), if !storing.is_empty() => {
                    let message: Message = stored?;
                    message.ack().await.map_err(Fault::jetstream)?;
                    self.ledger.metrics().count_inbox_outcome();
                }
                Some((letter, reply)) = deciding.next(), if !deciding.is_empty() => {
                    let reply = self.settle(&letter, reply).await?;
                    let acknowledged = self.store(&letter, &reply).await?;
                    storing.push_back(stored(acknowledged, letter.message));
                    holds_back &= !deciding.is_empty();
                }
                message = messages.next(), if may_take => {
                    let message = message.ok_or_else(|| Fault::jetstream("the consumer ended"))?;
                    let message = message.map_err(Fault::jetstream)?;
                    let (letter, request) = Letter::open(message, self.ledger.name(), self.ledger.auth())?;
                    self.note_delivery(&letter)?;
                    let offered = offer(self.ledger, request);
                    holds_back = is_busy(&offered);
                    let ledger = self.ledger.clone();
                    deciding.push_back(async move { (letter, ledger.one_outcome(offered).await) });
                    idle_since = Instant::now();
                }
                () = tokio::time::sleep_until(idle_since + IDLE), if deciding.is_empty() && storing.is_empty() => {
                    self.look_for_lost().await?;
                    idle_since = Instant::now();
                }
            }
        }
    }

    fn note_delivery(&mut self, letter: &Letter) -> Result<(), Fault> {
        (self.delivered, self.quiet_checks) = (self.delivered + 1, 0);
        match letter.delivery == self.delivered {
            true => Ok(()),
            false => Err(Fault::jetstream("a message was lost on the way here")),
        }
    }

    /// The connection may have broken with messages on the way: the server waits for us, and we for it.
    async fn look_for_lost(&mut self) -> Result<(), Fault> {
        let info = self.consumer.info().await.map_err(Fault::jetstream)?;
        self.quiet_checks = if info.num_ack_pending == 0 { 0 } else { self.quiet_checks + 1 };
        match self.quiet_checks < 2 {
            true => Ok(()),
            false => Err(Fault::jetstream("messages were lost on the way here")),
        }
    }

    /// The outcome of a command: what could not be decided now is asked again until it is.
    async fn settle(&self, letter: &Letter, mut reply: Reply) -> Result<Reply, Fault> {
        loop {
            match reply {
                Reply::Busy(_) => {}
                Reply::Unavailable(problem) | Reply::Unknown(problem) => {
                    return Err(Fault::NotDecided { why: problem.message });
                }
                Reply::Accepted(_)
                | Reply::Rejected(_)
                | Reply::Invalid(_)
                | Reply::Unauthorised(_)
                | Reply::Forbidden(_)
                | Reply::Conflict(_) => return Ok(reply),
            }
            tokio::time::sleep(REST).await;
            let offered = offer(self.ledger, letter.read(self.ledger.name(), self.ledger.auth()));
            reply = self.ledger.one_outcome(offered).await;
        }
    }

    async fn store(&self, letter: &Letter, reply: &Reply) -> Result<PublishAckFuture, Fault> {
        let ledger = self.ledger.name();
        let (name, time) = (letter.command(ledger), letter.opened.elapsed());
        let told = Told { ledger, door: "inbox", name, trace: letter.trace(), time };
        self.ledger.traces().answered(&told, &Outcome::One(reply.clone()));
        tracing::debug!(
            asked = letter.message.subject.as_str(),
            id = letter.id,
            trace = letter.trace(),
            status = reply.status(),
            code = reply.code(),
            "decided from the inbox"
        );
        let outcome = PublishMessage::build().payload(reply.to_json().into());
        let mut outcome = outcome.header("Content-Type", "application/json");
        if let Some(trace) = letter.trace() {
            outcome = outcome.header(TRACE_HEADER, trace);
        }
        let subject = outcome_subject(self.ledger.name(), &letter.id);
        self.context.send_publish(subject, outcome).await.map_err(Fault::jetstream)
    }
}

fn offer(ledger: &Service, request: Result<Request, Reply>) -> Offered {
    match request {
        Ok(request) => ledger.offer(Ok(request)),
        Err(refused) => Offered::Answered(Box::new(refused)),
    }
}

fn is_busy(offered: &Offered) -> bool {
    matches!(offered, Offered::Answered(reply) if matches!(**reply, Reply::Busy(_)))
}

/// Waits until an outcome is stored, and gives back the message it is for.
async fn stored(acknowledged: PublishAckFuture, message: Message) -> Result<Message, Fault> {
    acknowledged.await.map_err(Fault::jetstream)?;
    Ok(message)
}
