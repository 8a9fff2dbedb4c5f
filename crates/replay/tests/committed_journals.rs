//! A journal of every stored format is whole for ever: its frames are read, its entries folded, and every command decided
//! again by the rules it was decided by.
//!
//! `fixtures/journals/<number>.frames` holds the frames of one journal, one behind the other, as every journal stores them.
//! `make golden` writes another when a kind or a version of the rules is in none, out of the newest golden history; what
//! is there is never touched. A release that changes the frame's format adds one written by that release.

#![allow(clippy::unwrap_used, reason = "in a test, what cannot be had is a failure")]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use journal::{Frame, FrameBuilder, Journal, JournalRead, MemoryJournal, Outcome};
use ledger_core::control::RULES_KNOWN;
use ledger_core::values::Timestamp;
use ledger_core::{Command, Entry, Event};
use replay::verify;

const LEDGER: [u8; 16] = *b"committed ledger";

fn fixtures(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(name)
}

fn files(folder: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = match fs::read_dir(fixtures(folder)) {
        Ok(entries) => entries.map(|entry| entry.unwrap().path()).collect(),
        Err(_) => Vec::new(),
    };
    files.sort();
    files
}

/// The journal in a file: each of its frames follows the one before.
fn journal(file: &PathBuf) -> MemoryJournal {
    let bytes = fs::read(file).unwrap();
    let mut rest = bytes.as_slice();
    let mut journal = None;
    while !rest.is_empty() {
        let (frame, length) =
            Frame::decode(rest).unwrap_or_else(|fault| panic!("{}: {fault}", file.display()));
        rest = &rest[length..];
        let journal = journal.get_or_insert_with(|| MemoryJournal::new(frame.header().ledger));
        journal.submit(frame);
        let outcome = journal.poll();
        assert!(matches!(outcome, Some(Outcome::Durable { .. })), "{}: {outcome:?}", file.display());
    }
    journal.expect("a journal has a frame")
}

fn kinds(journal: &MemoryJournal) -> BTreeSet<&'static str> {
    let mut found = BTreeSet::new();
    let mut frames = journal.reader().frames_from(1).unwrap();
    while let Some(frame) = frames.next_frame().unwrap() {
        for decided in frame.entries().flat_map(|(_, _, bytes)| Entry::decode(bytes).unwrap().commands) {
            found.insert(decided.submitted.command.name());
            found.extend(decided.events.iter().map(Event::name));
        }
    }
    found
}

/// Every kind, less those that a committed journal has.
fn kinds_without_a_journal() -> Vec<&'static str> {
    let have: BTreeSet<_> = files("journals").iter().flat_map(|file| kinds(&journal(file))).collect();
    let all = Command::KINDS.iter().chain(Event::KINDS).map(|kind| kind.name);
    all.filter(|name| !have.contains(name)).collect()
}

/// Frames of the newest golden history: one for the entries of one log time.
fn frames_of_the_newest_history() -> Vec<u8> {
    let text = fs::read_to_string(files("golden/histories").last().unwrap()).unwrap();
    let mut journal = MemoryJournal::new(LEDGER);
    let mut stored = Vec::new();
    for line in text.lines().skip(1) {
        let (log_time, hex) = line.split_once(' ').unwrap();
        let digits = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        let bytes: Vec<u8> = (0..hex.len()).step_by(2).map(digits).collect();
        let (head, log_time) = (journal.reader().head(), Timestamp::parse(log_time).unwrap());
        let (sequence, event) = (head.sequence + 1, head.event + 1);
        let mut frame = FrameBuilder::open(LEDGER, 1, sequence, event, log_time.micros(), head.hash);
        frame.push(&bytes, Entry::decode(&bytes).unwrap().event_count());
        let frame = frame.seal();
        stored.extend_from_slice(frame.bytes());
        journal.submit(frame);
        assert!(matches!(journal.poll(), Some(Outcome::Durable { .. })));
    }
    stored
}

#[test]
fn every_committed_journal_is_whole_and_decided_again_in_the_same_way() {
    if std::env::var_os("BINCARD_WRITE_GOLDEN").is_some_and(|value| value == "1")
        && !kinds_without_a_journal().is_empty()
    {
        let file = fixtures("journals").join(format!("{:04}.frames", files("journals").len() + 1));
        fs::create_dir_all(fixtures("journals")).unwrap();
        fs::write(file, frames_of_the_newest_history()).unwrap();
    }
    let mut newest = 0;
    for file in files("journals") {
        let reader = journal(&file).reader();
        let verified =
            verify(&reader, &mut |_| {}).unwrap_or_else(|fault| panic!("{}: {fault}", file.display()));
        assert!(verified.is_green(), "{}: {verified:?}", file.display());
        assert_eq!(verified.entries, reader.head().sequence);
        assert_eq!(verified.folded_only, 0, "{}: rules were forgotten", file.display());
        let mut ledger = ledger_core::Ledger::new();
        let mut frames = reader.frames_from(1).unwrap();
        while let Some(frame) = frames.next_frame().unwrap() {
            let log_time = Timestamp::from_micros(frame.header().log_time_us);
            for (_, _, bytes) in frame.entries() {
                ledger.apply(&Entry::decode(bytes).unwrap(), log_time).unwrap();
            }
        }
        newest = newest.max(ledger.rules());
    }
    let missing = kinds_without_a_journal();
    assert!(missing.is_empty(), "no committed journal has {missing:?}: `make golden`");
    assert_eq!(newest, *RULES_KNOWN.end(), "no committed journal was decided by the newest rules");
}
