//! The end of an order's way: nothing of it is left before shipped.

use bincode::{Decode, Encode};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Order, OrderState, promise};
use crate::books::{Fact, Subject, SubjectKind};
use crate::draft::Draft;
use crate::ledger::{Ledger, Moment};
use crate::state::Row;
use crate::values::OrderId;

/// Nothing of an order is left to be shipped.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct Completed {
    /// The order.
    pub order: OrderId,
}

/// Completes the order if goods of it were shipped and none are left before shipped. To be called after whatever ships
/// or cancels units.
pub(crate) fn complete_if_done(draft: &mut Draft<'_>, row: Row) {
    let order = draft.ledger().orders.get(row);
    if order.is_open() && order.before_shipped().is_zero() && order.left_us().is_positive() {
        complete(draft, row);
    }
}

pub(super) fn complete(draft: &mut Draft<'_>, row: Row) {
    let order = draft.ledger().orders.id(row).clone();
    draft.record(Completed { order });
}

/// A shipment of the order was planned: for the `apply` of the fact that says so.
pub(crate) fn enter_fulfilment(ledger: &mut Ledger, row: Row) {
    ledger.orders.table.edit(row).state = OrderState::InFulfilment;
}

/// Promises the open units of a line again, in the entry that put them back to open: reserved where there is stock, the
/// rest backordered or refused by the channel. Where that leaves nothing before shipped, the order is completed or
/// cancelled.
pub(crate) fn reallocate(draft: &mut Draft<'_>, row: Row, line: u16) {
    let Some(place) = draft.ledger().orders.get(row).place_of(line) else { return };
    promise::promise(draft, row, place..place + 1);
    complete_if_done(draft, row);
}

impl Order {
    /// Ends it: nothing of it is left before shipped, so nothing can hold it any more.
    pub(super) fn end(&mut self, state: OrderState) {
        self.state = state;
        self.holds.clear();
    }
}

impl Fact for Completed {
    fn subjects(&self, each: &mut dyn FnMut(Subject<'_>)) {
        each(Subject::new(SubjectKind::Order, &self.order));
    }

    fn apply(&self, ledger: &mut Ledger, _at: &Moment) {
        let Some(order) = ledger.orders.row(&self.order) else { return };
        ledger.orders.table.edit(order).end(OrderState::Completed);
    }
}
