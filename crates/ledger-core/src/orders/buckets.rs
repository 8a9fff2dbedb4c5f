//! Where the units of an order line are: every ordered unit is in exactly one bucket.
//!
//! Most lines have all their units in one bucket, so a line holds a short list and not a field for each bucket. The
//! buckets of a location stand together, locations in the order of their first claim: plans and cancellations go by it.

use bincode::{Decode, Encode};

use crate::state::{Few, Row};
use crate::values::Quantity;

/// A bucket of an order line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum Bucket {
    /// Neither promised nor backordered yet.
    Open,
    /// Waiting for stock.
    Backordered,
    /// Claimed at a location.
    Reserved(Row),
    /// Taken from the shelf of a location.
    Picked(Row),
    /// In a parcel at a location.
    Packed(Row),
    /// Handed over to the carrier.
    Shipped,
    /// Handed over to the customer.
    Delivered,
    /// Lost on the way.
    Lost,
    /// Cancelled or refused.
    Cancelled,
}

/// Units of a line that are claimed at one location.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AtLocation {
    /// Where.
    pub location: Row,
    /// Claimed, on the shelf.
    pub reserved: Quantity,
    /// Taken from the shelf.
    pub picked: Quantity,
    /// In a parcel.
    pub packed: Quantity,
}

/// The buckets that hold any units.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub(super) struct Buckets(Few<(Bucket, Quantity)>);

impl Bucket {
    /// Where its units are claimed.
    const fn location(self) -> Option<Row> {
        match self {
            Bucket::Reserved(location) | Bucket::Picked(location) | Bucket::Packed(location) => {
                Some(location)
            }
            Bucket::Open
            | Bucket::Backordered
            | Bucket::Shipped
            | Bucket::Delivered
            | Bucket::Lost
            | Bucket::Cancelled => None,
        }
    }
}

impl Buckets {
    pub(super) fn all_in(bucket: Bucket, units: Quantity) -> Self {
        Buckets(Few::one((bucket, units)))
    }

    pub(super) fn quantity(&self, bucket: Bucket) -> Quantity {
        self.iter().filter(|(held, _)| *held == bucket).map(|(_, units)| units).sum()
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = (Bucket, Quantity)> {
        self.0.iter().copied()
    }

    /// Units claimed at each location, in the order of first claim.
    pub(super) fn at(&self) -> impl DoubleEndedIterator<Item = AtLocation> {
        self.0.chunk_by(|(one, _), (next, _)| one.location() == next.location()).filter_map(|together| {
            let (none, location) = (Quantity::ZERO, together[0].0.location()?);
            let mut at = AtLocation { location, reserved: none, picked: none, packed: none };
            for (bucket, units) in together {
                match bucket {
                    Bucket::Reserved(_) => at.reserved = *units,
                    Bucket::Picked(_) => at.picked = *units,
                    Bucket::Packed(_) => at.packed = *units,
                    Bucket::Open
                    | Bucket::Backordered
                    | Bucket::Shipped
                    | Bucket::Delivered
                    | Bucket::Lost
                    | Bucket::Cancelled => {}
                }
            }
            Some(at)
        })
    }

    pub(super) fn shift(&mut self, (from, to): (Bucket, Bucket), units: Quantity) {
        let left = self.add(from, -units, None);
        let same_place = left.filter(|_| from.location().is_some() && from.location() == to.location());
        self.add(to, units, same_place);
    }

    /// Adds units to a bucket, at `free` if it is new and its location has no other; a bucket without units goes, and
    /// its place is given back.
    fn add(&mut self, bucket: Bucket, units: Quantity, free: Option<usize>) -> Option<usize> {
        if units.is_zero() {
            return None;
        }
        if let Some(place) = self.0.iter().position(|(held, _)| *held == bucket) {
            self.0[place].1 += units;
            if !self.0[place].1.is_zero() {
                return None;
            }
            self.0.remove(place);
            return Some(place);
        }
        let location = bucket.location();
        let last_there =
            self.0.iter().rposition(|(held, _)| location.is_some() && held.location() == location);
        let place = last_there.map(|last| last + 1).or(free).unwrap_or(self.0.len());
        self.0.insert(place, (bucket, units));
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Slab;
    use proptest::prelude::*;

    fn bucket(number: u8, rows: &[Row]) -> Bucket {
        let at = |place: u8| rows[usize::from(place) % rows.len()];
        match number {
            0 => Bucket::Open,
            1 => Bucket::Backordered,
            2 => Bucket::Shipped,
            3 => Bucket::Delivered,
            4 => Bucket::Lost,
            5 => Bucket::Cancelled,
            6..=8 => Bucket::Reserved(at(number)),
            9..=11 => Bucket::Picked(at(number)),
            other => Bucket::Packed(at(other)),
        }
    }

    /// Every bucket a field, every location an element that goes when it is empty.
    #[derive(Default)]
    struct Plain {
        elsewhere: Vec<(Bucket, i64)>,
        at: Vec<(Row, [i64; 3])>,
    }

    impl Plain {
        fn bucket(&mut self, bucket: Bucket) -> &mut i64 {
            let Some(location) = bucket.location() else {
                let known = self.elsewhere.iter().position(|(held, _)| *held == bucket);
                let place = known.unwrap_or_else(|| {
                    self.elsewhere.push((bucket, 0));
                    self.elsewhere.len() - 1
                });
                return &mut self.elsewhere[place].1;
            };
            let known = self.at.iter().position(|(at, _)| *at == location);
            let place = known.unwrap_or_else(|| {
                self.at.push((location, [0; 3]));
                self.at.len() - 1
            });
            let stage = match bucket {
                Bucket::Reserved(_) => 0,
                Bucket::Picked(_) => 1,
                _ => 2,
            };
            &mut self.at[place].1[stage]
        }
    }

    proptest! {
        #[test]
        fn units_are_conserved_and_locations_stand_in_the_order_of_first_claim(
            steps in proptest::collection::vec((0u8..15, 0u8..15, 0i64..=4), 0..60),
        ) {
            let mut slab = Slab::default();
            let rows: Vec<Row> = (0..3).map(|number| slab.insert(number)).collect();
            let units = |units| Quantity::try_new(units).unwrap();
            let (mut buckets, mut plain) = (Buckets::all_in(Bucket::Open, units(20)), Plain::default());
            *plain.bucket(Bucket::Open) = 20;
            for (from, to, wanted) in steps {
                let (from, to) = (bucket(from, &rows), bucket(to, &rows));
                let there = buckets.quantity(from).min(units(wanted));
                if from == to || there.is_zero() {
                    continue;
                }
                buckets.shift((from, to), there);
                *plain.bucket(from) -= there.units();
                *plain.bucket(to) += there.units();
                plain.at.retain(|(_, stages)| *stages != [0; 3]);
                let at: Vec<_> = buckets
                    .at()
                    .map(|at| (at.location, [at.reserved, at.picked, at.packed].map(Quantity::units)))
                    .collect();
                prop_assert_eq!(&at, &plain.at);
                for (elsewhere, held) in &plain.elsewhere {
                    prop_assert_eq!(buckets.quantity(*elsewhere).units(), *held);
                }
                prop_assert_eq!(buckets.iter().map(|(_, units)| units).sum::<Quantity>(), units(20));
            }
        }
    }
}
