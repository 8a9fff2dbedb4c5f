//! The places where stock is: warehouses, stores, third parties, drop-ship suppliers.

mod define;

pub use define::{Define, Defined};

use bincode::{Decode, Encode};

use crate::ledger::Ledger;
use crate::state::{Row, Table};
use crate::values::{CountryCode, LocationId, Name};
use crate::{codes, refusals, state};

codes! {
    /// What kind of place it is.
    pub enum LocationKind {
        /// Our own warehouse.
        Warehouse = 1 "warehouse",
        /// A shop.
        Store = 2 "store",
        /// A third-party logistics provider (3PL).
        ThirdParty = 3 "third_party",
        /// A supplier that ships for us.
        DropShip = 4 "drop_ship",
    }
}

/// A location as it was defined.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Location {
    /// Display name.
    pub name: Name,
    /// Warehouse, store, 3PL or drop-ship.
    pub kind: LocationKind,
    /// The region it serves from.
    pub region: Option<CountryCode>,
}

state! {
    /// Every location ever defined.
    pub struct Locations {
        pub(crate) table: Table<LocationId, Location>,
    }
}

impl Locations {
    /// The location under an id.
    pub fn find(&self, id: &LocationId) -> Option<&Location> {
        self.table.find(id)
    }

    /// The row of a location.
    pub fn row(&self, id: &LocationId) -> Option<Row> {
        self.table.row(id)
    }

    /// The id of a row.
    pub fn id(&self, row: Row) -> &LocationId {
        self.table.key(row)
    }

    /// Every location, in the order of definition.
    pub fn iter(&self) -> impl Iterator<Item = (Row, &LocationId, &Location)> {
        self.table.iter()
    }
}

refusals! {
    /// Why a location is refused.
    pub enum Refusal {
        /// A location is defined once.
        #[error("location {location} is already defined")]
        LocationExists {
            /// The location.
            location: LocationId,
        },
        /// Nobody defined that location.
        #[error("location {location} is not defined: define it with locations.define first")]
        UnknownLocation {
            /// The location.
            location: LocationId,
        },
    }
}

/// The location's row, if it was ever defined.
pub fn known(ledger: &Ledger, location: &LocationId) -> Result<Row, Refusal> {
    ledger.locations.row(location).ok_or_else(|| Refusal::UnknownLocation { location: location.clone() })
}
