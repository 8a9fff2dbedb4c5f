//! The bytes of a segment around its frames: header, footer, and where the frames may lie.
//!
//! All numbers are little-endian. A *head* is 80 bytes: ledger 16, sequence 8, event 8, epoch 8, log time 8, hash 32.
//!
//! ```text
//!  offset  bytes  field
//! ───────  ─────  ────────────────────────────────────────────────────────────
//!       0      8  magic      89 42 43 53 45 47 0D 0A   (\x89 B C S E G \r \n)
//!       8      4  version    1
//!      12      4  zero
//!      16     80  start      head before the segment's first frame
//!      96      8  length     of the file in bytes
//!     104      4  crc        crc32c of bytes 0 .. 104
//!     108     20  zero
//!     128         frames, one after the other; then zeros
//!
//! once sealed, at the end of the file, with N index points:
//!       0     80  start      as in the header
//!      80     80  end        head after the segment's last frame
//!     160      8  frames end offset behind the last frame
//!     168   16·N  index      sequence 8, offset 8: a frame begins there with that sequence
//!              4  length     168 + 16·N
//!              4  crc        crc32c of the 168 + 16·N bytes
//!              8  magic      89 42 43 45 4E 44 0D 0A   (\x89 B C E N D \r \n)
//! ```

use std::path::{Path, PathBuf};

use crate::disk::DiskFile;
use crate::fault::Fault;
use crate::frame::{Fields, chain_start};
use crate::journal::Head;

const HEADER_MAGIC: [u8; 8] = *b"\x89BCSEG\r\n";
const FOOTER_MAGIC: [u8; 8] = *b"\x89BCEND\r\n";
const VERSION: u32 = 1;
const HEADER_CHECKED_BYTES: usize = 104;
const FOOTER_FIXED_BYTES: u64 = 168;
const FOOTER_TRAILER_BYTES: u64 = 16;
const INDEX_POINT_BYTES: u64 = 16;

/// Where a segment's frames begin.
pub(super) const FRAMES_START: u64 = 128;
pub(super) const HEAD_BYTES: usize = 80;

/// What is known of one segment in memory.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    pub(super) path: PathBuf,
    /// Head before the first frame.
    pub(super) start: Head,
    /// Head after the last frame.
    pub(super) end: Head,
    /// Offset behind the last frame.
    pub(super) frames_end: u64,
    /// Length of the file in bytes.
    pub(super) len: u64,
    /// Sequence and offset of some frames, in order; the first frame always.
    pub(super) index: Vec<(u64, u64)>,
}

impl Segment {
    pub(super) fn empty(path: PathBuf, start: Head, len: u64) -> Segment {
        Segment { path, start, end: start, frames_end: FRAMES_START, len, index: Vec::new() }
    }

    pub(super) fn first_sequence(&self) -> u64 {
        self.start.sequence + 1
    }

    /// Takes note of a frame at the end of the segment.
    pub(super) fn add(&mut self, end: Head, frame_len: usize) {
        let due =
            self.index.last().is_none_or(|(_, offset)| self.frames_end >= offset + index_spacing(self.len));
        if due {
            self.index.push((self.end.sequence + 1, self.frames_end));
        }
        self.frames_end += frame_len as u64;
        self.end = end;
    }

    pub(super) fn has_room(&self, frame_len: usize) -> bool {
        self.frames_end + frame_len as u64 <= frames_limit(self.len)
    }

    /// Bytes of frames that still fit.
    pub(super) fn room_bytes(&self) -> u64 {
        frames_limit(self.len).saturating_sub(self.frames_end)
    }
}

/// Bytes between index points: at most 512 points a segment.
fn index_spacing(segment_len: u64) -> u64 {
    (segment_len / 512).max(512)
}

/// Frames lie before this offset, so that the footer always has room.
pub(super) fn frames_limit(segment_len: u64) -> u64 {
    let points_max = segment_len / index_spacing(segment_len) + 1;
    segment_len.saturating_sub(FOOTER_FIXED_BYTES + points_max * INDEX_POINT_BYTES + FOOTER_TRAILER_BYTES)
}

/// Length of a segment that has room for one frame of this length, `usual` if that is enough.
pub(super) fn segment_len_for(frame_len: usize, usual: u64) -> u64 {
    let mut len = usual;
    while FRAMES_START + frame_len as u64 > frames_limit(len) {
        len *= 2;
    }
    len
}

pub(super) fn file_name(first_sequence: u64) -> String {
    format!("{first_sequence:020}.seg")
}

/// The first sequence in a segment's file name; `None` for other files.
pub(super) fn parse_file_name(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".seg")?;
    if digits.len() != 20 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

pub(super) fn put_head(head: &Head, bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(&head.ledger);
    for number in [head.sequence, head.event, head.epoch] {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    bytes.extend_from_slice(&head.log_time_us.to_le_bytes());
    bytes.extend_from_slice(&head.hash);
}

pub(super) fn take_head(fields: &mut Fields<'_>) -> Head {
    let ledger = fields.take();
    let (sequence, event, epoch) = (fields.u64(), fields.u64(), fields.u64());
    Head { ledger, sequence, event, epoch, log_time_us: fields.i64(), hash: fields.take() }
}

pub(super) fn header_bytes(start: &Head, len: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(128);
    bytes.extend_from_slice(&HEADER_MAGIC);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&[0; 4]);
    put_head(start, &mut bytes);
    bytes.extend_from_slice(&len.to_le_bytes());
    let crc = crc_fast::crc32_iscsi(&bytes);
    bytes.extend_from_slice(&crc.to_le_bytes());
    bytes.resize(128, 0);
    bytes
}

