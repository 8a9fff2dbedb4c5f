//! Quantities and amounts that cannot have the wrong sign.

use bincode::{Decode, Encode};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

use super::{Amount, QUANTITY_MAX, Quantity};

macro_rules! bounded {
    ($($(#[$meta:meta])* $name:ident($inner:ident): $accepts:expr, $wanted:literal, $schema:expr;)+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize)]
        pub struct $name($inner);

        impl $name {
            /// The value, if its sign is right.
            pub fn try_new(value: $inner) -> Option<Self> {
                let accepts: fn($inner) -> bool = $accepts;
                accepts(value).then_some($name(value))
            }

            /// The value.
            pub const fn get(self) -> $inner {
                self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { self.0.fmt(f) }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let value = $inner::deserialize(deserializer)?;
                $name::try_new(value)
                    .ok_or_else(|| serde::de::Error::custom(format!(concat!("wanted ", $wanted, ", found {}"), value)))
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> { stringify!($name).into() }
            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                let schema: fn(&mut SchemaGenerator) -> Schema = $schema;
                schema(generator)
            }
        }
    )+};
}

bounded! {
    /// One unit or more.
    PositiveQuantity(Quantity): |units| units.is_positive(), "a whole number of 1 or more",
        |_| json_schema!({ "type": "integer", "minimum": 1, "maximum": QUANTITY_MAX });
    /// Any number of units but none: a change up or down.
    NonZeroQuantity(Quantity): |units| !units.is_zero(), "a whole number other than 0",
        |_| json_schema!({ "type": "integer", "minimum": -QUANTITY_MAX, "maximum": QUANTITY_MAX, "not": { "const": 0 } });
    /// No unit or more.
    NonNegativeQuantity(Quantity): |units| !units.is_negative(), "a whole number of 0 or more",
        |_| json_schema!({ "type": "integer", "minimum": 0, "maximum": QUANTITY_MAX });
    /// One minor unit or more.
    PositiveAmount(Amount): |amount| amount.is_positive(), "an amount of more than nothing", Amount::json_schema;
    /// Nothing or more.
    NonNegativeAmount(Amount): |amount| !amount.is_negative(), "an amount of nothing or more", Amount::json_schema;
}

impl Default for NonNegativeAmount {
    fn default() -> Self {
        NonNegativeAmount(Amount::ZERO)
    }
}

impl NonNegativeAmount {
    /// True for exactly nothing: what JSON may leave out.
    pub const fn is_zero(&self) -> bool {
        self.0.is_zero()
    }
}
