//! The tools over a shop's history, and over one that somebody rewrote.

#![allow(clippy::unwrap_used, reason = "in a test, what cannot be had is a failure")]

#[path = "../../projections/tests/shop/mod.rs"]
mod shop;

use std::ops::ControlFlow;
use std::sync::Arc;

use journal::{FrameBuilder, Journal, JournalRead, MemoryJournal, MemoryReader};
use ledger_core::books::{Account, CostParts};
use ledger_core::control::RecordStateHash;
use ledger_core::values::{Amount, Digest, Quantity};
use ledger_core::{Entry, Event};
use projections::{MemoryStore, SledStore};
use replay::{Check, LogRange, LogRow, Verified, Verify, as_of, log, rebuild, verify};
use serde_json::json;
use shop::{LEDGER, Shop, given_a_shop, query, sequence};

/// A shop whose receipt of 8 TEA-01 is the entry given.
fn given_some_trade() -> (Shop, u64) {
    let mut shop = given_a_shop();
    let receipt = shop.send(
        "stock.receive",
        json!({"sku": "TEA-01", "location": "AMS1", "quantity": 8, "unit_cost": "10"}),
    );
    shop.frame_entries = 3;
    for quantity in 1..5 {
        let receive =
            json!({"sku": "AVG-01", "location": "BER1", "quantity": quantity, "unit_cost": "0.333"});
        shop.send("stock.receive", receive);
        shop.send(
            "stock.write_off",
            json!({"sku": "TEA-01", "location": "AMS1", "quantity": 1, "reason": "broken"}),
        );
    }
    shop.restart();
    shop.send_batch(vec![
        ("stock.reserve", json!({"sku": "AVG-01", "location": "BER1", "quantity": 2})),
        ("stock.adjust", json!({"sku": "TEA-01", "location": "AMS1", "change": -1, "reason": "count"})),
    ]);
    (shop, receipt)
}

/// The same history with one entry changed, in frames with valid checksums, hashes and chain.
fn rewritten(reader: &MemoryReader, sequence: u64, change: impl Fn(&mut Entry)) -> Arc<MemoryReader> {
    let mut journal = MemoryJournal::new(LEDGER);
    let mut frames = reader.frames_from(1).unwrap();
    while let Some(frame) = frames.next_frame().unwrap() {
        let (header, head) = (frame.header(), journal.reader().head());
        let (first, event, log_time) = (header.first_sequence, head.event + 1, header.log_time_us);
        let mut builder = FrameBuilder::open(LEDGER, header.epoch, first, event, log_time, head.hash);
        for (at, _, bytes) in frame.entries() {
            let mut entry = Entry::decode(bytes).unwrap();
            if at == sequence {
                change(&mut entry);
            }
            let mut bytes = Vec::new();
            entry.encode(&mut bytes);
            builder.push(&bytes, entry.event_count());
        }
        journal.submit(builder.seal());
        journal.poll().unwrap();
    }
    Arc::new(journal.reader())
}

#[test]
fn an_honest_history_is_green() {
    let (mut shop, _) = given_some_trade();
    let reader = shop.reader();
    let mut seen = Vec::new();
    let verified = verify(reader.as_ref(), &mut |progress| seen.push(progress.sequence)).unwrap();
    assert!(verified.is_green(), "{verified:?}");
    assert_eq!((verified.sequence, verified.epoch), (reader.head().sequence, 2));
    assert_eq!((verified.head_hash, verified.ledger_hash), (reader.head().hash, shop.ledger.hash()));
    assert_eq!((verified.entries, verified.commands), (verified.sequence, verified.sequence + 1));
    assert_eq!(verified.events, reader.head().event);
    assert_eq!(seen.last(), Some(&verified.sequence));
    let json = serde_json::to_value(&verified).unwrap();
    assert_eq!(json["head_hash"].as_str().unwrap().len(), 64);
    let run = |how: Verify| how.run(reader.as_ref(), &mut |_| {}).unwrap();
    assert_eq!(run(Verify { decide: true, two_threads: true }), verified);
    let folded = run(Verify { decide: false, two_threads: false });
    assert_eq!(folded, Verified { commands: 0, ..verified });
}

#[test]
fn a_rewritten_event_that_keeps_every_book_is_caught_by_deciding_again() {
    let (mut shop, receipt) = given_some_trade();
    let tampered = rewritten(&shop.reader(), receipt, |entry| {
        let Event::StockReceived(received) = &mut entry.commands[0].events[0] else { panic!("a receipt") };
        // One unit less at the same price: units and money agree with each other, only not with the command.
        received.quantity = Quantity::try_new(7).unwrap();
        let value = Amount::try_new(7000).unwrap();
        received.cost = CostParts::one(received.quantity, value, received.cost[0].received_at);
    });
    let difference = verify(tampered.as_ref(), &mut |_| {}).unwrap().first_difference.unwrap();
    assert_eq!((difference.sequence, difference.check), (receipt, Check::Decision));
    assert!(difference.command_id.is_some());
    let run = |how: Verify| how.run(tampered.as_ref(), &mut |_| {}).unwrap();
    assert_eq!(run(Verify { decide: true, two_threads: true }).first_difference.as_ref(), Some(&difference));
    assert!(run(Verify { decide: false, two_threads: true }).is_green(), "every book of it is kept");
    let what = difference.what;
    assert!(
        what.contains("stock.receive recorded") && what.contains("70.00") && what.contains("80.00"),
        "{what}"
    );
}

