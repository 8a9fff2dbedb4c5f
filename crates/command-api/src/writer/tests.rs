//! The writer by example: what comes in, what goes out, and in which order.

mod timers;

use journal::{Frame, Head, Outcome, Space};
use ledger_core::control::{RULES_KNOWN, RecordStateHash};
use ledger_core::values::{Digest, Name, Text, Timestamp};
use ledger_core::{Command, Entry, Ledger, Settings};
use serde_json::{Value, json};

use super::{Answer, Busy, Conflict, Input, Output, Writer};
use crate::auth::Caller;
use crate::request::{Batch, Envelope, read_command};
use crate::writer::Request;

const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3600 * SECOND;

/// A writer, the time around it, and what it gave out. Answers go to numbers.
struct World {
    writer: Writer<u32>,
    now: Timestamp,
    frames: Vec<Frame>,
    replies: Vec<(u32, Answer)>,
    stopped: Option<String>,
}

impl World {
    /// A writer that took a new ledger; its first frame is not durable yet.
    fn just_started() -> World {
        let now = Timestamp::parse("2026-01-01T00:00:00Z").unwrap();
        let mut out = Vec::new();
        let settings = Settings::named(Name::try_new("main").unwrap());
        let program = Name::try_new("bincard test").unwrap();
        let writer = Writer::start(Ledger::new(), Head::empty([1; 16]), settings, program, now, &mut out);
        let mut world = World { writer, now, frames: Vec::new(), replies: Vec::new(), stopped: None };
        world.keep(out);
        world
    }

    /// A writer that serves.
    fn serving() -> World {
        World::just_started().durable()
    }

    fn keep(&mut self, out: Vec<Output<u32>>) {
        for output in out {
            match output {
                Output::Append(frame) => self.frames.push(frame),
                Output::Reply(to, answer) => self.replies.push((to, answer)),
                Output::Stopped { why } => self.stopped = Some(why),
            }
        }
    }

    fn step(mut self, input: Input<u32>) -> World {
        let mut out = Vec::new();
        self.writer.step(input, self.now, &mut out);
        self.keep(out);
        self
    }

    fn sends(self, to: u32, request: Request) -> World {
        self.step(Input::Command(request, to))
    }

    fn durable(self) -> World {
        let last_sequence = self.frames.last().unwrap().last_sequence();
        self.step(Input::Journal(Outcome::Durable { last_sequence }))
    }

    fn later(mut self, micros: i64) -> World {
        self.now = self.now.plus_micros(micros);
        self
    }

    /// What was answered since the last look: who, and what in a word.
    fn answered(mut self, expected: &[(u32, &str)]) -> World {
        let answered: Vec<(u32, &str)> =
            self.replies.iter().map(|(to, answer)| (*to, word(answer))).collect();
        assert_eq!(answered, expected);
        self.replies.clear();
        self
    }

    /// Entries in each frame that was appended so far.
    fn frames_hold(self, expected: &[usize]) -> World {
        let found: Vec<usize> = self.frames.iter().map(|frame| frame.entries().count()).collect();
        assert_eq!(found, expected);
        self
    }
}

fn word(answer: &Answer) -> &'static str {
    match answer {
        Answer::Accepted { .. } => "accepted",
        Answer::WouldBeAccepted { .. } => "would be accepted",
        Answer::Duplicate { .. } => "duplicate",
        Answer::Rejected { rejection, .. } => rejection.code(),
        Answer::Conflict(conflict) => conflict.code(),
        Answer::Busy(busy) => busy.code(),
        Answer::Unavailable { .. } | Answer::NotTheWriter { .. } => "unavailable",
        Answer::Unknown { .. } => "unknown",
        Answer::Forbidden { .. } => "forbidden",
    }
}

fn request(id: &str, name: &str, body: &Value) -> Request {
    let envelope = Envelope::read(Caller::anonymous(), |header| match header {
        "Bincard-Command-Id" => vec![id.as_bytes()],
        _ => Vec::new(),
    });
    read_command(name, body.to_string().as_bytes(), &envelope.unwrap()).unwrap()
}

fn define(sku: &str) -> Request {
    request(&format!("define {sku}"), "items.define", &json!({"sku": sku, "name": "Tea"}))
}

/// Rejected, because the item is not defined.
fn refused() -> Request {
    request("refused", "items.activate", &json!({"sku": "NOPE"}))
}

fn dry(mut request: Request) -> Request {
    request.dry_run = true;
    request
}

fn atomic(commands: Value) -> Request {
    let body = json!({"atomic": true, "commands": commands}).to_string();
    let Batch::Atomic(request) = Batch::read(body.as_bytes(), &Envelope::default()).unwrap() else {
        panic!()
    };
    request
}

