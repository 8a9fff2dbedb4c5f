//! Writing a snapshot: sections piece by piece, then table and header, and its name last of all.

use std::path::{Path, PathBuf};

use journal::{Disk, DiskFile, Head};
use ledger_core::control::RecordStateHash;
use ledger_core::ledger::{SECTIONS, STATE_FORMAT};

use crate::fault::Fault;
use crate::format::{self, HEADER_BYTES, Header, Line};

/// Bytes are gathered to writes of about this length.
const WRITE_BYTES: usize = 1024 * 1024;

/// A snapshot on its way into its folder. Dropped before [`SnapshotWriter::finish`], it leaves a temporary file that
/// the next [`prune`](crate::Snapshots::prune) removes.
pub struct SnapshotWriter<D: Disk> {
    disk: D,
    dir: PathBuf,
    path: PathBuf,
    file: D::File,
    head: Head,
    lines: Vec<Line>,
    /// The section that is being written.
    open: Option<(String, u64, blake3::Hasher)>,
    gathered: Vec<u8>,
    written: u64,
}

impl<D: Disk> SnapshotWriter<D> {
    pub(crate) fn create(disk: D, dir: &Path, head: Head) -> Result<Self, Fault> {
        disk.create_dir(dir).map_err(Fault::io(dir))?;
        let path = dir.join(format::temporary_name(head.sequence));
        let file = disk.create(&path).map_err(Fault::io(&path))?;
        // Zeros stand in for the header until all else is written: no header is valid before.
        let gathered = vec![0; HEADER_BYTES];
        let dir = dir.to_owned();
        Ok(SnapshotWriter {
            disk,
            dir,
            path,
            file,
            head,
            lines: Vec::new(),
            open: None,
            gathered,
            written: 0,
        })
    }

    /// Begins a section. The ledger's come first, in the order of [`SECTIONS`].
    pub fn section(&mut self, name: &str) -> Result<(), Fault> {
        assert!(format::fits_the_table(name), "a section has a short ASCII name, found {name:?}");
        self.end_section()?;
        self.open = Some((name.to_owned(), self.offset(), blake3::Hasher::new()));
        Ok(())
    }

    /// Adds a block to the section. What is read in one go stands in one block.
    pub fn block(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        if bytes.is_empty() {
            return Ok(());
        }
        let (_, _, hasher) = self.open.as_mut().expect("a block belongs to a section");
        hasher.update(bytes);
        self.length(bytes.len());
        self.gathered.extend_from_slice(bytes);
        if self.gathered.len() >= WRITE_BYTES { self.write_gathered() } else { Ok(()) }
    }

    /// Makes the snapshot durable under its name, and gives back the state hash, ready to be recorded.
    pub fn finish(mut self) -> Result<RecordStateHash, Fault> {
        self.end_section()?;
        let ledgers = self.lines.iter().take(SECTIONS.len());
        assert!(
            ledgers.clone().map(|line| line.name.as_str()).eq(SECTIONS.iter().copied()),
            "the ledger is whole"
        );
        let hashes: Vec<_> = ledgers.map(|line| line.hash).collect();
        let state = RecordStateHash::of(self.head.sequence, &hashes);
        let root = state.root.0;
        let table = format::table_bytes(&self.lines);
        let sections = u32::try_from(self.lines.len()).expect("a few sections");
        let header =
            Header { state_format: STATE_FORMAT, sections, head: self.head, root, table_at: self.offset() };
        self.gathered.extend_from_slice(&table);
        self.write_gathered()?;
        let whole = self.file.write_all_at(&header.to_bytes(&table), 0).and_then(|()| self.file.sync_data());
        whole.map_err(Fault::io(&self.path))?;
        let named = self.dir.join(format::file_name(self.head.sequence));
        self.disk.rename(&self.path, &named).map_err(Fault::io(&named))?;
        self.disk.sync_dir(&self.dir).map_err(Fault::io(&self.dir))?;
        Ok(state)
    }

    fn end_section(&mut self) -> Result<(), Fault> {
        if let Some((name, offset, hasher)) = self.open.take() {
            self.length(0);
            self.lines.push(Line { name, offset, hash: hasher.finalize().into() });
        }
        Ok(())
    }

    fn length(&mut self, bytes: usize) {
        let length = u32::try_from(bytes).expect("a block is far from 4 GiB");
        self.gathered.extend_from_slice(&length.to_le_bytes());
    }

    fn offset(&self) -> u64 {
        self.written + self.gathered.len() as u64
    }

    fn write_gathered(&mut self) -> Result<(), Fault> {
        self.file.write_all_at(&self.gathered, self.written).map_err(Fault::io(&self.path))?;
        self.written += self.gathered.len() as u64;
        self.gathered.clear();
        Ok(())
    }
}
