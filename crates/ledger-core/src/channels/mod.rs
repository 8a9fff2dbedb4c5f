//! The sales channels: where orders come from, how they are paid, and what may be promised.

mod define;

pub use define::{Define, Defined};

use bincode::{Decode, Encode};

use crate::books::Status;
use crate::ledger::Ledger;
use crate::state::{Row, Table};
use crate::values::{ChannelId, LocationId, Name, Quantity};
use crate::{codes, refusals, state};

codes! {
    /// What kind of channel it is.
    pub enum ChannelKind {
        /// Our own web shop.
        Web = 1 "web",
        /// A marketplace that sells for us.
        Marketplace = 2 "marketplace",
        /// Business customers.
        B2b = 3 "b2b",
        /// A shop's till.
        Store = 4 "store",
        /// A social network.
        Social = 5 "social",
        /// Orders that repeat.
        Subscription = 6 "subscription",
        /// Orders taken by our own people.
        CustomerService = 7 "customer_service",
    }
}

codes! {
    /// How orders of a channel are paid.
    pub enum Settlement {
        /// Captured before anything ships.
        Prepaid = 1 "prepaid",
        /// Invoiced at shipment, paid later.
        OnAccount = 2 "on_account",
    }
}

codes! {
    /// What happens to units that cannot be promised now.
    pub enum OversellPolicy {
        /// They are refused, and counted as lost demand.
        Refuse = 1 "refuse",
        /// They wait for the next receipt.
        Backorder = 2 "backorder",
    }
}

codes! {
    /// Whether an order may leave in parts.
    pub enum PartialShipment {
        /// Each part as it is ready.
        Allowed = 1 "allowed",
        /// All of it at once, held until then.
        Denied = 2 "denied",
    }
}

/// A channel as it was defined.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Channel {
    /// Display name.
    pub name: Name,
    /// Web, marketplace, store …
    pub kind: ChannelKind,
    /// Prepaid or on account.
    pub settlement: Settlement,
    /// What happens to units that cannot be promised.
    pub oversell: OversellPolicy,
    /// Whether an order may leave in parts.
    pub partial_shipment: PartialShipment,
    /// The locations it may sell from, in order of preference.
    pub locations: Vec<Row>,
}

state! {
    /// Every channel ever defined.
    pub struct Channels {
        pub(crate) table: Table<ChannelId, Channel>,
    }
}

impl Channels {
    /// The channel under an id.
    pub fn find(&self, id: &ChannelId) -> Option<&Channel> {
        self.table.find(id)
    }

    /// The channel in a row.
    pub fn get(&self, row: Row) -> &Channel {
        self.table.get(row)
    }

    /// The id of a row.
    pub fn id(&self, row: Row) -> &ChannelId {
        self.table.key(row)
    }

    /// Every channel, in the order of definition.
    pub fn iter(&self) -> impl Iterator<Item = (Row, &ChannelId, &Channel)> {
        self.table.iter()
    }
}

refusals! {
    /// Why a channel is refused.
    pub enum Refusal {
        /// A channel is defined once.
        #[error("channel {channel} is already defined")]
        ChannelExists {
            /// The channel.
            channel: ChannelId,
        },
        /// Nobody defined that channel.
        #[error("channel {channel} is not defined: define it with channels.define first")]
        UnknownChannel {
            /// The channel.
            channel: ChannelId,
        },
        /// A channel sells from somewhere.
        #[error("channel {channel} names no location to sell from")]
        NoLocation {
            /// The channel.
            channel: ChannelId,
        },
        /// One location twice in the order of preference.
        #[error("channel {channel} names location {location} twice")]
        LocationTwice {
            /// The channel.
            channel: ChannelId,
            /// The location.
            location: LocationId,
        },
    }
}

/// The channel, if it was ever defined.
pub fn known<'l>(ledger: &'l Ledger, channel: &ChannelId) -> Result<(Row, &'l Channel), Refusal> {
    let row = ledger
        .channels
        .table
        .row(channel)
        .ok_or_else(|| Refusal::UnknownChannel { channel: channel.clone() })?;
    Ok((row, ledger.channels.get(row)))
}

/// Available to sell (ATS) of an item on a channel: what is available at the locations it may sell from.
pub fn available_to_sell(ledger: &Ledger, channel: &Channel, item: Row) -> Quantity {
    channel.locations.iter().map(|location| ledger.stock.quantity(item, *location, Status::Available)).sum()
}
