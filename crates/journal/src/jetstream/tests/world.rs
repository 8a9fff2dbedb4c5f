//! Writers that take the ledger from each other over a network that loses, repeats, delays and reorders everything.

use std::collections::HashMap;
use std::time::Duration;

use proptest::prelude::*;

use crate::frame::{Frame, FrameBuilder, FrameHash};
use crate::jetstream::{Appender, Ask, Attempt, Chain, Heard, Next, Reading};
use crate::journal::{Head, Outcome};

const LEDGER: [u8; 16] = [3; 16];

/// What the network carries, from or to a writer's n-th life.
enum Carried {
    Request(Attempt, Ask),
    Answer(Attempt, Heard),
}

#[derive(Default)]
struct Writer {
    life: u32,
    appender: Option<Appender>,
    head: Option<Head>,
    in_flight: Option<(Attempt, Frame)>,
}

#[derive(Default)]
struct World {
    now: Duration,
    stream: Vec<Frame>,
    carried: Vec<(usize, u32, Carried)>,
    writers: [Writer; 3],
    fates: HashMap<FrameHash, Outcome>,
}

/// Numbers that proptest chose and shrinks; the rest of a world follows from them.
struct Choices<'c>(std::slice::Iter<'c, u32>);

impl Choices<'_> {
    fn below(&mut self, count: usize) -> Option<usize> {
        Some(*self.0.next()? as usize % count)
    }
}

impl World {
    fn step(&mut self, choices: &mut Choices) -> Option<()> {
        let writer = choices.below(self.writers.len())?;
        match choices.below(10)? {
            0 => self.take_the_ledger(writer),
            1 | 2 => self.append(writer),
            3 => self.time_out(writer, choices)?,
            _ => self.carry(choices)?,
        }
        self.now += Duration::from_millis(choices.below(400)? as u64);
        Some(())
    }

    /// A new life: reads the whole stream, and appends a frame of its own epoch.
    fn take_the_ledger(&mut self, writer: usize) {
        let (chain, _) = read(&self.stream);
        let head = chain.head().unwrap_or_else(|| Head::empty(LEDGER));
        let life = self.writers[writer].life + 1;
        let appender = Some(Appender::behind(chain.last_stream_sequence()));
        let head = Some(Head { epoch: head.epoch + 1, log_time_us: head.log_time_us.max(0), ..head });
        self.writers[writer] = Writer { life, appender, head, in_flight: None };
        self.append(writer);
    }

    fn append(&mut self, writer: usize) {
        let name = writer as u64;
        let Writer { appender, head, in_flight, life } = &mut self.writers[writer];
        let (Some(appender), Some(after), None) = (appender, *head, &in_flight) else { return };
        let mut open = FrameBuilder::open(
            LEDGER,
            after.epoch,
            after.sequence + 1,
            after.event + 1,
            after.log_time_us,
            after.hash,
        );
        open.push(format!("writer {name}, life {life}").as_bytes(), 1);
        let frame = open.seal();
        *head = Some(Head::after(&frame));
        let next = appender.submit(frame.clone(), self.now);
        self.follow(writer, Some(frame), next);
    }

    fn follow(&mut self, writer: usize, frame: Option<Frame>, next: Next) {
        let now_in_flight = frame.or_else(|| self.writers[writer].in_flight.take().map(|(_, frame)| frame));
        let frame = now_in_flight.expect("an appender that is asked has a frame in flight");
        match next {
            Next::Ask(attempt, ask) => {
                let life = self.writers[writer].life;
                self.carried.push((writer, life, Carried::Request(attempt, ask)));
                self.writers[writer].in_flight = Some((attempt, frame));
            }
            Next::Settled(outcome) => {
                if !matches!(outcome, Outcome::Durable { .. }) {
                    self.writers[writer].appender = None;
                }
                assert!(self.fates.insert(frame.hash(), outcome).is_none(), "one fate a frame");
            }
            Next::Wait => unreachable!("handled where an answer is heard"),
        }
    }

    fn time_out(&mut self, writer: usize, choices: &mut Choices) -> Option<()> {
        let Some((attempt, _)) = self.writers[writer].in_flight else { return Some(()) };
        if choices.below(8)? == 0 {
            self.now += Duration::from_secs(31);
        }
        self.hear(writer, attempt, Heard::NoAnswer { why: "time".into() });
        Some(())
    }

    /// Any message arrives, arrives and is still under way, or is lost.
    fn carry(&mut self, choices: &mut Choices) -> Option<()> {
        if self.carried.is_empty() {
            return Some(());
        }
        let place = choices.below(self.carried.len())?;
        let (luck, stale) = (choices.below(10)?, choices.below(10)? == 0);
        let (writer, life, message) = self.carried.swap_remove(place);
        if luck == 0 {
            return Some(());
        }
        match &message {
            Carried::Request(attempt, ask) => {
                let heard = self.serve(ask, stale);
                self.carried.push((writer, life, Carried::Answer(*attempt, heard)));
            }
            Carried::Answer(attempt, heard) if self.writers[writer].life == life => {
                self.hear(writer, *attempt, heard.clone());
            }
            Carried::Answer(..) => {}
        }
        if luck == 1 {
            self.carried.push((writer, life, message));
        }
        Some(())
    }

