//! Fulfilment: what was reserved is planned, picked, packed, shipped and delivered, a shipment at a time.

mod deliver;
mod pack;
mod pick;
mod plan;
mod refusal;
mod ship;
mod shipment;

pub use deliver::{Deliver, Delivered};
pub use pack::{Pack, Packed};
pub use pick::{Pick, PickLine, Picked, PickedLine, Short, ShortPick};
pub use plan::{Plan, PlanLine, Planned, PlannedLine};
pub use refusal::Refusal;
pub use ship::{Ship, Shipped, ShippedLine};
pub use shipment::{Shipment, ShipmentLine, ShipmentState, Shipments};

use crate::books::{CostParts, StatusGroup};
use crate::draft::Draft;
use crate::ledger::Ledger;
use crate::orders::{Order, OrderState};
use crate::rejection::Rejection;
use crate::state::{Reading, Row};
use crate::values::{OrderId, Quantity, ShipmentId};
use crate::{orders, stock};

/// The shipment, if it stands where the next step starts from. The step is not dated before the one that it follows;
/// rules 1 let it be.
fn in_state<'l>(
    draft: &'l Draft<'_>,
    shipment: &ShipmentId,
    wanted: ShipmentState,
) -> Result<Reading<'l, Shipment>, Refusal> {
    let ledger = draft.ledger();
    let found = ledger
        .shipments
        .find(shipment)
        .ok_or_else(|| Refusal::UnknownShipment { shipment: shipment.clone() })?;
    if found.state != wanted {
        let shipment = shipment.clone();
        return Err(Refusal::ShipmentStateNotFit { shipment, state: found.state, wanted });
    }
    let (effective_at, since) = (draft.context().moment.effective_at, found.state_since());
    if effective_at < since && ledger.rules() >= 2 {
        let shipment = shipment.clone();
        return Err(Refusal::StepBeforeTheLast { shipment, state: found.state, since, effective_at });
    }
    Ok(found)
}

/// The order, if it may be fulfilled now: it is released, and nothing holds it. A hold pauses its shipments.
fn fulfillable<'l>(ledger: &'l Ledger, id: &OrderId) -> Result<(Row, Reading<'l, Order>), Rejection> {
    let (row, order) = orders::known(ledger, id)?;
    let holds = order.holds.iter().map(|hold| hold.reason).collect();
    match order.state {
        OrderState::Released | OrderState::InFulfilment if order.holds.is_empty() => Ok((row, order)),
        OrderState::Released | OrderState::InFulfilment => {
            Err(orders::Refusal::OrderHeld { order: id.clone(), holds }.into())
        }
        OrderState::Captured | OrderState::Completed | OrderState::Closed | OrderState::Cancelled => {
            Err(Refusal::OrderNotReleased { order: id.clone(), state: order.state, holds }.into())
        }
    }
}

/// What is in a shipment that was picked.
fn contents(ledger: &Ledger, shipment: &Shipment) -> Result<Vec<PlannedLine>, orders::Refusal> {
    let (id, order) = (ledger.orders.id(shipment.order), ledger.orders.get(shipment.order));
    let picked = shipment.lines.iter().filter(|line| line.picked.is_positive());
    picked
        .map(|ShipmentLine { line, picked, .. }| {
            let sku = ledger.items.sku(orders::line(id, &order, *line)?.item).clone();
            Ok(PlannedLine { line: *line, sku, quantity: *picked })
        })
        .collect()
}

/// The issue cost of several takes from one location's sellable stock in one fact, take by take: takes of one item share
/// its issue by the part rule.
fn issue_each(ledger: &Ledger, location: Row, takes: &[(Row, Quantity)]) -> Vec<CostParts> {
    let units_of = |item: Row, takes: &[(Row, Quantity)]| -> Quantity {
        takes.iter().filter(|take| take.0 == item).map(|take| take.1).sum()
    };
    let cost = |(at, (item, quantity)): (usize, &(Row, Quantity))| {
        let (before, whole) = (units_of(*item, &takes[..at]), units_of(*item, takes));
        let issue = stock::issue(ledger, *item, location, StatusGroup::Sellable, whole);
        if *quantity == whole { issue } else { CostParts::of_issue(&issue, before, *quantity) }
    };
    takes.iter().enumerate().map(cost).collect()
}
