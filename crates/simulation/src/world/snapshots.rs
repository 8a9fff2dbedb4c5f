//! Snapshots: taken slice by slice while all else goes on, and damaged while they lie there.
//!
//! Nothing depends on one. A start uses the newest that is whole and of the journal's history; what it comes to is what the
//! whole journal folds to. On a disk that keeps what it said it kept, none is left aside.

use std::path::{Path, PathBuf};

use command_api::writer::Input;
use ledger_core::control::RecordStateHash;
use projections::Taken;

use super::World;
use super::happenings::Happening;
use super::process::Process;
use super::tampering::sequence_in_header;
use crate::Violation;

impl World {
    /// A snapshot that was begun gets its next slice in a while.
    pub(super) fn snapshot_goes_on_later(&mut self) {
        let Some(process) = &mut self.process else { return };
        if process.taking.is_some() && !process.slice_is_due {
            process.slice_is_due = true;
            let micros = self.rng.u64(200..20_000);
            self.happenings.at(self.now + micros, Happening::SnapshotSlice { life: self.life });
        }
    }

    /// The next slice is copied, and written when enough is gathered.
    pub(super) fn snapshot_slice(&mut self) {
        let Some(process) = &mut self.process else { return };
        process.slice_is_due = false;
        let Some(mut taking) = process.taking.take() else { return };
        let stepped = taking.step();
        let pruned = match &stepped {
            Ok(Some(_)) => self.kept.snapshots().prune().is_ok(),
            Ok(None) | Err(_) => true,
        };
        match stepped {
            _ if self.kept.disk.is_down() => self.dies(true),
            // A disk that is full, or failed: there is no snapshot, and the ledger goes on.
            Err(_) => {}
            Ok(None) => process.taking = Some(taking),
            Ok(Some(taken)) => self.snapshot_is_taken(taken, pruned),
        }
        self.snapshot_goes_on_later();
    }

    /// Its hash goes to the writer, unless the folder could not be kept small: then nobody is told of it.
    fn snapshot_is_taken(&mut self, Taken { head, state }: Taken, is_told: bool) {
        self.tell(|| format!("a snapshot of sequence {} was taken", head.sequence));
        self.snapshots.taken += 1;
        if is_told {
            let micros = self.rng.u64(100..50_000);
            let told = Happening::StateHash { life: self.life, hash: Box::new(state) };
            self.happenings.at(self.now + micros, told);
        }
    }

    /// A reader hashed a state: the writer records it, if it is a good time and news.
    pub(super) fn state_hash(&mut self, hash: RecordStateHash) -> Result<(), Violation> {
        let wall = self.wall();
        let Some(process) = &mut self.process else { return Ok(()) };
        self.auditor.state_hash(hash.at_sequence, wall);
        let outputs = process.step(Input::StateHash(hash), wall);
        self.after(outputs)
    }

    /// Which snapshot a start used: the newest, unless something was done to it.
    pub(super) fn check_snapshot_used(&mut self, process: &Process) -> Result<(), Violation> {
        let (used, newest) = process.began_with;
        self.snapshots.used += u64::from(used.is_some());
        if used == newest {
            return Ok(());
        }
        self.snapshots.left_aside += 1;
        match self.faults.is_dishonest() || self.snapshots.is_damaged {
            true => Ok(()),
            false => {
                Err(format!("a start used snapshot {used:?}, though nothing is wrong with {newest:?}").into())
            }
        }
    }

    /// A bit of a snapshot turns over: from then on it cannot be loaded. It stays so, or is turned back.
    pub(super) fn snapshot_rots(&mut self, path: &Path, bit: usize) -> Result<(), Violation> {
        self.kept.disk.flip_bit(path, bit);
        let sequence = sequence_in_name(path).expect("a snapshot is named by its sequence");
        if self.kept.snapshots().load(sequence).is_ok() {
            return Err(format!("bit {bit} of {} turned over, and it is loaded", path.display()).into());
        }
        if self.rng.bool() {
            self.kept.disk.flip_bit(path, bit);
        } else {
            self.snapshots.is_damaged = true;
        }
        Ok(())
    }

    /// The newest entry that a snapshot proves to have been durable.
    pub(super) fn witnessed_by_snapshots(&self) -> u64 {
        let files = self.kept.disk.paths().into_iter().filter(|path| is_snapshot(path));
        files.filter_map(|path| sequence_in_header(&self.kept.disk.read(&path)?)).max().unwrap_or_default()
    }
}

/// What came of the snapshots of a seed.
#[derive(Debug, Default)]
pub(super) struct SnapshotsSoFar {
    pub(super) taken: u64,
    pub(super) used: u64,
    pub(super) left_aside: u64,
    /// Something was done to one, and not made good.
    pub(super) is_damaged: bool,
}

pub(super) fn is_snapshot(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "snap")
}

pub(super) fn sequence_in_name(path: &Path) -> Option<u64> {
    PathBuf::from(path.file_name()?).file_stem()?.to_str()?.parse().ok()
}
