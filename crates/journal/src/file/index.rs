//! What the appending side and the readers share: which segments there are, and the frames read last.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::segment::Segment;
use crate::disk::Disk;
use crate::fault::Fault;
use crate::frame::Frame;
use crate::journal::Head;

const POISON: &str = "no code panics while it holds this lock";
const CACHED_FRAMES_MAX: usize = 64;
const CACHED_BYTES_MAX: usize = 32 * 1024 * 1024;
const OPEN_FILES_MAX: usize = 16;

/// Invariant: `index` tells only of durable frames.
pub(super) struct Shared<D: Disk> {
    pub(super) disk: D,
    /// The ledger's directory.
    pub(super) dir: PathBuf,
    index: RwLock<Index>,
    frames: Mutex<CachedFrames>,
    /// Segments open for reading, by first sequence, the one used last at the back.
    files: Mutex<VecDeque<(u64, Arc<D::File>)>>,
}

/// Invariant: never empty of segments; in order; each starts where the one before ends; the last one is open.
pub(super) struct Index {
    pub(super) segments: Vec<Segment>,
}

#[derive(Default)]
struct CachedFrames {
    /// First and last sequence, and the frame; oldest first.
    frames: VecDeque<(u64, u64, Frame)>,
    bytes: usize,
}

/// Where to look for a sequence: a run of frames in one segment.
pub(super) struct Run {
    pub(super) path: PathBuf,
    pub(super) first_sequence: u64,
    /// Offset of the run's first frame.
    pub(super) from: u64,
    /// Offset where the run ends.
    pub(super) until: u64,
    /// Offset behind the segment's last durable frame.
    pub(super) frames_end: u64,
}

impl<D: Disk> Shared<D> {
    pub(super) fn new(disk: D, dir: PathBuf, segments: Vec<Segment>) -> Self {
        assert!(!segments.is_empty(), "a journal has at least one segment");
        Self {
            disk,
            dir,
            index: RwLock::new(Index { segments }),
            frames: Mutex::default(),
            files: Mutex::default(),
        }
    }

    pub(super) fn index(&self) -> RwLockReadGuard<'_, Index> {
        self.index.read().expect(POISON)
    }

    pub(super) fn index_mut(&self) -> RwLockWriteGuard<'_, Index> {
        self.index.write().expect(POISON)
    }

    pub(super) fn cached(&self, sequence: u64) -> Option<Frame> {
        let cached = self.frames.lock().expect(POISON);
        let mut newest_first = cached.frames.iter().rev();
        let (_, _, frame) = newest_first.find(|(first, last, _)| (*first..=*last).contains(&sequence))?;
        Some(frame.clone())
    }

    pub(super) fn cache(&self, frame: &Frame) {
        let mut cached = self.frames.lock().expect(POISON);
        cached.bytes += frame.bytes().len();
        cached.frames.push_back((frame.header().first_sequence, frame.last_sequence(), frame.clone()));
        while cached.frames.len() > CACHED_FRAMES_MAX || cached.bytes > CACHED_BYTES_MAX {
            let Some((_, _, oldest)) = cached.frames.pop_front() else { break };
            cached.bytes -= oldest.bytes().len();
        }
    }

    /// The segment of this run, open for reading.
    pub(super) fn file(&self, run: &Run) -> Result<Arc<D::File>, Fault> {
        let mut files = self.files.lock().expect(POISON);
        let known = files.iter().position(|(first_sequence, _)| *first_sequence == run.first_sequence);
        let entry = match known.and_then(|at| files.remove(at)) {
            Some(entry) => entry,
            None => {
                let file = self.disk.open_read(&run.path).map_err(Fault::io(&run.path))?;
                (run.first_sequence, Arc::new(file))
            }
        };
        let file = Arc::clone(&entry.1);
        files.push_back(entry);
        if files.len() > OPEN_FILES_MAX {
            files.pop_front();
        }
        Ok(file)
    }
}

impl Index {
    pub(super) fn head(&self) -> Head {
        self.open().end
    }

    pub(super) fn open(&self) -> &Segment {
        self.segments.last().expect("never empty")
    }

    /// All but the open one, oldest first.
    pub(super) fn sealed(&self) -> &[Segment] {
        let (_open, sealed) = self.segments.split_last().expect("never empty");
        sealed
    }

    pub(super) fn open_mut(&mut self) -> &mut Segment {
        self.segments.last_mut().expect("never empty")
    }

    /// Where to look for this sequence; `None` for 0 and beyond the head.
    pub(super) fn run_of(&self, sequence: u64) -> Option<Run> {
        if sequence == 0 || sequence > self.head().sequence {
            return None;
        }
        let at = self.segments.partition_point(|segment| segment.end.sequence < sequence);
        let segment = &self.segments[at];
        let point = segment.index.partition_point(|(first, _)| *first <= sequence);
        let from = segment.index.get(point.checked_sub(1)?)?.1;
        let until = segment.index.get(point).map_or(segment.frames_end, |(_, offset)| *offset);
        let first_sequence = segment.first_sequence();
        Some(Run { path: segment.path.clone(), first_sequence, from, until, frames_end: segment.frames_end })
    }
}
