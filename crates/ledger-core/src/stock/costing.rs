//! What units cost when they leave a pool, and when they are found: FIFO layers or the moving average.
//!
//! An issue takes `round(value × issued / quantity)` of a layer or pool, the last unit the remainder; so a stock of
//! zero always has a value of zero.

use super::Refusal;
use crate::books::{CostPart, CostParts, StatusGroup};
use crate::codes;
use crate::items::Costing;
use crate::ledger::Ledger;
use crate::state::Row;
use crate::values::{Amount, Cumulated, Price, Quantity, Sku, Timestamp, part_of};

codes! {
    /// Where the cost of found or returned units comes from.
    pub enum CostSource {
        /// The very issue that they come back from.
        Issue = 1 "issue",
        /// The unit cost of the pool they go into.
        Pool = 2 "pool",
        /// The item's last receipt, opening or find.
        LastCost = 3 "last_cost",
        /// Whoever recorded them.
        Given = 4 "given",
    }
}

/// The cost of the next `quantity` units of a pool, in issue order. The caller has checked that they are there.
pub fn issue(ledger: &Ledger, item: Row, location: Row, group: StatusGroup, quantity: Quantity) -> CostParts {
    let Some(cell) = ledger.stock.cell(item, location) else { return CostParts::default() };
    if ledger.items.get(item).costing == Costing::MovingAverage {
        let whole = CostPart {
            quantity: cell.group_quantity(group),
            value: cell.group_value(group),
            received_at: Timestamp::default(),
        };
        return CostParts::from_iter([first_of(whole, quantity)]);
    }
    let mut parts = CostParts::default();
    let mut left = quantity;
    for layer in ledger.stock.layers(item, location, group) {
        if !left.is_positive() {
            break;
        }
        let part = first_of(*layer, left.min(layer.quantity));
        left -= part.quantity;
        parts.push(part);
    }
    parts
}

fn first_of(whole: CostPart, quantity: Quantity) -> CostPart {
    let units = Cumulated { before: Quantity::ZERO, part: quantity, whole: whole.quantity };
    CostPart { quantity, value: part_of(whole.value, units), received_at: whole.received_at }
}

/// The cost of units that no issue explains (a find, a blind return): the pool's unit cost, else the item's last
/// cost, else what the caller gives, else nothing is known.
pub fn cost_of_found(
    ledger: &Ledger,
    (item, sku): (Row, &Sku),
    (location, group): (Row, StatusGroup),
    quantity: Quantity,
    given: Option<Price>,
    received_at: Timestamp,
) -> Result<(CostParts, CostSource), Refusal> {
    let one = |value: Amount, source| (CostParts::one(quantity, value, received_at), source);
    let times = |unit: Price| {
        unit.times(quantity).ok_or_else(|| Refusal::AmountOutOfRange { sku: sku.clone(), quantity, unit })
    };
    let pool =
        ledger.stock.cell(item, location).map(|cell| (cell.group_value(group), cell.group_quantity(group)));
    if let Some((value, held)) = pool
        && held.is_positive()
    {
        let unit = Price::per_unit(value, held).unwrap_or(Price::ZERO);
        let share = crate::values::proportion(
            i128::from(value.minor_units()),
            i128::from(quantity.units()),
            i128::from(held.units()),
        );
        let value = share.ok_or_else(|| Refusal::AmountOutOfRange { sku: sku.clone(), quantity, unit })?;
        return Ok(one(value, CostSource::Pool));
    }
    if let Some(last_cost) = ledger.stock.item(item).and_then(|known| known.last_cost) {
        return Ok(one(times(last_cost)?, CostSource::LastCost));
    }
    match given {
        Some(unit) => Ok(one(times(unit)?, CostSource::Given)),
        None => Err(Refusal::CostUnknown { sku: sku.clone() }),
    }
}
