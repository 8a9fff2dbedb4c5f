//! An event's data: its own fields, and beside them what it did to the books of units and money.

use ledger_core::books::{Account, CostPart, Place, Status, StatusGroup, World};
use ledger_core::values::{
    Amount, ChannelId, CountryCode, Jurisdiction, LocationId, OrderId, Quantity, RefundId, Sku,
};
use ledger_core::{Event, Fact, Movement, Posting};
use schemars::JsonSchema;
use serde::Serialize;

/// Units of one item from one place to another.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct MovementBody<'e> {
    /// The item.
    sku: &'e Sku,
    /// Where the units were.
    from: MovementEnd<'e>,
    /// Where the units are now.
    to: MovementEnd<'e>,
    /// How many.
    quantity: Quantity,
    /// What they cost, part by part; absent while they stay in one cost pool.
    #[serde(skip_serializing_if = "<[CostPart]>::is_empty")]
    parts: &'e [CostPart],
}

/// One end of a movement: a bucket of ours or an outside world.
#[derive(Debug, Serialize, JsonSchema)]
struct MovementEnd<'e> {
    /// The location, inside.
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<&'e LocationId>,
    /// The status, inside.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
    /// The outside world.
    #[serde(skip_serializing_if = "Option::is_none")]
    world: Option<World>,
}

/// One side of a posting.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PostingBody<'e> {
    /// The account's code.
    account: Account,
    /// Debit, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    debit: Option<Amount>,
    /// Credit, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    credit: Option<Amount>,
    /// The cost pool group of the inventory account.
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<StatusGroup>,
    /// The location.
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<&'e LocationId>,
    /// The sales channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<&'e ChannelId>,
    /// The item.
    #[serde(skip_serializing_if = "Option::is_none")]
    item: Option<&'e Sku>,
    /// The order.
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<&'e OrderId>,
    /// The granted refund that the account is open on.
    #[serde(skip_serializing_if = "Option::is_none")]
    refund: Option<&'e RefundId>,
    /// The tax jurisdiction.
    #[serde(skip_serializing_if = "Option::is_none")]
    jurisdiction: Option<&'e Jurisdiction>,
    /// The country of destination.
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<&'e CountryCode>,
}

impl<'e> From<Movement<'e>> for MovementBody<'e> {
    fn from(movement: Movement<'e>) -> Self {
        let Movement { sku, from, to, quantity, parts } = movement;
        MovementBody { sku, from: from.into(), to: to.into(), quantity, parts }
    }
}

impl<'e> From<Place<'e>> for MovementEnd<'e> {
    fn from(place: Place<'e>) -> Self {
        match place {
            Place::Stock(location, status) => {
                MovementEnd { location: Some(location), status: Some(status), world: None }
            }
            Place::World(world) => MovementEnd { location: None, status: None, world: Some(world) },
        }
    }
}

impl<'e> From<Posting<'e>> for PostingBody<'e> {
    fn from(posting: Posting<'e>) -> Self {
        let (debit, credit) = match posting.amount.is_negative() {
            true => (None, Some(-posting.amount)),
            false => (Some(posting.amount), None),
        };
        PostingBody {
            account: posting.account,
            debit,
            credit,
            group: posting.group,
            location: posting.location,
            channel: posting.channel,
            item: posting.item,
            order: posting.order,
            refund: posting.claim,
            jurisdiction: posting.jurisdiction,
            country: posting.country,
        }
    }
}

/// The event as a JSON object: its fields, then `movements` and `postings`.
pub(super) fn data_of(event: &Event) -> String {
    let mut data = serde_json::to_string(event).expect("an event is JSON");
    // The object is opened again at its end, which is cheaper than a third pass through serde's buffering.
    let closing = data.pop();
    debug_assert_eq!(closing, Some('}'), "an event is an object");
    data.push_str(",\"movements\":[");
    event.movements(&mut |movement| push(&MovementBody::from(movement), &mut data));
    data.push_str("],\"postings\":[");
    event.postings(&mut |posting| {
        if !posting.amount.is_zero() {
            push(&PostingBody::from(posting), &mut data);
        }
    });
    data.push_str("]}");
    data
}

fn push(item: &impl Serialize, list: &mut String) {
    if !list.ends_with('[') {
        list.push(',');
    }
    list.push_str(&serde_json::to_string(item).expect("a movement or posting is JSON"));
}

#[cfg(test)]
mod tests {
    use ledger_core::Event;
    use schemars::generate::SchemaSettings;

    #[test]
    fn no_event_has_a_field_that_the_public_form_adds() {
        for kind in Event::KINDS {
            let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
            let schema = (kind.schema)(&mut settings.into_generator());
            let fields = schema.get("properties").and_then(serde_json::Value::as_object);
            for added in ["movements", "postings"] {
                assert!(fields.is_none_or(|fields| !fields.contains_key(added)), "{} has {added}", kind.name);
            }
        }
    }
}
