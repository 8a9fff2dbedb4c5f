//! What is on its way to the stream: a plain struct, no I/O inside.
//!
//! Messages are numbered as in the stream, and each is taken by the server only right behind the one before it. So an
//! acknowledgement of one says the same of all before it, and only some are asked for. A refusal, or none that comes
//! in time, is a doubt: sending stops until the stream was asked for its last message, and goes on from there. A
//! message that was in flight meanwhile can do no harm: it is taken in its own place, or refused.

use std::collections::VecDeque;

/// At most so many messages wait to be certain.
const WINDOW: usize = 4096;
/// One in so many messages asks for an acknowledgement, and the last one that is there.
const ACKNOWLEDGED_EACH: u64 = 128;

/// Messages between the journal and the stream.
#[derive(Debug)]
pub struct Pipeline<M> {
    /// The last message that is certainly in the stream.
    stored: u64,
    /// The last message that was sent, stored or not.
    sent: u64,
    /// The last message that an acknowledgement was asked for.
    asked: u64,
    /// The messages behind `stored`, in order.
    window: VecDeque<M>,
    /// Nothing is sent until the stream was asked for its last message.
    in_doubt: bool,
}

/// A message to send.
#[derive(Debug, PartialEq, Eq)]
pub struct Send<'p, M> {
    /// The message.
    pub message: &'p M,
    /// Ask for an acknowledgement, and say which message it is for.
    pub ask: Option<u64>,
}

impl<M> Pipeline<M> {
    /// Goes on behind the last message of the stream.
    pub fn behind(last: u64) -> Self {
        Pipeline { stored: last, sent: last, asked: last, window: VecDeque::new(), in_doubt: false }
    }

    /// The last message that is certainly in the stream.
    pub fn stored(&self) -> u64 {
        self.stored
    }

    /// The number of the message that [`push`](Self::push) takes next.
    pub fn next(&self) -> u64 {
        self.stored + self.window.len() as u64 + 1
    }

    /// How many more messages may wait.
    pub fn room(&self) -> usize {
        WINDOW.saturating_sub(self.window.len())
    }

    /// True while an acknowledgement is on its way.
    pub fn waits(&self) -> bool {
        self.asked > self.stored
    }

    /// Takes message [`next`](Self::next).
    pub fn push(&mut self, message: M) {
        self.window.push_back(message);
    }

