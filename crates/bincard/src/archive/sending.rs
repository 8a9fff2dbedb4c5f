//! Sealed segments of a ledger's folder, sent to its archive: what is there already is not sent again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use journal::{SealedSegment, sealed_segments};

use super::{Archive, ArchiveFault, Kept};

/// What one pass did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sent {
    /// Segments that were there.
    pub found: u64,
    /// Segments that were sent.
    pub sent: u64,
    /// Bytes that were sent.
    pub bytes: u64,
    /// The last entry in the archive; 0 if it is empty.
    pub up_to: u64,
}

/// Brings an archive up to a ledger's sealed segments, again and again.
pub struct Sender {
    dir: PathBuf,
    archive: Archive,
    /// The last entry that is certainly in the archive.
    up_to: u64,
}

impl Sender {
    /// For the ledger in this folder.
    pub fn new(dir: PathBuf, archive: Archive) -> Sender {
        Sender { dir, archive, up_to: 0 }
    }

    /// Sends what is not there. Of what is there, the newest segment is compared by hash: it names the history before it,
    /// whose segments have to be there too. With `verify` every segment is read back and compared.
    pub async fn send(&mut self, verify: bool) -> Result<Sent, ArchiveFault> {
        let sealed = sealed(&self.dir, self.up_to + 1).await?;
        let mut sent = Sent { up_to: self.up_to, ..Sent::default() };
        if sealed.is_empty() {
            return Ok(sent);
        }
        let mut kept: BTreeMap<u64, Kept> = BTreeMap::new();
        for segment in self.archive.segments().await? {
            kept.insert(segment.first_sequence, segment);
        }
        let newest_there = sealed.iter().rposition(|segment| kept.contains_key(&segment.first_sequence()));
        for (at, segment) in sealed.iter().enumerate() {
            let there = kept.get(&segment.first_sequence()).filter(|there| there.bytes == segment.bytes);
            match there {
                Some(_) if newest_there != Some(at) && !verify => sent.found += 1,
                Some(there) => {
                    let (hash, _) = read(&segment.path).await?;
                    self.check_same(there, hash)?;
                    if verify {
                        self.archive.get(there).await?;
                    }
                    sent.found += 1;
                }
                None => {
                    let (hash, bytes) = read(&segment.path).await?;
                    let first_sequence = segment.first_sequence();
                    if let Some(other) = kept.get(&first_sequence) {
                        self.check_same(other, hash)?;
                    }
                    self.archive.put(&Kept { first_sequence, hash, bytes: segment.bytes }, bytes).await?;
                    sent.sent += 1;
                    sent.bytes += segment.bytes;
                }
            }
            sent.up_to = segment.end.sequence;
        }
        self.up_to = sent.up_to;
        Ok(sent)
    }

    fn check_same(&self, there: &Kept, hash: blake3::Hash) -> Result<(), ArchiveFault> {
        if there.hash == hash {
            return Ok(());
        }
        let (place, first_sequence) = (self.archive.name().to_owned(), there.first_sequence);
        Err(ArchiveFault::Diverged { place, first_sequence })
    }
}

async fn sealed(dir: &Path, from: u64) -> Result<Vec<SealedSegment>, ArchiveFault> {
    let dir = dir.to_owned();
    let found = tokio::task::spawn_blocking(move || sealed_segments(&dir, from)).await;
    Ok(found.expect("listing files does not panic")?)
}

async fn read(path: &Path) -> Result<(blake3::Hash, Bytes), ArchiveFault> {
    let path = path.to_owned();
    let read = tokio::task::spawn_blocking(move || {
        let bytes = std::fs::read(&path).map_err(ArchiveFault::io(&path))?;
        Ok((blake3::hash(&bytes), Bytes::from(bytes)))
    });
    read.await.expect("reading a file does not panic")
}
