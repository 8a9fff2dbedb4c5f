//! Who may ask for what. Everyone who reaches a door may ask for everything: doors open on loopback alone.

use ledger_core::Submission;

use super::Answer;

/// Asks before anything else is looked at, so that an answer tells a stranger nothing about the ledger.
pub(super) fn authorise(_submission: &Submission) -> Result<(), Answer> {
    Ok(())
}
