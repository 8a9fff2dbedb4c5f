//! The stock book: what is where in which status, what it cost, and who claims it outside an order.

mod adjust;
mod arrival;
mod cells;
mod change_status;
mod costing;
mod expire_reservation;
mod open;
mod receive;
mod refusal;
mod reserve;
mod unreserve;
mod write_off;

#[cfg(test)]
mod golden_vectors;

pub use adjust::{Adjust, Adjusted};
pub use cells::{Cell, Layer, Pool, Reservation, Stock, apply_movement};
pub use change_status::{ChangeStatus, StatusChanged};
pub use costing::{CostSource, cost_of_found, issue};
pub use expire_reservation::{ExpireReservation, ReservationExpired};
pub use open::{Open, Opened};
pub use receive::{Receive, Received};
pub use refusal::Refusal;
pub use reserve::{Reserve, Reserved};
pub use unreserve::{Unreserve, Unreserved};
pub use write_off::{WriteOff, WrittenOff};

use crate::books::Status;
use crate::due::{DueKey, DueKind};
use crate::ledger::Ledger;
use crate::state::Row;
use crate::values::{Amount, LocationId, Quantity, ReservationId, Sku};

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

/// Refuses to put more units or more value into a bucket than the books can hold.
pub fn require_room(
    ledger: &Ledger,
    (item, sku): (Row, &Sku),
    (at, location): (Row, &LocationId),
    status: Status,
    (quantity, value): (Quantity, Amount),
) -> Result<(), Refusal> {
    let cell = ledger.stock.cell(item, at);
    let held = cell.map_or(Quantity::ZERO, |cell| cell.quantity(status));
    let worth = cell.map_or(Amount::ZERO, |cell| cell.group_value(status.group()));
    if held.checked_add(quantity).is_none() {
        return Err(Refusal::QuantityOutOfRange { sku: sku.clone(), location: location.clone(), quantity });
    }
    if worth.checked_add(value).is_none() {
        return Err(Refusal::ValueOutOfRange { sku: sku.clone(), location: location.clone(), value });
    }
    Ok(())
}

/// Lowers a claim outside an order; one that claims nothing any more is gone, and so is its end.
fn unclaim(ledger: &mut Ledger, reservation: &ReservationId, quantity: Quantity) {
    let reservations = &mut ledger.stock.reservations;
    let Some(row) = reservations.row(reservation) else { return };
    if reservations.get(row).quantity > quantity {
        reservations.edit(row).quantity -= quantity;
        return;
    }
    if let Some(until) = reservations.remove(row).until {
        ledger.due.queue.remove(&DueKey::new(until, DueKind::Reservation, row));
    }
}

/// Refuses to touch a bucket behind the back of the order or reservation that claims its units.
pub fn require_unclaimed(sku: &Sku, location: &LocationId, status: Status) -> Result<(), Refusal> {
    if status.is_claimed() {
        return Err(Refusal::StockIsClaimed { sku: sku.clone(), location: location.clone(), status });
    }
    Ok(())
}

/// Refuses stock on the way between two locations: only its transfer moves it.
pub fn require_on_hand(sku: &Sku, status: Status) -> Result<(), Refusal> {
    if status.is_on_hand() {
        return Ok(());
    }
    Err(Refusal::StatusNotAllowed { sku: sku.clone(), status })
}
