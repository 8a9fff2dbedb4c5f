//! The order book: what was ordered, what became of every unit of it, and what it is worth.

mod invoice;
mod lines;
mod order;

pub(crate) use invoice::draft_invoice;
pub use invoice::{Invoice, InvoicedCharge, InvoicedLine};
pub(crate) use lines::move_units;
pub use lines::{AtLocation, Bucket, LineRefunds, OrderLine};
pub use order::{Destination, Hold, HoldReason, LineTax, Order, OrderCharge, OrderState};

use crate::ledger::Ledger;
use crate::state::{Row, Table};
use crate::values::{OrderId, Quantity};
use crate::{refusals, state};

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

refusals! {
    /// Why the order book says no.
    pub enum Refusal {
        /// An order id is used once.
        #[error("order {order} is already placed")]
        OrderExists {
            /// The order.
            order: OrderId,
        },
        /// Nobody placed that order.
        #[error("order {order} was never placed")]
        UnknownOrder {
            /// The order.
            order: OrderId,
        },
        /// The order has no such line.
        #[error("order {order} has no line {line}")]
        UnknownLine {
            /// The order.
            order: OrderId,
            /// The line's number.
            line: u16,
        },
        /// A line has fewer units in that bucket.
        #[error("order {order} line {line}: {there} {bucket}, {wanted} wanted")]
        NotEnoughOnLine {
            /// The order.
            order: OrderId,
            /// The line's number.
            line: u16,
            /// The bucket.
            bucket: String,
            /// Units in it.
            there: Quantity,
            /// Units asked for.
            wanted: Quantity,
        },
    }
}

/// The order, if it was ever placed.
pub fn known<'l>(ledger: &'l Ledger, order: &OrderId) -> Result<(Row, &'l Order), Refusal> {
    let row = ledger.orders.row(order).ok_or_else(|| Refusal::UnknownOrder { order: order.clone() })?;
    Ok((row, ledger.orders.get(row)))
}
