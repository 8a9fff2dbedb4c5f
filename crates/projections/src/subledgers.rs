//! What the subledgers hold, kept incrementally: the totals that control accounts must tie out to.

use ledger_core::Ledger;
use ledger_core::books::{Account, StatusGroup};
use ledger_core::finance::open_balance;
use ledger_core::state::Row;
use ledger_core::values::{Amount, Text};
use smallvec::SmallVec;

use crate::named::Named;

/// Sums over the ledger's own cost pools and open items. After every entry they are what a walk over all of them
/// would give.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Subledgers {
    /// What the cost pools of a group hold, over all items and locations.
    pools: [Amount; StatusGroup::COUNT],
    /// What 1100, 2300 and 2310 are open on, over all orders and refunds: debits less credits.
    open: [Amount; 3],
    /// What payments moved on 1000 and 1110: captured less refunded.
    paid: [Amount; 2],
}

/// A control account beside its subledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TieOut {
    /// The control account.
    pub(crate) account: Account,
    /// What the subledger consists of.
    pub(crate) subledger: &'static str,
    /// Debits less credits of the account.
    pub(crate) account_balance: Amount,
    /// What manual postings moved on it: they name no document.
    pub(crate) manual: Amount,
    /// What the subledger holds.
    pub(crate) subledger_balance: Amount,
}

impl TieOut {
    /// Nothing, or the books are wrong.
    pub(crate) fn difference(&self) -> Amount {
        self.account_balance - self.manual - self.subledger_balance
    }
}

/// Items at locations, by row, in the order in which an entry [names](Named) them; `None` where nothing ever moved.
pub(crate) type Cells = SmallVec<[Option<(Row, Row)>; 4]>;

/// The cells that an entry names, as far as they are there.
pub(crate) fn cells_named(named: &Named, ledger: &Ledger) -> Cells {
    let cells = named.cells.iter().map(|(sku, location)| {
        let cell = ledger.items().row(sku).zip(ledger.locations().row(location));
        cell.filter(|(item, at)| ledger.stock().cell(*item, *at).is_some())
    });
    cells.collect()
}

impl Subledgers {
    /// What a walk over the whole ledger gives.
    pub(crate) fn of(ledger: &Ledger) -> Subledgers {
        let mut subledgers = Subledgers::default();
        for (_, _, cell) in ledger.stock().cells() {
            for group in StatusGroup::ALL {
                subledgers.pools[group.index()] += cell.group_value(*group);
            }
        }
        let accounts = [Account::Receivable, Account::CustomerDeposits, Account::RefundsPayable];
        for (open, account) in subledgers.open.iter_mut().zip(accounts) {
            *open = ledger.finance().open_items(account).map(|(_, amount)| amount).sum();
        }
        let [bank, clearing] = &mut subledgers.paid;
        *bank = ledger.payments().archived_balance(Account::Bank);
        *clearing = ledger.payments().archived_balance(Account::ChannelClearing);
        for (_, _, payment) in ledger.payments().iter() {
            *(if payment.account == Account::Bank { &mut *bank } else { &mut *clearing }) += payment.moved();
        }
        subledgers
    }

    /// Takes out what the parts that an entry names hold, before it is applied.
    pub(crate) fn take_out(&mut self, named: &Named, cells: &Cells, ledger: &Ledger) {
        self.count(named, cells, ledger, |total, amount| *total -= amount);
    }

    /// Puts in what they hold, after it was applied.
    pub(crate) fn put_in(&mut self, named: &Named, cells: &Cells, ledger: &Ledger) {
        self.count(named, cells, ledger, |total, amount| *total += amount);
    }

    fn count(&mut self, named: &Named, cells: &Cells, ledger: &Ledger, count: impl Fn(&mut Amount, Amount)) {
        for (item, location) in cells.iter().flatten() {
            let Some(cell) = ledger.stock().cell(*item, *location) else { continue };
            for group in StatusGroup::ALL {
                count(&mut self.pools[group.index()], cell.group_value(*group));
            }
        }
        let [receivable, deposits, refunds] = &mut self.open;
        for (account, order) in &named.open {
            let total = if *account == Account::Receivable { &mut *receivable } else { &mut *deposits };
            count(total, open_balance(ledger, *account, order.as_str()));
        }
        for claim in &named.claims {
            count(refunds, open_balance(ledger, Account::RefundsPayable, claim.as_str()));
        }
        let [bank, clearing] = &mut self.paid;
        for payment in named.payments.iter().filter_map(|id| ledger.payments().find(id)) {
            let total = if payment.account == Account::Bank { &mut *bank } else { &mut *clearing };
            count(total, payment.moved());
        }
    }

    /// Every control account beside its subledger, in the order of the chart.
    pub(crate) fn tie_outs(&self, ledger: &Ledger) -> Vec<TieOut> {
        let in_transit = self.pools[StatusGroup::InTransit.index()];
        let on_hand = self.pools.iter().copied().sum::<Amount>() - in_transit;
        let [receivable, deposits, refunds] = self.open;
        let [bank, clearing] = self.paid;
        [
            (Account::Bank, "payments", bank),
            (Account::Receivable, "open orders", receivable),
            (Account::ChannelClearing, "payments", clearing),
            (Account::Inventory, "cost pools on hand", on_hand),
            (Account::InventoryInTransit, "cost pools in transit", in_transit),
            (Account::GoodsInDelivery, "nothing, while revenue is recognised at shipment", Amount::ZERO),
            (Account::CustomerDeposits, "paid and not yet invoiced, by order", deposits),
            (Account::RefundsPayable, "granted refunds not yet paid", refunds),
        ]
        .map(|(account, subledger, subledger_balance)| TieOut {
            account,
            subledger,
            account_balance: ledger.finance().total(account).balance(),
            manual: ledger.finance().manual(account),
            subledger_balance,
        })
        .to_vec()
    }
}
