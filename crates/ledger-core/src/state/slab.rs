//! Rows in vectors under dense numbers, with the before-images of the entry that is being built.
//!
//! Rows stand in chunks of 1,024, so that a slab that grows never moves the rows it has: no pause, and no moment at
//! which it is in memory twice.

use std::num::NonZeroU32;

use bincode::de::Decoder;
use bincode::enc::Encoder;
use bincode::error::{DecodeError, EncodeError};
use bincode::{Decode, Encode};

use super::slab_copy::SlabCopy;
use super::stored::malformed;
use super::{Blocks, Stored, Undo};
use crate::codec::CodecFault;

const CHUNK_BITS: usize = 10;
const CHUNK_LEN: usize = 1 << CHUNK_BITS;

/// The dense number of a row: private to the ledger, never in an event.
///
/// Kept as one more, so that an optional row takes no more room than a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Row(NonZeroU32);

impl Row {
    fn at(index: usize) -> Self {
        let number = u32::try_from(index).expect("a ledger in memory has fewer than 2^32 rows of a kind");
        Row::numbered(number).expect("a ledger in memory has fewer than 2^32 rows of a kind")
    }

    pub(super) fn numbered(number: u32) -> Option<Self> {
        NonZeroU32::new(number.wrapping_add(1)).map(Row)
    }

    pub(super) const fn index(self) -> usize {
        self.number() as usize
    }

    /// The number, to build a compound key of.
    pub const fn number(self) -> u32 {
        self.0.get() - 1
    }
}

impl Encode for Row {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        self.number().encode(encoder)
    }
}

impl<C> Decode<C> for Row {
    fn decode<D: Decoder<Context = C>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let number = u32::decode(decoder)?;
        Row::numbered(number)
            .ok_or_else(|| DecodeError::OtherString("a row number is under 2^32 - 1".to_owned()))
    }
}
bincode::impl_borrow_decode!(Row);

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
    /// Every chunk but the last is full.
    chunks: Vec<Vec<Slot<V>>>,
    free: Vec<Row>,
    changes: Vec<Change<V>>,
    recording: bool,
    entry: u32,
    /// What is kept for a copy that is being taken; none most of the time.
    copy: Option<Box<SlabCopy<V>>>,
}

impl<V> Default for Slab<V> {
    fn default() -> Self {
        Slab {
            chunks: Vec::new(),
            free: Vec::new(),
            changes: Vec::new(),
            recording: false,
            entry: 0,
            copy: None,
        }
    }
}

impl<V> Slab<V> {
    fn slots(&self) -> impl Iterator<Item = &Slot<V>> {
        self.chunks.iter().flatten()
    }

    fn slots_len(&self) -> usize {
        self.chunks.last().map_or(0, |last| (self.chunks.len() - 1) * CHUNK_LEN + last.len())
    }

    fn slot(&self, row: Row) -> &Slot<V> {
        &self.chunks[row.index() >> CHUNK_BITS][row.index() & (CHUNK_LEN - 1)]
    }

    fn slot_mut(&mut self, row: Row) -> &mut Slot<V> {
        &mut self.chunks[row.index() >> CHUNK_BITS][row.index() & (CHUNK_LEN - 1)]
    }

    fn append(&mut self, slot: Slot<V>) -> Row {
        let row = Row::at(self.slots_len());
        match self.chunks.last_mut() {
            Some(last) if last.len() < CHUNK_LEN => last.push(slot),
            // The first chunk grows as it needs: many a slab never holds more than a few rows.
            None => self.chunks.push(vec![slot]),
            Some(_) => {
                let mut chunk = Vec::with_capacity(CHUNK_LEN);
                chunk.push(slot);
                self.chunks.push(chunk);
            }
        }
        row
    }

    fn take_back_append(&mut self) {
        let last = self.chunks.last_mut().expect("what was appended is there");
        last.pop();
        if last.is_empty() {
            self.chunks.pop();
        }
    }
}

impl<V: Clone> Slab<V> {
    /// The row's value; a row number that was handed out and not removed always has one.
    pub fn get(&self, row: Row) -> &V {
        self.slot(row).value.as_ref().expect("a row number is only kept while its row is there")
    }

    /// The value of a row that may be gone.
    pub fn try_get(&self, row: Row) -> Option<&V> {
        self.chunks.get(row.index() >> CHUNK_BITS)?.get(row.index() & (CHUNK_LEN - 1))?.value.as_ref()
    }

    /// The row to change; what it was is kept until the entry is committed.
    pub fn edit(&mut self, row: Row) -> &mut V {
        let (recording, entry) = (self.recording, self.entry);
        let slot = &mut self.chunks[row.index() >> CHUNK_BITS][row.index() & (CHUNK_LEN - 1)];
        if let Some(copy) = &mut self.copy {
            copy.keep(row.index(), &slot.value);
        }
        let value = slot.value.as_mut().expect("a row number is only kept while its row is there");
        if recording && slot.saved_in != entry {
            slot.saved_in = entry;
            self.changes.push(Change::Edited(row, value.clone()));
        }
        value
    }

    /// The row, to be kept in another form that says the same: so nothing is kept of how it was.
    pub(super) fn rearrange(&mut self, row: Row) -> Option<&mut V> {
        let chunk = self.chunks.get_mut(row.index() >> CHUNK_BITS)?;
        chunk.get_mut(row.index() & (CHUNK_LEN - 1))?.value.as_mut()
    }

