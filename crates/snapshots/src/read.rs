//! Reading a snapshot: nothing of it is believed before its check, and nothing is used before its section's hash.

use std::path::Path;

use journal::{Disk, DiskFile, Head};
use ledger_core::Ledger;
use ledger_core::codec::CodecFault;
use ledger_core::control::RecordStateHash;
use ledger_core::ledger::{SECTIONS, STATE_FORMAT};
use ledger_core::state::Blocks;

use crate::fault::Fault;
use crate::format::{self, BLOCK_BYTES_MAX, HEADER_BYTES, Header, LINE_BYTES, Line};

/// A snapshot in memory, verified.
#[derive(Debug)]
pub struct Loaded {
    /// The end of the journal when it was taken.
    pub head: Head,
    /// The state hash, as it is recorded.
    pub state: RecordStateHash,
    /// The ledger as it was then.
    pub ledger: Ledger,
    /// What stood beside the ledger, by the name of its section.
    pub beside: Vec<(String, Vec<u8>)>,
}

impl Loaded {
    /// The bytes of a section that stood beside the ledger.
    pub fn beside(&self, name: &str) -> Option<&[u8]> {
        self.beside.iter().find(|(known, _)| known == name).map(|(_, bytes)| bytes.as_slice())
    }
}

/// An opened file whose header and table are what was written.
pub(crate) struct Opened<D: Disk> {
    file: D::File,
    pub(crate) header: Header,
    lines: Vec<Line>,
}

impl<D: Disk> Opened<D> {
    pub(crate) fn open(disk: &D, path: &Path) -> Result<Self, Fault> {
        let file = disk.open_read(path).map_err(Fault::io(path))?;
        let len = file.len().map_err(Fault::io(path))?;
        if len < HEADER_BYTES as u64 {
            return Err(Fault::damaged(path, format!("it has only {len} bytes")));
        }
        let mut bytes = [0; HEADER_BYTES];
        file.read_exact_at(&mut bytes, 0).map_err(Fault::io(path))?;
        let header = Header::from_bytes(&bytes, path)?;
        let mut table = vec![0; header.sections as usize * LINE_BYTES];
        if header.table_at.checked_add(table.len() as u64) != Some(len) {
            return Err(Fault::damaged(path, format!("it has {len} bytes, and not those of its table")));
        }
        file.read_exact_at(&mut table, header.table_at).map_err(Fault::io(path))?;
        Header::check(&bytes, &table, path)?;
        if header.state_format != STATE_FORMAT {
            let (what, found, wanted) = ("state format", header.state_format, STATE_FORMAT);
            return Err(Fault::OtherFormat { path: path.to_owned(), what, found, wanted });
        }
        Ok(Opened { file, header, lines: format::table_lines(&table) })
    }

    pub(crate) fn load(self, path: &Path) -> Result<Loaded, Fault> {
        let Opened { file, header, lines } = self;
        let Some((ledgers, beside_it)) = lines.split_at_checked(SECTIONS.len()) else {
            return Err(Fault::damaged(path, format!("it has only {} sections", lines.len())));
        };
        if !ledgers.iter().map(|line| line.name.as_str()).eq(SECTIONS.iter().copied()) {
            return Err(Fault::damaged(path, "its sections are not the ledger's"));
        }
        let ends = lines.iter().skip(1).map(|line| line.offset).chain([header.table_at]);
        let mut sections = lines.iter().zip(ends).map(|(line, end)| Section::new(&file, path, line, end));
        let mut ledger = Ledger::new();
        for (number, mut section) in sections.by_ref().take(SECTIONS.len()).enumerate() {
            let mut next = |block: &mut Vec<u8>| section.next(block);
            let read = ledger.read_section(number, Blocks::new(&mut next));
            // A disk that failed says more than a decoder that got no bytes.
            section.verify(read)?;
        }
        let hashes: Vec<_> = ledgers.iter().map(|line| line.hash).collect();
        let state = RecordStateHash::of(header.head.sequence, &hashes);
        let (head, folded) = (header.head, ledger.head());
        if state.root.0 != header.root || (folded.sequence, folded.event) != (head.sequence, head.event) {
            return Err(Fault::damaged(path, "its sections are not those of its header"));
        }
        let mut beside = Vec::with_capacity(beside_it.len());
        for (line, mut section) in beside_it.iter().zip(sections) {
            let (mut bytes, mut block) = (Vec::new(), Vec::new());
            let mut read = section.next(&mut block);
            while let Ok(true) = read {
                bytes.append(&mut block);
                read = section.next(&mut block);
            }
            section.verify(read.map(|_| ()))?;
            beside.push((line.name.clone(), bytes));
        }
        Ok(Loaded { head, state, ledger, beside })
    }
}

/// The blocks of a section, hashed as they are read.
struct Section<'f, F> {
    file: &'f F,
    path: &'f Path,
    line: &'f Line,
    at: u64,
    end: u64,
    hasher: blake3::Hasher,
    is_over: bool,
    fault: Option<Fault>,
}

impl<'f, F: DiskFile> Section<'f, F> {
    fn new(file: &'f F, path: &'f Path, line: &'f Line, end: u64) -> Self {
        let hasher = blake3::Hasher::new();
        Section { file, path, line, at: line.offset, end, hasher, is_over: false, fault: None }
    }

    /// The next block in place of the one before; false after the last, and after a fault.
    fn next(&mut self, block: &mut Vec<u8>) -> Result<bool, CodecFault> {
        if self.is_over || self.fault.is_some() {
            return Ok(false);
        }
        match self.read(block) {
            Ok(more) => {
                self.is_over = !more;
                Ok(more)
            }
            Err(fault) => {
                self.fault = Some(fault);
                Ok(false)
            }
        }
    }

    fn read(&mut self, block: &mut Vec<u8>) -> Result<bool, Fault> {
        let mut length = [0; 4];
        self.take(&mut length)?;
        let length = u32::from_le_bytes(length) as usize;
        if length == 0 {
            return Ok(false);
        }
        if length > BLOCK_BYTES_MAX || length as u64 > self.end.saturating_sub(self.at) {
            return Err(self.damaged(format!("a block of {length} bytes")));
        }
        block.resize(length, 0);
        self.take(block)?;
        self.hasher.update(block);
        Ok(true)
    }

    fn take(&mut self, bytes: &mut [u8]) -> Result<(), Fault> {
        if bytes.len() as u64 > self.end.saturating_sub(self.at) {
            return Err(self.damaged("it ends in the middle"));
        }
        self.file.read_exact_at(bytes, self.at).map_err(Fault::io(self.path))?;
        self.at += bytes.len() as u64;
        Ok(())
    }

    /// The section was whole and its bytes are those that were written; if not, why it cannot be used.
    fn verify(mut self, read: Result<(), CodecFault>) -> Result<(), Fault> {
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
        read.map_err(|fault| self.damaged(fault.to_string()))?;
        if !self.is_over || self.at != self.end {
            return Err(self.damaged("it has bytes behind its end"));
        }
        if self.hasher.finalize() != self.line.hash {
            return Err(self.damaged("its bytes are not those that were written"));
        }
        Ok(())
    }

    fn damaged(&self, why: impl std::fmt::Display) -> Fault {
        Fault::damaged(self.path, format!("section {}: {why}", self.line.name))
    }
}
