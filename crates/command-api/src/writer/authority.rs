//! Who may ask for what: the permission of a command is its name.

use super::{Answer, Request};

/// Asks before anything else is looked at, so that an answer tells a stranger nothing about the ledger. Of an atomic
/// batch every command has to be allowed.
pub(super) fn authorise(request: &Request) -> Result<(), Answer> {
    for submitted in &request.submission.commands {
        let permission = submitted.command.name();
        if !request.rights.allow(permission) {
            return Err(Answer::Forbidden { permission });
        }
    }
    Ok(())
}
