//! What an invoice gives back: goods, by order where they can be matched, and charges.

use std::collections::BTreeMap;
use std::sync::Arc;

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::codes::ChargeKind;
use super::invoice::Line;
use super::matching::{Match, Purchases};
use super::plan::{CHANNEL, LOCATION, Move, Repeat, Steps, money};

/// Units of one line that come back, and what is given back for them.
struct Part {
    sku: Arc<str>,
    quantity: i64,
    amount: Decimal,
}

/// Goods that come back: one return for each order that they were matched to, and a blind one for the rest. They are
/// put back on the shelf, and what was paid is paid back. Whatever opens a return has the step `return/<n>`: the
/// invoice's first command has the same id in every plan, matched or not, so that two plans meet in it.
pub(super) fn goods(steps: &mut Steps, returned: &[&Line], purchases: &mut Purchases) {
    if returned.is_empty() {
        return;
    }
    let mut by_order: BTreeMap<Arc<str>, BTreeMap<u32, Part>> = BTreeMap::new();
    let mut unexplained: Vec<(Part, &Line)> = Vec::new();
    for line in returned {
        let (matches, (quantity, amount)) = purchases.take(steps.invoice, line);
        for Match { order, line: number, quantity, amount } in matches {
            let parts = by_order.entry(order).or_default();
            let part = parts.entry(number).or_insert_with(|| Part {
                sku: Arc::clone(&line.sku),
                quantity: 0,
                amount: Decimal::ZERO,
            });
            part.quantity += quantity;
            part.amount += amount;
        }
        if quantity > 0 {
            unexplained.push((Part { sku: Arc::clone(&line.sku), quantity, amount }, line));
        }
    }

    let first = steps.planned.len();
    let mut number = 0;
    for (order, parts) in &by_order {
        number += 1;
        of_order(steps, number, order, parts);
    }
    if !unexplained.is_empty() {
        blind(steps, number + 1, &unexplained);
    }

    let digest = digest(&steps.planned[first..]);
    for planned in &mut steps.planned[first..] {
        planned.repeat = Repeat::Invoice;
    }
    steps.planned[first].body["note"] = json!(format!("credit note {}, plan {digest}", steps.invoice.number));
}

/// A return against an order.
fn of_order(steps: &mut Steps, number: usize, order: &str, parts: &BTreeMap<u32, Part>) {
    let id = format!("{}/{number}", steps.invoice.number);
    let authorised: Vec<Value> =
        parts.iter().map(|(line, part)| json!({"line": line, "quantity": part.quantity})).collect();
    let authorise = json!({"return": id, "order": order, "lines": authorised, "reason": "credit_note"});
    steps.push(&format!("return/{number}"), "returns.authorise", authorise);

    let received: Vec<Value> = parts
        .values()
        .zip(1..)
        .map(|(part, line)| json!({"line": line, "quantity": part.quantity}))
        .collect();
    let receive = json!({"return": id, "location": LOCATION, "lines": received});
    steps.push(&format!("receive/{number}"), "returns.receive", receive);
    restock(steps, number, &id, parts.values());

    let refunded: Vec<Value> = parts
        .iter()
        .filter(|(_, part)| !part.amount.is_zero())
        .map(|(line, part)| json!({"line": line, "quantity": part.quantity, "amount": money(part.amount)}))
        .collect();
    if !refunded.is_empty() {
        let total = parts.values().map(|part| part.amount).sum();
        let refund =
            json!({"refund": id, "return": id, "order": order, "lines": refunded, "reason": "credit_note"});
        pay_back(steps, &number.to_string(), refund, total);
    }
}

/// A return that no purchase explains: of nobody, of something bought before the file begins, at another price.
fn blind(steps: &mut Steps, number: usize, parts: &[(Part, &Line)]) {
    let id = format!("{}/{number}", steps.invoice.number);
    let received: Vec<Value> = parts
        .iter()
        .map(|(part, line)| {
            // The cost is only used while the ledger knows none of this SKU.
            json!({"sku": *part.sku, "quantity": part.quantity, "unit_cost": steps.plan.cost(line.price)})
        })
        .collect();
    let mut receive = json!({"return": id, "location": LOCATION, "lines": received});
    steps.customer_and_country(&mut receive);
    steps.push(&format!("return/{number}"), "returns.receive", receive);
    restock(steps, number, &id, parts.iter().map(|(part, _)| part));

    let refunded: Vec<Value> = parts
        .iter()
        .filter(|(part, _)| !part.amount.is_zero())
        .map(|(part, _)| json!({"sku": *part.sku, "quantity": part.quantity, "amount": money(part.amount)}))
        .collect();
    if !refunded.is_empty() {
        let total = parts.iter().map(|(part, _)| part.amount).sum();
        let mut refund = json!({"refund": id, "return": id, "channel": CHANNEL});
        steps.customer_and_country(&mut refund);
        refund["lines"] = Value::Array(refunded);
        refund["reason"] = json!("unreferenced");
        pay_back(steps, &number.to_string(), refund, total);
    }
}

/// Looked at, found good, and back on the shelf.
fn restock<'a>(steps: &mut Steps, number: usize, id: &str, parts: impl Iterator<Item = &'a Part>) {
    let (mut inspected, mut restocked, mut moves) = (Vec::new(), Vec::new(), Vec::new());
    for (part, line) in parts.zip(1..) {
        inspected.push(json!({"line": line, "quantity": part.quantity, "grade": "a"}));
        restocked.push(json!({"line": line, "quantity": part.quantity, "grade": "a", "outcome": "restock"}));
        moves.push(Move { sku: Arc::clone(&part.sku), change: part.quantity });
    }
    let inspect = json!({"return": id, "lines": inspected});
    steps.push(&format!("inspect/{number}"), "returns.inspect", inspect);
    let disposition = json!({"return": id, "lines": restocked});
    steps.push(&format!("disposition/{number}"), "returns.disposition", disposition).moves = moves;
}

/// Charges that are given back. They name no order: the file does not say which one they were charged on.
pub(super) fn charges(steps: &mut Steps, credited: &[(ChargeKind, &Line)]) {
    if credited.is_empty() {
        return;
    }
    let id = format!("{}/charges", steps.invoice.number);
    let mut refund = json!({"refund": id, "channel": CHANNEL});
    steps.customer_and_country(&mut refund);
    refund["charges"] = credited
        .iter()
        .map(|(kind, line)| json!({"kind": kind.as_str(), "amount": money(-line.amount())}))
        .collect();
    refund["reason"] = json!("unreferenced");
    let total = credited.iter().map(|(_, line)| -line.amount()).sum();
    pay_back(steps, "charges", refund, total);
}

/// A claim, and its payment in full.
fn pay_back(steps: &mut Steps, step: &str, refund: Value, total: Decimal) {
    let id = refund["refund"].clone();
    steps.push(&format!("refund/{step}"), "returns.refund", refund);
    let repay = json!({"payment": id, "refund": id, "amount": money(total)});
    steps.push(&format!("repay/{step}"), "payments.refund", repay);
}

/// Eight hexadecimal digits that differ when a command does.
fn digest(planned: &[super::plan::Planned]) -> String {
    let mut hasher = blake3::Hasher::new();
    for command in planned {
        hasher.update(command.command_id.as_bytes());
        hasher.update(command.body.to_string().as_bytes());
    }
    hasher.finalize().to_hex()[..8].to_owned()
}
