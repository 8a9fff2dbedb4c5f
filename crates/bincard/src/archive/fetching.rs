//! An archive's segments, brought back into a folder that reads like any stopped ledger.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use journal::{Checked, FrameSource, Head, JournalRead, OfflineJournal};

use super::{Archive, ArchiveFault};

/// What was brought back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fetched {
    /// Segments.
    pub segments: u64,
    /// The last entry in them.
    pub head: Head,
}

/// Writes every segment of the archive into the ledger's folder, durably, and reads every frame back: each is whole and
/// follows the one before it. `progress` is told of every segment's first entry.
pub async fn fetch(
    archive: &Archive,
    dir: &Path,
    progress: &mut dyn FnMut(u64),
) -> Result<Fetched, ArchiveFault> {
    let kept = archive.segments().await?;
    if kept.is_empty() {
        let (place, ledger) = (archive.name().to_owned(), archive.ledger().to_owned());
        return Err(ArchiveFault::Empty { place, ledger });
    }
    let journal = dir.join("journal");
    fs::create_dir_all(&journal).map_err(ArchiveFault::io(&journal))?;
    for segment in &kept {
        progress(segment.first_sequence);
        let bytes = archive.get(segment).await?;
        let path = journal.join(format!("{:020}.seg", segment.first_sequence));
        let written = File::create(&path).and_then(|mut file| {
            file.write_all(&bytes)?;
            file.sync_all()
        });
        written.map_err(ArchiveFault::io(&path))?;
    }
    let synced = File::open(&journal).and_then(|journal| journal.sync_all());
    synced.map_err(ArchiveFault::io(&journal))?;
    Ok(Fetched { segments: kept.len() as u64, head: check(dir)? })
}

fn check(dir: &Path) -> Result<Head, ArchiveFault> {
    let journal = OfflineJournal::open(dir)?;
    let mut frames = Checked::after(journal.frames_from(1)?, Head::empty(journal.head().ledger));
    while frames.next_frame()?.is_some() {}
    Ok(journal.head())
}
