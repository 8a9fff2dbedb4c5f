//! The stream journal against a real server: races for one sequence, a lease that changes hands, and reading.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod server;

use std::collections::HashMap;
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use journal::jetstream::{LEASE_LAPSE, StreamReader};
use journal::{Checked, Frame, FrameSource, Head, Journal, JournalRead, Outcome, Witness};
use server::{LEDGER, Nats, append, append_behind, end, frame_after};

/// The whole test takes seconds; measured races, not a sample of luck.
const RACES: u64 = 200;

fn history(reader: &StreamReader) -> Vec<Frame> {
    let mut frames = Checked::after(reader.frames_from(1).unwrap(), Head::empty(LEDGER));
    std::iter::from_fn(|| frames.next_frame().unwrap()).collect()
}

#[test]
fn of_two_writers_that_race_for_a_sequence_one_is_acknowledged_and_its_frame_is_the_history() {
    let Some(nats) = Nats::start() else { return };
    let writers = [nats.open(), nats.open()];
    let start = Arc::new(Barrier::new(2));
    let mut acknowledged = HashMap::new();
    let mut wins = [0; 2];
    for race in 0..RACES {
        for writer in &writers {
            writer.reader().catch_up().unwrap();
        }
        let fates: Vec<(Frame, Outcome)> = std::thread::scope(|scope| {
            let racers: Vec<_> = writers
                .iter()
                .enumerate()
                .map(|(name, writer)| {
                    let start = Arc::clone(&start);
                    scope.spawn(move || {
                        let read = end(&writer.reader());
                        start.wait();
                        append_behind(writer, read, race + 1, format!("writer {name}").as_bytes())
                    })
                })
                .collect();
            racers.into_iter().map(|racer| racer.join().unwrap()).collect()
        });
        let durable = |(_, outcome): &&(Frame, Outcome)| matches!(outcome, Outcome::Durable { .. });
        let (won, lost): (Vec<_>, Vec<_>) = fates.iter().partition(durable);
        assert_eq!(won.len(), 1, "race {race}: {fates:?}");
        assert!(matches!(lost[0].1, Outcome::Refused { .. }), "race {race}: {fates:?}");
        acknowledged.insert(won[0].0.header().first_sequence, won[0].0.hash());
        wins[usize::from(matches!(fates[1].1, Outcome::Durable { .. }))] += 1;
    }
    println!("wins: {wins:?}");
    let reader = nats.open().reader();
    let history = history(&reader);
    assert_eq!(history.len() as u64, RACES);
    for frame in &history {
        assert_eq!(acknowledged[&frame.header().first_sequence], frame.hash());
    }
    assert!(reader.voids().is_empty(), "one frame in flight leaves nothing void");
}

/// A writer with a full pipe of its own, one frame after the other, while a second takes the ledger from it.
#[test]
fn a_writer_that_is_replaced_under_load_is_refused_and_nothing_acknowledged_is_lost() {
    let Some(nats) = Nats::start() else { return };
    let mut acknowledged: Vec<Frame> = Vec::new();
    let mut epoch = 0;
    while epoch < 40 {
        epoch += 1;
        let (old, new) = (nats.open(), nats.open());
        std::thread::scope(|scope| {
            let old_epoch = epoch;
            let busy = scope.spawn(move || {
                let mut durable = Vec::new();
                let (mut head, last) = end(&old.reader());
                let mut appender = old.appender(last, Box::new(|| {}));
                loop {
                    let frame = frame_after(&head, old_epoch, b"busy");
                    appender.submit(frame.clone());
                    match appender.wait().unwrap() {
                        Outcome::Durable { .. } => {
                            head = Head::after(&frame);
                            durable.push(frame);
                            // Without a breath now and then a rival may wait for its chance for ever.
                            if durable.len().is_multiple_of(4) {
                                std::thread::sleep(Duration::from_millis(10));
                            }
                        }
                        Outcome::Refused { .. } => return durable,
                        Outcome::Unknown { why } => panic!("{why}"),
                    }
                }
            });
            std::thread::sleep(Duration::from_millis(30));
            epoch += 1;
            let taken = loop {
                new.reader().catch_up().unwrap();
                let (frame, outcome) = append(&new, epoch, b"taken over");
                if matches!(outcome, Outcome::Durable { .. }) {
                    break frame;
                }
            };
            acknowledged.extend(busy.join().unwrap());
            acknowledged.push(taken);
        });
    }
    let history = history(&nats.open().reader());
    assert!(history.len() > 60, "{}", history.len());
    assert_eq!(history, acknowledged, "exactly what was acknowledged, in that order");
}

