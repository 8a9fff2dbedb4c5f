//! The whole spine in one thread, on a simulated disk and in simulated time: commands become durable facts, the disk
//! fails at every kind of moment, and nothing acknowledged is lost, nothing happens twice.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use command_api::auth::Caller;
use command_api::request::read_command;
use command_api::writer::{Answer, Busy, Input, Output, Writer};
use command_api::{Envelope, Request};
use journal::{
    FileJournal, Frame, FrameSource, Head, Journal, JournalRead, Options, Outcome, SimDisk, Trouble,
};
use ledger_core::values::{Name, Text, Timestamp};
use ledger_core::{Entry, Ledger, Settings};
use projections::{MemoryStore, Projections};
use serde_json::json;

const DIR: &str = "ledger";
const SEGMENTS: Options = Options { segment_bytes: 4096 };

/// A process: everything that a crash takes away.
struct Process {
    writer: Writer<usize>,
    journal: FileJournal<SimDisk>,
    projections: Projections,
    frames: Box<dyn FrameSource>,
    /// Handed over by the writer, not yet by the disk.
    appending: Option<Frame>,
    replies: Vec<(usize, Answer)>,
    stopped: bool,
}

/// The world around the processes.
struct World {
    disk: SimDisk,
    now: Timestamp,
    chance: Chance,
}

/// A small generator, so that a failing seed can be run again.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

impl World {
    fn new(seed: u64) -> World {
        let now = Timestamp::parse("2026-01-01T00:00:00Z").unwrap();
        World { disk: SimDisk::new(), now, chance: Chance(seed * 2 + 1) }
    }

    /// Starts a process on what the disk holds; `None` if the disk fails meanwhile.
    fn start(&mut self) -> Option<Process> {
        let dir = Path::new(DIR);
        let journal = match FileJournal::open(self.disk.clone(), dir, &[], SEGMENTS) {
            Ok((journal, _)) => journal,
            Err(journal::Fault::Missing { .. }) => {
                FileJournal::create(self.disk.clone(), dir, [7; 16], SEGMENTS).ok()?
            }
            Err(fault) => {
                let damaged = matches!(fault, journal::Fault::Corrupt { .. });
                assert!(!damaged, "no failure of the disk damages what was durable: {fault}");
                return None;
            }
        };
        let reader: Arc<dyn JournalRead> = Arc::new(journal.reader());
        let ledger = fold(reader.as_ref());
        let projections = Projections::open(Box::new(MemoryStore::default()), Arc::clone(&reader)).unwrap();
        let frames = reader.frames_from(projections.position().sequence + 1).unwrap();
        let mut out = Vec::new();
        let settings = Settings::named(Name::try_new("main").unwrap());
        let program = Name::try_new("spine").unwrap();
        let writer = Writer::start(ledger, reader.head(), settings, program, self.now, &mut out);
        let (appending, replies) = (None, Vec::new());
        let mut process =
            Process { writer, journal, projections, frames, appending, replies, stopped: false };
        process.take_outputs(out);
        process.disk_does_its_work(self.now);
        (!process.stopped).then_some(process)
    }

    fn pass_time(&mut self) {
        self.now = self.now.plus_micros(self.chance.below(200_000) as i64);
    }
}

impl Process {
    fn step(&mut self, input: Input<usize>, now: Timestamp) {
        let mut out = Vec::new();
        self.writer.step(input, now, &mut out);
        self.take_outputs(out);
    }

    fn take_outputs(&mut self, out: Vec<Output<usize>>) {
        for output in out {
            match output {
                Output::Append(frame) => assert!(self.appending.replace(frame).is_none(), "one in flight"),
                Output::Reply(to, answer) => self.replies.push((to, answer)),
                Output::Stopped { .. } => self.stopped = true,
            }
        }
    }

    /// The frame in flight is written and synced, and its fate told.
    fn disk_does_its_work(&mut self, now: Timestamp) {
        let Some(frame) = self.appending.take() else { return };
        self.journal.submit(frame);
        let outcome = self.journal.poll().expect("a file journal knows at once");
        let durable = matches!(outcome, Outcome::Durable { .. });
        let space = self.journal.space().clone();
        self.step(Input::Journal(outcome), now);
        self.step(Input::Space(space), now);
        // A disk without power reads nothing either.
        while durable && let Ok(Some(frame)) = self.frames.next_frame() {
            self.projections.fold(&frame).unwrap();
        }
    }
}

impl Process {
    /// Time passes until nothing is due any more, or the process is stopped.
    fn lets_timers_fire(&mut self, now: Timestamp) {
        while self.writer.ledger().next_due_at().is_some_and(|at| at <= now) && !self.stopped {
            self.step(Input::Tick, now);
            self.disk_does_its_work(now);
        }
        while self.appending.is_some() {
            self.disk_does_its_work(now);
        }
    }
}

