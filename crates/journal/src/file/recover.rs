//! Finding the head after a stop of any kind: what is whole, what is torn, and what is damage.
//!
//! | found in the open segment behind the last frame that follows | is |
//! |---|---|
//! | zeros only | a clean end |
//! | bytes that are no frame, no valid frame of later sequence behind them, no witness beyond | a torn last frame |
//! | bytes that are no frame, and a valid frame behind them | damage |
//! | a valid frame that does not follow, or one of a newer format | damage |
//! | the end, but a witness saw a later frame | damage |

use std::path::{Path, PathBuf};

use super::segment::{self, Segment};
use super::witness::{self, HeadSeen};
use crate::disk::{Disk, DiskFile};
use crate::fault::Fault;
use crate::frame::{FRAME_BYTES_MAX, Frame, FrameFault, MAGIC};
use crate::journal::Head;

const PIECE_BYTES: usize = 1024 * 1024;

pub(super) fn journal_dir(dir: &Path) -> PathBuf {
    dir.join("journal")
}

pub(super) fn head_path(dir: &Path) -> PathBuf {
    dir.join("head")
}

/// What the files say, nothing changed.
pub(super) struct Found {
    /// In order, at least one.
    pub(super) segments: Vec<Segment>,
    /// The last segment has a valid footer.
    pub(super) sealed: bool,
    /// Offset and frame of the last frame of an open segment.
    pub(super) last_frame: Option<(u64, Frame)>,
    pub(super) torn: Option<TornBytes>,
    pub(super) head_seen: Option<HeadSeen>,
}

/// Bytes behind the last whole frame of the open segment.
pub(super) struct TornBytes {
    /// Offset of the first byte that is not zero.
    pub(super) from: u64,
    /// From the first to the last byte that is not zero.
    pub(super) bytes: Vec<u8>,
    pub(super) why: String,
}

impl Found {
    pub(super) fn open_segment(&self) -> &Segment {
        self.segments.last().expect("at least one segment")
    }
}

/// Reads what is needed to know the head: the footers, and the open segment.
pub(super) fn find<D: Disk>(disk: &D, dir: &Path) -> Result<Found, Fault> {
    let journal_dir = journal_dir(dir);
    let names = disk.list(&journal_dir).map_err(Fault::io(&journal_dir))?;
    let firsts: Vec<u64> = names.iter().filter_map(|name| segment::parse_file_name(name)).collect();
    let Some((&last_first, sealed_firsts)) = firsts.split_last() else {
        return Err(Fault::Missing { path: journal_dir });
    };
    let mut segments: Vec<Segment> = Vec::with_capacity(firsts.len());
    for &first in sealed_firsts {
        let path = journal_dir.join(segment::file_name(first));
        let file = disk.open_read(&path).map_err(Fault::io(&path))?;
        let sealed = segment::read_footer(&file, &path, first)?.map_err(|why| {
            Fault::corrupt(&path, 0, format!("{why}; the segments after it exist, so it was sealed"))
        })?;
        check_follows(segments.last(), &sealed)?;
        segments.push(sealed);
    }
    let path = journal_dir.join(segment::file_name(last_first));
    let file = disk.open_read(&path).map_err(Fault::io(&path))?;
    let mut open = segment::read_header(&file, &path, last_first)?;
    let footer = segment::read_footer(&file, &path, last_first)?;
    let (mut sealed, mut last_frame, mut torn) = (false, None, None);
    match footer {
        Ok(footer) if footer.start == open.start => {
            open = footer;
            sealed = true;
        }
        Ok(_) | Err(_) => {
            check_follows(segments.last(), &open)?;
            (last_frame, torn) = read_open_segment(&file, &mut open)?;
        }
    }
    check_follows(segments.last(), &open)?;
    segments.push(open);
    let head_seen = witness::read(disk, &head_path(dir))?;
    Ok(Found { segments, sealed, last_frame, torn, head_seen })
}

pub(super) fn check_follows(before: Option<&Segment>, next: &Segment) -> Result<(), Fault> {
    let why = match before {
        None if next.start.sequence != 0 => {
            format!(
                "the first segment begins with sequence {}, wanted 1: a segment is missing",
                next.first_sequence()
            )
        }
        Some(before) if before.end.sequence != next.start.sequence => format!(
            "the segment begins with sequence {}, the one before ends with {}: a segment is missing or cut short",
            next.first_sequence(),
            before.end.sequence
        ),
        Some(before) if before.end != next.start => {
            format!("the segment of sequence {} does not follow the one before it", next.first_sequence())
        }
        None | Some(_) => return Ok(()),
    };
    Err(Fault::corrupt(&next.path, 16, why))
}

