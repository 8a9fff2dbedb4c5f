//! A snapshot is whole or not used at all: crashes at every step, a flipped bit in every section, other formats, and
//! other histories.

#![allow(clippy::unwrap_used, reason = "in a test, what cannot be had is a failure")]

use std::path::Path;

use journal::{Disk, DiskFile, FrameBuilder, Head, Journal, MemoryJournal, SimDisk, Trouble, Witness};
use ledger_core::control::RecordStateHash;
use ledger_core::ledger::{Copied, SECTIONS};
use ledger_core::values::{ActorId, CommandId, Name, Text, Timestamp};
use ledger_core::{Actor, ActorKind, Command, Ledger, Settings, Submission, Submitted, control};
use serde_json::{Value, json};
use snapshots::{Fault, KEPT_APART, SnapshotSource, Snapshots};

const LEDGER: [u8; 16] = [9; 16];
const DIR: &str = "ledger/snapshots";

/// A ledger with something in most of its sections, and its journal: a frame an entry.
struct Shop {
    ledger: Ledger,
    journal: MemoryJournal,
    now: Timestamp,
}

impl Shop {
    fn new() -> Shop {
        let now = Timestamp::parse("2026-01-01T00:00:00Z").unwrap();
        let mut shop = Shop { ledger: Ledger::new(), journal: MemoryJournal::new(LEDGER), now };
        let settings = Settings::named(Name::try_new("main").unwrap());
        shop.record(control::Create { settings }.into());
        for (name, body) in [
            ("items.define", json!({"sku": "TEA-01", "name": "Tea"})),
            ("items.activate", json!({"sku": "TEA-01"})),
            ("locations.define", json!({"location": "AMS1", "name": "Amsterdam", "kind": "warehouse"})),
            ("customers.define", json!({"customer": "C1"})),
            (
                "channels.define",
                json!({"channel": "web", "name": "Web", "kind": "web", "settlement": "prepaid",
                    "oversell": "backorder", "partial_shipment": "allowed", "locations": ["AMS1"]}),
            ),
        ] {
            shop.send(name, body);
        }
        shop.receive(8);
        shop.send(
            "orders.place",
            json!({"order": "O-1", "channel": "web", "lines": [{"sku": "TEA-01", "quantity": 2, "price": "10"}]}),
        );
        shop.send("payments.capture", json!({"payment": "P-1", "order": "O-1", "amount": "20.00"}));
        shop.send("fulfilment.plan", json!({"shipment": "S-1", "order": "O-1"}));
        shop
    }

    fn receive(&mut self, quantity: u64) {
        self.send(
            "stock.receive",
            json!({"sku": "TEA-01", "location": "AMS1", "quantity": quantity, "unit_cost": "2.5"}),
        );
    }

    fn send(&mut self, name: &str, body: Value) {
        self.record(Command::deserialize(name, body).unwrap().unwrap());
    }

    fn record(&mut self, command: Command) {
        self.now = self.now.plus_micros(1_000_000);
        let head = self.journal.reader_head();
        let id = CommandId::try_new(format!("c-{}", head.sequence + 1)).unwrap();
        let actor = Actor { id: ActorId::try_new("clerk").unwrap(), kind: ActorKind::Person };
        let commands = vec![Submitted::new(id, None, Some([1; 16]), command)];
        let submission = Submission { actor, roles: Vec::new(), correlation: None, commands };
        let (sequence, entry, bytes) = self.ledger.decide(submission, self.now).unwrap().accept();
        let log_time = self.now.micros();
        let mut frame = FrameBuilder::open(LEDGER, 1, sequence, head.event + 1, log_time, head.hash);
        frame.push(&bytes, entry.event_count());
        self.journal.submit(frame.seal());
        self.journal.poll().unwrap();
    }

