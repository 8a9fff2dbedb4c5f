//! Returns and refunds: what came back, what was found, what became of it, and what the customer gets for it.

mod authorise;
mod disposition;
mod document;
mod entitlement;
mod expire;
mod grant;
mod inspect;
mod receive;
mod refund;
mod refunded;
mod refusal;
mod set_window;

pub use authorise::{Authorise, AuthoriseLine, Authorised, AuthorisedLine};
pub use disposition::{Disposition, DispositionLine, Dispositioned};
pub use document::{Grade, GrantedRefund, Outcome, OutcomeUnits, Return, ReturnLine, ReturnStage, Returns};
pub use expire::{Expire, Expired, ExpiredLine};
pub use inspect::{Inspect, InspectLine, Inspected, InspectedLine};
pub use receive::{Receive, ReceiveLine, Received, ReceivedLine};
pub use refund::{Refund, RefundCharge, RefundLine};
pub use refunded::{Refunded, RefundedCharge, RefundedLine};
pub use refusal::Refusal;
pub use set_window::{SetWindow, WindowSet};

use crate::ledger::Ledger;
use crate::values::ReturnId;

/// Lines and charges of one command.
pub const RETURN_LINES_MAX: usize = 1_000;

/// Refuses a document that is over the limit of the contract.
fn within_limit(lines: usize) -> Result<(), Refusal> {
    if lines > RETURN_LINES_MAX {
        return Err(Refusal::DocumentTooLarge { lines, lines_max: RETURN_LINES_MAX });
    }
    Ok(())
}

/// Refuses a document without a line, or with more than the contract allows.
fn sized(lines: usize) -> Result<(), Refusal> {
    if lines == 0 {
        return Err(Refusal::NoLines {});
    }
    within_limit(lines)
}

/// The return, if it was ever authorised or received.
fn known<'l>(ledger: &'l Ledger, id: &ReturnId) -> Result<&'l Return, Refusal> {
    ledger.returns.find(id).ok_or_else(|| Refusal::UnknownReturn { rma: id.clone() })
}

/// The line of a return.
fn line_of<'r>(id: &ReturnId, found: &'r Return, line: u16) -> Result<&'r ReturnLine, Refusal> {
    found.line(line).ok_or_else(|| Refusal::UnknownReturnLine { rma: id.clone(), line })
}
