//! A process that is killed while it appends: what it acknowledged is there, and its lock is gone.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use journal::{
    Checked, FileJournal, FrameBuilder, FrameSource, Head, Journal, JournalRead, JournalThread, Lock,
    Options, Outcome, RealDisk,
};

const DIR: &str = "JOURNAL_KILL_TEST_DIR";
const OPTIONS: Options = Options { segment_bytes: 256 * 1024 };

/// The victim: appends for ever and prints each acknowledged sequence. Run by the test below.
#[test]
fn victim() {
    let Some(dir) = std::env::var_os(DIR) else { return };
    let dir = Path::new(&dir);
    let _lock = Lock::exclusive(dir, "the victim").unwrap();
    let (journal, _) = FileJournal::open(RealDisk, dir, &[], OPTIONS).unwrap();
    let mut head = journal.head();
    let mut thread = JournalThread::start(journal, Box::new(|| {})).unwrap();
    loop {
        let mut open = FrameBuilder::open(head.ledger, 1, head.sequence + 1, head.event + 1, 0, head.hash);
        open.push(&vec![7; usize::try_from(head.sequence * 997 % 20_000).unwrap()], 1);
        let frame = open.seal();
        head = Head::after(&frame);
        thread.submit(frame);
        let outcome = std::iter::repeat_with(|| thread.poll()).flatten().next();
        assert_eq!(outcome, Some(Outcome::Durable { last_sequence: head.sequence }));
        println!("acknowledged {}", head.sequence);
    }
}

#[test]
fn a_killed_process_loses_nothing_that_it_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    FileJournal::create(RealDisk, dir.path(), [3; 16], OPTIONS).unwrap();
    let mut total = 0;
    for round in 0..8 {
        let mut victim = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "victim", "--nocapture"])
            .env(DIR, dir.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(victim.stdout.take().unwrap());
        let lines = std::thread::spawn(move || {
            let lines = output.lines().map_while(Result::ok);
            lines.filter_map(|line| line.rsplit_once("acknowledged ")?.1.parse::<u64>().ok()).last()
        });
        std::thread::sleep(Duration::from_millis(60 + 17 * round));
        victim.kill().unwrap();
        victim.wait().unwrap();
        let acknowledged = lines.join().unwrap().unwrap_or(total);

        let _lock = Lock::exclusive(dir.path(), "the test").unwrap();
        let (journal, recovery) = FileJournal::open(RealDisk, dir.path(), &[], OPTIONS).unwrap();
        assert!(
            recovery.head.sequence >= acknowledged,
            "{acknowledged} was acknowledged, found {recovery:?}"
        );
        let mut frames =
            Checked::after(journal.reader().frames_from(1).unwrap(), Head::empty(recovery.head.ledger));
        while frames.next_frame().unwrap().is_some() {}
        assert_eq!(frames.head(), recovery.head);
        total = recovery.head.sequence;
    }
    assert!(total > 0, "the victim did something");
}
