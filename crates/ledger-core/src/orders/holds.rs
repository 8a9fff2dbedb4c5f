//! Holds that a fact puts on an order and another takes off: not paid yet, not all of it there.

use super::clear_hold::HoldCleared;
use super::hold::Held;
use super::{HoldReason, Order, OrderState, release};
use crate::books::Account;
use crate::channels::{PartialShipment, Settlement};
use crate::draft::Draft;
use crate::finance;
use crate::ledger::Ledger;
use crate::state::Row;
use crate::values::{Amount, OrderId, Text};

/// Holds an order that was just placed for every reason there is, or releases it.
pub(super) fn hold_or_release(draft: &mut Draft<'_>, row: Row) {
    let ledger = draft.ledger();
    let order = ledger.orders.get(row);
    if order.state != OrderState::Captured {
        return;
    }
    let mut reasons = Vec::new();
    if ledger.channels.get(order.channel).settlement == Settlement::Prepaid && order.payable().is_positive() {
        reasons.push(HoldReason::Payment);
    }
    if wants_stock(ledger, &order) {
        reasons.push(HoldReason::Stock);
    }
    if reasons.is_empty() {
        release::release(draft, row);
    } else {
        let order = ledger.orders.id(row).clone();
        draft.record(Held { order, reasons, note: None });
    }
}

/// Holds an order of which units wait again and that may not leave in parts.
pub(super) fn hold_for_stock(draft: &mut Draft<'_>, row: Row) {
    let ledger = draft.ledger();
    let order = ledger.orders.get(row);
    if wants_stock(ledger, &order) && !order.is_held_for(HoldReason::Stock) {
        let order = ledger.orders.id(row).clone();
        draft.record(Held { order, reasons: vec![HoldReason::Stock], note: None });
    }
}

fn wants_stock(ledger: &Ledger, order: &Order) -> bool {
    let leaves_whole = ledger.channels.get(order.channel).partial_shipment == PartialShipment::Denied;
    leaves_whole && !is_all_there(order)
}

/// The reasons holding an order whose cause still stands. To be asked before what may take the cause away.
pub(crate) fn unmet_holds(ledger: &Ledger, row: Row) -> Vec<HoldReason> {
    let order = ledger.orders.get(row);
    order.holds.iter().map(|hold| hold.reason).filter(|reason| !is_met(ledger, row, *reason)).collect()
}

/// Clears those of the reasons whose cause is now gone, and releases a captured order that nothing else holds.
pub(crate) fn clear_met_holds(draft: &mut Draft<'_>, row: Row, unmet: &[HoldReason]) {
    let ledger = draft.ledger();
    let order = ledger.orders.get(row);
    let reasons: Vec<_> = unmet
        .iter()
        .copied()
        .filter(|reason| order.is_held_for(*reason) && is_met(ledger, row, *reason))
        .collect();
    if reasons.is_empty() {
        return;
    }
    let id: OrderId = ledger.orders.id(row).clone();
    draft.record(HoldCleared { order: id, reasons, note: None });
    let order = draft.ledger().orders.get(row);
    if order.state == OrderState::Captured && order.holds.is_empty() {
        release::release(draft, row);
    }
}

/// Whether a fact has taken the cause of a hold away. What somebody has to judge never goes by itself.
fn is_met(ledger: &Ledger, row: Row, reason: HoldReason) -> bool {
    match reason {
        HoldReason::Payment => is_paid(ledger, row),
        HoldReason::Stock => is_all_there(&ledger.orders.get(row)),
        HoldReason::Fraud
        | HoldReason::Customer
        | HoldReason::Address
        | HoldReason::ShippingMethod
        | HoldReason::Tax
        | HoldReason::Credit
        | HoldReason::RestrictedItem
        | HoldReason::Margin
        | HoldReason::Value
        | HoldReason::Duplicate
        | HoldReason::ChannelRule
        | HoldReason::Manual => false,
    }
}

fn is_all_there(order: &Order) -> bool {
    order.waiting().is_zero()
}

fn is_paid(ledger: &Ledger, row: Row) -> bool {
    !outstanding(ledger, row).is_positive()
}

/// What is left to pay for an order: what it is worth without what was cancelled or refused, less what was paid and not
/// granted back. Negative where more was paid.
pub(crate) fn outstanding(ledger: &Ledger, row: Row) -> Amount {
    let (order, id) = (ledger.orders.get(row), ledger.orders.id(row).as_str());
    let deposit = -finance::open_balance(ledger, Account::CustomerDeposits, id);
    let unpaid = finance::open_balance(ledger, Account::Receivable, id);
    let not_invoiced = order.payable() - order.invoiced;
    not_invoiced + unpaid - deposit
}
