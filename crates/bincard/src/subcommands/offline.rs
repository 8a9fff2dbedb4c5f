//! The folder of a stopped ledger, read and never written: works on a read-only mount, never opens the views' store.

use std::path::Path;
use std::sync::Arc;

use journal::OfflineJournal;
use projections::{MemoryStore, Projections, QueryFault};

use crate::cli::Failure;

/// Opens the journal of a stopped ledger; a torn last frame is told on standard error.
pub(super) fn journal(data: &Path, ledger: &str) -> Result<OfflineJournal, Failure> {
    let journal = OfflineJournal::open(&data.join(ledger)).map_err(journal_failure)?;
    if let Some(torn) = journal.torn_tail() {
        eprintln!("note: {torn}; the next start of the service cuts it off");
    }
    for note in journal.notes() {
        eprintln!("note: {note}");
    }
    Ok(journal)
}

/// Folds the journal of a stopped ledger in memory.
pub(super) fn projections(data: &Path, ledger: &str) -> Result<Projections, Failure> {
    let journal = journal(data, ledger)?;
    Projections::open(Box::new(MemoryStore::default()), Arc::new(journal)).map_err(views_failure)
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
