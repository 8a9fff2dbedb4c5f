//! A store that is gone with the process: for tests, offline reading, and as-of questions.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::RwLock;

use super::{Store, Write};
use crate::fault::Fault;

/// Keeps values as long as it, or a clone of it, lives.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore(Arc<RwLock<BTreeMap<Vec<u8>, Vec<u8>>>>);

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        MemoryStore::default()
    }
}

impl Store for MemoryStore {
    fn read(&self, key: &[u8], reader: &mut dyn FnMut(&[u8])) -> Result<bool, Fault> {
        let values = self.0.read();
        let value = values.get(key);
        Ok(value.map(|value| reader(value)).is_some())
    }

    fn write(&self, batch: Vec<Write>) -> Result<(), Fault> {
        let mut values = self.0.write();
        for (key, value) in batch {
            match value {
                Some(value) => values.insert(key, value),
                None => values.remove(&key),
            };
        }
        Ok(())
    }

    fn keys(&self) -> Result<Vec<Vec<u8>>, Fault> {
        Ok(self.0.read().keys().cloned().collect())
    }
}
