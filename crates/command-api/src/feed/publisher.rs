//! From the journal to the stream: reads ahead, sends as far as the pipeline lets it, hears acknowledgements.

use std::convert::Infallible;
use std::time::Duration;

use async_nats::jetstream::publish::PublishAck;
use async_nats::jetstream::response::Response;
use async_nats::jetstream::{self, stream::Stream};
use async_nats::{Client, Subscriber};
use futures::StreamExt;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::message::Message;
use super::pipeline::Pipeline;
use super::{Fault, FeedOptions, stream};
use crate::events::{EventSource, Origin};
use crate::service::Service;

/// Events read at a time.
const READ_MAX: usize = 512;
/// Readings that may wait to be sent.
const READ_AHEAD: usize = 4;
/// An acknowledgement that takes longer is in doubt.
const ACKNOWLEDGED_WITHIN: Duration = Duration::from_secs(5);
/// Without news the journal is looked at this often.
const LOOK_AGAIN: Duration = Duration::from_millis(250);
/// How long the journal's reader may need to see what another owner of the ledger has published already.
const JOURNAL_WAIT: Duration = Duration::from_secs(10);

/// Publishes until something is in the way.
pub(super) async fn publish(
    client: &Client,
    ledger: &Service,
    options: &FeedOptions,
) -> Result<Infallible, Fault> {
    let context = jetstream::new(client.clone());
    let stream = stream::open(&context, ledger.name(), options).await?;
    let last = last_of(&stream, ledger).await?;
    tracing::info!(ledger = ledger.name(), event = last, "the feed goes on behind this event");
    let replies = client.new_inbox();
    let acknowledgements = client.subscribe(format!("{replies}.*")).await.map_err(Fault::jetstream)?;
    let publisher = Publisher {
        client,
        ledger,
        stream: &stream,
        replies,
        acknowledgements,
        pipeline: Pipeline::behind(last),
        ahead: Ahead::from(ledger, last + 1),
        deadline: Instant::now(),
        refusal: "no acknowledgement came in time".into(),
    };
    publisher.run().await
}

struct Publisher<'f> {
    client: &'f Client,
    ledger: &'f Service,
    stream: &'f Stream,
    /// Acknowledgements come to subjects below this one.
    replies: String,
    acknowledgements: Subscriber,
    pipeline: Pipeline<Message>,
    ahead: Ahead,
    /// When an acknowledgement that is waited for is too late.
    deadline: Instant,
    /// Why the last message that was refused was.
    refusal: String,
}

