//! What each channel may promise of each item now, with every term of the sum.

use std::ops::Bound;

use ledger_core::Ledger;
use ledger_core::books::Status;
use ledger_core::channels::{Channel, OversellPolicy, available_to_sell};
use ledger_core::state::Row as LedgerRow;
use ledger_core::values::{ChannelId, LocationId, Quantity, Sku, Text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::View;
use crate::query::QueryFault;
use crate::rows::{Rows, Taken};
use crate::source::{Scan, Source};

/// Which promises.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Filter {
    /// Of this channel.
    channel: Option<ChannelId>,
    /// Of this item.
    sku: Option<Sku>,
}

/// A channel and a stocked item.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Row {
    /// The channel.
    channel: ChannelId,
    /// The item.
    sku: Sku,
    /// Available to sell (ATS): the sum of what is available at the channel's locations.
    ats: Quantity,
    /// What happens to an order over it: refused, or backordered.
    oversell: OversellPolicy,
    /// The terms, in the channel's order of preference.
    locations: Vec<Term>,
}

/// What a location adds.
#[derive(Debug, Serialize, JsonSchema)]
struct Term {
    /// The location.
    location: LocationId,
    /// May be sold now: counted.
    available: Quantity,
    /// Claimed, on the shelf: not counted.
    reserved: Quantity,
    /// In every status but in transit.
    on_hand: Quantity,
}

pub(crate) struct Availability;

impl View for Availability {
    type Filter = Filter;
    type Row = Row;
    const NAME: &'static str = "availability";
    const SUMMARY: &'static str =
        "What each channel may promise of each item now, with every term of the sum";
    const SORTS: &'static [&'static str] = &["channel"];

    fn rows(source: &Source<'_>, filter: &Filter, rows: &mut Rows) -> Result<(), QueryFault> {
        let mut after: Option<(ChannelId, Sku)> = match rows.after::<2>()? {
            None => None,
            Some([channel, sku]) => Some((
                rows.parse(&channel, |text| ChannelId::try_new(text).ok())?,
                rows.parse(&sku, |text| Sku::try_new(text).ok())?,
            )),
        };
        source.scan(rows, |folded, rows, slice| {
            let ledger = &folded.ledger;
            let mut channels: Vec<(&ChannelId, &Channel)> = ledger
                .channels()
                .iter()
                .map(|(_, id, channel)| (id, channel))
                .filter(|(id, _)| filter.channel.as_ref().is_none_or(|wanted| wanted == *id))
                .filter(|(id, _)| after.as_ref().is_none_or(|(channel, _)| channel <= *id))
                .collect();
            channels.sort_unstable_by_key(|(id, _)| *id);
            for (id, channel) in channels {
                let begin = after.as_ref().filter(|(channel, _)| channel == id).map(|(_, sku)| sku.clone());
                // The item asked for, or every stocked one, behind the one that the page before ended with.
                let first = match (&begin, &filter.sku) {
                    (Some(begin), _) => Bound::Excluded(begin),
                    (None, Some(sku)) => Bound::Included(sku),
                    (None, None) => Bound::Unbounded,
                };
                let items = folded.stocked.range::<Sku, _>((first, Bound::Unbounded));
                let items = items.take_while(|sku| filter.sku.as_ref().is_none_or(|wanted| wanted == *sku));
                for sku in items {
                    let Some(item) = ledger.items().row(sku) else { continue };
                    let row = row(ledger, id, channel, sku, item);
                    if rows.push(|| vec![id.to_string(), sku.to_string()], &row) == Taken::PageIsFull {
                        return Ok(Scan::Done);
                    }
                    if slice.is_over() {
                        after = Some((id.clone(), sku.clone()));
                        return Ok(Scan::More);
                    }
                }
            }
            Ok(Scan::Done)
        })
    }
}

fn row(ledger: &Ledger, id: &ChannelId, channel: &Channel, sku: &Sku, item: LedgerRow) -> Row {
    let term = |location: &LedgerRow| {
        let quantity = |status| ledger.stock().quantity(item, *location, status);
        Term {
            location: ledger.locations().id(*location).clone(),
            available: quantity(Status::Available),
            reserved: quantity(Status::Reserved),
            on_hand: Status::ALL.iter().filter(|s| s.is_on_hand()).map(|s| quantity(*s)).sum(),
        }
    };
    Row {
        channel: id.clone(),
        sku: sku.clone(),
        ats: available_to_sell(ledger, channel, item),
        oversell: channel.oversell,
        locations: channel.locations.iter().map(term).collect(),
    }
}
