//! Names and ids: compared byte for byte, NFC, never trimmed or case-folded, at most 64 bytes.

use std::borrow::Borrow;
use std::fmt;

use bincode::de::Decoder;
use bincode::de::read::Reader;
use bincode::enc::Encoder;
use bincode::error::{DecodeError, EncodeError};
use bincode::{Decode, Encode};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use smol_str::SmolStr;
use thiserror::Error;
use unicode_normalization::UnicodeNormalization;

/// The longest id, in bytes of UTF-8.
pub const ID_BYTES_MAX: usize = 64;
/// The longest free text, in bytes of UTF-8.
pub const NOTE_BYTES_MAX: usize = 500;

/// Why a text cannot be what it was given as.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TextFault {
    /// Ids and names are never empty.
    #[error("wanted 1 to {max} bytes of text, found none")]
    Empty {
        /// The most bytes allowed.
        max: usize,
    },
    /// Over the limit of the contract.
    #[error("wanted at most {max} bytes of text, found {found}")]
    TooLong {
        /// The most bytes allowed.
        max: usize,
        /// The bytes found.
        found: usize,
    },
    /// Control characters would be invisible in every list.
    #[error("wanted text without control characters, found U+{found:04X}")]
    ControlCharacter {
        /// The first one found.
        found: u32,
    },
    /// Two spellings of one id must not be two ids.
    #[error("wanted text in Unicode normal form C (NFC)")]
    NotNormalised,
    /// A code has a narrower alphabet than an id.
    #[error("wanted {wanted}, found {found:?}")]
    BadCode {
        /// The alphabet.
        wanted: &'static str,
        /// What was given.
        found: String,
    },
}

/// What all text types share: the text, and how it is checked.
pub trait Text: Sized {
    /// Checks the text; an unchecked one never becomes a value.
    fn try_new(text: impl AsRef<str>) -> Result<Self, TextFault>;
    /// The text, byte for byte as it came.
    fn as_str(&self) -> &str;
}

fn check_text(text: &str, max: usize) -> Result<(), TextFault> {
    if text.is_empty() {
        return Err(TextFault::Empty { max });
    }
    if text.len() > max {
        return Err(TextFault::TooLong { max, found: text.len() });
    }
    if text.is_ascii() {
        return match text.bytes().find(u8::is_ascii_control) {
            Some(found) => Err(TextFault::ControlCharacter { found: found.into() }),
            None => Ok(()),
        };
    }
    if let Some(found) = text.chars().find(|c| c.is_control()) {
        return Err(TextFault::ControlCharacter { found: found.into() });
    }
    if !text.nfc().eq(text.chars()) {
        return Err(TextFault::NotNormalised);
    }
    Ok(())
}

fn check_id(text: &str) -> Result<(), TextFault> {
    check_text(text, ID_BYTES_MAX)
}

fn check_note(text: &str) -> Result<(), TextFault> {
    check_text(text, NOTE_BYTES_MAX)
}

fn check_code(text: &str) -> Result<(), TextFault> {
    let fits = (1..=32).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if fits {
        return Ok(());
    }
    Err(TextFault::BadCode {
        wanted: "a code of 1 to 32 characters a-z, 0-9 and _",
        found: text.chars().take(40).collect(),
    })
}

macro_rules! text_types {
    ($($(#[$meta:meta])* $name:ident: $check:ident, $max:expr;)+) => {$(
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(SmolStr);

        impl Text for $name {
            fn try_new(text: impl AsRef<str>) -> Result<Self, TextFault> {
                let text = text.as_ref();
                $check(text)?;
                Ok(Self(SmolStr::new(text)))
            }

            fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, "{:?}", self.0.as_str()) }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(self.0.as_str()) }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str { self.0.as_str() }
        }

        impl TryFrom<&str> for $name {
            type Error = TextFault;
            fn try_from(text: &str) -> Result<Self, TextFault> { Self::try_new(text) }
        }

        impl Encode for $name {
            fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> { self.0.as_str().encode(encoder) }
        }

        impl<C> Decode<C> for $name {
            fn decode<D: Decoder<Context = C>>(decoder: &mut D) -> Result<Self, DecodeError> {
                let text = decode_text(decoder, $max)?;
                Ok(Self(text))
            }
        }
        bincode::impl_borrow_decode!($name);

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.0.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                Self::try_new(text.as_ref()).map_err(serde::de::Error::custom)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> { stringify!($name).into() }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "minLength": 1, "maxLength": $max })
            }
        }
    )+};
}