fn item(id: &str, sku: &str) -> Value {
    json!({"command": "items.define", "id": id, "body": {"sku": sku, "name": "Tea"}})
}

#[test]
fn a_new_ledger_is_created_and_taken_in_its_first_frame() {
    let world = World::just_started().frames_hold(&[2]);
    let entries: Vec<Entry> =
        world.frames[0].entries().map(|(_, _, bytes)| Entry::decode(bytes).unwrap()).collect();
    let names: Vec<&str> = entries.iter().flat_map(Entry::events).map(|event| event.name()).collect();
    assert_eq!(names, ["ledger.created", "ledger.rules_activated", "ledger.epoch_started"]);
    assert_eq!(world.writer.ledger().rules(), *RULES_KNOWN.end());
    assert_eq!(world.frames[0].header().epoch, 1);
}

#[test]
fn a_restart_starts_the_next_epoch_behind_the_head() {
    let first = World::serving().sends(1, define("A")).durable();
    let mut ledger = Ledger::new();
    for frame in &first.frames {
        for (_, _, bytes) in frame.entries() {
            let at = Timestamp::from_micros(frame.header().log_time_us);
            ledger.apply(&Entry::decode(bytes).unwrap(), at).unwrap();
        }
    }
    let head = Head::after(first.frames.last().unwrap());
    let settings = Settings::named(Name::try_new("other").unwrap());
    let mut out: Vec<Output<u32>> = Vec::new();
    let program = Name::try_new("bincard test").unwrap();
    let writer = Writer::start(ledger, head, settings, program, first.now, &mut out);
    let [Output::Append(frame)] = out.as_slice() else { panic!("{out:?}") };
    assert_eq!(head.check_next(frame), Ok(()));
    assert_eq!((writer.epoch(), frame.header().epoch, frame.header().first_sequence), (2, 2, 4));
    assert_eq!(writer.ledger().settings().unwrap().name.as_str(), "main");
}

#[test]
fn an_acceptance_leaves_when_its_frame_is_durable() {
    World::serving()
        .sends(1, define("A"))
        .frames_hold(&[2, 1])
        .answered(&[])
        .durable()
        .answered(&[(1, "accepted")]);
}

#[test]
fn what_is_accepted_while_a_frame_is_in_flight_travels_in_the_next_one() {
    World::serving()
        .sends(1, define("A"))
        .sends(2, define("B"))
        .sends(3, define("C"))
        .frames_hold(&[2, 1])
        .durable()
        .answered(&[(1, "accepted")])
        .frames_hold(&[2, 1, 2])
        .durable()
        .answered(&[(2, "accepted"), (3, "accepted")]);
}

#[test]
fn frames_chain_and_number_entries_and_events_without_gaps() {
    let world = World::serving().sends(1, define("A")).sends(2, define("B")).sends(3, define("C"));
    let world = world.durable().durable();
    let mut head = Head::empty([1; 16]);
    for frame in &world.frames {
        assert_eq!(head.check_next(frame), Ok(()));
        head = Head::after(frame);
    }
    // The first entry creates the ledger and activates its rules.
    assert_eq!((head.sequence, head.event), (5, 6));
}

#[test]
fn a_refusal_leaves_at_once_when_nothing_waits() {
    World::serving().sends(1, refused()).answered(&[(1, "unknown_item")]).frames_hold(&[2]);
}

#[test]
fn a_refusal_or_duplicate_waits_for_the_last_entry_accepted_before_it() {
    World::serving()
        .sends(1, define("A"))
        .sends(2, refused())
        .sends(3, define("A"))
        .sends(4, define("B"))
        .sends(5, refused())
        .answered(&[])
        .durable()
        .answered(&[(1, "accepted"), (2, "unknown_item"), (3, "duplicate")])
        .durable()
        .answered(&[(4, "accepted"), (5, "unknown_item")]);
}

#[test]
fn the_same_command_twice_is_one_entry_and_the_same_id_for_another_is_a_conflict() {
    let other = request("define A", "items.define", &json!({"sku": "A", "name": "Coffee"}));
    let world = World::serving().sends(1, define("A")).durable().answered(&[(1, "accepted")]);
    let world = world.sends(2, define("A")).sends(3, other);
    assert!(matches!(&world.replies[0].1, Answer::Duplicate { accepted } if accepted[0].1 == 3));
    world.answered(&[(2, "duplicate"), (3, "command_id_reused")]).frames_hold(&[2, 1]);
}

#[test]
fn a_refusal_is_not_remembered() {
    let activate = || request("activate", "items.activate", &json!({"sku": "A"}));
    World::serving()
        .sends(1, activate())
        .answered(&[(1, "unknown_item")])
        .sends(2, define("A"))
        .sends(3, activate())
        .durable()
        .durable()
        .answered(&[(2, "accepted"), (3, "accepted")]);
}

