//! The stock book: what is where in which status, what it cost, and who claims it outside an order.

mod cells;
mod costing;
mod receive;
mod refusal;

pub use cells::{Cell, Layer, Pool, Reservation, Stock, apply_movement};
pub use costing::{CostSource, cost_of_found, issue};
pub use receive::{Receive, Received};
pub use refusal::Refusal;

use crate::books::Status;
use crate::ledger::Ledger;
use crate::state::Row;
use crate::values::{LocationId, Quantity, Sku};

/// Refuses to take more from a bucket than is in it.
pub fn require(
    ledger: &Ledger,
    (item, sku): (Row, &Sku),
    (at, location): (Row, &LocationId),
    status: Status,
    wanted: Quantity,
) -> Result<(), Refusal> {
    let there = ledger.stock.quantity(item, at, status);
    if there >= wanted {
        return Ok(());
    }
    let (sku, location) = (sku.clone(), location.clone());
    Err(match status {
        Status::Available => Refusal::NotEnoughAvailable { sku, location, available: there, wanted },
        _ => Refusal::NotEnoughInStatus { sku, location, status, there, wanted },
    })
}

/// Refuses to take goods in as claimed, in repair or on the way.
pub fn receivable(sku: &Sku, status: Status) -> Result<(), Refusal> {
    match status {
        Status::Available | Status::Inspection | Status::Quarantined | Status::Damaged => Ok(()),
        Status::Reserved | Status::Picked | Status::Packed | Status::Refurbishing | Status::InTransit => {
            Err(Refusal::StatusNotAllowed { sku: sku.clone(), status })
        }
    }
}
