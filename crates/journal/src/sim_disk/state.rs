//! What a simulated disk holds: what reads see, what would be there after a crash, and what is in between.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::Trouble;

const SECTOR_BYTES: usize = 512;

#[derive(Default)]
pub(super) struct State {
    pub(super) files: Vec<Contents>,
    pub(super) names: BTreeMap<PathBuf, usize>,
    pub(super) durable_names: BTreeMap<PathBuf, usize>,
    pub(super) name_changes: Vec<NameChange>,
    pub(super) steps: u64,
    pub(super) trouble: Option<(u64, Trouble)>,
    pub(super) down: bool,
    pub(super) capacity_bytes: Option<usize>,
    pub(super) lies: bool,
    /// How many reads until one has a bit inverted, and which.
    pub(super) flip_in_read: Option<(u64, usize)>,
}

#[derive(Default)]
pub(super) struct Contents {
    pub(super) seen: Vec<u8>,
    pub(super) durable: Vec<u8>,
    pub(super) unsynced: Vec<(usize, Vec<u8>)>,
}

#[derive(Clone)]
pub(super) enum NameChange {
    Link(PathBuf, usize),
    Unlink(PathBuf),
}

impl State {
    pub(super) fn used_bytes(&self) -> usize {
        self.names.values().map(|&id| self.files[id].seen.len()).sum()
    }

    pub(super) fn check_power(&self) -> io::Result<()> {
        match self.down {
            true => Err(io::Error::other("the simulated power is off")),
            false => Ok(()),
        }
    }

    /// Counts a step; answers what is to go wrong with it, crashes excepted, which fail here.
    pub(super) fn step(&mut self) -> io::Result<Option<Trouble>> {
        self.check_power()?;
        let step = self.steps;
        self.steps += 1;
        match self.trouble {
            Some((at, Trouble::Crash)) if at == step => {
                self.down = true;
                self.check_power()?;
                Ok(None)
            }
            Some((at, trouble)) if at == step => Ok(Some(trouble)),
            _ => Ok(None),
        }
    }

    /// Counts a step that writes no file contents.
    pub(super) fn step_without_data(&mut self) -> io::Result<()> {
        match self.step()? {
            None | Some(Trouble::Lost | Trouble::Misdirected(_)) => Ok(()),
            Some(Trouble::Error) => Err(io::Error::other("simulated I/O error")),
            Some(Trouble::Crash | Trouble::TearAt(_)) => {
                self.down = true;
                self.check_power()
            }
        }
    }

    /// Inverts the bit that was asked for if this is the read.
    pub(super) fn flip_if_due(&mut self, buffer: &mut [u8]) {
        match self.flip_in_read.take() {
            Some((0, bit)) if !buffer.is_empty() => {
                let bit = bit % (buffer.len() * 8);
                buffer[bit / 8] ^= 1 << (bit % 8);
            }
            Some((reads, bit)) => self.flip_in_read = Some((reads.saturating_sub(1), bit)),
            None => {}
        }
    }

    pub(super) fn change_name(&mut self, change: NameChange) {
        change.clone().apply(&mut self.names);
        self.name_changes.push(change);
    }
}

impl NameChange {
    pub(super) fn path(&self) -> &Path {
        match self {
            NameChange::Link(path, _) | NameChange::Unlink(path) => path,
        }
    }

    pub(super) fn apply(self, names: &mut BTreeMap<PathBuf, usize>) {
        match self {
            NameChange::Link(path, id) => {
                names.retain(|_, linked| *linked != id);
                names.insert(path, id);
            }
            NameChange::Unlink(path) => {
                names.remove(&path);
            }
        }
    }
}

pub(super) fn put(contents: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if contents.len() < end {
        contents.resize(end, 0);
    }
    contents[offset..end].copy_from_slice(bytes);
}

/// Each sector of the write survives or not; all and nothing are as likely as a mixture.
pub(super) fn keep_some_sectors(durable: &mut Vec<u8>, offset: usize, bytes: &[u8], chance: &mut Chance) {
    let mood = chance.below(3);
    let mut from = 0;
    while from < bytes.len() {
        let to = bytes.len().min((offset + from) / SECTOR_BYTES * SECTOR_BYTES + SECTOR_BYTES - offset);
        if mood == 0 || (mood == 1 && chance.below(2) == 0) {
            put(durable, offset + from, &bytes[from..to]);
        }
        from = to;
    }
}

/// A small generator of chance (splitmix64), so that images depend on the seed alone.
pub(super) struct Chance(pub(super) u64);

impl Chance {
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % (bound as u64)).expect("below a usize")
    }
}