/// Reads the header and checks it against the file's name and length.
pub(super) fn read_header<F: DiskFile>(file: &F, path: &Path, first_sequence: u64) -> Result<Segment, Fault> {
    let corrupt = |offset, why: String| Err(Fault::corrupt(path, offset, why));
    let len = file.len().map_err(Fault::io(path))?;
    if len < FRAMES_START {
        return corrupt(len, format!("the segment has {len} bytes, a segment has at least {FRAMES_START}"));
    }
    let mut bytes = [0; FRAMES_START as usize];
    file.read_exact_at(&mut bytes, 0).map_err(Fault::io(path))?;
    let mut fields = Fields(&bytes);
    if fields.take() != HEADER_MAGIC {
        return corrupt(0, "found no segment header".into());
    }
    let found_crc = crc_fast::crc32_iscsi(&bytes[..HEADER_CHECKED_BYTES]);
    let wanted_crc = u32::from_le_bytes(*bytes[HEADER_CHECKED_BYTES..].first_chunk().expect("sized above"));
    if found_crc != wanted_crc {
        return corrupt(
            0,
            format!("crc32c of the segment header is {found_crc:08x}, it says {wanted_crc:08x}"),
        );
    }
    let version = u32::from_le_bytes(fields.take());
    if version != VERSION {
        return corrupt(8, format!("segment format version {version}, this program reads {VERSION}"));
    }
    let [_, _, _, _] = fields.take::<4>();
    let start = take_head(&mut fields);
    let wanted_len = fields.u64();
    if len != wanted_len {
        return corrupt(len, format!("the segment has {len} bytes, its header says {wanted_len}"));
    }
    check_start(&start, path, first_sequence)?;
    Ok(Segment::empty(path.to_owned(), start, len))
}

fn check_start(start: &Head, path: &Path, first_sequence: u64) -> Result<(), Fault> {
    if start.sequence.checked_add(1) != Some(first_sequence) {
        let why =
            format!("the segment begins behind sequence {}, its name says {first_sequence}", start.sequence);
        return Err(Fault::corrupt(path, 16, why));
    }
    if start.sequence == 0 && start.hash != chain_start(start.ledger) {
        return Err(Fault::corrupt(path, 16, "the chain does not start with the ledger's uuid"));
    }
    Ok(())
}

pub(super) fn footer_bytes(segment: &Segment) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_head(&segment.start, &mut bytes);
    put_head(&segment.end, &mut bytes);
    bytes.extend_from_slice(&segment.frames_end.to_le_bytes());
    for (sequence, offset) in &segment.index {
        bytes.extend_from_slice(&sequence.to_le_bytes());
        bytes.extend_from_slice(&offset.to_le_bytes());
    }
    let len = u32::try_from(bytes.len()).expect("at most 514 index points");
    let crc = crc_fast::crc32_iscsi(&bytes);
    bytes.extend_from_slice(&len.to_le_bytes());
    bytes.extend_from_slice(&crc.to_le_bytes());
    bytes.extend_from_slice(&FOOTER_MAGIC);
    bytes
}

/// Reads the footer; `Ok(Err(why))` if there is no valid one.
pub(super) fn read_footer<F: DiskFile>(
    file: &F,
    path: &Path,
    first_sequence: u64,
) -> Result<Result<Segment, String>, Fault> {
    let len = file.len().map_err(Fault::io(path))?;
    if len < FRAMES_START + FOOTER_FIXED_BYTES + FOOTER_TRAILER_BYTES {
        return Ok(Err(format!("the segment has {len} bytes, too few for a footer")));
    }
    let mut trailer = [0; FOOTER_TRAILER_BYTES as usize];
    file.read_exact_at(&mut trailer, len - FOOTER_TRAILER_BYTES).map_err(Fault::io(path))?;
    let mut fields = Fields(&trailer);
    let body_len = u64::from(u32::from_le_bytes(fields.take()));
    let wanted_crc = u32::from_le_bytes(fields.take());
    if fields.take() != FOOTER_MAGIC {
        return Ok(Err("found no footer at the segment's end".into()));
    }
    let fits = (FOOTER_FIXED_BYTES..=len - FRAMES_START - FOOTER_TRAILER_BYTES).contains(&body_len);
    if !fits || !(body_len - FOOTER_FIXED_BYTES).is_multiple_of(INDEX_POINT_BYTES) {
        return Ok(Err(format!("the footer claims {body_len} bytes")));
    }
    let mut body = vec![0; usize::try_from(body_len).expect("a u32")];
    file.read_exact_at(&mut body, len - FOOTER_TRAILER_BYTES - body_len).map_err(Fault::io(path))?;
    let found_crc = crc_fast::crc32_iscsi(&body);
    if found_crc != wanted_crc {
        return Ok(Err(format!("crc32c of the footer is {found_crc:08x}, it says {wanted_crc:08x}")));
    }
    let mut fields = Fields(&body);
    let (start, end) = (take_head(&mut fields), take_head(&mut fields));
    let frames_end = fields.u64();
    let mut index = Vec::with_capacity(fields.0.len() / INDEX_POINT_BYTES as usize);
    while !fields.0.is_empty() {
        index.push((fields.u64(), fields.u64()));
    }
    check_start(&start, path, first_sequence)?;
    Ok(Ok(Segment { path: path.to_owned(), start, end, frames_end, len, index }))
}
