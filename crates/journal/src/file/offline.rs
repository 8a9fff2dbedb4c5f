//! Reading the files of a stopped service: nothing is opened for writing, nothing is repaired.

use std::path::Path;
use std::sync::Arc;

use super::append::check_witnesses;
use super::index::Shared;
use super::lock::Lock;
use super::read::FileReader;
use super::recover;
use super::{Scrubber, TornTail};
use crate::disk::{Disk, RealDisk};
use crate::fault::Fault;
use crate::frame::Frame;
use crate::journal::{FrameSource, Head, JournalRead, Witness};

/// A journal's files, read only; works on a read-only mount.
pub struct OfflineJournal<D: Disk = RealDisk> {
    reader: FileReader<D>,
    torn: Option<TornTail>,
    notes: Vec<String>,
    _lock: Option<Lock>,
}

impl OfflineJournal<RealDisk> {
    /// Opens the journal in the ledger's directory, sharing its lock with other offline readers.
    pub fn open(dir: &Path) -> Result<Self, Fault> {
        let lock = Lock::shared(dir)?;
        Ok(Self { _lock: Some(lock), ..Self::open_on(RealDisk, dir, &[])? })
    }
}

impl<D: Disk> OfflineJournal<D> {
    /// The same on any disk, without a lock. `witnesses` as for [`FileJournal::open`](super::FileJournal::open).
    pub fn open_on(disk: D, dir: &Path, witnesses: &[Witness]) -> Result<Self, Fault> {
        let found = recover::find(&disk, dir)?;
        let open = found.open_segment();
        let torn = found.torn.as_ref().map(|torn| TornTail {
            path: open.path.clone(),
            offset: open.frames_end,
            sequence: open.end.sequence + 1,
            bytes: torn.bytes.len() as u64,
            why: torn.why.clone(),
            quarantine: None,
        });
        let reader = FileReader(Arc::new(Shared::new(disk, dir.to_owned(), found.segments.clone())));
        let notes = check_witnesses(&reader, &found, witnesses)?;
        Ok(Self { reader, torn, notes, _lock: None })
    }

    /// What a crash left behind the last whole frame; the next start of the service cuts it off.
    pub fn torn_tail(&self) -> Option<String> {
        self.torn.as_ref().map(TornTail::to_string)
    }

    /// What an operator may want to know; nothing is wrong with the history.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Begins reading the sealed segments again, which opening trusts.
    pub fn scrub(&self) -> Scrubber<D> {
        self.reader.scrub()
    }
}

impl<D: Disk> JournalRead for OfflineJournal<D> {
    fn head(&self) -> Head {
        self.reader.head()
    }

    fn frame_at(&self, sequence: u64) -> Result<Option<Frame>, Fault> {
        self.reader.frame_at(sequence)
    }

    fn frames_from(&self, sequence: u64) -> Result<Box<dyn FrameSource>, Fault> {
        self.reader.frames_from(sequence)
    }
}
