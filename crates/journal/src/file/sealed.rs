//! Segments that are finished: what may be copied away as it is, beside a service that goes on writing.

use std::path::{Path, PathBuf};

use super::recover::{check_follows, journal_dir};
use super::segment::{self, Segment};
use crate::disk::{Disk, RealDisk};
use crate::fault::Fault;
use crate::journal::Head;

/// A segment that nothing writes to any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedSegment {
    /// The file.
    pub path: PathBuf,
    /// Head before its first frame.
    pub start: Head,
    /// Head after its last frame. Its hash names the whole history up to there.
    pub end: Head,
    /// Length of the file in bytes.
    pub bytes: u64,
}

impl SealedSegment {
    /// Number of its first entry.
    pub fn first_sequence(&self) -> u64 {
        self.start.sequence + 1
    }
}

/// The sealed segments of the ledger's directory that begin with this sequence or later, oldest first. No lock is
/// taken and frames are not read: a segment counts once another one stands after it, and is never changed from then on.
pub fn sealed_segments(dir: &Path, from: u64) -> Result<Vec<SealedSegment>, Fault> {
    let journal_dir = journal_dir(dir);
    let names = RealDisk.list(&journal_dir).map_err(Fault::io(&journal_dir))?;
    let firsts: Vec<u64> = names.iter().filter_map(|name| segment::parse_file_name(name)).collect();
    let Some((_open, sealed_firsts)) = firsts.split_last() else {
        return Err(Fault::Missing { path: journal_dir });
    };
    let mut sealed: Vec<Segment> = Vec::new();
    for &first in sealed_firsts.iter().filter(|first| **first >= from) {
        let path = journal_dir.join(segment::file_name(first));
        let file = RealDisk.open_read(&path).map_err(Fault::io(&path))?;
        let segment = segment::read_footer(&file, &path, first)?.map_err(|why| {
            Fault::corrupt(&path, 0, format!("{why}; the segments after it exist, so it was sealed"))
        })?;
        if let Some(before) = sealed.last() {
            check_follows(Some(before), &segment)?;
        }
        sealed.push(segment);
    }
    let told = |Segment { path, start, end, len, .. }| SealedSegment { path, start, end, bytes: len };
    Ok(sealed.into_iter().map(told).collect())
}
