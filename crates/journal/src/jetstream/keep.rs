//! The stream as a journal: opened, followed, and appended to.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use futures::StreamExt;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::lease::Lease;
use super::link::{Link, Server};
use super::read::{Fetched, StreamReader, read_on};
use super::tail::Tail;
use super::{Appender, Heard, Next, setup};
use crate::fault::Fault;
use crate::file::Wake;
use crate::frame::Frame;
use crate::journal::{Journal, Outcome};

/// Pauses of the follower, from when something was there to when nothing has been for long.
const PAUSE_MIN: Duration = Duration::from_millis(2);
const PAUSE_MAX: Duration = Duration::from_millis(250);

/// Which stream, and what becomes of it if it is not there.
#[derive(Clone)]
pub struct StreamOptions {
    /// The servers.
    pub server: Server,
    /// The ledger's name.
    pub ledger: String,
    /// Create the stream with so many replicas if it is not there; `None` to leave that to others.
    pub create: Option<usize>,
}

/// A ledger's stream. Followed as long as this lives.
pub struct StreamJournal {
    reader: StreamReader,
    ledger: String,
    /// Copies that a bucket gets when it is made.
    replicas: usize,
    /// Copies that the stream has.
    copies: usize,
}

impl StreamJournal {
    /// Opens the stream, reads it to its end, checking every frame, and follows it from there.
    pub fn open(options: &StreamOptions) -> Result<Self, Fault> {
        let (name, ledger) = (setup::stream_name(&options.ledger), options.ledger.clone());
        let (replicas, create) = (options.create.unwrap_or(1), options.create.is_some());
        let link = Link::open(&options.server, name, setup::subject(&ledger))?;
        let (context, prepared) = (link.context().clone(), ledger.clone());
        let copies = link.wait(async move { setup::prepare(&context, &prepared, replicas, create).await })?;
        let (link, tail) = (Arc::new(link), Arc::new(Tail::new(&setup::stream_name(&ledger))));
        let reader = StreamReader { link, tail, fetched: Arc::new(Fetched::default().into()) };
        reader.catch_up()?;
        let (link, tail) = (Arc::downgrade(&reader.link), Arc::clone(&reader.tail));
        reader.link.handle().spawn(follow(link, tail, setup::stored_subject(&ledger)));
        Ok(Self { reader, ledger, replicas, copies })
    }

    /// A handle that sees durable frames.
    pub fn reader(&self) -> StreamReader {
        self.reader.clone()
    }

    /// What a power cut can take of what is acknowledged, as far as it can be seen from here; `None` if nothing.
    pub fn sync_warning(&self) -> Option<String> {
        let (client, copies) = (self.reader.link.client().clone(), self.copies);
        let told = self.reader.link.wait(async move { Ok(setup::sync_warning(&client, copies).await) });
        told.unwrap_or_default()
    }

    /// How many servers keep a copy of the stream.
    pub fn copies(&self) -> usize {
        self.copies
    }

    /// That the stream has fewer copies than are wanted, and the command that mends it; `None` if it has them.
    pub fn copies_warning(&self, wanted: usize) -> Option<String> {
        setup::copies_warning(&self.ledger, self.copies, wanted)
    }

    /// Appends behind this stream sequence, which is the [`end`](StreamReader::end) of what was read. `wake` is called
    /// when an outcome is ready to be polled.
    pub fn appender(&self, last_stream_sequence: u64, wake: Wake) -> StreamAppender {
        let (frames, frames_in) = unbounded_channel();
        let (outcomes_out, outcomes) = channel();
        let appending = Appending {
            link: Arc::clone(&self.reader.link),
            tail: Arc::clone(&self.reader.tail),
            appender: Appender::behind(last_stream_sequence),
            outcomes: outcomes_out,
            wake,
        };
        self.reader.link.handle().spawn(appending.run(frames_in));
        StreamAppender { frames, outcomes, in_flight: 0 }
    }

    /// Who should write, among the instances of this ledger.
    pub fn lease(&self, instance: &str, address: &str) -> Lease {
        Lease::keep(Arc::clone(&self.reader.link), &self.ledger, self.replicas, instance, address)
    }
}

/// Appends to the stream, one frame at a time.
pub struct StreamAppender {
    frames: UnboundedSender<Frame>,
    outcomes: Receiver<Outcome>,
    in_flight: usize,
}

