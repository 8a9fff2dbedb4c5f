//! A disk in memory that crashes, tears writes, flips bits, fails, lies and fills up at a chosen step.
//!
//! Deterministic: the same calls and the same seed give the same image. It is as unkind as a real disk may be:
//! after a crash any part of what was written and not synced may be there, by sectors of 512 bytes; names not
//! synced are there up to a point; and a failed sync throws data away while reads still show it, until the next
//! crash. Asked to, it is worse than a disk may be: it loses or misplaces a write that it said was done, answers
//! syncs without doing them, and reads a bit that is not there.

mod state;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use crate::disk::{Disk, DiskFile};
use state::{Chance, Contents, NameChange, State, keep_some_sectors, put};

/// What happens at a chosen step. Steps count calls that change the disk: create, write, sync, rename, remove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The power goes before the step: this call and all later ones fail until [`SimDisk::restart`].
    Crash,
    /// A write reaches the platter up to this many bytes, whatever the sectors, and the power goes.
    /// At a step that is not a write: the same as `Crash`.
    TearAt(usize),
    /// The step fails with an I/O error. A failed write leaves its first half; a failed sync drops what it
    /// should have kept, though reads still show it until a crash.
    Error,
    /// The write is said to be done and reads show it, but no sync keeps it: it is gone after a crash.
    /// At a step that is not a write: nothing.
    Lost,
    /// As `Lost`, and what it wrote lies so many bytes further on in the file, over what is there.
    Misdirected(usize),
}

/// The disk. Clones are the same disk.
#[derive(Clone, Default)]
pub struct SimDisk(Arc<Mutex<State>>);

/// An open file of a [`SimDisk`].
pub struct SimFile {
    disk: SimDisk,
    id: usize,
    writable: bool,
}

impl SimDisk {
    /// An empty disk without limits.
    pub fn new() -> Self {
        Self::default()
    }

    /// Steps done so far.
    pub fn steps(&self) -> u64 {
        self.state().steps
    }

    /// Makes the step with this number (counted from 0 at the disk's birth) go wrong.
    pub fn trouble_at(&self, step: u64, trouble: Trouble) {
        self.state().trouble = Some((step, trouble));
    }

    /// Limits the sum of all files, in bytes; `None` takes the limit away. Files longer already stay.
    pub fn limit_bytes(&self, capacity: Option<usize>) {
        self.state().capacity_bytes = capacity;
    }

    /// From now on syncs are answered and keep nothing, until the disk is told to be honest again: the next honest
    /// sync then keeps what those before it should have.
    pub fn lie_about_syncs(&self, lies: bool) {
        self.state().lies = lies;
    }

    /// One bit of what the read with this number from now (0 is the next one) returns is inverted; what is stored
    /// stays as it is.
    pub fn flip_in_read(&self, reads_until: u64, bit: usize) {
        self.state().flip_in_read = Some((reads_until, bit));
    }

    /// Whether a flip was asked for that no read met yet.
    pub fn read_flip_is_due(&self) -> bool {
        self.state().flip_in_read.is_some()
    }

    /// Sum of all files' lengths in bytes.
    pub fn used_bytes(&self) -> usize {
        self.state().used_bytes()
    }

    /// Whether a [`Trouble`] has cut the power.
    pub fn is_down(&self) -> bool {
        self.state().down
    }

    /// Cuts the power and boots again: the seed chooses which unsynced sectors and names survive. Files opened
    /// before must not be used any more.
    pub fn restart(&self, seed: u64) {
        let mut chance = Chance(seed);
        let mut state = self.state();
        for file in &mut state.files {
            let unsynced = std::mem::take(&mut file.unsynced);
            for (offset, bytes) in unsynced {
                keep_some_sectors(&mut file.durable, offset, &bytes, &mut chance);
            }
            file.seen = file.durable.clone();
        }
        let changes = std::mem::take(&mut state.name_changes);
        let kept = chance.below(changes.len() + 1);
        for change in changes.into_iter().take(kept) {
            change.apply(&mut state.durable_names);
        }
        state.names = state.durable_names.clone();
        state.down = false;
        state.trouble = None;
        state.lies = false;
    }

    /// Contents of a file as reads see them.
    pub fn read(&self, path: &Path) -> Option<Vec<u8>> {
        let state = self.state();
        state.names.get(path).map(|&id| state.files[id].seen.clone())
    }

    /// Every file there is, as reads see it.
    pub fn paths(&self) -> Vec<PathBuf> {
        self.state().names.keys().cloned().collect()
    }

    /// Inverts one bit, durably: bit 0 is the lowest of the byte at offset 0.
    pub fn flip_bit(&self, path: &Path, bit: usize) {
        let mut state = self.state();
        let id = state.names[path];
        let file = &mut state.files[id];
        for contents in [&mut file.seen, &mut file.durable] {
            contents[bit / 8] ^= 1 << (bit % 8);
        }
    }

