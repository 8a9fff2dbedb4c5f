//! What opening stock and a receipt have in common: whether goods can come in, and at which cost.

use super::{Refusal, require_room};
use crate::books::{CostParts, Status};
use crate::ledger::Ledger;
use crate::rejection::Rejection;
use crate::values::{LocationId, Price, Quantity, Sku, Timestamp};
use crate::{items, locations};

/// Goods that come in.
pub(super) struct Arrival<'c> {
    pub(super) sku: &'c Sku,
    pub(super) location: &'c LocationId,
    pub(super) status: Status,
    pub(super) quantity: Quantity,
    pub(super) unit_cost: Price,
}

impl Arrival<'_> {
    /// The cost of the goods as one layer, if they can come in: an active, stocked item at a known location, in a status
    /// in which goods arrive, within what the books can hold.
    pub(super) fn cost(&self, ledger: &Ledger, received_at: Timestamp) -> Result<CostParts, Rejection> {
        let Arrival { sku, location, status, quantity, unit_cost } = *self;
        let (item, _) = items::active_stocked(ledger, sku)?;
        let at = locations::known(ledger, location)?;
        check_status(sku, status)?;
        let out_of_range = || Refusal::AmountOutOfRange { sku: sku.clone(), quantity, unit: unit_cost };
        let value = unit_cost.times(quantity).ok_or_else(out_of_range)?;
        require_room(ledger, (item, sku), (at, location), status, (quantity, value))?;
        Ok(CostParts::one(quantity, value, received_at))
    }
}

/// Refuses to take goods in as claimed, in repair or on the way.
fn check_status(sku: &Sku, status: Status) -> Result<(), Refusal> {
    match status {
        Status::Available | Status::Inspection | Status::Quarantined | Status::Damaged => Ok(()),
        Status::Reserved | Status::Picked | Status::Packed | Status::Refurbishing | Status::InTransit => {
            Err(Refusal::StatusNotAllowed { sku: sku.clone(), status })
        }
    }
}
