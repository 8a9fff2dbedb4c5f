//! A set in order, with an undo log: what falls due first stands first.

use std::collections::BTreeSet;

use bincode::enc::Encoder;
use bincode::error::EncodeError;
use bincode::{Decode, Encode};

use super::ordered_copy::OrderedCopy;
use super::stored::malformed;
use super::{Blocks, Stored, Undo};
use crate::codec::CodecFault;

#[derive(Debug, Clone)]
enum Change<T> {
    Inserted(T),
    Removed(T),
}

/// An ordered set that can take back what one entry changed.
#[derive(Debug, Clone)]
pub struct Ordered<T> {
    set: BTreeSet<T>,
    changes: Vec<Change<T>>,
    recording: bool,
    /// What is kept for a copy that is being taken; none most of the time.
    copy: Option<Box<OrderedCopy<T>>>,
}

impl<T> Default for Ordered<T> {
    fn default() -> Self {
        Ordered { set: BTreeSet::new(), changes: Vec::new(), recording: false, copy: None }
    }
}

impl<T: Ord + Clone> Ordered<T> {
    /// Adds a value; nothing happens if it is there.
    pub fn insert(&mut self, value: T) {
        if self.put(value.clone()) && self.recording {
            self.changes.push(Change::Inserted(value));
        }
    }

    /// Takes a value away; nothing happens if it is not there.
    pub fn remove(&mut self, value: &T) {
        if self.take(value) && self.recording {
            self.changes.push(Change::Removed(value.clone()));
        }
    }

    fn put(&mut self, value: T) -> bool {
        if self.set.contains(&value) {
            return false;
        }
        if let Some(copy) = &mut self.copy {
            copy.came(&value);
        }
        self.set.insert(value)
    }

    fn take(&mut self, value: &T) -> bool {
        let was_there = self.set.remove(value);
        if let Some(copy) = self.copy.as_mut().filter(|_| was_there) {
            copy.went(value);
        }
        was_there
    }

    /// The first value.
    pub fn first(&self) -> Option<&T> {
        self.set.first()
    }

    /// The first value that is not before this one.
    pub fn first_from(&self, value: &T) -> Option<&T> {
        self.set.range(value..).next()
    }

    /// Every value in order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.set.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.set.len()
    }

    /// True without any.
    pub fn is_empty(&self) -> bool {
        self.set.is_empty()
    }
}

impl<T: Ord + Clone> Undo for Ordered<T> {
    fn record(&mut self, recording: bool) {
        self.recording = recording;
        self.changes.clear();
    }

    fn commit(&mut self) {
        if !self.changes.is_empty() {
            self.changes.clear();
        }
    }

    fn roll_back(&mut self) {
        while let Some(change) = self.changes.pop() {
            match change {
                Change::Inserted(value) => _ = self.take(&value),
                Change::Removed(value) => _ = self.put(value),
            }
        }
    }
}

impl<T: PartialEq> PartialEq for Ordered<T> {
    fn eq(&self, other: &Self) -> bool {
        self.set == other.set
    }
}

impl<T: Encode + 'static> Encode for Ordered<T> {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        (self.set.len() as u64).encode(encoder)?;
        self.set.iter().try_for_each(|value| value.encode(encoder))
    }
}

impl<T: Ord + Clone + Encode + Decode<()> + 'static> Stored for Ordered<T> {
    fn begin_copy(&mut self) {
        self.copy = Some(Box::new(OrderedCopy::of(self.set.len())));
    }

    fn copy_some(&mut self, out: &mut Vec<u8>, enough: usize) -> bool {
        let Some(copy) = &mut self.copy else { return true };
        let is_done = copy.write(&self.set, out, enough);
        if is_done {
            self.copy = None;
        }
        is_done
    }

    fn end_copy(&mut self) {
        self.copy = None;
    }

    fn restore(&mut self, blocks: &mut Blocks<'_>) -> Result<(), CodecFault> {
        let len: u64 = blocks.take("the length of an ordered set")?;
        let mut set = BTreeSet::new();
        for _ in 0..len {
            let value: T = blocks.take("a value of an ordered set")?;
            if set.last().is_some_and(|last| *last >= value) {
                return Err(malformed("an ordered set", "a value is not after the one before it"));
            }
            set.insert(value);
        }
        *self = Ordered { set, ..Ordered::default() };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn after_a_roll_back_the_set_is_what_it_was(
            before in proptest::collection::vec((0u8..20, any::<bool>()), 0..40),
            undone in proptest::collection::vec((0u8..20, any::<bool>()), 0..40),
        ) {
            let act = |set: &mut Ordered<u8>, steps: &[(u8, bool)]| {
                for (value, there) in steps {
                    if *there { set.insert(*value) } else { set.remove(value) }
                }
            };
            let mut set = Ordered::default();
            set.record(true);
            act(&mut set, &before);
            set.commit();
            let kept = set.clone();
            set.record(true);
            act(&mut set, &undone);
            set.roll_back();
            prop_assert_eq!(&set, &kept);
        }

        #[test]
        fn what_is_copied_while_values_come_and_go_is_the_set_as_it_was(
            before in proptest::collection::vec(0u8..40, 0..40),
            steps in proptest::collection::vec((0u8..40, any::<bool>(), any::<bool>(), 0usize..4), 0..80),
        ) {
            let mut set = Ordered::default();
            before.into_iter().for_each(|value| set.insert(value));
            let as_it_was = crate::codec::hash_of(&set);
            set.begin_copy();
            let (mut copied, mut is_done) = (Vec::new(), false);
            for (value, there, stands, enough) in steps {
                set.record(true);
                if there { set.insert(value) } else { set.remove(&value) }
                if stands { set.commit() } else { set.roll_back() }
                let mut slice = Vec::new();
                is_done = is_done || set.copy_some(&mut slice, enough);
                copied.append(&mut slice);
            }
            while !is_done {
                is_done = set.copy_some(&mut copied, usize::MAX);
            }
            prop_assert_eq!(<[u8; 32]>::from(blake3::hash(&copied)), as_it_was);
        }
    }
}
