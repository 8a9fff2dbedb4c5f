//! A shipment as the ledger holds it.

use bincode::{Decode, Encode};

use crate::state::{Few, PackedTable, Reading, Rests, Row, Table};
use crate::values::{Amount, DocumentNumber, Name, Quantity, ShipmentId, Timestamp};
use crate::{codes, state};

codes! {
    /// Where a shipment is in its life.
    pub enum ShipmentState {
        /// To be picked.
        Planned = 1 "planned",
        /// Taken from the shelf.
        Picked = 2 "picked",
        /// In parcels.
        Packed = 3 "packed",
        /// Handed over to the carrier.
        Shipped = 4 "shipped",
        /// Handed over to the customer.
        Delivered = 5 "delivered",
        /// Nothing of it was there to be picked.
        Void = 6 "void",
    }
}

/// Units of one order line in a shipment.
#[derive(Debug, Clone, Copy, PartialEq, Encode, Decode)]
pub struct ShipmentLine {
    /// The order's line.
    pub line: u16,
    /// Units planned.
    pub planned: Quantity,
    /// Units picked: what is packed and shipped. None before the pick.
    pub picked: Quantity,
}

/// One or several parcels that leave one location together for one order.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Shipment {
    /// The order it is for.
    pub order: Row,
    /// Where it leaves from.
    pub location: Row,
    /// Where it is in its life.
    pub state: ShipmentState,
    /// What is in it.
    pub lines: Vec<ShipmentLine>,
    /// When it was planned; all its times are effective times.
    pub planned_at: Timestamp,
    /// When it was picked.
    pub picked_at: Option<Timestamp>,
    /// When it was packed.
    pub packed_at: Option<Timestamp>,
    /// When the carrier took it.
    pub shipped_at: Option<Timestamp>,
    /// When the customer had it.
    pub delivered_at: Option<Timestamp>,
    /// Who carries it.
    pub carrier: Option<Name>,
    /// The carrier's tracking number.
    pub tracking: Option<Name>,
    /// What the carrier quoted.
    pub freight: Amount,
    /// The invoice that went with it.
    pub invoice: Option<DocumentNumber>,
}

impl Shipment {
    /// Units of an order line that it was planned with, or has since it was picked.
    pub fn units(&self, line: u16) -> Quantity {
        let of_line = self.lines.iter().filter(|at| at.line == line);
        of_line.map(|at| if self.state == ShipmentState::Planned { at.planned } else { at.picked }).sum()
    }

    /// When it took its last step.
    pub fn state_since(&self) -> Timestamp {
        let last = self.delivered_at.or(self.shipped_at).or(self.packed_at).or(self.picked_at);
        last.unwrap_or(self.planned_at)
    }
}

/// What left us is kept packed: at the most it arrives.
impl Rests for Shipment {
    fn rests(&self) -> bool {
        match self.state {
            ShipmentState::Planned | ShipmentState::Picked | ShipmentState::Packed => false,
            ShipmentState::Shipped | ShipmentState::Delivered | ShipmentState::Void => true,
        }
    }
}

state! {
    /// Every shipment of the orders that are not archived.
    pub struct Shipments {
        pub(crate) table: PackedTable<ShipmentId, Shipment>,
        of_order: Table<Row, Few<Row>>,
    }
}

impl Shipments {
    /// The shipment under an id.
    pub fn find(&self, id: &ShipmentId) -> Option<Reading<'_, Shipment>> {
        self.table.find(id)
    }

    /// The row of a shipment.
    pub fn row(&self, id: &ShipmentId) -> Option<Row> {
        self.table.row(id)
    }

    /// The shipment in a row.
    pub fn get(&self, row: Row) -> Reading<'_, Shipment> {
        self.table.get(row)
    }

    /// The id of a row.
    pub fn id(&self, row: Row) -> &ShipmentId {
        self.table.key(row)
    }

    /// Every shipment, in the order in which they were planned.
    pub fn iter(&self) -> impl Iterator<Item = (Row, &ShipmentId, Reading<'_, Shipment>)> {
        self.table.iter()
    }

    /// The shipments of an order, in the order in which they were planned.
    pub fn of_order(&self, order: Row) -> impl Iterator<Item = (&ShipmentId, Reading<'_, Shipment>)> {
        let rows = self.of_order.find(&order).map_or(&[][..], |rows| rows.as_slice());
        rows.iter().map(|row| (self.id(*row), self.get(*row)))
    }

    pub(crate) fn add(&mut self, id: ShipmentId, shipment: Shipment) {
        let order = shipment.order;
        let row = self.table.insert(id, shipment);
        match self.of_order.row(&order) {
            Some(known) => self.of_order.edit(known).push(row),
            None => drop(self.of_order.insert(order, Few::one(row))),
        }
    }

    /// Shipments that left with the entry are packed.
    pub(crate) fn settle(&mut self) {
        self.table.settle();
    }

    /// The order left: its shipments go with it, and their ids.
    pub(crate) fn forget(&mut self, order: Row) {
        let Some(of_order) = self.of_order.row(&order) else { return };
        for row in self.of_order.remove(of_order).iter().copied() {
            self.table.remove(row);
        }
    }

    pub(crate) fn edit(&mut self, id: &ShipmentId) -> Option<&mut Shipment> {
        let row = self.table.row(id)?;
        Some(self.table.edit(row))
    }
}
