//! Why fulfilment says no.

use super::ShipmentState;
use crate::orders::{HoldReason, OrderState};
use crate::refusals;
use crate::values::{ChannelId, LocationId, OrderId, Quantity, ShipmentId, Timestamp};

fn listed(holds: &[HoldReason]) -> String {
    holds.iter().map(|reason| reason.as_str()).collect::<Vec<_>>().join(", ")
}

refusals! {
    /// Why fulfilment says no.
    pub enum Refusal {
        /// A shipment id is used once.
        #[error("shipment {shipment} is already planned")]
        ShipmentExists {
            /// The shipment.
            shipment: ShipmentId,
        },
        /// Nobody planned that shipment.
        #[error("shipment {shipment} was never planned")]
        UnknownShipment {
            /// The shipment.
            shipment: ShipmentId,
        },
        /// The shipment is before or past that step.
        #[error("shipment {shipment} is {state}: wanted one that is {wanted}")]
        ShipmentStateNotFit {
            /// The shipment.
            shipment: ShipmentId,
            /// What it is.
            state: ShipmentState,
            /// What the step starts from.
            wanted: ShipmentState,
        },
        /// A shipment goes forward in time.
        #[error("shipment {shipment} is {state} since {since}, and its next step cannot have been at {effective_at}")]
        StepBeforeTheLast {
            /// The shipment.
            shipment: ShipmentId,
            /// What it is.
            state: ShipmentState,
            /// Since when.
            since: Timestamp,
            /// What was given.
            effective_at: Timestamp,
        },
        /// Only a released order is fulfilled.
        #[error("order {order} is {state}, not released{}", if holds.is_empty() { String::new() } else { format!(", held for {}", listed(holds)) })]
        OrderNotReleased {
            /// The order.
            order: OrderId,
            /// What it is.
            state: OrderState,
            /// What holds it.
            holds: Vec<HoldReason>,
        },
        /// No unit of the order is reserved and in no other open shipment.
        #[error("order {order} has nothing reserved{} that is not in an open shipment", match location { Some(at) => format!(" at {at}"), None => String::new() })]
        NothingToShip {
            /// The order.
            order: OrderId,
            /// Where it was looked for; anywhere when absent.
            location: Option<LocationId>,
        },
        /// One line twice in one command.
        #[error("line {line} stands twice")]
        LineTwice {
            /// The line's number.
            line: u16,
        },
        /// Only what is reserved at the location and in no other open shipment can be planned.
        #[error("order {order} line {line}: {free} reserved at {location} and in no open shipment, {wanted} wanted")]
        NotEnoughReserved {
            /// The order.
            order: OrderId,
            /// The line's number.
            line: u16,
            /// Where.
            location: LocationId,
            /// What can be planned.
            free: Quantity,
            /// What was asked for.
            wanted: Quantity,
        },
        /// The channel's orders do not leave in parts.
        #[error("order {order} line {line}: {left_behind} would stay behind, and orders of channel {channel} do not leave in parts")]
        PartialShipmentDenied {
            /// The order.
            order: OrderId,
            /// The channel.
            channel: ChannelId,
            /// The first line of which something would stay behind.
            line: u16,
            /// Units that would stay behind.
            left_behind: Quantity,
        },
        /// The shipment has no such line.
        #[error("shipment {shipment} has no line {line}")]
        NotInShipment {
            /// The shipment.
            shipment: ShipmentId,
            /// The order's line.
            line: u16,
        },
        /// Nobody picks more than was planned and is still reserved.
        #[error("shipment {shipment} line {line}: {planned} to pick, {picked} picked")]
        MoreThanPlanned {
            /// The shipment.
            shipment: ShipmentId,
            /// The order's line.
            line: u16,
            /// What is to be picked.
            planned: Quantity,
            /// What was said to be picked.
            picked: Quantity,
        },
        /// Whoever picks less says what becomes of the missing units.
        #[error("shipment {shipment} line {line}: {picked} of {planned} picked, say in `short` what becomes of the rest: adjust or quarantine")]
        ShortNotExplained {
            /// The shipment.
            shipment: ShipmentId,
            /// The order's line.
            line: u16,
            /// What is to be picked.
            planned: Quantity,
            /// What was picked.
            picked: Quantity,
        },
    }
}
