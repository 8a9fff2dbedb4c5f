//! The books of the naive shop: account balances, and what the control accounts are open on.

use std::collections::BTreeMap;

use serde_json::Value;

use super::read::{id, list, opt_minor, opt_text, text};
use super::{Fact, Refusal, Shop, When};

const BALANCE_MAX: i64 = 1_000_000_000_000_000;
const LINES_MAX: usize = 1_000;
/// Accounts that follow the stock book.
const OF_STOCK: [&str; 3] = ["1400", "1410", "1420"];

#[derive(Debug, Clone, Default)]
pub(crate) struct Money {
    /// Debits less credits by account.
    pub(crate) balances: BTreeMap<String, i64>,
    /// What is owed to us, by order.
    pub(crate) receivable: BTreeMap<String, i64>,
    /// What was paid and not invoiced, by order.
    pub(crate) deposits: BTreeMap<String, i64>,
    /// What was granted and not paid, by refund.
    pub(crate) claims: BTreeMap<String, i64>,
}

impl Money {
    pub(super) fn post(&mut self, posts: &BTreeMap<String, i64>) -> Result<(), Refusal> {
        let mut fits = true;
        for (account, amount) in posts {
            let balance = self.balances.entry(account.clone()).or_default();
            *balance += amount;
            fits &= balance.abs() <= BALANCE_MAX;
        }
        if fits { Ok(()) } else { Err("books_would_break") }
    }

    pub(super) fn owed(&self, order: &str) -> i64 {
        self.receivable.get(order).copied().unwrap_or_default()
    }

    pub(super) fn deposit(&self, order: &str) -> i64 {
        self.deposits.get(order).copied().unwrap_or_default()
    }

    pub(super) fn claim(&self, refund: &str) -> i64 {
        self.claims.get(refund).copied().unwrap_or_default()
    }
}

/// Changes what a control account is open on for a document.
pub(super) fn change(open: &mut BTreeMap<String, i64>, document: &str, by: i64) {
    let balance = open.entry(document.to_owned()).or_default();
    *balance += by;
    if *balance == 0 {
        open.remove(document);
    }
}

impl Shop {
    pub(super) fn post_manual(
        &mut self,
        body: &Value,
        when: &When,
        facts: &mut Vec<Fact>,
    ) -> Result<(), Refusal> {
        let posting = id(body, "posting", &when.assigned);
        if self.postings.contains(&posting) {
            return Err("posting_exists");
        }
        let lines = list(body, "lines");
        if lines.len() < 2 || lines.len() > LINES_MAX {
            return Err("posting_lines_out_of_range");
        }
        let mut fact = Fact::new("finance.posted_manually");
        let (mut debits, mut credits) = (0, 0);
        for line in lines {
            let (debit, credit) = (opt_minor(line, "debit"), opt_minor(line, "credit"));
            if debit.is_some() == credit.is_some() {
                return Err("posting_line_not_one_sided");
            }
            if OF_STOCK.contains(&text(line, "account")) {
                return Err("control_account");
            }
            if opt_text(line, "channel").is_some_and(|channel| !self.channels.contains_key(channel)) {
                return Err("unknown_channel_on_line");
            }
            if opt_text(line, "item").is_some_and(|item| !self.items.contains_key(item)) {
                return Err("unknown_item_on_line");
            }
            debits += debit.unwrap_or_default();
            credits += credit.unwrap_or_default();
            fact.post(text(line, "account"), debit.unwrap_or_default() - credit.unwrap_or_default());
        }
        if debits != credits {
            return Err("posting_not_balanced");
        }
        self.postings.insert(posting);
        facts.push(fact);
        Ok(())
    }
}
