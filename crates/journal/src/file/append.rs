//! The appending side of the file journal: one write and one sync a frame, and no second try after a failure.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::index::Shared;
use super::read::FileReader;
use super::recover::{self, Found, head_path, journal_dir};
use super::segment::{self, Segment};
use super::spare::{Spare, SpareOrder, is_spare, write_zeros};
use super::witness::HeadFile;
use super::{Options, Recovery, Space, TornTail};
use crate::disk::{Disk, DiskFile, RealDisk};
use crate::fault::Fault;
use crate::frame::Frame;
use crate::journal::{Head, Journal, JournalRead, Outcome, Witness};

const WITNESS_EVERY_US: u64 = 1_000_000;

/// A journal in files, synchronous: `append` returns when the frame is durable.
///
/// The caller holds [`Lock::exclusive`](super::Lock::exclusive) on the directory as long as it lives.
/// [`JournalThread`](super::JournalThread) runs it on a thread of its own; its own [`Journal`] implementation
/// appends within `submit`, for simulations.
pub struct FileJournal<D: Disk = RealDisk> {
    shared: Arc<Shared<D>>,
    options: Options,
    /// The open segment, for writing.
    file: D::File,
    /// The open segment has its footer: the next frame begins another.
    sealed: bool,
    spare: Option<Spare<D>>,
    spares_ordered: u64,
    space: Space,
    stopped: Option<String>,
    head_file: HeadFile<D>,
    witnessed: (u64, u64),
    outcomes: VecDeque<Outcome>,
}

impl<D: Disk> FileJournal<D> {
    /// Makes an empty journal of this ledger in the ledger's directory, and opens it.
    pub fn create(disk: D, dir: &Path, ledger: [u8; 16], options: Options) -> Result<Self, Fault> {
        assert!(options.segment_bytes >= 1024, "a segment has at least 1 KiB");
        let journal_dir = journal_dir(dir);
        disk.create_dir(&journal_dir).map_err(Fault::io(&journal_dir))?;
        let names = disk.list(&journal_dir).map_err(Fault::io(&journal_dir))?;
        if names.iter().any(|name| segment::parse_file_name(name).is_some()) {
            return Err(Fault::Exists { path: dir.to_owned() });
        }
        let head_file = HeadFile::create(&disk, &head_path(dir))?;
        disk.sync_dir(dir).map_err(Fault::io(dir))?;
        let order = SpareOrder {
            disk: disk.clone(),
            path: journal_dir.join("spare-0.tmp"),
            len: options.segment_bytes,
        };
        let spare = order.run().map_err(|why| Fault::Full { why })?;
        let (file, open) = begin_segment(&disk, &journal_dir, spare, Head::empty(ledger))?;
        let shared = Arc::new(Shared::new(disk, dir.to_owned(), vec![open]));
        Ok(Self::assemble(shared, options, file, false, head_file))
    }

    /// Opens the journal in the ledger's directory: finds the head, cuts off a torn last frame if it is newer
    /// than every witness (the `head` file is one, `witnesses` are more), and makes what it found durable.
    /// Damage is [`Fault::Corrupt`], and nothing is changed.
    pub fn open(
        disk: D,
        dir: &Path,
        witnesses: &[Witness],
        options: Options,
    ) -> Result<(Self, Recovery), Fault> {
        assert!(options.segment_bytes >= 1024, "a segment has at least 1 KiB");
        let found = recover::find(&disk, dir)?;
        let head = found.open_segment().end;
        let shared = Arc::new(Shared::new(disk.clone(), dir.to_owned(), found.segments.clone()));
        let notes = check_witnesses(&FileReader(Arc::clone(&shared)), &found, witnesses)?;

        let journal_dir = journal_dir(dir);
        remove_spares(&disk, &journal_dir)?;
        let path = &found.open_segment().path;
        let file = disk.open_write(path).map_err(Fault::io(path))?;
        let torn = cut_torn_tail(&disk, dir, &file, &found)?;
        make_durable(&file, &found).map_err(Fault::io(path))?;
        disk.sync_dir(&journal_dir).map_err(Fault::io(&journal_dir))?;

        let head_path = head_path(dir);
        let head_file = match &found.head_seen {
            Some(seen) => HeadFile::open(&disk, &head_path, seen)?,
            None => HeadFile::create(&disk, &head_path)?,
        };
        disk.sync_dir(dir).map_err(Fault::io(dir))?;
        let mut journal = Self::assemble(shared, options, file, found.sealed, head_file);
        journal.head_file.write(&head)?;
        Ok((journal, Recovery { head, torn, notes }))
    }

