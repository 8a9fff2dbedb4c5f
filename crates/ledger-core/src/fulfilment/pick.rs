//! A shipment is picked; what is missing is adjusted or quarantined, and its order gets other units or waits.

use bincode::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Refusal, ShipmentLine, ShipmentState, fulfillable, in_state, issue_each};
use crate::books::{
    Account, CostParts, Fact, Movement, Place, Posting, Status, StatusGroup, Subject, SubjectKind, World,
};
use crate::draft::Draft;
use crate::kinds::Action;
use crate::ledger::{Ledger, Moment};
use crate::orders::{Bucket, move_units};
use crate::rejection::Rejection;
use crate::values::{
    ChannelId, CountryCode, LocationId, NonNegativeQuantity, OrderId, Quantity, ShipmentId, Sku,
};
use crate::{codes, orders};

codes! {
    /// What becomes of units that were to be picked and are not there, or not fit.
    pub enum ShortPick {
        /// They are gone: adjusted away.
        Adjust = 1 "adjust",
        /// They are there and in doubt: quarantined.
        Quarantine = 2 "quarantine",
    }
}

/// Takes a planned shipment from the shelf.
///
/// Units that were cancelled since the plan are not looked for. Missing units are adjusted or quarantined, and their
/// order is allocated others or backordered by its channel's policy, all in one entry. A shipment of which nothing is
/// left is void.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pick {
    /// The shipment.
    pub shipment: ShipmentId,
    /// Lines of which less was found; every line that is not named was picked in full.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<Vec<PickLine>>,
}

/// What was found of a line.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PickLine {
    /// The order's line.
    pub line: u16,
    /// Units picked.
    pub quantity: NonNegativeQuantity,
    /// What becomes of the missing units; wanted when there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub short: Option<ShortPick>,
}

/// A shipment was picked.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct Picked {
    /// The shipment.
    pub shipment: ShipmentId,
    /// Its order.
    pub order: OrderId,
    /// The order's channel.
    pub channel: ChannelId,
    /// Where the order goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<CountryCode>,
    /// Where it was picked.
    pub location: LocationId,
    /// What was picked, and what was missing.
    pub lines: Vec<PickedLine>,
}

/// A line that was picked.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct PickedLine {
    /// The order's line.
    pub line: u16,
    /// The item.
    pub sku: Sku,
    /// Units picked.
    pub quantity: Quantity,
    /// What was missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub short: Option<Short>,
}

/// Units that were to be picked and were missing.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct Short {
    /// What became of them.
    pub outcome: ShortPick,
    /// Units.
    pub quantity: Quantity,
    /// What they cost.
    pub cost: CostParts,
}

impl Action for Pick {
    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Rejection> {
        let ledger = draft.ledger();
        let shipment = in_state(draft, &self.shipment, ShipmentState::Planned)?;
        let (order_row, at) = (shipment.order, shipment.location);
        let order_id = ledger.orders.id(order_row);
        let (_, order) = fulfillable(ledger, order_id)?;
        self.lines_are_planned(&shipment.lines)?;
        let mut lines = Vec::with_capacity(shipment.lines.len());
        let mut missing = Vec::new();
        for planned in &shipment.lines {
            let line = orders::line(order_id, &order, planned.line)?;
            let to_pick = planned.planned.min(line.quantity(Bucket::Reserved(at)));
            let (quantity, outcome) = self.found(planned.line, to_pick)?;
            let short = outcome.map(|outcome| {
                missing.push((line.item, to_pick - quantity));
                Short { outcome, quantity: to_pick - quantity, cost: CostParts::default() }
            });
            let sku = ledger.items.sku(line.item).clone();
            if to_pick.is_positive() {
                lines.push(PickedLine { line: planned.line, sku, quantity, short });
            }
        }
        let costs = issue_each(ledger, at, &missing);
        let shorts = lines.iter_mut().filter_map(|line| line.short.as_mut());
        shorts.zip(costs).for_each(|(short, cost)| short.cost = cost);
        let picked = Picked {
            shipment: self.shipment.clone(),
            order: order_id.clone(),
            channel: ledger.channels.id(order.channel).clone(),
            country: order.country().cloned(),
            location: ledger.locations.id(at).clone(),
            lines,
        };
        let short: Vec<u16> =
            picked.lines.iter().filter(|line| line.short.is_some()).map(|line| line.line).collect();
        draft.record(picked);
        for line in short {
            orders::reallocate(draft, order_row, line);
        }
        Ok(())
    }
}

