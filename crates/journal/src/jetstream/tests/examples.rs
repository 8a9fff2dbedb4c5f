//! Each row of the two tables, by example.

use std::time::Duration;

use crate::fault::Fault;
use crate::frame::tests::frame_after;
use crate::frame::{Frame, FrameBuilder};
use crate::jetstream::{
    Appender, Ask, Attempt, Chain, Heard, Next, RESOLVE_DEADLINE, RETRY_PAUSE, Reading, VoidFrame,
};
use crate::journal::{Head, Outcome};

const LEDGER: [u8; 16] = [7; 16];
const START: Duration = Duration::from_secs(1_000);

fn no_answer() -> Heard {
    Heard::NoAnswer { why: "the server is away".into() }
}

fn rejected() -> Heard {
    Heard::Rejected { why: "wrong last sequence: 5".into() }
}

fn found(frame: &Frame) -> Heard {
    Heard::Found { bytes: frame.bytes().to_vec() }
}

/// An appender behind stream sequence 4, with a frame of two entries in flight.
struct Example {
    appender: Appender,
    frame: Frame,
    next: Next,
}

impl Example {
    fn new() -> Self {
        let frame = frame_after(&Head::empty(LEDGER), &[(b"one", 1), (b"two", 1)]);
        let mut appender = Appender::behind(4);
        let next = appender.submit(frame.clone(), START);
        Self { appender, frame, next }
    }

    fn attempt(&self) -> Attempt {
        let Next::Ask(attempt, _) = self.next else { panic!("{:?} asks nothing", self.next) };
        attempt
    }

    fn asked(&self) -> &Ask {
        let Next::Ask(_, ask) = &self.next else { panic!("{:?} asks nothing", self.next) };
        ask
    }

    fn hears(self, heard: Heard) -> Self {
        self.hears_at(heard, START)
    }

    fn hears_at(mut self, heard: Heard, now: Duration) -> Self {
        let attempt = self.attempt();
        self.next = self.appender.heard(attempt, heard, now);
        self
    }

    #[track_caller]
    fn looks(self) -> Self {
        assert_eq!(self.asked(), &Ask::Look { stream_sequence: 5 });
        self
    }

    #[track_caller]
    fn pauses_and_publishes_again(self) -> Self {
        assert_eq!(self.asked(), &Ask::Pause(RETRY_PAUSE));
        self.hears(Heard::Paused).publishes()
    }

    #[track_caller]
    fn publishes(self) -> Self {
        assert_eq!(self.asked(), &Ask::Publish { expected_last: 4, frame: self.frame.clone() });
        self
    }

    #[track_caller]
    fn ends_durable(self) {
        assert_eq!(self.next, Next::Settled(Outcome::Durable { last_sequence: 2 }));
        assert_eq!(self.appender.last_stream_sequence(), 5);
    }

    #[track_caller]
    fn stops(mut self, word: &str) {
        let Next::Settled(outcome) = self.next else { panic!("{:?}", self.next) };
        let (Outcome::Refused { why } | Outcome::Unknown { why }) = &outcome else { panic!("{outcome:?}") };
        assert!(why.contains(word), "{why}");
        let again = self.appender.submit(self.frame, START);
        assert_eq!(again, Next::Settled(outcome), "it takes no other frame");
    }
}

#[test]
fn an_acknowledgement_at_the_expected_place_is_durable() {
    Example::new().publishes().hears(Heard::Acknowledged { stream_sequence: 5 }).ends_durable();
}

#[test]
fn an_acknowledgement_elsewhere_is_in_doubt() {
    Example::new().hears(Heard::Acknowledged { stream_sequence: 6 }).stops("wanted 5");
}

#[test]
fn a_frame_whose_acknowledgement_was_lost_is_found_at_its_place() {
    let example = Example::new().hears(no_answer()).looks();
    let there = found(&example.frame);
    example.hears(there).ends_durable();
}

#[test]
fn a_rejection_of_a_repeat_is_resolved_by_looking() {
    let example = Example::new().hears(no_answer()).looks().hears(Heard::Absent).pauses_and_publishes_again();
    let there = found(&example.frame);
    example.hears(rejected()).looks().hears(there).ends_durable();
}