    fn assemble(
        shared: Arc<Shared<D>>,
        options: Options,
        file: D::File,
        sealed: bool,
        head_file: HeadFile<D>,
    ) -> Self {
        let witnessed = (shared.index().head().sequence, 0);
        Self {
            shared,
            options,
            file,
            sealed,
            spare: None,
            spares_ordered: 1,
            space: Space::Enough,
            stopped: None,
            head_file,
            witnessed,
            outcomes: VecDeque::new(),
        }
    }

    /// A handle on the durable frames; it may outlive the journal.
    pub fn reader(&self) -> FileReader<D> {
        FileReader(Arc::clone(&self.shared))
    }

    /// The last durable frame's place.
    pub fn head(&self) -> Head {
        self.shared.index().head()
    }

    /// Whether there will be room for the frames to come.
    pub fn space(&self) -> &Space {
        &self.space
    }

    /// Makes the frame durable. [`Fault::NotNext`] and [`Fault::Full`] leave the journal as it was; after any
    /// other fault the frame's fate is unknown, and everything later is [`Fault::Stopped`].
    pub fn append(&mut self, frame: &Frame) -> Result<(), Fault> {
        self.check_running()?;
        self.head().check_next(frame).map_err(|why| Fault::NotNext { why })?;
        let len = frame.bytes().len();
        if self.sealed || !self.shared.index().open().has_room(len) {
            self.begin_next_segment(len)?;
        }
        let (path, offset) = {
            let index = self.shared.index();
            (index.open().path.clone(), index.open().frames_end)
        };
        let written = self.file.write_all_at(frame.bytes(), offset).and_then(|()| self.file.sync_data());
        self.or_stop(written.map_err(Fault::io(&path)))?;
        self.shared.cache(frame);
        self.shared.index_mut().open_mut().add(Head::after(frame), len);
        Ok(())
    }

    /// Makes the next segment if less than half of the open one is left. Call it in idle time; a failure is
    /// told by [`space`](Self::space), and a later call tries again.
    pub fn prepare_next(&mut self) {
        if let Some(order) = self.spare_wanted() {
            self.take_spare(order.run());
        }
    }

    /// The order for the next segment if it is wanted now: [run](SpareOrder::run) it on a thread that may wait, and
    /// [hand in](Self::take_spare) what comes of it. Not asked again meanwhile.
    pub fn spare_wanted(&mut self) -> Option<SpareOrder<D>> {
        let room_bytes = self.shared.index().open().room_bytes();
        let plenty = !self.sealed && room_bytes > self.options.segment_bytes / 2;
        if plenty || self.spare.is_some() || self.stopped.is_some() {
            return None;
        }
        Some(self.order_spare(self.options.segment_bytes))
    }

    /// Takes the next segment, or the reason why it cannot be made.
    pub fn take_spare(&mut self, made: Result<Spare<D>, String>) {
        match made {
            Ok(spare) => {
                self.space = Space::Enough;
                self.keep_spare(spare);
            }
            Err(why) => self.space = Space::Low { why },
        }
    }

    /// Writes the head witness if the head moved and the last one is a second old. `now_us` is any clock in
    /// microseconds that does not run backwards.
    pub fn write_witness(&mut self, now_us: u64) -> Result<(), Fault> {
        let due = now_us.saturating_sub(self.witnessed.1) >= WITNESS_EVERY_US || self.witnessed.1 == 0;
        if due && self.head().sequence != self.witnessed.0 {
            self.write_head()?;
            self.witnessed.1 = now_us;
        }
        Ok(())
    }

