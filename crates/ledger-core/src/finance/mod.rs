//! The financial book: what every account has been debited and credited.

mod post_manual;
mod tie_outs;

pub use post_manual::{ManualLine, POSTING_LINES_MAX, PostManual, PostedManually};
pub use tie_outs::{TieOut, check, check_totals, tie_outs};

use bincode::de::Decoder;
use bincode::enc::Encoder;
use bincode::error::{DecodeError, EncodeError};
use bincode::{Decode, Encode};
use smol_str::SmolStr;

use crate::books::{Account, Posting};
use crate::ledger::Ledger;
use crate::state::{Table, Tracked};
use crate::values::{AMOUNT_MAX, Amount, ChannelId, OrderId, PostingId, Sku, Text};
use crate::{refusals, state};

/// What an account has been debited and credited since the ledger was created.
#[derive(Debug, Clone, Copy, PartialEq, Default, Encode, Decode)]
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

    /// A balance of at most ±10^15 minor units, out of a turnover that is far from what an integer can hold.
    fn is_within_the_books(&self) -> bool {
        const TURNOVER_MAX: i64 = i64::MAX / 4;
        self.balance().minor_units().abs() <= AMOUNT_MAX
            && self.debit.minor_units() <= TURNOVER_MAX
            && self.credit.minor_units() <= TURNOVER_MAX
    }

    fn add(&mut self, amount: Amount) {
        if amount.is_negative() {
            self.credit -= amount;
        } else {
            self.debit += amount;
        }
    }
}

/// The totals of every account of the chart.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
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
        /// What a control account is open on: orders of 1100 and 2300, granted refunds of 2310. Gone at zero.
        open: Table<OpenItem, Amount>,
        /// What each of them is open on altogether: 1100, 2300, 2310.
        open_totals: Tracked<[Amount; 3]>,
        /// What manual postings moved on each account: they name no document.
        manual: Tracked<Totals>,
        /// The ids of manual postings: each is used once.
        pub(crate) postings: Table<PostingId, ()>,
        pub(crate) invoices: Tracked<u64>,
        pub(crate) credit_notes: Tracked<u64>,
    }
}

impl Finance {
    /// What an account has been debited and credited.
    pub fn total(&self, account: Account) -> AccountTotal {
        self.totals.0[account.index()]
    }

    /// Debits less credits that manual postings moved on an account.
    pub fn manual(&self, account: Account) -> Amount {
        self.manual.0[account.index()].balance()
    }

    /// Every open item of a control account: the order or granted refund, and its debits less credits.
    pub fn open_items(&self, account: Account) -> impl Iterator<Item = (&str, Amount)> {
        self.open
            .iter()
            .filter(move |(_, item, _)| item.0 == account)
            .map(|(_, item, amount)| (item.1.as_str(), *amount))
    }

    /// What a control account is open on over all documents, kept as lines are posted: debits less credits.
    pub fn open_total(&self, account: Account) -> Amount {
        open_total_of(account).map_or(Amount::ZERO, |place| self.open_totals[place])
    }

    /// Adds a line to its account. What it says is the limit that the account would not keep.
    pub(crate) fn post(&mut self, posting: &Posting<'_>) -> Result<(), String> {
        if posting.amount.is_zero() {
            return Ok(());
        }
        let total = &mut self.totals.0[posting.account.index()];
        total.add(posting.amount);
        let within = total.is_within_the_books();
        self.open_on(posting);
        if within {
            Ok(())
        } else {
            Err(format!("account {} would hold more than an account can", posting.account))
        }
    }

    fn open_on(&mut self, posting: &Posting<'_>) {
        let Some(document) = open_document(posting) else { return };
        if let Some(place) = open_total_of(posting.account) {
            self.open_totals[place] += posting.amount;
        }
        let item = OpenItem(posting.account, SmolStr::new(document));
        match self.open.row(&item) {
            None => drop(self.open.insert(item, posting.amount)),
            Some(row) if (*self.open.get(row) + posting.amount).is_zero() => drop(self.open.remove(row)),
            Some(row) => *self.open.edit(row) += posting.amount,
        }
    }

    pub(crate) fn post_manually(&mut self, account: Account, amount: Amount) {
        self.manual.0[account.index()].add(amount);
    }
}

/// The document that a line of a control account is open on.
fn open_document<'p>(posting: &Posting<'p>) -> Option<&'p str> {
    match posting.account {
        Account::Receivable | Account::CustomerDeposits => posting.order.map(Text::as_str),
        Account::RefundsPayable => posting.claim.map(Text::as_str),
        _ => None,
    }
}

fn open_total_of(account: Account) -> Option<usize> {
    [Account::Receivable, Account::CustomerDeposits, Account::RefundsPayable]
        .iter()
        .position(|of| *of == account)
}

/// What a control account is open on for one document: debits less credits.
pub fn open_balance(ledger: &Ledger, account: Account, document: &str) -> Amount {
    let item = OpenItem(account, SmolStr::new(document));
    ledger.finance.open.find(&item).copied().unwrap_or_default()
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct OpenItem(Account, SmolStr);

impl Encode for OpenItem {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        self.0.encode(encoder)?;
        self.1.as_str().encode(encoder)
    }
}

impl<C> Decode<C> for OpenItem {
    fn decode<D: Decoder<Context = C>>(decoder: &mut D) -> Result<Self, DecodeError> {
        // Orders and refunds have ids of the same form.
        let (account, document) = (Account::decode(decoder)?, OrderId::decode(decoder)?);
        Ok(OpenItem(account, SmolStr::new(document.as_str())))
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
        /// A posting id is used once.
        #[error("posting {posting} is already made")]
        PostingExists {
            /// The posting.
            posting: PostingId,
        },
        /// A posting has two lines at the least, and a document a thousand at the most.
        #[error("a posting has 2 to {lines_max} lines, found {found}")]
        PostingLinesOutOfRange {
            /// Lines given.
            found: usize,
            /// The most lines there may be.
            lines_max: usize,
        },
        /// A line is a debit or a credit.
        #[error("line {line} needs exactly one of debit and credit")]
        PostingLineNotOneSided {
            /// The line's place, from 1.
            line: u16,
        },
        /// The inventory accounts always equal the cost layers.
        #[error("line {line}: account {account} follows the stock book, post to another or adjust the stock")]
        ControlAccount {
            /// The line's place, from 1.
            line: u16,
            /// The account.
            account: Account,
        },
        /// Nobody defined that channel.
        #[error("line {line}: channel {channel} is not defined")]
        UnknownChannelOnLine {
            /// The line's place, from 1.
            line: u16,
            /// The channel.
            channel: ChannelId,
        },
        /// Nobody defined that item.
        #[error("line {line}: item {item} is not defined")]
        UnknownItemOnLine {
            /// The line's place, from 1.
            line: u16,
            /// The item.
            item: Sku,
        },
    }
}