#[test]
fn another_frame_at_the_expected_place_refuses_this_one() {
    let rival = frame_after(&Head { epoch: 9, sequence: 1, ..Head::empty(LEDGER) }, &[(b"rival", 1)]);
    Example::new().hears(rejected()).looks().hears(found(&rival)).stops("epoch 9, this writer's epoch is 1");
}

#[test]
fn bytes_of_another_kind_at_the_expected_place_refuse_it_too() {
    Example::new().hears(no_answer()).hears(Heard::Found { bytes: b"hello".to_vec() }).stops("no frame");
}

#[test]
fn a_rejection_by_a_deposed_leader_is_tried_again() {
    let example = Example::new().hears(rejected()).looks().hears(Heard::Absent).pauses_and_publishes_again();
    example.hears(Heard::Acknowledged { stream_sequence: 5 }).ends_durable();
}

#[test]
fn without_an_answer_it_goes_on_to_the_deadline() {
    let just_before = START + RESOLVE_DEADLINE - Duration::from_millis(1);
    let example = Example::new().hears(no_answer()).looks().hears_at(no_answer(), just_before);
    let example = example.pauses_and_publishes_again().hears(no_answer()).looks();
    example.hears_at(no_answer(), START + RESOLVE_DEADLINE).stops("no answer about stream sequence 5");
}

#[test]
fn an_empty_place_at_the_deadline_is_in_doubt() {
    let example = Example::new().hears(no_answer()).looks();
    example.hears_at(Heard::Absent, START + RESOLVE_DEADLINE).stops("still empty");
}

#[test]
fn why_the_server_did_not_store_it_is_in_the_reason_of_the_stop() {
    let full = Heard::NoAnswer { why: "insufficient storage resources".into() };
    let example = Example::new().hears(no_answer()).looks().hears(Heard::Absent).pauses_and_publishes_again();
    let example = example.hears(full).looks();
    example.hears_at(Heard::Absent, START + RESOLVE_DEADLINE).stops("insufficient storage resources");
}

#[test]
fn a_late_acknowledgement_of_an_earlier_attempt_is_good_news() {
    let mut example = Example::new();
    let first = example.attempt();
    example = example.hears(no_answer()).looks();
    example.next = example.appender.heard(first, Heard::Acknowledged { stream_sequence: 5 }, START);
    example.ends_durable();
}

#[test]
fn other_late_answers_are_not_mistaken() {
    let mut example = Example::new();
    let first = example.attempt();
    example = example.hears(no_answer()).hears(Heard::Absent).hears(Heard::Paused);
    assert_eq!(example.appender.heard(first, rejected(), START), Next::Wait);
    let second = example.attempt();
    let (acknowledged, third) =
        (Heard::Acknowledged { stream_sequence: 5 }, Heard::Acknowledged { stream_sequence: 6 });
    assert!(matches!(example.appender.heard(second, acknowledged.clone(), START), Next::Settled(_)));
    let next = frame_after(&Head::after(&example.frame), &[(b"three", 1)]);
    assert!(matches!(
        example.appender.submit(next, START),
        Next::Ask(_, Ask::Publish { expected_last: 5, .. })
    ));
    assert_eq!(example.appender.heard(second, acknowledged, START), Next::Wait, "that was the frame before");
    assert_eq!(example.appender.heard(second, third, START), Next::Wait);
}

/// A history of three frames; the third is of epoch 2.
fn history() -> (Chain, Vec<Frame>) {
    let mut chain = Chain::of("BINCARD_main_JOURNAL");
    let mut head = Head::empty(LEDGER);
    let mut frames = Vec::new();
    for epoch in [1, 1, 2] {
        let frame = framed(&Head { epoch, ..head }, head.sequence + 1, 2);
        head = Head::after(&frame);
        frames.push(frame);
    }
    for (frame, stream_sequence) in frames.iter().zip(1..) {
        let read = chain.read(stream_sequence, frame.bytes()).unwrap();
        assert_eq!(read, Reading::Next(frame.clone()));
    }
    (chain, frames)
}

