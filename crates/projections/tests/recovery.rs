//! The folder of index runs can be lost, be behind, or be of another history: the answers are the same.

#![allow(clippy::unwrap_used, reason = "in a test, what cannot be had is a failure")]

mod shop;

use std::io::Write as _;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use journal::JournalRead;
use projections::{
    Fault, MemoryStore, Position, Projections, SledStore, Store, VIEWS, Write, stored_witness,
};
use serde_json::{Value, json};
use shop::{Shop, all, given_a_shop, query};

fn receive(shop: &mut Shop, quantity: u64) -> u64 {
    shop.send(
        "stock.receive",
        json!({"sku": "TEA-01", "location": "AMS1", "quantity": quantity, "unit_cost": "10"}),
    )
}

/// Every row of every view, where a view needs a filter: of what the shop has.
fn everything(projections: &Projections) -> Vec<(&'static str, Vec<Value>)> {
    VIEWS
        .iter()
        .map(|view| {
            let filter = match view.name {
                "bin_card" => json!({"sku": "TEA-01"}),
                "order" => json!({"order": "O-1"}),
                _ => json!({}),
            };
            let mut rows = all(projections, view.name, query(filter));
            for row in rows.iter_mut().filter(|_| view.name == "health") {
                // What the store holds is no part of the answer.
                row.as_object_mut()
                    .unwrap()
                    .retain(|name, _| name != "checkpoint_sequence" && name != "index_runs");
            }
            (view.name, rows)
        })
        .collect()
}

#[test]
fn live_rebuilt_and_with_the_folder_deleted_are_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("projections");
    let mut shop = given_a_shop();
    let live = Projections::open(Box::new(SledStore::open(&folder).unwrap()), shop.reader()).unwrap();
    for quantity in 1..40 {
        let sequence = receive(&mut shop, quantity);
        live.fold(&shop.reader().frame_at(sequence).unwrap().unwrap()).unwrap();
        if quantity % 10 == 0 {
            live.checkpoint().unwrap();
        }
    }
    let answers = everything(&live);
    let hash = live.ledger_hash();
    drop(live);
    let again = Projections::open(Box::new(SledStore::open(&folder).unwrap()), shop.reader()).unwrap();
    assert_eq!((everything(&again), again.ledger_hash()), (answers.clone(), hash));
    drop(again);
    std::fs::remove_dir_all(&folder).unwrap();
    let rebuilt = Projections::open(Box::new(SledStore::open(&folder).unwrap()), shop.reader()).unwrap();
    assert_eq!((everything(&rebuilt), rebuilt.ledger_hash()), (answers, hash));
}

#[test]
fn a_folder_can_be_opened_again_at_once_while_its_runs_are_merging() {
    let dir = tempfile::tempdir().unwrap();
    let mut shop = given_a_shop();
    for round in 0..20 {
        let store = SledStore::open(dir.path()).expect("nobody has the folder open any more");
        let projections = Projections::open(Box::new(store), shop.reader()).unwrap();
        let sequence = receive(&mut shop, round + 1);
        projections.fold(&shop.reader().frame_at(sequence).unwrap().unwrap()).unwrap();
        projections.checkpoint().unwrap();
    }
    let projections =
        Projections::open(Box::new(SledStore::open(dir.path()).unwrap()), shop.reader()).unwrap();
    assert_eq!(everything(&projections)[0], everything(&shop.projections())[0]);
    let card = all(&projections, "bin_card", query(json!({"sku": "TEA-01"})));
    assert_eq!(card.len(), 20);
    let health = &all(&projections, "health", query(json!({})))[0];
    assert!(health["index_runs"].as_u64().unwrap() < 14, "{health}");
}

#[test]
fn the_checkpoint_is_a_witness_of_the_journal() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("projections");
    assert_eq!(stored_witness(&folder).unwrap(), None);
    let mut shop = given_a_shop();
    let projections = Projections::open(Box::new(SledStore::open(&folder).unwrap()), shop.reader()).unwrap();
    assert_eq!(projections.witness(), None);
    projections.checkpoint().unwrap();
    let witness = projections.witness().unwrap();
    let head = shop.reader().head();
    assert_eq!((witness.sequence, witness.hash), (head.sequence, head.hash));
    drop(projections);
    assert_eq!(stored_witness(&folder).unwrap(), Some(witness));
}

