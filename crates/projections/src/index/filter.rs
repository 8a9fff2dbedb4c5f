//! A Bloom filter over the keys of one block: says "certainly not here" without reading the block.

/// Ten bits a key and seven probes: about one block in a hundred is read for nothing.
const BITS_A_KEY: usize = 10;
const PROBES: u64 = 7;

/// Bits, in 64-bit words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Filter(Vec<u64>);

impl Filter {
    /// A filter over these key hashes.
    pub(crate) fn over(hashes: impl ExactSizeIterator<Item = u64>) -> Filter {
        let mut words = vec![0_u64; (hashes.len() * BITS_A_KEY).div_ceil(64).max(1)];
        let bits = words.len() as u64 * 64;
        for hash in hashes {
            for bit in probes(hash, bits) {
                words[(bit / 64) as usize] |= 1 << (bit % 64);
            }
        }
        Filter(words)
    }

    /// False if the key is certainly not in the block.
    pub(crate) fn may_hold(&self, hash: u64) -> bool {
        let bits = self.0.len() as u64 * 64;
        probes(hash, bits).all(|bit| self.0[(bit / 64) as usize] & (1 << (bit % 64)) != 0)
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    /// Reads what `to_bytes` wrote; `None` for anything else.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Filter> {
        let words = bytes.chunks(8).map(|word| word.try_into().ok().map(u64::from_le_bytes));
        words.collect::<Option<Vec<u64>>>().filter(|words| !words.is_empty()).map(Filter)
    }
}

/// Double hashing: the key's hash is well mixed, so its two halves serve as two hashes.
fn probes(hash: u64, bits: u64) -> impl Iterator<Item = u64> {
    let step = hash.rotate_left(32) | 1;
    (0..PROBES).map(move |n| hash.wrapping_add(n.wrapping_mul(step)) % bits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::Key;

    #[test]
    fn what_is_in_is_found_and_little_else_is() {
        let hash = |n: u32| Key::actor(&n.to_string()).0;
        let filter = Filter::over((0..10_000).map(hash).collect::<Vec<_>>().into_iter());
        assert!((0..10_000).all(|n| filter.may_hold(hash(n))));
        let wrong = (10_000..30_000).filter(|n| filter.may_hold(hash(*n))).count();
        assert!(wrong < 400, "{wrong} of 20,000 found by mistake");
        assert_eq!(Filter::from_bytes(&filter.to_bytes()), Some(filter));
        assert_eq!((Filter::from_bytes(&[1, 2, 3]), Filter::from_bytes(&[])), (None, None));
    }
}
