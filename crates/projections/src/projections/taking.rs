//! Taking a snapshot: the ledger as it was behind one frame, slice by slice, while the fold goes on.

use std::sync::atomic::Ordering;

use journal::{Disk, Head};
use ledger_core::control::RecordStateHash;
use ledger_core::ledger::{Copied, Copying, SECTIONS};
use snapshots::{SnapshotWriter, Snapshots};

use super::Projections;
use crate::fault::Fault;
use crate::folded::BESIDE;

/// A slice has about so many bytes: encoded under the fold's lock in some 0.2 ms.
const SLICE_BYTES: usize = 64 * 1024;

/// A snapshot that is in its folder.
#[derive(Debug, Clone, PartialEq)]
pub struct Taken {
    /// The end of the journal that it is of.
    pub head: Head,
    /// The state hash, ready to be recorded.
    pub state: RecordStateHash,
}

/// A snapshot on its way. Dropped before it is complete, it never was.
pub struct Taking<D: Disk> {
    projections: Projections,
    copying: Copying,
    head: Head,
    beside: Vec<u8>,
    section: usize,
    slice: Vec<u8>,
    into: Snapshots<D>,
    /// There while sections are being written.
    writer: Option<SnapshotWriter<D>>,
}

impl Projections {
    /// Begins a snapshot behind the last frame folded in. `None` while another is being taken, or before the first
    /// frame. Whoever folds calls it between two frames and goes on at once: the folder is not touched yet.
    pub fn begin_snapshot<D: Disk>(&self, into: &Snapshots<D>) -> Option<Taking<D>> {
        let head = self.0.head.lock();
        if head.sequence == 0 || self.0.taking.swap(true, Ordering::AcqRel) {
            return None;
        }
        let mut folded = self.0.folded.write();
        let (copying, beside) = (folded.ledger.begin_copy(), folded.beside());
        let (projections, into, head) = (self.clone(), into.clone(), *head);
        let slice = Vec::with_capacity(2 * SLICE_BYTES);
        Some(Taking { projections, copying, head, beside, section: 0, slice, into, writer: None })
    }
}

impl<D: Disk> Taking<D> {
    /// The end of the journal that it is of.
    pub fn head(&self) -> Head {
        self.head
    }

    /// Takes the next slice; the snapshot once it is durable in its folder. Not to be called after that, nor after a
    /// fault.
    pub fn step(&mut self) -> Result<Option<Taken>, Fault> {
        let mut writer = match self.writer.take() {
            Some(writer) => writer,
            None => {
                let mut writer = self.into.begin(self.head)?;
                writer.section(SECTIONS[self.section])?;
                writer
            }
        };
        self.slice.clear();
        let copied = {
            let mut folded = self.projections.0.folded.write();
            folded.ledger.copy_some(&mut self.copying, &mut self.slice, SLICE_BYTES)
        };
        writer.block(&self.slice)?;
        match copied {
            Copied::Part => {}
            Copied::Section => {
                self.section += 1;
                writer.section(SECTIONS[self.section])?;
            }
            Copied::All => {
                writer.section(BESIDE)?;
                writer.block(&self.beside)?;
                let taken = Taken { head: self.head, state: writer.finish()? };
                *self.projections.0.last_taken.lock() = Some(taken.clone());
                self.projections.0.folded.write().state_hashes.found(taken.state.clone());
                return Ok(Some(taken));
            }
        }
        self.writer = Some(writer);
        Ok(None)
    }
}

impl<D: Disk> Drop for Taking<D> {
    fn drop(&mut self) {
        self.projections.0.folded.write().ledger.end_copy();
        self.projections.0.taking.store(false, Ordering::Release);
    }
}
