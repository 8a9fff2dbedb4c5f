//! The way back: where the writer's answer to a command goes.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::writer::Answer;

/// Where an answer goes. Dropped without one, whoever waits learns that none will come.
pub(crate) enum To {
    /// To whoever asked for this command alone.
    One(oneshot::Sender<Answer>),
    /// To its place among the answers to commands that came together.
    Together(Arc<Mutex<Together>>, usize),
}

/// The answers to commands that came together: they leave when the last one is there, so that whoever waits is woken
/// once. Each is durable by itself; in one frame or in two, they are decided within the same moment.
pub(crate) struct Together {
    answers: Vec<Option<Answer>>,
    missing: usize,
    to: Option<oneshot::Sender<Vec<Answer>>>,
}

impl To {
    /// The places of so many commands, in order, and where their answers will be.
    pub(crate) fn together(count: usize) -> (impl Iterator<Item = To>, oneshot::Receiver<Vec<Answer>>) {
        let (to, answers) = oneshot::channel();
        let together = Together { answers: vec![None; count], missing: count, to: Some(to) };
        let together = Arc::new(Mutex::new(together));
        let places = (0..count).map(move |place| To::Together(Arc::clone(&together), place));
        (places, answers)
    }

    /// Sends the answer. Whoever asked may have gone: it stands in the log.
    pub(crate) fn send(self, answer: Answer) {
        match self {
            To::One(to) => drop(to.send(answer)),
            To::Together(together, place) => together.lock().answered(place, answer),
        }
    }
}

impl Together {
    fn answered(&mut self, place: usize, answer: Answer) {
        self.answers[place] = Some(answer);
        self.missing -= 1;
        if self.missing == 0
            && let Some(to) = self.to.take()
        {
            drop(to.send(self.answers.drain(..).flatten().collect()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unknown(why: &str) -> Answer {
        Answer::Unknown { why: why.into() }
    }

    #[test]
    fn answers_come_in_the_order_of_the_commands_when_the_last_is_there() {
        let (places, mut answers) = To::together(2);
        let [first, second] = <[To; 2]>::try_from(places.collect::<Vec<_>>()).ok().unwrap();
        second.send(unknown("second"));
        assert!(answers.try_recv().is_err(), "one is missing");
        first.send(unknown("first"));
        assert_eq!(answers.try_recv().unwrap(), [unknown("first"), unknown("second")]);
    }

    #[test]
    fn a_place_that_is_dropped_lets_all_know() {
        let (mut places, mut answers) = To::together(2);
        places.next().unwrap().send(unknown("first"));
        drop(places);
        assert_eq!(answers.try_recv(), Err(oneshot::error::TryRecvError::Closed));
    }
}