#[test]
fn a_crash_after_a_checkpoint_loses_nothing_and_doubles_nothing() {
    let mut shop = given_a_shop();
    for checkpoint_after in [1, 4, 9] {
        let store = MemoryStore::new();
        let live = Projections::open(Box::new(store.clone()), shop.reader()).unwrap();
        for quantity in 1..10 {
            let sequence = receive(&mut shop, quantity);
            live.fold(&shop.reader().frame_at(sequence).unwrap().unwrap()).unwrap();
            if quantity == checkpoint_after {
                live.checkpoint().unwrap();
            }
        }
        // The process dies here: what was not in the checkpoint is gone with its memory.
        let answers = everything(&live);
        drop(live);
        let again = Projections::open(Box::new(store), shop.reader()).unwrap();
        assert_eq!(everything(&again), answers);
    }
}

#[test]
fn a_checkpoint_of_another_history_is_discarded() {
    let store = MemoryStore::new();
    let mut other = given_a_shop();
    receive(&mut other, 77);
    receive(&mut other, 78);
    Projections::open(Box::new(store.clone()), other.reader()).unwrap().checkpoint().unwrap();
    let mut shop = given_a_shop();
    receive(&mut shop, 1);
    let projections = Projections::open(Box::new(store.clone()), shop.reader()).unwrap();
    assert_eq!(projections.witness(), None);
    assert_eq!(everything(&projections), everything(&shop.projections()));
    assert!(store.keys().unwrap().is_empty());
}

#[test]
fn a_frame_out_of_order_is_refused_and_changes_nothing() {
    let mut shop = given_a_shop();
    let projections = shop.projections();
    let before = projections.position();
    receive(&mut shop, 1);
    let second = receive(&mut shop, 2);
    let frame = |shop: &mut Shop, sequence| shop.reader().frame_at(sequence).unwrap().unwrap();
    assert!(projections.fold(&frame(&mut shop, second)).is_err());
    assert!(projections.fold(&frame(&mut shop, 1)).is_err());
    assert_eq!(projections.position(), before);
    projections.fold(&frame(&mut shop, second - 1)).unwrap();
    projections.fold(&frame(&mut shop, second)).unwrap();
    assert_eq!(projections.position().sequence, second);
}

#[test]
fn a_position_names_the_writer_that_recorded_the_entry() {
    let mut shop = given_a_shop();
    let first = receive(&mut shop, 1);
    shop.restart();
    let second = receive(&mut shop, 2);
    let projections = shop.projections();
    assert_eq!(projections.position_at(first), Some(Position { epoch: 1, sequence: first }));
    assert_eq!(projections.position_at(first + 1), Some(Position { epoch: 2, sequence: first + 1 }));
    assert_eq!(projections.position(), Position { epoch: 2, sequence: second });
    assert_eq!(projections.position_at(second + 1), None);
    let (meta, entry) = projections.entry(second).unwrap().unwrap();
    assert_eq!((meta.sequence, meta.epoch, entry.actor.id.to_string().as_str()), (second, 2, "clerk"));
    assert_eq!(projections.command_status(&entry.commands[0].submitted.id.to_string()), Some(second));
    assert_eq!(projections.command_status("nobody's"), None);
    assert!(projections.entry(second + 1).unwrap().is_none());
}

#[test]
fn queries_go_on_while_frames_are_folded() {
    let mut shop = given_a_shop();
    let projections = shop.projections();
    let start = projections.position().sequence;
    for quantity in 1..300 {
        receive(&mut shop, quantity);
    }
    let reader: Arc<journal::MemoryReader> = shop.reader();
    std::thread::scope(|scope| {
        let folding = scope.spawn(|| {
            for sequence in start + 1..=reader.head().sequence {
                projections.fold(&reader.frame_at(sequence).unwrap().unwrap()).unwrap();
            }
        });
        while !folding.is_finished() {
            let page = projections.query("stock_position", query(json!({}))).unwrap();
            // The page is of its own position: n receipts of 1, 2, … n units.
            let n = page.position.sequence - start;
            let units = page.rows.first().map_or(0, |row| row["quantity"].as_u64().unwrap());
            assert_eq!(units, n * (n + 1) / 2);
        }
    });
    assert_eq!(projections.position().sequence, reader.head().sequence);
}

/// A store on a disk that may be full.
#[derive(Clone)]
struct Tight {
    kept: MemoryStore,
    full: Arc<AtomicBool>,
}

impl Store for Tight {
    fn read(&self, key: &[u8], reader: &mut dyn FnMut(&[u8])) -> Result<bool, Fault> {
        self.kept.read(key, reader)
    }

