//! The ledger's own life: its creation, the starts of its writers, the rules in force, and hashes of its state.

mod activate_rules;
mod create;
mod record_state_hash;
mod start_epoch;

pub use activate_rules::{ActivateRules, RulesActivated};
pub use create::{Create, Created};
pub use record_state_hash::{RecordStateHash, SectionHash, StateHash, StateHashRecorded};
pub use start_epoch::{EpochStarted, StartEpoch};

use std::ops::RangeInclusive;

use crate::ledger::Settings;
use crate::state::Tracked;
use crate::{refusals, state};

/// The versions of the rules that this program decides by. A ledger begins with the first there ever was, which is 1,
/// until an entry activates a newer one.
///
/// | version | what is decided in another way |
/// |---|---|
/// | 1 | |
/// | 2 | a step of a shipment is not dated before the step that it follows (`fulfilment`) |
pub const RULES_KNOWN: RangeInclusive<u32> = 1..=2;

state! {
    /// What was fixed at creation, how often a writer started, which rules are in force, and the last state hash.
    pub struct Control {
        pub(crate) settings: Tracked<Option<Settings>>,
        pub(crate) epoch: Tracked<u64>,
        /// `None` until another version than the first was activated.
        pub(crate) rules: Tracked<Option<u32>>,
        pub(crate) state_hash: Tracked<Option<StateHash>>,
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
        /// Nobody decides by rules that are not known.
        #[error("rules {rules} are not known to this program, which knows those up to {newest}: upgrade it first")]
        RulesNotKnown {
            /// The version that was wanted.
            rules: u32,
            /// The newest version there is.
            newest: u32,
        },
        /// Rules only go forward.
        #[error("rules {active} are in force, and rules {rules} are no newer ones")]
        RulesNotNewer {
            /// The version that was wanted.
            rules: u32,
            /// The version in force.
            active: u32,
        },
        /// A hash is of a state that there was.
        #[error("a state hash at sequence {at_sequence} is beyond the ledger's head {head}")]
        StateHashBeyondHead {
            /// Of which state it is.
            at_sequence: u64,
            /// The last entry.
            head: u64,
        },
        /// Hashes are recorded in the order of the log, one for a state.
        #[error("a state hash at sequence {at_sequence} is not after the last one, at {last}")]
        StateHashNotAfterLast {
            /// Of which state it is.
            at_sequence: u64,
            /// Of which state the last one is.
            last: u64,
        },
    }
}
