//! Where an archive is, and the segments in it by name.

use std::path::Path as FilePath;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{BackoffConfig, ObjectStore, ObjectStoreExt, RetryConfig};

use super::ArchiveFault;
use super::connector::Connector;
use crate::door::outgoing_agent;

/// How long a request to a bucket is tried again before its failure is told.
const TRIED_FOR: Duration = Duration::from_secs(30);
const TRIES_MAX: usize = 4;

/// The archive of one ledger.
pub struct Archive {
    store: Arc<dyn ObjectStore>,
    folder: Path,
    name: String,
    ledger: String,
}

/// A segment in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Number of its first entry.
    pub first_sequence: u64,
    /// What must be in it.
    pub hash: blake3::Hash,
    /// Length in bytes.
    pub bytes: u64,
}

impl Archive {
    /// The archive of a ledger at a place: a folder, which is made if it is not there, or a bucket with the keys, region
    /// and endpoint that AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION and AWS_ENDPOINT_URL say.
    pub fn open(place: &str, ledger: &str) -> Result<Archive, ArchiveFault> {
        let bad = || ArchiveFault::BadPlace { found: place.to_owned() };
        let (store, prefix): (Arc<dyn ObjectStore>, &str) = match place.split_once("://") {
            Some(("s3", bucket)) => {
                let (bucket, prefix) = bucket.split_once('/').unwrap_or((bucket, ""));
                (if bucket.is_empty() { Err(bad()) } else { of_bucket(place, bucket) }?, prefix)
            }
            Some(("file", folder)) if folder.starts_with('/') => (of_folder(folder)?, ""),
            Some(_) => return Err(bad()),
            None if place.is_empty() => return Err(bad()),
            None => (of_folder(place)?, ""),
        };
        let folder = Path::parse(prefix).map_err(|_| bad())?.join(ledger);
        Ok(Archive { store, folder, name: place.to_owned(), ledger: ledger.to_owned() })
    }

    /// What to call it in messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The ledger.
    pub fn ledger(&self) -> &str {
        &self.ledger
    }

    /// The segments that are there, oldest first. Other objects are left alone.
    pub async fn segments(&self) -> Result<Vec<Kept>, ArchiveFault> {
        let listed = self.store.list_with_delimiter(Some(&self.folder)).await;
        let listed = listed.map_err(|error| self.failed(&self.folder, &error))?;
        let mut found: Vec<Kept> = listed
            .objects
            .iter()
            .filter_map(|object| Kept::of_name(object.location.filename()?, object.size))
            .collect();
        found.sort_by_key(|kept| kept.first_sequence);
        let twice = found.windows(2).find(|pair| pair[0].first_sequence == pair[1].first_sequence);
        match twice {
            None => Ok(found),
            Some(pair) => {
                let first = pair[0].first_sequence;
                let why = format!("two segments begin with sequence {first}: wanted one history, found two");
                Err(ArchiveFault::Damaged { place: self.name.clone(), why })
            }
        }
    }

    /// A segment's bytes, which are what its name says.
    pub async fn get(&self, kept: &Kept) -> Result<Bytes, ArchiveFault> {
        let path = self.path_of(kept);
        let got = self.store.get(&path).await.map_err(|error| self.failed(&path, &error))?;
        let bytes = got.bytes().await.map_err(|error| self.failed(&path, &error))?;
        let found = blake3::hash(&bytes);
        if found != kept.hash {
            let why = format!("found {} bytes with BLAKE3 {found}, its name says otherwise", bytes.len());
            return Err(ArchiveFault::Damaged { place: self.said(&path), why });
        }
        Ok(bytes)
    }

    /// Puts a segment there, and reads it back: it is there on return, whole.
    pub async fn put(&self, kept: &Kept, bytes: Bytes) -> Result<(), ArchiveFault> {
        let path = self.path_of(kept);
        self.store.put(&path, bytes.into()).await.map_err(|error| self.failed(&path, &error))?;
        self.get(kept).await.map(|_| ())
    }

    fn path_of(&self, kept: &Kept) -> Path {
        self.folder.clone().join(kept.name())
    }

    fn failed(&self, path: &Path, error: &object_store::Error) -> ArchiveFault {
        ArchiveFault::Failed { place: self.said(path), why: spelled_out(error) }
    }

    fn said(&self, path: &Path) -> String {
        match path.filename() {
            Some(object) if *path != self.folder => format!("{}: {object}", self.name),
            _ => self.name.clone(),
        }
    }
}

impl Kept {
    fn name(&self) -> String {
        format!("{:020}-{}.seg", self.first_sequence, self.hash)
    }

    fn of_name(name: &str, bytes: u64) -> Option<Kept> {
        let (first, hash) = name.strip_suffix(".seg")?.split_once('-')?;
        let hash = blake3::Hash::from_hex(hash).ok()?;
        let kept = Kept { first_sequence: first.parse().ok()?, hash, bytes };
        (kept.name() == name).then_some(kept)
    }
}

fn of_folder(folder: &str) -> Result<Arc<dyn ObjectStore>, ArchiveFault> {
    let path = FilePath::new(folder);
    std::fs::create_dir_all(path).map_err(ArchiveFault::io(path))?;
    let opened = LocalFileSystem::new_with_prefix(path);
    let store = opened
        .map_err(|error| ArchiveFault::Failed { place: folder.to_owned(), why: spelled_out(&error) })?;
    Ok(Arc::new(store.with_fsync(true)))
}

fn of_bucket(place: &str, bucket: &str) -> Result<Arc<dyn ObjectStore>, ArchiveFault> {
    let retry = RetryConfig {
        max_retries: TRIES_MAX,
        retry_timeout: TRIED_FOR,
        backoff: BackoffConfig { max_backoff: Duration::from_secs(5), ..BackoffConfig::default() },
    };
    let built = AmazonS3Builder::from_env()
        .with_bucket_name(bucket)
        .with_retry(retry)
        .with_http_connector(Connector(outgoing_agent()))
        .build();
    let store =
        built.map_err(|error| ArchiveFault::Failed { place: place.to_owned(), why: spelled_out(&error) })?;
    Ok(Arc::new(store))
}

/// An error with what caused it, each said once.
fn spelled_out(error: &dyn std::error::Error) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !said.contains(&text) {
            said = format!("{said}: {text}");
        }
        cause = error.source();
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_it_is_written_and_nothing_else_is() {
        let kept = Kept { first_sequence: 4711, hash: blake3::hash(b"tea"), bytes: 3 };
        assert_eq!(Kept::of_name(&kept.name(), 3), Some(kept.clone()));
        for other in ["", "00000000000000000001.seg", "4711-ab.seg", "backup.json", &kept.name()[1..]] {
            assert_eq!(Kept::of_name(other, 3), None, "{other}");
        }
    }
}