    fn write(&self, batch: Vec<Write>) -> Result<(), Fault> {
        match self.full.load(Ordering::Relaxed) {
            true => Err(Fault::Store { why: "no space left on device".into() }),
            false => self.kept.write(batch),
        }
    }

    fn keys(&self) -> Result<Vec<Vec<u8>>, Fault> {
        self.kept.keys()
    }
}

/// Folds receipts until an index run is due, with `now` asked after each.
fn fold_until(shop: &mut Shop, live: &Projections, mut now: impl FnMut() -> bool) {
    let began = Instant::now();
    while !now() {
        assert!(began.elapsed() < Duration::from_secs(120), "it did not come to it");
        let sequence = receive(shop, 1);
        live.fold(&shop.reader().frame_at(sequence).unwrap().unwrap()).unwrap();
    }
}

fn checkpoint_of(projections: &Projections) -> u64 {
    all(projections, "health", query(json!({})))[0]["checkpoint_sequence"].as_u64().unwrap()
}

#[test]
fn a_full_disk_stops_no_answers_and_is_caught_up_with_when_there_is_room() {
    let mut shop = given_a_shop();
    let store = Tight { kept: MemoryStore::new(), full: Arc::new(AtomicBool::new(true)) };
    let live = Projections::open(Box::new(store.clone()), shop.reader()).unwrap();
    fold_until(&mut shop, &live, || live.store_trouble().is_some());
    assert!(live.store_trouble().unwrap().contains("no space left"));
    let sequence = receive(&mut shop, 7);
    live.fold(&shop.reader().frame_at(sequence).unwrap().unwrap()).unwrap();
    assert_eq!((live.position().sequence, checkpoint_of(&live)), (sequence, 0));
    assert_eq!(everything(&live), everything(&shop.projections()), "nothing is missing meanwhile");

    store.full.store(false, Ordering::Relaxed);
    let began = Instant::now();
    while live.store_trouble().is_some() {
        assert!(began.elapsed() < Duration::from_secs(60), "it is never tried again");
        live.retry_store().unwrap();
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(checkpoint_of(&live), sequence);
    let answers = everything(&live);
    drop(live);
    let again = Projections::open(Box::new(store), shop.reader()).unwrap();
    assert_eq!(everything(&again), answers);
}

/// A file system of 48 MiB; none, said so, where this process may not mount one.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> Option<SmallDisk> {
        let folder = tempfile::tempdir().unwrap();
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=48m", "tmpfs"])
            .arg(folder.path())
            .output();
        if !mount.is_ok_and(|mount| mount.status.success()) {
            println!("skipped: this process may not mount a small file system");
            return None;
        }
        Some(SmallDisk(folder))
    }

    /// Takes all the room that is left.
    fn fill(&self) {
        let mut ballast = std::fs::File::create(self.0.path().join("ballast")).unwrap();
        while ballast.write_all(&[1; 4096]).is_ok() {}
    }

    fn make_room(&self) {
        std::fs::remove_file(self.0.path().join("ballast")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: sled lets go of its files on a thread of its own.
        let _ = Command::new("umount").arg("--lazy").arg(self.0.path()).status();
    }
}

#[test]
fn a_store_on_a_disk_that_was_full_takes_writes_again_and_is_whole() {
    let Some(disk) = SmallDisk::mount() else { return };
    let folder = disk.0.path().join("projections");
    let mut shop = given_a_shop();
    let live = Projections::open(Box::new(SledStore::open(&folder).unwrap()), shop.reader()).unwrap();
    live.checkpoint().unwrap();
    let before = checkpoint_of(&live);
    disk.fill();
    fold_until(&mut shop, &live, || live.store_trouble().is_some());
    let answers = everything(&shop.projections());
    assert_eq!(everything(&live), answers, "nothing is missing meanwhile");
    assert_eq!(checkpoint_of(&live), before);

    disk.make_room();
    let began = Instant::now();
    while live.store_trouble().is_some() {
        assert!(began.elapsed() < Duration::from_secs(60), "{:?}", live.store_trouble());
        live.retry_store().unwrap();
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(checkpoint_of(&live), live.position().sequence);
    assert_eq!(everything(&live), answers);
    drop(live);
    let again = Projections::open(Box::new(SledStore::open(&folder).unwrap()), shop.reader()).unwrap();
    assert_eq!(everything(&again), answers);
}