fn fold(journal: &dyn JournalRead) -> Ledger {
    let mut ledger = Ledger::new();
    let mut frames = journal.frames_from(1).unwrap();
    while let Some(frame) = frames.next_frame().unwrap() {
        for (_, _, bytes) in frame.entries() {
            let at = Timestamp::from_micros(frame.header().log_time_us);
            ledger.apply(&Entry::decode(bytes).unwrap(), at).unwrap();
        }
    }
    ledger
}

/// Where each command id stands in the journal. It panics if one stands there twice.
fn recorded(journal: &dyn JournalRead) -> BTreeMap<String, u64> {
    let mut found = BTreeMap::new();
    let mut frames = journal.frames_from(1).unwrap();
    let mut head = Head::empty(journal.head().ledger);
    while let Some(frame) = frames.next_frame().unwrap() {
        assert_eq!(head.check_next(&frame), Ok(()));
        head = Head::after(&frame);
        for (sequence, _, bytes) in frame.entries() {
            for decided in Entry::decode(bytes).unwrap().commands {
                let id = decided.submitted.id.to_string();
                assert_eq!(found.insert(id.clone(), sequence), None, "{id} happened twice");
            }
        }
    }
    found
}

fn request(id: &str, name: &str, body: &serde_json::Value) -> Request {
    let headers =
        |header: &str| if header == "Bincard-Command-Id" { vec![id.as_bytes()] } else { Vec::new() };
    read_command(name, body.to_string().as_bytes(), &Envelope::read(Caller::anonymous(), headers).unwrap())
        .unwrap()
}

/// Until when a claim of the workload claims.
fn until(number: u64) -> Timestamp {
    Timestamp::parse("2026-01-01T00:00:01Z").unwrap().plus_micros(number as i64 * 150_000)
}

/// A small shop's day: two items, a location, then receipts, some of which are refused, and claims that end soon.
fn workload() -> Vec<Request> {
    let mut commands = vec![
        request(
            "l",
            "locations.define",
            &json!({"location": "AMS1", "name": "Amsterdam", "kind": "warehouse"}),
        ),
        request("a", "items.define", &json!({"sku": "TEA-01", "name": "Tea"})),
        request("b", "items.activate", &json!({"sku": "TEA-01"})),
    ];
    for number in 0..40 {
        let sku = if number % 7 == 3 { "NOPE" } else { "TEA-01" };
        let body = json!({"sku": sku, "location": "AMS1", "quantity": number + 1, "unit_cost": "2.50"});
        commands.push(request(&format!("r{number}"), "stock.receive", &body));
        if number % 4 == 1 {
            let until = until(number).to_string();
            let body = json!({"reservation": format!("h{number}"), "sku": "TEA-01", "location": "AMS1", "quantity": 1,
                "until": until});
            commands.push(request(&format!("h{number}"), "stock.reserve", &body));
        }
    }
    commands
}

/// Sends every command until each has its answer, over as many crashes as there are; gives the answers.
fn run(world: &mut World, crashes: &mut Vec<(u64, Trouble)>) -> (Process, BTreeMap<usize, Answer>) {
    let commands = workload();
    let mut answers: BTreeMap<usize, Answer> = BTreeMap::new();
    loop {
        if let Some((steps, trouble)) = crashes.pop() {
            world.disk.trouble_at(world.disk.steps() + steps, trouble);
        }
        if let Some(mut process) = world.start() {
            let waiting: Vec<usize> =
                (0..commands.len()).filter(|number| !answers.contains_key(number)).collect();
            for number in waiting {
                while !process.writer.takes_commands() {
                    process.disk_does_its_work(world.now);
                }
                process.step(Input::Command(commands[number].clone(), number), world.now);
                while matches!(process.replies.last(), Some((_, Answer::Busy(_)))) {
                    process.replies.pop();
                    process.journal.prepare_next();
                    let space = process.journal.space().clone();
                    process.step(Input::Space(space), world.now);
                    if world.disk.is_down() {
                        break;
                    }
                    process.step(Input::Command(commands[number].clone(), number), world.now);
                }
                world.pass_time();
                if world.chance.below(3) == 0 {
                    process.disk_does_its_work(world.now);
                }
            }
            while process.appending.is_some() {
                process.disk_does_its_work(world.now);
            }
            for (number, answer) in std::mem::take(&mut process.replies) {
                match answer {
                    Answer::Unknown { .. } | Answer::Unavailable { .. } => assert!(process.stopped),
                    answer => drop(answers.insert(number, answer)),
                }
            }
            let all_answered = answers.len() == commands.len();
            assert!(
                all_answered || process.stopped || world.disk.is_down(),
                "every command is answered while the disk works"
            );
            if all_answered {
                world.now = world.now.max(until(40));
                process.lets_timers_fire(world.now);
            }
            if all_answered && !process.stopped && !world.disk.is_down() {
                return (process, answers);
            }
        }
        let seed = world.chance.below(u64::MAX);
        world.disk.restart(seed);
        world.now = world.now.plus_micros(1_000_000);
    }
}

