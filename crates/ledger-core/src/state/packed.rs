//! Rows that are hardly touched any more are kept as their stored bytes.
//!
//! ```text
//!   insert, edit ──► open: as it is worked on ──► settle: at rest? ──► packed: the bytes that it is stored as
//!                      ▲                                                    │ read: decoded for whoever looks
//!                      └──────────────────────── edit ──────────────────────┘
//! ```
//!
//! How a row is kept is no part of the state: open or packed it is stored, hashed and compared alike, and no rule can
//! tell.

use std::borrow::Borrow;
use std::hash::Hash;
use std::ops::Deref;

use bincode::de::Decoder;
use bincode::enc::Encoder;
use bincode::enc::write::Writer;
use bincode::error::{DecodeError, EncodeError};
use bincode::{Decode, Encode};

use super::{Blocks, Row, Stored, Table, Undo};
use crate::codec::{self, CodecFault};

/// What a row says of itself.
pub trait Rests {
    /// True when nothing is expected to happen to it any more. Something may all the same.
    fn rests(&self) -> bool;
}

/// A value as it is worked on, or packed.
#[derive(Debug, Clone)]
enum Kept<V> {
    Open(Box<V>),
    Packed(Box<[u8]>),
}

/// A value that is being looked at.
#[derive(Debug)]
pub enum Reading<'r, V> {
    /// As it stands in its row.
    Open(&'r V),
    /// Decoded for this look.
    Packed(Box<V>),
}

impl<V> Deref for Reading<'_, V> {
    type Target = V;
    fn deref(&self) -> &V {
        match self {
            Reading::Open(value) => value,
            Reading::Packed(value) => value,
        }
    }
}

fn unpacked<V: Decode<()>>(mut bytes: &[u8]) -> Box<V> {
    let value = codec::decode_row(&mut bytes, "a packed row");
    Box::new(value.expect("a row is only packed by its own encoding, in this process"))
}

impl<V: Encode + Decode<()> + Rests> Kept<V> {
    fn open(value: V) -> Self {
        Kept::Open(Box::new(value))
    }

    fn read(&self) -> Reading<'_, V> {
        match self {
            Kept::Open(value) => Reading::Open(value),
            Kept::Packed(bytes) => Reading::Packed(unpacked(bytes)),
        }
    }

    fn edit(&mut self) -> &mut V {
        if let Kept::Packed(bytes) = self {
            *self = Kept::Open(unpacked(bytes));
        }
        match self {
            Kept::Open(value) => value,
            Kept::Packed(_) => unreachable!("it was opened just now"),
        }
    }

    fn into_value(self) -> V {
        match self {
            Kept::Open(value) => *value,
            Kept::Packed(bytes) => *unpacked(&bytes),
        }
    }

    fn pack_if_resting(&mut self) {
        if let Kept::Open(value) = self
            && value.rests()
        {
            let mut bytes = Vec::with_capacity(256);
            codec::encode_into(&**value, &mut bytes);
            *self = Kept::Packed(bytes.into_boxed_slice());
        }
    }
}

impl<V: Decode<()> + PartialEq> PartialEq for Kept<V> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Kept::Open(one), Kept::Open(other)) => one == other,
            (Kept::Packed(one), Kept::Packed(other)) => one == other,
            (Kept::Open(open), Kept::Packed(packed)) | (Kept::Packed(packed), Kept::Open(open)) => {
                *open == unpacked(packed)
            }
        }
    }
}

impl<V: Encode> Encode for Kept<V> {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        match self {
            Kept::Open(value) => value.encode(encoder),
            Kept::Packed(bytes) => encoder.writer().write(bytes),
        }
    }
}

impl<V: Encode + Decode<()> + Rests> Decode<()> for Kept<V> {
    fn decode<D: Decoder<Context = ()>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let mut read = Kept::open(V::decode(decoder)?);
        read.pack_if_resting();
        Ok(read)
    }
}

/// A [`Table`] whose rows are packed while they rest.
#[derive(Debug, Clone)]
pub struct PackedTable<K, V> {
    rows: Table<K, Kept<V>>,
    /// Opened or added since they were last settled.
    touched: Vec<Row>,
}

impl<K, V> Default for PackedTable<K, V> {
    fn default() -> Self {
        PackedTable { rows: Table::default(), touched: Vec::new() }
    }
}

impl<K: Clone + Eq + Hash, V: Clone + Encode + Decode<()> + Rests> PackedTable<K, V> {
    /// The row number of a key.
    pub fn row<Q: ?Sized + Hash + Eq>(&self, key: &Q) -> Option<Row>
    where
        K: Borrow<Q>,
    {
        self.rows.row(key)
    }

    /// The value under a key.
    pub fn find<Q: ?Sized + Hash + Eq>(&self, key: &Q) -> Option<Reading<'_, V>>
    where
        K: Borrow<Q>,
    {
        self.rows.find(key).map(Kept::read)
    }

