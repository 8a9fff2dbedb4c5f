//! A ledger that is written down in slices while commands go on is read back as it was at the moment it was begun.

use ledger_core::ledger::{Copied, Copying, SECTIONS, state_root};
use ledger_core::state::Blocks;
use ledger_core::{Entry, Ledger, finance};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use crate::commands;
use crate::for_random_steps;
use crate::world::World;

/// A copy on its way: the blocks of each section so far.
struct Taken {
    copying: Copying,
    sections: Vec<Vec<Vec<u8>>>,
    is_complete: bool,
}

impl Taken {
    fn begun(ledger: &mut Ledger) -> Taken {
        Taken { copying: ledger.begin_copy(), sections: vec![Vec::new()], is_complete: false }
    }

    fn go_on(&mut self, ledger: &mut Ledger, enough: usize) {
        if self.is_complete {
            return;
        }
        let mut block = Vec::new();
        let copied = ledger.copy_some(&mut self.copying, &mut block, enough);
        self.sections.last_mut().unwrap().push(block);
        match copied {
            Copied::Part => {}
            Copied::Section => self.sections.push(Vec::new()),
            Copied::All => {
                self.is_complete = true;
                ledger.end_copy();
            }
        }
    }

    fn root(&self) -> [u8; 32] {
        let hashes: Vec<[u8; 32]> =
            self.sections.iter().map(|blocks| blake3::hash(&blocks.concat()).into()).collect();
        state_root(&hashes)
    }
}

fn read_back(sections: &[Vec<Vec<u8>>]) -> Result<Ledger, String> {
    let mut ledger = Ledger::new();
    for (section, blocks) in sections.iter().enumerate() {
        let mut blocks = blocks.iter();
        let mut next = |into: &mut Vec<u8>| {
            let block = blocks.next();
            into.extend(block.into_iter().flatten());
            Ok(block.is_some())
        };
        ledger.read_section(section, Blocks::new(&mut next)).map_err(|fault| fault.to_string())?;
    }
    Ok(ledger)
}

#[test]
fn what_is_copied_while_commands_go_on_is_the_ledger_as_it_was() {
    for_random_steps(|steps, world, _| {
        let (first, rest) = steps.split_at(steps.len() / 2);
        submit_all(first, world, &mut |_| {});
        let (before, known) = (world.ledger.clone(), world.log.len());
        let mut taken = Taken::begun(&mut world.ledger);
        submit_all(rest, world, &mut |world| taken.go_on(&mut world.ledger, 48));
        while !taken.is_complete {
            taken.go_on(&mut world.ledger, 256);
        }

        prop_assert_eq!(taken.sections.len(), SECTIONS.len());
        prop_assert_eq!(taken.root(), before.hash(), "the slices are not what the state hash is made of");
        let mut restored = read_back(&taken.sections).map_err(TestCaseError::fail)?;
        prop_assert_eq!(&restored, &before);
        finance::check(&restored).map_err(TestCaseError::fail)?;

        // The tail of the log on top is the ledger of the whole log.
        for (log_time, stored) in &world.log[known..] {
            let entry = Entry::decode(stored).map_err(|fault| TestCaseError::fail(fault.to_string()))?;
            restored.apply(&entry, *log_time).map_err(TestCaseError::fail)?;
        }
        prop_assert_eq!(&restored, &world.ledger);
        prop_assert_eq!(restored.hash(), world.ledger.hash());

        // And from there on both decide the same, row numbers included.
        for step in first {
            for (name, body) in commands::of(step, world) {
                let mut other = world.clone();
                other.ledger = restored;
                prop_assert_eq!(world.submit(&name, body.clone()), other.submit(&name, body));
                restored = other.ledger;
            }
        }
        prop_assert_eq!(&restored, &world.ledger);
        Ok(())
    });
}

fn submit_all(steps: &[commands::Step], world: &mut World, after_each: &mut dyn FnMut(&mut World)) {
    for step in steps {
        for (name, body) in commands::of(step, world) {
            let _accepted_or_refused = world.submit(&name, body);
            after_each(world);
        }
    }
}

#[test]
fn bytes_that_no_copy_wrote_are_an_error_and_never_a_panic() {
    for_random_steps(|steps, world, _| {
        submit_all(steps, world, &mut |_| {});
        let mut taken = Taken::begun(&mut world.ledger);
        while !taken.is_complete {
            taken.go_on(&mut world.ledger, 512);
        }
        let whole = world.ledger.hash();
        for section in 0..taken.sections.len() {
            for damage in 0..6usize {
                let mut sections = taken.sections.clone();
                let block = damage * 7 % sections[section].len();
                let bytes = &mut sections[section][block];
                match damage {
                    0 => bytes.truncate(bytes.len() / 2),
                    1 => bytes.push(0),
                    2 => bytes.clear(),
                    _ => {
                        let at = (steps.len() * 31 + damage * 1009) % bytes.len().max(1);
                        if let Some(byte) = bytes.get_mut(at) {
                            *byte ^= 1 << (damage % 8);
                        }
                    }
                }
                if sections == taken.sections {
                    continue;
                }
                if let Ok(read) = read_back(&sections) {
                    prop_assert_ne!(read.hash(), whole, "damaged bytes were read as if they were whole");
                }
            }
        }
        Ok(())
    });
}

#[test]
fn a_length_that_no_memory_has_is_refused_before_room_is_made_for_it() {
    for (section, name) in SECTIONS.iter().enumerate().skip(1) {
        // The largest length there is, then nothing.
        let claimed = vec![vec![0xFD, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]];
        let mut sections = vec![Vec::new(); section];
        sections.push(claimed);
        assert!(read_back(&sections).is_err(), "{name}");
    }
}
