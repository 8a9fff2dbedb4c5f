//! Examples of the file journal: given files, when they are opened, then this is there.

mod crash;
mod real;

use std::path::{Path, PathBuf};

use super::segment::file_name;
use super::{FileJournal, OfflineJournal, Options, Space};
use crate::checked::Checked;
use crate::fault::Fault;
use crate::frame::tests::frame_after;
use crate::frame::{Frame, chain_start};
use crate::journal::{FrameSource, Head, Journal, JournalRead, Outcome, Witness};
use crate::sim_disk::{SimDisk, Trouble};

const LEDGER: [u8; 16] = *b"bincard ledger 1";
const SMALL: Options = Options { segment_bytes: 4096 };

fn dir() -> &'static Path {
    Path::new("/data/main")
}

fn segment_path(first_sequence: u64) -> PathBuf {
    dir().join("journal").join(file_name(first_sequence))
}

/// A frame of two entries behind `head`, the first of this length.
fn frame_of(head: &Head, len: usize) -> Frame {
    let filling = u8::try_from(head.sequence % 251).unwrap() + 1;
    frame_after(head, &[(&vec![filling; len], 2), (b"a second entry", 0)])
}

/// A journal of frames with first entries of these lengths, cleanly closed.
fn given(disk: &SimDisk, lens: &[usize]) -> Vec<Frame> {
    let mut journal = FileJournal::create(disk.clone(), dir(), LEDGER, SMALL).unwrap();
    let frames = lens.iter().map(|len| append(&mut journal, *len)).collect();
    journal.close().unwrap();
    frames
}

fn append(journal: &mut FileJournal<SimDisk>, len: usize) -> Frame {
    let frame = frame_of(&journal.head(), len);
    journal.submit(frame.clone());
    assert_eq!(journal.poll(), Some(Outcome::Durable { last_sequence: frame.last_sequence() }));
    frame
}

fn open(disk: &SimDisk) -> Result<(FileJournal<SimDisk>, super::Recovery), Fault> {
    FileJournal::open(disk.clone(), dir(), &[], SMALL)
}

/// Every frame from the start, each checked to follow.
fn read_all(journal: &dyn JournalRead) -> Result<Vec<Frame>, Fault> {
    let mut source = Checked::after(journal.frames_from(1)?, Head::empty(journal.head().ledger));
    let mut frames = Vec::new();
    while let Some(frame) = source.next_frame()? {
        frames.push(frame);
    }
    Ok(frames)
}

fn damage<T>(opened: Result<T, Fault>) -> String {
    match opened {
        Err(fault @ Fault::Corrupt { .. }) => fault.to_string(),
        Err(fault) => panic!("another fault: {fault}"),
        Ok(_) => panic!("the damage was not noticed"),
    }
}

#[test]
fn an_empty_journal_starts_the_chain() {
    let disk = SimDisk::new();
    given(&disk, &[]);
    let (journal, recovery) = open(&disk).unwrap();
    assert_eq!(recovery.head, Head::empty(LEDGER));
    assert_eq!((recovery.head.sequence, recovery.head.hash), (0, chain_start(LEDGER)));
    assert_eq!(read_all(&journal.reader()).unwrap(), []);
    assert!(matches!(FileJournal::create(disk, dir(), LEDGER, SMALL), Err(Fault::Exists { .. })));
}

#[test]
fn no_journal_is_missing_not_empty() {
    assert!(matches!(open(&SimDisk::new()), Err(Fault::Missing { .. })));
}

#[test]
fn a_reopened_journal_has_every_frame_and_goes_on() {
    let disk = SimDisk::new();
    let mut frames = given(&disk, &[100, 900, 1500, 700, 30, 3000, 9000, 5]);
    let (mut journal, recovery) = open(&disk).unwrap();
    assert_eq!(recovery.head, Head::after(&frames[7]));
    assert_eq!((recovery.torn, recovery.notes), (None, vec![]));
    frames.push(append(&mut journal, 200));
    let reader = journal.reader();
    assert_eq!(read_all(&reader).unwrap(), frames);
    assert!(
        disk.read(&segment_path(3)).is_none() && disk.read(&segment_path(7)).is_some(),
        "several segments"
    );
}

