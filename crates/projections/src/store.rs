//! Where index runs and checkpoints are kept: few, large values under short keys, in batches that are all or nothing.

mod memory;
mod sled_store;

pub use memory::MemoryStore;
pub use sled_store::SledStore;

use crate::fault::Fault;

/// One change of a batch: a key, and its value or `None` to remove it.
pub type Write = (Vec<u8>, Option<Vec<u8>>);

/// A rebuildable store. It is never the only copy of a fact.
pub trait Store: Send + Sync {
    /// Hands the value under a key to the reader; false if there is none.
    fn read(&self, key: &[u8], reader: &mut dyn FnMut(&[u8])) -> Result<bool, Fault>;

    /// Writes all of the batch or none of it; durable on return.
    fn write(&self, batch: Vec<Write>) -> Result<(), Fault>;

    /// Every key, in order.
    fn keys(&self) -> Result<Vec<Vec<u8>>, Fault>;
}
