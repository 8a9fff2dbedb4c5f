//! Goods come back, as authorised or out of the blue.

use bincode::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::expire::no_longer_awaited;
use super::{Refusal, Return, ReturnLine, line_of, sized};
use crate::books::{
    Account, CostParts, Fact, Movement, Place, Posting, Status, StatusGroup, Subject, SubjectKind, World,
};
use crate::draft::Draft;
use crate::kinds::Action;
use crate::ledger::{Ledger, Moment};
use crate::orders::{self, edit_line};
use crate::rejection::Rejection;
use crate::state::Row;
use crate::stock::{self, CostSource};
use crate::values::{
    Amount, ChannelId, CountryCode, CustomerId, LocationId, Note, OrderId, PositiveQuantity, Price, Quantity,
    ReturnId, Sku,
};
use crate::{customers, items, locations};

/// Takes goods back, to be inspected.
///
/// Against an authorisation each line names the return's line; less may come than was authorised, and the rest may
/// follow to the same place. Anything over it, and any other item, comes as a blind return: a new id, lines by item.
/// A blind return may name the order as information; nothing is counted on the order's lines.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Receive {
    /// The authorised return, or the id of a blind one; assigned when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r#return: Option<ReturnId>,
    /// Where they came.
    pub location: LocationId,
    /// What came; one or more.
    pub lines: Vec<ReceiveLine>,
    /// The order, on a blind return.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderId>,
    /// Who sent them, on a blind return.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<CustomerId>,
    /// Where from, on a blind return.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<CountryCode>,
    /// What was said with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
}

/// Units that came.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReceiveLine {
    /// The return's line, where it is authorised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u16>,
    /// The item, where it came blind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<Sku>,
    /// Units.
    pub quantity: PositiveQuantity,
    /// What a unit cost, for a blind return of an item of which the ledger knows no cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_cost: Option<Price>,
}

/// Goods came back and wait for inspection.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct Received {
    /// The return.
    pub r#return: ReturnId,
    /// True where nobody had authorised it.
    pub blind: bool,
    /// Where they came.
    pub location: LocationId,
    /// The order they were shipped for, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderId>,
    /// The order's channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelId>,
    /// Who sent them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer: Option<CustomerId>,
    /// Where from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<CountryCode>,
    /// What came.
    pub lines: Vec<ReceivedLine>,
    /// What was said with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
}

/// Units that came.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct ReceivedLine {
    /// The return's line.
    pub line: u16,
    /// The order's line they were shipped on, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_line: Option<u16>,
    /// The item.
    pub sku: Sku,
    /// Units.
    pub quantity: Quantity,
    /// What they cost us.
    pub cost: CostParts,
    /// How that is known.
    pub cost_source: CostSource,
}