#[test]
fn an_event_that_breaks_a_book_is_caught_by_its_invariant() {
    let (mut shop, receipt) = given_some_trade();
    let tampered = rewritten(&shop.reader(), receipt, |entry| {
        let Event::StockReceived(received) = &mut entry.commands[0].events[0] else { panic!("a receipt") };
        received.quantity = Quantity::try_new(9).unwrap();
    });
    let difference = verify(tampered.as_ref(), &mut |_| {}).unwrap().first_difference.unwrap();
    assert_eq!((difference.sequence, difference.check), (receipt, Check::Invariants));
    assert!(difference.what.contains("TEA-01"), "{}", difference.what);
}

#[test]
fn money_that_leaves_its_subledger_is_caught_at_its_entry() {
    let mut shop = given_a_shop();
    let posted = shop.send(
        "finance.post_manual",
        json!({"reason": "bank_charge", "lines": [
            {"account": "5200", "debit": "4"}, {"account": "1000", "credit": "4"}]}),
    );
    let receive = json!({"sku": "TEA-01", "location": "AMS1", "quantity": 1, "unit_cost": "10"});
    shop.send("stock.receive", receive);
    let tampered = rewritten(&shop.reader(), posted, |entry| {
        let Event::FinancePostedManually(event) = &mut entry.commands[0].events[0] else {
            panic!("a posting")
        };
        event.lines[1].account = Account::Inventory;
    });
    let verified = Verify { decide: false, two_threads: false }.run(tampered.as_ref(), &mut |_| {}).unwrap();
    let difference = verified.first_difference.unwrap();
    assert_eq!((difference.sequence, difference.check), (posted, Check::TieOuts));
    assert!(difference.what.contains("account 1400"), "{}", difference.what);
    assert_eq!(verified.differences, 3, "after its entry, after the next, and at the end");
}

#[test]
fn events_that_vanished_and_events_that_nobody_decided_are_caught() {
    let (mut shop, receipt) = given_some_trade();
    let reader = shop.reader();
    let after = receipt + 1;
    let emptied = rewritten(&reader, after, |entry| entry.commands[0].events.clear());
    let difference = verify(emptied.as_ref(), &mut |_| {}).unwrap().first_difference.unwrap();
    assert_eq!((difference.sequence, difference.check), (after, Check::Decision));
    assert!(difference.what.contains("recorded nothing"), "{}", difference.what);
    let doubled = rewritten(&reader, after, |entry| {
        let event = entry.commands[0].events[0].clone();
        entry.commands[0].events.push(event);
    });
    let difference = verify(doubled.as_ref(), &mut |_| {}).unwrap().first_difference.unwrap();
    assert_eq!((difference.sequence, difference.check), (after, Check::Decision));
    assert!(difference.what.contains("decided now nothing"), "{}", difference.what);
}

/// The state that the shop is in, as its hash is recorded.
fn state_of(shop: &Shop) -> serde_json::Value {
    let state = RecordStateHash::of(shop.ledger.head().sequence, &shop.ledger.section_hashes());
    serde_json::to_value(state).unwrap()
}

#[test]
fn a_recorded_state_hash_is_met_again_and_one_of_another_state_names_its_entry_and_section() {
    let (mut shop, receipt) = given_some_trade();
    let body = state_of(&shop);
    let recording = shop.send("ledger.record_state_hash", body.clone());
    let receive = json!({"sku": "TEA-01", "location": "AMS1", "quantity": 1, "unit_cost": "10"});
    shop.send("stock.receive", receive);
    let verified = verify(shop.reader().as_ref(), &mut |_| {}).unwrap();
    assert!(verified.is_green() && verified.state_hashes == 1, "{verified:?}");

    let mut changed = |change: &dyn Fn(&mut RecordStateHash)| {
        let mut wrong: RecordStateHash = serde_json::from_value(body.clone()).unwrap();
        change(&mut wrong);
        let tampered = rewritten(&shop.reader(), recording, |entry| {
            let Event::LedgerStateHashRecorded(event) = &mut entry.commands[0].events[0] else {
                panic!("a state hash")
            };
            (event.root, event.sections) = (wrong.root, wrong.sections.clone());
        });
        let how = Verify { decide: false, two_threads: false };
        let first = how.run(tampered.as_ref(), &mut |_| {}).unwrap().first_difference.unwrap();
        assert_eq!((first.sequence, first.check), (recording - 1, Check::StateHash));
        first.what
    };
    let root = changed(&|wrong| wrong.root = Digest([7; 32]));
    assert!(root.starts_with("the state hash 0707"), "{root}");
    let section = changed(&|wrong| {
        wrong.root = Digest([7; 32]);
        wrong.sections[5].hash = Digest([8; 32]);
    });
    assert!(section.contains(&wrong_section(&body)) && section.contains("0808"), "{section}");

    // An honest record beside a rewritten past: the books of the past tie out, and its state is another.
    let tampered = rewritten(&shop.reader(), receipt, |entry| {
        let Event::StockReceived(received) = &mut entry.commands[0].events[0] else { panic!("a receipt") };
        received.quantity = Quantity::try_new(7).unwrap();
        received.cost =
            CostParts::one(received.quantity, Amount::try_new(7000).unwrap(), received.cost[0].received_at);
    });
    let how = Verify { decide: false, two_threads: false };
    let first = how.run(tampered.as_ref(), &mut |_| {}).unwrap().first_difference.unwrap();
    assert_eq!((first.sequence, first.check), (recording - 1, Check::StateHash));
    assert!(first.what.starts_with("section stock "), "{}", first.what);
}

