//! One writer at a time: the `LOCK` file, and the address it names.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use crate::disk::{Disk, RealDisk};
use crate::fault::Fault;

/// Longest address read from a lock file, in bytes.
const ADDRESS_BYTES_MAX: u64 = 256;

/// The ledger's directory, held until this is dropped or the process ends in any way.
#[derive(Debug)]
pub struct Lock {
    /// `None`: there was no lock file, so no service ever ran here.
    file: Option<File>,
    exclusive: bool,
}

impl Lock {
    /// Holds the directory alone, for a service or an import; makes the directory if it is missing. The
    /// address tells others where to ask. [`Fault::InUse`] if anybody holds it.
    pub fn exclusive(dir: &Path, address: &str) -> Result<Lock, Fault> {
        let path = lock_path(dir);
        RealDisk.create_dir(dir).map_err(Fault::io(dir))?;
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = opened.map_err(Fault::io(&path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::Error(error)) => return Err(Fault::io(&path)(error)),
            Err(TryLockError::WouldBlock) => {
                // Whoever lets a reader in is a reader itself.
                let held_by_readers = file.try_lock_shared().is_ok();
                let address = if held_by_readers {
                    "an offline reader has its files open".into()
                } else {
                    holder(&mut file)
                };
                return Err(Fault::InUse { address });
            }
        }
        let named =
            file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(address.as_bytes()));
        named.map_err(Fault::io(&path))?;
        Ok(Lock { file: Some(file), exclusive: true })
    }

    /// Holds the directory together with other readers, opening nothing for writing. [`Fault::InUse`] if a
    /// service holds it.
    pub fn shared(dir: &Path) -> Result<Lock, Fault> {
        let path = lock_path(dir);
        let mut file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Lock { file: None, exclusive: false });
            }
            opened => opened.map_err(Fault::io(&path))?,
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(Lock { file: Some(file), exclusive: false }),
            Err(TryLockError::WouldBlock) => Err(Fault::InUse { address: holder(&mut file) }),
            Err(TryLockError::Error(error)) => Err(Fault::io(&path)(error)),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let (Some(file), true) = (&self.file, self.exclusive) {
            // An address left behind misleads nobody: it is read only while the file is held.
            let _ = file.set_len(0);
        }
    }
}

fn lock_path(dir: &Path) -> PathBuf {
    dir.join("LOCK")
}

/// `served at <address>`, as the holder wrote it.
fn holder(file: &mut File) -> String {
    let mut address = String::new();
    let read = file.rewind().and_then(|()| file.take(ADDRESS_BYTES_MAX).read_to_string(&mut address));
    match (read, address.trim()) {
        (Ok(_), address) if !address.is_empty() => format!("served at {address}"),
        (Ok(_) | Err(_), _) => "served at an address it has not told yet".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_is_told_the_address_of_the_first() {
        let dir = tempfile::tempdir().unwrap();
        let held = Lock::exclusive(dir.path(), "127.0.0.1:7070").unwrap();
        for second in [Lock::exclusive(dir.path(), "elsewhere"), Lock::shared(dir.path())] {
            let fault = second.unwrap_err().to_string();
            assert!(fault.contains("served at 127.0.0.1:7070"), "{fault}");
        }
        drop(held);
        Lock::exclusive(dir.path(), "elsewhere").unwrap();
    }

    #[test]
    fn readers_share_and_keep_a_service_out() {
        let dir = tempfile::tempdir().unwrap();
        drop(Lock::exclusive(dir.path(), "127.0.0.1:7070").unwrap());
        let readers = [Lock::shared(dir.path()).unwrap(), Lock::shared(dir.path()).unwrap()];
        let fault = Lock::exclusive(dir.path(), "127.0.0.1:7070").unwrap_err().to_string();
        assert!(fault.contains("offline reader"), "{fault}");
        drop(readers);
        Lock::exclusive(dir.path(), "127.0.0.1:7070").unwrap();
    }

    #[test]
    fn a_reader_makes_no_file() {
        let dir = tempfile::tempdir().unwrap();
        Lock::shared(dir.path()).unwrap();
        assert!(!dir.path().join("LOCK").exists());
    }
}
