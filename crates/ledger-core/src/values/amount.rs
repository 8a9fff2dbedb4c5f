//! Money in the ledger's currency, in minor units (cents, pence, or whole units where there are none).

use std::fmt;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

use bincode::{Decode, Encode};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::price::decimal_from_json;

/// The largest amount: ±10^15 minor units.
pub const AMOUNT_MAX: i64 = 1_000_000_000_000_000;

/// Books are kept in hundredths of the major unit.
const PLACES: u32 = 2;

/// Money in minor units of the ledger's currency, within ±10^15. JSON carries it as a decimal text (`"12.50"`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode)]
pub struct Amount(i64);

impl Amount {
    /// Nothing.
    pub const ZERO: Amount = Amount(0);

    /// An amount within ±10^15 minor units, or `None`.
    pub const fn try_new(minor_units: i64) -> Option<Self> {
        if minor_units > AMOUNT_MAX || minor_units < -AMOUNT_MAX { None } else { Some(Amount(minor_units)) }
    }

    /// The number of minor units.
    pub const fn minor_units(self) -> i64 {
        self.0
    }

    /// True for exactly nothing.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// True for more than nothing.
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// True for less than nothing.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// The sum, if it stays within ±10^15 minor units.
    pub fn checked_add(self, other: Amount) -> Option<Amount> {
        Amount::try_new(self.0 + other.0)
    }
}

// Two amounts within ±10^15 never overflow an i64, nor do the few thousand that one document adds up.
impl Add for Amount {
    type Output = Amount;
    fn add(self, other: Amount) -> Amount {
        Amount(self.0.saturating_add(other.0))
    }
}

impl Sub for Amount {
    type Output = Amount;
    fn sub(self, other: Amount) -> Amount {
        Amount(self.0.saturating_sub(other.0))
    }
}

impl Neg for Amount {
    type Output = Amount;
    fn neg(self) -> Amount {
        Amount(-self.0)
    }
}

impl AddAssign for Amount {
    fn add_assign(&mut self, other: Amount) {
        *self = *self + other;
    }
}

impl SubAssign for Amount {
    fn sub_assign(&mut self, other: Amount) {
        *self = *self - other;
    }
}

impl std::iter::Sum for Amount {
    fn sum<I: Iterator<Item = Amount>>(amounts: I) -> Amount {
        amounts.fold(Amount::ZERO, Add::add)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, minor) = (if self.0 < 0 { "-" } else { "" }, self.0.unsigned_abs());
        let unit = 10u64.pow(PLACES);
        write!(f, "{sign}{}.{:02}", minor / unit, minor % unit)
    }
}

impl fmt::Debug for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        decimal_from_json(deserializer, PLACES, AMOUNT_MAX).map(Amount)
    }
}

impl JsonSchema for Amount {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Amount".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Money in the ledger's currency: a decimal with at most two places, as text (a JSON number is read too)",
            "type": ["string", "number"], "pattern": r"^-?\d{1,13}(\.\d{1,2})?$"
        })
    }
}
