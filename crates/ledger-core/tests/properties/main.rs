//! What holds whatever is asked of the ledger: random command sequences over a small world, checked after each command.

#![allow(clippy::unwrap_used, reason = "in a test, what cannot be had is a failure")]

mod after_sale;
mod commands;
mod copies;
mod costs;
mod model;
mod money;
mod world;

use std::cell::RefCell;
use std::collections::BTreeMap;

use ledger_core::{Command, Entry, Event, Fact, Ledger, Rejection, finance, orders};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use commands::{Step, steps};
use costs::Costs;
use model::Model;
use world::World;

const CASES: u32 = 256;
const COMMANDS_MAX: usize = 90;

/// How often each command was accepted and refused over all cases.
#[derive(Default)]
struct Tally {
    accepted: BTreeMap<String, u32>,
    refused: BTreeMap<String, u32>,
    codes: BTreeMap<&'static str, u32>,
}

impl Tally {
    fn count(&mut self, name: &str, outcome: &Result<Vec<Event>, Rejection>) {
        let counts = match outcome {
            Ok(_) => &mut self.accepted,
            Err(refused) => {
                *self.codes.entry(refused.code()).or_default() += 1;
                &mut self.refused
            }
        };
        *counts.entry(name.to_owned()).or_default() += 1;
    }

    /// What falls due is not public, and happens all the same.
    fn due_kinds() -> impl Iterator<Item = &'static str> {
        ["stock.expire_reservation", "returns.expire", "orders.expire_hold", "orders.archive"].into_iter()
    }

    /// A run in which hardly anything happens proves nothing.
    fn must_not_be_vacuous(&self) {
        let sum = |counts: &BTreeMap<String, u32>| f64::from(counts.values().sum::<u32>());
        let (accepted, refused) = (sum(&self.accepted), sum(&self.refused));
        let ratio = accepted / (accepted + refused);
        println!("{accepted} accepted, {refused} refused: {ratio:.2}");
        println!("accepted {:#?}\nrefused {:#?}\nfor {:#?}", self.accepted, self.refused, self.codes);
        assert!(ratio > 0.5, "only {ratio:.2} of the commands were accepted");
        assert!(self.refused.len() > 10, "hardly any kind of command was ever refused");
        let public = Command::KINDS.iter().filter(|kind| kind.public).map(|kind| kind.name);
        for name in public.chain(Tally::due_kinds()) {
            let times = self.accepted.get(name).copied().unwrap_or_default();
            assert!(times >= CASES / 32, "{name} was accepted only {times} times");
        }
    }
}

/// Runs random sequences, each on a fresh world.
fn for_random_steps(
    each: impl Fn(&[Step], &mut World, &RefCell<Tally>) -> Result<(), TestCaseError>,
) -> Tally {
    let tally = RefCell::new(Tally::default());
    let config = Config { cases: CASES, max_shrink_iters: 2_000, ..Config::with_source_file(file!()) };
    let outcome =
        TestRunner::new(config).run(&steps(COMMANDS_MAX), |steps| each(&steps, &mut World::new(), &tally));
    if let Err(broken) = outcome {
        panic!("{broken}");
    }
    tally.into_inner()
}

#[test]
fn every_book_holds_after_every_command() {
    let tally = for_random_steps(|steps, world, tally| {
        let (mut model, mut costs) = (Model::default(), Costs::default());
        for event in world.history() {
            model.read(&event).map_err(TestCaseError::fail)?;
            costs.read(&event, &world.ledger).map_err(TestCaseError::fail)?;
        }
        for step in steps {
            for (name, body) in commands::of(step, world) {
                let is_due = commands::due(world).contains(&(name.as_str(), body.clone()));
                let outcome = world.submit(&name, body);
                tally.borrow_mut().count(&name, &outcome);
                if let Err(refused) = &outcome {
                    prop_assert!(!is_due, "{} fell due and was refused: {}", name, refused);
                    prop_assert_ne!(refused.code(), "books_would_break", "{} {}", name, refused);
                }
                for event in outcome.unwrap_or_default() {
                    balances(&event)?;
                    model.read(&event).map_err(TestCaseError::fail)?;
                    costs.read(&event, &world.ledger).map_err(TestCaseError::fail)?;
                }
                finance::check(&world.ledger).map_err(TestCaseError::fail)?;
                model.agrees_with(&world.ledger).map_err(TestCaseError::fail)?;
                costs.agrees_with(&world.ledger).map_err(TestCaseError::fail)?;
            }
        }
        Ok(())
    });
    tally.must_not_be_vacuous();
}