fn check(process: &Process, answers: &BTreeMap<usize, Answer>) {
    let journal = process.journal.reader();
    let recorded = recorded(&journal);
    let commands = workload();
    for (number, answer) in answers {
        let id = commands[*number].submission.commands[0].id.as_str();
        match answer {
            Answer::Accepted { position, .. } => {
                assert_eq!(recorded.get(id), Some(&position.sequence), "{id}")
            }
            Answer::Duplicate { accepted } => assert_eq!(recorded.get(id), Some(&accepted[0].1), "{id}"),
            Answer::Rejected { .. } => assert_eq!(recorded.get(id), None, "{id}"),
            other => panic!("{id}: {other:?}"),
        }
    }
    let ledger = fold(&journal);
    assert_eq!(ledger, *process.writer.ledger(), "the writer is what the journal says");
    assert_eq!(ledger.hash(), process.projections.ledger_hash(), "and so are the views");
    let query = serde_json::from_value(json!({"filter": {"sku": "TEA-01"}})).unwrap();
    let rows = process.projections.query("stock_position", query).unwrap().rows;
    let received: u64 = (0..40).filter(|number| number % 7 != 3).map(|number| number + 1).sum();
    assert_eq!(rows[0]["quantity"], received, "{rows:?}");
}

/// Every claim that was made ended by time, once, and not before its time.
fn check_timers(process: &Process) {
    let recorded = recorded(&process.journal.reader());
    for number in (1..40).step_by(4) {
        let timer = format!("timer/reservation/h{number}/{}", until(number).micros());
        let (claimed, ended) = (recorded.get(&format!("h{number}")), recorded.get(&timer));
        assert_eq!(claimed.is_some(), ended.is_some(), "{timer}");
        assert!(claimed.is_none() || claimed < ended, "{timer}");
    }
    assert!(process.writer.ledger().stock().reservations().is_empty());
    assert_eq!(process.writer.ledger().next_due(), None);
}

#[test]
fn without_trouble_every_command_is_answered_once() {
    let mut world = World::new(1);
    let (process, answers) = run(&mut world, &mut Vec::new());
    check(&process, &answers);
    check_timers(&process);
    let refused = answers.values().filter(|answer| matches!(answer, Answer::Rejected { .. })).count();
    assert_eq!((answers.len(), refused), (53, 6));
}

#[test]
fn over_crashes_torn_writes_and_failing_syncs_nothing_is_lost_and_nothing_happens_twice() {
    for seed in 1..=200 {
        let mut world = World::new(seed);
        let mut crashes = Vec::new();
        for _ in 0..=world.chance.below(4) {
            let steps = world.chance.below(60);
            let trouble = match world.chance.below(3) {
                0 => Trouble::Crash,
                1 => Trouble::TearAt(world.chance.below(400) as usize),
                _ => Trouble::Error,
            };
            crashes.push((steps, trouble));
        }
        let (process, answers) = run(&mut world, &mut crashes);
        check(&process, &answers);
        check_timers(&process);
    }
}

#[test]
fn a_full_disk_makes_commands_busy_before_harm_and_loses_nothing() {
    let mut world = World::new(3);
    let mut process = world.start().unwrap();
    world.disk.limit_bytes(Some(world.disk.used_bytes()));
    let commands = workload();
    let mut first_busy = None;
    for (number, command) in commands.iter().enumerate() {
        process.step(Input::Command(command.clone(), number), world.now);
        process.disk_does_its_work(world.now);
        let busy = matches!(&process.replies[number].1, Answer::Busy(Busy::DiskFull { why }) if why.contains("space"));
        match first_busy {
            None if busy => first_busy = Some(number),
            None => {}
            Some(_) => assert!(busy || number % 7 == 3, "{:?}", process.replies[number]),
        }
    }
    let first_busy = first_busy.expect("the disk fills up");
    assert!(first_busy > 3 && !process.stopped);

    world.disk.limit_bytes(None);
    process.journal.prepare_next();
    process.step(Input::Space(process.journal.space().clone()), world.now);
    let done = std::mem::take(&mut process.replies);
    for (number, command) in commands.iter().enumerate().skip(first_busy) {
        process.step(Input::Command(command.clone(), number), world.now);
        process.disk_does_its_work(world.now);
    }
    let mut answers: BTreeMap<usize, Answer> = done.into_iter().take(first_busy).collect();
    answers.extend(std::mem::take(&mut process.replies));
    process.lets_timers_fire(until(40));
    check(&process, &answers);
}
