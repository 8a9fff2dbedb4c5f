//! Every start of a writer is an entry: what was written before it and after it can be told apart.

use bincode::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Refusal;
use crate::books::{Fact, Subject, SubjectKind};
use crate::draft::Draft;
use crate::kinds::Action;
use crate::ledger::{Ledger, Moment};
use crate::rejection::Rejection;
use crate::values::Name;

/// A writer takes the ledger.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StartEpoch {
    /// The program and version that writes from here on.
    pub writer: Name,
}

/// A writer took the ledger.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct EpochStarted {
    /// The number of this start, from 1.
    pub epoch: u64,
    /// The ledger's label.
    pub ledger: Name,
    /// The program and version that writes from here on.
    pub writer: Name,
}

impl Action for StartEpoch {
    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Rejection> {
        let settings = draft.ledger().settings().ok_or(Refusal::LedgerNotCreated {})?;
        let ledger = settings.name.clone();
        let epoch = draft.ledger().epoch() + 1;
        draft.record(EpochStarted { epoch, ledger, writer: self.writer.clone() });
        Ok(())
    }
}

impl Fact for EpochStarted {
    fn subjects(&self, each: &mut dyn FnMut(Subject<'_>)) {
        each(Subject::new(SubjectKind::Ledger, &self.ledger));
    }

    fn apply(&self, ledger: &mut Ledger, _at: &Moment) {
        *ledger.control.epoch = self.epoch;
    }
}
