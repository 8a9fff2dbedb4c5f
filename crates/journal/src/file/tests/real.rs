//! The same on a real file system: reopening, read-only readers, and the journal's thread.

use std::sync::mpsc::channel;
use std::time::Duration;

use super::*;
use crate::disk::RealDisk;
use crate::file::{FileReader, JournalThread, Lock};

const MEDIUM: Options = Options { segment_bytes: 64 * 1024 };

#[test]
fn a_journal_on_disk_is_found_again() {
    let dir = tempfile::tempdir().unwrap();
    let ledger_dir = dir.path().join("main");
    let lock = Lock::exclusive(&ledger_dir, "127.0.0.1:7070").unwrap();
    let mut journal = FileJournal::create(RealDisk, &ledger_dir, LEDGER, MEDIUM).unwrap();
    let mut frames = Vec::new();
    for len in [10, 60_000, 300_000, 20, 20] {
        frames.push(frame_of(&journal.head(), len));
        journal.append(frames.last().unwrap()).unwrap();
        journal.prepare_next();
    }
    let fault = OfflineJournal::open(&ledger_dir).err().unwrap().to_string();
    assert!(fault.contains("served at 127.0.0.1:7070"), "{fault}");
    journal.close().unwrap();
    drop(lock);

    let offline = OfflineJournal::open(&ledger_dir).unwrap();
    assert_eq!(read_all(&offline).unwrap(), frames);
    assert_eq!((offline.torn_tail(), offline.notes().len()), (None, 0));
    assert!(matches!(Lock::exclusive(&ledger_dir, "x"), Err(Fault::InUse { .. })));
    drop(offline);

    let (journal, recovery) = FileJournal::open(RealDisk, &ledger_dir, &[], MEDIUM).unwrap();
    assert_eq!(recovery.head, Head::after(&frames[4]));
    assert_eq!(read_all(&journal.reader()).unwrap(), frames);
}

#[test]
fn an_offline_reader_changes_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = FileJournal::create(RealDisk, dir.path(), LEDGER, MEDIUM).unwrap();
    journal.append(&frame_of(&journal.head(), 10)).unwrap();
    // A torn frame behind it, and no clean stop.
    drop(journal);
    let segment = dir.path().join("journal").join(file_name(1));
    let file = std::fs::OpenOptions::new().write(true).open(&segment).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, b"\x89BCF torn", 128 + 176).unwrap();
    let files = || {
        let mut found = Vec::new();
        for place in [dir.path().to_owned(), dir.path().join("journal")] {
            for entry in std::fs::read_dir(place).unwrap().map(Result::unwrap) {
                let meta = entry.metadata().unwrap();
                found.push((entry.path(), meta.len(), meta.modified().unwrap()));
            }
        }
        found.sort();
        found
    };
    let before = files();
    let offline = OfflineJournal::open(dir.path()).unwrap();
    assert_eq!(read_all(&offline).unwrap().len(), 1);
    assert!(offline.torn_tail().is_some());
    assert_eq!(files(), before);
}

#[test]
fn the_thread_appends_in_order_wakes_and_stops_cleanly() {
    let dir = tempfile::tempdir().unwrap();
    let journal = FileJournal::create(RealDisk, dir.path(), LEDGER, MEDIUM).unwrap();
    let reader: FileReader = journal.reader();
    let mut head = journal.head();
    let (woken_in, woken) = channel();
    let mut thread = JournalThread::start(journal, Box::new(move || woken_in.send(()).unwrap())).unwrap();
    let mut frames = Vec::new();
    for len in [10, 20_000, 30_000, 40_000, 50, 60_000, 70_000] {
        let frame = frame_of(&head, len);
        head = Head::after(&frame);
        frames.push(frame.clone());
        thread.submit(frame);
    }
    for frame in &frames {
        woken.recv_timeout(Duration::from_secs(10)).unwrap();
        assert_eq!(thread.poll(), Some(Outcome::Durable { last_sequence: frame.last_sequence() }));
    }
    assert_eq!((thread.poll(), thread.space()), (None, Space::Enough));
    thread.stop().unwrap();
    assert_eq!(read_all(&reader).unwrap(), frames);
    let (_, recovery) = FileJournal::open(RealDisk, dir.path(), &[], MEDIUM).unwrap();
    assert_eq!(recovery.head, head);
}

#[test]
fn the_thread_tells_a_failure_once_for_every_frame() {
    let disk = SimDisk::new();
    let journal = FileJournal::create(disk.clone(), dir(), LEDGER, SMALL).unwrap();
    let first = frame_of(&journal.head(), 10);
    let second = frame_of(&Head::after(&first), 10);
    disk.trouble_at(disk.steps(), Trouble::Error);
    let (woken_in, woken) = channel();
    let mut thread = JournalThread::start(journal, Box::new(move || woken_in.send(()).unwrap())).unwrap();
    thread.submit(first);
    thread.submit(second);
    for _ in 0..2 {
        woken.recv_timeout(Duration::from_secs(10)).unwrap();
        assert!(matches!(thread.poll(), Some(Outcome::Unknown { .. })));
    }
    assert_eq!(thread.poll(), None);
    assert!(matches!(thread.stop(), Err(Fault::Stopped { .. })));
}

#[test]
fn readers_on_other_threads_see_a_growing_whole_history() {
    const FRAMES: u64 = 300;
    let dir = tempfile::tempdir().unwrap();
    let journal = FileJournal::create(RealDisk, dir.path(), LEDGER, MEDIUM).unwrap();
    let (reader, mut head) = (journal.reader(), journal.head());
    let mut thread = JournalThread::start(journal, Box::new(|| {})).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut source = Checked::after(reader.frames_from(1).unwrap(), Head::empty(LEDGER));
                let mut seen = 0;
                while seen < 2 * FRAMES {
                    let visible = reader.head().sequence;
                    if visible > 0 {
                        assert!(
                            reader.frame_at(visible).unwrap().is_some()
                                && reader.frame_at(1).unwrap().is_some()
                        );
                    }
                    while let Some(frame) = source.next_frame().unwrap() {
                        seen = frame.last_sequence();
                    }
                    assert!(seen >= visible);
                }
            });
        }
        for number in 0..FRAMES {
            let frame = frame_of(&head, usize::try_from(number * 37 % 3000).unwrap());
            head = Head::after(&frame);
            thread.submit(frame);
            while thread.poll().is_none() {
                std::thread::yield_now();
            }
        }
    });
    thread.stop().unwrap();
    assert_eq!(reader.head(), head);
}
