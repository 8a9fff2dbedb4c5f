//! What customers owe and are owed, kept by reading events as other systems get them.

use std::collections::BTreeMap;

use ledger_core::{Account, Ledger};
use serde_json::Value;

/// What is open on each document, in minor units of the currency.
#[derive(Debug, Default)]
pub(crate) struct Money {
    /// What is owed to us, by order.
    receivable: BTreeMap<String, i64>,
    /// What was paid and not invoiced, by order.
    deposits: BTreeMap<String, i64>,
    /// What was granted and not paid, by refund.
    claims: BTreeMap<String, i64>,
    /// What was paid to us less what was paid back, by order.
    kept: BTreeMap<String, i64>,
}

impl Money {
    /// Takes an event in, by its JSON alone.
    pub(crate) fn read(&mut self, event: &Value) {
        let order = event["order"].as_str().unwrap_or_default();
        let of_order = |book: &mut BTreeMap<String, i64>, change: i64| add(book, order, change);
        match event["type"].as_str().unwrap_or_default() {
            "payments.captured" => {
                let (invoices, deposit) = (minor(event, "to_receivable"), minor(event, "to_deposit"));
                of_order(&mut self.receivable, -invoices);
                of_order(&mut self.deposits, deposit);
                of_order(&mut self.kept, invoices + deposit);
            }
            "orders.invoiced" | "fulfilment.shipped" => {
                of_order(&mut self.receivable, minor(&event["invoice"], "receivable"));
                of_order(&mut self.deposits, -minor(&event["invoice"], "from_deposit"));
            }
            "returns.refunded" => {
                let parts =
                    ["lines", "charges"].map(|list| event[list].as_array().cloned().unwrap_or_default());
                let from_deposit: i64 = parts.iter().flatten().map(|part| minor(part, "from_deposit")).sum();
                of_order(&mut self.deposits, -from_deposit);
                of_order(&mut self.receivable, -minor(event, "to_receivable"));
                add(&mut self.claims, event["refund"].as_str().unwrap_or_default(), minor(event, "claim"));
            }
            "payments.refunded" => {
                add(&mut self.claims, event["refund"].as_str().unwrap_or_default(), -minor(event, "amount"));
                of_order(&mut self.kept, -minor(event, "amount"));
            }
            _ => {}
        }
    }

    /// Whether the control accounts are open on exactly these documents, and nobody was paid more than was granted.
    pub(crate) fn agrees_with(&self, ledger: &Ledger) -> Result<(), String> {
        for (account, book, debit) in [
            (Account::Receivable, &self.receivable, 1),
            (Account::CustomerDeposits, &self.deposits, -1),
            (Account::RefundsPayable, &self.claims, -1),
        ] {
            let open: BTreeMap<String, i64> = ledger
                .finance()
                .open_items(account)
                .map(|(document, amount)| (document.to_owned(), debit * amount.minor_units()))
                .collect();
            if open != *book {
                return Err(format!("account {account} is open on {open:?}, the model on {book:?}"));
            }
            if let Some((document, amount)) = book.iter().find(|(_, amount)| **amount < 0) {
                return Err(format!("account {account} is overdrawn by {amount} on {document}"));
            }
        }
        match self.kept.iter().find(|(order, kept)| !order.is_empty() && **kept < 0) {
            Some((order, kept)) => {
                Err(format!("order {order}: {kept} more was paid back than was ever paid"))
            }
            None => Ok(()),
        }
    }
}

fn add(book: &mut BTreeMap<String, i64>, document: &str, change: i64) {
    let open = book.entry(document.to_owned()).or_default();
    *open += change;
    if *open == 0 {
        book.remove(document);
    }
}

fn minor(value: &Value, field: &str) -> i64 {
    let text = value[field].as_str().unwrap_or("0.00");
    text.replace('.', "").parse().unwrap_or_default()
}
