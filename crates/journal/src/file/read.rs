//! Reading durable frames from segments, one by one or in a row, while frames are appended.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::index::{Run, Shared};
use crate::disk::{Disk, DiskFile, RealDisk};
use crate::fault::Fault;
use crate::frame::{Frame, FrameFault, FrameHeader, HEADER_BYTES, peek};
use crate::journal::{FrameSource, Head, JournalRead, Witness};

/// A source reads this many bytes at a time.
const READ_AHEAD_BYTES: u64 = 1024 * 1024;

/// A handle on a file journal's durable frames. Cheap to clone.
pub struct FileReader<D: Disk = RealDisk>(pub(super) Arc<Shared<D>>);

impl<D: Disk> Clone for FileReader<D> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<D: Disk> JournalRead for FileReader<D> {
    fn head(&self) -> Head {
        self.0.index().head()
    }

    fn frame_at(&self, sequence: u64) -> Result<Option<Frame>, Fault> {
        if sequence > self.head().sequence {
            return Ok(None);
        }
        if let Some(frame) = self.0.cached(sequence) {
            return Ok(Some(frame));
        }
        let Some(run) = self.0.index().run_of(sequence) else { return Ok(None) };
        let frame = find_in_run(&*self.0.file(&run)?, &run, sequence)?;
        self.0.cache(&frame);
        Ok(Some(frame))
    }

    fn frames_from(&self, sequence: u64) -> Result<Box<dyn FrameSource>, Fault> {
        Ok(Box::new(FileSource::new(self.clone(), sequence, true)))
    }
}

impl<D: Disk> FileReader<D> {
    /// Whether the journal still has what a witness saw; if not, it is damaged.
    pub fn check_witness(&self, witness: &Witness) -> Result<(), Fault> {
        let head = self.head();
        let (path, offset) = {
            let index = self.0.index();
            (index.open().path.clone(), index.open().frames_end)
        };
        if witness.sequence > head.sequence {
            let why = format!(
                "the journal ends with sequence {}, but sequence {} was durable once",
                head.sequence, witness.sequence
            );
            return Err(Fault::corrupt(&path, offset, why));
        }
        let found = match witness.sequence == head.sequence {
            true => Some(head.hash),
            false => self.frame_at(witness.sequence)?.map(|frame| frame.hash()),
        };
        match found {
            Some(hash) if hash != witness.hash => {
                let why = format!(
                    "the frame of sequence {} is not the one that was durable once",
                    witness.sequence
                );
                let run = self.0.index().run_of(witness.sequence);
                let (path, offset) = run.map_or((path, offset), |run| (run.path, run.from));
                Err(Fault::corrupt(&path, offset, why))
            }
            Some(_) | None => Ok(()),
        }
    }
}

fn damaged(path: &Path, offset: u64, sequence: u64, fault: &FrameFault) -> Fault {
    Fault::corrupt(path, offset, format!("sequence {sequence}: {fault}"))
}

fn last_sequence(header: &FrameHeader) -> u64 {
    header.first_sequence.saturating_add(u64::from(header.entries)).saturating_sub(1)
}

fn find_in_run<F: DiskFile>(file: &F, run: &Run, sequence: u64) -> Result<Frame, Fault> {
    let mut bytes = vec![0; usize::try_from(run.until - run.from).expect("a run fits memory")];
    file.read_exact_at(&mut bytes, run.from).map_err(Fault::io(&run.path))?;
    let mut at = 0;
    loop {
        let offset = run.from + at as u64;
        let rest = bytes.get(at..).unwrap_or_default();
        let (header, len) = peek(rest).map_err(|fault| damaged(&run.path, offset, sequence, &fault))?;
        if last_sequence(&header) >= sequence {
            let (frame, _) =
                Frame::decode(rest).map_err(|fault| damaged(&run.path, offset, sequence, &fault))?;
            if !frame.holds(sequence) {
                let found = frame.header().first_sequence;
                let why = format!("found a frame from sequence {found}, wanted sequence {sequence}");
                return Err(Fault::corrupt(&run.path, offset, why));
            }
            return Ok(frame);
        }
        at += len;
    }
}

