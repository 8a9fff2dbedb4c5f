//! `bincard restore`: a ledger made of a copy or an archive. It is checked in a folder of its own and then put in its place, so what
//! is there is whole.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use indicatif::ProgressBar;
use journal::{Head, JournalRead, OfflineJournal};
use uuid::Uuid;

use super::loading::style;
use crate::archive::{self, Archive};
use crate::backup::{BackupFault, MANIFEST, Manifest, Source, copy};
use crate::cli::{Failure, RestoreArgs, Verification, exit};

/// Restores, says what is there, and gives the exit status: 3 if what it is made of is damaged.
pub(super) async fn run(ledger: &str, args: RestoreArgs) -> Result<u8, Failure> {
    let to = args.data.join(ledger);
    if to.join("journal").exists() {
        return Err(BackupFault::Exists { dir: to }.into());
    }
    let from = From::find(&args.from, ledger)?;
    let mut fresh = Fresh::new(&args.data, ledger)?;
    let bar = ProgressBar::new_spinner();
    bar.set_style(style("{spinner} restored up to sequence {pos}"));
    let told = bar.clone();
    match from {
        From::Copy { folder, manifest } => {
            let filled = tokio::task::spawn_blocking(move || {
                of_copy(&folder, &manifest, &fresh.0, &|sequence| told.set_position(sequence))?;
                Ok::<_, Failure>(fresh)
            });
            fresh = filled.await.expect("restoring does not panic")?;
        }
        From::Archive(archive) => {
            archive::fetch(&archive, &fresh.0, &mut |sequence| told.set_position(sequence)).await?;
        }
    }
    bar.finish_and_clear();
    let (verification, place) = (args.verify, to.clone());
    let head = tokio::task::spawn_blocking(move || {
        let head = check_books(&fresh.0, verification)?;
        fresh.put_in_place(&place)?;
        Ok::<_, Failure>(head)
    });
    let head = head.await.expect("restoring does not panic")?;
    writeln!(
        io::stdout().lock(),
        "ledger {ledger} ({}) is restored in {} up to position {}.{}; bincard serve --data {} goes on from there",
        Uuid::from_bytes(head.ledger),
        to.display(),
        head.epoch,
        head.sequence,
        args.data.display()
    )?;
    Ok(exit::DONE)
}

/// What a ledger is made of.
enum From {
    Copy { folder: PathBuf, manifest: Manifest },
    Archive(Archive),
}

impl From {
    /// A folder with a manifest is a copy; a folder without one, or a bucket, is an archive.
    fn find(place: &str, ledger: &str) -> Result<From, Failure> {
        if place.contains("://") {
            return Ok(From::Archive(Archive::open(place, ledger)?));
        }
        let folder = Path::new(place).join(ledger);
        if let Some(manifest) = Manifest::read(&folder)? {
            return Ok(From::Copy { folder, manifest });
        }
        // A copy whose manifest is gone, or nothing at all.
        if !folder.exists() || folder.join("journal").exists() {
            return Err(Failure::usage(format!(
                "{} holds no {MANIFEST} and no archived segment: wanted a folder that bincard backup or bincard archive \
                 wrote; check --from and --ledger",
                folder.display()
            )));
        }
        Ok(From::Archive(Archive::open(place, ledger)?))
    }
}

/// Copies every frame, and looks whether the last one is what the manifest names.
fn of_copy(from: &Path, manifest: &Manifest, to: &Path, progress: &dyn Fn(u64)) -> Result<(), Failure> {
    manifest.check(from)?;
    copy(&Source::files(from)?, to, &mut |sequence| progress(sequence))?;
    let journal = OfflineJournal::open(to).map_err(BackupFault::from)?;
    let found = blake3::Hash::from_bytes(journal.head().hash).to_hex();
    if found.as_str() != manifest.head_hash {
        let why = format!("the last frame has hash {found}, the manifest says {}", manifest.head_hash);
        return Err(BackupFault::Changed { path: to.to_owned(), why }.into());
    }
    Ok(())
}

/// If asked for, folds every entry and decides every command again.
fn check_books(dir: &Path, verification: Verification) -> Result<Head, Failure> {
    let journal = OfflineJournal::open(dir).map_err(BackupFault::from)?;
    if verification == Verification::Full {
        let verified = replay::verify(&journal, &mut |_| {}).map_err(super::replay::failure)?;
        if let Some(difference) = verified.first_difference {
            return Err(Failure::refused(format!(
                "the copy is whole, but does not keep the books: {} differences, the first at sequence {}: {}; nothing \
                 was restored",
                verified.differences, difference.sequence, difference.what
            )));
        }
    }
    Ok(journal.head())
}

/// A folder beside the ledgers that goes away unless it becomes one.
struct Fresh(PathBuf);

impl Fresh {
    fn new(data: &Path, ledger: &str) -> Result<Self, BackupFault> {
        std::fs::create_dir_all(data).map_err(BackupFault::io(data))?;
        let dir = data.join(format!(".restoring-{ledger}"));
        match std::fs::remove_dir_all(&dir) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(BackupFault::io(dir)(error)),
            _ => Ok(Fresh(dir)),
        }
    }

    fn put_in_place(self, to: &Path) -> Result<(), BackupFault> {
        // A start that found no journal may have left an empty folder; anything else in it stays in the way.
        match std::fs::remove_dir(to) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(BackupFault::Exists { dir: to.to_owned() });
            }
            _ => {}
        }
        std::fs::rename(&self.0, to).map_err(BackupFault::io(to))?;
        let above = to.parent().unwrap_or(Path::new("."));
        std::fs::File::open(above).and_then(|above| above.sync_all()).map_err(BackupFault::io(above))
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        // After it was put in its place there is nothing to remove.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
