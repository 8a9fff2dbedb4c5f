//! What can be promised of open units: reserved where there is stock, the rest backordered or refused by the channel.

use bincode::{Decode, Encode};
use schemars::JsonSchema;
use serde::Serialize;

use super::allocate::{Allocated, Claims, Waiting};
use super::hold_limits::end;
use super::{Bucket, OrderState, move_units};
use crate::books::{Fact, Subject, SubjectKind};
use crate::channels::OversellPolicy;
use crate::draft::Draft;
use crate::ledger::{Ledger, Moment};
use crate::state::Row;
use crate::values::{OrderId, Quantity, Sku};

/// Units of an order wait for the next receipt.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct Backordered {
    /// The order.
    pub order: OrderId,
    /// What waits.
    pub lines: Vec<ShortLine>,
}

/// Units of an order are refused for want of stock: lost demand.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct Refused {
    /// The order.
    pub order: OrderId,
    /// What is refused.
    pub lines: Vec<ShortLine>,
    /// Whether nothing else of the order's goods was or will be shipped: then the order is cancelled, charges and all.
    pub whole: bool,
}

/// Units of a line for which there is no stock.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct ShortLine {
    /// The order's line.
    pub line: u16,
    /// The item.
    pub sku: Sku,
    /// Units.
    pub quantity: Quantity,
}

/// Promises the open units of the lines at these places of the order.
pub(super) fn promise(draft: &mut Draft<'_>, row: Row, places: std::ops::Range<usize>) {
    let ledger = draft.ledger();
    let order = ledger.orders.get(row);
    let channel = ledger.channels.get(order.channel);
    let (mut claims, mut short) = (Claims::default(), Vec::new());
    for line in &order.lines[places] {
        let quantity = claims.claim(ledger, channel, line, (Waiting::Open, line.open()));
        if quantity.is_positive() {
            short.push(ShortLine { line: line.number, sku: ledger.items.sku(line.item).clone(), quantity });
        }
    }
    let (id, oversell) = (ledger.orders.id(row).clone(), channel.oversell);
    let claims = claims.into_inner();
    if !claims.is_empty() {
        draft.record(Allocated { order: id.clone(), claims });
    }
    if short.is_empty() {
        return;
    }
    match oversell {
        OversellPolicy::Backorder => draft.record(Backordered { order: id, lines: short }),
        OversellPolicy::Refuse => {
            let order = draft.ledger().orders.get(row);
            let refused = short.iter().map(|line| line.quantity).sum::<Quantity>();
            let whole = order.before_shipped() == refused && order.left_us().is_zero();
            draft.record(Refused { order: id, lines: short, whole });
        }
    }
}

impl Fact for Backordered {
    fn subjects(&self, each: &mut dyn FnMut(Subject<'_>)) {
        subjects(&self.order, &self.lines, each);
    }

    fn apply(&self, ledger: &mut Ledger, _at: &Moment) {
        let Some(order) = ledger.orders.row(&self.order) else { return };
        for short in &self.lines {
            move_units(ledger, order, short.line, (Bucket::Open, Bucket::Backordered), short.quantity);
        }
    }
}

impl Fact for Refused {
    fn subjects(&self, each: &mut dyn FnMut(Subject<'_>)) {
        subjects(&self.order, &self.lines, each);
    }

    fn apply(&self, ledger: &mut Ledger, at: &Moment) {
        let Some(order) = ledger.orders.row(&self.order) else { return };
        for short in &self.lines {
            move_units(ledger, order, short.line, (Bucket::Open, Bucket::Cancelled), short.quantity);
        }
        if self.whole {
            end(ledger, order, OrderState::Cancelled, at);
        }
    }
}

fn subjects(order: &OrderId, lines: &[ShortLine], each: &mut dyn FnMut(Subject<'_>)) {
    each(Subject::new(SubjectKind::Order, order));
    for short in lines {
        each(Subject::new(SubjectKind::Item, &short.sku));
    }
}
