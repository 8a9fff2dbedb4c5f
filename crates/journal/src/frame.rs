//! The frame: the bytes that are made durable together, the same on disk and on the wire.
//!
//! All numbers are little-endian. With P the payload's length:
//!
//! ```text
//! offset   bytes  field
//! ───────  ─────  ─────────────────────────────────────────────────────────────
//!       0      6  magic          89 42 43 46 0D 0A   (\x89 B C F \r \n)
//!       6      2  version        1
//!       8     16  ledger         the ledger's uuid
//!      24      8  epoch          start of the writer that made the frame
//!      32      8  first sequence number of the first entry, from 1
//!      40      8  first event    ordinal of the first event, from 1
//!      48      4  entries        how many entries, at least 1
//!      52      4  events         how many events in all of them
//!      56      8  log time       microseconds UTC, signed
//!      64     32  previous       hash of the frame before; of the first: BLAKE3(ledger)
//!      96      4  payload length P
//!     100      P  payload        the entries, one after the other
//! 100 + P      4  crc            crc32c(bytes 0 .. 100+P ‖ hash)
//! 104 + P     32  hash           BLAKE3(bytes 0 .. 100+P)
//! 136 + P         end
//!
//! one entry of the payload, with L its length:
//!       0      4  length         L, at most 512 KiB
//!       4      4  events         how many events the entry holds
//!       8      L  entry          opaque
//! ```
//!
//! The crc answers quickly whether the bytes are a whole frame; the hash proves it and chains it. A run of zeros
//! has no magic, so the zero-filled rest of a segment never decodes.

mod decode;
#[cfg(test)]
pub(crate) mod tests;

use std::sync::Arc;

pub use decode::FrameFault;
pub(crate) use decode::{Fields, MAGIC, peek};

/// BLAKE3 of a frame's header and payload; names the frame and, through `previous`, everything before it.
pub type FrameHash = [u8; 32];

/// Longest entry, in bytes.
pub const ENTRY_BYTES_MAX: usize = 512 * 1024;
/// An open frame of this many bytes takes no further entry.
pub const FRAME_CLOSE_BYTES: usize = 256 * 1024;
/// Longest frame, in bytes, header and hash included; fits the one-megabyte message limit of a NATS server.
pub const FRAME_BYTES_MAX: usize = 900 * 1024;

pub(crate) const HEADER_BYTES: usize = 100;
pub(crate) const TRAILER_BYTES: usize = 36;
const ENTRY_HEADER_BYTES: usize = 8;
const VERSION: u16 = 1;

/// The hash that the first frame of a ledger names as its previous one: BLAKE3 of the ledger's uuid.
pub fn chain_start(ledger: [u8; 16]) -> FrameHash {
    *blake3::hash(&ledger).as_bytes()
}

/// What a frame says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHeader {
    /// Uuid of the ledger.
    pub ledger: [u8; 16],
    /// Start of the writer that made the frame; never falls along a journal.
    pub epoch: u64,
    /// Number of the first entry, from 1.
    pub first_sequence: u64,
    /// Ordinal of the first event, from 1. A frame without events names the ordinal the next event will get.
    pub first_event: u64,
    /// How many entries, at least 1.
    pub entries: u32,
    /// How many events in all entries.
    pub events: u32,
    /// When the frame was opened: microseconds UTC; never falls along a journal.
    pub log_time_us: i64,
    /// Hash of the frame before this one, or [`chain_start`].
    pub previous: FrameHash,
}

/// A sealed frame. Cheap to clone; cannot be changed.
#[derive(Clone)]
pub struct Frame(Arc<Sealed>);

/// Invariant: `bytes` is exactly one whole valid frame, the other fields are read from it.
struct Sealed {
    header: FrameHeader,
    hash: FrameHash,
    bytes: Vec<u8>,
    entries: Vec<EntryPlace>,
}

#[derive(Clone, Copy)]
struct EntryPlace {
    /// Offset of the entry's own bytes in the frame.
    offset: u32,
    len: u32,
    events_before: u32,
}

impl Frame {
    /// What the frame says of itself.
    pub fn header(&self) -> &FrameHeader {
        &self.0.header
    }

    /// The frame's place in the chain.
    pub fn hash(&self) -> FrameHash {
        self.0.hash
    }

    /// Number of the last entry.
    pub fn last_sequence(&self) -> u64 {
        self.0.header.first_sequence + u64::from(self.0.header.entries) - 1
    }

    /// Ordinal of the last event; one less than `first_event` if the frame has none.
    pub fn last_event(&self) -> u64 {
        self.0.header.first_event + u64::from(self.0.header.events) - 1
    }

    /// Every entry: its sequence, the ordinal of its first event, its bytes.
    pub fn entries(&self) -> impl Iterator<Item = (u64, u64, &[u8])> {
        let header = &self.0.header;
        (header.first_sequence..).zip(&self.0.entries).map(|(sequence, place)| {
            (sequence, header.first_event + u64::from(place.events_before), self.slice(*place))
        })
    }

    /// The entry with this sequence: the ordinal of its first event, its bytes. `None` if another frame holds it.
    pub fn entry(&self, sequence: u64) -> Option<(u64, &[u8])> {
        let header = &self.0.header;
        let index = usize::try_from(sequence.checked_sub(header.first_sequence)?).ok()?;
        let place = self.0.entries.get(index)?;
        Some((header.first_event + u64::from(place.events_before), self.slice(*place)))
    }

    /// The frame exactly as it stands on disk and on the wire.
    pub fn bytes(&self) -> &[u8] {
        &self.0.bytes
    }

