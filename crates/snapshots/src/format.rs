//! The bytes of a snapshot file, little endian.
//!
//! ```text
//! DIR/<ledger>/snapshots/
//!   00000000000000250000.snap     named by the sequence
//!   00000000000000500000.tmp      one that is being written; left over after a crash, and removed
//!
//! header
//!   0   8  magic      89 42 43 53 4E 41 50 0A   (\x89 B C S N A P \n)
//!   8   2  format     of this file: 1
//!  10   2  state      format of the ledger's sections
//!  12   4  sections   how many
//!  16  80  head       sequence u64, event u64, frame hash [32], epoch u64, log time µs i64, ledger uuid [16]
//!  96  32  root       state hash: over the hashes of the ledger's sections
//! 128   8  table      byte offset of the table
//! 136  32  check      BLAKE3 of bytes 0 .. 136 and the table
//! sections, one after the other from byte 168, each in blocks
//!        4  length     of the block in bytes; 0 ends the section
//!           block
//! table, one line a section, to the end of the file
//!   0  16  name       padded with zeros
//!  16   8  offset     of its first block
//!  24  32  hash       BLAKE3 of its bytes, the lengths of blocks left out
//! ```
//!
//! The header is written last, and the file gets its name after that: a file with a name is whole, or damaged since.

use std::path::Path;

use journal::Head;

use crate::fault::Fault;

/// The number of this layout.
pub const FILE_FORMAT: u16 = 1;

pub(crate) const MAGIC: [u8; 8] = *b"\x89BCSNAP\n";
const CHECKED_BYTES: usize = 136;
pub(crate) const HEADER_BYTES: usize = CHECKED_BYTES + 32;
pub(crate) const LINE_BYTES: usize = 56;
const NAME_BYTES: usize = 16;
/// More sections than any version has: a larger number is damage.
const SECTIONS_MAX: u32 = 64;
/// A block is a slice of a copy and the row with which it became long enough.
pub(crate) const BLOCK_BYTES_MAX: usize = 128 * 1024 * 1024;

/// What a header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) state_format: u16,
    pub(crate) sections: u32,
    pub(crate) head: Head,
    pub(crate) root: [u8; 32],
    pub(crate) table_at: u64,
}

/// A line of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) offset: u64,
    pub(crate) hash: [u8; 32],
}

impl Header {
    /// The header's bytes; the check covers the table too.
    pub(crate) fn to_bytes(&self, table: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&FILE_FORMAT.to_le_bytes());
        bytes.extend_from_slice(&self.state_format.to_le_bytes());
        bytes.extend_from_slice(&self.sections.to_le_bytes());
        let Head { sequence, event, hash, epoch, log_time_us, ledger } = self.head;
        bytes.extend_from_slice(&sequence.to_le_bytes());
        bytes.extend_from_slice(&event.to_le_bytes());
        bytes.extend_from_slice(&hash);
        bytes.extend_from_slice(&epoch.to_le_bytes());
        bytes.extend_from_slice(&log_time_us.to_le_bytes());
        bytes.extend_from_slice(&ledger);
        bytes.extend_from_slice(&self.root);
        bytes.extend_from_slice(&self.table_at.to_le_bytes());
        let check = check_of(&bytes, table);
        bytes.extend_from_slice(&check);
        bytes
    }

    /// Reads a header; its check is still to be held against the table.
    pub(crate) fn from_bytes(bytes: &[u8; HEADER_BYTES], path: &Path) -> Result<Header, Fault> {
        let mut fields = Fields(bytes);
        if fields.take() != MAGIC {
            return Err(Fault::damaged(path, "it does not begin like a snapshot"));
        }
        let found = u16::from_le_bytes(fields.take());
        if found != FILE_FORMAT {
            let (what, wanted) = ("file format", FILE_FORMAT);
            return Err(Fault::OtherFormat { path: path.to_owned(), what, found, wanted });
        }
        let state_format = u16::from_le_bytes(fields.take());
        let sections = u32::from_le_bytes(fields.take());
        if sections > SECTIONS_MAX {
            return Err(Fault::damaged(path, format!("it says that it has {sections} sections")));
        }
        let head = Head {
            sequence: u64::from_le_bytes(fields.take()),
            event: u64::from_le_bytes(fields.take()),
            hash: fields.take(),
            epoch: u64::from_le_bytes(fields.take()),
            log_time_us: i64::from_le_bytes(fields.take()),
            ledger: fields.take(),
        };
        let root = fields.take();
        let table_at = u64::from_le_bytes(fields.take());
        Ok(Header { state_format, sections, head, root, table_at })
    }

    /// Holds the check of a header's bytes against the table.
    pub(crate) fn check(bytes: &[u8; HEADER_BYTES], table: &[u8], path: &Path) -> Result<(), Fault> {
        let (checked, check) = bytes.split_at(CHECKED_BYTES);
        if check_of(checked, table) == check {
            return Ok(());
        }
        Err(Fault::damaged(path, "the header or the table is not what was written"))
    }
}

fn check_of(header: &[u8], table: &[u8]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(header).update(table).finalize().into()
}

/// The bytes of a table.
pub(crate) fn table_bytes(lines: &[Line]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(lines.len() * LINE_BYTES);
    for Line { name, offset, hash } in lines {
        let mut padded = [0; NAME_BYTES];
        padded[..name.len()].copy_from_slice(name.as_bytes());
        bytes.extend_from_slice(&padded);
        bytes.extend_from_slice(&offset.to_le_bytes());
        bytes.extend_from_slice(hash);
    }
    bytes
}

/// The lines of a table.
pub(crate) fn table_lines(bytes: &[u8]) -> Vec<Line> {
    let lines = bytes.chunks_exact(LINE_BYTES).map(|line| {
        let mut fields = Fields(line);
        let name: [u8; NAME_BYTES] = fields.take();
        let name = String::from_utf8_lossy(&name).trim_end_matches('\0').to_owned();
        Line { name, offset: u64::from_le_bytes(fields.take()), hash: fields.take() }
    });
    lines.collect()
}

/// Whether a section may have this name.
pub(crate) fn fits_the_table(name: &str) -> bool {
    !name.is_empty() && name.len() <= NAME_BYTES && name.is_ascii()
}

struct Fields<'b>(&'b [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let (field, rest) =
            self.0.split_first_chunk::<N>().expect("the caller sized the bytes for the fields");
        self.0 = rest;
        *field
    }
}

/// The file of a snapshot.
pub(crate) fn file_name(sequence: u64) -> String {
    format!("{sequence:020}.snap")
}

/// The file while it is being written.
pub(crate) fn temporary_name(sequence: u64) -> String {
    format!("{sequence:020}.tmp")
}

/// The sequence that a file is named by; `None` for any other file.
pub(crate) fn sequence_in(name: &str) -> Option<u64> {
    let sequence = name.strip_suffix(".snap")?.parse().ok()?;
    (file_name(sequence) == name).then_some(sequence)
}

/// Whether a file was being written when a process died.
pub(crate) fn is_temporary(name: &str) -> bool {
    name.strip_suffix(".tmp").is_some_and(|stem| stem.len() == 20 && stem.bytes().all(|b| b.is_ascii_digit()))
}
