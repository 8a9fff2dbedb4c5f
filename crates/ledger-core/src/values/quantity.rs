//! Units of an item, in its base unit.

use std::fmt;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

use bincode::{Decode, Encode};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

/// The largest quantity of one line or bucket: ±10^12 units.
pub const QUANTITY_MAX: i64 = 1_000_000_000_000;

/// A whole number of base units. In a command it is 1 to 10^12 unless the field says otherwise.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode, Serialize)]
pub struct Quantity(i64);

impl Quantity {
    /// No units.
    pub const ZERO: Quantity = Quantity(0);
    /// One unit.
    pub const ONE: Quantity = Quantity(1);

    /// A quantity within ±10^12, or `None`.
    pub const fn try_new(units: i64) -> Option<Self> {
        if units > QUANTITY_MAX || units < -QUANTITY_MAX { None } else { Some(Quantity(units)) }
    }

    /// The number of base units.
    pub const fn units(self) -> i64 {
        self.0
    }

    /// True for one unit or more.
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// True for exactly none.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// True when a stock would be owed units.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// The quantity without its sign.
    pub const fn magnitude(self) -> Quantity {
        Quantity(self.0.abs())
    }

    /// The sum, if it stays within ±10^12.
    pub fn checked_add(self, other: Quantity) -> Option<Quantity> {
        Quantity::try_new(self.0 + other.0)
    }
}

// Two quantities within ±10^12 never overflow an i64; what is stored back is bounded by `checked_add` in the rules.
impl Add for Quantity {
    type Output = Quantity;
    fn add(self, other: Quantity) -> Quantity {
        Quantity(self.0.saturating_add(other.0))
    }
}

impl Sub for Quantity {
    type Output = Quantity;
    fn sub(self, other: Quantity) -> Quantity {
        Quantity(self.0.saturating_sub(other.0))
    }
}

impl Neg for Quantity {
    type Output = Quantity;
    fn neg(self) -> Quantity {
        Quantity(-self.0)
    }
}

impl AddAssign for Quantity {
    fn add_assign(&mut self, other: Quantity) {
        *self = *self + other;
    }
}

impl SubAssign for Quantity {
    fn sub_assign(&mut self, other: Quantity) {
        *self = *self - other;
    }
}

impl std::iter::Sum for Quantity {
    fn sum<I: Iterator<Item = Quantity>>(quantities: I) -> Quantity {
        quantities.fold(Quantity::ZERO, Add::add)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let units = i64::deserialize(deserializer)?;
        Quantity::try_new(units).ok_or_else(|| {
            serde::de::Error::custom(format!("wanted a whole number within ±{QUANTITY_MAX}, found {units}"))
        })
    }
}

impl JsonSchema for Quantity {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Quantity".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": -QUANTITY_MAX, "maximum": QUANTITY_MAX })
    }
}
