//! The folder of index runs can be lost, be behind, or be of another history: the answers are the same.

#![allow(clippy::unwrap_used, reason = "in a test, what cannot be had is a failure")]

mod shop;

use std::sync::Arc;

use journal::JournalRead;
use projections::{MemoryStore, Position, Projections, SledStore, Store, VIEWS, stored_witness};
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
