//! What an invoice sells: an order that is paid, picked, packed and shipped; beside it adjustments, fees, bad debts.

use std::sync::Arc;

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::codes::FeeAccount;
use super::invoice::{Line, Split};
use super::plan::{CHANNEL, LOCATION, Move, Repeat, Steps, money};

/// Goods and charges of the invoice as one order. Without goods it is done once it is paid; without money it is
/// released when it is placed.
pub(super) fn order(steps: &mut Steps, split: &Split) {
    if split.sold.is_empty() && split.charged.is_empty() {
        return;
    }
    let order = Arc::clone(&steps.invoice.number);
    let lines: Vec<Value> = split
        .sold
        .iter()
        .map(|line| json!({"sku": *line.sku, "quantity": line.quantity, "price": line.price.to_string()}))
        .collect();
    let charges: Vec<Value> = split
        .charged
        .iter()
        .map(|(kind, line)| {
            json!({"kind": kind.as_str(), "description": *line.sku, "amount": money(line.amount())})
        })
        .collect();
    let total: Decimal =
        split.sold.iter().chain(split.charged.iter().map(|(_, line)| line)).map(|line| line.amount()).sum();

    let mut place = json!({"order": *order, "channel": CHANNEL});
    if let Some(customer) = &steps.invoice.customer {
        place["customer"] = json!(**customer);
    }
    place["destination"] = json!({"country": *steps.invoice.country});
    place["lines"] = Value::Array(lines);
    if !charges.is_empty() {
        place["charges"] = Value::Array(charges);
    }
    let moves = split.sold.iter().map(|line| Move { sku: Arc::clone(&line.sku), change: -line.quantity });
    steps.push("place", "orders.place", place).moves = moves.collect();

    if !total.is_zero() {
        let capture = json!({"payment": *order, "order": *order, "amount": money(total)});
        steps.push("capture", "payments.capture", capture);
    }
    if !split.sold.is_empty() {
        steps.push(
            "plan",
            "fulfilment.plan",
            json!({"shipment": *order, "order": *order, "location": LOCATION}),
        );
        for (step, name) in
            [("pick", "fulfilment.pick"), ("pack", "fulfilment.pack"), ("ship", "fulfilment.ship")]
        {
            steps.push(step, name, json!({"shipment": *order}));
        }
    }
}

/// Goods found and goods gone, with what the file says about it.
pub(super) fn adjustments<'a>(steps: &mut Steps, lines: impl Iterator<Item = &'a &'a Line>) {
    for (line, number) in lines.zip(1..) {
        let mut adjust = json!({
            "sku": *line.sku, "location": LOCATION, "change": line.quantity, "reason": "import_adjustment",
        });
        if let Some(description) = &line.description {
            adjust["note"] = json!(**description);
        }
        let is_find = line.quantity > 0;
        if is_find {
            // Only used while the ledger knows no cost of this SKU.
            adjust["unit_cost"] = json!(steps.plan.cost_of(&line.sku));
        }
        let planned = steps.push(&format!("adjust/{number}"), "stock.adjust", adjust);
        planned.moves = vec![Move { sku: Arc::clone(&line.sku), change: line.quantity }];
        if is_find {
            // The cost hangs on the SKU's first price, and so on where the file begins.
            planned.repeat = Repeat::Keep;
        }
    }
}

/// What is neither goods nor a customer's: booked by hand against the channel's clearing or the receivables.
pub(super) fn fees_and_bad_debts(steps: &mut Steps, split: &Split) {
    for ((account, line), number) in split.fees.iter().zip(1..) {
        let reason = match account {
            FeeAccount::Channel => "channel_fee",
            FeeAccount::Bank => "bank_charges",
        };
        post(steps, &format!("fee/{number}"), account.as_str(), "1110", line, reason);
    }
    for (line, number) in split.bad_debts.iter().filter(|line| !line.amount().is_zero()).zip(1..) {
        post(steps, &format!("bad-debt/{number}"), "5800", "1100", line, "bad_debt");
    }
}

/// A negative amount is a cost: it is debited to the expense. A positive one takes a cost back.
fn post(steps: &mut Steps, step: &str, expense: &str, against: &str, line: &Line, reason: &str) {
    let (expense_side, against_side) =
        if line.amount().is_sign_negative() { ("debit", "credit") } else { ("credit", "debit") };
    let entry = |account: &str, side: &str| {
        let mut entry = Map::new();
        entry.insert("account".to_owned(), json!(account));
        entry.insert(side.to_owned(), json!(money(line.amount().abs())));
        entry.insert("channel".to_owned(), json!(CHANNEL));
        entry.insert("country".to_owned(), json!(*steps.invoice.country));
        entry
    };
    let body = json!({
        "posting": format!("{}/{step}", steps.invoice.number),
        "lines": [entry(expense, expense_side), entry(against, against_side)],
        "reason": reason,
        "note": *line.sku,
    });
    steps.push(step, "finance.post_manual", body);
}