    /// A clean stop: the head witness is exact on return.
    pub fn close(mut self) -> Result<(), Fault> {
        self.write_head()
    }

    fn write_head(&mut self) -> Result<(), Fault> {
        self.check_running()?;
        let head = self.head();
        let written = self.head_file.write(&head);
        self.or_stop(written)?;
        self.witnessed.0 = head.sequence;
        Ok(())
    }

    fn order_spare(&mut self, len: u64) -> SpareOrder<D> {
        let name = format!("spare-{}.tmp", self.spares_ordered);
        self.spares_ordered += 1;
        SpareOrder { disk: self.shared.disk.clone(), path: journal_dir(&self.shared.dir).join(name), len }
    }

    /// Keeps one spare; another one came too late and is removed.
    fn keep_spare(&mut self, spare: Spare<D>) {
        match &self.spare {
            None => self.spare = Some(spare),
            // A file that cannot be removed is removed at the next start.
            Some(_) => drop(self.shared.disk.remove(&spare.path)),
        }
    }

    /// Seals the open segment and goes on in the spare, or in a new one if there is none that is long enough.
    fn begin_next_segment(&mut self, frame_len: usize) -> Result<(), Fault> {
        let len = segment::segment_len_for(frame_len, self.options.segment_bytes);
        let spare = match self.spare.take_if(|spare| spare.len >= len) {
            Some(spare) => spare,
            None => self.order_spare(len).run().map_err(|why| {
                self.space = Space::Low { why: why.clone() };
                Fault::Full { why }
            })?,
        };
        self.space = Space::Enough;
        let moved = self.seal().and_then(|()| {
            begin_segment(&self.shared.disk, &journal_dir(&self.shared.dir), spare, self.head())
        });
        let (file, open) = self.or_stop(moved)?;
        self.file = file;
        self.sealed = false;
        self.shared.index_mut().segments.push(open);
        Ok(())
    }

    fn seal(&mut self) -> Result<(), Fault> {
        if self.sealed {
            return Ok(());
        }
        let (footer, offset, path) = {
            let index = self.shared.index();
            let footer = segment::footer_bytes(index.open());
            let offset = index.open().len - footer.len() as u64;
            (footer, offset, index.open().path.clone())
        };
        self.sealed = true;
        self.file.write_all_at(&footer, offset).and_then(|()| self.file.sync_data()).map_err(Fault::io(&path))
    }

    fn check_running(&self) -> Result<(), Fault> {
        match &self.stopped {
            None => Ok(()),
            Some(why) => Err(Fault::Stopped { why: why.clone() }),
        }
    }

    /// A failed write leaves memory and disk apart, and a failed sync may have thrown data away while a second
    /// one would succeed: only a restart repairs that.
    fn or_stop<T>(&mut self, done: Result<T, Fault>) -> Result<T, Fault> {
        if let Err(fault) = &done {
            self.stopped = Some(fault.to_string());
        }
        done
    }
}

/// Appends within `submit` and prepares the next segment there too.
impl<D: Disk> Journal for FileJournal<D> {
    fn submit(&mut self, frame: Frame) {
        let outcome = outcome_of(self.append(&frame), &frame);
        self.outcomes.push_back(outcome);
        self.prepare_next();
    }

    fn poll(&mut self) -> Option<Outcome> {
        self.outcomes.pop_front()
    }
}

/// What a fault of `append` means for the frame.
pub(super) fn outcome_of(appended: Result<(), Fault>, frame: &Frame) -> Outcome {
    match appended {
        Ok(()) => Outcome::Durable { last_sequence: frame.last_sequence() },
        Err(fault @ (Fault::NotNext { .. } | Fault::Full { .. })) => {
            Outcome::Refused { why: fault.to_string() }
        }
        Err(fault) => Outcome::Unknown { why: fault.to_string() },
    }
}

