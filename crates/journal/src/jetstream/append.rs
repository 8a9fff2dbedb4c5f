//! The appending side without a network: a frame is published at one place, and its fate is found out.
//!
//! | heard | then |
//! |---|---|
//! | an acknowledgement at the expected place | durable |
//! | a rejection, or no answer | look at the expected place, on the stream's leader |
//! | there: our frame | durable |
//! | there: another frame | refused: another writer has the ledger |
//! | there: nothing, or no answer | publish again, to a deadline; then the fate is unknown |
//!
//! A rejection alone proves nothing: it may answer a repeat of what was stored, or come from a leader that was deposed.
//! To publish again is always safe, for the server stores it at one place or not at all.

use std::time::Duration;

use crate::frame::Frame;
use crate::journal::Outcome;

/// How long the fate of a frame is looked for before it is given up as unknown.
pub const RESOLVE_DEADLINE: Duration = Duration::from_secs(30);
/// Pause between two attempts.
pub const RETRY_PAUSE: Duration = Duration::from_millis(100);

/// Names one thing that was asked, so that its answer is told from those to earlier ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attempt(u64);

/// What is to be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Publish the frame, to be stored only if the stream's last sequence is this.
    Publish {
        /// The stream sequence before the frame's.
        expected_last: u64,
        /// What to publish.
        frame: Frame,
    },
    /// Read this message on the stream's leader: a replica may not have it yet.
    Look {
        /// The frame's expected place.
        stream_sequence: u64,
    },
    /// Wait so long, and say [`Heard::Paused`].
    Pause(Duration),
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// The server stored the message at this stream sequence.
    Acknowledged {
        /// Where it says that it stored it.
        stream_sequence: u64,
    },
    /// The server says that the stream's last sequence is another.
    Rejected {
        /// Its words.
        why: String,
    },
    /// The message at the place that was looked at.
    Found {
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// The leader has no message there.
    Absent,
    /// Nobody answered in time, or with something else than an answer.
    NoAnswer {
        /// What happened.
        why: String,
    },
    /// The pause is over.
    Paused,
}

/// What follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Do this, and tell what came of it under this attempt.
    Ask(Attempt, Ask),
    /// The fate of the frame.
    Settled(Outcome),
    /// Nothing: what was heard is no answer to what is waited for.
    Wait,
}

/// Appends frames to a stream, one at a time. After a frame that is refused or in doubt it takes no other.
#[derive(Debug)]
pub struct Appender {
    /// The stream's last sequence, as far as this writer knows: the next frame is published behind it.
    last: u64,
    attempts: u64,
    in_flight: Option<InFlight>,
    stopped: Option<Outcome>,
}

#[derive(Debug)]
struct InFlight {
    frame: Frame,
    first_attempt: u64,
    waits_for: Waits,
    deadline: Duration,
    /// Why it was not acknowledged when it was published last, in the server's words if there were any.
    not_stored: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waits {
    Acknowledgement,
    Look,
    Pause,
}

impl Appender {
    /// Appends behind this stream sequence: that of the last message a reader of the whole stream has seen.
    pub fn behind(last_stream_sequence: u64) -> Self {
        Self { last: last_stream_sequence, attempts: 0, in_flight: None, stopped: None }
    }

    /// The stream sequence of the last frame that is known to be durable.
    pub fn last_stream_sequence(&self) -> u64 {
        self.last
    }

    /// Hands over a frame. `now` is any clock that never goes back.
    ///
    /// # Panics
    /// If a frame is in flight: the writer seals the next one when the fate of this one is known.
    pub fn submit(&mut self, frame: Frame, now: Duration) -> Next {
        assert!(self.in_flight.is_none(), "one frame is in flight at a time");
        if let Some(stopped) = &self.stopped {
            return Next::Settled(stopped.clone());
        }
        self.in_flight = Some(InFlight {
            frame,
            first_attempt: self.attempts + 1,
            waits_for: Waits::Acknowledgement,
            deadline: now.saturating_add(RESOLVE_DEADLINE),
            not_stored: String::new(),
        });
        self.publish()
    }

