//! Rows found by their business key, which is interned to a dense number.

use std::borrow::Borrow;
use std::hash::Hash;

use bincode::enc::Encoder;
use bincode::error::EncodeError;
use bincode::{Decode, Encode};

use super::index::{Index, KeyHash};
use super::stored::malformed;
use super::{Blocks, Row, Slab, Stored, Undo};
use crate::codec::CodecFault;

/// A keyed table with an undo log. A key is kept once, in its row.
#[derive(Debug, Clone)]
pub struct Table<K, V> {
    index: Index,
    rows: Slab<(K, V)>,
    /// What this entry added to the index and took from it.
    index_changes: Vec<IndexChange>,
    recording: bool,
}

#[derive(Debug, Clone, Copy)]
enum IndexChange {
    Added(KeyHash, Row),
    Removed(KeyHash, Row),
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Table { index: Index::default(), rows: Slab::default(), index_changes: Vec::new(), recording: false }
    }
}

impl<K: Clone + Eq + Hash, V: Clone> Table<K, V> {
    /// The row number of a key.
    pub fn row<Q: ?Sized + Hash + Eq>(&self, key: &Q) -> Option<Row>
    where
        K: Borrow<Q>,
    {
        self.row_under(KeyHash::of(key), key)
    }

    fn row_under<Q: ?Sized + Hash + Eq>(&self, hash: KeyHash, key: &Q) -> Option<Row>
    where
        K: Borrow<Q>,
    {
        let is_it = |number| Row::numbered(number).is_some_and(|row| self.key(row).borrow() == key);
        self.index.find(hash, is_it).and_then(Row::numbered)
    }

    /// The value under a key.
    pub fn find<Q: ?Sized + Hash + Eq>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.row(key).map(|row| self.get(row))
    }

    /// The value in a row.
    pub fn get(&self, row: Row) -> &V {
        &self.rows.get(row).1
    }

    /// The key of a row.
    pub fn key(&self, row: Row) -> &K {
        &self.rows.get(row).0
    }

    /// The key of a row that may be gone.
    pub fn try_key(&self, row: Row) -> Option<&K> {
        self.rows.try_get(row).map(|(key, _)| key)
    }

    /// The value to change; what it was is kept until the entry is committed.
    pub fn edit(&mut self, row: Row) -> &mut V {
        &mut self.rows.edit(row).1
    }

    /// The value, to be kept in another form that says the same.
    pub(super) fn rearrange(&mut self, row: Row) -> Option<&mut V> {
        self.rows.rearrange(row).map(|(_, value)| value)
    }

    /// Adds a row under a key that has none. A key that has one keeps its row and gets the new value.
    pub fn insert(&mut self, key: K, value: V) -> Row {
        let hash = KeyHash::of(&key);
        if let Some(row) = self.row_under(hash, &key) {
            *self.edit(row) = value;
            return row;
        }
        let row = self.rows.insert((key, value));
        if self.recording {
            self.index_changes.push(IndexChange::Added(hash, row));
        }
        self.index.insert(hash, row.number());
        row
    }

    /// Takes a row away.
    pub fn remove(&mut self, row: Row) -> V {
        let (key, value) = self.rows.remove(row);
        let hash = KeyHash::of(&key);
        self.index.remove(hash, row.number());
        if self.recording {
            self.index_changes.push(IndexChange::Removed(hash, row));
        }
        value
    }

    /// Every row in the order of its number (the order of first mention, but for rows used again).
    pub fn iter(&self) -> impl Iterator<Item = (Row, &K, &V)> {
        self.rows.iter().map(|(row, (key, value))| (row, key, value))
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// True without any row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

impl<K: Clone + Eq + Hash, V: Clone> Undo for Table<K, V> {
    fn record(&mut self, recording: bool) {
        self.recording = recording;
        self.index_changes.clear();
        self.rows.record(recording);
    }

    fn commit(&mut self) {
        if !self.index_changes.is_empty() {
            self.index_changes.clear();
        }
        self.rows.commit();
    }

    fn roll_back(&mut self) {
        while let Some(change) = self.index_changes.pop() {
            match change {
                IndexChange::Added(hash, row) => drop(self.index.remove(hash, row.number())),
                IndexChange::Removed(hash, row) => self.index.insert(hash, row.number()),
            }
        }
        self.rows.roll_back();
    }
}

/// Two tables are equal when they hold the same rows and find each of them by its key.
impl<K: Clone + Eq + Hash, V: Clone + PartialEq> PartialEq for Table<K, V> {
    fn eq(&self, other: &Self) -> bool {
        let finds_all = |table: &Self| {
            table.index.len() == table.len() && table.iter().all(|(row, key, _)| table.row(key) == Some(row))
        };
        self.rows == other.rows && finds_all(self) && finds_all(other)
    }
}

impl<K: Encode + 'static, V: Encode + 'static> Encode for Table<K, V> {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        self.rows.encode(encoder)
    }
}

impl<K, V> Stored for Table<K, V>
where
    K: Clone + Eq + Hash + Encode + Decode<()> + 'static,
    V: Clone + Encode + Decode<()> + 'static,
{
    fn begin_copy(&mut self) {
        self.rows.begin_copy();
    }

    fn copy_some(&mut self, out: &mut Vec<u8>, enough: usize) -> bool {
        self.rows.copy_some(out, enough)
    }

    fn end_copy(&mut self) {
        self.rows.end_copy();
    }

    fn restore(&mut self, blocks: &mut Blocks<'_>) -> Result<(), CodecFault> {
        let mut rows = Slab::<(K, V)>::default();
        rows.restore(blocks)?;
        let mut index = Index::default();
        for (row, (key, _)) in rows.iter() {
            let hash = KeyHash::of(key);
            let is_it = |number| Row::numbered(number).is_some_and(|other| rows.get(other).0 == *key);
            if index.find(hash, is_it).is_some() {
                return Err(malformed("a table", format!("row {} has the key of another", row.number())));
            }
            index.insert(hash, row.number());
        }
        *self = Table { index, rows, ..Table::default() };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn after_a_roll_back_the_table_is_what_it_was(
            before in proptest::collection::vec((0u8..20, 0u8..3, any::<u32>()), 0..40),
            undone in proptest::collection::vec((0u8..20, 0u8..3, any::<u32>()), 0..40),
        ) {
            let mut table = Table::<u8, u32>::default();
            let act = |table: &mut Table<u8, u32>, steps: &[(u8, u8, u32)]| {
                for (key, what, value) in steps {
                    match (what, table.row(key)) {
                        (0, Some(row)) => drop(table.remove(row)),
                        (1, Some(row)) => *table.edit(row) = *value,
                        _ => drop(table.insert(*key, *value)),
                    }
                }
            };
            table.record(true);
            act(&mut table, &before);
            table.commit();
            let kept = table.clone();
            act(&mut table, &undone);
            table.roll_back();
            prop_assert_eq!(&table, &kept);
        }
    }
}