impl StreamAppender {
    /// Waits for the next outcome; `None` if no frame is in flight.
    pub fn wait(&mut self) -> Option<Outcome> {
        self.in_flight.checked_sub(1).map(|rest| {
            self.in_flight = rest;
            self.outcomes.recv().unwrap_or(Outcome::Unknown { why: ENDED.into() })
        })
    }
}

const ENDED: &str = "the connection to the stream was closed";

impl Journal for StreamAppender {
    fn submit(&mut self, frame: Frame) {
        // Without the task there is no outcome to come: poll tells.
        let _ = self.frames.send(frame);
        self.in_flight += 1;
    }

    fn poll(&mut self) -> Option<Outcome> {
        use std::sync::mpsc::TryRecvError;
        let rest = self.in_flight.checked_sub(1)?;
        let outcome = match self.outcomes.try_recv() {
            Ok(outcome) => outcome,
            Err(TryRecvError::Empty) => return None,
            Err(TryRecvError::Disconnected) => Outcome::Unknown { why: ENDED.into() },
        };
        self.in_flight = rest;
        Some(outcome)
    }
}

struct Appending {
    link: Arc<Link>,
    tail: Arc<Tail>,
    appender: Appender,
    outcomes: Sender<Outcome>,
    wake: Wake,
}

impl Appending {
    /// Appends until the sender is gone.
    async fn run(mut self, mut frames: UnboundedReceiver<Frame>) {
        let started = Instant::now();
        self.tail.begin_appending();
        while let Some(frame) = frames.recv().await {
            let outcome = self.append(&frame, started).await;
            if matches!(outcome, Outcome::Durable { .. })
                && let Err(fault) = self.tail.appended(self.appender.last_stream_sequence(), frame)
            {
                tracing::error!(%fault, "an acknowledged frame does not follow what was read");
            }
            let _ = self.outcomes.send(outcome);
            (self.wake)();
        }
        self.tail.end_appending();
    }

    async fn append(&mut self, frame: &Frame, started: Instant) -> Outcome {
        let mut next = self.appender.submit(frame.clone(), started.elapsed());
        let mut logged = String::new();
        loop {
            next = match next {
                Next::Settled(outcome) => return outcome,
                Next::Ask(attempt, ask) => {
                    let heard = self.link.ask(&ask).await;
                    log_once(&heard, &mut logged);
                    self.appender.heard(attempt, heard, started.elapsed())
                }
                // Every answer here is to the last attempt.
                Next::Wait => return Outcome::Unknown { why: "an answer to another question".into() },
            };
        }
    }
}

/// A frame that is not taken is tried again for long: the log says why at once, and again if the reason is another.
fn log_once(heard: &Heard, logged: &mut String) {
    let Heard::NoAnswer { why } = heard else { return };
    if why != logged {
        tracing::warn!(%why, "a frame is not acknowledged; it is tried again");
        logged.clone_from(why);
    }
}

/// Reads what is stored, as soon as the server says that something is, and now and then without that.
async fn follow(link: Weak<Link>, tail: Arc<Tail>, stored_subject: String) {
    let Some(stored) = link.upgrade().map(|link| link.client().clone()) else { return };
    let mut stored = match stored.subscribe(stored_subject).await {
        Ok(stored) => Some(stored),
        Err(error) => {
            tracing::warn!(%error, "no news of stored frames: they are asked for");
            None
        }
    };
    let mut pause = PAUSE_MIN;
    loop {
        let Some(link) = link.upgrade() else { return };
        pause = match read_on(&link, &tail, tail.last_stream_sequence() + 1).await {
            Ok(true) => PAUSE_MIN,
            Ok(false) => PAUSE_MAX.min(pause * 2),
            Err(fault) if fault.is_damage() => {
                tracing::error!(%fault, "the stream is not followed any more");
                return;
            }
            Err(fault) => {
                tracing::warn!(%fault, "the stream cannot be read just now");
                PAUSE_MAX
            }
        };
        drop(link);
        if tail.is_appended_to() {
            pause = PAUSE_MAX;
        }
        let news = async {
            while let Some(stored) = &mut stored
                && stored.next().await.is_some()
            {
                if !tail.is_appended_to() {
                    return;
                }
            }
            std::future::pending().await
        };
        if tokio::time::timeout(pause, news).await.is_ok() {
            pause = PAUSE_MIN;
        }
    }
}