/// Stored text was checked before it was stored; here only what decoding itself needs is checked.
fn decode_text<C, D: Decoder<Context = C>>(decoder: &mut D, max: usize) -> Result<SmolStr, DecodeError> {
    let length = usize::try_from(u64::decode(decoder)?).unwrap_or(usize::MAX);
    if length > max {
        return Err(DecodeError::OtherString(format!("wanted at most {max} bytes of text, found {length}")));
    }
    decoder.claim_bytes_read(length)?;
    if let Some(bytes) = decoder.reader().peek_read(length) {
        let text = as_text(bytes)?;
        decoder.reader().consume(length);
        return Ok(text);
    }
    let mut bytes = [0; NOTE_BYTES_MAX];
    decoder.reader().read(&mut bytes[..length])?;
    as_text(&bytes[..length])
}

fn as_text(bytes: &[u8]) -> Result<SmolStr, DecodeError> {
    std::str::from_utf8(bytes).map(SmolStr::new).map_err(|inner| DecodeError::Utf8 { inner })
}

text_types! {
    /// A stock keeping unit: the business's own key of an item.
    Sku: check_id, ID_BYTES_MAX;
    /// A warehouse, store, 3PL or drop-ship supplier.
    LocationId: check_id, ID_BYTES_MAX;
    /// A sales channel.
    ChannelId: check_id, ID_BYTES_MAX;
    /// A customer, without any personal data.
    CustomerId: check_id, ID_BYTES_MAX;
    /// An order, as its channel numbers it.
    OrderId: check_id, ID_BYTES_MAX;
    /// A claim on stock that is not an order's.
    ReservationId: check_id, ID_BYTES_MAX;
    /// A payment, as the provider numbers it.
    PaymentId: check_id, ID_BYTES_MAX;
    /// A parcel or several that leave together for one order.
    ShipmentId: check_id, ID_BYTES_MAX;
    /// A return (RMA).
    ReturnId: check_id, ID_BYTES_MAX;
    /// A granted refund: the claim that a payment pays.
    RefundId: check_id, ID_BYTES_MAX;
    /// A manual posting.
    PostingId: check_id, ID_BYTES_MAX;
    /// The idempotency key of a command.
    CommandId: check_id, ID_BYTES_MAX;
    /// Ties what several systems did for one cause.
    CorrelationId: check_id, ID_BYTES_MAX;
    /// Who acted.
    ActorId: check_id, ID_BYTES_MAX;
    /// A display name or category.
    Name: check_note, NOTE_BYTES_MAX;
    /// Free text beside a reason; never the reason itself.
    Note: check_note, NOTE_BYTES_MAX;
    /// Why: a code, so that it can be counted.
    ReasonCode: check_code, 32;
    /// What a charge is for (`shipping`, `gift_wrap`, `fee`, `service` or the business's own).
    Charge: check_code, 32;
    /// A country or region as the channel names it (ISO 3166 where it can be had).
    CountryCode: check_id, ID_BYTES_MAX;
    /// A tax jurisdiction.
    Jurisdiction: check_id, ID_BYTES_MAX;
    /// The gapless number of an invoice or credit note.
    DocumentNumber: check_id, ID_BYTES_MAX;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_keep_case_and_trailing_spaces() {
        let (upper, lower, spaced) =
            (Sku::try_new("85123A"), Sku::try_new("85123a"), Sku::try_new("85123a "));
        assert_ne!(upper, lower);
        assert_ne!(lower, spaced);
    }

    #[test]
    fn what_an_id_cannot_be_is_said() {
        assert_eq!(Sku::try_new(""), Err(TextFault::Empty { max: 64 }));
        assert_eq!(Sku::try_new("x".repeat(65)), Err(TextFault::TooLong { max: 64, found: 65 }));
        assert_eq!(Sku::try_new("a\nb"), Err(TextFault::ControlCharacter { found: 10 }));
        assert_eq!(Sku::try_new("e\u{301}"), Err(TextFault::NotNormalised));
        assert!(ReasonCode::try_new("Free text").is_err());
    }
}
