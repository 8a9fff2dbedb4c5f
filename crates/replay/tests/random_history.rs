//! Random histories: verify is green, views rebuilt or folded live answer the same, and as of any sequence they answer
//! what they would have answered then.

#![allow(clippy::unwrap_used, reason = "in a test, what cannot be had is a failure")]
#![allow(dead_code, reason = "the generator of commands is the one that the ledger's own properties use")]

#[path = "../../ledger-core/tests/properties/after_sale.rs"]
mod after_sale;
#[path = "../../ledger-core/tests/properties/commands.rs"]
mod commands;
#[path = "../../projections/tests/shop/mod.rs"]
mod shop;
#[path = "../../ledger-core/tests/properties/world.rs"]
mod world;

use std::sync::Arc;

use journal::{FrameBuilder, Journal, JournalRead, MemoryJournal, MemoryReader, SimDisk};
use ledger_core::Entry;
use ledger_core::values::Timestamp;
use projections::{AsOf, MemoryStore, Opening, Projections, Query, VIEWS};
use proptest::prelude::*;
use replay::verify;
use serde_json::{Value, json};

use commands::steps;
use shop::{LEDGER, all, query};
use snapshots::{SnapshotSource, Snapshots};
use world::World;

fn history(steps: &[commands::Step]) -> World {
    let mut world = World::new();
    for step in steps {
        for (name, body) in commands::of(step, &mut world) {
            // A refusal is a good answer too; it leaves no entry.
            let _ = world.submit(&name, body);
        }
    }
    world
}

/// The entries in frames: those of one time share one.
fn journal_of(log: &[(Timestamp, Vec<u8>)]) -> Arc<MemoryReader> {
    let mut journal = MemoryJournal::new(LEDGER);
    for entries in log.chunk_by(|one, next| one.0 == next.0) {
        let head = journal.reader().head();
        let log_time = entries[0].0.micros();
        let mut frame = FrameBuilder::open(LEDGER, 1, head.sequence + 1, head.event + 1, log_time, head.hash);
        for (_, bytes) in entries {
            frame.push(bytes, Entry::decode(bytes).unwrap().event_count());
        }
        journal.submit(frame.seal());
        journal.poll().unwrap();
    }
    Arc::new(journal.reader())
}

/// Folds the journal, and at a frame begins a snapshot that is taken while the rest is folded; then opens from it.
fn from_a_snapshot(reader: &Arc<MemoryReader>, at: usize) -> Projections {
    let snapshots = Snapshots::on(SimDisk::new(), "snapshots");
    let live = Projections::open(Box::new(MemoryStore::new()), journal_of(&[])).unwrap();
    let mut frames = reader.frames_from(1).unwrap();
    let (mut place, mut taking) = (0, None);
    while let Some(frame) = frames.next_frame().unwrap() {
        live.fold(&frame).unwrap();
        if place == at {
            taking = live.begin_snapshot(&snapshots);
        }
        if taking.as_mut().is_some_and(|taking| taking.step().unwrap().is_some()) {
            taking = None;
        }
        place += 1;
    }
    while taking.as_mut().is_some_and(|taking| taking.step().unwrap().is_none()) {}
    let snapshots: Option<Arc<dyn SnapshotSource>> = Some(Arc::new(snapshots));
    let (store, journal) = (Box::new(MemoryStore::new()), reader.clone());
    let again =
        Projections::open_from(Opening { store, journal, snapshots, progress: &mut |_, _| {} }).unwrap();
    assert_eq!(again.last_snapshot().is_some(), at < place, "it began with the snapshot");
    again
}

/// Every row of every view that takes no filter, and of the chief item's card.
fn answers(projections: &Projections, as_of: Option<AsOf>) -> Vec<(&'static str, Vec<Value>)> {
    let views = VIEWS.iter().filter(|view| !["health", "order"].contains(&view.name));
    let ask = |name| {
        let filter = if name == "bin_card" { json!({"sku": "FIFO-1"}) } else { json!({}) };
        all(projections, name, Query { as_of, limit: Some(7), ..query(filter) })
    };
    views.map(|view| (view.name, ask(view.name))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn a_random_history_verifies_and_answers_the_same_however_it_is_folded(
        steps in steps(60),
        checkpoints in proptest::collection::vec(0usize..60, 0..6),
        then in 0.0f64..1.0,
    ) {
        let world = history(&steps);
        let reader = journal_of(&world.log);
        let verified = verify(reader.as_ref(), &mut |_| {}).unwrap();
        prop_assert!(verified.is_green(), "{:?}", verified.first_difference);
        prop_assert_eq!(verified.ledger_hash, world.ledger.hash());

        // Live, with checkpoints and a restart after each, against a rebuild.
        let store = MemoryStore::new();
        let mut live = Projections::open(Box::new(store.clone()), journal_of(&[])).unwrap();
        let mut frames = reader.frames_from(1).unwrap();
        let mut place = 0;
        while let Some(frame) = frames.next_frame().unwrap() {
            live.fold(&frame).unwrap();
            if checkpoints.contains(&place) {
                live.checkpoint().unwrap();
                let upto = usize::try_from(frame.last_sequence()).unwrap();
                live = Projections::open(Box::new(store.clone()), journal_of(&world.log[..upto])).unwrap();
            }
            place += 1;
        }
        let rebuilt = Projections::open(Box::new(MemoryStore::new()), reader.clone()).unwrap();
        let live = Projections::open(Box::new(store), reader).map(|again| (live.ledger_hash(), again)).unwrap();
        prop_assert_eq!(live.0, rebuilt.ledger_hash());
        prop_assert_eq!(answers(&live.1, None), answers(&rebuilt, None));
        prop_assert_eq!(live.1.digest().unwrap(), rebuilt.digest().unwrap());

        // From a snapshot that was taken anywhere, and the tail.
        let frames = world.log.chunk_by(|one, next| one.0 == next.0).count();
        let again = from_a_snapshot(&journal_of(&world.log), (then * frames as f64) as usize);
        prop_assert_eq!(again.ledger_hash(), rebuilt.ledger_hash());
        prop_assert_eq!(answers(&again, None), answers(&rebuilt, None));
        prop_assert_eq!(again.digest().unwrap(), rebuilt.digest().unwrap());

        // As of a sequence, against the journal as it then was.
        let sequence = 1 + (then * (world.log.len() - 1) as f64) as usize;
        let as_it_was = Projections::open(Box::new(MemoryStore::new()), journal_of(&world.log[..sequence])).unwrap();
        let as_of = AsOf { sequence: Some(sequence as u64), ..AsOf::default() };
        prop_assert_eq!(answers(&rebuilt, Some(as_of)), answers(&as_it_was, None));

        // As of an effective time that is over, stock is what it is.
        let now = AsOf { effective_at: Some(world.now()), ..AsOf::default() };
        let stock = |as_of| all(&rebuilt, "stock_position", Query { as_of, ..query(json!({})) });
        prop_assert_eq!(stock(Some(now)), stock(None));

        let balance = all(&rebuilt, "trial_balance", query(json!({})));
        for row in balance.iter().filter(|row| row["row"] == "tie_out") {
            prop_assert_eq!(&row["difference"], &json!("0.00"), "{}", row);
        }
    }
}
