//! The order book: what was ordered, what became of every unit of it, and what it is worth.

mod allocate;
mod buckets;
mod cancel;
mod clear_hold;
mod completion;
mod hold;
mod holds;
mod invoice;
mod lines;
mod order;
mod place;
mod promise;
mod refusal;
mod release;

pub use allocate::{Allocate, Allocated, Claim, Waiting};
pub use buckets::{AtLocation, Bucket};
pub use cancel::{Cancel, CancelLine, Cancelled, CancelledLine, GivenBack};
pub use clear_hold::{ClearHold, HoldCleared};
pub use completion::Completed;
pub(crate) use completion::{complete_if_done, enter_fulfilment, reallocate};
pub use hold::{Held, Hold};
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

use crate::ledger::Ledger;
use crate::state;
use crate::state::{Row, Table};
use crate::values::OrderId;

state! {
    /// Every order that is not archived.
    pub struct Orders {
        pub(crate) table: Table<OrderId, Order>,
    }
}

impl Orders {
    /// The order under an id.
    pub fn find(&self, id: &OrderId) -> Option<&Order> {
        self.table.find(id)
    }

    /// The row of an order.
    pub fn row(&self, id: &OrderId) -> Option<Row> {
        self.table.row(id)
    }

    /// The order in a row.
    pub fn get(&self, row: Row) -> &Order {
        self.table.get(row)
    }

    /// The id of a row.
    pub fn id(&self, row: Row) -> &OrderId {
        self.table.key(row)
    }

    /// Every order, in the order in which they were placed.
    pub fn iter(&self) -> impl Iterator<Item = (Row, &OrderId, &Order)> {
        self.table.iter()
    }
}

/// The order, if it was ever placed.
pub fn known<'l>(ledger: &'l Ledger, order: &OrderId) -> Result<(Row, &'l Order), Refusal> {
    let row = ledger.orders.row(order).ok_or_else(|| Refusal::UnknownOrder { order: order.clone() })?;
    Ok((row, ledger.orders.get(row)))
}

/// The line of an order under its number.
pub fn line(ledger: &Ledger, order: Row, line: u16) -> Result<&OrderLine, Refusal> {
    let found = ledger.orders.get(order).line(line);
    let unknown = || Refusal::UnknownLine { order: ledger.orders.id(order).clone(), line };
    found.map(|(_, found)| found).ok_or_else(unknown)
}

/// The order, if anything of it may still be shipped.
fn open<'l>(ledger: &'l Ledger, order: &OrderId) -> Result<(Row, &'l Order), Refusal> {
    let (row, found) = known(ledger, order)?;
    if !found.is_open() {
        return Err(Refusal::OrderNotOpen { order: order.clone(), state: found.state });
    }
    Ok((row, found))
}