fn framed(after: &Head, first_sequence: u64, entries: usize) -> Frame {
    let time = after.log_time_us.max(0);
    let mut open = FrameBuilder::open(LEDGER, after.epoch, first_sequence, after.event + 1, time, after.hash);
    (0..entries).for_each(|_| open.push(b"entry", 1));
    open.seal()
}

#[track_caller]
fn damage(read: Result<Reading, Fault>, word: &str) {
    let fault = read.unwrap_err();
    assert!(matches!(fault, Fault::DamagedStream { stream_sequence: 4 | 5, .. }), "{fault}");
    assert!(fault.to_string().contains(word), "{fault}");
    assert!(fault.is_damage());
}

#[test]
fn a_losing_rivals_frame_is_void_and_takes_no_sequence() {
    let (mut chain, frames) = history();
    let head = chain.head().unwrap();
    // It read the first two frames, and wanted to add what the third frame's writer was quicker to add.
    let rival = framed(&Head::after(&frames[1]), 5, 3);
    let void = VoidFrame { stream_sequence: 4, epoch: 1, first_sequence: 5, entries: 3 };
    assert_eq!(chain.read(4, rival.bytes()).unwrap(), Reading::Void(void));
    // Its next frame, published ahead of its knowledge: right behind the head, of an older epoch.
    let behind = framed(&Head { hash: rival.hash(), epoch: 1, ..head }, 7, 1);
    assert!(matches!(chain.read(5, behind.bytes()).unwrap(), Reading::Void(_)));
    assert_eq!((chain.head(), chain.last_stream_sequence()), (Some(head), 5));
    let next = framed(&head, 7, 1);
    assert_eq!(chain.read(6, next.bytes()).unwrap(), Reading::Next(next));
}

#[test]
fn a_repeated_frame_is_void_and_a_repeated_message_is_known() {
    let (mut chain, frames) = history();
    assert!(matches!(chain.read(4, frames[2].bytes()).unwrap(), Reading::Void(_)));
    assert_eq!(chain.read(3, frames[2].bytes()).unwrap(), Reading::Known);
}

#[test]
fn a_lost_prefix_is_damage() {
    let (mut chain, _) = history();
    let head = chain.head().unwrap();
    damage(chain.read(4, framed(&head, 8, 1).bytes()), "found first sequence 8, wanted 7");
    damage(chain.read(5, framed(&head, 7, 1).bytes()), "messages are missing");
    let rewritten = Head { hash: [9; 32], ..head };
    damage(chain.read(4, framed(&rewritten, 7, 1).bytes()), "another previous frame");
    damage(chain.read(4, framed(&Head { epoch: 3, ..rewritten }, 7, 1).bytes()), "another previous frame");
    for epoch in [2, 3] {
        let taken_early = Head { epoch, sequence: 4, event: 4, ..rewritten };
        damage(chain.read(4, framed(&taken_early, 5, 1).bytes()), "found first sequence 5, wanted 7");
    }
    assert_eq!(chain.head(), Some(head), "the chain stays where it is");
    assert!(matches!(chain.read(4, framed(&head, 7, 1).bytes()), Ok(Reading::Next(_))));
}

#[test]
fn what_is_no_frame_of_this_ledger_is_damage() {
    let (mut chain, _) = history();
    let head = chain.head().unwrap();
    damage(chain.read(4, b"hello"), "no frame begins here");
    let mut longer = framed(&head, 7, 1).bytes().to_vec();
    longer.push(0);
    damage(chain.read(4, &longer), "1 bytes behind the frame");
    let other = frame_after(&Head { ledger: [8; 16], ..head }, &[(b"x", 1)]);
    damage(chain.read(4, other.bytes()), "another ledger");
}

#[test]
fn the_first_frame_says_which_ledger_it_is_and_must_begin_it() {
    let mut chain = Chain::of("S");
    let later = framed(&Head { epoch: 1, ..Head::empty(LEDGER) }, 2, 1);
    assert!(
        chain.read(1, later.bytes()).unwrap_err().to_string().contains("found first sequence 2, wanted 1")
    );
    assert_eq!(chain.head(), None);
}