    /// Reads the frame that `bytes` begins with, and says how many bytes it took.
    pub fn decode(bytes: &[u8]) -> Result<(Frame, usize), FrameFault> {
        decode::decode(bytes)
    }

    pub(crate) fn holds(&self, sequence: u64) -> bool {
        (self.0.header.first_sequence..=self.last_sequence()).contains(&sequence)
    }

    fn slice(&self, place: EntryPlace) -> &[u8] {
        &self.0.bytes[place.offset as usize..][..place.len as usize]
    }
}

impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let FrameHeader { epoch, first_sequence, entries, .. } = self.0.header;
        write!(f, "Frame(epoch {epoch}, from {first_sequence}, {entries} entries, {} B)", self.0.bytes.len())
    }
}

/// Two frames are the same if their hashes are.
impl PartialEq for Frame {
    fn eq(&self, other: &Self) -> bool {
        self.0.hash == other.0.hash
    }
}

impl Eq for Frame {}

/// The open frame: takes entries until it is sealed.
pub struct FrameBuilder {
    header: FrameHeader,
    /// Invariant: room for the header, then the payload so far.
    bytes: Vec<u8>,
    entries: Vec<EntryPlace>,
}

impl FrameBuilder {
    /// Opens a frame whose first entry will be `first_sequence` and whose first event `first_event`.
    pub fn open(
        ledger: [u8; 16],
        epoch: u64,
        first_sequence: u64,
        first_event: u64,
        log_time_us: i64,
        previous: FrameHash,
    ) -> Self {
        assert!(first_sequence >= 1 && first_event >= 1, "sequences and ordinals count from 1");
        let header = FrameHeader {
            ledger,
            epoch,
            first_sequence,
            first_event,
            entries: 0,
            events: 0,
            log_time_us,
            previous,
        };
        let mut bytes = Vec::with_capacity(4096);
        bytes.resize(HEADER_BYTES, 0);
        Self { header, bytes, entries: Vec::new() }
    }

    /// Adds an entry that holds this many events.
    ///
    /// # Panics
    /// If the entry is longer than [`ENTRY_BYTES_MAX`] or does not [fit](Self::fits): both are checked before an
    /// entry is accepted.
    pub fn push(&mut self, entry: &[u8], events: u32) {
        assert!(self.fits(entry.len()), "an entry of {} bytes does not fit the frame", entry.len());
        let len = u32::try_from(entry.len()).expect("an entry that fits is shorter than a frame");
        self.bytes.reserve(ENTRY_HEADER_BYTES + entry.len());
        self.bytes.extend_from_slice(&len.to_le_bytes());
        self.bytes.extend_from_slice(&events.to_le_bytes());
        let offset = u32::try_from(self.bytes.len()).expect("a frame is shorter than 4 GiB");
        self.entries.push(EntryPlace { offset, len, events_before: self.header.events });
        self.bytes.extend_from_slice(entry);
        self.header.entries += 1;
        self.header.events = self.header.events.checked_add(events).expect("fewer than 2^32 events a frame");
    }

    /// The frame has reached [`FRAME_CLOSE_BYTES`]: seal it before taking the next entry.
    pub fn is_full(&self) -> bool {
        self.sealed_len() >= FRAME_CLOSE_BYTES
    }

    /// An entry of this many bytes may be pushed without the frame passing [`FRAME_BYTES_MAX`].
    pub fn fits(&self, entry_len: usize) -> bool {
        entry_len <= ENTRY_BYTES_MAX && self.sealed_len() + ENTRY_HEADER_BYTES + entry_len <= FRAME_BYTES_MAX
    }

    /// No entry has been pushed yet; such a frame cannot be sealed.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many entries the frame holds so far.
    pub fn entries_len(&self) -> usize {
        self.entries.len()
    }

    /// Closes the frame and computes its hash.
    ///
    /// # Panics
    /// If it is empty: there are no empty frames.
    pub fn seal(self) -> Frame {
        assert!(!self.is_empty(), "there are no empty frames");
        let Self { header, mut bytes, entries } = self;
        write_header(&header, &mut bytes);
        let hash = *blake3::hash(&bytes).as_bytes();
        let crc = checksum(&bytes, &hash);
        bytes.reserve_exact(TRAILER_BYTES);
        bytes.extend_from_slice(&crc.to_le_bytes());
        bytes.extend_from_slice(&hash);
        Frame(Arc::new(Sealed { header, hash, bytes, entries }))
    }

    fn sealed_len(&self) -> usize {
        self.bytes.len() + TRAILER_BYTES
    }
}

fn write_header(header: &FrameHeader, bytes: &mut [u8]) {
    let payload_len = u32::try_from(bytes.len() - HEADER_BYTES).expect("a frame is shorter than 4 GiB");
    let mut at = 0;
    let mut put = |field: &[u8]| {
        bytes[at..at + field.len()].copy_from_slice(field);
        at += field.len();
    };
    put(&MAGIC);
    put(&VERSION.to_le_bytes());
    put(&header.ledger);
    put(&header.epoch.to_le_bytes());
    put(&header.first_sequence.to_le_bytes());
    put(&header.first_event.to_le_bytes());
    put(&header.entries.to_le_bytes());
    put(&header.events.to_le_bytes());
    put(&header.log_time_us.to_le_bytes());
    put(&header.previous);
    put(&payload_len.to_le_bytes());
    debug_assert_eq!(at, HEADER_BYTES);
}

fn checksum(header_and_payload: &[u8], hash: &FrameHash) -> u32 {
    let mut digest = crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc32Iscsi);
    digest.update(header_and_payload);
    digest.update(hash);
    u32::try_from(digest.finalize()).expect("a 32-bit checksum")
}
