//! The segment after the open one: made, zero-filled and synced before it is needed.

use std::path::{Path, PathBuf};

use crate::disk::{Disk, DiskFile};

/// Zeros are written and synced this many at a time, so that the journal's own syncs never wait long.
const CHUNK_BYTES: usize = 1024 * 1024;
const ZEROS: [u8; 4096] = [0; 4096];

/// A segment to be made, apart from the journal: hand it to a thread that may wait.
pub struct SpareOrder<D: Disk> {
    pub(super) disk: D,
    pub(super) path: PathBuf,
    pub(super) len: u64,
}

/// A zero-filled, synced file that will become a segment.
pub struct Spare<D: Disk> {
    pub(super) file: D::File,
    pub(super) path: PathBuf,
    pub(super) len: u64,
}

impl<D: Disk> SpareOrder<D> {
    /// Makes the segment. On failure the half-made file is removed, and the error says why in words.
    pub fn run(&self) -> Result<Spare<D>, String> {
        fill(&self.disk, &self.path, self.len).map_err(|error| {
            // The first error is the one to tell; a file that cannot be removed is removed at the next start.
            let _ = self.disk.remove(&self.path);
            format!("{}: {error}", self.path.display())
        })
    }
}

fn fill<D: Disk>(disk: &D, path: &Path, len: u64) -> std::io::Result<Spare<D>> {
    let file = disk.create(path)?;
    let zeros = vec![0; CHUNK_BYTES.min(usize::try_from(len).unwrap_or(CHUNK_BYTES))];
    let mut at = 0;
    while at < len {
        let chunk = usize::try_from(len - at).unwrap_or(CHUNK_BYTES).min(CHUNK_BYTES);
        file.write_all_at(&zeros[..chunk], at)?;
        file.sync_data()?;
        at += chunk as u64;
    }
    Ok(Spare { file, path: path.to_owned(), len })
}

/// Writes zeros over a part of a file.
pub(super) fn write_zeros<F: DiskFile>(file: &F, from: u64, len: u64) -> std::io::Result<()> {
    let mut at = 0;
    while at < len {
        let chunk = usize::try_from(len - at).unwrap_or(ZEROS.len()).min(ZEROS.len());
        file.write_all_at(&ZEROS[..chunk], from + at)?;
        at += chunk as u64;
    }
    Ok(())
}

/// Whether the file is a spare left behind.
pub(super) fn is_spare(name: &str) -> bool {
    name.starts_with("spare-") && name.ends_with(".tmp")
}
