//! `backup.json`: what a copy holds, so that a restore can tell whether it is whole and unchanged.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use journal::{Head, JournalRead, OfflineJournal};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::BackupFault;

/// The manifest's file name.
pub const MANIFEST: &str = "backup.json";

/// What a copy holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The ledger's name.
    pub ledger: String,
    /// The ledger's identity.
    pub uuid: Uuid,
    /// Its last entry, as epoch.sequence.
    pub position: String,
    /// Hash of its last frame, in hexadecimal: with it, the whole history is named.
    pub head_hash: String,
    /// When the last entry was recorded, microseconds UTC.
    pub log_time_us: i64,
    /// The program that made it.
    pub made_by: String,
    /// Its files, in order.
    pub files: Vec<FileSum>,
}

/// A file of a copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileSum {
    /// Name below the ledger's folder.
    pub name: String,
    /// Length.
    pub bytes: u64,
    /// BLAKE3 in hexadecimal.
    pub blake3: String,
}

impl Manifest {
    /// Reads the manifest of a copy; `None` if there is none.
    pub fn read(dir: &Path) -> Result<Option<Self>, BackupFault> {
        let path = dir.join(MANIFEST);
        let json = match std::fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read.map_err(BackupFault::io(&path))?,
        };
        let read = serde_json::from_slice(&json);
        read.map(Some).map_err(|error| BackupFault::Changed { path, why: error.to_string() })
    }

    /// Describes the copy in this folder. A sealed segment of the manifest before is not read again: it cannot change.
    pub fn of(dir: &Path, ledger: &str, before: Option<&Manifest>) -> Result<Self, BackupFault> {
        let Head { sequence, epoch, hash, log_time_us, ledger: uuid, .. } = OfflineJournal::open(dir)?.head();
        let names = segment_names(dir)?;
        let open = names.len().saturating_sub(1);
        let mut files = Vec::with_capacity(names.len());
        for (at, name) in names.into_iter().enumerate() {
            let known = before.and_then(|before| before.files.get(at)).filter(|known| known.name == name);
            let was_sealed = before.is_some_and(|before| at + 1 < before.files.len());
            files.push(match known {
                Some(known) if was_sealed && at < open => known.clone(),
                Some(_) | None => FileSum::of(dir, name)?,
            });
        }
        Ok(Manifest {
            ledger: ledger.to_owned(),
            uuid: Uuid::from_bytes(uuid),
            position: format!("{epoch}.{sequence}"),
            head_hash: blake3::Hash::from_bytes(hash).to_hex().to_string(),
            log_time_us,
            made_by: concat!("bincard ", env!("CARGO_PKG_VERSION")).to_owned(),
            files,
        })
    }

    /// Puts the manifest in the place of the one before, whole or not at all.
    pub fn write(&self, dir: &Path) -> Result<(), BackupFault> {
        let (path, fresh) = (dir.join(MANIFEST), dir.join("backup.json.tmp"));
        let json = serde_json::to_vec_pretty(self).expect("text and numbers");
        let written = File::create(&fresh).and_then(|mut file| {
            file.write_all(&json)?;
            file.sync_all()
        });
        let placed = written.and_then(|()| std::fs::rename(&fresh, &path));
        placed.and_then(|()| File::open(dir)?.sync_all()).map_err(BackupFault::io(path))
    }

    /// Whether every file is what the manifest says.
    pub fn check(&self, dir: &Path) -> Result<(), BackupFault> {
        for wanted in &self.files {
            let found = FileSum::of(dir, wanted.name.clone())?;
            if found != *wanted {
                let path = dir.join(&wanted.name);
                let why = format!(
                    "found {} bytes with BLAKE3 {}, the manifest says {} bytes with {}",
                    found.bytes, found.blake3, wanted.bytes, wanted.blake3
                );
                return Err(BackupFault::Changed { path, why });
            }
        }
        Ok(())
    }
}

impl FileSum {
    /// Reads a file below the ledger's folder.
    pub fn of(dir: &Path, name: String) -> Result<Self, BackupFault> {
        let path = dir.join(&name);
        let mut hasher = blake3::Hasher::new();
        let bytes = File::open(&path).and_then(|mut file| io::copy(&mut file, &mut hasher));
        let bytes = bytes.map_err(BackupFault::io(path))?;
        Ok(FileSum { name, bytes, blake3: hasher.finalize().to_hex().to_string() })
    }
}

/// Segments below a ledger's folder, oldest first; the last one is open.
pub(super) fn segment_names(dir: &Path) -> Result<Vec<String>, BackupFault> {
    let journal = dir.join("journal");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&journal).map_err(BackupFault::io(&journal))? {
        let name = entry.map_err(BackupFault::io(&journal))?.file_name();
        let name = name.to_string_lossy();
        if name.ends_with(".seg") {
            names.push(format!("journal/{name}"));
        }
    }
    names.sort();
    Ok(names)
}
