//! Bytes to frames: every way in which bytes can fail to be a frame is told apart here.

use std::sync::Arc;

use super::{
    ENTRY_BYTES_MAX, ENTRY_HEADER_BYTES, EntryPlace, FRAME_BYTES_MAX, Frame, FrameHash, FrameHeader,
    HEADER_BYTES, Sealed, TRAILER_BYTES, VERSION, checksum,
};

/// The first bytes of every frame. Not text, and changed by any transfer that rewrites line ends.
pub(crate) const MAGIC: [u8; 6] = *b"\x89BCF\r\n";

/// Why bytes are not a frame.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameFault {
    /// The bytes do not begin with a frame's magic (all zeros, or something else).
    #[error("no frame begins here: found bytes {found:02x?}, wanted {MAGIC:02x?}")]
    NoMagic {
        /// The first bytes, as many as a magic has.
        found: Vec<u8>,
    },
    /// The bytes end before the frame does.
    #[error("the frame is cut short: found {found} bytes, wanted {wanted}")]
    Short {
        /// How many bytes there were.
        found: usize,
        /// How many the frame needs, as far as can be told.
        wanted: usize,
    },
    /// The frame is of a format this program cannot read.
    #[error("frame format version {found}, this program reads {VERSION}: use a newer release")]
    Version {
        /// The version in the frame.
        found: u16,
    },
    /// The header claims a length that no frame has.
    #[error("the frame claims {found} bytes, the longest frame has {FRAME_BYTES_MAX}")]
    TooLong {
        /// The claimed length of the frame in bytes.
        found: usize,
    },
    /// The checksum does not match the bytes.
    #[error("crc32c of the bytes is {found:08x}, the frame says {wanted:08x}")]
    Checksum {
        /// Computed from the bytes.
        found: u32,
        /// Stored in the frame.
        wanted: u32,
    },
    /// The checksum matches and the hash does not: made by a faulty or hostile program.
    #[error("BLAKE3 of the bytes is not the hash that the frame states")]
    Hash,
    /// Checksum and hash match, and the contents contradict the header: made by a faulty or hostile program.
    #[error("the frame's contents contradict its header: {why}")]
    Contents {
        /// What was found and what was wanted.
        why: &'static str,
    },
}

/// A header whose frame has not been checked yet, and the length in bytes that it claims for the frame.
pub(crate) fn peek(bytes: &[u8]) -> Result<(FrameHeader, usize), FrameFault> {
    if bytes.get(..MAGIC.len()) != Some(&MAGIC) {
        return Err(match MAGIC.starts_with(bytes) {
            true => FrameFault::Short { found: bytes.len(), wanted: HEADER_BYTES + TRAILER_BYTES },
            false => FrameFault::NoMagic { found: bytes[..bytes.len().min(MAGIC.len())].to_vec() },
        });
    }
    let Some(fields) = bytes.get(MAGIC.len()..HEADER_BYTES) else {
        return Err(FrameFault::Short { found: bytes.len(), wanted: HEADER_BYTES + TRAILER_BYTES });
    };
    let mut fields = Fields(fields);
    let version = u16::from_le_bytes(fields.take());
    if version != VERSION {
        return Err(FrameFault::Version { found: version });
    }
    let header = FrameHeader {
        ledger: fields.take(),
        epoch: u64::from_le_bytes(fields.take()),
        first_sequence: u64::from_le_bytes(fields.take()),
        first_event: u64::from_le_bytes(fields.take()),
        entries: u32::from_le_bytes(fields.take()),
        events: u32::from_le_bytes(fields.take()),
        log_time_us: i64::from_le_bytes(fields.take()),
        previous: fields.take(),
    };
    let payload_len = u32::from_le_bytes(fields.take()) as usize;
    let frame_len = HEADER_BYTES + payload_len + TRAILER_BYTES;
    if frame_len > FRAME_BYTES_MAX {
        return Err(FrameFault::TooLong { found: frame_len });
    }
    Ok((header, frame_len))
}

pub(super) fn decode(bytes: &[u8]) -> Result<(Frame, usize), FrameFault> {
    let (header, frame_len) = peek(bytes)?;
    let Some(bytes) = bytes.get(..frame_len) else {
        return Err(FrameFault::Short { found: bytes.len(), wanted: frame_len });
    };
    let (hashed, trailer) = bytes.split_at(frame_len - TRAILER_BYTES);
    let mut trailer = Fields(trailer);
    let crc = u32::from_le_bytes(trailer.take());
    let hash: FrameHash = trailer.take();
    let found = checksum(hashed, &hash);
    if found != crc {
        return Err(FrameFault::Checksum { found, wanted: crc });
    }
    if *blake3::hash(hashed).as_bytes() != hash {
        return Err(FrameFault::Hash);
    }
    let entries = entry_places(&header, hashed)?;
    Ok((Frame(Arc::new(Sealed { header, hash, bytes: bytes.to_vec(), entries })), frame_len))
}

fn entry_places(header: &FrameHeader, hashed: &[u8]) -> Result<Vec<EntryPlace>, FrameFault> {
    let contradicts = |why| Err(FrameFault::Contents { why });
    if header.entries == 0 {
        return contradicts("no entries, wanted at least one");
    }
    if header.first_sequence == 0 || header.first_event == 0 {
        return contradicts("sequence or ordinal 0, they count from 1");
    }
    let sequences_end = header.first_sequence.checked_add(u64::from(header.entries));
    let events_end = header.first_event.checked_add(u64::from(header.events));
    if sequences_end.is_none() || events_end.is_none() {
        return contradicts("sequences or ordinals pass the largest number");
    }
    let mut places = Vec::with_capacity((header.entries as usize).min(hashed.len() / ENTRY_HEADER_BYTES));
    let mut events_before: u32 = 0;
    let mut at = HEADER_BYTES;
    while at < hashed.len() {
        let Some(entry_header) = hashed.get(at..at + ENTRY_HEADER_BYTES) else {
            return contradicts("the payload ends inside an entry's length");
        };
        let mut fields = Fields(entry_header);
        let len = u32::from_le_bytes(fields.take());
        let events = u32::from_le_bytes(fields.take());
        let offset = at + ENTRY_HEADER_BYTES;
        at = offset + len as usize;
        if len as usize > ENTRY_BYTES_MAX || at > hashed.len() {
            return contradicts("an entry is longer than the payload or than an entry may be");
        }
        places.push(EntryPlace {
            offset: u32::try_from(offset).expect("within a frame"),
            len,
            events_before,
        });
        let Some(sum) = events_before.checked_add(events) else {
            return contradicts("more events than the header counts");
        };
        events_before = sum;
    }
    if places.len() != header.entries as usize {
        return contradicts("another number of entries than the header counts");
    }
    if events_before != header.events {
        return contradicts("another number of events than the header counts");
    }
    Ok(places)
}

/// Fixed-width fields, one after the other. Callers hand in as many bytes as they will take.
pub(crate) struct Fields<'a>(pub(crate) &'a [u8]);

impl Fields<'_> {
    pub(crate) fn take<const N: usize>(&mut self) -> [u8; N] {
        let (field, rest) =
            self.0.split_first_chunk::<N>().expect("the caller sized the bytes for the fields");
        self.0 = rest;
        *field
    }

    pub(crate) fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.take())
    }

    pub(crate) fn i64(&mut self) -> i64 {
        i64::from_le_bytes(self.take())
    }
}