    /// The value in a row.
    pub fn get(&self, row: Row) -> Reading<'_, V> {
        self.rows.get(row).read()
    }

    /// The key of a row.
    pub fn key(&self, row: Row) -> &K {
        self.rows.key(row)
    }

    /// The value to change; what it was is kept until the entry is committed.
    pub fn edit(&mut self, row: Row) -> &mut V {
        self.touch(row);
        self.rows.edit(row).edit()
    }

    /// Adds a row under a key that has none. A key that has one keeps its row and gets the new value.
    pub fn insert(&mut self, key: K, value: V) -> Row {
        let row = self.rows.insert(key, Kept::open(value));
        self.touch(row);
        row
    }

    /// Takes a row away.
    pub fn remove(&mut self, row: Row) -> V {
        self.rows.remove(row).into_value()
    }

    /// Every row in the order of its number.
    pub fn iter(&self) -> impl Iterator<Item = (Row, &K, Reading<'_, V>)> {
        self.rows.iter().map(|(row, key, kept)| (row, key, kept.read()))
    }

    /// Every row's key in the order of its number, without a look at the row.
    pub fn keys(&self) -> impl Iterator<Item = (Row, &K)> {
        self.rows.iter().map(|(row, key, _)| (row, key))
    }

    /// Packs what was touched and rests. To be called behind every entry.
    pub fn settle(&mut self) {
        for row in self.touched.drain(..) {
            if let Some(kept) = self.rows.rearrange(row) {
                kept.pack_if_resting();
            }
        }
    }

    fn touch(&mut self, row: Row) {
        if self.touched.last() != Some(&row) {
            self.touched.push(row);
        }
    }
}

impl<K: Clone + Eq + Hash, V: Clone> Undo for PackedTable<K, V> {
    fn record(&mut self, recording: bool) {
        self.rows.record(recording);
    }

    fn commit(&mut self) {
        self.rows.commit();
    }

    fn roll_back(&mut self) {
        self.touched.clear();
        self.rows.roll_back();
    }
}

impl<K: Clone + Eq + Hash, V: Clone + Decode<()> + PartialEq> PartialEq for PackedTable<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.rows == other.rows
    }
}

impl<K: Encode + 'static, V: Encode + 'static> Encode for PackedTable<K, V> {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        self.rows.encode(encoder)
    }
}

impl<K, V> Stored for PackedTable<K, V>
where
    K: Clone + Eq + Hash + Encode + Decode<()> + 'static,
    V: Clone + Encode + Decode<()> + Rests + 'static,
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
        self.touched.clear();
        self.rows.restore(blocks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Rests when it is even.
    #[derive(Debug, Clone, PartialEq, Encode, Decode)]
    struct Number(u32);

    impl Rests for Number {
        fn rests(&self) -> bool {
            self.0.is_multiple_of(2)
        }
    }

    fn is_packed(table: &PackedTable<u8, Number>, key: u8) -> bool {
        matches!(table.rows.find(&key), Some(Kept::Packed(_)))
    }

    #[test]
    fn a_row_takes_no_more_room_than_the_list_that_it_is_packed_as() {
        assert_eq!(size_of::<Kept<[u64; 32]>>(), size_of::<Box<[u8]>>());
    }

    #[test]
    fn a_row_is_packed_behind_the_entry_that_put_it_to_rest_and_open_again_from_the_next_change() {
        let mut table = PackedTable::default();
        let row = table.insert(7, Number(1));
        table.edit(row).0 = 2;
        assert!(!is_packed(&table, 7));
        table.settle();
        assert!(is_packed(&table, 7) && table.get(row).0 == 2);
        table.edit(row).0 = 3;
        table.settle();
        assert!(!is_packed(&table, 7) && table.get(row).0 == 3);
    }

    #[test]
    fn a_row_that_was_packed_is_so_again_when_its_change_is_taken_back() {
        let mut table = PackedTable::default();
        let row = table.insert(7, Number(2));
        table.settle();
        table.record(true);
        table.edit(row).0 = 9;
        table.roll_back();
        assert!(is_packed(&table, 7) && table.get(row).0 == 2);
    }

    proptest! {
        #[test]
        fn nobody_can_tell_a_packed_row_from_an_open_one(
            steps in proptest::collection::vec((0u8..8, 0u8..3, 0u32..100, any::<bool>()), 0..40),
        ) {
            let mut packed = PackedTable::<u8, Number>::default();
            let mut plain = Table::<u8, Number>::default();
            for (key, what, value, settled) in steps {
                match (what, packed.row(&key)) {
                    (0, Some(row)) => prop_assert_eq!(packed.remove(row), plain.remove(row)),
                    (1, Some(row)) => (packed.edit(row).0, plain.edit(row).0) = (value, value),
                    _ => prop_assert_eq!(packed.insert(key, Number(value)), plain.insert(key, Number(value))),
                }
                if settled {
                    packed.settle();
                }
            }
            let (mut one, mut other) = (Vec::new(), Vec::new());
            codec::encode_into(&packed, &mut one);
            codec::encode_into(&plain, &mut other);
            prop_assert_eq!(&one, &other);
            let mut given = Some(one);
            let mut next = |block: &mut Vec<u8>| Ok(given.take().map(|bytes| *block = bytes).is_some());
            let mut read = PackedTable::default();
            read.restore(&mut Blocks::new(&mut next)).unwrap();
            prop_assert!(read == packed);
        }
    }
}
