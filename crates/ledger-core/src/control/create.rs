//! Genesis: the first entry of every ledger fixes its settings.

use bincode::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Refusal;
use crate::books::{Fact, Subject, SubjectKind};
use crate::draft::Draft;
use crate::kinds::Action;
use crate::ledger::{Ledger, Moment, Settings};
use crate::rejection::Rejection;

/// Creates the ledger.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Create {
    /// What is fixed for good.
    pub settings: Settings,
}

/// The ledger is there.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct Created {
    /// What is fixed for good.
    pub settings: Settings,
}

impl Action for Create {
    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Rejection> {
        if let Some(settings) = draft.ledger().settings() {
            return Err(Refusal::LedgerExists { name: settings.name.to_string() }.into());
        }
        draft.record(Created { settings: self.settings.clone() });
        Ok(())
    }
}

impl Fact for Created {
    fn subjects(&self, each: &mut dyn FnMut(Subject<'_>)) {
        each(Subject::new(SubjectKind::Ledger, &self.settings.name));
    }

    fn apply(&self, ledger: &mut Ledger, _at: &Moment) {
        *ledger.control.settings = Some(self.settings.clone());
    }
}
