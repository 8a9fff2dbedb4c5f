//! The trial balance: every account, and every control account beside its subledger.

use ledger_core::books::{Account, AccountKind, StatusGroup};
use ledger_core::finance::AccountTotal;
use ledger_core::values::Amount;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{RowsEffective, View};
use crate::effective::Effective;
use crate::query::QueryFault;
use crate::rows::{Rows, Taken};
use crate::source::{Scan, Source};
use crate::subledgers::TieOut;

/// Which accounts.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Filter {
    /// This account alone, with its tie-out.
    account: Option<Account>,
}

/// A row of the trial balance.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "row", rename_all = "snake_case")]
pub(crate) enum Row {
    /// An account that was posted to.
    Account {
        /// Its code.
        account: Account,
        /// Its name.
        name: &'static str,
        /// Where it stands in the statements.
        kind: AccountKind,
        /// Debits since the ledger was created.
        debit: Amount,
        /// Credits since the ledger was created.
        credit: Amount,
        /// Debits less credits.
        balance: Amount,
    },
    /// All accounts together.
    Total {
        /// Sum of the debits.
        debit: Amount,
        /// Sum of the credits: the same.
        credit: Amount,
        /// Zero, or the books are wrong.
        balance: Amount,
    },
    /// A control account beside its subledger.
    TieOut {
        /// Its code.
        account: Account,
        /// Its name.
        name: &'static str,
        /// What the subledger consists of.
        subledger: &'static str,
        /// Debits less credits of the account.
        account_balance: Amount,
        /// What manual postings moved on it: they name no document.
        manual: Amount,
        /// What the subledger holds.
        subledger_balance: Amount,
        /// Zero, or the books are wrong.
        difference: Amount,
    },
}

pub(crate) struct TrialBalance;

impl View for TrialBalance {
    type Filter = Filter;
    type Row = Row;
    const NAME: &'static str = "trial_balance";
    const SUMMARY: &'static str = "Every account, and every control account beside its subledger";
    const SORTS: &'static [&'static str] = &["account"];
    const EFFECTIVE: Option<RowsEffective<Filter>> = Some(rows_effective);

    fn rows(source: &Source<'_>, filter: &Filter, rows: &mut Rows) -> Result<(), QueryFault> {
        source.scan(rows, |folded, rows, _| {
            let totals = |account| folded.ledger.finance().total(account);
            push_all(filter, totals, &folded.subledgers.tie_outs(&folded.ledger), rows)?;
            Ok(Scan::Done)
        })
    }
}

/// As of an effective time inventory is tied out; what is open on documents is known by recorded time only.
fn rows_effective(then: &Effective<'_>, filter: &Filter, rows: &mut Rows) -> Result<(), QueryFault> {
    let (cells, totals) = then.books()?;
    let pools = |in_transit: bool| {
        let groups =
            StatusGroup::ALL.iter().filter(move |group| (**group == StatusGroup::InTransit) == in_transit);
        groups
            .map(|group| cells.values().map(|cell| cell.group_value(*group)).sum::<Amount>())
            .sum::<Amount>()
    };
    let tie_out = |account: Account, subledger, subledger_balance| TieOut {
        account,
        subledger,
        account_balance: totals[account.index()].balance(),
        manual: Amount::ZERO,
        subledger_balance,
    };
    let tie_outs = [
        tie_out(Account::Inventory, "cost pools on hand", pools(false)),
        tie_out(Account::InventoryInTransit, "cost pools in transit", pools(true)),
    ];
    push_all(filter, |account| totals[account.index()], &tie_outs, rows)
}

fn push_all(
    filter: &Filter,
    total: impl Fn(Account) -> AccountTotal,
    tie_outs: &[TieOut],
    rows: &mut Rows,
) -> Result<(), QueryFault> {
    let after = match rows.after::<1>()? {
        None => 0,
        Some([place]) => rows.parse(&place, |text| text.parse::<usize>().ok())?,
    };
    let wanted = |account: Account| filter.account.is_none_or(|wanted| wanted == account);
    let accounts = Account::ALL.iter().copied().map(|account| (account, total(account)));
    let accounts: Vec<_> =
        accounts.filter(|(_, total)| !(total.debit.is_zero() && total.credit.is_zero())).collect();
    let sum =
        |side: fn(&AccountTotal) -> Amount| accounts.iter().map(|(_, total)| side(total)).sum::<Amount>();
    let (debit, credit) = (sum(|total| total.debit), sum(|total| total.credit));
    let all = Row::Total { debit, credit, balance: debit - credit };
    let listed = accounts
        .iter()
        .filter(|(account, _)| wanted(*account))
        .map(|(account, total)| Row::Account {
            account: *account,
            name: account.name(),
            kind: account.kind(),
            debit: total.debit,
            credit: total.credit,
            balance: total.balance(),
        })
        .chain(filter.account.is_none().then_some(all))
        .chain(tie_outs.iter().filter(|tie_out| wanted(tie_out.account)).map(tie_out_row));
    for row in listed.filter(|row| row.rank() > after) {
        if rows.push(|| vec![row.rank().to_string()], &row) == Taken::PageIsFull {
            break;
        }
    }
    Ok(())
}

impl Row {
    /// Its place in the order: accounts, the total, tie-outs.
    fn rank(&self) -> usize {
        match self {
            Row::Account { account, .. } => 1 + account.index(),
            Row::Total { .. } => 1 + Account::COUNT,
            Row::TieOut { account, .. } => 2 + Account::COUNT + account.index(),
        }
    }
}

fn tie_out_row(tie_out: &TieOut) -> Row {
    Row::TieOut {
        account: tie_out.account,
        name: tie_out.account.name(),
        subledger: tie_out.subledger,
        account_balance: tie_out.account_balance,
        manual: tie_out.manual,
        subledger_balance: tie_out.subledger_balance,
        difference: tie_out.difference(),
    }
}
