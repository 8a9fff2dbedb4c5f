//! `bincard archive`: sealed segments of a ledger, running or not, sent to a folder or a bucket.

use std::io::{self, Write};

use super::copying::into_folder;
use super::loading::grouped;
use super::offline::{self, History};
use crate::archive::{Archive, ArchiveFault, Sender, Sent};
use crate::cli::{ArchiveArgs, Failure, exit};

/// Sends what is new, says what the archive holds, and gives the exit status.
pub(super) async fn run(ledger: &str, args: ArchiveArgs) -> Result<u8, Failure> {
    let archive = Archive::open(&args.to, ledger)?;
    let sent = match offline::history(&args.history)? {
        History::Folder(data) => Sender::new(data.join(ledger), archive).send(args.verify).await?,
        // The frames of a stream make the same segments whenever they are written into files.
        stream @ History::Stream(_) => {
            let data = &args.history.data;
            std::fs::create_dir_all(data)?;
            let files = tempfile::Builder::new().prefix(".archiving-").tempdir_in(data)?;
            let (dir, name) = (files.path().join(ledger), ledger.to_owned());
            let written = tokio::task::spawn_blocking(move || {
                let source = offline::open(&stream, &name)?;
                into_folder(&*source, &dir).map_err(offline::journal_failure)?;
                Ok::<_, Failure>(dir)
            });
            let dir = written.await.expect("copying does not panic")?;
            Sender::new(dir, archive).send(args.verify).await?
        }
    };
    tell(&args.to, ledger, sent)?;
    Ok(exit::DONE)
}

fn tell(place: &str, ledger: &str, Sent { found, sent, bytes, up_to }: Sent) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if up_to == 0 {
        return writeln!(
            out,
            "{place}: ledger {ledger} has no sealed segment yet, so nothing was sent; bincard backup copies an open one too"
        );
    }
    writeln!(
        out,
        "{place} holds ledger {ledger} up to sequence {up_to}: {} segments were there, {} were sent, {} bytes",
        grouped(found),
        grouped(sent),
        grouped(bytes),
    )
}

impl From<ArchiveFault> for Failure {
    fn from(fault: ArchiveFault) -> Self {
        match fault {
            ArchiveFault::Journal(fault) => offline::journal_failure(fault),
            ArchiveFault::Damaged { .. } => Failure::corrupt(fault),
            ArchiveFault::Diverged { .. } | ArchiveFault::Failed { .. } => Failure::refused(fault),
            ArchiveFault::BadPlace { .. } | ArchiveFault::Empty { .. } | ArchiveFault::Io { .. } => {
                Failure::usage(fault)
            }
        }
    }
}
