//! The order book: what was ordered, what became of every unit of it, and what it is worth.

mod allocate;
mod buckets;
mod cancel;
mod clear_hold;
mod close;
mod completion;
mod expire_hold;
mod hold;
mod hold_limits;
mod holds;
mod invoice;
mod lines;
mod order;
mod place;
mod promise;
mod refusal;
mod release;
mod set_archiving;
mod set_hold_limit;

pub use allocate::{Allocate, Allocated, Claim, Waiting};
pub use buckets::{AtLocation, Bucket};
pub use cancel::{Cancel, CancelLine, Cancelled, CancelledLine, GivenBack};
pub use clear_hold::{ClearHold, HoldCleared};
pub use close::{Close, Closed};
pub use completion::Completed;
pub(crate) use completion::{complete_if_done, enter_fulfilment, reallocate};
pub use expire_hold::{ExpireHold, HoldExpired};
pub use hold::{Held, Hold};
pub use hold_limits::{HoldLimit, HoldLimitAction, HoldLimits};
pub(crate) use holds::{clear_met_holds, outstanding, unmet_holds};
pub(crate) use invoice::draft_invoice;
pub use invoice::{Invoice, InvoicedCharge, InvoicedLine};
pub use lines::{AfterSale, LineRefunds, OrderLine};
pub(crate) use lines::{edit_line, move_units};
pub use order::{Destination, HoldReason, LineTax, Order, OrderCharge, OrderHold, OrderState};
pub use place::{LINES_MAX, Place, PlaceCharge, PlaceLine, Placed, PlacedCharge, PlacedLine};
pub use promise::{Backordered, Refused, ShortLine};
pub use refusal::Refusal;
pub use release::{Invoiced, Release, Released};
pub use set_archiving::{ArchivingSet, SetArchiving};
pub use set_hold_limit::{HoldLimitSet, SetHoldLimit};

use crate::entry::id_hash;
use crate::ledger::Ledger;
use crate::state;
use crate::state::{Ordered, PackedTable, Reading, Row, Tracked};
use crate::values::{OrderId, Text};

state! {
    /// Every order that is not archived.
    pub struct Orders {
        pub(crate) table: PackedTable<OrderId, Order>,
        pub(crate) hold_limits: HoldLimits,
        /// After how many days an ended order is archived; none is when absent.
        pub(crate) archiving_days: Tracked<Option<u32>>,
        /// Orders that left: the first half of the hash of the id, and the entry by which it left.
        archived: Ordered<([u8; 16], u64)>,
    }
}

impl Orders {
    /// The order under an id.
    pub fn find(&self, id: &OrderId) -> Option<Reading<'_, Order>> {
        self.table.find(id)
    }

    /// The row of an order.
    pub fn row(&self, id: &OrderId) -> Option<Row> {
        self.table.row(id)
    }

    /// The order in a row.
    pub fn get(&self, row: Row) -> Reading<'_, Order> {
        self.table.get(row)
    }

    /// The id of a row.
    pub fn id(&self, row: Row) -> &OrderId {
        self.table.key(row)
    }

    /// After how many days an ended order is archived; none is when absent.
    pub fn archiving_days(&self) -> Option<u32> {
        *self.archiving_days
    }

    /// The entry by which an order was archived.
    pub fn archived_at(&self, id: &OrderId) -> Option<u64> {
        let hash = id_hash(id.as_str());
        let (found, sequence) = self.archived.first_from(&(hash, 0))?;
        (*found == hash).then_some(*sequence)
    }

    /// How many orders are archived.
    pub fn archived_len(&self) -> usize {
        self.archived.len()
    }

    /// Orders that ended with the entry are packed.
    pub(crate) fn settle(&mut self) {
        self.table.settle();
    }

    pub(crate) fn archive(&mut self, row: Row, sequence: u64) {
        let hash = id_hash(self.table.key(row).as_str());
        self.table.remove(row);
        self.archived.insert((hash, sequence));
    }

    /// Every order's id, in the order in which they were placed.
    pub fn ids(&self) -> impl Iterator<Item = (Row, &OrderId)> {
        self.table.keys()
    }

    /// Every order, in the order in which they were placed.
    pub fn iter(&self) -> impl Iterator<Item = (Row, &OrderId, Reading<'_, Order>)> {
        self.table.iter()
    }
}

/// The order, if it was ever placed and is not archived.
pub fn known<'l>(ledger: &'l Ledger, order: &OrderId) -> Result<(Row, Reading<'l, Order>), Refusal> {
    let Some(row) = ledger.orders.row(order) else {
        not_archived(ledger, order)?;
        return Err(Refusal::UnknownOrder { order: order.clone() });
    };
    Ok((row, ledger.orders.get(row)))
}

/// Refuses an order that is archived.
fn not_archived(ledger: &Ledger, order: &OrderId) -> Result<(), Refusal> {
    match ledger.orders.archived_at(order) {
        Some(sequence) => Err(Refusal::OrderArchived { order: order.clone(), sequence }),
        None => Ok(()),
    }
}

/// The line of an order under its number.
pub fn line<'o>(id: &OrderId, order: &'o Order, line: u16) -> Result<&'o OrderLine, Refusal> {
    let unknown = || Refusal::UnknownLine { order: id.clone(), line };
    order.line(line).map(|(_, found)| found).ok_or_else(unknown)
}

/// The order, if anything of it may still be shipped.
fn open<'l>(ledger: &'l Ledger, order: &OrderId) -> Result<(Row, Reading<'l, Order>), Refusal> {
    let (row, found) = known(ledger, order)?;
    if !found.is_open() {
        return Err(Refusal::OrderNotOpen { order: order.clone(), state: found.state });
    }
    Ok((row, found))
}
