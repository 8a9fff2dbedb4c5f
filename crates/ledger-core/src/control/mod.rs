//! The ledger's own life: its creation and the starts of its writers. Only the service writes these.

mod create;
mod start_epoch;

pub use create::{Create, Created};
pub use start_epoch::{EpochStarted, StartEpoch};

use crate::ledger::Settings;
use crate::state::Tracked;
use crate::{refusals, state};

state! {
    /// What was fixed at creation, and how often a writer started.
    pub struct Control {
        pub(crate) settings: Tracked<Option<Settings>>,
        pub(crate) epoch: Tracked<u64>,
    }
}

refusals! {
    /// Why a control entry is refused.
    pub enum Refusal {
        /// A ledger is created once.
        #[error("the ledger is already there, under the name {name}")]
        LedgerExists {
            /// Its name.
            name: String,
        },
        /// Nothing can be recorded before the ledger is created.
        #[error("the ledger is not created yet")]
        LedgerNotCreated {},
    }
}
