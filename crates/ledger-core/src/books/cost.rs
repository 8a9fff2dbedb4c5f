//! What units cost, part by part, as it travels with them.

use std::ops::Deref;

use bincode::{Decode, Encode};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::state::Few;
use crate::values::{Amount, Cumulated, Quantity, Timestamp, part_of};

/// Units that were received together and what they cost: a FIFO layer, or the part of one that moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CostPart {
    /// Units.
    pub quantity: Quantity,
    /// What they cost together.
    pub value: Amount,
    /// When they were received: the place in the FIFO order that they keep wherever they move.
    pub received_at: Timestamp,
}

/// The cost that goes with a movement, in issue order. Empty while units stay in their cost pool.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct CostParts(Few<CostPart>);

impl CostParts {
    /// The cost of units that were received together.
    pub fn one(quantity: Quantity, value: Amount, received_at: Timestamp) -> Self {
        CostParts(Few::one(CostPart { quantity, value, received_at }))
    }

    /// Adds what comes next in issue order.
    pub fn push(&mut self, part: CostPart) {
        self.0.push(part);
    }

    /// Adds what was issued later.
    pub fn extend(&mut self, later: &[CostPart]) {
        self.0.extend_from_slice(later);
    }

    /// What the units cost together.
    pub fn value(&self) -> Amount {
        self.iter().map(|part| part.value).sum()
    }

    /// How many units there are.
    pub fn quantity(&self) -> Quantity {
        self.iter().map(|part| part.quantity).sum()
    }

    /// What `quantity` units of an issue cost after its first `before`, by the part rule: the parts of an issue always
    /// sum to the whole of it. Fewer units where the issue has no more.
    pub fn of_issue(issue: &[CostPart], before: Quantity, quantity: Quantity) -> Self {
        let (mut to_skip, mut to_take, mut taken) = (before, quantity, CostParts::default());
        for whole in issue {
            let skipped = to_skip.min(whole.quantity);
            let part = to_take.min(whole.quantity - skipped);
            to_skip -= skipped;
            to_take -= part;
            if part.is_positive() {
                let units = Cumulated { before: skipped, part, whole: whole.quantity };
                taken.push(CostPart { quantity: part, value: part_of(whole.value, units), ..*whole });
            }
        }
        taken
    }
}

impl Deref for CostParts {
    type Target = [CostPart];
    fn deref(&self) -> &[CostPart] {
        &self.0
    }
}

impl FromIterator<CostPart> for CostParts {
    fn from_iter<I: IntoIterator<Item = CostPart>>(parts: I) -> Self {
        CostParts(parts.into_iter().collect())
    }
}

impl Serialize for CostParts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.as_slice().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for CostParts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(Self::from_iter)
    }
}

impl JsonSchema for CostParts {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "CostParts".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        <Vec<CostPart>>::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issue() -> Vec<CostPart> {
        [(3, 1000), (4, 100)]
            .map(|(units, cents)| CostPart {
                quantity: Quantity::try_new(units).unwrap(),
                value: Amount::try_new(cents).unwrap(),
                received_at: Timestamp::default(),
            })
            .to_vec()
    }

    #[test]
    fn parts_of_an_issue_sum_to_it_and_cross_its_layers() {
        let units = |units| Quantity::try_new(units).unwrap();
        let cents = |before, quantity| {
            let part = CostParts::of_issue(&issue(), units(before), units(quantity));
            assert_eq!(part.quantity(), units(quantity));
            part.value().minor_units()
        };
        assert_eq!((cents(0, 1), cents(1, 1), cents(2, 1)), (333, 334, 333));
        assert_eq!(cents(2, 3), 333 + 50);
        assert_eq!(cents(0, 2) + cents(2, 3) + cents(5, 2), 1100);
    }

    #[test]
    fn an_issue_gives_no_more_units_than_it_has() {
        let part =
            CostParts::of_issue(&issue(), Quantity::try_new(6).unwrap(), Quantity::try_new(9).unwrap());
        assert_eq!(part.quantity(), Quantity::ONE);
    }
}
