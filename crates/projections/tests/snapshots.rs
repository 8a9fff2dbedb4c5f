//! A snapshot and the tail on top answer what the whole journal answers, whenever the snapshot was taken.

#![allow(clippy::unwrap_used, reason = "in a test, what cannot be had is a failure")]

mod shop;

use std::path::Path;
use std::sync::Arc;

use journal::{JournalRead, SimDisk};
use ledger_core::control::RecordStateHash;
use ledger_core::ledger::{Copied, SECTIONS};
use ledger_core::values::Digest;
use projections::{Fault, MemoryStore, Opening, Projections, Store, Taken};
use serde_json::json;
use shop::{Shop, all, given_a_shop, query, sequence};
use snapshots::{SnapshotSource, Snapshots};

/// Orders in every state, a return, a manual posting, and two starts of the writer.
fn given_a_business() -> Shop {
    let mut shop = given_a_shop();
    let receive = json!({"sku": "TEA-01", "location": "AMS1", "quantity": 9, "unit_cost": "4"});
    shop.send("stock.receive", receive.clone());
    for number in 1..=4 {
        order(&mut shop, number);
    }
    for step in ["plan", "pick", "pack", "ship", "deliver"] {
        let body = match step {
            "plan" => json!({"shipment": "S-1", "order": "O-1"}),
            _ => json!({"shipment": "S-1"}),
        };
        shop.send(&format!("fulfilment.{step}"), body);
    }
    shop.send("orders.cancel", json!({"order": "O-4", "reason": "changed_mind"}));
    shop.restart();
    shop.send("stock.receive", receive);
    shop
}

fn order(shop: &mut Shop, number: u64) {
    shop.send(
        "orders.place",
        json!({"order": format!("O-{number}"), "channel": "web", "destination": {"country": "NL"},
            "lines": [{"sku": "TEA-01", "quantity": number, "price": "10"}]}),
    );
    let amount = format!("{}.00", number * 10);
    shop.send(
        "payments.capture",
        json!({"payment": format!("P-{number}"), "order": format!("O-{number}"), "amount": amount}),
    );
}

fn snapshots() -> Snapshots<SimDisk> {
    Snapshots::on(SimDisk::new(), Path::new("snapshots"))
}

fn take(projections: &Projections, into: &Snapshots<SimDisk>) -> Taken {
    let mut taking = projections.begin_snapshot(into).unwrap();
    loop {
        if let Some(taken) = taking.step().unwrap() {
            return taken;
        }
    }
}

fn open(store: &MemoryStore, shop: &mut Shop, from: &Snapshots<SimDisk>) -> Projections {
    let snapshots: Option<Arc<dyn SnapshotSource>> = Some(Arc::new(from.clone()));
    let store = Box::new(store.clone());
    Projections::open_from(Opening { store, journal: shop.reader(), snapshots, progress: &mut |_, _| {} })
        .unwrap()
}

fn assert_same(one: &Projections, other: &Projections) {
    assert_eq!(one.digest().unwrap(), other.digest().unwrap());
    assert_eq!(one.ledger_hash(), other.ledger_hash());
    for upto in 0..=one.position().sequence {
        assert_eq!(one.position_at(upto), other.position_at(upto));
    }
    let order = |projections| all(projections, "order", query(json!({"order": "O-1"})));
    assert_eq!(order(one), order(other));
    let audit = |projections| all(projections, "audit", query(json!({})));
    assert_eq!(audit(one), audit(other));
}