/// Frames in order, read ahead in large pieces; at the head it waits for more to become durable.
pub(super) struct FileSource<D: Disk> {
    reader: FileReader<D>,
    next_sequence: u64,
    /// Segment (by first sequence) and offset of the next frame, once known.
    next: Option<(u64, u64)>,
    /// Bytes read ahead, their segment and the offset they begin at.
    ahead: Vec<u8>,
    ahead_from: (u64, u64),
    last_place: (PathBuf, u64),
    cached: bool,
}

impl<D: Disk> FileSource<D> {
    /// `cached` frames need no reading; a scrub wants what is on the disk.
    pub(super) fn new(reader: FileReader<D>, sequence: u64, cached: bool) -> Self {
        let last_place = (reader.0.dir.clone(), 0);
        let (next_sequence, ahead) = (sequence.max(1), Vec::new());
        Self { reader, next_sequence, next: None, ahead, ahead_from: (0, 0), last_place, cached }
    }

    /// Makes sure that `len` bytes at the offset are read ahead, if the segment's frames reach so far.
    fn fill(&mut self, run: &Run, offset: u64, len: usize) -> Result<(), Fault> {
        let (segment, from) = self.ahead_from;
        let until = from + self.ahead.len() as u64;
        if segment == run.first_sequence && from <= offset && offset + len as u64 <= until {
            return Ok(());
        }
        let wanted = READ_AHEAD_BYTES.max(len as u64).min(run.frames_end.saturating_sub(offset));
        self.ahead.resize(usize::try_from(wanted).expect("a piece fits memory"), 0);
        self.ahead_from = (run.first_sequence, offset);
        let file = self.reader.0.file(run)?;
        let read = file.read_exact_at(&mut self.ahead, offset);
        if read.is_err() {
            self.ahead.clear();
        }
        read.map_err(Fault::io(&run.path))
    }

    fn ahead_at(&self, offset: u64) -> &[u8] {
        let skip = usize::try_from(offset - self.ahead_from.1).expect("within what was read ahead");
        self.ahead.get(skip..).unwrap_or_default()
    }
}

impl<D: Disk> FrameSource for FileSource<D> {
    fn next_frame(&mut self) -> Result<Option<Frame>, Fault> {
        let sequence = self.next_sequence;
        let Some(run) = self.reader.0.index().run_of(sequence) else { return Ok(None) };
        let known = self.next.filter(|(segment, _)| *segment == run.first_sequence);
        let mut offset = known.map_or(run.from, |(_, offset)| offset);
        if self.cached
            && known.is_some()
            && let Some(frame) = self.reader.0.cached(sequence)
            && frame.header().first_sequence == sequence
        {
            self.step(&run, offset, &frame);
            return Ok(Some(frame));
        }
        loop {
            let fail = |fault: FrameFault| damaged(&run.path, offset, sequence, &fault);
            self.fill(&run, offset, HEADER_BYTES)?;
            let (header, len) = peek(self.ahead_at(offset)).map_err(fail)?;
            if last_sequence(&header) < sequence {
                offset += len as u64;
                continue;
            }
            self.fill(&run, offset, len)?;
            let (frame, _) = Frame::decode(self.ahead_at(offset)).map_err(fail)?;
            self.step(&run, offset, &frame);
            return Ok(Some(frame));
        }
    }

    fn place(&self) -> (PathBuf, u64) {
        self.last_place.clone()
    }
}

impl<D: Disk> FileSource<D> {
    fn step(&mut self, run: &Run, offset: u64, frame: &Frame) {
        self.next = Some((run.first_sequence, offset + frame.bytes().len() as u64));
        self.next_sequence = frame.last_sequence() + 1;
        if self.last_place.0 != run.path {
            self.last_place.0.clone_from(&run.path);
        }
        self.last_place.1 = offset;
    }
}