#[test]
fn an_atomic_batch_is_one_entry_or_nothing() {
    let refused = json!({"command": "items.activate", "id": "c", "body": {"sku": "NOPE"}});
    let world = World::serving();
    let before = world.writer.ledger().clone();
    let world = world.sends(1, atomic(json!([item("a", "A"), item("b", "B"), refused])));
    assert_eq!(*world.writer.ledger(), before);
    world
        .answered(&[(1, "unknown_item")])
        .sends(2, atomic(json!([item("a", "A"), item("b", "B")])))
        .durable()
        .answered(&[(2, "accepted")])
        .frames_hold(&[2, 1]);
}

#[test]
fn an_atomic_batch_again_is_a_duplicate_and_in_part_a_conflict() {
    let whole = || atomic(json!([item("a", "A"), item("b", "B")]));
    let changed = atomic(json!([item("a", "A"), item("b", "CHANGED")]));
    let more = atomic(json!([item("a", "A"), item("b", "B"), item("c", "C")]));
    let world = World::serving().sends(1, whole()).durable().answered(&[(1, "accepted")]);
    let world = world.sends(2, whole()).sends(3, changed).sends(4, more);
    assert!(matches!(
        world.replies[2].1,
        Answer::Conflict(Conflict::BatchPartlyKnown { known: 2, commands: 3 })
    ));
    world
        .answered(&[(2, "duplicate"), (3, "command_id_reused"), (4, "command_id_reused")])
        .frames_hold(&[2, 1]);
}

#[test]
fn a_dry_run_decides_and_leaves_no_trace() {
    let world = World::serving();
    let before = world.writer.ledger().clone();
    let world = world.sends(1, dry(define("A"))).sends(2, dry(refused()));
    assert_eq!(*world.writer.ledger(), before);
    world.answered(&[(1, "would be accepted"), (2, "unknown_item")]).frames_hold(&[2]);
}

#[test]
fn a_full_frame_waits_and_the_writer_takes_no_more_until_it_left() {
    let mut world = World::serving().sends(0, define("FIRST"));
    let mut number = 0;
    while world.writer.takes_commands() {
        number += 1;
        let name = "n".repeat(500);
        let body = json!({"sku": format!("S{number}"), "name": name});
        world = world.sends(number, request(&format!("c{number}"), "items.define", &body));
        assert!(number < 10_000, "a frame closes at 256 KiB");
    }
    let world = world.answered(&[]).sends(99_999, define("LATE")).answered(&[(99_999, "queue_full")]);
    let world = world.durable();
    assert!(world.writer.takes_commands());
    let frame = world.frames.last().unwrap();
    assert_eq!(frame.entries().count(), number as usize);
    assert!((journal::FRAME_CLOSE_BYTES..journal::FRAME_BYTES_MAX).contains(&frame.bytes().len()));
}

/// A fact about an item that is not there, said to be true at a moment: refused, but only for that.
fn stated(id: &str, at: Timestamp) -> Request {
    let text = at.to_string();
    let envelope = Envelope::read(Caller::anonymous(), |header| match header {
        "Bincard-Command-Id" => vec![id.as_bytes()],
        "Bincard-Effective-At" => vec![text.as_bytes()],
        _ => Vec::new(),
    });
    let body = json!({"sku": "NOPE", "location": "main", "quantity": 1, "unit_cost": "1.00"});
    read_command("stock.receive", body.to_string().as_bytes(), &envelope.unwrap()).unwrap()
}

#[test]
fn a_fact_of_just_now_waits_for_the_frame_that_can_hold_it() {
    let world = World::serving().sends(1, define("A")).sends(2, define("B")).later(500);
    let now = world.now;
    let waits = |world: &World, at| world.writer.is_of_next_frame(&stated("r", at), world.now);
    assert!(waits(&world, now), "the open frame is half a millisecond older");
    assert!(!waits(&world, now.plus_micros(-500)), "it is as old as the open frame");
    assert!(!waits(&world, now.plus_micros(1)), "it has not come yet, and is refused as that");
    let early = world.sends(3, stated("r", now)).durable();
    assert!(!waits(&early, now), "no frame is open");
    let world = early.sends(4, stated("r", now)).durable();
    world.answered(&[(1, "accepted"), (2, "accepted"), (3, "effective_in_the_future"), (4, "unknown_item")]);
}

