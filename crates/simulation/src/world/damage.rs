//! Disks that are worse than disks may be: what they do to the files, and what has to be found out about it.
//!
//! Whatever such a disk does, the journal says that it is damaged, or everything that it serves is right. It may lose
//! what was acknowledged only at the very end, and only what no witness saw: one frame where one write or bit went
//! wrong, any number where syncs were lied about.

use std::path::{Path, PathBuf};

use fastrand::Rng;
use journal::{Fault, OfflineJournal, SimDisk, Trouble};

use super::World;
use super::happenings::Happening;
use super::process::DIR;
use super::snapshots::is_snapshot;
use crate::Violation;

const HEAD_SLOTS: [usize; 2] = [0, 4096];
const HEAD_SLOT_BYTES: usize = 100;

/// What a seed's disk does beyond what a disk may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dishonesty {
    /// Syncs are answered and keep nothing.
    Lies,
    /// A write that was said to be done is gone after the next power cut.
    LosesAWrite,
    /// It lies elsewhere in the file.
    MisplacesAWrite,
    /// A stored bit turns over.
    Rots,
    /// A bit is read that is not there.
    Misreads,
}

/// Something was done to the files that may not be found out yet.
#[derive(Debug, Clone)]
pub(super) struct Doubt {
    what: Dishonesty,
    /// The bit to be turned back: the file as a backup has it.
    undo: Option<(PathBuf, usize)>,
}

impl Dishonesty {
    /// Half of the seeds have an honest disk.
    pub(super) fn of_a_seed(rng: &mut Rng) -> Option<Self> {
        let all = [
            Dishonesty::Lies,
            Dishonesty::LosesAWrite,
            Dishonesty::MisplacesAWrite,
            Dishonesty::Rots,
            Dishonesty::Misreads,
        ];
        all.get(rng.usize(..2 * all.len())).copied()
    }
}

impl World {
    /// The process is about to start: some read of its start, or soon after, sees a bit that is not there.
    pub(super) fn may_misread(&mut self) {
        let misreads = self.faults.dishonesty_of(self.life) == Some(Dishonesty::Misreads);
        if misreads && self.doubt.is_none() {
            self.doubt = Some(Doubt { what: Dishonesty::Misreads, undo: None });
            self.kept.disk.flip_in_read(self.rng.u64(..30), self.rng.usize(..));
        }
    }

    /// The start went well. What was done to the files before has shown, unless the page cache hides it still; then
    /// the disk may do something new.
    pub(super) fn begin_dishonest_life(&mut self) -> Result<(), Violation> {
        self.scrub()?;
        let hidden = self.doubt.as_ref().is_some_and(|doubt| match doubt.what {
            Dishonesty::Lies | Dishonesty::LosesAWrite | Dishonesty::MisplacesAWrite => !self.power_was_cut,
            Dishonesty::Misreads => self.kept.disk.read_flip_is_due(),
            Dishonesty::Rots => false,
        });
        self.power_was_cut = false;
        if hidden {
            return Ok(());
        }
        self.doubt = None;
        let Some(what) = self.faults.dishonesty_of(self.life) else { return Ok(()) };
        let in_a_while = self.now + self.rng.u64(..2_500_000);
        let steps = self.kept.disk.steps() + self.rng.u64(..60);
        match what {
            Dishonesty::Misreads => return Ok(()),
            Dishonesty::Rots => {
                self.happenings.at(in_a_while, Happening::Rots);
                return Ok(());
            }
            Dishonesty::Lies => self.kept.disk.lie_about_syncs(true),
            Dishonesty::LosesAWrite => self.kept.disk.trouble_at(steps, Trouble::Lost),
            Dishonesty::MisplacesAWrite => {
                let by = self.rng.usize(1..20_000);
                self.kept.disk.trouble_at(steps, Trouble::Misdirected(by));
            }
        }
        self.doubt = Some(Doubt { what, undo: None });
        self.happenings.at(in_a_while, Happening::Dies { life: self.life, power: true });
        Ok(())
    }

