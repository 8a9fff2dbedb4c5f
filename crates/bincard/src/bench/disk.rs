//! What the disk alone takes for a durable write: the limit that every other figure stands beside.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

use super::report::{Latencies, Row};

const FILE_BYTES: usize = 64 * 1024 * 1024;
const KIB: usize = 1024;
/// Durable writes of each size and run.
const WRITES: usize = 200;
const RUNS: usize = 3;

/// p50 and p99 of write + fdatasync into a preallocated, zeroed file, as the journal does it; the first row is the p50
/// of 4 KiB.
pub(super) fn fdatasync(dir: &Path) -> io::Result<Vec<Row>> {
    let file = tempfile::tempfile_in(dir)?;
    for offset in (0..FILE_BYTES).step_by(1024 * KIB) {
        file.write_all_at(&vec![0; 1024 * KIB], offset as u64)?;
    }
    file.sync_all()?;
    let mut rows = Vec::new();
    for size_kib in [4, 64, 256] {
        let runs: Vec<Latencies> =
            (0..RUNS).map(|_| writes(&file, size_kib * KIB).map(Latencies::of)).collect::<io::Result<_>>()?;
        rows.extend(Latencies::rows(
            &format!("the disk alone: write and fdatasync of {size_kib} KiB"),
            &runs,
        ));
    }
    Ok(rows)
}

fn writes(file: &File, size: usize) -> io::Result<Vec<Duration>> {
    let bytes = vec![7; size];
    let write = |number: usize| {
        let began = Instant::now();
        file.write_all_at(&bytes, (number * size % FILE_BYTES) as u64)?;
        file.sync_data()?;
        Ok(began.elapsed())
    };
    (0..WRITES).map(write).collect()
}