    /// Overwrites bytes durably, without a step.
    pub fn overwrite(&self, path: &Path, offset: usize, bytes: &[u8]) {
        let mut state = self.state();
        let id = state.names[path];
        let file = &mut state.files[id];
        put(&mut file.seen, offset, bytes);
        put(&mut file.durable, offset, bytes);
    }

    /// Shortens a file durably to this many bytes.
    pub fn cut(&self, path: &Path, len: usize) {
        let mut state = self.state();
        let id = state.names[path];
        state.files[id].seen.truncate(len);
        state.files[id].durable.truncate(len);
    }

    /// Forgets a name durably.
    pub fn forget(&self, path: &Path) {
        let mut state = self.state();
        state.names.remove(path);
        state.durable_names.remove(path);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no code panics while it holds the simulated disk")
    }

    fn open(&self, path: &Path, writable: bool) -> io::Result<SimFile> {
        let state = self.state();
        state.check_power()?;
        let id = *state.names.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(SimFile { disk: self.clone(), id, writable })
    }
}

impl Disk for SimDisk {
    type File = SimFile;

    fn open_read(&self, path: &Path) -> io::Result<SimFile> {
        self.open(path, false)
    }

    fn open_write(&self, path: &Path) -> io::Result<SimFile> {
        self.open(path, true)
    }

    fn create(&self, path: &Path) -> io::Result<SimFile> {
        let mut state = self.state();
        state.step_without_data()?;
        let id = state.files.len();
        state.files.push(Contents::default());
        state.change_name(NameChange::Link(path.to_owned(), id));
        Ok(SimFile { disk: self.clone(), id, writable: true })
    }

    /// Directories are there when a file is.
    fn create_dir(&self, _: &Path) -> io::Result<()> {
        self.state().check_power()
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let state = self.state();
        state.check_power()?;
        let inside = state.names.keys().filter(|path| path.parent() == Some(dir));
        Ok(inside.filter_map(|path| path.file_name()?.to_str().map(str::to_owned)).collect())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.step_without_data()?;
        let id = *state.names.get(from).ok_or(io::ErrorKind::NotFound)?;
        state.change_name(NameChange::Link(to.to_owned(), id));
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.step_without_data()?;
        if !state.names.contains_key(path) {
            return Err(io::ErrorKind::NotFound.into());
        }
        state.change_name(NameChange::Unlink(path.to_owned()));
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.step_without_data()?;
        if state.lies {
            return Ok(());
        }
        for change in std::mem::take(&mut state.name_changes) {
            match change.path().parent() == Some(dir) {
                true => change.apply(&mut state.durable_names),
                false => state.name_changes.push(change),
            }
        }
        Ok(())
    }
}

impl DiskFile for SimFile {
    fn len(&self) -> io::Result<u64> {
        let state = self.disk.state();
        state.check_power()?;
        Ok(state.files[self.id].seen.len() as u64)
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let mut state = self.disk.state();
        state.check_power()?;
        let seen = &state.files[self.id].seen;
        let found =
            usize::try_from(offset).ok().and_then(|from| seen.get(from..from.checked_add(buffer.len())?));
        buffer.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        state.flip_if_due(buffer);
        Ok(())
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        if !self.writable {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let offset = usize::try_from(offset).expect("a simulated file fits memory");
        let mut state = self.disk.state();
        let trouble = state.step()?;
        let longer = (offset + bytes.len()).saturating_sub(state.files[self.id].seen.len());
        if longer > 0 && state.capacity_bytes.is_some_and(|capacity| state.used_bytes() + longer > capacity) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let file = &mut state.files[self.id];
        match trouble {
            None => {
                put(&mut file.seen, offset, bytes);
                file.unsynced.push((offset, bytes.to_vec()));
                Ok(())
            }
            Some(Trouble::Error) => {
                let half = &bytes[..bytes.len() / 2];
                put(&mut file.seen, offset, half);
                file.unsynced.push((offset, half.to_vec()));
                Err(io::Error::other("simulated I/O error"))
            }
            Some(Trouble::TearAt(len)) => {
                put(&mut file.durable, offset, &bytes[..len.min(bytes.len())]);
                state.down = true;
                state.check_power()
            }
            Some(Trouble::Lost) => {
                put(&mut file.seen, offset, bytes);
                Ok(())
            }
            Some(Trouble::Misdirected(by)) => {
                put(&mut file.seen, offset, bytes);
                let places = file.seen.len() - bytes.len() + 1;
                file.unsynced.push(((offset + by) % places, bytes.to_vec()));
                Ok(())
            }
            Some(Trouble::Crash) => unreachable!("a crash fails in the step"),
        }
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.disk.state();
        let trouble = state.step_without_data();
        let (down, lies) = (state.down, state.lies);
        let file = &mut state.files[self.id];
        match trouble {
            Ok(()) if lies => {}
            Ok(()) => {
                for (offset, bytes) in std::mem::take(&mut file.unsynced) {
                    put(&mut file.durable, offset, &bytes);
                }
            }
            Err(_) if down => {}
            Err(_) => file.unsynced.clear(),
        }
        trouble
    }
}