    /// A start trusts sealed segments; what it did not read (a bit that turned, the header of a segment whose write was
    /// lost), the scrub in the background reads.
    fn scrub(&mut self) -> Result<(), Violation> {
        match self.doubt.clone() {
            Some(Doubt { what: Dishonesty::Rots, undo: Some((path, bit)) }) => {
                if self.look_at_the_files()?.is_err() {
                    self.detected += 1;
                    self.kept.disk.flip_bit(&path, bit);
                }
                Ok(())
            }
            Some(Doubt { what: Dishonesty::LosesAWrite | Dishonesty::MisplacesAWrite, .. })
                if self.power_was_cut =>
            {
                match self.look_at_the_files()? {
                    Err(fault) => self.damage_is_found(&fault),
                    Ok(_) => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    /// A stored bit turns over. Either the files are looked at as they lie, or a process has to start on them.
    pub(super) fn rots(&mut self) -> Result<(), Violation> {
        if self.doubt.is_some() {
            // One thing at a time, or nobody can say what a loss is due to.
            return Ok(());
        }
        let Some((path, bit)) = some_stored_bit(&self.kept.disk, &mut self.rng) else { return Ok(()) };
        if is_snapshot(&path) {
            return self.snapshot_rots(&path, bit);
        }
        self.kept.disk.flip_bit(&path, bit);
        self.tell(|| format!("bit {bit} of {} turned over", path.display()));
        let doubt = Doubt { what: Dishonesty::Rots, undo: Some((path.clone(), bit)) };
        if self.rng.bool() {
            self.doubt = Some(doubt);
            self.dies(false);
            return Ok(());
        }
        let (looked, witnessed) = (self.look_at_the_files(), self.witnessed());
        self.kept.disk.flip_bit(&path, bit);
        match looked? {
            Err(_) => self.detected += 1,
            Ok(found) => drop(self.judge_loss(found, witnessed, Some(&doubt))?),
        }
        Ok(())
    }

    /// Reads everything that is stored, the way a scrub and an offline reader do.
    fn look_at_the_files(&self) -> Result<Result<u64, Fault>, Violation> {
        let scrubbed = || {
            let offline = OfflineJournal::open_on(
                self.kept.disk.clone(),
                Path::new(DIR),
                self.kept.witness.as_slice(),
            )?;
            let mut scrub = offline.scrub();
            while scrub.next_segment()?.is_some() {}
            Ok(offline)
        };
        match scrubbed() {
            Ok(offline) => self.auditor.check_history(&offline),
            Err(fault) => Ok(Err(fault)),
        }
    }

    /// A journal ends with this entry: whether what was acknowledged behind it may be missing. True if it is.
    pub(super) fn judge_loss(
        &self,
        found: u64,
        witnessed: u64,
        doubt: Option<&Doubt>,
    ) -> Result<bool, Violation> {
        if found < witnessed {
            return Err(format!("the journal ends with {found}, but a witness saw {witnessed}").into());
        }
        let acknowledged = self.auditor.acknowledged();
        if found >= acknowledged {
            return Ok(false);
        }
        let missing = || format!("sequence {acknowledged} was acknowledged, the journal ends with {found}");
        let frames = self.frame_ends.iter().filter(|end| **end > found && **end <= acknowledged).count();
        match doubt {
            Some(Doubt { what: Dishonesty::Lies, .. }) => Ok(true),
            Some(_) if frames <= 1 => Ok(true),
            Some(doubt) => Err(format!("{}, {frames} frames are gone after {doubt:?}", missing()).into()),
            None => Err(missing().into()),
        }
    }

    /// The newest frame that something outside the journal's segments still knows of.
    pub(super) fn witnessed(&self) -> u64 {
        let head = self.kept.disk.read(&Path::new(DIR).join("head")).unwrap_or_default();
        let slots = HEAD_SLOTS.iter().filter_map(|at| head.get(*at..*at + HEAD_SLOT_BYTES));
        let by_head = slots.filter_map(sequence_in_slot).max().unwrap_or_default();
        let by_views = self.kept.witness.map_or(0, |witness| witness.sequence);
        by_head.max(by_views).max(self.witnessed_by_snapshots())
    }

    /// The journal says that it is damaged: right, if somebody damaged it. A bit is turned back and a misread is read
    /// again; the rest would come from a backup, and the run is over.
    pub(super) fn damage_is_found(&mut self, fault: &Fault) -> Result<(), Violation> {
        let Some(doubt) = self.doubt.take() else {
            return Err(format!("a journal that nobody damaged is found damaged: {fault}").into());
        };
        self.tell(|| format!("found out {doubt:?}: {fault}"));
        self.detected += 1;
        match doubt.what {
            Dishonesty::Lies | Dishonesty::LosesAWrite | Dishonesty::MisplacesAWrite => self.over = true,
            Dishonesty::Rots | Dishonesty::Misreads => {
                if let Some((path, bit)) = doubt.undo {
                    self.kept.disk.flip_bit(&path, bit);
                }
                self.dies(false);
            }
        }
        Ok(())
    }
}

/// The sequence in a slot of the `head` file whose checksum holds (`journal/src/file/witness.rs` draws the bytes).
fn sequence_in_slot(slot: &[u8]) -> Option<u64> {
    let (checked, crc) = slot.split_at(HEAD_SLOT_BYTES - 4);
    let holds = crc_fast::crc32_iscsi(checked).to_le_bytes() == crc;
    let sequence = checked.get(32..40)?.try_into().ok()?;
    holds.then(|| u64::from_le_bytes(sequence))
}

/// A bit of a file, mostly one of a byte that holds something.
fn some_stored_bit(disk: &SimDisk, rng: &mut Rng) -> Option<(PathBuf, usize)> {
    let paths = disk.paths();
    let stored: Vec<&PathBuf> = paths
        .iter()
        .filter(|path| {
            let is_segment = path.extension().is_some_and(|ending| ending == "seg");
            path.ends_with("head") || is_segment || is_snapshot(path)
        })
        .collect();
    if stored.is_empty() {
        return None;
    }
    let path = stored[rng.usize(..stored.len())].clone();
    let bytes = disk.read(&path).filter(|bytes| !bytes.is_empty())?;
    let mut byte = rng.usize(..bytes.len());
    for _ in 0..40 {
        if bytes[byte] != 0 {
            break;
        }
        byte = rng.usize(..bytes.len());
    }
    Some((path, byte * 8 + rng.usize(..8)))
}
