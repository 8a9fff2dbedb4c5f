//! `bincard restore`: a ledger made of a copy. It is checked in a folder of its own and then put in its place, so what
//! is there is whole.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use indicatif::ProgressBar;
use journal::{JournalRead, OfflineJournal};

use super::loading::style;
use crate::backup::{BackupFault, Manifest, Source, copy};
use crate::cli::{Failure, RestoreArgs, Verification, exit};

/// Restores, says what is there, and gives the exit status: 3 if the copy is damaged.
pub(super) async fn run(ledger: &str, args: RestoreArgs) -> Result<u8, Failure> {
    let ledger = ledger.to_owned();
    let restored = tokio::task::spawn_blocking(move || restore(&ledger, &args)).await;
    restored.expect("restoring does not panic")
}

fn restore(ledger: &str, args: &RestoreArgs) -> Result<u8, Failure> {
    let (from, to) = (args.from.join(ledger), args.data.join(ledger));
    if to.join("journal").exists() {
        return Err(BackupFault::Exists { dir: to }.into());
    }
    let manifest = Manifest::read(&from)?.ok_or_else(|| {
        Failure::usage(format!(
            "{} holds no {}: wanted a folder that bincard backup wrote; check --from and --ledger",
            from.display(),
            crate::backup::MANIFEST
        ))
    })?;
    manifest.check(&from)?;
    let fresh = Fresh::new(&args.data, ledger)?;
    let bar = ProgressBar::new_spinner();
    bar.set_style(style("{spinner} restored up to sequence {pos}"));
    copy(&Source::files(&from)?, &fresh.0, &mut |sequence| bar.set_position(sequence))?;
    bar.finish_and_clear();
    check(&manifest, &fresh.0, args.verify)?;
    fresh.put_in_place(&to)?;
    let Manifest { position, uuid, .. } = manifest;
    writeln!(
        io::stdout().lock(),
        "ledger {ledger} ({uuid}) is restored in {} up to position {position}; bincard serve --data {} goes on from there",
        to.display(),
        args.data.display()
    )?;
    Ok(exit::DONE)
}

/// What was restored is what the manifest names, and if asked for, keeps the books.
fn check(manifest: &Manifest, dir: &Path, verification: Verification) -> Result<(), Failure> {
    let journal = OfflineJournal::open(dir).map_err(BackupFault::from)?;
    let found = blake3::Hash::from_bytes(journal.head().hash).to_hex();
    if found.as_str() != manifest.head_hash {
        let why = format!("the last frame has hash {found}, the manifest says {}", manifest.head_hash);
        return Err(BackupFault::Changed { path: dir.to_owned(), why }.into());
    }
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
    Ok(())
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
