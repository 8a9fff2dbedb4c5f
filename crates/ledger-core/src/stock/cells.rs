//! Buckets and cost pools: one cell an item and location, changed by movements and by nothing else.

use bincode::{Decode, Encode};

use crate::books::{CostPart, Movement, Place, Status, StatusGroup, World, legal_edge};
use crate::items::Costing;
use crate::ledger::Ledger;
use crate::state;
use crate::state::{Hints, Row, Slab, Table, Tracked};
use crate::values::{ActorId, Amount, LocationId, Price, Quantity, ReservationId, Timestamp};

/// Statuses of the sellable group, which come first of all.
const SELLABLE: usize = 4;

/// Everything of one item at one location.
///
/// Kept within a cache line, for every order touches one for each of its lines: what most cells never have is boxed.
#[derive(Debug, Clone, PartialEq, Default, Encode, Decode)]
pub struct Cell {
    sellable: [Quantity; SELLABLE],
    pool: Pool,
    rest: Option<Box<CellRest>>,
}

/// Units of a cell that may not be sold, and what they cost.
#[derive(Debug, Clone, PartialEq, Default, Encode, Decode)]
struct CellRest {
    quantities: [Quantity; Status::COUNT - SELLABLE],
    pools: [Pool; StatusGroup::COUNT - 1],
}

/// The cost of the units of one status group.
#[derive(Debug, Clone, Copy, PartialEq, Default, Encode, Decode)]
pub struct Pool {
    /// What the units cost together.
    pub value: Amount,
    /// Oldest and newest layer, where the item is costed by FIFO.
    layers: Option<(Row, Row)>,
}

/// Units of one receipt that are still in a FIFO pool.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Layer {
    /// Units, their cost and their receipt.
    pub part: CostPart,
    next: Option<Row>,
}

/// What is known of an item wherever it is.
#[derive(Debug, Clone, PartialEq, Default, Encode, Decode)]
pub struct ItemStock {
    /// The unit cost of its last receipt, opening or find.
    pub last_cost: Option<Price>,
    /// Units that came from (negative) or went to (positive) each outside world.
    worlds: [i64; World::COUNT],
}

/// A claim on stock that is not an order's: a cart's, with a time to live, or by hand.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Reservation {
    /// The item.
    pub item: Row,
    /// Where.
    pub location: Row,
    /// Units still claimed.
    pub quantity: Quantity,
    /// For whom.
    pub holder: Option<ActorId>,
    /// Until when.
    pub until: Option<Timestamp>,
}

state! {
    /// The stock book.
    pub struct Stock {
        cells: Table<(Row, Row), Cell>,
        /// The cell of an item that was changed last: most items have one, and it is found without a search.
        recent: Hints,
        layers: Slab<Layer>,
        items: Table<Row, ItemStock>,
        pub(crate) reservations: Table<ReservationId, Reservation>,
        /// What all cells hold together, by status group.
        values: Tracked<[Amount; StatusGroup::COUNT]>,
    }
}

impl Cell {
    /// Units in a status.
    pub fn quantity(&self, status: Status) -> Quantity {
        match status.index().checked_sub(SELLABLE) {
            None => self.sellable[status.index()],
            Some(at) => self.rest.as_ref().map_or(Quantity::ZERO, |rest| rest.quantities[at]),
        }
    }

    /// Units of a group's statuses.
    pub fn group_quantity(&self, group: StatusGroup) -> Quantity {
        Status::ALL.iter().filter(|status| status.group() == group).map(|status| self.quantity(*status)).sum()
    }

    /// What the units of a group cost together.
    pub fn group_value(&self, group: StatusGroup) -> Amount {
        self.pool(group).value
    }

    fn pool(&self, group: StatusGroup) -> Pool {
        match group.index().checked_sub(1) {
            None => self.pool,
            Some(at) => self.rest.as_ref().map_or(Pool::default(), |rest| rest.pools[at]),
        }
    }

    fn quantity_mut(&mut self, status: Status) -> &mut Quantity {
        match status.index().checked_sub(SELLABLE) {
            None => &mut self.sellable[status.index()],
            Some(at) => &mut self.rest.get_or_insert_default().quantities[at],
        }
    }

    fn pool_mut(&mut self, group: StatusGroup) -> &mut Pool {
        match group.index().checked_sub(1) {
            None => &mut self.pool,
            Some(at) => &mut self.rest.get_or_insert_default().pools[at],
        }
    }
}

