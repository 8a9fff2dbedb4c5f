//! The item catalogue: what can be stocked and sold, and how its cost is followed.

mod activate;
mod define;
mod retire;

pub use activate::{Activate, Activated};
pub use define::{Define, Defined};
pub use retire::{Retire, Retired};

use bincode::{Decode, Encode};

use crate::books::Status;
use crate::ledger::Ledger;
use crate::state::{Row, Table};
use crate::values::{LocationId, Name, Quantity, Sku};
use crate::{codes, refusals, state};

codes! {
    /// What kind of item it is.
    pub enum ItemKind {
        /// Kept in stock, in units.
        Stocked = 1 "stocked",
        /// Sold, but never in stock.
        Service = 2 "service",
    }
}

codes! {
    /// How the cost of an issue is found.
    pub enum Costing {
        /// The oldest receipt first.
        Fifo = 1 "fifo",
        /// The pool's average.
        MovingAverage = 2 "moving_average",
    }
}

codes! {
    /// Where an item is in its life.
    pub enum ItemState {
        /// Being prepared: neither received nor sold.
        Draft = 1 "draft",
        /// In trade.
        Active = 2 "active",
        /// Out of trade for good.
        Retired = 3 "retired",
    }
}

/// An item as the catalogue holds it.
///
/// Kept small, for every line of every order looks at one: what only people read is boxed.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Item {
    /// What people read of it.
    pub label: Box<Label>,
    /// Stocked or service.
    pub kind: ItemKind,
    /// How the cost of an issue is found.
    pub costing: Costing,
    /// Days after shipment in which it may be returned; open when absent.
    pub return_window_days: Option<u16>,
    /// Where it is in its life.
    pub state: ItemState,
}

/// What people read of an item.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Label {
    /// Display name.
    pub name: Name,
    /// Merchandise category.
    pub category: Option<Name>,
}

state! {
    /// Every item ever defined.
    pub struct Items {
        pub(crate) table: Table<Sku, Item>,
    }
}

impl Items {
    /// The item under a SKU.
    pub fn find(&self, sku: &Sku) -> Option<&Item> {
        self.table.find(sku)
    }

    /// The row of an item that some event has named.
    pub fn row(&self, sku: &Sku) -> Option<Row> {
        self.table.row(sku)
    }

    /// The item in a row.
    pub fn get(&self, row: Row) -> &Item {
        self.table.get(row)
    }

    /// The SKU of a row.
    pub fn sku(&self, row: Row) -> &Sku {
        self.table.key(row)
    }

    /// Every item, in the order of definition.
    pub fn iter(&self) -> impl Iterator<Item = (Row, &Sku, &Item)> {
        self.table.iter()
    }
}

refusals! {
    /// Why the catalogue says no.
    pub enum Refusal {
        /// A SKU is defined once.
        #[error("item {sku} is already defined")]
        ItemExists {
            /// The SKU.
            sku: Sku,
        },
        /// Nobody defined that SKU.
        #[error("item {sku} is not defined: define it with items.define first")]
        UnknownItem {
            /// The SKU.
            sku: Sku,
        },
        /// Only an active item is in trade.
        #[error("item {sku} is {state}: only an active item can be received, reserved or sold")]
        ItemNotActive {
            /// The SKU.
            sku: Sku,
            /// What it is.
            state: ItemState,
        },
        /// A service has no stock.
        #[error("item {sku} is a service: it has no stock")]
        ItemNotStocked {
            /// The SKU.
            sku: Sku,
        },
        /// The item is past that step of its life.
        #[error("item {sku} is {state}: wanted one that is {wanted}")]
        ItemStateNotFit {
            /// The SKU.
            sku: Sku,
            /// What it is.
            state: ItemState,
            /// What the step starts from.
            wanted: ItemState,
        },
        /// What is there must find a place before the item goes out of trade.
        #[error("item {sku} cannot be retired: {quantity} {status} at {location}")]
        ItemHasStock {
            /// The SKU.
            sku: Sku,
            /// Where.
            location: LocationId,
            /// The bucket.
            status: Status,
            /// What is in it.
            quantity: Quantity,
        },
    }
}

/// The item, if it was ever defined.
pub fn known<'l>(ledger: &'l Ledger, sku: &Sku) -> Result<(Row, &'l Item), Refusal> {
    let row = ledger.items.row(sku).ok_or_else(|| Refusal::UnknownItem { sku: sku.clone() })?;
    Ok((row, ledger.items.get(row)))
}

/// The item, if it is in trade.
pub fn active<'l>(ledger: &'l Ledger, sku: &Sku) -> Result<(Row, &'l Item), Refusal> {
    let (row, item) = known(ledger, sku)?;
    if item.state != ItemState::Active {
        return Err(Refusal::ItemNotActive { sku: sku.clone(), state: item.state });
    }
    Ok((row, item))
}

/// The item, if it is in trade and can have stock.
pub fn active_stocked<'l>(ledger: &'l Ledger, sku: &Sku) -> Result<(Row, &'l Item), Refusal> {
    let (row, item) = active(ledger, sku)?;
    if item.kind != ItemKind::Stocked {
        return Err(Refusal::ItemNotStocked { sku: sku.clone() });
    }
    Ok((row, item))
}

/// The item, if it can have stock (whatever its state: what is there must be moved even when it is retired).
pub fn stocked<'l>(ledger: &'l Ledger, sku: &Sku) -> Result<(Row, &'l Item), Refusal> {
    let (row, item) = known(ledger, sku)?;
    if item.kind != ItemKind::Stocked {
        return Err(Refusal::ItemNotStocked { sku: sku.clone() });
    }
    Ok((row, item))
}
