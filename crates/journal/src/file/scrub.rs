//! Reading everything again: sealed segments are trusted at start-up, and checked here afterwards.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use super::index::Shared;
use super::read::{FileReader, FileSource};
use super::segment;
use crate::checked::Checked;
use crate::disk::{Disk, RealDisk};
use crate::fault::Fault;
use crate::journal::FrameSource;

/// Checks sealed segments, one a step, so that the caller decides how fast it goes.
pub struct Scrubber<D: Disk = RealDisk> {
    shared: Arc<Shared<D>>,
    next: usize,
}

/// A sealed segment whose every frame was read and follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentChecked {
    /// The segment.
    pub path: PathBuf,
    /// Number of its first entry.
    pub first_sequence: u64,
    /// Number of its last entry.
    pub last_sequence: u64,
    /// Bytes of frames read.
    pub bytes: u64,
}

impl<D: Disk> FileReader<D> {
    /// Begins a scrub with the oldest segment. A segment sealed meanwhile is scrubbed too.
    pub fn scrub(&self) -> Scrubber<D> {
        Scrubber { shared: Arc::clone(&self.0), next: 0 }
    }
}

impl<D: Disk> Scrubber<D> {
    /// Reads the next sealed segment from the disk: every frame, its place in the chain, and the footer.
    /// `None` when only the open segment is left.
    pub fn next_segment(&mut self) -> Result<Option<SegmentChecked>, Fault> {
        match self.next_segment_with(&mut |_| ControlFlow::Continue(()))? {
            ControlFlow::Continue(checked) => Ok(checked),
            ControlFlow::Break(()) => unreachable!("it was told to go on"),
        }
    }

    /// The same; after every frame of so many bytes `read` may rest, or break the segment off.
    pub fn next_segment_with(
        &mut self,
        read: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<ControlFlow<(), Option<SegmentChecked>>, Fault> {
        let segment = self.shared.index().sealed().get(self.next).cloned();
        let Some(segment) = segment else { return Ok(ControlFlow::Continue(None)) };
        let first_sequence = segment.first_sequence();
        let file = self.shared.disk.open_read(&segment.path).map_err(Fault::io(&segment.path))?;
        segment::read_header(&file, &segment.path, first_sequence)?;
        let footer = segment::read_footer(&file, &segment.path, first_sequence)?;
        let footer = footer.map_err(|why| Fault::corrupt(&segment.path, segment.frames_end, why))?;
        let source = FileSource::new(FileReader(Arc::clone(&self.shared)), first_sequence, false);
        let mut frames = Checked::after(source, footer.start);
        while frames.head().sequence < footer.end.sequence {
            let Some(frame) = frames.next_frame()? else {
                return Err(Fault::corrupt(&segment.path, segment.frames_end, "the segment ends early"));
            };
            if read(frame.bytes().len() as u64).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        if frames.head() != segment.end || footer.end != segment.end {
            let why = format!(
                "the frames up to sequence {} do not lead where the footer says",
                segment.end.sequence
            );
            return Err(Fault::corrupt(&segment.path, segment.frames_end, why));
        }
        self.next += 1;
        let bytes = segment.frames_end - segment::FRAMES_START;
        let last_sequence = segment.end.sequence;
        let path = segment.path;
        Ok(ControlFlow::Continue(Some(SegmentChecked { path, first_sequence, last_sequence, bytes })))
    }

    /// Goes on behind the segment that comes next: it was found damaged, and those after it are to be read too.
    pub fn skip(&mut self) {
        self.next += 1;
    }

    /// Bytes of frames in the sealed segments that are not read yet.
    pub fn bytes_left(&self) -> u64 {
        let index = self.shared.index();
        let left = index.sealed().iter().skip(self.next);
        left.map(|segment| segment.frames_end - segment::FRAMES_START).sum()
    }
}
