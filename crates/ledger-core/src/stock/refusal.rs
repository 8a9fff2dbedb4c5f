//! Why the stock book says no.

use crate::books::Status;
use crate::refusals;
use crate::values::{Amount, LocationId, Price, Quantity, ReservationId, Sku, Timestamp};

refusals! {
    /// Why the stock book says no.
    pub enum Refusal {
        /// Never more is taken than may be sold.
        #[error("SKU {sku} at {location}: {available} available, {wanted} wanted")]
        NotEnoughAvailable {
            /// The item.
            sku: Sku,
            /// Where.
            location: LocationId,
            /// What may be sold.
            available: Quantity,
            /// What was asked for.
            wanted: Quantity,
        },
        /// Never more is taken than there is.
        #[error("SKU {sku} at {location}: {there} {status}, {wanted} wanted")]
        NotEnoughInStatus {
            /// The item.
            sku: Sku,
            /// Where.
            location: LocationId,
            /// The bucket.
            status: Status,
            /// What is in it.
            there: Quantity,
            /// What was asked for.
            wanted: Quantity,
        },
        /// Units do not go this way.
        #[error("SKU {sku}: {from} stock cannot become {to} by this command")]
        StatusChangeNotAllowed {
            /// The item.
            sku: Sku,
            /// Where the units are.
            from: Status,
            /// Where they were wanted.
            to: Status,
        },
        /// Not a status in which goods can come in or be corrected.
        #[error("SKU {sku}: {status} is not a status this command can use")]
        StatusNotAllowed {
            /// The item.
            sku: Sku,
            /// The status.
            status: Status,
        },
        /// An amount of money is beyond ±10^15 minor units.
        #[error("SKU {sku}: {quantity} units at {unit} cost more than the books can hold")]
        AmountOutOfRange {
            /// The item.
            sku: Sku,
            /// Units.
            quantity: Quantity,
            /// Unit cost or price.
            unit: Price,
        },
        /// A quantity is beyond ±10^12 units.
        #[error("SKU {sku} at {location}: {quantity} more units than the books can hold")]
        QuantityOutOfRange {
            /// The item.
            sku: Sku,
            /// Where.
            location: LocationId,
            /// What was asked for.
            quantity: Quantity,
        },
        /// The value of a cost pool is beyond ±10^15 minor units.
        #[error("SKU {sku} at {location}: {value} more value than the books can hold")]
        ValueOutOfRange {
            /// The item.
            sku: Sku,
            /// Where.
            location: LocationId,
            /// What would have come on top.
            value: Amount,
        },
        /// Reserved, picked and packed units belong to an order or a reservation: only its own commands move them.
        #[error("SKU {sku} at {location}: {status} stock is claimed, free it by its order or reservation first")]
        StockIsClaimed {
            /// The item.
            sku: Sku,
            /// Where.
            location: LocationId,
            /// The bucket.
            status: Status,
        },
        /// A reservation id is used once while it claims anything.
        #[error("reservation {reservation} already claims stock")]
        ReservationExists {
            /// The reservation.
            reservation: ReservationId,
        },
        /// A claim is for a time to come.
        #[error("reservation {reservation} would end at {until}, which is past: the ledger's time is {log_time}")]
        ReservationEndsInThePast {
            /// The reservation.
            reservation: ReservationId,
            /// Until when it was to claim.
            until: Timestamp,
            /// The ledger's time.
            log_time: Timestamp,
        },
        /// Nothing is claimed under that id; what an order claims is freed by the order.
        #[error("reservation {reservation} claims nothing")]
        UnknownReservation {
            /// The reservation.
            reservation: ReservationId,
        },
        /// A claim is freed by time once its time is over.
        #[error("reservation {reservation} {}, and the ledger's time is {log_time}", match until { Some(until) => format!("claims until {until}"), None => "has no end".to_owned() })]
        ReservationNotDue {
            /// The reservation.
            reservation: ReservationId,
            /// Until when it claims.
            until: Option<Timestamp>,
            /// The ledger's time.
            log_time: Timestamp,
        },
        /// No more is freed than is claimed.
        #[error("reservation {reservation}: {reserved} reserved, {wanted} wanted")]
        NotEnoughReserved {
            /// The reservation.
            reservation: ReservationId,
            /// Units it claims.
            reserved: Quantity,
            /// Units to be freed.
            wanted: Quantity,
        },
        /// Units were found, and nothing says what they cost.
        #[error("SKU {sku}: no cost is known, give unit_cost")]
        CostUnknown {
            /// The item.
            sku: Sku,
        },
    }
}
