//! A block: sorted (key hash, sequence) pairs as one value of at most 128 KiB.
//!
//! ```text
//! offset  bytes  field, for each pair, pairs ascending
//!      0      8  key hash   little-endian
//!      8      8  sequence   little-endian
//! ```

use serde::{Deserialize, Serialize};

use super::{Filter, Key};

/// Pairs of a full block. Larger ones take a question long that finds its block on the disk alone; of smaller ones the
/// manifest names more than it need.
pub(crate) const BLOCK_PAIRS_MAX: usize = 8 * 1024;
const PAIR_BYTES: usize = 16;
/// Pairs of a run that is written from the tail: 1 MiB.
pub(crate) const RUN_PAIRS: usize = 8 * BLOCK_PAIRS_MAX;

/// A key hash and the sequence of an entry that has the key.
pub(crate) type Pair = (u64, u64);

/// What is kept in memory of a block.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    /// Its place and range.
    pub(crate) meta: BlockMeta,
    /// Which keys may be in it.
    pub(crate) filter: Filter,
}

/// What the manifest says of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BlockMeta {
    /// The number under which it is stored; never used again.
    pub(crate) number: u64,
    /// The smallest key hash in it.
    pub(crate) key_min: u64,
    /// The largest key hash in it.
    pub(crate) key_max: u64,
}

impl Block {
    /// A block of sorted pairs, not none, and its bytes.
    pub(crate) fn over(number: u64, pairs: &[Pair]) -> (Block, Vec<u8>) {
        debug_assert!(pairs.is_sorted() && (1..=BLOCK_PAIRS_MAX).contains(&pairs.len()));
        let mut keys: Vec<u64> = pairs.iter().map(|(key, _)| *key).collect();
        keys.dedup();
        let meta = BlockMeta { number, key_min: pairs[0].0, key_max: pairs[pairs.len() - 1].0 };
        let mut bytes = Vec::with_capacity(pairs.len() * PAIR_BYTES);
        for (key, sequence) in pairs {
            bytes.extend_from_slice(&key.to_le_bytes());
            bytes.extend_from_slice(&sequence.to_le_bytes());
        }
        (Block { meta, filter: Filter::over(keys.into_iter()) }, bytes)
    }
}

/// The pair at a place of a block.
pub(crate) fn pair_at(bytes: &[u8], place: usize) -> Option<Pair> {
    let pair = bytes.get(place * PAIR_BYTES..(place + 1) * PAIR_BYTES)?;
    let (key, sequence) = pair.split_at(8);
    Some((u64::from_le_bytes(key.try_into().ok()?), u64::from_le_bytes(sequence.try_into().ok()?)))
}

/// The sequences of a key after one and up to one, ascending.
pub(crate) fn sequences_in(bytes: &[u8], key: Key, after: u64, upto: u64, found: &mut Vec<u64>) {
    let (mut low, mut high) = (0, bytes.len() / PAIR_BYTES);
    while low < high {
        let middle = low.midpoint(high);
        if pair_at(bytes, middle).is_some_and(|pair| pair <= (key.0, after)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    let pairs = (low..).map_while(|place| pair_at(bytes, place));
    found.extend(pairs.take_while(|(k, s)| *k == key.0 && *s <= upto).map(|(_, sequence)| sequence));
}
