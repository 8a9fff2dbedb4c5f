//! The stock book: statuses, places, and which way units may go.

use super::CostPart;
use crate::codes;
use crate::values::{Amount, LocationId, Quantity, Sku};

codes! {
    /// Where at a location a unit stands.
    pub enum Status {
        /// May be sold now.
        Available = 1 "available",
        /// Claimed, still on the shelf.
        Reserved = 2 "reserved",
        /// Taken from the shelf for a shipment.
        Picked = 3 "picked",
        /// In a parcel, not yet handed over.
        Packed = 4 "packed",
        /// Returned or received, awaiting inspection.
        Inspection = 5 "inspection",
        /// Blocked for quality, recall, expiry or investigation.
        Quarantined = 6 "quarantined",
        /// Known defective.
        Damaged = 7 "damaged",
        /// In repair.
        Refurbishing = 8 "refurbishing",
        /// Between two of our locations: owned, not on hand.
        InTransit = 9 "in_transit",
    }
}

codes! {
    /// Statuses that share a cost pool and an account group.
    pub enum StatusGroup {
        /// Available, reserved, picked and packed.
        Sellable = 1 "sellable",
        /// Awaiting inspection.
        Inspection = 2 "inspection",
        /// Quarantined and damaged.
        Impaired = 3 "impaired",
        /// In repair.
        Refurbishing = 4 "refurbishing",
        /// Between two locations.
        InTransit = 5 "in_transit",
    }
}

codes! {
    /// Where units come from and go to outside our locations.
    pub enum World {
        /// Those who sell to us.
        Supplier = 1 "supplier",
        /// Those who buy from us.
        Customer = 2 "customer",
        /// Destroyed or given up.
        WrittenOff = 3 "written_off",
        /// The gap between what was counted and what was recorded.
        Adjustment = 4 "adjustment",
        /// Stock that was there before the ledger was.
        Opening = 5 "opening",
    }
}

impl Status {
    /// How many statuses there are.
    pub const COUNT: usize = Status::ALL.len();

    /// The group whose cost pool holds units of this status.
    pub const fn group(self) -> StatusGroup {
        match self {
            Status::Available | Status::Reserved | Status::Picked | Status::Packed => StatusGroup::Sellable,
            Status::Inspection => StatusGroup::Inspection,
            Status::Quarantined | Status::Damaged => StatusGroup::Impaired,
            Status::Refurbishing => StatusGroup::Refurbishing,
            Status::InTransit => StatusGroup::InTransit,
        }
    }

    /// True for every status but in transit.
    pub const fn is_on_hand(self) -> bool {
        !matches!(self, Status::InTransit)
    }

    /// True where the units are claimed by an order, a cart or a transfer.
    pub const fn is_claimed(self) -> bool {
        matches!(self, Status::Reserved | Status::Picked | Status::Packed)
    }

    /// Its position in an array by status.
    pub const fn index(self) -> usize {
        self as usize - 1
    }
}

impl StatusGroup {
    /// How many groups there are.
    pub const COUNT: usize = StatusGroup::ALL.len();

    /// True for every group but in transit.
    pub const fn is_on_hand(self) -> bool {
        !matches!(self, StatusGroup::InTransit)
    }

    /// Its position in an array by group.
    pub const fn index(self) -> usize {
        self as usize - 1
    }
}

impl World {
    /// How many outside worlds there are.
    pub const COUNT: usize = World::ALL.len();

    /// Its position in an array by world.
    pub const fn index(self) -> usize {
        self as usize - 1
    }
}

/// One end of a movement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place<'e> {
    /// A bucket of ours.
    Stock(&'e LocationId, Status),
    /// Outside.
    World(World),
}

impl<'e> Place<'e> {
    /// The status, inside.
    pub const fn status(&self) -> Option<Status> {
        match self {
            Place::Stock(_, status) => Some(*status),
            Place::World(_) => None,
        }
    }

    /// The location, inside.
    pub const fn location(&self) -> Option<&'e LocationId> {
        match self {
            Place::Stock(location, _) => Some(location),
            Place::World(_) => None,
        }
    }

    /// The name of the status or world.
    pub const fn name(&self) -> &'static str {
        match self {
            Place::Stock(_, status) => status.as_str(),
            Place::World(world) => world.as_str(),
        }
    }
}

/// Units of one item from one place to another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Movement<'e> {
    /// The item.
    pub sku: &'e Sku,
    /// Where the units were.
    pub from: Place<'e>,
    /// Where the units are now.
    pub to: Place<'e>,
    /// How many, more than none.
    pub quantity: Quantity,
    /// What they cost, part by part; empty exactly when both ends are in one cost pool.
    pub parts: &'e [CostPart],
}

impl Movement<'_> {
    /// What the units cost together.
    pub fn value(&self) -> Amount {
        self.parts.iter().map(|part| part.value).sum()
    }
}

/// Whether units may go this way at all.
pub fn legal_edge(from: &Place<'_>, to: &Place<'_>) -> bool {
    use Status::{
        Available, Damaged, InTransit, Inspection, Packed, Picked, Quarantined, Refurbishing, Reserved,
    };
    match (from, to) {
        (Place::World(World::Supplier | World::Opening), Place::Stock(_, to)) => {
            matches!(to, Available | Inspection | Quarantined | Damaged)
        }
        (Place::World(World::Customer), Place::Stock(_, to)) => *to == Inspection,
        (Place::World(World::Adjustment), Place::Stock(_, status))
        | (Place::Stock(_, status), Place::World(World::Adjustment)) => *status != InTransit,
        (Place::World(World::WrittenOff), Place::Stock(..))
        | (Place::Stock(..), Place::World(World::Opening)) => false,
        (Place::Stock(_, from), Place::World(World::Customer)) => *from == Packed,
        (Place::Stock(_, from), Place::World(World::Supplier)) => {
            matches!(from, Available | Inspection | Quarantined | Damaged)
        }
        (Place::Stock(_, from), Place::World(World::WrittenOff)) => {
            matches!(from, Available | Inspection | Quarantined | Damaged | Refurbishing | InTransit)
        }
        (Place::World(from), Place::World(to)) => matches!(
            (from, to),
            (World::Supplier, World::Customer) | (World::Customer, World::Supplier | World::WrittenOff)
        ),
        (Place::Stock(at, from), Place::Stock(into, to)) if at == into => matches!(
            (from, to),
            (Available, Reserved)
                | (Reserved, Available | Picked)
                | (Picked, Packed)
                | (Picked | Packed, Available | Reserved)
                | (Available | Reserved | Picked | Packed | Inspection | Refurbishing, Quarantined | Damaged)
                | (Available | Quarantined | Damaged, Inspection)
                | (Inspection | Quarantined | Damaged, Available | Refurbishing)
                | (Refurbishing, Available)
                | (Available | Reserved | Inspection | Quarantined | Damaged | Refurbishing, InTransit)
        ),
        (Place::Stock(_, from), Place::Stock(_, to)) => {
            *from == InTransit
                && matches!(to, Available | Reserved | Inspection | Quarantined | Damaged | Refurbishing)
        }
    }
}