#[test]
fn a_frame_in_doubt_stops_the_writer_for_good() {
    for outcome in
        [Outcome::Unknown { why: "sync failed".into() }, Outcome::Refused { why: "another writer".into() }]
    {
        let world = World::serving()
            .sends(1, define("A"))
            .sends(2, refused())
            .sends(3, define("B"))
            .step(Input::Journal(outcome))
            .answered(&[(1, "unknown"), (2, "unknown"), (3, "unknown")])
            .sends(4, define("C"))
            .sends(5, define("A"))
            .answered(&[(4, "unavailable"), (5, "unavailable")])
            .frames_hold(&[2, 1]);
        assert!(world.stopped.is_some());
        assert!(world.writer.takes_commands(), "so that they are answered");
    }
}

#[test]
fn low_space_makes_commands_busy_until_there_is_room() {
    World::serving()
        .sends(1, define("A"))
        .step(Input::Space(Space::Low { why: "no space left on device".into() }))
        .sends(2, define("B"))
        .answered(&[(2, "disk_full")])
        .durable()
        .answered(&[(1, "accepted")])
        .step(Input::Space(Space::Enough))
        .sends(3, define("B"))
        .durable()
        .answered(&[(3, "accepted")]);
}

#[test]
fn a_disk_that_is_full_for_hours_while_commands_come_is_no_leap_of_the_clock() {
    let mut world = World::serving().step(Input::Space(Space::Low { why: "no space left on device".into() }));
    for number in 1..=4 {
        world = world.later(HOUR * 3 / 4).sends(number, define("A"));
    }
    world
        .answered(&[(1, "disk_full"), (2, "disk_full"), (3, "disk_full"), (4, "disk_full")])
        .step(Input::Space(Space::Enough))
        .sends(5, define("A"))
        .durable()
        .answered(&[(5, "accepted")]);
}

#[test]
fn log_time_is_one_for_a_frame_and_never_goes_back() {
    let world = World::serving().later(7 * SECOND).sends(1, define("A")).sends(2, define("B"));
    let world = world.later(2 * SECOND).sends(3, define("C")).durable().later(-4 * SECOND);
    let world = world.durable().sends(4, define("D")).durable();
    let since = world.frames[0].header().log_time_us;
    let times: Vec<i64> =
        world.frames.iter().map(|frame| (frame.header().log_time_us - since) / SECOND).collect();
    assert_eq!(times, [0, 7, 7, 7]);
}

#[test]
fn a_clock_that_leaps_ahead_is_believed_when_it_is_back_or_confirmed() {
    World::serving()
        .sends(1, define("A"))
        .durable()
        .answered(&[(1, "accepted")])
        .later(2 * HOUR)
        .sends(2, define("B"))
        .answered(&[(2, "clock_suspect")])
        .step(Input::Tick)
        .sends(3, define("B"))
        .answered(&[(3, "clock_suspect")])
        .later(-2 * HOUR)
        .sends(4, define("B"))
        .durable()
        .answered(&[(4, "accepted")])
        .later(2 * HOUR)
        .step(Input::ClockConfirmed)
        .sends(5, define("C"))
        .durable()
        .answered(&[(5, "accepted")]);
}

#[test]
fn an_idle_day_is_no_leap() {
    let mut world = World::serving();
    for _ in 0..48 {
        world = world.later(HOUR / 2).step(Input::Tick);
    }
    world.sends(1, define("A")).durable().answered(&[(1, "accepted")]);
}

#[test]
fn a_clock_set_back_is_suspect_until_confirmed_and_then_the_log_waits_for_it() {
    let world = World::serving().later(HOUR / 2).sends(1, define("A")).durable().later(-6 * SECOND);
    let world = world.sends(2, define("B"));
    assert!(matches!(&world.replies[1].1, Answer::Busy(Busy::ClockSuspect { .. })));
    let world = world
        .answered(&[(1, "accepted"), (2, "clock_suspect")])
        .step(Input::ClockConfirmed)
        .sends(3, define("B"))
        .durable()
        .answered(&[(3, "accepted")]);
    assert_eq!(world.frames[1].header().log_time_us, world.frames[2].header().log_time_us);
}

#[test]
fn a_state_hash_joins_the_open_frame_and_one_that_is_known_is_let_go() {
    let hash = |at_sequence| {
        let (root, sections) = (Digest([7; 32]), Vec::new());
        Input::StateHash(RecordStateHash { at_sequence, format: 1, root, sections })
    };
    let world = World::serving()
        .sends(1, define("A"))
        .sends(2, define("B"))
        .step(hash(2))
        .step(hash(2))
        .step(hash(99))
        .durable()
        .frames_hold(&[2, 1, 2]);
    assert_eq!(world.writer.ledger().state_hash().map(|hash| hash.at_sequence), Some(2));
    world
        .durable()
        .answered(&[(1, "accepted"), (2, "accepted")])
        .step(Input::Space(Space::Low { why: "no space left on device".into() }))
        .step(hash(3))
        .frames_hold(&[2, 1, 2]);
}
