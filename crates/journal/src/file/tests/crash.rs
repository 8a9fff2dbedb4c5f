//! Crash images: whatever step of whatever workload goes wrong, an acknowledged frame is there afterwards.

use proptest::prelude::*;

use super::*;

/// As many as `PROPTEST_CASES` says; few without it, since each case tries every step.
fn cases() -> ProptestConfig {
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => ProptestConfig::default(),
        None => ProptestConfig::with_cases(24),
    }
}

/// A workload: lengths of first entries; some are followed by a head witness.
fn workload() -> impl Strategy<Value = Vec<(usize, bool)>> {
    prop::collection::vec((prop_oneof![0usize..200, 200usize..1500, 1500usize..3500], any::<bool>()), 1..10)
}

/// Runs until the end or the first failure; gives the frames submitted and how many of them were acknowledged.
fn run(journal: &mut FileJournal<SimDisk>, work: &[(usize, bool)]) -> (Vec<Frame>, usize) {
    let mut submitted = Vec::new();
    let mut head = journal.head();
    for (step, (len, witness)) in work.iter().enumerate() {
        let frame = frame_of(&head, *len);
        head = Head::after(&frame);
        journal.submit(frame.clone());
        submitted.push(frame);
        match journal.poll() {
            Some(Outcome::Durable { .. }) => {}
            _ => return (submitted, step),
        }
        if *witness && journal.write_witness((step as u64 + 1) * 1_000_000).is_err() {
            return (submitted, step + 1);
        }
    }
    let all = submitted.len();
    (submitted, all)
}

/// How many steps the workload takes on a disk without trouble: before it, and after it.
fn steps_of(work: &[(usize, bool)]) -> (u64, u64) {
    let disk = SimDisk::new();
    let mut journal = FileJournal::create(disk.clone(), dir(), LEDGER, SMALL).unwrap();
    let created = disk.steps();
    assert_eq!(run(&mut journal, work).1, work.len());
    (created, disk.steps())
}

/// Opens; every acknowledged frame is there, and none that was not submitted.
fn check(disk: &SimDisk, submitted: &[Frame], acknowledged: usize) -> FileJournal<SimDisk> {
    let (journal, recovery) = open(disk).unwrap();
    let found = read_all(&journal.reader()).unwrap();
    assert!(found.len() >= acknowledged, "{} of {acknowledged} acknowledged frames", found.len());
    assert!(submitted.starts_with(&found), "an invented frame");
    assert_eq!(recovery.head, found.last().map_or(Head::empty(LEDGER), Head::after));
    journal
}