fn wrong_section(body: &serde_json::Value) -> String {
    format!("section {} ", body["sections"][5]["section"].as_str().unwrap())
}

#[test]
fn the_log_has_a_row_for_every_command() {
    let (mut shop, receipt) = given_some_trade();
    let reader = shop.reader();
    let rows = |range| {
        let mut rows: Vec<LogRow> = Vec::new();
        log(reader.as_ref(), range, &mut |row| {
            rows.push(row);
            ControlFlow::Continue(())
        })
        .unwrap();
        rows
    };
    let all = rows(LogRange::default());
    let head = reader.head().sequence;
    assert_eq!(all.len() as u64, head + 1, "the last entry holds two commands");
    assert_eq!((all[0].sequence, all[0].command), (1, "ledger.create"));
    assert_eq!(rows(LogRange { from: Some(receipt), to: Some(receipt) })[0].events, ["stock.received"]);
    let some = rows(LogRange { from: Some(4), to: Some(6) });
    assert_eq!(some.iter().map(|row| row.sequence).collect::<Vec<_>>(), [4, 5, 6]);
    assert_eq!(rows(LogRange { from: Some(head), to: None }).len(), 2);
    assert_eq!(rows(LogRange { from: Some(7), to: Some(6) }).len(), 0);
    let mut first = None;
    log(reader.as_ref(), LogRange::default(), &mut |row| {
        assert!(first.replace(row).is_none(), "the reader broke off");
        ControlFlow::Break(())
    })
    .unwrap();
}

#[test]
fn a_rebuild_answers_the_same_and_has_the_same_digest() {
    let (mut shop, _) = given_some_trade();
    let live = shop.projections();
    let dir = tempfile::tempdir().unwrap();
    let store = Box::new(SledStore::open(&dir.path().join("projections")).unwrap());
    let (views, rebuilt) = rebuild(store, shop.reader(), &mut |_| {}).unwrap();
    assert_eq!(rebuilt.position, live.position());
    assert_eq!(rebuilt.digest, live.digest().unwrap());
    assert_eq!(views.ledger_hash(), live.ledger_hash());
    assert!(rebuilt.digest.views.iter().any(|view| view.view == "bin_card" && view.rows > 9));
}

#[test]
fn the_digest_tells_business_apart_and_nothing_else() {
    let trade = |interrupted: bool, quantity: u64| {
        let mut shop = given_a_shop();
        let at = "2026-01-01T00:00:00Z";
        let receive = json!({"sku": "TEA-01", "location": "AMS1", "quantity": quantity, "unit_cost": "10"});
        shop.send_effective(at, "stock.receive", receive);
        if interrupted {
            shop.days_later(2);
            shop.restart();
        }
        let lost = json!({"sku": "TEA-01", "location": "AMS1", "quantity": 1, "reason": "broken"});
        shop.send_effective(at, "stock.write_off", lost);
        shop.projections().digest().unwrap()
    };
    let view = |digest: &projections::Digest, name| {
        digest.views.iter().find(|view| view.view == name).unwrap().digest.clone()
    };
    let uninterrupted = trade(false, 3);
    let interrupted = trade(true, 3);
    for view in &interrupted.views {
        assert!(uninterrupted.views.contains(view), "{view:?}");
    }
    assert_eq!(interrupted.digest, uninterrupted.digest);
    let other = trade(false, 4);
    assert_ne!(other.digest, uninterrupted.digest);
    assert_ne!(view(&other, "valuation"), view(&uninterrupted, "valuation"));
}

#[test]
fn a_view_is_asked_as_of_a_sequence_without_a_service() {
    let (mut shop, receipt) = given_some_trade();
    let mut asked = query(json!({"sku": "TEA-01"}));
    asked.as_of = Some(sequence(receipt));
    let page = as_of(shop.reader(), "stock_position", asked, &mut |_| {}).unwrap();
    assert_eq!((page.position.sequence, &page.rows[0]["quantity"]), (receipt, &json!(8)));
    let rebuilt = rebuild(Box::new(MemoryStore::new()), shop.reader(), &mut |_| {}).unwrap().0;
    let now = rebuilt.query("stock_position", query(json!({"sku": "TEA-01"}))).unwrap();
    assert_eq!(now.rows[0]["quantity"], json!(3));
}
