//! What `serve --archive-to` does: finished segments leave for the archive soon after the next one began.

use std::time::Duration;

use command_api::Service;
use tokio::task::JoinHandle;

use crate::archive::{Archive, Sender};
use crate::cli::{Failure, JournalKind, ServeArgs};

/// How often is looked for a finished segment.
const EVERY: Duration = Duration::from_secs(5);
/// The longest wait after failures in a row.
const EVERY_MAX: Duration = Duration::from_secs(300);

/// The archive that the arguments name, if they name one.
pub(super) fn archive(ledger: &str, args: &ServeArgs) -> Result<Option<Archive>, Failure> {
    match (&args.archive_to, args.journal) {
        (None, _) => Ok(None),
        (Some(place), JournalKind::File) => Ok(Some(Archive::open(place, ledger)?)),
        (Some(_), JournalKind::Jetstream) => Err(Failure::usage(
            "--archive-to: wanted a journal in files; a stream is archived by bincard archive --journal jetstream",
        )),
    }
}

/// Sends until it is aborted. A failure is told, and tried again later: the ledger goes on without its archive.
pub(super) fn start(archive: Archive, args: &ServeArgs, service: &Service) -> JoinHandle<()> {
    let mut sender = Sender::new(args.data.join(service.name()), archive);
    let service = service.clone();
    tokio::spawn(async move {
        let mut wait = EVERY;
        loop {
            match sender.send(false).await {
                Ok(sent) => {
                    wait = EVERY;
                    service.metrics().note_archived(sent.up_to);
                    if sent.sent > 0 {
                        tracing::info!(segments = sent.sent, up_to = sent.up_to, "archived");
                    }
                }
                Err(fault) => {
                    service.metrics().note_archive_stands_still();
                    tracing::error!(%fault, again_in_s = wait.as_secs(), "NOTHING IS ARCHIVED");
                    wait = (wait * 2).min(EVERY_MAX);
                }
            }
            tokio::time::sleep(wait).await;
        }
    })
}