impl Stock {
    /// The cell of an item at a location, if anything ever moved there.
    pub fn cell(&self, item: Row, location: Row) -> Option<&Cell> {
        self.find_cell(item, location).map(|row| self.cells.get(row))
    }

    /// Units of an item at a location in a status.
    pub fn quantity(&self, item: Row, location: Row, status: Status) -> Quantity {
        self.cell(item, location).map_or(Quantity::ZERO, |cell| cell.quantity(status))
    }

    /// Every cell as (item, location, cell), in the order in which they first had stock.
    pub fn cells(&self) -> impl Iterator<Item = (Row, Row, &Cell)> {
        self.cells.iter().map(|(_, (item, location), cell)| (*item, *location, cell))
    }

    /// The FIFO layers of a pool, oldest first; none where the item is costed by average.
    pub fn layers(&self, item: Row, location: Row, group: StatusGroup) -> impl Iterator<Item = &CostPart> {
        let mut next =
            self.cell(item, location).and_then(|cell| cell.pool(group).layers).map(|(oldest, _)| oldest);
        std::iter::from_fn(move || {
            let layer = self.layers.get(next?);
            next = layer.next;
            Some(&layer.part)
        })
    }

    /// What is known of an item wherever it is.
    pub fn item(&self, item: Row) -> Option<&ItemStock> {
        self.items.find(&item)
    }

    /// What the units of a group cost together, over all items and locations.
    pub fn value_of_all(&self, group: StatusGroup) -> Amount {
        self.values[group.index()]
    }

    /// Claims that are not an order's.
    pub fn reservations(&self) -> &Table<ReservationId, Reservation> {
        &self.reservations
    }

    fn find_cell(&self, item: Row, location: Row) -> Option<Row> {
        let wanted = (item, location);
        let recent = self.recent.of(item).filter(|row| self.cells.try_key(*row) == Some(&wanted));
        recent.or_else(|| self.cells.row(&wanted))
    }

    fn cell_row(&mut self, item: Row, location: Row) -> Row {
        let row = self.find_cell(item, location);
        let row = row.unwrap_or_else(|| self.cells.insert((item, location), Cell::default()));
        self.recent.set(item, row);
        row
    }

    fn take(
        &mut self,
        cell: Row,
        group: StatusGroup,
        parts: &[CostPart],
        costing: Costing,
    ) -> Result<(), String> {
        let pool = self.cells.edit(cell).pool_mut(group);
        let value = parts.iter().map(|part| part.value).sum();
        pool.value -= value;
        self.values[group.index()] -= value;
        if costing == Costing::MovingAverage {
            return Ok(());
        }
        let mut ends = pool.layers;
        for part in parts {
            let Some((oldest, newest)) = ends else {
                return Err("more was issued than the cost layers hold".to_owned());
            };
            let layer = self.layers.edit(oldest);
            layer.part.quantity -= part.quantity;
            layer.part.value -= part.value;
            if layer.part.quantity.is_negative() {
                return Err("more was issued from a cost layer than it holds".to_owned());
            }
            if layer.part.quantity.is_zero() {
                let empty = self.layers.remove(oldest);
                ends = empty.next.map(|next| (next, newest));
            }
        }
        self.cells.edit(cell).pool_mut(group).layers = ends;
        Ok(())
    }

    fn put(&mut self, cell: Row, group: StatusGroup, parts: &[CostPart], costing: Costing) {
        let pool = self.cells.edit(cell).pool_mut(group);
        let value = parts.iter().map(|part| part.value).sum();
        pool.value += value;
        self.values[group.index()] += value;
        if costing == Costing::MovingAverage {
            return;
        }
        let mut ends = pool.layers;
        for part in parts {
            ends = Some(self.put_layer(ends, *part));
        }
        self.cells.edit(cell).pool_mut(group).layers = ends;
    }

