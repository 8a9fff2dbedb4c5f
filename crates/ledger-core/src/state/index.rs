//! From a key to its number: eight bytes an entry, without the key, and never a long pause.
//!
//! An entry is 32 bits of the key's hash beside the number of the row that holds the key, so a key is kept once, and an
//! index that grows does not look at its rows. A hash table that grows moves all it holds: a large index is cut into
//! parts by the first bits of the hash, so that no single growth is long.

use std::hash::{BuildHasher, Hash};

use foldhash::fast::FixedState;
use hashbrown::HashTable;

/// Into so many parts an index is cut when it holds more than [`PART_LEN`] entries.
const PARTS_BITS: u32 = 6;
const PART_LEN: usize = 1 << 15;

/// 32 bits of a key's hash: the same in every process, never stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyHash(u32);

#[derive(Debug, Clone, Copy)]
struct Entry {
    hash: KeyHash,
    number: u32,
}

/// Numbers by the hash of their key; whose key it is, the caller says. Hashed with a fixed hasher and never iterated.
#[derive(Debug, Clone)]
pub struct Index {
    /// One part, or 2^6 by the first bits of the hash.
    parts: Vec<HashTable<Entry>>,
    /// How far a hash is shifted to the number of its part.
    shift: u32,
    len: usize,
}

impl Default for Index {
    fn default() -> Self {
        Index { parts: vec![HashTable::new()], shift: u32::BITS, len: 0 }
    }
}

impl KeyHash {
    /// Of a key.
    pub fn of<Q: ?Sized + Hash>(key: &Q) -> Self {
        KeyHash((FixedState::default().hash_one(key) >> 32) as u32)
    }

    /// Of a key that is a hash itself: the first of its bytes.
    pub const fn of_hash(hash: &[u8; 16]) -> Self {
        KeyHash(u32::from_le_bytes([hash[0], hash[1], hash[2], hash[3]]))
    }

    /// The table wants 64 bits: places from the low ones, tags from the high ones.
    const fn spread(self) -> u64 {
        (self.0 as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }
}

impl Index {
    /// The number under a hash whose key is the one looked for.
    pub fn find(&self, hash: KeyHash, mut is_it: impl FnMut(u32) -> bool) -> Option<u32> {
        let part = &self.parts[self.part_of(hash)];
        part.find(hash.spread(), |entry| entry.hash == hash && is_it(entry.number)).map(|entry| entry.number)
    }

    /// Adds a number under a hash. The caller has seen that its key has none.
    pub fn insert(&mut self, hash: KeyHash, number: u32) {
        if self.len == PART_LEN && self.parts.len() == 1 {
            self.cut();
        }
        let part = self.part_of(hash);
        self.parts[part].insert_unique(hash.spread(), Entry { hash, number }, |entry| entry.hash.spread());
        self.len += 1;
    }

    /// Takes a number away; false where it was not there.
    pub fn remove(&mut self, hash: KeyHash, number: u32) -> bool {
        let part = self.part_of(hash);
        let is_it = |entry: &Entry| entry.number == number;
        let Ok(found) = self.parts[part].find_entry(hash.spread(), is_it) else { return false };
        found.remove();
        self.len -= 1;
        true
    }

    /// How many numbers there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// True without any number.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn part_of(&self, hash: KeyHash) -> usize {
        (u64::from(hash.0) >> self.shift) as usize
    }

    fn cut(&mut self) {
        let whole = std::mem::take(&mut self.parts).pop().unwrap_or_default();
        self.parts = vec![HashTable::new(); 1 << PARTS_BITS];
        self.shift = u32::BITS - PARTS_BITS;
        for entry in whole {
            let part = self.part_of(entry.hash);
            self.parts[part].insert_unique(entry.hash.spread(), entry, |entry| entry.hash.spread());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_before_and_after_the_index_is_cut_into_parts() {
        let (mut index, numbers) = (Index::default(), PART_LEN as u32 * 3);
        let hash = |number: u32| KeyHash::of(&number);
        for number in 0..numbers {
            index.insert(hash(number), number);
        }
        assert_eq!(index.parts.len(), 1 << PARTS_BITS);
        for number in (0..numbers).step_by(2) {
            assert!(index.remove(hash(number), number) && !index.remove(hash(number), number));
        }
        assert_eq!(index.len(), numbers as usize / 2);
        for number in 0..numbers {
            let found = index.find(hash(number), |found| found == number);
            assert_eq!(found, (number % 2 == 1).then_some(number));
        }
    }

    #[test]
    fn keys_of_one_hash_are_told_apart_by_the_caller() {
        let (mut index, hash) = (Index::default(), KeyHash(7));
        index.insert(hash, 1);
        index.insert(hash, 2);
        assert_eq!(index.find(hash, |found| found == 2), Some(2));
        assert_eq!(index.find(hash, |found| found == 3), None);
        assert_eq!(index.find(KeyHash(8), |_| true), None);
        assert!(index.remove(hash, 1) && !index.remove(hash, 1));
        assert_eq!(index.find(hash, |_| true), Some(2));
    }
}