/// The trouble at the step, then a crash or a restart of the process alone, then a crash during recovery, then
/// more work and another crash.
fn suffer(work: &[(usize, bool)], step: u64, trouble: Trouble, power_cut: bool, seed: u64) {
    let disk = SimDisk::new();
    let mut journal = FileJournal::create(disk.clone(), dir(), LEDGER, SMALL).unwrap();
    disk.trouble_at(step, trouble);
    let (submitted, acknowledged) = run(&mut journal, work);
    drop(journal);
    if power_cut || disk.is_down() {
        disk.restart(seed);
    }
    disk.trouble_at(disk.steps() + seed % 11, Trouble::Crash);
    let opened = open(&disk);
    if disk.is_down() {
        assert!(opened.is_err());
        disk.restart(seed ^ 1);
    } else {
        disk.trouble_at(0, Trouble::Crash);
    }
    drop(opened);
    let mut journal = check(&disk, &submitted, acknowledged);
    let mut known = read_all(&journal.reader()).unwrap();
    let (more, acknowledged) = run(&mut journal, work);
    assert_eq!(acknowledged, work.len(), "a recovered journal works");
    known.extend(more);
    disk.restart(seed ^ 2);
    check(&disk, &known, known.len());
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn an_acknowledged_frame_survives_trouble_at_any_step(work in workload(), seed in any::<u64>()) {
        let (created, finished) = steps_of(&work);
        for step in created..=finished {
            let seed = seed.wrapping_add(step);
            let byte = usize::try_from(seed % 4000).unwrap();
            suffer(&work, step, Trouble::Crash, true, seed);
            suffer(&work, step, Trouble::TearAt(byte), true, seed);
            suffer(&work, step, Trouble::Error, false, seed);
            suffer(&work, step, Trouble::Error, true, seed);
        }
    }

    #[test]
    fn a_full_disk_loses_no_acknowledged_frame(work in workload(), room in 0usize..20_000, seed in any::<u64>()) {
        let disk = SimDisk::new();
        let mut journal = FileJournal::create(disk.clone(), dir(), LEDGER, SMALL).unwrap();
        disk.limit_bytes(Some(disk.used_bytes() + room));
        let (submitted, acknowledged) = run(&mut journal, &work);
        disk.restart(seed);
        disk.limit_bytes(None);
        check(&disk, &submitted, acknowledged);
    }

    #[test]
    fn a_crash_while_creating_leaves_nothing_or_an_empty_journal(step in 0u64..12, tear in 0usize..200, seed in any::<u64>()) {
        for trouble in [Trouble::Crash, Trouble::TearAt(tear), Trouble::Error] {
            let disk = SimDisk::new();
            disk.trouble_at(step, trouble);
            drop(FileJournal::create(disk.clone(), dir(), LEDGER, SMALL));
            disk.restart(seed);
            let journal = match open(&disk) {
                Ok((journal, _)) => journal,
                Err(Fault::Missing { .. }) => FileJournal::create(disk.clone(), dir(), LEDGER, SMALL).unwrap(),
                Err(fault) => panic!("{fault}"),
            };
            prop_assert_eq!(journal.head(), Head::empty(LEDGER));
        }
    }

    /// Every bit of a header, a frame or a footer is looked after by start-up or by a scrub.
    #[test]
    fn a_flipped_bit_anywhere_is_detected(work in workload(), at in any::<prop::sample::Index>(), bits in prop::collection::vec(any::<prop::sample::Index>(), 20)) {
        let disk = SimDisk::new();
        let lens: Vec<usize> = work.iter().map(|(len, _)| *len).collect();
        let frames = given(&disk, &lens);
        let names = crate::disk::Disk::list(&disk, &dir().join("journal")).unwrap();
        let segments: Vec<_> = names.iter().filter(|name| name.ends_with(".seg")).collect();
        let path = dir().join("journal").join(at.get(&segments));
        let contents = disk.read(&path).unwrap();
        // The zeros between the frames and the footer hold nothing; neither do those that pad the header.
        let looked_after: Vec<usize> = written_bytes(&contents);
        for bit in bits {
            let bit = bit.get(&looked_after) * 8 + usize::from(looked_after.len() % 8 > 3);
            disk.flip_bit(&path, bit);
            prop_assert!(everything_reads(&disk, &frames).is_err(), "bit {} of {}", bit, path.display());
            disk.flip_bit(&path, bit);
        }
        prop_assert!(everything_reads(&disk, &frames).is_ok());
    }
}

fn written_bytes(contents: &[u8]) -> Vec<usize> {
    let mut end = 128;
    while let Ok((_, len)) = Frame::decode(&contents[end..]) {
        end += len;
    }
    let footer_start = match contents.ends_with(b"\x89BCEND\r\n") {
        true => {
            let body_len = u32::from_le_bytes(*contents[contents.len() - 16..].first_chunk().unwrap());
            contents.len() - 16 - body_len as usize
        }
        false => contents.len(),
    };
    (0..108).chain(128..end).chain(footer_start..contents.len()).collect()
}

fn everything_reads(disk: &SimDisk, frames: &[Frame]) -> Result<(), Fault> {
    let journal = OfflineJournal::open_on(disk.clone(), dir(), &[])?;
    let mut scrub = journal.scrub();
    while scrub.next_segment()?.is_some() {}
    assert_eq!(read_all(&journal)?, frames, "no fault, and other frames");
    Ok(())
}
