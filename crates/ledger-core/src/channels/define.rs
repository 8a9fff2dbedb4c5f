//! A new sales channel and its policies.

use bincode::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Channel, ChannelKind, OversellPolicy, PartialShipment, Refusal, Settlement};
use crate::books::{Fact, Subject, SubjectKind};
use crate::draft::Draft;
use crate::kinds::Action;
use crate::ledger::{Ledger, Moment};
use crate::locations;
use crate::rejection::Rejection;
use crate::values::{ChannelId, LocationId, Name};

/// Adds a sales channel.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Define {
    /// The business's own key.
    pub channel: ChannelId,
    /// Display name.
    pub name: Name,
    /// Web, marketplace, store …
    pub kind: ChannelKind,
    /// Prepaid or on account.
    pub settlement: Settlement,
    /// What happens to units that cannot be promised: refuse or backorder.
    pub oversell: OversellPolicy,
    /// Whether an order may leave in parts: allowed or denied.
    pub partial_shipment: PartialShipment,
    /// The locations it may sell from, in order of preference; one or more, none twice.
    pub locations: Vec<LocationId>,
}

/// A channel is there.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct Defined {
    /// The business's own key.
    pub channel: ChannelId,
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
    pub locations: Vec<LocationId>,
}

impl Action for Define {
    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Rejection> {
        let ledger = draft.ledger();
        if ledger.channels.find(&self.channel).is_some() {
            return Err(Refusal::ChannelExists { channel: self.channel.clone() }.into());
        }
        if self.locations.is_empty() {
            return Err(Refusal::NoLocation { channel: self.channel.clone() }.into());
        }
        for (at, location) in self.locations.iter().enumerate() {
            locations::known(ledger, location)?;
            if self.locations[..at].contains(location) {
                let (channel, location) = (self.channel.clone(), location.clone());
                return Err(Refusal::LocationTwice { channel, location }.into());
            }
        }
        let Define { channel, name, kind, settlement, oversell, partial_shipment, locations } = self.clone();
        draft.record(Defined { channel, name, kind, settlement, oversell, partial_shipment, locations });
        Ok(())
    }
}

impl Fact for Defined {
    fn subjects(&self, each: &mut dyn FnMut(Subject<'_>)) {
        each(Subject::new(SubjectKind::Channel, &self.channel));
    }

    fn apply(&self, ledger: &mut Ledger, _at: &Moment) {
        let Defined { channel, name, kind, settlement, oversell, partial_shipment, locations } = self.clone();
        let locations = locations.iter().filter_map(|location| ledger.locations.row(location)).collect();
        let row = Channel { name, kind, settlement, oversell, partial_shipment, locations };
        ledger.channels.table.insert(channel, row);
    }
}

#[cfg(test)]
mod tests {
    use crate::scenario::given_a_shop;
    use serde_json::{Value, json};

    fn channel(id: &str, locations: &[&str]) -> Value {
        json!({"channel": id, "name": "Shop", "kind": "web", "settlement": "prepaid", "oversell": "refuse",
            "partial_shipment": "allowed", "locations": locations})
    }

    #[test]
    fn a_channel_is_defined_once_with_its_policies() {
        given_a_shop()
            .when("channels.define", channel("eu", &["BER1", "AMS1"]))
            .then(json!([{"type": "channels.defined", "channel": "eu", "name": "Shop", "kind": "web",
                "settlement": "prepaid", "oversell": "refuse", "partial_shipment": "allowed",
                "locations": ["BER1", "AMS1"]}]))
            .when("channels.define", channel("eu", &["BER1"]))
            .refused("channel_exists");
    }

    #[test]
    fn a_channel_sells_from_known_locations_each_once() {
        given_a_shop().when("channels.define", channel("eu", &[])).refused("no_location");
        given_a_shop().when("channels.define", channel("eu", &["NOPE"])).refused("unknown_location");
        given_a_shop().when("channels.define", channel("eu", &["AMS1", "AMS1"])).refused("location_twice");
    }
}