impl Action for Receive {
    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Rejection> {
        let id = draft.id_or_assigned(self.r#return.as_ref());
        let ledger = draft.ledger();
        let at = locations::known(ledger, &self.location)?;
        sized(self.lines.len())?;
        let by_line = self.lines.iter().any(|line| line.line.is_some());
        let received = match ledger.returns.find(&id) {
            Some(authorised) => self.as_authorised(ledger, id, authorised, at)?,
            None if by_line => return Err(Refusal::UnknownReturn { rma: id }.into()),
            None => self.blind(draft, id, at)?,
        };
        draft.record(received);
        Ok(())
    }
}

impl Receive {
    fn as_authorised(
        &self,
        ledger: &Ledger,
        id: ReturnId,
        authorised: &Return,
        at: Row,
    ) -> Result<Received, Rejection> {
        let (Some(order_row), Some(_)) = (authorised.order, authorised.authorised_at) else {
            return Err(Refusal::ReturnExists { rma: id }.into());
        };
        if let Some(earlier) = authorised.location.filter(|earlier| *earlier != at) {
            let location = ledger.locations.id(earlier).clone();
            return Err(Refusal::ReturnElsewhere { rma: id, location }.into());
        }
        let order_id = ledger.orders.id(order_row).clone();
        if self.order.as_ref().is_some_and(|order| *order != order_id) {
            return Err(Refusal::ReturnOfAnotherOrder { rma: id, order: order_id }.into());
        }
        let order = ledger.orders.get(order_row);
        let mut lines: Vec<ReceivedLine> = Vec::with_capacity(self.lines.len());
        for came in &self.lines {
            let found = came.authorised_line(ledger, &id, authorised)?;
            if lines.iter().any(|earlier| earlier.line == found.number) {
                return Err(Refusal::LineTwice { line: found.number }.into());
            }
            let (sku, quantity) = (ledger.items.sku(found.item).clone(), came.quantity.get());
            if quantity > found.awaited() {
                return Err(Refusal::MoreThanAuthorised {
                    rma: id,
                    sku,
                    authorised: found.authorised,
                    received: found.received,
                    wanted: quantity,
                }
                .into());
            }
            let shipped = found.order_line.and_then(|line| order.line(line));
            let cost = shipped.map_or_else(CostParts::default, |(_, line)| {
                CostParts::of_issue(&line.issued, line.returned(), quantity)
            });
            let (line, order_line, cost_source) = (found.number, found.order_line, CostSource::Issue);
            lines.push(ReceivedLine { line, order_line, sku, quantity, cost, cost_source });
        }
        Ok(Received {
            r#return: id,
            blind: false,
            location: self.location.clone(),
            order: Some(order_id),
            channel: Some(ledger.channels.id(order.channel).clone()),
            customer: authorised.customer.clone(),
            country: authorised.country.clone(),
            lines,
            note: self.note.clone(),
        })
    }

    fn blind(&self, draft: &Draft<'_>, id: ReturnId, at: Row) -> Result<Received, Rejection> {
        let (ledger, now) = (draft.ledger(), draft.context().moment.effective_at);
        let order = match &self.order {
            Some(order) => Some(orders::known(ledger, order)?.1),
            None => None,
        };
        if let Some(customer) = &self.customer {
            customers::known(ledger, customer)?;
        }
        let mut lines = Vec::with_capacity(self.lines.len());
        for (came, line) in self.lines.iter().zip(1..) {
            let Some(sku) = &came.sku else { return Err(Refusal::ItemNotNamed { line }.into()) };
            let (item, _) = items::stocked(ledger, sku)?;
            let (quantity, pool) = (came.quantity.get(), (at, StatusGroup::Inspection));
            let (cost, cost_source) =
                stock::cost_of_found(ledger, (item, sku), pool, quantity, came.unit_cost, now)?;
            let earlier = lines.iter().filter(|line: &&ReceivedLine| line.sku == *sku);
            let units = quantity + earlier.map(|line| line.quantity).sum();
            let place = (at, &self.location);
            stock::require_room(ledger, (item, sku), place, Status::Inspection, (units, cost.value()))?;
            let sku = sku.clone();
            lines.push(ReceivedLine { line, order_line: None, sku, quantity, cost, cost_source });
        }
        Ok(Received {
            r#return: id,
            blind: true,
            location: self.location.clone(),
            order: self.order.clone(),
            channel: order.as_ref().map(|order| ledger.channels.id(order.channel).clone()),
            customer: self.customer.clone().or_else(|| order.as_ref()?.customer.clone()),
            country: self.country.clone().or_else(|| order.as_ref()?.country().cloned()),
            lines,
            note: self.note.clone(),
        })
    }
}

impl ReceiveLine {
    /// The line of the authorised return that the units belong to: by its number, or by the item.
    fn authorised_line<'r>(
        &self,
        ledger: &Ledger,
        id: &ReturnId,
        authorised: &'r Return,
    ) -> Result<&'r ReturnLine, Refusal> {
        let of_item = |sku: &Sku| {
            let item = ledger.items.row(sku);
            authorised.lines.iter().find(|line| Some(line.item) == item)
        };
        let found = match (self.line, &self.sku) {
            (Some(line), None) => return line_of(id, authorised, line),
            (None, None) => return Err(Refusal::LineNotNamed { rma: id.clone() }),
            (Some(line), Some(sku)) => {
                let found = line_of(id, authorised, line)?;
                (found, sku, Some(found.item) == ledger.items.row(sku))
            }
            (None, Some(sku)) => match of_item(sku) {
                Some(found) => (found, sku, true),
                None => return Err(self.not_authorised(id, sku)),
            },
        };
        let (line, sku, is_the_item) = found;
        if is_the_item { Ok(line) } else { Err(self.not_authorised(id, sku)) }
    }

    fn not_authorised(&self, id: &ReturnId, sku: &Sku) -> Refusal {
        Refusal::MoreThanAuthorised {
            rma: id.clone(),
            sku: sku.clone(),
            authorised: Quantity::ZERO,
            received: Quantity::ZERO,
            wanted: self.quantity.get(),
        }
    }
}

