//! `bincard backup`: the history of a ledger, running or not, copied into a folder.

use std::io::{self, Write};

use indicatif::ProgressBar;

use super::loading::{grouped, style};
use crate::backup::{BackupFault, Copied, Manifest, Source, copy};
use crate::cli::{BackupArgs, DoorArgs, Failure, exit};
use crate::door::{self, Asked};

/// Copies what is new, says what the copy holds, and gives the exit status.
pub(super) async fn run(ledger: &str, args: BackupArgs) -> Result<u8, Failure> {
    let source = source(ledger, &args)?;
    let (ledger, dir) = (ledger.to_owned(), args.to.join(ledger));
    let copied = tokio::task::spawn_blocking(move || back_up(&source, &ledger, &dir)).await;
    let (Copied { from, head, bytes }, manifest) = copied.expect("copying does not panic")?;
    writeln!(
        io::stdout().lock(),
        "{} holds ledger {} up to position {}: {} entries came, {} bytes of frames",
        args.to.display(),
        manifest.ledger,
        manifest.position,
        grouped(head.sequence - from),
        grouped(bytes),
    )?;
    Ok(exit::DONE)
}

fn source(ledger: &str, args: &BackupArgs) -> Result<Source, Failure> {
    let nobody_named = args.http.is_none() && args.data.is_none();
    let data = args.data.clone().or_else(|| nobody_named.then(door::default_folder));
    let door = DoorArgs { nats: None, http: args.http.clone(), data, access: args.access.clone() };
    match door::asked(&door, ledger)? {
        Asked::Folder(data) => Ok(Source::files(&data.join(ledger))?),
        Asked::Http(url) => {
            let (url, agent) = door::http_agent(&url, &args.access)?;
            Ok(Source::Service { agent, url, ledger: ledger.to_owned(), token: args.access.token.clone() })
        }
        Asked::Nats(_) => unreachable!("a backup is given no NATS server"),
    }
}

fn back_up(source: &Source, ledger: &str, dir: &std::path::Path) -> Result<(Copied, Manifest), BackupFault> {
    let before = Manifest::read(dir)?;
    let bar = ProgressBar::new_spinner();
    bar.set_style(style("{spinner} copied up to sequence {pos}"));
    let copied = copy(source, dir, &mut |sequence| bar.set_position(sequence))?;
    bar.finish_and_clear();
    let manifest = Manifest::of(dir, ledger, before.as_ref())?;
    manifest.write(dir)?;
    Ok((copied, manifest))
}

impl From<BackupFault> for Failure {
    fn from(fault: BackupFault) -> Self {
        match fault {
            BackupFault::Journal(fault) => super::offline::journal_failure(fault),
            BackupFault::Changed { .. } => Failure::corrupt(fault),
            BackupFault::Diverged { .. } | BackupFault::Service { .. } => Failure::refused(fault),
            BackupFault::Empty { .. } | BackupFault::Io { .. } | BackupFault::Exists { .. } => {
                Failure::usage(fault)
            }
        }
    }
}
