//! Rebuild: every view folded anew from the journal, with a digest of all their rows.

use std::sync::Arc;

use journal::JournalRead;
use projections::{Digest, Position, Projections, Store};
use serde::Serialize;

use crate::{Fault, Progress};

/// What a rebuild came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rebuilt {
    /// How far the journal reaches.
    pub position: Position,
    /// What the views answer: equal for every history of the same business.
    #[serde(flatten)]
    pub digest: Digest,
}

/// Folds the whole journal into an empty store and digests what every view answers. The projections can be asked on.
pub fn rebuild(
    store: Box<dyn Store>,
    journal: Arc<dyn JournalRead>,
    progress: &mut dyn FnMut(Progress),
) -> Result<(Projections, Rebuilt), Fault> {
    let mut told = |sequence, of| progress(Progress { sequence, of });
    let projections = Projections::open_with_progress(store, journal, &mut told)?;
    projections.checkpoint()?;
    let rebuilt = Rebuilt { position: projections.position(), digest: projections.digest()? };
    Ok((projections, rebuilt))
}
