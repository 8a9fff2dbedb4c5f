//! The one module that knows sled.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::statvfs;

use super::{Store, Write};
use crate::fault::Fault;

/// What sled may keep in memory. Runs are read seldom and whole; the rest is small.
const CACHE_BYTES: u64 = 64 * 1024 * 1024;

/// A batch is refused before sled sees it unless so much room is left beside it: sled does not get over a full disk. It
/// takes nothing from then on, and waits for ever when it is flushed or dropped.
const ROOM_WANTED_BYTES: u64 = 16 * 1024 * 1024;

/// Keeps values in a folder that may be deleted while nobody has it open.
#[derive(Debug)]
pub struct SledStore {
    dir: PathBuf,
    /// There until this is dropped.
    db: Option<sled::Db>,
    /// A write failed in sled: only another process can open the folder again.
    failed: AtomicBool,
}

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
                Ok(db) => {
                    return Ok(SledStore {
                        dir: dir.to_owned(),
                        db: Some(db),
                        failed: AtomicBool::new(false),
                    });
                }
                Err(sled::Error::Io(error)) if tries_left > 0 && says_locked(&error) => {
                    tries_left -= 1;
                    std::thread::sleep(LOCK_PAUSE);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn db(&self) -> &sled::Db {
        self.db.as_ref().expect("it is there until this is dropped")
    }

    fn check_room(&self, batch: &[Write]) -> Result<(), Fault> {
        let why = |why: String| Fault::Store { why };
        if self.failed.load(Ordering::Acquire) {
            return Err(why("a write failed before: restart the service once the disk is well".into()));
        }
        let bytes = |(key, value): &Write| (key.len() + value.as_ref().map_or(0, Vec::len)) as u64;
        let wanted = ROOM_WANTED_BYTES + batch.iter().map(bytes).sum::<u64>();
        let found = statvfs(&self.dir).map_err(|error| why(error.to_string()))?;
        let free = found.f_bavail.saturating_mul(found.f_frsize);
        match free >= wanted {
            true => Ok(()),
            false => Err(why(format!("the disk is full: {free} bytes are free, wanted {wanted}"))),
        }
    }
}

impl Drop for SledStore {
    fn drop(&mut self) {
        if self.failed.load(Ordering::Acquire) {
            // Dropping it would wait for ever; what it holds is rebuilt from the journal.
            std::mem::forget(self.db.take());
        }
    }
}

/// sled reports a held lock as an error of its own kind, with what the system said in the text.
fn says_locked(error: &std::io::Error) -> bool {
    error.to_string().contains("could not acquire lock")
}

impl Store for SledStore {
    fn read(&self, key: &[u8], reader: &mut dyn FnMut(&[u8])) -> Result<bool, Fault> {
        Ok(self.db().get(key)?.map(|value| reader(&value)).is_some())
    }

    fn write(&self, batch: Vec<Write>) -> Result<(), Fault> {
        self.check_room(&batch)?;
        let mut writes = sled::Batch::default();
        for (key, value) in batch {
            match value {
                Some(value) => writes.insert(key, value),
                None => writes.remove(key),
            }
        }
        let written = self.db().apply_batch(writes).and_then(|()| self.db().flush());
        if written.is_err() {
            self.failed.store(true, Ordering::Release);
        }
        written?;
        Ok(())
    }

    fn keys(&self) -> Result<Vec<Vec<u8>>, Fault> {
        self.db().iter().keys().map(|key| Ok(key?.to_vec())).collect()
    }
}

impl From<sled::Error> for Fault {
    fn from(error: sled::Error) -> Self {
        Fault::Store { why: error.to_string() }
    }
}