    fn take<D: Disk>(&mut self, into: &Snapshots<D>) -> Result<RecordStateHash, Fault> {
        let mut writer = into.begin(self.journal.reader_head())?;
        let mut copying = self.ledger.begin_copy();
        let mut sections = SECTIONS.iter();
        let mut copied = Copied::Section;
        while copied != Copied::All {
            if copied == Copied::Section {
                writer.section(sections.next().unwrap())?;
            }
            let mut block = Vec::new();
            copied = self.ledger.copy_some(&mut copying, &mut block, 64);
            writer.block(&block)?;
        }
        self.ledger.end_copy();
        writer.section("views")?;
        writer.block(b"beside it")?;
        writer.finish()
    }
}

trait ReaderHead {
    fn reader_head(&self) -> Head;
}

impl ReaderHead for MemoryJournal {
    fn reader_head(&self) -> Head {
        use journal::JournalRead;
        self.reader().head()
    }
}

#[test]
fn what_is_loaded_is_what_was_taken() {
    let (disk, mut shop) = (SimDisk::new(), Shop::new());
    let snapshots = Snapshots::on(disk, DIR);
    let state = shop.take(&snapshots).unwrap();
    assert_eq!(state.root.0, shop.ledger.hash());
    let head = shop.journal.reader_head();
    let loaded = snapshots.nearest(&shop.journal.reader(), u64::MAX).unwrap();
    assert_eq!((loaded.head, &loaded.state), (head, &state));
    assert_eq!(loaded.ledger, shop.ledger);
    assert_eq!(loaded.beside("views"), Some(&b"beside it"[..]));
    assert_eq!(loaded.beside("other"), None);
    let witness = Witness { sequence: head.sequence, hash: head.hash };
    assert_eq!(snapshots.witnesses().unwrap(), [witness]);
    // One that is doubted is not begun with; that the journal was durable up to there, it proves all the same.
    let doubting = snapshots.doubting(head.sequence);
    assert!(doubting.nearest(&shop.journal.reader(), u64::MAX).is_none());
    assert_eq!(doubting.nearest_sequence(u64::MAX), None);
    assert_eq!(doubting.witnesses().unwrap(), [witness]);
}

#[test]
fn a_crash_or_an_error_at_any_step_leaves_the_snapshot_before_it() {
    for torn in [Trouble::Crash, Trouble::Error, Trouble::TearAt(100)] {
        let mut step = 0;
        loop {
            let (disk, mut shop) = (SimDisk::new(), Shop::new());
            let snapshots = Snapshots::on(disk.clone(), DIR);
            shop.take(&snapshots).unwrap();
            let before = shop.ledger.clone();
            shop.receive(5);
            disk.trouble_at(disk.steps() + step, torn);
            let taken = shop.take(&snapshots).and_then(|_| snapshots.prune());
            disk.trouble_at(u64::MAX, torn);
            disk.restart(step);
            let loaded = snapshots.nearest(&shop.journal.reader(), u64::MAX).unwrap();
            match taken {
                Ok(()) => assert_eq!(loaded.ledger, shop.ledger),
                Err(_) => assert!(loaded.ledger == before || loaded.ledger == shop.ledger),
            }
            // And the folder can be used on.
            shop.receive(6);
            shop.take(&snapshots).unwrap();
            snapshots.prune().unwrap();
            assert_eq!(snapshots.nearest(&shop.journal.reader(), u64::MAX).unwrap().ledger, shop.ledger);
            let names = disk.list(Path::new(DIR)).unwrap();
            assert!(names.iter().all(|name| name.ends_with(".snap")), "{names:?}");
            if taken.is_ok() {
                break;
            }
            step += 1;
        }
        assert!(step > 4, "{torn:?} struck only {step} steps");
    }
}