/// Gives a spare its header and name, durably.
fn begin_segment<D: Disk>(
    disk: &D,
    journal_dir: &Path,
    spare: Spare<D>,
    start: Head,
) -> Result<(D::File, Segment), Fault> {
    let path = journal_dir.join(segment::file_name(start.sequence + 1));
    let header = segment::header_bytes(&start, spare.len);
    let named = spare
        .file
        .write_all_at(&header, 0)
        .and_then(|()| spare.file.sync_data())
        .and_then(|()| disk.rename(&spare.path, &path))
        .and_then(|()| disk.sync_dir(journal_dir));
    named.map_err(Fault::io(&path))?;
    Ok((spare.file, Segment::empty(path, start, spare.len)))
}

pub(super) fn check_witnesses<D: Disk>(
    reader: &FileReader<D>,
    found: &Found,
    witnesses: &[Witness],
) -> Result<Vec<String>, Fault> {
    let mut notes = Vec::new();
    match &found.head_seen {
        None => notes
            .push("there is no head file: how far the journal reached is known from its frames alone".into()),
        Some(seen) => {
            if seen.damaged_slots > 0 {
                notes.push(format!("{} of the head file's two slots is damaged", seen.damaged_slots));
            }
            if let Some((_, Head { sequence, hash, .. })) = seen.newest {
                reader.check_witness(&Witness { sequence, hash })?;
            }
        }
    }
    for witness in witnesses {
        reader.check_witness(witness)?;
    }
    debug_assert_eq!(reader.head(), found.open_segment().end);
    Ok(notes)
}

fn remove_spares<D: Disk>(disk: &D, journal_dir: &Path) -> Result<(), Fault> {
    for name in disk.list(journal_dir).map_err(Fault::io(journal_dir))? {
        if is_spare(&name) {
            let path = journal_dir.join(name);
            disk.remove(&path).map_err(Fault::io(&path))?;
        }
    }
    Ok(())
}

/// Keeps a torn tail's bytes in quarantine, durably, and then overwrites them with zeros.
fn cut_torn_tail<D: Disk>(
    disk: &D,
    dir: &Path,
    file: &D::File,
    found: &Found,
) -> Result<Option<TornTail>, Fault> {
    let Some(torn) = &found.torn else { return Ok(None) };
    let open = found.open_segment();
    let sequence = open.end.sequence + 1;
    let quarantine = dir.join("quarantine");
    disk.create_dir(&quarantine).map_err(Fault::io(&quarantine))?;
    let number = disk.list(&quarantine).map_err(Fault::io(&quarantine))?.len();
    let kept: PathBuf = quarantine.join(format!("{sequence:020}-{number}.torn"));
    let written = disk.create(&kept).and_then(|copy| {
        copy.write_all_at(&torn.bytes, 0)?;
        copy.sync_data()?;
        disk.sync_dir(&quarantine)
    });
    written.map_err(Fault::io(&kept))?;
    let len = torn.bytes.len() as u64;
    write_zeros(file, torn.from, len).and_then(|()| file.sync_data()).map_err(Fault::io(&open.path))?;
    Ok(Some(TornTail {
        path: open.path.clone(),
        offset: open.frames_end,
        sequence,
        bytes: len,
        why: torn.why.clone(),
        quarantine: Some(kept),
    }))
}

/// Writes the last bytes again before the sync: after a sync that failed in the process before, they may be
/// readable from memory only, and a sync alone would not put them on the disk.
fn make_durable<F: DiskFile>(file: &F, found: &Found) -> std::io::Result<()> {
    let open = found.open_segment();
    if found.sealed {
        let footer = segment::footer_bytes(open);
        file.write_all_at(&footer, open.len - footer.len() as u64)?;
    } else if let Some((offset, frame)) = &found.last_frame {
        file.write_all_at(frame.bytes(), *offset)?;
    }
    file.sync_data()
}
