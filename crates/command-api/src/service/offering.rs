//! Commands on their way to the writer and back: places in the order of arrival, then outcomes.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::Service;
use crate::invalid::Invalid;
use crate::reply::{Line, Outcome, Reply};
use crate::request::Batch;
use crate::writer::{Answer, Request};

/// A request on its way: its place in the order is taken.
pub enum Offered {
    /// The writer will answer.
    Waiting(oneshot::Receiver<Answer>),
    /// Decided at the edge.
    Answered(Box<Reply>),
    /// The commands of a batch, each on its own.
    Each(Each),
}

/// Commands that came together and are decided each on its own: they take their places at once, and their answers come
/// back at once.
pub struct Each {
    /// The writer's answers, in order.
    answers: oneshot::Receiver<Vec<Answer>>,
    /// Of every command: nothing where the writer answers, or what was decided at the edge.
    at_the_edge: Vec<Option<Reply>>,
}

impl Service {
    /// Takes a request into the order of arrival; does not wait.
    pub fn offer(&self, request: Result<Request, Invalid>) -> Offered {
        match request.map_err(Reply::from).map(|request| self.0.inbox.offer(request)) {
            Ok(Ok(answer)) => Offered::Waiting(answer),
            Ok(Err(answer)) => Offered::Answered(Box::new(Reply::of(answer, &self.0.journal))),
            Err(reply) => Offered::Answered(Box::new(reply)),
        }
    }

    /// Takes a batch into the order of arrival; does not wait.
    pub fn offer_batch(&self, batch: Result<Batch, Invalid>) -> Offered {
        match batch {
            Err(invalid) => Offered::Answered(Box::new(invalid.into())),
            Ok(Batch::Atomic(request)) => self.offer(Ok(request)),
            Ok(Batch::Each(requests)) => Offered::Each(self.offer_each(requests)),
        }
    }

    /// Takes requests into the order of arrival, one behind the other; does not wait. When the queue is full in the
    /// middle of them, the rest is busy too: what comes later may need what comes before. What is refused already
    /// keeps its place among the outcomes.
    pub fn offer_each<R: Into<Reply>>(&self, requests: impl IntoIterator<Item = Result<Request, R>>) -> Each {
        let mut offered = Vec::new();
        let mut at_the_edge = Vec::new();
        for request in requests {
            match request {
                Ok(request) => {
                    offered.push(request);
                    at_the_edge.push(None);
                }
                Err(refused) => at_the_edge.push(Some(refused.into())),
            }
        }
        let taken = self.0.inbox.offer_all(offered);
        if let Some(refusal) = taken.refusal {
            let refused = Reply::of(refusal, &self.0.journal);
            for place in at_the_edge.iter_mut().filter(|place| place.is_none()).skip(taken.count) {
                *place = Some(refused.clone());
            }
        }
        Each { answers: taken.answers, at_the_edge }
    }

    /// Waits for the outcome of what was offered.
    pub async fn outcome(&self, offered: Offered) -> Outcome {
        match offered {
            Offered::Waiting(answer) => Outcome::One(self.reply_to(answer).await),
            Offered::Answered(reply) => {
                self.0.metrics.count_reply(&reply);
                Outcome::One(*reply)
            }
            Offered::Each(each) => Outcome::Each(self.lines(each).await),
        }
    }

    /// Waits for the outcomes of commands that came together, in order, as whole replies.
    pub async fn replies(&self, each: Each) -> Vec<Reply> {
        let (answers, at_the_edge) = each.come().await;
        let count = at_the_edge.len();
        let reads_journal = answers.iter().any(|answer| matches!(answer, Answer::Duplicate { .. }));
        let journal = Arc::clone(&self.0.journal);
        let all = move || in_order(answers, at_the_edge, |answer| Reply::of(answer, &journal), |reply| reply);
        let replies = if reads_journal {
            let read = tokio::task::spawn_blocking(all).await;
            read.unwrap_or_else(|_| vec![Reply::unavailable("reading the first outcomes failed"); count])
        } else {
            all()
        };
        replies.iter().for_each(|reply| self.0.metrics.count_reply(reply));
        replies
    }

    /// Decides a request: waits until its outcome is known and durable.
    pub async fn submit(&self, request: Request) -> Reply {
        self.one_outcome(self.offer(Ok(request))).await
    }

    /// Waits for the outcome of one request.
    pub(crate) async fn one_outcome(&self, offered: Offered) -> Reply {
        match offered {
            Offered::Waiting(answer) => self.reply_to(answer).await,
            Offered::Answered(reply) => {
                self.0.metrics.count_reply(&reply);
                *reply
            }
            Offered::Each(_) => unreachable!("one request is not a batch"),
        }
    }

    async fn lines(&self, each: Each) -> Vec<Line> {
        let (answers, at_the_edge) = each.come().await;
        let line = |answer| Line::of_answer(answer, &self.0.journal);
        let lines = in_order(answers, at_the_edge, line, Line::of_reply);
        lines.iter().for_each(|line| self.0.metrics.count_line(line));
        lines
    }

    async fn reply_to(&self, answer: oneshot::Receiver<Answer>) -> Reply {
        let reply = match answer.await.unwrap_or_else(|_| lost()) {
            // Reads the journal.
            answer @ Answer::Duplicate { .. } => {
                let journal = Arc::clone(&self.0.journal);
                let read = tokio::task::spawn_blocking(move || Reply::of(answer, &journal)).await;
                read.unwrap_or_else(|_| Reply::unavailable("reading the first outcome failed"))
            }
            answer => Reply::of(answer, &self.0.journal),
        };
        self.0.metrics.count_reply(&reply);
        reply
    }
}

impl Each {
    /// Waits for the writer.
    async fn come(self) -> (Vec<Answer>, Vec<Option<Reply>>) {
        // Without the writer's thread none come, and each is lost.
        (self.answers.await.unwrap_or_default(), self.at_the_edge)
    }
}

fn in_order<T>(
    answers: Vec<Answer>,
    at_the_edge: Vec<Option<Reply>>,
    of_answer: impl Fn(Answer) -> T,
    of_reply: impl Fn(Reply) -> T,
) -> Vec<T> {
    let mut answers = answers.into_iter();
    let outcome = |decided: Option<Reply>| match decided {
        Some(reply) => of_reply(reply),
        None => of_answer(answers.next().unwrap_or_else(lost)),
    };
    at_the_edge.into_iter().map(outcome).collect()
}

fn lost() -> Answer {
    Answer::Unknown { why: "the writer's thread ended".into() }
}
