//! Rows in one vector under dense numbers, with the before-images of the entry that is being built.

use bincode::enc::Encoder;
use bincode::error::EncodeError;
use bincode::{Decode, Encode};

use super::Undo;

/// The dense number of a row: private to the ledger, never in an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Row(u32);

impl Row {
    fn at(index: usize) -> Self {
        Row(u32::try_from(index).expect("a ledger in memory has fewer than 2^32 rows of a kind"))
    }

    fn index(self) -> usize {
        self.0 as usize
    }

    /// The number, to build a compound key of.
    pub const fn number(self) -> u32 {
        self.0
    }
}

#[derive(Debug, Clone)]
struct Slot<V> {
    value: Option<V>,
    /// The entry in which the before-image was saved: one image an entry is enough.
    saved_in: u32,
}

#[derive(Debug, Clone)]
enum Change<V> {
    Appended,
    Reused(Row),
    Edited(Row, V),
    Removed(Row, V),
}

/// Rows with an undo log. Rows of a removed value are used again, last freed first.
#[derive(Debug, Clone)]
pub struct Slab<V> {
    slots: Vec<Slot<V>>,
    free: Vec<Row>,
    changes: Vec<Change<V>>,
    recording: bool,
    entry: u32,
}

impl<V> Default for Slab<V> {
    fn default() -> Self {
        Slab { slots: Vec::new(), free: Vec::new(), changes: Vec::new(), recording: false, entry: 0 }
    }
}

impl<V: Clone> Slab<V> {
    /// The row's value; a row number that was handed out and not removed always has one.
    pub fn get(&self, row: Row) -> &V {
        self.slots[row.index()].value.as_ref().expect("a row number is only kept while its row is there")
    }

    /// The row to change; what it was is kept until the entry is committed.
    pub fn edit(&mut self, row: Row) -> &mut V {
        let slot = &mut self.slots[row.index()];
        let value = slot.value.as_mut().expect("a row number is only kept while its row is there");
        if self.recording && slot.saved_in != self.entry {
            slot.saved_in = self.entry;
            self.changes.push(Change::Edited(row, value.clone()));
        }
        value
    }

    /// Adds a row.
    pub fn insert(&mut self, value: V) -> Row {
        // A row made in this entry needs no before-image: rolling back removes it.
        let slot = Slot { value: Some(value), saved_in: self.entry };
        let (row, change) = match self.free.pop() {
            Some(row) => {
                self.slots[row.index()] = slot;
                (row, Change::Reused(row))
            }
            None => {
                self.slots.push(slot);
                (Row::at(self.slots.len() - 1), Change::Appended)
            }
        };
        if self.recording {
            self.changes.push(change);
        }
        row
    }

    /// Takes a row away and gives its value back.
    pub fn remove(&mut self, row: Row) -> V {
        let value =
            self.slots[row.index()].value.take().expect("a row number is only kept while its row is there");
        self.free.push(row);
        if self.recording {
            self.changes.push(Change::Removed(row, value.clone()));
        }
        value
    }

    /// Every row in the order of its number.
    pub fn iter(&self) -> impl Iterator<Item = (Row, &V)> {
        self.slots
            .iter()
            .enumerate()
            .filter_map(|(at, slot)| slot.value.as_ref().map(|value| (Row::at(at), value)))
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// True without any row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<V: Clone> Undo for Slab<V> {
    fn begin(&mut self) {
        self.recording = true;
        self.entry = self.entry.wrapping_add(1);
    }

    fn commit(&mut self) {
        self.recording = false;
        self.changes.clear();
    }

    fn roll_back(&mut self) {
        self.recording = false;
        while let Some(change) = self.changes.pop() {
            match change {
                Change::Appended => {
                    self.slots.pop();
                }
                Change::Reused(row) => {
                    self.slots[row.index()].value = None;
                    self.free.push(row);
                }
                Change::Edited(row, value) => self.slots[row.index()].value = Some(value),
                Change::Removed(row, value) => {
                    let freed = self.free.pop();
                    debug_assert_eq!(freed, Some(row), "changes are undone in reverse");
                    self.slots[row.index()].value = Some(value);
                }
            }
        }
    }
}

impl<V: PartialEq> PartialEq for Slab<V> {
    fn eq(&self, other: &Self) -> bool {
        self.free == other.free
            && self.slots.len() == other.slots.len()
            && self.slots.iter().zip(&other.slots).all(|(a, b)| a.value == b.value)
    }
}

impl<V: Encode + 'static> Encode for Slab<V> {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        (self.slots.len() as u64).encode(encoder)?;
        for slot in &self.slots {
            slot.value.encode(encoder)?;
        }
        self.free.encode(encoder)
    }
}