#[test]
fn snapshot_and_tail_are_live_are_the_whole_journal() {
    let (mut shop, snapshots) = (given_a_business(), snapshots());
    let live = shop.projections();
    // While the slices are taken, orders go on.
    let mut taking = live.begin_snapshot(&snapshots).unwrap();
    assert!(live.begin_snapshot(&snapshots).is_none(), "one at a time");
    let (head, mut taken, mut number) = (taking.head(), None, 5);
    while taken.is_none() {
        order(&mut shop, number);
        number += 1;
        fold_on(&live, &mut shop);
        taken = taking.step().unwrap();
    }
    drop(taking);
    let taken = taken.unwrap();
    assert_eq!((taken.head, Some(taken.clone())), (head, live.last_snapshot()));
    assert!(live.position().sequence > head.sequence + 20, "the fold went on meanwhile");

    let whole = shop.projections();
    // An index that reaches as far as the journal, less far than the snapshot, and not at all.
    let (full, short, none) = (MemoryStore::new(), MemoryStore::new(), MemoryStore::new());
    Projections::open(Box::new(full.clone()), shop.reader()).unwrap().checkpoint().unwrap();
    let mut earlier = given_a_business();
    Projections::open(Box::new(short.clone()), earlier.reader()).unwrap().checkpoint().unwrap();
    for store in [full, short, none] {
        let again = open(&store, &mut shop, &snapshots);
        assert_eq!(again.last_snapshot().as_ref(), Some(&taken));
        assert_same(&again, &live);
        assert_same(&again, &whole);
        // And from here on they fold the same.
        again.checkpoint().unwrap();
        assert_same(&open(&store, &mut shop, &snapshots), &whole);
    }

    // The state hash of the snapshot is that of the ledger then.
    let health = Projections::open(Box::new(MemoryStore::new()), shop.reader()).unwrap();
    let mut asked = query(json!({"ledger_hash": true}));
    asked.as_of = Some(sequence(head.sequence));
    let row = &all(&health, "health", asked)[0];
    let root = taken.state.root.to_string();
    assert_eq!(row["ledger_hash"], json!(root));
}

fn fold_on(projections: &Projections, shop: &mut Shop) {
    let reader = shop.reader();
    while projections.position().sequence < reader.head().sequence {
        let frame = reader.frame_at(projections.position().sequence + 1).unwrap().unwrap();
        projections.fold(&frame).unwrap();
    }
}

#[test]
fn a_snapshot_that_is_given_up_leaves_nothing_behind() {
    let (mut shop, snapshots) = (given_a_business(), snapshots());
    let live = shop.projections();
    let mut taking = live.begin_snapshot(&snapshots).unwrap();
    assert_eq!(taking.step().unwrap(), None);
    drop(taking);
    assert_eq!(live.last_snapshot(), None);
    assert!(snapshots.sequences().unwrap().is_empty());
    let taken = take(&live, &snapshots);
    assert_eq!(taken.state.root.0, live.ledger_hash());
    snapshots.prune().unwrap();
    assert_eq!(snapshots.sequences().unwrap(), [taken.head.sequence]);
}

#[test]
fn a_question_about_the_past_begins_with_the_nearest_snapshot() {
    let (mut shop, snapshots) = (given_a_business(), snapshots());
    for quantity in 1..1_200 {
        shop.frame_entries = 50;
        shop.send(
            "stock.receive",
            json!({"sku": "TEA-02", "location": "BER1", "quantity": quantity, "unit_cost": "1"}),
        );
    }
    let taken = take(&shop.projections(), &snapshots);
    for number in 5..9 {
        order(&mut shop, number);
    }
    let (with, without) = (open(&MemoryStore::new(), &mut shop, &snapshots), shop.projections());
    let end = with.position().sequence;
    for upto in [taken.head.sequence, taken.head.sequence + 3, end, taken.head.sequence - 1, 40] {
        for view in ["stock_position", "order_board", "valuation", "trial_balance"] {
            let mut asked = query(json!({}));
            asked.as_of = Some(sequence(upto));
            assert_eq!(all(&with, view, asked.clone()), all(&without, view, asked), "{view} as of {upto}");
        }
    }
}

#[test]
fn nothing_is_taken_of_an_empty_journal() {
    let store: Box<dyn Store> = Box::new(MemoryStore::new());
    let journal = journal::MemoryJournal::new([3; 16]);
    let empty = Projections::open(store, Arc::new(journal.reader())).unwrap();
    assert!(empty.begin_snapshot(&snapshots()).is_none());
}

fn record(shop: &mut Shop, state: &RecordStateHash) -> u64 {
    shop.send("ledger.record_state_hash", serde_json::to_value(state).unwrap())
}