impl Pick {
    fn lines_are_planned(&self, planned: &[ShipmentLine]) -> Result<(), Refusal> {
        let named = self.lines.as_deref().unwrap_or_default();
        for (at, PickLine { line, .. }) in named.iter().enumerate() {
            if named[..at].iter().any(|earlier| earlier.line == *line) {
                return Err(Refusal::LineTwice { line: *line });
            }
            if !planned.iter().any(|planned| planned.line == *line) {
                return Err(Refusal::NotInShipment { shipment: self.shipment.clone(), line: *line });
            }
        }
        Ok(())
    }

    /// Units found of a line, and what becomes of the missing ones if there are any.
    fn found(&self, line: u16, planned: Quantity) -> Result<(Quantity, Option<ShortPick>), Refusal> {
        let named = self.lines.as_deref().unwrap_or_default();
        let Some(said) = named.iter().find(|said| said.line == line) else { return Ok((planned, None)) };
        let (shipment, picked) = (self.shipment.clone(), said.quantity.get());
        if picked > planned {
            return Err(Refusal::MoreThanPlanned { shipment, line, planned, picked });
        }
        match said.short {
            _ if picked == planned => Ok((picked, None)),
            Some(outcome) => Ok((picked, Some(outcome))),
            None => Err(Refusal::ShortNotExplained { shipment, line, planned, picked }),
        }
    }
}

impl Short {
    fn goes_to<'e>(&self, location: &'e LocationId) -> Place<'e> {
        match self.outcome {
            ShortPick::Adjust => Place::World(World::Adjustment),
            ShortPick::Quarantine => Place::Stock(location, Status::Quarantined),
        }
    }
}

impl Fact for Picked {
    fn subjects(&self, each: &mut dyn FnMut(Subject<'_>)) {
        each(Subject::new(SubjectKind::Shipment, &self.shipment));
        each(Subject::new(SubjectKind::Order, &self.order));
        each(Subject::new(SubjectKind::Location, &self.location));
        self.lines.iter().for_each(|line| each(Subject::new(SubjectKind::Item, &line.sku)));
    }

    fn movements(&self, each: &mut dyn FnMut(Movement<'_>)) {
        let from = Place::Stock(&self.location, Status::Reserved);
        for PickedLine { sku, quantity, short, .. } in &self.lines {
            if quantity.is_positive() {
                let to = Place::Stock(&self.location, Status::Picked);
                each(Movement { sku, from, to, quantity: *quantity, parts: &[] });
            }
            if let Some(short) = short {
                let to = short.goes_to(&self.location);
                each(Movement { sku, from, to, quantity: short.quantity, parts: &short.cost });
            }
        }
    }

    fn postings(&self, each: &mut dyn FnMut(Posting<'_>)) {
        let (channel, order, country) = (Some(&self.channel), Some(&self.order), self.country.as_ref());
        for PickedLine { sku, short, .. } in &self.lines {
            let Some(short) = short else { continue };
            let value = short.cost.value();
            let debit = match short.outcome {
                ShortPick::Adjust => Posting::debit(Account::Shrinkage, value).at(&self.location).of(sku),
                ShortPick::Quarantine => {
                    Posting::inventory(&self.location, StatusGroup::Impaired, sku, value)
                }
            };
            let credit = Posting::inventory(&self.location, StatusGroup::Sellable, sku, value).reversed();
            each(debit.sold(channel, order, country));
            each(credit.sold(channel, order, country));
        }
    }

    fn apply(&self, ledger: &mut Ledger, at: &Moment) {
        let Some(shipment) = ledger.shipments.edit(&self.shipment) else { return };
        let (order, location) = (shipment.order, shipment.location);
        for line in &mut shipment.lines {
            let picked = self.lines.iter().find(|picked| picked.line == line.line);
            line.picked = picked.map_or(Quantity::ZERO, |picked| picked.quantity);
        }
        let anything = shipment.lines.iter().any(|line| line.picked.is_positive());
        shipment.state = if anything { ShipmentState::Picked } else { ShipmentState::Void };
        shipment.picked_at = Some(at.effective_at);
        for PickedLine { line, quantity, short, .. } in &self.lines {
            move_units(
                ledger,
                order,
                *line,
                (Bucket::Reserved(location), Bucket::Picked(location)),
                *quantity,
            );
            if let Some(short) = short {
                move_units(ledger, order, *line, (Bucket::Reserved(location), Bucket::Open), short.quantity);
            }
        }
    }
}

#[cfg(test)]
mod tests;
