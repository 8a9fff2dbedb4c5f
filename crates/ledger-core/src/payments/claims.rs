//! Granted refunds as payments see them: who is to be paid from which account. How much is open, account 2310 says.

use bincode::{Decode, Encode};

use crate::books::Account;
use crate::finance;
use crate::ledger::Ledger;
use crate::state::Row;
use crate::values::{Amount, CountryCode, RefundId, Text};

/// A granted refund that is to be paid.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Claim {
    /// The order; none on an unreferenced refund.
    pub order: Option<Row>,
    /// The channel, whose settlement says from where it is paid.
    pub channel: Row,
    /// The country of the sale.
    pub country: Option<CountryCode>,
}

/// A refund was granted: from here on it can be paid. For the `apply` of the fact that says so and credits 2310.
pub(crate) fn open_claim(ledger: &mut Ledger, refund: &RefundId, claim: Claim) {
    ledger.payments.claims.insert(refund.clone(), claim);
}

/// What of a granted refund is still to be paid.
pub(super) fn open_amount(ledger: &Ledger, refund: &RefundId) -> Amount {
    -finance::open_balance(ledger, Account::RefundsPayable, refund.as_str())
}