impl Publisher<'_> {
    async fn run(mut self) -> Result<Infallible, Fault> {
        loop {
            self.ledger.metrics().note_feed_event(self.pipeline.stored());
            self.send_all().await?;
            let may_read = self.pipeline.room() >= READ_MAX;
            tokio::select! {
                biased;
                acknowledgement = self.acknowledgements.next() => {
                    let message = acknowledgement.ok_or_else(|| Fault::jetstream("the connection was closed"))?;
                    self.hear(&message)?;
                }
                () = tokio::time::sleep_until(self.deadline), if self.pipeline.waits() => self.pipeline.doubt(),
                read = self.ahead.messages.recv(), if may_read => {
                    let ended = || Fault::Journal("reading events ended".into());
                    for message in read.ok_or_else(ended)?? {
                        debug_assert_eq!(message.ordinal, self.pipeline.next());
                        self.pipeline.push(message);
                    }
                }
            }
            if self.pipeline.is_in_doubt() {
                self.resume().await?;
            }
        }
    }

    async fn send_all(&mut self) -> Result<(), Fault> {
        while let Some(sending) = self.pipeline.send() {
            let Message { subject, headers, body, .. } = sending.message.clone();
            let sent = match sending.ask {
                None => self.client.publish_with_headers(subject, headers, body).await,
                Some(number) => {
                    self.deadline = Instant::now() + ACKNOWLEDGED_WITHIN;
                    let reply = format!("{}.{number}", self.replies);
                    self.client.publish_with_reply_and_headers(subject, reply, headers, body).await
                }
            };
            sent.map_err(Fault::jetstream)?;
        }
        Ok(())
    }

    fn hear(&mut self, message: &async_nats::Message) -> Result<(), Fault> {
        let asked = message.subject.rsplit('.').next().and_then(|number| number.parse::<u64>().ok());
        // Without a body it is the server's word that nobody listens: the stream is gone.
        let answer = serde_json::from_slice::<Response<PublishAck>>(&message.payload);
        match (asked, answer) {
            (Some(asked), Ok(Response::Ok(taken))) if taken.sequence == asked => {
                self.pipeline.acknowledged(asked);
                self.deadline = Instant::now() + ACKNOWLEDGED_WITHIN;
            }
            (_, Ok(Response::Ok(taken))) => {
                return Err(Fault::jetstream(format!("message {} was taken out of turn", taken.sequence)));
            }
            (_, Ok(Response::Err { error })) => {
                self.refusal = error.to_string();
                self.pipeline.doubt();
            }
            (_, Err(_)) => return Err(Fault::jetstream("nobody takes the feed's messages")),
        }
        Ok(())
    }

    /// Asks the stream where it ends, and goes on from there. If it took nothing meanwhile, it is full or out of reach.
    async fn resume(&mut self) -> Result<(), Fault> {
        let last = last_of(self.stream, self.ledger).await?;
        if last == self.pipeline.stored() {
            return Err(Fault::jetstream(format!(
                "the stream did not take the next message: {}",
                self.refusal
            )));
        }
        let wanted = self.pipeline.next();
        self.pipeline.found(last);
        if self.pipeline.next() != wanted {
            self.ahead = Ahead::from(self.ledger, self.pipeline.next());
        }
        Ok(())
    }
}

/// The last message of the stream. It proves that the journal had the event once.
async fn last_of(stream: &Stream, ledger: &Service) -> Result<u64, Fault> {
    let last = stream::last(stream, ledger.uuid()).await?;
    let deadline = Instant::now() + JOURNAL_WAIT;
    loop {
        let head = ledger.journal().head().event;
        if last <= head {
            return Ok(last);
        }
        if Instant::now() > deadline {
            return Err(Fault::JournalEndsBefore { head, seen: last });
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Reads and writes out messages while others are on their way. Ends when it is dropped.
struct Ahead {
    messages: mpsc::Receiver<Result<Vec<Message>, Fault>>,
    task: JoinHandle<()>,
}

impl Ahead {
    fn from(ledger: &Service, ordinal: u64) -> Self {
        let (to, messages) = mpsc::channel(READ_AHEAD);
        let ledger = ledger.clone();
        let task = tokio::spawn(async move {
            if let Err(fault) = read(&ledger, ordinal, &to).await {
                // Nobody listens: the feed stopped.
                let _ = to.send(Err(fault.into())).await;
            }
        });
        Ahead { messages, task }
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn read(
    ledger: &Service,
    ordinal: u64,
    to: &mpsc::Sender<Result<Vec<Message>, Fault>>,
) -> Result<(), crate::events::Fault> {
    let origin = Origin { ledger: ledger.uuid(), name: ledger.name().to_owned() };
    let mut source = EventSource::from_apart(ledger.journal(), ordinal).await?;
    let mut position = ledger.watch_position();
    loop {
        position.borrow_and_update();
        let named = origin.clone();
        let write_out = move |event| Message::of(event, &named);
        let (after, messages) = source.read_apart(READ_MAX, write_out).await?;
        source = after;
        let heard = if messages.is_empty() {
            // The views move as soon as something is durable. If they stand still, the feed goes on all the same.
            if let Ok(Err(_)) = tokio::time::timeout(LOOK_AGAIN, position.changed()).await {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
            true
        } else {
            to.send(Ok(messages)).await.is_ok()
        };
        if !heard {
            return Ok(());
        }
    }
}
