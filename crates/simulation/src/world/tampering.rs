//! Snapshots that are whole, and wrong: of another ledger, of another history, of another state than the log records. None
//! is ever used.

use std::path::PathBuf;

use ledger_core::ledger::{SECTIONS, state_root};
use snapshots::SnapshotSource as _;

use super::World;
use super::process::Process;
use super::snapshots::{is_snapshot, sequence_in_name};
use crate::Violation;

/// Where a header has these (`snapshots/src/format.rs` draws the bytes).
const FRAME_HASH_AT: usize = 32;
const LEDGER_AT: usize = 80;
const ROOT_AT: usize = 96;
const TABLE_AT: usize = 128;
const CHECK_AT: usize = 136;
const HEADER_BYTES: usize = 168;
const LINE_BYTES: usize = 56;
/// Where a line of the table has the offset of its section, and the hash.
const OFFSET_AT: usize = 16;
const HASH_AT: usize = 24;

impl World {
    /// Before a start, in some seeds: a bit of a snapshot turns over, or its state becomes another.
    pub(super) fn tamper_with_a_snapshot(&mut self) -> Result<(), Violation> {
        if !self.faults.tampers || self.faults.is_dishonest() || self.rng.u8(..3) != 0 {
            return Ok(());
        }
        let Some(path) = self.some_snapshot() else { return Ok(()) };
        let bytes = self.kept.disk.read(&path).unwrap_or_default();
        if self.rng.bool() {
            let bit = self.rng.usize(..bytes.len() * 8);
            return self.snapshot_rots(&path, bit);
        }
        let sequence = sequence_in_name(&path).unwrap_or_default();
        // What the log does not say of a state, nobody can hold against a snapshot.
        if self.auditor.has_told_state_hash(sequence)
            && let Some(forged) = of_another_state(bytes)
        {
            self.tell(|| format!("snapshot {sequence} is of another state"));
            self.kept.disk.overwrite(&path, 0, &forged);
            self.snapshots.is_damaged = true;
        }
        Ok(())
    }

    fn some_snapshot(&mut self) -> Option<PathBuf> {
        let mut files = self.kept.disk.paths();
        files.retain(|path| is_snapshot(path));
        (!files.is_empty()).then(|| files.swap_remove(self.rng.usize(..files.len())))
    }

    /// Now and then one is of another ledger or another history for a moment, and is left aside.
    pub(super) fn check_foreign_is_left_aside(&mut self, process: &Process) -> Result<(), Violation> {
        if self.faults.is_dishonest() || self.rng.u8(..4) != 0 {
            return Ok(());
        }
        let Some(path) = self.some_snapshot() else { return Ok(()) };
        let bytes = self.kept.disk.read(&path).unwrap_or_default();
        let mut foreign = bytes.clone();
        foreign[[FRAME_HASH_AT, LEDGER_AT][self.rng.usize(..2)]] ^= 1;
        if check_anew(&mut foreign).is_none() {
            return Ok(());
        }
        self.kept.disk.overwrite(&path, 0, &foreign[..HEADER_BYTES]);
        let sequence = sequence_in_name(&path).unwrap_or_default();
        let found = self.kept.snapshots().nearest(&process.journal.reader(), sequence);
        self.kept.disk.overwrite(&path, 0, &bytes[..HEADER_BYTES]);
        match found {
            Some(loaded) if loaded.head.sequence == sequence => {
                Err(Violation(format!("snapshot {sequence} is of another history, and is used")))
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// The same snapshot with a bit of the remembered commands turned over, and every hash made good.
fn of_another_state(mut bytes: Vec<u8>) -> Option<Vec<u8>> {
    let table = number(&bytes, TABLE_AT)?;
    let line = table + LINE_BYTES * SECTIONS.iter().position(|section| *section == "remembered")?;
    let section = number(&bytes, line + OFFSET_AT)?;
    let length = length_at(&bytes, section)?;
    *bytes.get_mut(section + 4 + length / 2)? ^= 1;
    let (mut at, mut hasher) = (section, blake3::Hasher::new());
    while let Some(length) = length_at(&bytes, at).filter(|length| *length > 0) {
        hasher.update(bytes.get(at + 4..at + 4 + length)?);
        at += 4 + length;
    }
    bytes.get_mut(line + HASH_AT..line + LINE_BYTES)?.copy_from_slice(hasher.finalize().as_bytes());
    let hash = |line: usize| -> Option<[u8; 32]> {
        let line = table + LINE_BYTES * line;
        bytes.get(line + HASH_AT..line + LINE_BYTES)?.try_into().ok()
    };
    let root = state_root(&(0..SECTIONS.len()).map(hash).collect::<Option<Vec<_>>>()?);
    bytes[ROOT_AT..TABLE_AT].copy_from_slice(&root);
    check_anew(&mut bytes)?;
    Some(bytes)
}

/// Makes the check of the header good.
fn check_anew(bytes: &mut [u8]) -> Option<()> {
    let table = bytes.get(number(bytes, TABLE_AT)?..)?;
    let check = blake3::Hasher::new().update(bytes.get(..CHECK_AT)?).update(table).finalize();
    bytes.get_mut(CHECK_AT..HEADER_BYTES)?.copy_from_slice(check.as_bytes());
    Some(())
}

/// The newest entry that a header whose check holds proves to have been durable.
pub(super) fn sequence_in_header(bytes: &[u8]) -> Option<u64> {
    const SEQUENCE_AT: usize = 16;
    let mut made_good = bytes.to_vec();
    check_anew(&mut made_good)?;
    (made_good == bytes).then(|| number(bytes, SEQUENCE_AT).map(|sequence| sequence as u64))?
}

fn number(bytes: &[u8], at: usize) -> Option<usize> {
    let number = u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?);
    usize::try_from(number).ok()
}

fn length_at(bytes: &[u8], at: usize) -> Option<usize> {
    let length = u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?);
    usize::try_from(length).ok()
}
