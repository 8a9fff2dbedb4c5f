//! What the journal takes to make a frame durable, by its size: beside it stands what the disk alone takes.

use std::path::Path;
use std::time::Instant;

use journal::{FileJournal, FrameBuilder, Head, Options, RealDisk};

use super::report::{Latencies, Row};
use crate::cli::Failure;

const KIB: usize = 1024;
/// An entry of about the length of an order of two lines.
const ENTRY: [u8; 392] = [7; 392];
/// What the frame adds to each entry: its length and its number of events.
const ENTRY_BYTES: usize = ENTRY.len() + 8;
const FRAMES: usize = 200;
const RUNS: usize = 3;

/// p50 and p99 of sealing a frame and appending it, with no thread between.
pub(super) fn appends(dir: &Path) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    for size_kib in [4, 64, 256] {
        let runs = (0..RUNS).map(|_| run(dir, size_kib * KIB)).collect::<Result<Vec<_>, _>>();
        let runs = runs.map_err(Failure::refused)?;
        rows.extend(Latencies::rows(&format!("the journal: a frame of {size_kib} KiB"), &runs));
    }
    Ok(rows)
}

fn run(dir: &Path, size: usize) -> Result<Latencies, journal::Fault> {
    let folder =
        tempfile::tempdir_in(dir).map_err(|source| journal::Fault::Io { path: dir.into(), source })?;
    let mut journal = FileJournal::create(RealDisk, folder.path(), [1; 16], Options::default())?;
    let mut latencies = Vec::with_capacity(FRAMES);
    for _ in 0..FRAMES {
        let frame = filled(&journal.head(), size);
        let began = Instant::now();
        journal.append(&frame.seal())?;
        latencies.push(began.elapsed());
        journal.prepare_next();
    }
    journal.close()?;
    Ok(Latencies::of(latencies))
}

fn filled(head: &Head, size: usize) -> FrameBuilder {
    let mut frame = FrameBuilder::open(head.ledger, 1, head.sequence + 1, head.event + 1, 1, head.hash);
    for _ in 0..size / ENTRY_BYTES {
        frame.push(&ENTRY, 1);
    }
    frame
}