#[test]
fn a_follower_sees_frames_as_they_become_durable_and_finds_every_one_again() {
    let Some(nats) = Nats::start() else { return };
    let (writer, follower) = (nats.open(), nats.open());
    let seen = follower.reader();
    let mut tail = seen.frames_from(1).unwrap();
    assert_eq!(tail.next_frame().unwrap(), None);
    let mut frames = Vec::new();
    let (mut head, last) = end(&writer.reader());
    let mut appender = writer.appender(last, Box::new(|| {}));
    for number in 0..100u32 {
        let frame = frame_after(&head, 1, &vec![number as u8; 1 + number as usize * 1000]);
        appender.submit(frame.clone());
        assert!(matches!(appender.wait(), Some(Outcome::Durable { .. })));
        head = Head::after(&frame);
        frames.push(frame);
    }
    let began = Instant::now();
    while seen.head() != head {
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", seen.head());
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(std::iter::from_fn(|| tail.next_frame().unwrap()).collect::<Vec<_>>(), frames);
    for reader in [seen, writer.reader(), nats.open().reader()] {
        for frame in frames.iter().rev() {
            assert_eq!(reader.frame_at(frame.last_sequence()).unwrap().as_ref(), Some(frame));
        }
        assert_eq!((reader.frame_at(0).unwrap(), reader.frame_at(101).unwrap()), (None, None));
        let late: Vec<_> = {
            let mut late = reader.frames_from(90).unwrap();
            std::iter::from_fn(move || late.next_frame().unwrap()).collect()
        };
        assert_eq!(late, frames[89..]);
        let witness = Witness { sequence: 50, hash: frames[49].hash() };
        reader.check_witness(&witness).unwrap();
        let fault = reader.check_witness(&Witness { sequence: 101, ..witness }).unwrap_err();
        assert!(fault.is_damage(), "{fault}");
        assert!(reader.check_witness(&Witness { sequence: 51, ..witness }).unwrap_err().is_damage());
    }
}

#[test]
fn a_server_that_is_killed_in_the_middle_loses_and_doubles_nothing() {
    let Some(mut nats) = Nats::start() else { return };
    let writer = nats.open();
    let (head, last) = end(&writer.reader());
    let (stop, stopping) = std::sync::mpsc::channel::<()>();
    let mut appender = writer.appender(last, Box::new(|| {}));
    let writing = std::thread::spawn(move || {
        let (mut head, mut durable) = (head, Vec::new());
        while stopping.try_recv().is_err() {
            let frame = frame_after(&head, 1, b"through a crash");
            appender.submit(frame.clone());
            let outcome = appender.wait().unwrap();
            assert!(matches!(outcome, Outcome::Durable { .. }), "{outcome:?}");
            head = Head::after(&frame);
            durable.push(frame);
        }
        durable
    });
    for _ in 0..2 {
        std::thread::sleep(Duration::from_millis(300));
        nats.restart();
    }
    std::thread::sleep(Duration::from_millis(500));
    stop.send(()).unwrap();
    let durable = writing.join().unwrap();
    assert_eq!(history(&nats.open().reader()), durable);
}

#[test]
fn the_lease_is_one_instances_until_it_is_given_back_or_lapses() {
    let Some(nats) = Nats::start() else { return };
    let (one, other) = (nats.open(), nats.open());
    let (first, second) = (one.lease("one", "http://one"), other.lease("other", "http://other"));
    let held = |lease: &journal::jetstream::Lease| lease.standing().borrow().is_mine;
    let until = |what: &dyn Fn() -> bool| {
        let began = Instant::now();
        while !what() {
            assert!(began.elapsed() < Duration::from_secs(15), "it never came to that");
            std::thread::sleep(Duration::from_millis(5));
        }
        began.elapsed()
    };
    first.want();
    until(&|| held(&first));
    second.want();
    std::thread::sleep(LEASE_LAPSE * 2);
    assert!(held(&first) && !held(&second), "it is renewed");
    let holder = second.standing().borrow().holder.clone().unwrap();
    assert_eq!(holder.address, "http://one");

    first.give_back(Duration::from_secs(5));
    let soon = until(&|| held(&second));
    assert!(soon < LEASE_LAPSE, "given back, it need not lapse: {soon:?}");

    first.want();
    until(&|| first.standing().borrow().holder_is_alive);
    drop(second);
    drop(other);
    let taken = until(&|| held(&first));
    assert!(taken >= LEASE_LAPSE / 2, "it lapsed: {taken:?}");
}