    /// Takes what came of an attempt. A late answer to an earlier one is not mistaken for one to the last.
    pub fn heard(&mut self, attempt: Attempt, heard: Heard, now: Duration) -> Next {
        let (expected, last_attempt) = (self.last + 1, self.attempts);
        let Some(in_flight) = &mut self.in_flight else { return Next::Wait };
        let is_last = attempt.0 == last_attempt;
        let is_ours = attempt.0 >= in_flight.first_attempt;
        let is_late = now >= in_flight.deadline;
        match (heard, in_flight.waits_for) {
            // An acknowledgement is good news however late it comes.
            (Heard::Acknowledged { stream_sequence }, _) if is_ours => self.acknowledged(stream_sequence),
            _ if !is_last => Next::Wait,
            (Heard::Rejected { why } | Heard::NoAnswer { why }, Waits::Acknowledgement) => {
                in_flight.not_stored = why;
                self.look()
            }
            (Heard::Found { bytes }, Waits::Look) => self.found(&bytes),
            (Heard::Absent, Waits::Look) if is_late => {
                let why = format!(
                    "stream sequence {expected} is still empty after {RESOLVE_DEADLINE:?}; published last: {}",
                    in_flight.not_stored
                );
                self.unknown(why)
            }
            (Heard::NoAnswer { why }, Waits::Look) if is_late => self.unknown(format!(
                "no answer about stream sequence {expected} for {RESOLVE_DEADLINE:?}: {why}"
            )),
            (Heard::Absent | Heard::NoAnswer { .. }, Waits::Look) => self.pause(),
            (Heard::Paused, Waits::Pause) => self.publish(),
            (
                Heard::Acknowledged { .. }
                | Heard::Rejected { .. }
                | Heard::Found { .. }
                | Heard::Absent
                | Heard::NoAnswer { .. }
                | Heard::Paused,
                Waits::Acknowledgement | Waits::Look | Waits::Pause,
            ) => Next::Wait,
        }
    }

    fn acknowledged(&mut self, stream_sequence: u64) -> Next {
        let expected = self.last + 1;
        if stream_sequence == expected {
            return self.durable();
        }
        self.unknown(format!("acknowledged at stream sequence {stream_sequence}, wanted {expected}"))
    }

    fn found(&mut self, bytes: &[u8]) -> Next {
        let expected = self.last + 1;
        let Some(in_flight) = &self.in_flight else { return Next::Wait };
        if in_flight.frame.bytes() == bytes {
            return self.durable();
        }
        let whose = match Frame::decode(bytes) {
            Ok((frame, _)) => format!("a frame of epoch {}", frame.header().epoch),
            Err(fault) => format!("no frame ({fault})"),
        };
        let own = in_flight.frame.header().epoch;
        let why = format!(
            "another writer has the ledger: stream sequence {expected} holds {whose}, this writer's epoch is {own}"
        );
        self.stop(Outcome::Refused { why })
    }

    fn durable(&mut self) -> Next {
        let Some(in_flight) = self.in_flight.take() else { return Next::Wait };
        self.last += 1;
        Next::Settled(Outcome::Durable { last_sequence: in_flight.frame.last_sequence() })
    }

    fn unknown(&mut self, why: String) -> Next {
        self.stop(Outcome::Unknown { why })
    }

    fn stop(&mut self, outcome: Outcome) -> Next {
        self.in_flight = None;
        self.stopped = Some(outcome.clone());
        Next::Settled(outcome)
    }

    fn publish(&mut self) -> Next {
        let expected_last = self.last;
        self.ask(Waits::Acknowledgement, |frame| Ask::Publish { expected_last, frame: frame.clone() })
    }

    fn look(&mut self) -> Next {
        let stream_sequence = self.last + 1;
        self.ask(Waits::Look, |_| Ask::Look { stream_sequence })
    }

    fn pause(&mut self) -> Next {
        self.ask(Waits::Pause, |_| Ask::Pause(RETRY_PAUSE))
    }

    fn ask(&mut self, waits_for: Waits, ask: impl FnOnce(&Frame) -> Ask) -> Next {
        let Some(in_flight) = &mut self.in_flight else { return Next::Wait };
        in_flight.waits_for = waits_for;
        self.attempts += 1;
        Next::Ask(Attempt(self.attempts), ask(&in_flight.frame))
    }
}
