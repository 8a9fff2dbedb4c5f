//! For which document something happened, as the views of movements and postings show it.

use ledger_core::{Event, Fact, SubjectKind};
use schemars::JsonSchema;
use serde::Serialize;

/// A document: an order, a shipment, a return …
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Document {
    /// Its kind.
    kind: SubjectKind,
    /// Its id.
    id: String,
}

/// The chief document of an event: its first subject that is no master record.
pub(crate) fn document_of(event: &Event) -> Option<Document> {
    let mut found = None;
    event.subjects(&mut |subject| {
        if subject.kind.is_document() && found.is_none() {
            found = Some(Document { kind: subject.kind, id: subject.id.to_owned() });
        }
    });
    found
}
