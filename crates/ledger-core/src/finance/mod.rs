//! The financial book: what every account has been debited and credited.

use bincode::Encode;

use crate::books::{Account, Posting};
use crate::state::Tracked;
use crate::values::Amount;
use crate::{refusals, state};

/// What an account has been debited and credited since the ledger was created.
#[derive(Debug, Clone, Copy, PartialEq, Default, Encode)]
pub struct AccountTotal {
    /// Debits.
    pub debit: Amount,
    /// Credits.
    pub credit: Amount,
}

impl AccountTotal {
    /// Debits less credits.
    pub fn balance(&self) -> Amount {
        self.debit - self.credit
    }
}

/// The totals of every account of the chart.
#[derive(Debug, Clone, PartialEq, Encode)]
pub struct Totals([AccountTotal; Account::COUNT]);

impl Default for Totals {
    fn default() -> Self {
        Totals([AccountTotal::default(); Account::COUNT])
    }
}

state! {
    /// The financial book.
    pub struct Finance {
        totals: Tracked<Totals>,
        pub(crate) invoices: Tracked<u64>,
        pub(crate) credit_notes: Tracked<u64>,
    }
}

impl Finance {
    /// What an account has been debited and credited.
    pub fn total(&self, account: Account) -> AccountTotal {
        self.totals.0[account.index()]
    }

    pub(crate) fn post(&mut self, posting: &Posting<'_>) {
        let total = &mut self.totals.0[posting.account.index()];
        if posting.amount.is_negative() {
            total.credit -= posting.amount;
        } else {
            total.debit += posting.amount;
        }
    }
}

refusals! {
    /// Why finance says no.
    pub enum Refusal {
        /// Debit and credit differ.
        #[error("debits are {debit}, credits are {credit}: a posting must balance")]
        PostingNotBalanced {
            /// Sum of the debits.
            debit: Amount,
            /// Sum of the credits.
            credit: Amount,
        },
    }
}
