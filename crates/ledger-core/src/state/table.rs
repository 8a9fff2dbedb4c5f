//! Rows found by their business key, which is interned to a dense number.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

use bincode::Encode;
use bincode::enc::Encoder;
use bincode::error::EncodeError;
use foldhash::fast::FixedState;

use super::{Row, Slab, Undo};

/// A keyed table with an undo log. The index is hashed with a fixed hasher and never iterated.
#[derive(Debug, Clone)]
pub struct Table<K, V> {
    index: HashMap<K, Row, FixedState>,
    rows: Slab<(K, V)>,
    /// What the index said of a key before this entry changed it.
    index_changes: Vec<(K, Option<Row>)>,
    recording: bool,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Table {
            index: HashMap::with_hasher(FixedState::default()),
            rows: Slab::default(),
            index_changes: Vec::new(),
            recording: false,
        }
    }
}

impl<K: Clone + Eq + Hash, V: Clone> Table<K, V> {
    /// The row number of a key.
    pub fn row<Q: ?Sized + Hash + Eq>(&self, key: &Q) -> Option<Row>
    where
        K: Borrow<Q>,
    {
        self.index.get(key).copied()
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

    /// The value to change; what it was is kept until the entry is committed.
    pub fn edit(&mut self, row: Row) -> &mut V {
        &mut self.rows.edit(row).1
    }

    /// Adds a row under a key that has none. A key that has one keeps its row and gets the new value.
    pub fn insert(&mut self, key: K, value: V) -> Row {
        if let Some(row) = self.index.get(&key).copied() {
            *self.edit(row) = value;
            return row;
        }
        let row = self.rows.insert((key.clone(), value));
        if self.recording {
            self.index_changes.push((key.clone(), None));
        }
        self.index.insert(key, row);
        row
    }

    /// Takes a row away.
    pub fn remove(&mut self, row: Row) -> V {
        let (key, value) = self.rows.remove(row);
        self.index.remove(&key);
        if self.recording {
            self.index_changes.push((key, Some(row)));
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
    fn begin(&mut self) {
        self.recording = true;
        self.rows.begin();
    }

    fn commit(&mut self) {
        self.recording = false;
        self.index_changes.clear();
        self.rows.commit();
    }

    fn roll_back(&mut self) {
        self.recording = false;
        while let Some((key, before)) = self.index_changes.pop() {
            match before {
                Some(row) => self.index.insert(key, row),
                None => self.index.remove(&key),
            };
        }
        self.rows.roll_back();
    }
}

impl<K: PartialEq, V: PartialEq> PartialEq for Table<K, V>
where
    K: Eq + Hash,
{
    fn eq(&self, other: &Self) -> bool {
        self.rows == other.rows && self.index == other.index
    }
}

impl<K: Encode + 'static, V: Encode + 'static> Encode for Table<K, V> {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        self.rows.encode(encoder)
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
            table.begin();
            act(&mut table, &before);
            table.commit();
            let kept = table.clone();
            table.begin();
            act(&mut table, &undone);
            table.roll_back();
            prop_assert_eq!(&table, &kept);
        }
    }
}
