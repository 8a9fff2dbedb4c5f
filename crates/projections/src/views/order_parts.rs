//! What the order board and the order in detail both show of an order.

use ledger_core::Ledger;
use ledger_core::books::Account;
use ledger_core::finance::open_balance;
use ledger_core::orders::{HoldReason, Order, OrderLine, OrderState};
use ledger_core::payments;
use ledger_core::state::Row as LedgerRow;
use ledger_core::values::{
    Amount, ChannelId, CountryCode, CustomerId, Note, OrderId, Quantity, Text, Timestamp,
};
use schemars::JsonSchema;
use serde::Serialize;

/// The head of an order.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct OrderHead {
    /// The order.
    order: OrderId,
    /// The channel it came from.
    channel: ChannelId,
    /// Who ordered.
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<CustomerId>,
    /// The country it goes to.
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<CountryCode>,
    /// Where it is in its life.
    state: OrderState,
    /// Why it may not be released; empty when nothing holds it.
    holds: Vec<HoldShown>,
    /// When it was placed.
    placed_at: Timestamp,
    /// To be shipped until.
    #[serde(skip_serializing_if = "Option::is_none")]
    ship_by: Option<Timestamp>,
    /// To be delivered until.
    #[serde(skip_serializing_if = "Option::is_none")]
    deliver_by: Option<Timestamp>,
    /// 0 (first) to 9 (last).
    priority: u8,
    /// Units in every bucket, over all lines.
    units: Units,
    /// What it is worth and what was paid.
    money: Money,
}

/// A hold.
#[derive(Debug, Serialize, JsonSchema)]
struct HoldShown {
    /// The reason.
    reason: HoldReason,
    /// Since when, in recorded time.
    since: Timestamp,
    /// What was said with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<Note>,
}

/// Units by bucket. The buckets from `open` to `cancelled` sum to `ordered`.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub(crate) struct Units {
    /// Ordered.
    ordered: Quantity,
    /// Neither promised nor backordered yet.
    open: Quantity,
    /// Waiting for stock.
    backordered: Quantity,
    /// Claimed on the shelf.
    reserved: Quantity,
    /// Taken from the shelf.
    picked: Quantity,
    /// In a parcel.
    packed: Quantity,
    /// Handed over to the carrier.
    shipped: Quantity,
    /// Handed over to the customer.
    delivered: Quantity,
    /// Lost on the way.
    lost: Quantity,
    /// Cancelled or refused.
    cancelled: Quantity,
    /// Of open return authorisations; counted beside the buckets.
    return_authorised: Quantity,
    /// Came back; counted beside the buckets.
    returned: Quantity,
}

/// The money of an order.
#[derive(Debug, Serialize, JsonSchema)]
struct Money {
    /// Lines and charges with discount and tax, as ordered.
    value: Amount,
    /// The same without what was cancelled: what is to be paid.
    payable: Amount,
    /// What its invoices sum to.
    invoiced: Amount,
    /// Paid by the customer.
    captured: Amount,
    /// Paid back to the customer.
    refunded: Amount,
    /// Invoiced and not yet paid.
    receivable: Amount,
    /// Paid and not yet invoiced.
    deposit: Amount,
    /// Paid, in words.
    payment: PaymentState,
}

/// How far an order is paid.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum PaymentState {
    /// There is nothing to pay.
    NothingDue,
    /// Nothing was paid.
    Unpaid,
    /// A part was paid.
    PartlyPaid,
    /// All was paid.
    Paid,
}

impl Units {
    /// Of one line.
    pub(crate) fn of(line: &OrderLine) -> Units {
        let mut units = Units::default();
        units.add(line);
        units
    }

    fn add(&mut self, line: &OrderLine) {
        self.ordered += line.ordered;
        self.open += line.open();
        self.backordered += line.backordered();
        for at in line.at() {
            self.reserved += at.reserved;
            self.picked += at.picked;
            self.packed += at.packed;
        }
        self.shipped += line.shipped();
        self.delivered += line.delivered();
        self.lost += line.lost();
        self.cancelled += line.cancelled();
        self.return_authorised += line.return_authorised();
        self.returned += line.returned();
    }
}

impl OrderHead {
    /// The head of the order in a row.
    pub(crate) fn of(ledger: &Ledger, row: LedgerRow) -> OrderHead {
        let (id, order) = (ledger.orders().id(row), ledger.orders().get(row));
        let mut units = Units::default();
        order.lines.iter().for_each(|line| units.add(line));
        let holds = order.holds.iter().map(|hold| HoldShown {
            reason: hold.reason,
            since: hold.since,
            note: hold.note.clone(),
        });
        OrderHead {
            order: id.clone(),
            channel: ledger.channels().id(order.channel).clone(),
            customer: order.customer.clone(),
            country: order.country().cloned(),
            state: order.state,
            holds: holds.collect(),
            placed_at: order.placed_at,
            ship_by: order.ship_by,
            deliver_by: order.deliver_by,
            priority: order.priority,
            units,
            money: money(ledger, row, id, &order),
        }
    }
}

fn money(ledger: &Ledger, row: LedgerRow, id: &OrderId, order: &Order) -> Money {
    let (payable, captured) = (order.payable(), payments::captured(ledger, row));
    let payment = if !payable.is_positive() {
        PaymentState::NothingDue
    } else if captured.is_zero() {
        PaymentState::Unpaid
    } else if captured < payable {
        PaymentState::PartlyPaid
    } else {
        PaymentState::Paid
    };
    Money {
        value: order.total(),
        payable,
        invoiced: order.invoiced,
        captured,
        refunded: payments::refunded(ledger, row),
        receivable: open_balance(ledger, Account::Receivable, id.as_str()),
        deposit: -open_balance(ledger, Account::CustomerDeposits, id.as_str()),
        payment,
    }
}
