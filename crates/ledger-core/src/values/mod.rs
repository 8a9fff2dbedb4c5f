//! The value types every command, event and view is written in: parsed once at the edge, trusted inside.
//!
//! All of them are frozen as stored shapes: a change of meaning or of encoding is a new type.

#[macro_use]
mod codes;
#[macro_use]
mod text;
mod amount;
mod bounded;
mod digest;
mod effective;
mod price;
mod quantity;
mod rounding;

pub use amount::{AMOUNT_MAX, Amount};
pub use bounded::{
    NonNegativeAmount, NonNegativeQuantity, NonZeroQuantity, PositiveAmount, PositiveQuantity,
};
pub use codes::UnknownCode;
pub use digest::Digest;
pub use effective::Timestamp;
pub use price::{PRICE_PLACES_MAX, Price};
pub use quantity::{QUANTITY_MAX, Quantity};
pub use rounding::{Cumulated, part_of, proportion, shares};
pub use text::{
    ActorId, ChannelId, Charge, CommandId, CorrelationId, CountryCode, CustomerId, DocumentNumber,
    ID_BYTES_MAX, Jurisdiction, LocationId, NOTE_BYTES_MAX, Name, Note, OrderId, PaymentId, PostingId,
    ReasonCode, RefundId, ReservationId, ReturnId, ShipmentId, Sku, Text, TextFault,
};
