//! The blocks that were asked for last, in memory: the store's own cache keeps no value that is large.

use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::manifest::block_key;
use crate::fault::Fault;
use crate::store::Store;

const CACHE_BYTES: u64 = 64 * 1024 * 1024;
const BLOCKS_EXPECTED: usize = 1024;

/// Blocks under their numbers. A block never changes and its number is never used again, so one that a merge has replaced
/// meanwhile says what it always said.
pub(crate) struct BlockCache(Cache<u64, Arc<[u8]>, Bytes>);

#[derive(Clone)]
struct Bytes;

impl Weighter<u64, Arc<[u8]>> for Bytes {
    fn weight(&self, _: &u64, block: &Arc<[u8]>) -> u64 {
        block.len() as u64
    }
}

impl Default for BlockCache {
    fn default() -> Self {
        BlockCache(Cache::with_weighter(BLOCKS_EXPECTED, CACHE_BYTES, Bytes))
    }
}

impl BlockCache {
    /// A block's pairs; `None` if the store has it no more.
    pub(crate) fn read(&self, number: u64, store: &dyn Store) -> Result<Option<Arc<[u8]>>, Fault> {
        if let Some(known) = self.0.get(&number) {
            return Ok(Some(known));
        }
        let mut read: Option<Arc<[u8]>> = None;
        store.read(&block_key(number), &mut |bytes| read = Some(bytes.into()))?;
        if let Some(read) = &read {
            self.0.insert(number, Arc::clone(read));
        }
        Ok(read)
    }
}
