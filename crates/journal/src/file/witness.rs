//! The `head` file: proof of which frame was durable, at most a second behind, and exact after a clean stop.
//!
//! ```text
//! two slots, at offsets 0 and 4096, written in turn:
//!   0   8  magic       89 42 43 48 45 44 0D 0A   (\x89 B C H E D \r \n)
//!   8   8  generation  of the writing, from 1; odd ones in the second slot
//!  16  80  head        as in a segment
//!  96   4  crc         crc32c of bytes 0 .. 96
//! ```

use std::path::{Path, PathBuf};

use super::segment::{HEAD_BYTES, put_head, take_head};
use crate::disk::{Disk, DiskFile};
use crate::fault::Fault;
use crate::frame::Fields;
use crate::journal::Head;

const MAGIC: [u8; 8] = *b"\x89BCHED\r\n";
const SLOT_SPACING: u64 = 4096;
const CHECKED_BYTES: usize = 16 + HEAD_BYTES;
const SLOT_BYTES: usize = CHECKED_BYTES + 4;

/// The open `head` file.
pub(super) struct HeadFile<D: Disk> {
    file: D::File,
    path: PathBuf,
    generation: u64,
}

/// What the `head` file says: the newer valid slot, and how many slots are neither valid nor blank.
pub(super) struct HeadSeen {
    pub(super) newest: Option<(u64, Head)>,
    pub(super) damaged_slots: usize,
}

impl<D: Disk> HeadFile<D> {
    /// Makes a blank head file. The caller syncs the directory.
    pub(super) fn create(disk: &D, path: &Path) -> Result<Self, Fault> {
        let made = disk.create(path).and_then(|file| {
            file.write_all_at(&[0; 2 * SLOT_SPACING as usize], 0)?;
            file.sync_data()?;
            Ok(file)
        });
        Ok(Self { file: made.map_err(Fault::io(path))?, path: path.to_owned(), generation: 0 })
    }

    /// Opens the head file for writing, to go on behind what was [seen](read) in it.
    pub(super) fn open(disk: &D, path: &Path, seen: &HeadSeen) -> Result<Self, Fault> {
        let file = disk.open_write(path).map_err(Fault::io(path))?;
        Ok(Self {
            file,
            path: path.to_owned(),
            generation: seen.newest.map_or(0, |(generation, _)| generation),
        })
    }

    /// Writes the older slot, durably.
    pub(super) fn write(&mut self, head: &Head) -> Result<(), Fault> {
        self.generation += 1;
        let mut slot = Vec::with_capacity(SLOT_BYTES);
        slot.extend_from_slice(&MAGIC);
        slot.extend_from_slice(&self.generation.to_le_bytes());
        put_head(head, &mut slot);
        let crc = crc_fast::crc32_iscsi(&slot);
        slot.extend_from_slice(&crc.to_le_bytes());
        let offset = self.generation % 2 * SLOT_SPACING;
        let written = self.file.write_all_at(&slot, offset).and_then(|()| self.file.sync_data());
        written.map_err(Fault::io(&self.path))
    }
}

/// Reads the head file; a missing one says nothing.
pub(super) fn read<D: Disk>(disk: &D, path: &Path) -> Result<Option<HeadSeen>, Fault> {
    let file = match disk.open_read(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(Fault::io(path))?,
    };
    let len = file.len().map_err(Fault::io(path))?;
    let mut seen = HeadSeen { newest: None, damaged_slots: 0 };
    for offset in [0, SLOT_SPACING] {
        let mut slot = [0; SLOT_BYTES];
        if offset + SLOT_BYTES as u64 > len {
            seen.damaged_slots += 1;
            continue;
        }
        file.read_exact_at(&mut slot, offset).map_err(Fault::io(path))?;
        match decode(&slot) {
            Some(found) if seen.newest.is_some_and(|newest| newest.0 > found.0) => {}
            Some(found) => seen.newest = Some(found),
            None if slot.iter().all(|byte| *byte == 0) => {}
            None => seen.damaged_slots += 1,
        }
    }
    Ok(Some(seen))
}

fn decode(slot: &[u8; SLOT_BYTES]) -> Option<(u64, Head)> {
    let (checked, crc) = slot.split_at(CHECKED_BYTES);
    if crc_fast::crc32_iscsi(checked).to_le_bytes() != crc {
        return None;
    }
    let mut fields = Fields(checked);
    (fields.take() == MAGIC).then(|| (fields.u64(), take_head(&mut fields)))
}
