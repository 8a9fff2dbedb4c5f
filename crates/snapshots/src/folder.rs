//! The folder of snapshots: which there are, which fit the journal, and which are kept.

use std::path::{Path, PathBuf};

use journal::{Disk, Head, JournalRead, RealDisk, Witness};

use crate::fault::Fault;
use crate::format;
use crate::read::{Loaded, Opened};
use crate::write::SnapshotWriter;

/// Beside the newest two, the newest of every stretch of so many entries is kept: for questions about the past.
pub const KEPT_APART: u64 = 5_000_000;
const KEPT_NEWEST: usize = 2;

/// The snapshots of one ledger.
#[derive(Debug, Clone)]
pub struct Snapshots<D: Disk = RealDisk> {
    disk: D,
    dir: PathBuf,
    /// Of no use to begin with, though whole.
    doubted: Vec<u64>,
}

/// Where readers of the past find a ledger to fold on from.
pub trait SnapshotSource: Send + Sync {
    /// The nearest snapshot at a sequence or before it that fits this journal. Those that do not are told in the log.
    fn nearest(&self, journal: &dyn JournalRead, upto: u64) -> Option<Loaded>;

    /// The sequence of the nearest snapshot, judged by its name alone.
    fn nearest_sequence(&self, upto: u64) -> Option<u64>;
}

impl<D: Disk> Snapshots<D> {
    /// Those in this folder, which need not be there yet.
    pub fn on(disk: D, dir: impl Into<PathBuf>) -> Self {
        Snapshots { disk, dir: dir.into(), doubted: Vec::new() }
    }

    /// The same, with one left aside from now on: what it holds is not what the log says of that state.
    pub fn doubting(mut self, sequence: u64) -> Self {
        self.doubted.push(sequence);
        self
    }

    /// Begins to write one as of this end of the journal.
    pub fn begin(&self, head: Head) -> Result<SnapshotWriter<D>, Fault> {
        SnapshotWriter::create(self.disk.clone(), &self.dir, head)
    }

    /// The sequences of all, newest first.
    pub fn sequences(&self) -> Result<Vec<u64>, Fault> {
        let names = self.disk.list(&self.dir).map_err(Fault::io(&self.dir))?;
        let mut sequences: Vec<u64> = names.iter().filter_map(|name| format::sequence_in(name)).collect();
        sequences.sort_unstable_by(|one, other| other.cmp(one));
        Ok(sequences)
    }

    /// What the snapshots prove: each of these frames was durable in the journal of this ledger's folder.
    pub fn witnesses(&self) -> Result<Vec<Witness>, Fault> {
        let mut witnesses = Vec::new();
        for sequence in self.sequences()? {
            match Opened::open(&self.disk, &self.path(sequence)) {
                Ok(opened) => {
                    let Head { sequence, hash, .. } = opened.header.head;
                    witnesses.push(Witness { sequence, hash });
                }
                Err(fault) => tracing::warn!(%fault, "a snapshot proves nothing"),
            }
        }
        Ok(witnesses)
    }

    /// Loads one, whatever its history.
    pub fn load(&self, sequence: u64) -> Result<Loaded, Fault> {
        let path = self.path(sequence);
        let opened = Opened::open(&self.disk, &path)?;
        if opened.header.head.sequence != sequence {
            return Err(Fault::damaged(&path, format!("it is of sequence {}", opened.header.head.sequence)));
        }
        opened.load(&path)
    }

    /// Loads one that is of this journal's history.
    fn load_of(&self, sequence: u64, journal: &dyn JournalRead) -> Result<Loaded, Fault> {
        let path = self.path(sequence);
        // The header first: it costs nothing, and a foreign snapshot is not read whole.
        let head = Opened::open(&self.disk, &path)?.header.head;
        check_history(&head, journal, &path)?;
        self.load(sequence)
    }

    /// Removes what nobody will ask for: all but the newest two and the newest of every [`KEPT_APART`] entries, and what
    /// a crash left half written. Those that cannot be used go too.
    pub fn prune(&self) -> Result<(), Fault> {
        let (mut kept, mut stretches) = (0, Vec::new());
        for sequence in self.sequences()? {
            let path = self.path(sequence);
            let stretch = sequence / KEPT_APART;
            let is_of_use = Opened::open(&self.disk, &path).is_ok();
            if is_of_use && (kept < KEPT_NEWEST || !stretches.contains(&stretch)) {
                kept += 1;
                stretches.push(stretch);
                continue;
            }
            self.disk.remove(&path).map_err(Fault::io(&path))?;
        }
        for name in self.disk.list(&self.dir).map_err(Fault::io(&self.dir))? {
            if format::is_temporary(&name) {
                let path = self.dir.join(name);
                self.disk.remove(&path).map_err(Fault::io(&path))?;
            }
        }
        Ok(())
    }

    fn may_be_used(&self, sequence: u64, upto: u64) -> bool {
        sequence <= upto && !self.doubted.contains(&sequence)
    }

    fn path(&self, sequence: u64) -> PathBuf {
        self.dir.join(format::file_name(sequence))
    }
}

impl Snapshots<RealDisk> {
    /// Those of the ledger in this folder.
    pub fn of_ledger(dir: &Path) -> Self {
        Snapshots::on(RealDisk, dir.join("snapshots"))
    }
}

impl<D: Disk> SnapshotSource for Snapshots<D> {
    fn nearest(&self, journal: &dyn JournalRead, upto: u64) -> Option<Loaded> {
        let sequences = self.sequences().inspect_err(|fault| tracing::warn!(%fault, "no snapshot is used"));
        sequences.ok()?.into_iter().filter(|sequence| self.may_be_used(*sequence, upto)).find_map(
            |sequence| {
                let loaded = self.load_of(sequence, journal);
                loaded.inspect_err(|fault| tracing::warn!(%fault, "a snapshot is left aside")).ok()
            },
        )
    }

    fn nearest_sequence(&self, upto: u64) -> Option<u64> {
        self.sequences().ok()?.into_iter().find(|sequence| self.may_be_used(*sequence, upto))
    }
}

/// Whether the journal has the very frame after which the snapshot was taken.
fn check_history(head: &Head, journal: &dyn JournalRead, path: &Path) -> Result<(), Fault> {
    let other = |why: String| Fault::OtherHistory { path: path.to_owned(), why };
    if head.ledger != journal.head().ledger {
        return Err(other("it is of another ledger".into()));
    }
    let frame = journal.frame_at(head.sequence).map_err(|fault| other(fault.to_string()))?;
    match frame {
        None => Err(other(format!("the journal does not reach sequence {}", head.sequence))),
        Some(frame) if Head::after(&frame) != *head => {
            Err(other(format!("the journal has another frame at sequence {}", head.sequence)))
        }
        Some(_) => Ok(()),
    }
}
