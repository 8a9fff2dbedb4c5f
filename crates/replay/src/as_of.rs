//! As of a time: any view over a journal that nobody serves, in memory.

use std::sync::Arc;

use journal::JournalRead;
use projections::{MemoryStore, Page, Projections, Query, QueryFault};

use crate::Progress;

/// Answers one query, as of what it says, from the journal alone.
pub fn as_of(
    journal: Arc<dyn JournalRead>,
    view: &str,
    query: Query,
    progress: &mut dyn FnMut(Progress),
) -> Result<Page, QueryFault> {
    let mut told = |sequence, of| progress(Progress { sequence, of });
    Projections::open_with_progress(Box::new(MemoryStore::new()), journal, &mut told)?.query(view, query)
}