    /// Adds a row.
    pub fn insert(&mut self, value: V) -> Row {
        // A row made in this entry needs no before-image: rolling back removes it.
        let slot = Slot { value: Some(value), saved_in: self.entry };
        let (row, change) = match self.free.pop() {
            Some(row) => {
                if let Some(copy) = &mut self.copy {
                    copy.keep(
                        row.index(),
                        &self.chunks[row.index() >> CHUNK_BITS][row.index() & (CHUNK_LEN - 1)].value,
                    );
                    copy.keep_free(row, self.free.len());
                }
                *self.slot_mut(row) = slot;
                (row, Change::Reused(row))
            }
            None => (self.append(slot), Change::Appended),
        };
        if self.recording {
            self.changes.push(change);
        }
        row
    }

    /// Takes a row away and gives its value back.
    pub fn remove(&mut self, row: Row) -> V {
        if let Some(copy) = &mut self.copy {
            copy.keep(
                row.index(),
                &self.chunks[row.index() >> CHUNK_BITS][row.index() & (CHUNK_LEN - 1)].value,
            );
        }
        let value =
            self.slot_mut(row).value.take().expect("a row number is only kept while its row is there");
        self.free.push(row);
        if self.recording {
            self.changes.push(Change::Removed(row, value.clone()));
        }
        value
    }

    /// Every row in the order of its number.
    pub fn iter(&self) -> impl Iterator<Item = (Row, &V)> {
        self.slots()
            .enumerate()
            .filter_map(|(at, slot)| slot.value.as_ref().map(|value| (Row::at(at), value)))
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.slots_len() - self.free.len()
    }

    /// True without any row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<V: Clone> Undo for Slab<V> {
    fn record(&mut self, recording: bool) {
        self.recording = recording;
        self.changes.clear();
        // What was added meanwhile has no before-image.
        self.entry = self.entry.wrapping_add(1);
    }

    fn commit(&mut self) {
        if !self.changes.is_empty() {
            self.changes.clear();
            self.entry = self.entry.wrapping_add(1);
        }
    }

    fn roll_back(&mut self) {
        if !self.changes.is_empty() {
            self.entry = self.entry.wrapping_add(1);
        }
        while let Some(change) = self.changes.pop() {
            match change {
                Change::Appended => self.take_back_append(),
                Change::Reused(row) => {
                    self.slot_mut(row).value = None;
                    self.free.push(row);
                }
                Change::Edited(row, value) => self.slot_mut(row).value = Some(value),
                Change::Removed(row, value) => {
                    let freed = self.free.pop();
                    debug_assert_eq!(freed, Some(row), "changes are undone in reverse");
                    self.slot_mut(row).value = Some(value);
                }
            }
        }
    }
}

impl<V: PartialEq> PartialEq for Slab<V> {
    fn eq(&self, other: &Self) -> bool {
        self.free == other.free
            && self.slots_len() == other.slots_len()
            && self.slots().zip(other.slots()).all(|(a, b)| a.value == b.value)
    }
}

impl<V: Encode + 'static> Encode for Slab<V> {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        (self.slots_len() as u64).encode(encoder)?;
        for slot in self.slots() {
            slot.value.encode(encoder)?;
        }
        self.free.encode(encoder)
    }
}

impl<V: Clone + Encode + Decode<()> + 'static> Stored for Slab<V> {
    fn begin_copy(&mut self) {
        self.copy = Some(Box::new(SlabCopy::of(self.slots_len(), self.free.len())));
    }

    fn copy_some(&mut self, out: &mut Vec<u8>, enough: usize) -> bool {
        let Slab { chunks, free, copy, .. } = self;
        let slot = |at: usize| &chunks[at >> CHUNK_BITS][at & (CHUNK_LEN - 1)].value;
        copy.as_mut().is_none_or(|copy| copy.write(slot, free, out, enough))
    }

    fn end_copy(&mut self) {
        self.copy = None;
    }

    fn restore(&mut self, blocks: &mut Blocks<'_>) -> Result<(), CodecFault> {
        const WHAT: &str = "a table";
        let count: u64 = blocks.take(WHAT)?;
        if count >= u64::from(u32::MAX) {
            return Err(malformed(WHAT, "it has more rows than a table can"));
        }
        let (mut read, mut empty) = (Slab::default(), 0);
        for _ in 0..count {
            let value = blocks.take::<Option<V>>(WHAT)?;
            empty += u64::from(value.is_none());
            read.append(Slot { value, saved_in: 0 });
        }
        let count: u64 = blocks.take(WHAT)?;
        if count != empty {
            return Err(malformed(WHAT, "its free rows are not those without a value"));
        }
        let mut seen = vec![false; read.slots_len()];
        for _ in 0..count {
            let row: Row = blocks.take(WHAT)?;
            let is_free = row.index() < seen.len() && read.slot(row).value.is_none();
            if !is_free || std::mem::replace(&mut seen[row.index()], true) {
                return Err(malformed(WHAT, format!("row {} is not free, or free twice", row.number())));
            }
            read.free.push(row);
        }
        *self = read;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_every_chunk_are_found_and_taken_back() {
        let rows = CHUNK_LEN as u32 * 2;
        let mut slab = Slab::default();
        for number in 0..rows {
            assert_eq!(slab.insert(number).number(), number);
        }
        let kept = slab.clone();
        slab.record(true);
        let (last, next) = (Row::at(rows as usize - 1), slab.insert(7));
        *slab.edit(last) += 1;
        assert_eq!((slab.remove(last), slab.remove(next)), (rows, 7));
        slab.roll_back();
        assert!(slab == kept && slab.chunks.len() == 2);
        assert!(slab.iter().map(|(row, value)| (row.number(), *value)).eq((0..rows).zip(0..rows)));
    }

    #[test]
    fn an_optional_row_takes_no_more_room_than_a_row() {
        assert_eq!(size_of::<Option<Row>>(), size_of::<u32>());
    }
}