type OpenEnd = (Option<(u64, Frame)>, Option<TornBytes>);

/// Walks the frames of the open segment, noting them in `open`, and judges what lies behind the last one.
fn read_open_segment<F: DiskFile>(file: &F, open: &mut Segment) -> Result<OpenEnd, Fault> {
    let mut window = Window { file, path: open.path.clone(), len: open.len, from: 0, bytes: Vec::new() };
    let mut last_frame = None;
    let why = loop {
        let offset = open.frames_end;
        let (frame, len) = match Frame::decode(window.at(offset)?) {
            Ok(decoded) => decoded,
            Err(FrameFault::Version { found }) if found != 0 => {
                let why = format!("sequence {}: {}", open.end.sequence + 1, FrameFault::Version { found });
                return Err(Fault::corrupt(&open.path, offset, why));
            }
            Err(why) => break why,
        };
        open.end.check_next(&frame).map_err(|why| Fault::corrupt(&open.path, offset, why))?;
        open.add(Head::after(&frame), len);
        last_frame = Some((offset, frame));
    };
    let torn = read_tail(file, open, &why)?;
    if let Some(torn) = &torn {
        check_no_frame_behind(open, torn)?;
    }
    Ok((last_frame, torn))
}

/// The bytes behind the last frame, if they are not all zero.
fn read_tail<F: DiskFile>(file: &F, open: &Segment, why: &FrameFault) -> Result<Option<TornBytes>, Fault> {
    let mut bounds: Option<(u64, u64)> = None;
    let mut piece = vec![0; PIECE_BYTES];
    let mut at = open.frames_end;
    while at < open.len {
        let len = usize::try_from(open.len - at).unwrap_or(PIECE_BYTES).min(PIECE_BYTES);
        file.read_exact_at(&mut piece[..len], at).map_err(Fault::io(&open.path))?;
        if let Some(first) = piece[..len].iter().position(|byte| *byte != 0) {
            let last = piece[..len].iter().rposition(|byte| *byte != 0).expect("there is a first one");
            let from = bounds.map_or(at + first as u64, |(from, _)| from);
            bounds = Some((from, at + last as u64 + 1));
        }
        at += len as u64;
    }
    let Some((from, until)) = bounds else { return Ok(None) };
    let mut bytes = vec![0; usize::try_from(until - from).expect("a segment fits memory")];
    file.read_exact_at(&mut bytes, from).map_err(Fault::io(&open.path))?;
    Ok(Some(TornBytes { from, bytes, why: why.to_string() }))
}

/// A frame is written only after the one before it is durable, so a whole later frame proves that the bytes
/// before it were whole once; and a torn write leaves no whole frame, so one that lies elsewhere was misplaced.
fn check_no_frame_behind(open: &Segment, torn: &TornBytes) -> Result<(), Fault> {
    for (at, window) in torn.bytes.windows(MAGIC.len()).enumerate() {
        if window != MAGIC {
            continue;
        }
        let Ok((frame, _)) = Frame::decode(&torn.bytes[at..]) else { continue };
        let header = frame.header();
        if header.ledger == open.start.ledger && header.first_sequence > open.end.sequence {
            let why = format!(
                "the frame of sequence {} is damaged ({}), and a whole frame from sequence {} follows at byte {}",
                open.end.sequence + 1,
                torn.why,
                header.first_sequence,
                torn.from + at as u64
            );
            return Err(Fault::corrupt(&open.path, open.frames_end, why));
        }
    }
    Ok(())
}

/// A piece of a file in memory, large enough for any frame.
struct Window<'a, F> {
    file: &'a F,
    path: PathBuf,
    len: u64,
    from: u64,
    bytes: Vec<u8>,
}

impl<F: DiskFile> Window<'_, F> {
    /// Bytes from the offset, at least as many as a frame may have unless the file ends.
    fn at(&mut self, offset: u64) -> Result<&[u8], Fault> {
        let until = self.from + self.bytes.len() as u64;
        let enough = offset >= self.from && (offset + FRAME_BYTES_MAX as u64 <= until || until == self.len);
        if !enough {
            let wanted = (self.len - offset).min((FRAME_BYTES_MAX + PIECE_BYTES) as u64);
            self.bytes.resize(usize::try_from(wanted).expect("a piece fits memory"), 0);
            self.file.read_exact_at(&mut self.bytes, offset).map_err(Fault::io(&self.path))?;
            self.from = offset;
        }
        let skip = usize::try_from(offset - self.from).expect("within the window");
        Ok(&self.bytes[skip..])
    }
}