    /// Puts a layer behind those received before it or with it, and gives back the ends of the pool.
    fn put_layer(&mut self, ends: Option<(Row, Row)>, part: CostPart) -> (Row, Row) {
        let Some((oldest, newest)) = ends else {
            let only = self.layers.insert(Layer { part, next: None });
            return (only, only);
        };
        let received_at = |layers: &Slab<Layer>, row: Row| layers.get(row).part.received_at;
        if received_at(&self.layers, newest) <= part.received_at {
            let added = self.layers.insert(Layer { part, next: None });
            self.layers.edit(newest).next = Some(added);
            return (oldest, added);
        }
        if received_at(&self.layers, oldest) > part.received_at {
            return (self.layers.insert(Layer { part, next: Some(oldest) }), newest);
        }
        let mut before = oldest;
        while let Some(next) =
            self.layers.get(before).next.filter(|n| received_at(&self.layers, *n) <= part.received_at)
        {
            before = next;
        }
        let after = self.layers.get(before).next;
        let added = self.layers.insert(Layer { part, next: after });
        self.layers.edit(before).next = Some(added);
        (oldest, newest)
    }
}

/// Moves units and their cost between buckets: the only way in which the stock book changes. What it says is the
/// invariant that the movement did not keep; the rest of it is done all the same.
pub fn apply_movement(ledger: &mut Ledger, movement: &Movement<'_>) -> Result<(), String> {
    let Some(item) = ledger.items.row(movement.sku) else {
        return Err(format!("a movement of {} which is not defined", movement.sku));
    };
    let costing = ledger.items.get(item).costing;
    let groups = (movement.from.status().map(Status::group), movement.to.status().map(Status::group));
    let same_place = movement.from.location() == movement.to.location();
    let same_pool = groups.0 == groups.1 && same_place;
    let (mut kept, stock) = (Ok(()), &mut ledger.stock);
    if !legal_edge(&movement.from, &movement.to) {
        kept = Err(format!("{} went from {} to {}", movement.sku, movement.from.name(), movement.to.name()));
    }
    if !same_pool && movement.parts.iter().map(|part| part.quantity).sum::<Quantity>() != movement.quantity {
        kept =
            Err(format!("{} of {} moved with the cost of another quantity", movement.quantity, movement.sku));
    }
    let cell_at = |stock: &mut Stock, location: &LocationId| match ledger.locations.row(location) {
        Some(at) => Ok(stock.cell_row(item, at)),
        None => Err(format!("a movement at {location} which is not defined")),
    };
    let mut left = None;
    match movement.from {
        Place::World(world) => leave_or_enter_world(stock, item, world, -movement.quantity.units()),
        Place::Stock(location, status) => {
            let cell = cell_at(stock, location)?;
            let bucket = stock.cells.edit(cell).quantity_mut(status);
            *bucket -= movement.quantity;
            if bucket.is_negative() {
                kept = Err(format!("{} at {location} would have {bucket} {status}", movement.sku));
            }
            if !same_pool {
                kept = kept.and(stock.take(cell, status.group(), movement.parts, costing));
            }
            left = Some(cell);
        }
    }
    match movement.to {
        Place::World(world) => leave_or_enter_world(stock, item, world, movement.quantity.units()),
        Place::Stock(location, status) => {
            let cell = match left.filter(|_| same_place) {
                Some(cell) => cell,
                None => cell_at(stock, location)?,
            };
            *stock.cells.edit(cell).quantity_mut(status) += movement.quantity;
            if !same_pool {
                stock.put(cell, status.group(), movement.parts, costing);
            }
        }
    }
    if let Place::World(World::Supplier | World::Opening | World::Adjustment) = movement.from
        && let Some(unit_cost) = Price::per_unit(movement.value(), movement.quantity)
    {
        let known = item_row(stock, item);
        stock.items.edit(known).last_cost = Some(unit_cost);
    }
    kept
}

fn item_row(stock: &mut Stock, item: Row) -> Row {
    stock.items.row(&item).unwrap_or_else(|| stock.items.insert(item, ItemStock::default()))
}

fn leave_or_enter_world(stock: &mut Stock, item: Row, world: World, units: i64) {
    let row = item_row(stock, item);
    stock.items.edit(row).worlds[world.index()] += units;
}

impl ItemStock {
    /// Units that went to an outside world, less those that came from it.
    pub fn in_world(&self, world: World) -> i64 {
        self.worlds[world.index()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_within_a_cache_line_and_begins_with_what_can_be_sold() {
        assert!(size_of::<Cell>() <= 64, "{} bytes", size_of::<Cell>());
        let sellable = |status: &Status| status.group() == StatusGroup::Sellable;
        assert!(Status::ALL.iter().all(|status| sellable(status) == (status.index() < SELLABLE)));
        assert_eq!(StatusGroup::Sellable.index(), 0);
    }
}