#[test]
fn a_flipped_bit_anywhere_is_found_and_the_snapshot_before_is_used() {
    let (disk, mut shop) = (SimDisk::new(), Shop::new());
    let snapshots = Snapshots::on(disk.clone(), DIR);
    shop.take(&snapshots).unwrap();
    let before = shop.ledger.clone();
    shop.receive(5);
    shop.take(&snapshots).unwrap();
    let newest = snapshots.sequences().unwrap()[0];
    let path = Path::new(DIR).join(format!("{newest:020}.snap"));
    let file = disk.open_write(&path).unwrap();
    let len = file.len().unwrap();
    for at in 0..len {
        let mut byte = [0];
        file.read_exact_at(&mut byte, at).unwrap();
        let flipped = [byte[0] ^ (1 << (at % 8))];
        file.write_all_at(&flipped, at).unwrap();
        snapshots.load(newest).expect_err("a flipped bit is found");
        // Every tenth byte: what a start would do.
        if at % 10 == 0 {
            assert_eq!(snapshots.nearest(&shop.journal.reader(), u64::MAX).unwrap().ledger, before);
        }
        file.write_all_at(&byte, at).unwrap();
    }
    snapshots.load(newest).unwrap();
    file.write_all_at(&[0], len).unwrap();
    assert!(matches!(snapshots.load(newest), Err(Fault::Damaged { .. })), "a byte too many");
}

#[test]
fn another_format_is_never_converted() {
    let (disk, mut shop) = (SimDisk::new(), Shop::new());
    let snapshots = Snapshots::on(disk.clone(), DIR);
    shop.take(&snapshots).unwrap();
    let only = snapshots.sequences().unwrap()[0];
    let file = disk.open_write(&Path::new(DIR).join(format!("{only:020}.snap"))).unwrap();
    file.write_all_at(&2u16.to_le_bytes(), 8).unwrap();
    let fault = snapshots.load(only).unwrap_err();
    assert!(matches!(fault, Fault::OtherFormat { found: 2, wanted: 1, .. }), "{fault}");
    assert!(snapshots.nearest(&shop.journal.reader(), u64::MAX).is_none());
    assert_eq!(snapshots.witnesses().unwrap(), []);
}

#[test]
fn a_snapshot_of_another_history_is_left_aside() {
    let (disk, mut shop) = (SimDisk::new(), Shop::new());
    let snapshots = Snapshots::on(disk, DIR);
    shop.receive(5);
    shop.take(&snapshots).unwrap();
    let mut other = Shop::new();
    other.receive(6);
    assert!(snapshots.nearest(&other.journal.reader(), u64::MAX).is_none(), "another frame at that sequence");
    let shorter = Shop::new();
    assert!(snapshots.nearest(&shorter.journal.reader(), u64::MAX).is_none(), "a journal that ends before");
}

#[test]
fn the_newest_two_are_kept_and_one_of_every_long_stretch() {
    let disk = SimDisk::new();
    let snapshots = Snapshots::on(disk.clone(), DIR);
    let mut shop = Shop::new();
    shop.take(&snapshots).unwrap();
    let first = snapshots.sequences().unwrap()[0];
    let bytes = {
        let file = disk.open_read(&Path::new(DIR).join(format!("{first:020}.snap"))).unwrap();
        let mut bytes = vec![0; file.len().unwrap() as usize];
        file.read_exact_at(&mut bytes, 0).unwrap();
        bytes
    };
    // The name is what counts; what is in them is of use, whatever it is.
    let stretch = KEPT_APART;
    for sequence in [
        stretch / 2,
        stretch - 1,
        stretch + 7,
        2 * stretch - 9,
        3 * stretch,
        3 * stretch + 1,
        3 * stretch + 2,
    ] {
        let file = disk.create(&Path::new(DIR).join(format!("{sequence:020}.snap"))).unwrap();
        file.write_all_at(&bytes, 0).unwrap();
    }
    disk.create(&Path::new(DIR).join(format!("{:020}.tmp", 77))).unwrap();
    let broken = disk.create(&Path::new(DIR).join(format!("{:020}.snap", 4 * stretch))).unwrap();
    broken.write_all_at(b"not a snapshot", 0).unwrap();
    snapshots.prune().unwrap();
    let kept = [3 * stretch + 2, 3 * stretch + 1, 2 * stretch - 9, stretch - 1];
    assert_eq!(snapshots.sequences().unwrap(), kept);
    assert!(disk.list(Path::new(DIR)).unwrap().iter().all(|name| name.ends_with(".snap")));
}
