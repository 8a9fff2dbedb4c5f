//! A publisher: asks the stream where it ends, reads on from there, and sends as far as the pipeline lets it.

use std::rc::Rc;
use std::sync::Arc;

use command_api::feed::pipeline::Pipeline;
use command_api::feed::{Message, Messages};
use journal::JournalRead;

use super::FeedHappening;
use crate::Violation;

/// The name of the simulated ledger.
pub(crate) const LEDGER: &str = "main";
/// Events read at a time.
const READ_MAX: usize = 32;
/// An answer that takes longer is in doubt.
const ANSWERED_WITHIN_MICROS: u64 = 1_000_000;

pub(super) struct Publisher {
    journal: Arc<dyn JournalRead>,
    /// `None` before the stream said where it ends.
    publishing: Option<(Pipeline<Rc<Message>>, Messages)>,
    /// When an answer that is waited for is too late.
    deadline: u64,
    /// The last question for the end of the stream, and until when its answer is waited for.
    question: (u64, u64),
}

/// Something that a publisher sends.
pub(super) enum Sending {
    Message(Rc<Message>, Option<u64>),
    Question(u64),
}

impl Sending {
    pub(super) fn of(self, publisher: usize, life: u64) -> FeedHappening {
        match self {
            Sending::Message(message, ask) => FeedHappening::Arrives { publisher, life, message, ask },
            Sending::Question(question) => FeedHappening::Asks { publisher, life, question },
        }
    }
}

impl Publisher {
    pub(super) fn new(journal: Arc<dyn JournalRead>) -> Self {
        Publisher { journal, publishing: None, deadline: 0, question: (0, 0) }
    }

    /// Everything that the journal has is certainly in the stream.
    pub(super) fn is_done(&self) -> bool {
        let stored = self.publishing.as_ref().map(|(pipeline, _)| pipeline.stored());
        stored.is_some_and(|stored| stored >= self.journal.head().event)
    }

    pub(super) fn turn(&mut self, now: u64, sent: &mut Vec<Sending>) -> Result<(), Violation> {
        if let Some((pipeline, _)) = &mut self.publishing
            && pipeline.waits()
            && now > self.deadline
        {
            pipeline.doubt();
        }
        match &mut self.publishing {
            Some((pipeline, messages)) if !pipeline.is_in_doubt() => {
                while pipeline.room() >= READ_MAX {
                    let read = messages.read(READ_MAX).map_err(|fault| Violation(fault.to_string()))?;
                    let is_end = read.is_empty();
                    for message in read {
                        if message.ordinal != pipeline.next() {
                            let what = (message.ordinal, pipeline.next());
                            return Err(Violation(format!("(found, wanted) of the next event: {what:?}")));
                        }
                        pipeline.push(Rc::new(message));
                    }
                    if is_end {
                        break;
                    }
                }
                while let Some(sending) = pipeline.send() {
                    sent.push(Sending::Message(Rc::clone(sending.message), sending.ask));
                    if sending.ask.is_some() {
                        self.deadline = now + ANSWERED_WITHIN_MICROS;
                    }
                }
            }
            Some(_) | None => {
                let (last, until) = self.question;
                if now > until {
                    self.question = (last + 1, now + ANSWERED_WITHIN_MICROS);
                    sent.push(Sending::Question(last + 1));
                }
            }
        }
        Ok(())
    }

    pub(super) fn answered(&mut self, asked: u64, taken: bool, now: u64) {
        let Some((pipeline, _)) = &mut self.publishing else { return };
        if taken {
            pipeline.acknowledged(asked);
            self.deadline = now + ANSWERED_WITHIN_MICROS;
        } else {
            pipeline.doubt();
        }
    }

    /// The stream said where it ends. Where the journal's reader does not see that event yet, it is asked again.
    pub(super) fn told(&mut self, question: u64, last: u64) -> Result<(), Violation> {
        let is_wanted = self.publishing.as_ref().is_none_or(|(pipeline, _)| pipeline.is_in_doubt());
        if question != self.question.0 || !is_wanted || last > self.journal.head().event {
            return Ok(());
        }
        self.question.1 = 0;
        let from = |ordinal| {
            let messages = Messages::from(&self.journal, ordinal, LEDGER);
            messages.map_err(|fault| Violation(fault.to_string()))
        };
        match &mut self.publishing {
            // The stream took nothing more of what was sent: whoever publishes begins anew.
            Some((pipeline, messages)) if last != pipeline.stored() => {
                let wanted = pipeline.next();
                pipeline.found(last);
                if pipeline.next() != wanted {
                    *messages = from(pipeline.next())?;
                }
            }
            Some(_) | None => self.publishing = Some((Pipeline::behind(last), from(last + 1)?)),
        }
        Ok(())
    }
}
