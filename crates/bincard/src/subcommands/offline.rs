//! The history of a ledger, read and never written: the folder of a stopped one, which works on a read-only mount and
//! never opens the views' store, or a stream, whoever appends to it. In a folder the fold begins with the newest snapshot.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use command_api::nats::{Access, without_secrets};
use journal::jetstream::{Server, StreamJournal, StreamOptions};
use journal::{JournalRead, OfflineJournal};
use projections::{MemoryStore, Opening, Projections, QueryFault};
use snapshots::{SnapshotSource, Snapshots};

use crate::cli::{DoorArgs, Failure, HistoryArgs, JournalKind};

/// Where a history is.
pub(super) enum History {
    /// Files in a folder of ledgers.
    Folder(PathBuf),
    /// A stream on these servers.
    Stream(Box<Server>),
}

/// Which history the arguments mean.
pub(super) fn history(args: &HistoryArgs) -> Result<History, Failure> {
    match args.journal {
        JournalKind::File => Ok(History::Folder(args.data.clone())),
        JournalKind::Jetstream => {
            let access = args.nats_access.access();
            Ok(History::Stream(Box::new(nats_server(args.nats.as_deref(), &access, "--journal jetstream")?)))
        }
    }
}

/// The history that a question names: the folder, or the stream on the server of --nats or NATS_URL.
pub(super) fn asked_history(journal: JournalKind, door: &DoorArgs) -> Result<History, Failure> {
    let data = door.data.clone().unwrap_or_else(crate::door::default_folder);
    let nats = door.nats.clone().or_else(|| std::env::var("NATS_URL").ok());
    history(&HistoryArgs { data, journal, nats, nats_access: door.access.nats.clone() })
}

/// The NATS servers that keep a stream, and how they are reached.
pub(super) fn nats_server(url: Option<&str>, access: &Access, who: &str) -> Result<Server, Failure> {
    let Some(url) = url.filter(|url| !url.is_empty()) else {
        return Err(Failure::usage(format!(
            "{who}: wanted the NATS server that keeps the stream: --nats URL"
        )));
    };
    let (options, url) = (access.options(url), without_secrets(url));
    let options = options.map_err(|fault| Failure::usage(format!("--nats {url}: {fault}")))?;
    Ok(Server { options: options.name("bincard journal"), url })
}

/// Opens a history; what an operator may want to know is told on standard error.
pub(super) fn open(history: &History, ledger: &str) -> Result<Box<dyn JournalRead>, Failure> {
    match history {
        History::Folder(data) => Ok(Box::new(folder(data, ledger)?)),
        History::Stream(server) => stream(server, ledger),
    }
}

fn folder(data: &Path, ledger: &str) -> Result<OfflineJournal, Failure> {
    let journal = OfflineJournal::open(&data.join(ledger)).map_err(journal_failure)?;
    if let Some(torn) = journal.torn_tail() {
        eprintln!("note: {torn}; the next start of the service cuts it off");
    }
    for note in journal.notes() {
        eprintln!("note: {note}");
    }
    Ok(journal)
}

fn stream(server: &Server, ledger: &str) -> Result<Box<dyn JournalRead>, Failure> {
    let options = StreamOptions { server: server.clone(), ledger: ledger.to_owned(), create: None };
    let reader = StreamJournal::open(&options).map_err(journal_failure)?.reader();
    for void in reader.voids() {
        eprintln!(
            "note: stream sequence {} is void: {} entries that a writer of epoch {} lost to another, from sequence {}; \
             none was acknowledged",
            void.stream_sequence, void.entries, void.epoch, void.first_sequence
        );
    }
    Ok(Box::new(reader))
}

/// Folds a history in memory.
pub(super) fn projections(history: &History, ledger: &str) -> Result<Projections, Failure> {
    let journal: Arc<dyn JournalRead> = Arc::from(open(history, ledger)?);
    let mut snapshots = match history {
        History::Folder(data) => Some(Snapshots::of_ledger(&data.join(ledger))),
        History::Stream(_) => None,
    };
    loop {
        let (store, journal) = (Box::new(MemoryStore::default()), Arc::clone(&journal));
        let source = snapshots.clone().map(|snapshots| Arc::new(snapshots) as Arc<dyn SnapshotSource>);
        let opening = Opening { store, journal, snapshots: source, progress: &mut |_, _| {} };
        match Projections::open_from(opening) {
            Err(projections::Fault::StateDiffers { at_sequence, what }) => {
                eprintln!("note: the snapshot of sequence {at_sequence} is left aside: {what}");
                snapshots = snapshots.map(|snapshots| snapshots.doubting(at_sequence));
            }
            opened => return opened.map_err(views_failure),
        }
    }
}

/// The exit status of what is wrong with a journal.
pub(super) fn journal_failure(fault: journal::Fault) -> Failure {
    match &fault {
        fault if fault.is_damage() => Failure::corrupt(fault),
        journal::Fault::InUse { address } => Failure::usage(format!(
            "the ledger is being {address}: ask the service, or stop it to read its files"
        )),
        _ => Failure::usage(fault),
    }
}

/// The exit status of what is wrong with a fold.
pub(super) fn views_failure(fault: projections::Fault) -> Failure {
    match fault {
        projections::Fault::Journal(fault) => journal_failure(fault),
        projections::Fault::Store { .. } => Failure::usage(fault),
        fault => Failure::corrupt(fault),
    }
}

/// The exit status of a refused question.
pub(super) fn query_failure(fault: QueryFault) -> Failure {
    match fault {
        QueryFault::Fault(fault) => views_failure(fault),
        fault => Failure::refused(format!("{fault} ({})", fault.code())),
    }
}