    /// The server; a stale leader knows nothing of the end of the stream.
    fn serve(&mut self, ask: &Ask, stale: bool) -> Heard {
        let last = self.stream.len() as u64;
        match ask {
            Ask::Pause(_) => Heard::Paused,
            Ask::Publish { .. } if stale => Heard::Rejected { why: "a deposed leader".into() },
            Ask::Publish { expected_last, frame } if *expected_last == last => {
                self.stream.push(frame.clone());
                Heard::Acknowledged { stream_sequence: last + 1 }
            }
            Ask::Publish { .. } => Heard::Rejected { why: format!("wrong last sequence: {last}") },
            Ask::Look { .. } if stale => Heard::Absent,
            Ask::Look { stream_sequence } => match self.stream.get(*stream_sequence as usize - 1) {
                Some(frame) => Heard::Found { bytes: frame.bytes().to_vec() },
                None => Heard::Absent,
            },
        }
    }

    fn hear(&mut self, writer: usize, attempt: Attempt, heard: Heard) {
        let Some(appender) = &mut self.writers[writer].appender else { return };
        match appender.heard(attempt, heard, self.now) {
            Next::Wait => {}
            next => self.follow(writer, None, next),
        }
    }

    /// Whatever was still under way arrives in the end.
    fn deliver_all(&mut self) {
        while let Some((_, _, message)) = self.carried.pop() {
            if let Carried::Request(_, ask) = message {
                self.serve(&ask, false);
            }
        }
    }
}

fn read(stream: &[Frame]) -> (Chain, Vec<Frame>) {
    let mut chain = Chain::of("S");
    let mut frames = Vec::new();
    for (frame, stream_sequence) in stream.iter().zip(1..) {
        match chain.read(stream_sequence, frame.bytes()).expect("no stream loses what it stored") {
            Reading::Next(frame) => frames.push(frame),
            Reading::Void(void) => panic!("one frame in flight leaves nothing void, found {void:?}"),
            Reading::Known => unreachable!("each is read once"),
        }
    }
    (chain, frames)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_is_acknowledged_is_history_and_what_is_refused_never_is(
        chosen in prop::collection::vec(any::<u32>(), 200..3_000)
    ) {
        let mut world = World::default();
        let mut choices = Choices(chosen.iter());
        while world.step(&mut choices).is_some() {}
        world.deliver_all();

        let (_, history) = read(&world.stream);
        for (hash, fate) in &world.fates {
            let times = history.iter().filter(|frame| frame.hash() == *hash).count();
            match fate {
                Outcome::Durable { .. } => prop_assert_eq!(times, 1, "acknowledged, so it is there"),
                Outcome::Refused { .. } => prop_assert_eq!(times, 0, "refused, so it never appears"),
                Outcome::Unknown { .. } => prop_assert!(times <= 1),
            }
        }
    }

    #[test]
    fn no_answer_makes_an_appender_panic(
        heard in prop::collection::vec((0..6u8, 0..6u64, 0..9u64, 0..40_000u64), 0..60)
    ) {
        let frame = crate::frame::tests::frame_after(&Head::empty(LEDGER), &[(b"x", 1)]);
        let mut appender = Appender::behind(0);
        let mut attempts = Vec::new();
        let mut now = Duration::ZERO;
        let mut in_flight = false;
        for (kind, which, number, millis) in heard {
            if !in_flight {
                match appender.submit(frame.clone(), now) {
                    Next::Ask(attempt, _) => attempts.push(attempt),
                    Next::Settled(outcome) => {
                        prop_assert!(!matches!(outcome, Outcome::Durable { .. }), "nothing was heard");
                        break;
                    }
                    Next::Wait => prop_assert!(false, "a frame that is handed over is published"),
                }
                in_flight = true;
            }
            now += Duration::from_millis(millis);
            let heard = match kind {
                0 => Heard::Acknowledged { stream_sequence: number },
                1 => Heard::Rejected { why: String::new() },
                2 => Heard::Found { bytes: frame.bytes()[..number as usize].to_vec() },
                3 => Heard::Absent,
                4 => Heard::NoAnswer { why: String::new() },
                _ => Heard::Paused,
            };
            let attempt = attempts[attempts.len() - 1 - which as usize % attempts.len()];
            match appender.heard(attempt, heard, now) {
                Next::Ask(attempt, _) => attempts.push(attempt),
                Next::Settled(_) => in_flight = false,
                Next::Wait => {}
            }
        }
    }
}