fn balances(event: &Event) -> Result<(), TestCaseError> {
    let mut minor_units: i128 = 0;
    event.postings(&mut |posting| minor_units += i128::from(posting.amount.minor_units()));
    prop_assert_eq!(minor_units, 0, "{} does not balance", event.name());
    Ok(())
}

#[test]
fn a_refusal_and_a_dry_run_leave_no_trace_and_a_decision_is_always_the_same() {
    for_random_steps(|steps, world, _| {
        for (step, number) in steps.iter().zip(0..) {
            for (name, body) in commands::of(step, world) {
                // The hash takes longer than all else: it stands beside the comparison now and then.
                let hash = |ledger: &Ledger| (number % 8 == 0).then(|| ledger.hash());
                let (before, hash_before) = (world.ledger.clone(), hash(&world.ledger));
                let first = world.dry_run(&name, &body);
                prop_assert_eq!(&world.ledger, &before, "a dry run of {} left a trace", name);
                prop_assert_eq!(hash(&world.ledger), hash_before, "a dry run of {} left a trace", name);
                let second = world.submit(&name, body);
                prop_assert_eq!(&first, &second, "{} was decided in two ways", name);
                if second.is_err() {
                    prop_assert_eq!(&world.ledger, &before, "the refusal of {} left a trace", name);
                    prop_assert_eq!(hash(&world.ledger), hash_before, "the refusal of {} left a trace", name);
                }
            }
        }
        Ok(())
    });
}

#[test]
fn the_stored_log_folds_to_the_ledger_that_decided_it() {
    for_random_steps(|steps, world, _| {
        for step in steps {
            for (name, body) in commands::of(step, world) {
                let _accepted_or_refused = world.submit(&name, body);
            }
        }
        let mut replayed = Ledger::new();
        for (log_time, stored) in &world.log {
            let entry = Entry::decode(stored).map_err(|fault| TestCaseError::fail(fault.to_string()))?;
            replayed.apply(&entry, *log_time).map_err(TestCaseError::fail)?;
        }
        prop_assert_eq!(&replayed, &world.ledger);
        prop_assert_eq!(replayed.hash(), world.ledger.hash());
        Ok(())
    });
}

/// What was archived earlier in the same batch left with another entry than one by one.
fn of_any_entry(refused: Rejection) -> Rejection {
    match refused {
        Rejection::Orders(orders::Refusal::OrderArchived { order, .. }) => {
            orders::Refusal::OrderArchived { order, sequence: 0 }.into()
        }
        other => other,
    }
}

#[test]
fn a_batch_does_what_its_commands_do_one_by_one_or_nothing() {
    let batches = RefCell::new([0u32; 2]);
    for_random_steps(|steps, world, _| {
        for step in steps.chunks(4) {
            let batch: Vec<_> = step.iter().flat_map(|step| commands::of(step, world)).collect();
            if batch.is_empty() {
                continue;
            }
            let (before, hash) = (world.ledger.clone(), world.ledger.hash());
            let mut alone = world.clone();
            let one_by_one: Result<Vec<_>, _> =
                batch.iter().map(|(name, body)| alone.submit(name, body.clone())).collect();
            let together = world.submit_batch(&batch);
            batches.borrow_mut()[usize::from(together.is_ok())] += 1;
            match together {
                Ok(events) => prop_assert_eq!(Ok(events), one_by_one.map(|events| events.concat())),
                Err(refused) => {
                    prop_assert_eq!(Err(of_any_entry(refused)), one_by_one.map(|_| ()).map_err(of_any_entry));
                    prop_assert_eq!(&world.ledger, &before, "a refused batch left a trace");
                    prop_assert_eq!(world.ledger.hash(), hash);
                }
            }
            finance::check(&world.ledger).map_err(TestCaseError::fail)?;
        }
        Ok(())
    });
    let [refused, accepted] = batches.into_inner();
    assert!(accepted > 2 * CASES && refused > CASES, "{accepted} batches accepted, {refused} refused");
}
