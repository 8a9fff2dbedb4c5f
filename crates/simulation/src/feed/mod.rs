//! The public feed: one publisher or several at once, the stream they publish to, and the way between them, on which
//! messages and answers are lost, doubled and late.
//!
//! The real [`Pipeline`](command_api::feed::pipeline::Pipeline) and the real messages of the journal's events. In the end
//! the n-th message is the n-th event, and who applies nothing else comes to the same stock and balances.

mod check;
mod publisher;

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use command_api::feed::Message;
use fastrand::Rng;
use journal::JournalRead;

use crate::world::{Happenings, Network};
use crate::{Published, Violation};
use publisher::Publisher;

pub(crate) use publisher::LEDGER;

/// What happens to a publisher of a number in one of its lives, or to the stream.
#[derive(Debug, Clone)]
pub(crate) enum FeedHappening {
    /// It reads on, sends what it may, and sees that it has waited too long.
    Turn { publisher: usize, life: u64 },
    /// A message reaches the stream; an answer is wanted if it is asked for that of this number.
    Arrives { publisher: usize, life: u64, message: Rc<Message>, ask: Option<u64> },
    /// The answer reaches the publisher: taken as the message that was asked about, or refused.
    Answered { publisher: usize, life: u64, asked: u64, taken: bool },
    /// The question for the last message reaches the stream.
    Asks { publisher: usize, life: u64, question: u64 },
    /// And its answer the publisher.
    Told { publisher: usize, life: u64, question: u64, last: u64 },
}

impl FeedHappening {
    /// The publisher that has to be awake for it.
    pub(crate) fn publisher(&self) -> Option<usize> {
        match self {
            FeedHappening::Turn { publisher, .. }
            | FeedHappening::Answered { publisher, .. }
            | FeedHappening::Told { publisher, .. } => Some(*publisher),
            FeedHappening::Arrives { .. } | FeedHappening::Asks { .. } => None,
        }
    }
}

/// The stream of a ledger's feed, and who publishes to it.
pub(crate) struct Feed {
    stream: Vec<Rc<Message>>,
    publishers: BTreeMap<usize, (u64, Publisher)>,
    network: Network,
    /// What publishers sent in earlier lives never arrives any more.
    since_life: u64,
    /// Messages that the stream refused: twice, or out of turn.
    refused: u64,
}

impl Feed {
    pub(crate) fn new(rng: &mut Rng) -> Self {
        Feed {
            stream: Vec::new(),
            publishers: BTreeMap::new(),
            network: Network::new(rng),
            since_life: 0,
            refused: 0,
        }
    }

    pub(crate) fn report(&self) -> Published {
        Published { messages: self.last(), refused: self.refused }
    }

    /// The last event that was published: it was durable.
    pub(crate) fn last(&self) -> u64 {
        self.stream.len() as u64
    }

    /// Publishes from this journal from now on. What a publisher of this number did before goes on without it.
    pub(crate) fn start<T: From<FeedHappening>>(
        &mut self,
        (publisher, life): (usize, u64),
        journal: Arc<dyn JournalRead>,
        now: u64,
        happenings: &mut Happenings<T>,
    ) {
        self.publishers.insert(publisher, (life, Publisher::new(journal)));
        happenings.at(now, FeedHappening::Turn { publisher, life });
    }

    /// The journal lost what was on its way to the stream, as is permitted: whoever saw to that saw to this too.
    pub(crate) fn forget_lives_before(&mut self, life: u64) {
        self.since_life = life;
    }

    pub(crate) fn publishes(&self, publisher: usize, life: u64) -> bool {
        self.publishers.get(&publisher).is_some_and(|(of, _)| *of == life)
    }

    pub(crate) fn stop(&mut self, publisher: usize) {
        self.publishers.remove(&publisher);
    }

    pub(crate) fn happens<T: From<FeedHappening>>(
        &mut self,
        what: FeedHappening,
        now: u64,
        rng: &mut Rng,
        happenings: &mut Happenings<T>,
    ) -> Result<(), Violation> {
        match what {
            FeedHappening::Turn { publisher, life } => {
                let Some(running) = self.running(publisher, life) else { return Ok(()) };
                let mut sent = Vec::new();
                running.turn(now, &mut sent)?;
                let arrive = now + rng.u64(100..8_000);
                for (moment, sending) in (arrive..).zip(sent) {
                    let what = sending.of(publisher, life);
                    let moments = self.network.arrivals_in_order(moment, rng);
                    moments.into_iter().for_each(|moment| happenings.at(moment, what.clone()));
                }
                happenings.at(now + rng.u64(5_000..150_000), FeedHappening::Turn { publisher, life });
            }
            FeedHappening::Arrives { life, .. } if life < self.since_life => {}
            FeedHappening::Arrives { publisher, life, message, ask } => {
                let taken = self.store(message);
                if let Some(asked) = ask {
                    let answer = FeedHappening::Answered { publisher, life, asked, taken };
                    self.send(answer, now, rng, happenings);
                }
            }
            FeedHappening::Asks { publisher, life, question } => {
                let last = self.last();
                let told = FeedHappening::Told { publisher, life, question, last };
                self.send(told, now, rng, happenings);
            }
            FeedHappening::Answered { publisher, life, asked, taken } => {
                if let Some(running) = self.running(publisher, life) {
                    running.answered(asked, taken, now);
                }
            }
            FeedHappening::Told { publisher, life, question, last } => {
                if let Some(running) = self.running(publisher, life) {
                    running.told(question, last)?;
                }
            }
        }
        Ok(())
    }

    /// The stream answers.
    fn send<T: From<FeedHappening>>(
        &self,
        what: FeedHappening,
        now: u64,
        rng: &mut Rng,
        happenings: &mut Happenings<T>,
    ) {
        let moments = self.network.arrivals(now, rng);
        moments.into_iter().for_each(|moment| happenings.at(moment, what.clone()));
    }

    fn running(&mut self, publisher: usize, life: u64) -> Option<&mut Publisher> {
        self.publishers.get_mut(&publisher).filter(|(of, _)| *of == life).map(|(_, running)| running)
    }

    /// The server takes a message only as the one that it says it is.
    fn store(&mut self, message: Rc<Message>) -> bool {
        let expected = message.headers.get("Nats-Expected-Last-Sequence").map(|last| last.as_str().parse());
        let is_next = expected == Some(Ok(self.last()));
        if is_next {
            self.stream.push(message);
        } else {
            self.refused += 1;
        }
        is_next
    }

    /// Nothing goes wrong any more: what is missing of this journal is published.
    pub(crate) fn publish_the_rest(&mut self, journal: Arc<dyn JournalRead>) -> Result<(), Violation> {
        let (mut publisher, mut now) = (Publisher::new(journal), 0);
        while !publisher.is_done() {
            now += 1;
            let mut sent = Vec::new();
            publisher.turn(now, &mut sent)?;
            for sending in sent {
                match sending.of(0, 0) {
                    FeedHappening::Arrives { message, ask, .. } => {
                        let taken = self.store(message);
                        ask.into_iter().for_each(|asked| publisher.answered(asked, taken, now));
                    }
                    FeedHappening::Asks { question, .. } => publisher.told(question, self.last())?,
                    other => return Err(Violation(format!("a publisher sends {other:?}"))),
                }
            }
            if now > 10_000 {
                return Err(Violation(format!("the feed stands still behind event {}", self.last())));
            }
        }
        Ok(())
    }
}