impl Fact for Received {
    fn subjects(&self, each: &mut dyn FnMut(Subject<'_>)) {
        each(Subject::new(SubjectKind::Return, &self.r#return));
        self.order.iter().for_each(|order| each(Subject::new(SubjectKind::Order, order)));
        self.customer.iter().for_each(|customer| each(Subject::new(SubjectKind::Customer, customer)));
        each(Subject::new(SubjectKind::Location, &self.location));
        self.lines.iter().for_each(|line| each(Subject::new(SubjectKind::Item, &line.sku)));
    }

    fn movements(&self, each: &mut dyn FnMut(Movement<'_>)) {
        for ReceivedLine { sku, quantity, cost, .. } in &self.lines {
            let from = Place::World(World::Customer);
            let to = Place::Stock(&self.location, Status::Inspection);
            each(Movement { sku, from, to, quantity: *quantity, parts: cost });
        }
    }

    fn postings(&self, each: &mut dyn FnMut(Posting<'_>)) {
        let (channel, order, country) = (self.channel.as_ref(), self.order.as_ref(), self.country.as_ref());
        for ReceivedLine { sku, cost, .. } in &self.lines {
            let value = cost.value();
            let back = Posting::inventory(&self.location, StatusGroup::Inspection, sku, value);
            let unsold = Posting::credit(Account::CostOfGoodsSold, value).at(&self.location).of(sku);
            each(back.sold(channel, order, country));
            each(unsold.sold(channel, order, country));
        }
    }

    fn apply(&self, ledger: &mut Ledger, at: &Moment) {
        let order = self.order.as_ref().and_then(|order| ledger.orders.row(order));
        let location = ledger.locations.row(&self.location);
        if self.blind {
            ledger.returns.add(self.r#return.clone(), self.new_return(ledger, order, at));
        }
        for ReceivedLine { order_line, quantity, .. } in &self.lines {
            let (Some(order), Some(line)) = (order, order_line) else { continue };
            if let Some(line) = edit_line(ledger, order, *line) {
                let after_sale = line.after_sale_mut();
                after_sale.return_authorised -= *quantity;
                after_sale.returned += *quantity;
            }
        }
        ledger.returns.change(&self.r#return, at.effective_at, |changed| {
            changed.location = location;
            changed.received_at = Some(at.effective_at);
            for ReceivedLine { line, quantity, .. } in &self.lines {
                let lines = &mut changed.lines;
                lines.iter_mut().filter(|to| to.number == *line).for_each(|to| to.received += *quantity);
            }
        });
        no_longer_awaited(ledger, &self.r#return);
    }
}

impl Received {
    fn new_return(&self, ledger: &Ledger, order: Option<Row>, at: &Moment) -> Return {
        let lines = self.lines.iter().filter_map(|line| {
            let item = ledger.items.row(&line.sku)?;
            Some(ReturnLine::new(line.line, None, item, Quantity::ZERO))
        });
        Return {
            order,
            customer: self.customer.clone(),
            country: self.country.clone(),
            reason: None,
            location: None,
            lines: lines.collect(),
            authorised_at: None,
            received_at: None,
            expires_at: None,
            stage_since: at.effective_at,
            refunded_units: Quantity::ZERO,
            refunded: Amount::ZERO,
        }
    }
}

#[cfg(test)]
mod tests;
