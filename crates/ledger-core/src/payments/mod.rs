//! The payments: what was captured for orders, and what was paid back for granted refunds.

mod capture;
mod claims;
mod refund;
mod refusal;

#[cfg(test)]
mod properties;

pub use capture::{Capture, Captured};
pub use claims::Claim;
pub(crate) use claims::open_claim;
pub use refund::{Refund, Refunded};
pub use refusal::Refusal;

use bincode::{Decode, Encode};

use crate::books::Account;
use crate::channels::Settlement;
use crate::ledger::Ledger;
use crate::state::{Few, Row, Table, Tracked};
use crate::values::{Amount, PaymentId, RefundId, Timestamp};
use crate::{codes, state};

codes! {
    /// Which way the money went.
    pub enum Direction {
        /// From a customer to us.
        Captured = 1 "captured",
        /// From us to a customer.
        Refunded = 2 "refunded",
    }
}

/// A payment.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Payment {
    /// Which way the money went.
    pub direction: Direction,
    /// How much, more than nothing.
    pub amount: Amount,
    /// Where our side of it is: channel clearing (1110) or the bank (1000).
    pub account: Account,
    /// The order; none where a refund names none.
    pub order: Option<Row>,
    /// The row of the granted refund that it paid.
    pub claim: Option<Row>,
    /// When it was made, in effective time.
    pub made_at: Timestamp,
}

impl Payment {
    /// What it moved on its account.
    pub fn moved(&self) -> Amount {
        match self.direction {
            Direction::Captured => self.amount,
            Direction::Refunded => -self.amount,
        }
    }
}

/// What was paid for one order.
#[derive(Debug, Clone, Copy, PartialEq, Default, Encode, Decode)]
pub struct OrderPayments {
    /// By the customer.
    pub captured: Amount,
    /// Back to the customer.
    pub refunded: Amount,
}

/// The payments of one order.
#[derive(Debug, Clone, PartialEq, Default, Encode, Decode)]
struct PaidOrder {
    sums: OrderPayments,
    rows: Few<Row>,
}

state! {
    /// Every payment, and the claims that are to be paid.
    pub struct Payments {
        table: Table<PaymentId, Payment>,
        of_orders: Table<Row, PaidOrder>,
        claims: Table<RefundId, Claim>,
        /// Captured less refunded: channel clearing (1110), then bank (1000).
        totals: Tracked<[Amount; 2]>,
        /// What payments of archived orders moved on each account: captured less refunded.
        archived: Table<Account, Amount>,
    }
}

impl Payments {
    /// The payment under an id.
    pub fn find(&self, id: &PaymentId) -> Option<&Payment> {
        self.table.find(id)
    }

    /// Every payment, in the order in which they were recorded.
    pub fn iter(&self) -> impl Iterator<Item = (Row, &PaymentId, &Payment)> {
        self.table.iter()
    }

    /// The claim of a granted refund.
    pub fn claim(&self, refund: &RefundId) -> Option<&Claim> {
        self.claims.find(refund)
    }

    /// The granted refund of a claim's row.
    pub fn claimed_by(&self, claim: Row) -> &RefundId {
        self.claims.key(claim)
    }

    /// What was captured into an account less what was refunded from it, kept as payments are recorded.
    pub fn total(&self, account: Account) -> Amount {
        total_of(account).map_or(Amount::ZERO, |place| self.totals[place])
    }

    /// The same by a walk over every payment.
    pub fn balance(&self, account: Account) -> Amount {
        let payments = self.table.iter().map(|(.., payment)| payment);
        let of_account = payments.filter(|payment| payment.account == account);
        of_account.map(Payment::moved).sum::<Amount>() + self.archived_balance(account)
    }

    /// The part of an account's balance that payments of archived orders moved.
    pub fn archived_balance(&self, account: Account) -> Amount {
        self.archived.find(&account).copied().unwrap_or_default()
    }

    fn record(&mut self, id: PaymentId, payment: Payment) {
        if let Some(place) = total_of(payment.account) {
            self.totals[place] += payment.moved();
        }
        let (order, direction, amount) = (payment.order, payment.direction, payment.amount);
        let row = self.table.insert(id, payment);
        let Some(order) = order else { return };
        let of_order = self.of_orders.row(&order);
        let of_order = of_order.unwrap_or_else(|| self.of_orders.insert(order, PaidOrder::default()));
        let paid = self.of_orders.edit(of_order);
        paid.rows.push(row);
        match direction {
            Direction::Captured => paid.sums.captured += amount,
            Direction::Refunded => paid.sums.refunded += amount,
        }
    }

    /// The order left: its payments go with it, and their ids. What they moved stays.
    pub(crate) fn forget(&mut self, order: Row) {
        let Some(of_order) = self.of_orders.row(&order) else { return };
        for row in self.of_orders.remove(of_order).rows.iter().copied() {
            let payment = self.table.remove(row);
            let moved = self.archived_balance(payment.account) + payment.moved();
            self.archived.insert(payment.account, moved);
        }
    }

    /// A granted refund left with its order.
    pub(crate) fn forget_claim(&mut self, refund: &RefundId) {
        if let Some(claim) = self.claims.row(refund) {
            self.claims.remove(claim);
        }
    }
}

fn total_of(account: Account) -> Option<usize> {
    [Account::ChannelClearing, Account::Bank].iter().position(|of| *of == account)
}

/// What was paid for an order so far, both ways.
pub fn of_order(ledger: &Ledger, order: Row) -> OrderPayments {
    ledger.payments.of_orders.find(&order).map(|paid| paid.sums).unwrap_or_default()
}

/// What was captured for an order so far.
pub fn captured(ledger: &Ledger, order: Row) -> Amount {
    of_order(ledger, order).captured
}

/// What was paid back for an order so far.
pub fn refunded(ledger: &Ledger, order: Row) -> Amount {
    of_order(ledger, order).refunded
}

/// Refuses a payment id that is used.
fn unused(ledger: &Ledger, payment: &PaymentId) -> Result<(), Refusal> {
    match ledger.payments.find(payment) {
        Some(_) => Err(Refusal::PaymentExists { payment: payment.clone() }),
        None => Ok(()),
    }
}

/// Where our side of a payment is: a prepaid channel's with its payment provider, else at the bank.
const fn money_account(settlement: Settlement) -> Account {
    match settlement {
        Settlement::Prepaid => Account::ChannelClearing,
        Settlement::OnAccount => Account::Bank,
    }
}