#[test]
fn any_entry_is_found_by_its_sequence_and_any_row_of_frames_begins_where_asked() {
    let disk = SimDisk::new();
    let frames = given(&disk, &[100, 200, 100, 1500, 700, 30, 3000, 10, 10, 10, 10, 2000]);
    // Opened anew, so that nothing is cached.
    let journal = OfflineJournal::open_on(disk, dir(), &[]).unwrap();
    for sequence in 1..=24 {
        let wanted = &frames[usize::try_from(sequence - 1).unwrap() / 2];
        assert_eq!(journal.frame_at(sequence).unwrap().as_ref(), Some(wanted), "{sequence}");
        assert_eq!(journal.frames_from(sequence).unwrap().next_frame().unwrap().as_ref(), Some(wanted));
    }
    assert_eq!((journal.frame_at(0).unwrap(), journal.frame_at(25).unwrap()), (None, None));
    assert_eq!(journal.frames_from(25).unwrap().next_frame().unwrap(), None);
}

#[test]
fn a_source_at_the_head_goes_on_when_frames_are_appended() {
    let disk = SimDisk::new();
    let mut journal = FileJournal::create(disk, dir(), LEDGER, SMALL).unwrap();
    let mut tail = journal.reader().frames_from(0).unwrap();
    for len in [10, 2500, 2500, 10, 800, 3000] {
        assert_eq!(tail.next_frame().unwrap(), None);
        let frame = append(&mut journal, len);
        assert_eq!(tail.next_frame().unwrap(), Some(frame));
    }
}

#[test]
fn a_torn_last_frame_is_cut_off_and_kept_in_quarantine() {
    let disk = SimDisk::new();
    let frames = given(&disk, &[100, 100]);
    let (journal, _) = open(&disk).unwrap();
    let end = 128 + frames.iter().map(|frame| frame.bytes().len()).sum::<usize>();
    let torn = frame_of(&journal.head(), 300).bytes()[..200].to_vec();
    disk.overwrite(&segment_path(1), end, &torn);

    let offline = OfflineJournal::open_on(disk.clone(), dir(), &[]).unwrap();
    let note = offline.torn_tail().unwrap();
    assert!(note.contains("200 bytes of a torn frame for sequence 5") && note.contains("byte 660"), "{note}");
    assert_eq!(read_all(&offline).unwrap(), frames);

    let (mut journal, recovery) = open(&disk).unwrap();
    let cut = recovery.torn.unwrap();
    assert_eq!((cut.sequence, cut.offset, cut.bytes), (5, end as u64, 200));
    assert_eq!(disk.read(&cut.quarantine.unwrap()).unwrap(), torn);
    // Shorter than the torn one: nothing of that may show behind it.
    append(&mut journal, 5);
    assert_eq!(read_all(&journal.reader()).unwrap().len(), 3);
    assert_eq!(open(&disk).unwrap().1.torn, None);
}

#[test]
fn a_torn_frame_that_a_witness_saw_is_damage() {
    let disk = SimDisk::new();
    let frames = given(&disk, &[100, 100]);
    let seen = Witness { sequence: 4, hash: frames[1].hash() };
    disk.flip_bit(&segment_path(1), (128 + frames[0].bytes().len() + 50) * 8);
    let before = disk.read(&segment_path(1));
    // The head file saw it at the clean stop.
    let fault = damage(open(&disk));
    assert!(fault.contains("ends with sequence 2, but sequence 4 was durable once"), "{fault}");
    assert!(fault.contains("00000000000000000001.seg at byte 394"), "{fault}");
    // Without the head file, another witness says so too.
    disk.forget(&dir().join("head"));
    damage(FileJournal::open(disk.clone(), dir(), &[seen], SMALL));
    damage(OfflineJournal::open_on(disk.clone(), dir(), &[seen]));
    assert_eq!(disk.read(&segment_path(1)), before, "nothing was changed");
    let (_, recovery) = open(&disk).unwrap();
    assert!(recovery.torn.is_some() && recovery.notes[0].contains("no head file"));
}

#[test]
fn a_witness_of_another_history_is_damage() {
    let disk = SimDisk::new();
    let frames = given(&disk, &[100, 100, 100]);
    let witness =
        |sequence, hash| FileJournal::open(disk.clone(), dir(), &[Witness { sequence, hash }], SMALL);
    assert!(witness(0, chain_start(LEDGER)).is_ok());
    for (index, frame) in frames.iter().enumerate() {
        let last = 2 * (index as u64 + 1);
        assert!(witness(last, frame.hash()).is_ok() && witness(last - 1, frame.hash()).is_ok());
        assert!(damage(witness(last, [0; 32])).contains("not the one that was durable once"));
    }
}

#[test]
fn an_invalid_frame_with_a_valid_one_behind_it_is_damage() {
    let disk = SimDisk::new();
    let frames = given(&disk, &[100, 100, 100]);
    disk.forget(&dir().join("head"));
    disk.flip_bit(&segment_path(1), (128 + frames[0].bytes().len()) * 8);
    let fault = damage(open(&disk));
    assert!(fault.contains("byte 394") && fault.contains("sequence 3 is damaged"), "{fault}");
    assert!(fault.contains("whole frame from sequence 5 follows at byte 660"), "{fault}");
}

