//! The one module that knows sled.

use std::path::Path;

use super::{Store, Write};
use crate::fault::Fault;

/// What sled may keep in memory. Runs are read seldom and whole; the rest is small.
const CACHE_BYTES: u64 = 64 * 1024 * 1024;

/// Keeps values in a folder that may be deleted while nobody has it open.
#[derive(Debug, Clone)]
pub struct SledStore(sled::Db);

/// How often a held lock is tried again, and after which pause: five seconds in all.
const LOCK_TRIES: u32 = 250;
const LOCK_PAUSE: std::time::Duration = std::time::Duration::from_millis(20);

impl SledStore {
    /// Opens the folder, or makes it.
    ///
    /// Whoever had it open in this process just before may still be letting go of it: sled gives up its lock on a thread
    /// of its own. So a held lock is tried again for a while; the ledger's own lock keeps other processes out.
    pub fn open(dir: &Path) -> Result<Self, Fault> {
        let config = sled::Config::new().path(dir).cache_capacity(CACHE_BYTES).flush_every_ms(None);
        let mut tries_left = LOCK_TRIES;
        loop {
            match config.open() {
                Ok(db) => return Ok(SledStore(db)),
                Err(sled::Error::Io(error)) if tries_left > 0 && says_locked(&error) => {
                    tries_left -= 1;
                    std::thread::sleep(LOCK_PAUSE);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// sled reports a held lock as an error of its own kind, with what the system said in the text.
fn says_locked(error: &std::io::Error) -> bool {
    error.to_string().contains("could not acquire lock")
}

impl Store for SledStore {
    fn read(&self, key: &[u8], reader: &mut dyn FnMut(&[u8])) -> Result<bool, Fault> {
        Ok(self.0.get(key)?.map(|value| reader(&value)).is_some())
    }

    fn write(&self, batch: Vec<Write>) -> Result<(), Fault> {
        let mut writes = sled::Batch::default();
        for (key, value) in batch {
            match value {
                Some(value) => writes.insert(key, value),
                None => writes.remove(key),
            }
        }
        self.0.apply_batch(writes)?;
        self.0.flush()?;
        Ok(())
    }

    fn keys(&self) -> Result<Vec<Vec<u8>>, Fault> {
        self.0.iter().keys().map(|key| Ok(key?.to_vec())).collect()
    }
}

impl From<sled::Error> for Fault {
    fn from(error: sled::Error) -> Self {
        Fault::Store { why: error.to_string() }
    }
}