#[test]
fn the_fold_stops_where_the_log_records_another_state_and_health_says_so() {
    let (mut shop, snapshots) = (given_a_business(), snapshots());
    let live = shop.projections();
    let good = take(&live, &snapshots).state;
    record(&mut shop, &good);
    fold_on(&live, &mut shop);
    let health = |projections| all(projections, "health", query(json!({}))).remove(0);
    assert_eq!(health(&live)["state_agreed_at"], good.at_sequence);
    assert!(live.check_state().is_ok() && health(&live)["state_differs"].is_null());

    let mut wrong = take(&live, &snapshots).state;
    (wrong.root, wrong.sections[6].hash) = (Digest([7; 32]), Digest([8; 32]));
    let at = record(&mut shop, &wrong);
    let frame = shop.reader().frame_at(at).unwrap().unwrap();
    let fault = live.fold(&frame).unwrap_err();
    assert!(
        matches!(fault, Fault::StateDiffers { at_sequence, .. } if at_sequence == wrong.at_sequence),
        "{fault}"
    );
    assert!(fault.to_string().contains("section stock is recorded"), "{fault}");
    assert!(live.check_state().is_err());
    assert_eq!(health(&live)["state_differs"]["sequence"], wrong.at_sequence);
    assert_eq!(health(&live)["state_agreed_at"], good.at_sequence, "it was right until then");
}

/// A snapshot at the end of the shop's journal, whole and verified, of a state that the shop never was in.
fn forge(shop: &mut Shop, snapshots: &Snapshots<SimDisk>) -> u64 {
    let head = shop.reader().head();
    let quantity = json!({"sku": "TEA-01", "location": "AMS1", "quantity": 1, "unit_cost": "2"});
    let mut other = given_a_business();
    for number in other.ledger.head().sequence..head.sequence {
        let mut body = quantity.clone();
        body["quantity"] = json!(number);
        other.send("stock.receive", body);
    }
    let mut ledger = other.ledger;
    let mut writer = snapshots.begin(head).unwrap();
    let (mut copying, mut sections, mut copied) = (ledger.begin_copy(), SECTIONS.iter(), Copied::Section);
    while copied != Copied::All {
        if copied == Copied::Section {
            writer.section(sections.next().unwrap()).unwrap();
        }
        let mut block = Vec::new();
        copied = ledger.copy_some(&mut copying, &mut block, 4096);
        writer.block(&block).unwrap();
    }
    writer.section("views").unwrap();
    writer.block(br#"{"epochs": [[1, 1]], "first_broken": null}"#).unwrap();
    writer.finish().unwrap();
    head.sequence
}

#[test]
fn a_snapshot_of_another_state_than_the_log_records_is_left_aside() {
    let (mut shop, snapshots) = (given_a_business(), snapshots());
    shop.frame_entries = 50;
    for _ in 0..1_200 {
        shop.send(
            "stock.receive",
            json!({"sku": "TEA-02", "location": "BER1", "quantity": 1, "unit_cost": "1"}),
        );
    }
    shop.seal();
    shop.frame_entries = 1;
    // Opened while there is no snapshot: its own state is right, and it finds the forged one when asked of the past.
    let live = open(&MemoryStore::new(), &mut shop, &snapshots);
    let true_state = RecordStateHash::of(shop.ledger.head().sequence, &shop.ledger.section_hashes());
    let forged = forge(&mut shop, &snapshots);
    record(&mut shop, &true_state);
    order(&mut shop, 9);
    fold_on(&live, &mut shop);

    let mut past = query(json!({"sku": "TEA-02"}));
    past.as_of = Some(sequence(forged + 2));
    assert_eq!(all(&live, "stock_position", past)[0]["quantity"], 1_200);

    let opening = |from: Snapshots<SimDisk>, shop: &mut Shop| {
        let (store, journal) = (Box::new(MemoryStore::new()), shop.reader());
        let snapshots: Option<Arc<dyn SnapshotSource>> = Some(Arc::new(from));
        Projections::open_from(Opening { store, journal, snapshots, progress: &mut |_, _| {} })
    };
    let Err(fault) = opening(snapshots.clone(), &mut shop) else { panic!("it is found out") };
    assert!(matches!(fault, Fault::StateDiffers { at_sequence, .. } if at_sequence == forged), "{fault}");
    let again = opening(snapshots.doubting(forged), &mut shop).unwrap();
    assert_eq!(again.last_snapshot(), None);
    assert_same(&again, &shop.projections());
}