#[test]
fn a_frame_of_a_newer_format_is_never_cut_off() {
    let disk = SimDisk::new();
    let frames = given(&disk, &[100, 100]);
    disk.forget(&dir().join("head"));
    disk.overwrite(&segment_path(1), 128 + frames[0].bytes().len() + 6, &[2]);
    let fault = damage(open(&disk));
    assert!(fault.contains("format version 2"), "{fault}");
}

#[test]
fn a_missing_or_shortened_segment_is_damage() {
    for lost in [1, 3, 5] {
        let disk = SimDisk::new();
        given(&disk, &[2500, 2500, 2500, 2500]);
        disk.forget(&segment_path(lost));
        damage(open(&disk));
    }
    let disk = SimDisk::new();
    given(&disk, &[2500, 2500, 2500, 2500]);
    // The last one: its frames are known from the head file.
    disk.forget(&segment_path(7));
    assert!(damage(open(&disk)).contains("sequence 8 was durable once"));
    let disk = SimDisk::new();
    given(&disk, &[100]);
    disk.cut(&segment_path(1), 4000);
    assert!(damage(open(&disk)).contains("has 4000 bytes, its header says 4096"));
}

#[test]
fn a_frame_that_does_not_follow_is_refused_and_harms_nothing() {
    let disk = SimDisk::new();
    let mut journal = FileJournal::create(disk, dir(), LEDGER, SMALL).unwrap();
    let frame = append(&mut journal, 10);
    journal.submit(frame);
    let Some(Outcome::Refused { why }) = journal.poll() else { panic!("not refused") };
    assert!(why.contains("found first sequence 1, wanted 3"), "{why}");
    append(&mut journal, 10);
}

#[test]
fn after_a_failed_sync_nothing_more_is_written() {
    let disk = SimDisk::new();
    let mut journal = FileJournal::create(disk.clone(), dir(), LEDGER, SMALL).unwrap();
    let acknowledged = append(&mut journal, 10);
    disk.trouble_at(disk.steps() + 1, Trouble::Error);
    let frame = frame_of(&journal.head(), 10);
    journal.submit(frame.clone());
    journal.submit(frame);
    assert!(matches!(journal.poll(), Some(Outcome::Unknown { .. })));
    let steps = disk.steps();
    let Some(Outcome::Unknown { why }) = journal.poll() else { panic!("went on") };
    assert!(why.contains("stopped after a failed write"), "{why}");
    assert!(journal.write_witness(5_000_000).is_err() && disk.steps() == steps);
    assert_eq!(journal.reader().head(), Head::after(&acknowledged), "readers see durable frames only");
}

/// The failed sync threw the frame away, though it can still be read; opening writes it again.
#[test]
fn a_recovered_frame_survives_the_next_crash_though_its_first_sync_failed() {
    let disk = SimDisk::new();
    let mut journal = FileJournal::create(disk.clone(), dir(), LEDGER, SMALL).unwrap();
    disk.trouble_at(disk.steps() + 1, Trouble::Error);
    journal.submit(frame_of(&journal.head(), 10));
    drop(journal);
    let (_, recovery) = open(&disk).unwrap();
    assert_eq!(recovery.head.sequence, 2);
    disk.restart(1);
    assert_eq!(open(&disk).unwrap().1.head, recovery.head);
}

/// The names were changed and their sync failed; opening syncs them before it goes on in the new segment.
#[test]
fn a_segment_whose_name_was_not_synced_is_not_lost_later() {
    for seed in 0..16 {
        let disk = SimDisk::new();
        let mut journal = FileJournal::create(disk.clone(), dir(), LEDGER, SMALL).unwrap();
        append(&mut journal, 2500);
        // Footer, header, each with its sync; the new name; its sync.
        disk.trouble_at(disk.steps() + 5, Trouble::Error);
        journal.submit(frame_of(&journal.head(), 2500));
        assert!(matches!(journal.poll(), Some(Outcome::Unknown { .. })));
        assert!(disk.read(&segment_path(3)).is_some());
        let (mut journal, _) = open(&disk).unwrap();
        let head = Head::after(&append(&mut journal, 10));
        disk.restart(seed);
        assert_eq!(open(&disk).unwrap().1.head, head);
    }
}