    /// The next message to send, if any.
    pub fn send(&mut self) -> Option<Send<'_, M>> {
        if self.in_doubt {
            return None;
        }
        let place = usize::try_from(self.sent - self.stored).expect("the window fits memory");
        let is_last = place + 1 == self.window.len();
        let message = self.window.get(place)?;
        self.sent += 1;
        let asks = is_last || self.sent - self.asked >= ACKNOWLEDGED_EACH;
        if asks {
            self.asked = self.sent;
        }
        Some(Send { message, ask: asks.then_some(self.sent) })
    }

    /// The server says that this message, and so each before it, is in the stream.
    pub fn acknowledged(&mut self, number: u64) {
        let certain = number.saturating_sub(self.stored).min(self.sent.saturating_sub(self.stored));
        self.window.drain(..usize::try_from(certain).expect("the window fits memory"));
        self.stored += certain;
    }

    /// The server refused a message, or did not answer in time.
    pub fn doubt(&mut self) {
        self.in_doubt = true;
    }

    /// Whether the stream has to be asked for its last message.
    pub fn is_in_doubt(&self) -> bool {
        self.in_doubt
    }

    /// The stream's last message is this one: somebody else may have published, or messages were lost. Goes on behind
    /// it; what [`next`](Self::next) says may have changed, in either direction.
    pub fn found(&mut self, last: u64) {
        match last.checked_sub(self.stored).and_then(|more| usize::try_from(more).ok()) {
            Some(more) if more <= self.window.len() => drop(self.window.drain(..more)),
            Some(_) | None => self.window.clear(),
        }
        (self.stored, self.sent, self.asked, self.in_doubt) = (last, last, last, false);
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    const EVENTS: u64 = 300;

    /// A publisher of the numbers up to [`EVENTS`], and what is between it and the stream: (number, ask).
    struct Publisher {
        pipeline: Pipeline<u64>,
        wire: VecDeque<(u64, Option<u64>)>,
        /// What comes back: the number, and whether it was taken.
        answers: VecDeque<(u64, bool)>,
    }

    #[derive(Debug, Clone)]
    enum Step {
        Send(usize),
        /// So many messages reach the stream.
        Arrive(usize),
        Hear(usize),
        LoseMessage,
        LoseAnswer,
        Timeout,
        AskLast,
        Crash,
    }

    fn step() -> impl Strategy<Value = (bool, Step)> {
        let step = prop_oneof![
            5 => (1..200usize).prop_map(Step::Send),
            5 => (1..200usize).prop_map(Step::Arrive),
            5 => (1..20usize).prop_map(Step::Hear),
            1 => Just(Step::LoseMessage),
            1 => Just(Step::LoseAnswer),
            1 => Just(Step::Timeout),
            3 => Just(Step::AskLast),
            1 => Just(Step::Crash),
        ];
        (any::<bool>(), step)
    }

    impl Publisher {
        fn fresh(stream: &[u64]) -> Self {
            let pipeline = Pipeline::behind(stream.len() as u64);
            Publisher { pipeline, wire: VecDeque::new(), answers: VecDeque::new() }
        }

        fn step(&mut self, step: Step, stream: &mut Vec<u64>) {
            match step {
                Step::Send(count) => {
                    while self.pipeline.room() > 0 && self.pipeline.next() <= EVENTS {
                        self.pipeline.push(self.pipeline.next());
                    }
                    for _ in 0..count {
                        let Some(sending) = self.pipeline.send() else { break };
                        self.wire.push_back((*sending.message, sending.ask));
                    }
                }
                Step::Arrive(count) => {
                    for _ in 0..count {
                        let Some((number, ask)) = self.wire.pop_front() else { break };
                        let is_next = stream.len() as u64 == number - 1;
                        if is_next {
                            stream.push(number);
                        }
                        self.answers.extend(ask.map(|asked| (asked, is_next)));
                    }
                }
                Step::Hear(count) => {
                    for _ in 0..count {
                        match self.answers.pop_front() {
                            Some((number, true)) => self.pipeline.acknowledged(number),
                            Some((_, false)) => self.pipeline.doubt(),
                            None => break,
                        }
                    }
                }
                Step::LoseMessage => drop(self.wire.pop_front()),
                Step::LoseAnswer => drop(self.answers.pop_front()),
                Step::Timeout if self.pipeline.waits() => self.pipeline.doubt(),
                Step::AskLast if self.pipeline.is_in_doubt() => self.pipeline.found(stream.len() as u64),
                Step::Timeout | Step::AskLast => {}
                Step::Crash => {
                    // What was sent may arrive all the same.
                    let wire = std::mem::take(&mut self.wire);
                    *self = Publisher { wire, ..Publisher::fresh(stream) };
                }
            }
            assert!(self.pipeline.stored() <= stream.len() as u64, "nothing is certain that is not there");
        }
    }

    proptest! {
        #[test]
        fn two_publishers_that_lose_messages_and_crash_publish_each_once_in_order(steps in vec(step(), 1..200)) {
            let mut stream = Vec::new();
            let mut publishers = [Publisher::fresh(&stream), Publisher::fresh(&stream)];
            for (second, step) in steps {
                publishers[usize::from(second)].step(step, &mut stream);
            }
            for publisher in &mut publishers {
                for _ in 0..20 {
                    for step in [Step::Send(1000), Step::Arrive(1000), Step::Hear(1000), Step::Timeout, Step::AskLast] {
                        publisher.step(step, &mut stream);
                    }
                }
            }
            prop_assert_eq!(&stream, &(1..=EVENTS).collect::<Vec<_>>());
            for publisher in &publishers {
                prop_assert_eq!(publisher.pipeline.stored(), EVENTS);
            }
        }
    }

    #[test]
    fn a_stream_that_lost_its_end_is_filled_again() {
        let mut pipeline = Pipeline::behind(10);
        pipeline.push(11);
        pipeline.doubt();
        assert_eq!(pipeline.send(), None, "nothing is sent in doubt");
        pipeline.found(7);
        assert_eq!((pipeline.next(), pipeline.stored(), pipeline.is_in_doubt()), (8, 7, false));
    }
}
