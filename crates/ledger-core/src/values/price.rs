//! Prices and unit costs: decimals with up to six places, exact in and out.

use std::fmt;

use bincode::{Decode, Encode};
use rust_decimal::Decimal;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::rounding::proportion;
use super::{Amount, Quantity};

/// The most decimal places of a price or unit cost.
pub const PRICE_PLACES_MAX: u32 = 6;

const UNIT: i64 = 1_000_000;
/// 10^12 of the currency's major unit, in millionths.
const PRICE_MAX: i64 = 1_000_000_000_000 * UNIT;

/// The price or cost of one base unit, from nothing up to 10^12, in millionths of the currency's major unit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode)]
pub struct Price(i64);

impl Price {
    /// Free.
    pub const ZERO: Price = Price(0);

    /// A price in millionths of the major unit, or `None` when negative or over 10^12.
    pub const fn try_from_millionths(millionths: i64) -> Option<Self> {
        if millionths < 0 || millionths > PRICE_MAX { None } else { Some(Price(millionths)) }
    }

    /// Millionths of the currency's major unit.
    pub const fn millionths(self) -> i64 {
        self.0
    }

    /// price × quantity, rounded once to the minor unit, half away from zero; `None` beyond ±10^15 minor units.
    pub fn times(self, quantity: Quantity) -> Option<Amount> {
        const MILLIONTHS_PER_MINOR_UNIT: i128 = 10_000;
        proportion(i128::from(self.0) * i128::from(quantity.units()), 1, MILLIONTHS_PER_MINOR_UNIT)
    }

    /// What one unit costs when `quantity` of them cost `amount`, to six places: for display and for finding a cost
    /// where no layer is left.
    pub fn per_unit(amount: Amount, quantity: Quantity) -> Option<Price> {
        if !quantity.is_positive() || amount.is_negative() {
            return None;
        }
        let (numerator, denominator) =
            (i128::from(amount.minor_units()) * 10_000, i128::from(quantity.units()));
        let millionths = (numerator * 2 + denominator) / (denominator * 2);
        i64::try_from(millionths).ok().and_then(Price::try_from_millionths)
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Decimal::new(self.0, PRICE_PLACES_MAX).normalize(), f)
    }
}

impl fmt::Debug for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Price {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Price {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let millionths = decimal_from_json(deserializer, PRICE_PLACES_MAX, PRICE_MAX)?;
        Price::try_from_millionths(millionths).ok_or_else(|| {
            serde::de::Error::custom("wanted a price of nothing or more, found a negative one")
        })
    }
}

impl JsonSchema for Price {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Price".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Price or cost of one unit: a decimal of nothing or more with at most six places, as text (a JSON number is read too)",
            "type": ["string", "number"], "minimum": 0, "pattern": r"^\d{1,13}(\.\d{1,6})?$"
        })
    }
}

/// Reads a decimal given as JSON text or number into an integer of `10^-places`, exactly or not at all.
pub(super) fn decimal_from_json<'de, D: Deserializer<'de>>(
    deserializer: D,
    places: u32,
    max: i64,
) -> Result<i64, D::Error> {
    deserializer.deserialize_any(DecimalVisitor { places, max })
}

struct DecimalVisitor {
    places: u32,
    max: i64,
}

impl DecimalVisitor {
    fn read<E: serde::de::Error>(&self, text: &str) -> Result<i64, E> {
        let refused = |why: &str| {
            E::custom(format!("wanted a decimal with at most {} places, {why}: {text:?}", self.places))
        };
        let plain = !text.is_empty()
            && text.len() <= 40
            && text.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b'-');
        if !plain {
            return Err(refused("found something else"));
        }
        let decimal = Decimal::from_str_exact(text).map_err(|_| refused("found something else"))?.normalize();
        if decimal.scale() > self.places {
            return Err(refused("found more"));
        }
        let mut scaled = decimal;
        scaled.rescale(self.places);
        i64::try_from(scaled.mantissa())
            .ok()
            .filter(|value| scaled.scale() == self.places && value.unsigned_abs() <= self.max.unsigned_abs())
            .ok_or_else(|| refused("found one out of range"))
    }
}

impl Visitor<'_> for DecimalVisitor {
    type Value = i64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a decimal as text, with at most {} places", self.places)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<i64, E> {
        self.read(text)
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<i64, E> {
        self.read(&value.to_string())
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<i64, E> {
        self.read(&value.to_string())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<i64, E> {
        // The shortest text of a double is the text that was sent, up to fifteen significant digits.
        let text = value.to_string();
        if text.bytes().filter(u8::is_ascii_digit).count() > 15 {
            return Err(E::custom(format!(
                "wanted a decimal as text: {text} has too many digits for a JSON number"
            )));
        }
        self.read(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(text: &str) -> Result<Price, String> {
        serde_json::from_str::<Price>(text).map_err(|e| e.to_string())
    }

    #[test]
    fn a_price_is_exact_as_text_and_as_number() {
        assert_eq!(price("\"2.550\""), price("2.55"));
        assert_eq!(price("0.1").unwrap().millionths(), 100_000);
        assert_eq!(price("\"0.001\"").unwrap().to_string(), "0.001");
    }

    #[test]
    fn more_than_six_places_negative_or_not_a_number_is_refused() {
        for text in ["\"0.0000001\"", "-1", "\"1e3\"", "\"\"", "\"12,5\"", "true", "1e300", "\"--1\""] {
            assert!(price(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_line_rounds_once_half_away_from_zero() {
        let price = price("\"0.125\"").unwrap();
        assert_eq!(price.times(Quantity::ONE).unwrap().to_string(), "0.13");
        assert_eq!(price.times(-Quantity::ONE).unwrap().to_string(), "-0.13");
        assert_eq!(price.times(Quantity::try_new(3).unwrap()).unwrap().to_string(), "0.38");
    }
}