#[test]
fn what_creating_and_recovering_leave_behind_survives_a_crash() {
    for seed in 0..16 {
        let disk = SimDisk::new();
        FileJournal::create(disk.clone(), dir(), LEDGER, SMALL).unwrap();
        disk.restart(seed);
        disk.overwrite(&segment_path(1), 128, &[1; 700]);
        let (_, recovery) = open(&disk).unwrap();
        assert_eq!(recovery.notes, Vec::<String>::new(), "the head file is there");
        disk.restart(seed);
        let kept = recovery.torn.unwrap().quarantine.unwrap();
        assert_eq!(disk.read(&kept), Some(vec![1; 700]));
        assert_eq!(open(&disk).unwrap().1.torn, None);
    }
}

#[test]
fn a_full_disk_is_told_before_it_harms_and_forgotten_when_there_is_room() {
    let disk = SimDisk::new();
    let mut journal = FileJournal::create(disk.clone(), dir(), LEDGER, SMALL).unwrap();
    disk.limit_bytes(Some(disk.used_bytes() + 100));
    append(&mut journal, 500);
    assert_eq!(*journal.space(), Space::Enough);
    append(&mut journal, 1500);
    let Space::Low { why } = journal.space() else { panic!("no word of the full disk") };
    assert!(why.contains("spare-"), "{why}");
    append(&mut journal, 500);
    let frame = frame_of(&journal.head(), 2000);
    journal.submit(frame.clone());
    let Some(Outcome::Refused { why }) = journal.poll() else { panic!("not refused") };
    assert!(why.contains("no room for the next journal segment"), "{why}");

    disk.limit_bytes(None);
    journal.submit(frame);
    assert_eq!(journal.poll(), Some(Outcome::Durable { last_sequence: 8 }));
    assert_eq!(*journal.space(), Space::Enough);
    assert_eq!(read_all(&journal.reader()).unwrap().len(), 4);
}

#[test]
fn the_head_witness_is_written_at_most_once_a_second() {
    let disk = SimDisk::new();
    let mut journal = FileJournal::create(disk.clone(), dir(), LEDGER, SMALL).unwrap();
    let mut steps_of_witness = |now_us| {
        append(&mut journal, 10);
        let before = disk.steps();
        journal.write_witness(now_us).unwrap();
        disk.steps() - before
    };
    assert_eq!([1, 900_000, 1_000_001, 1_000_002, 2_000_001].map(&mut steps_of_witness), [2, 0, 2, 0, 2]);
}

#[test]
fn a_scrub_reads_every_sealed_segment() {
    let disk = SimDisk::new();
    let frames = given(&disk, &[2500, 2500, 1000, 1000, 2500, 10]);
    let (journal, _) = open(&disk).unwrap();
    let mut scrub = journal.reader().scrub();
    let mut sequences = Vec::new();
    while let Some(checked) = scrub.next_segment().unwrap() {
        sequences.push((checked.first_sequence, checked.last_sequence));
    }
    assert_eq!(sequences, [(1, 2), (3, 4), (5, 8)]);

    disk.flip_bit(&segment_path(3), (128 + 300) * 8);
    assert!(open(&disk).is_ok(), "start-up trusts sealed segments");
    let mut scrub = journal.reader().scrub();
    scrub.next_segment().unwrap();
    let fault = damage(scrub.next_segment());
    assert!(fault.contains("00000000000000000003.seg at byte 128"), "{fault}");
    assert_eq!(frames.len(), 6);
}

#[test]
fn a_whole_frame_that_lies_elsewhere_is_damage_and_no_torn_tail() {
    let disk = SimDisk::new();
    let mut journal = FileJournal::create(disk.clone(), dir(), LEDGER, SMALL).unwrap();
    append(&mut journal, 100);
    disk.trouble_at(disk.steps(), Trouble::Misdirected(512));
    append(&mut journal, 100);
    disk.restart(1);
    let fault = damage(open(&disk));
    assert!(fault.contains("a whole frame from sequence 3 follows"), "{fault}");
}

#[test]
fn a_write_that_was_lost_is_damage_unless_it_was_the_last() {
    for (frames_after, is_damage) in [(0, false), (1, true)] {
        let disk = SimDisk::new();
        let mut journal = FileJournal::create(disk.clone(), dir(), LEDGER, SMALL).unwrap();
        append(&mut journal, 100);
        disk.trouble_at(disk.steps(), Trouble::Lost);
        (0..=frames_after).for_each(|_| drop(append(&mut journal, 100)));
        disk.restart(1);
        match open(&disk) {
            Ok((journal, _)) => assert_eq!((journal.head().sequence, is_damage), (2, false)),
            Err(fault) => assert!(matches!(fault, Fault::Corrupt { .. }) && is_damage, "{fault}"),
        }
    }
}
