//! A packed shipment leaves: goods go to the customer, and the invoice goes with them.

use bincode::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{PlannedLine, ShipmentState, contents, fulfillable, in_state, issue_each};
use crate::books::{
    Account, CostParts, Fact, Movement, Place, Posting, Status, StatusGroup, Subject, SubjectKind, World,
};
use crate::draft::Draft;
use crate::kinds::Action;
use crate::ledger::{Ledger, Moment};
use crate::orders::{self, Bucket, Invoice, draft_invoice, edit_line, move_units};
use crate::rejection::Rejection;
use crate::state::Row;
use crate::values::{
    Amount, ChannelId, CountryCode, CustomerId, LocationId, Name, NonNegativeAmount, OrderId, Quantity,
    ShipmentId, Sku,
};

/// Hands a packed shipment over to the carrier.
///
/// The order is completed when nothing of it is left before shipped. Where the channel's orders do not leave in parts, a
/// unit that still waits for stock holds the order, and so its shipments.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ship {
    /// The shipment.
    pub shipment: ShipmentId,
    /// Who carries it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier: Option<Name>,
    /// The carrier's tracking number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking: Option<Name>,
    /// What the carrier quoted for it.
    #[serde(default, skip_serializing_if = "NonNegativeAmount::is_zero")]
    pub freight: NonNegativeAmount,
}

/// A shipment left us.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct Shipped {
    /// The shipment.
    pub shipment: ShipmentId,
    /// Its order.
    pub order: OrderId,
    /// The order's channel.
    pub channel: ChannelId,
    /// Who ordered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer: Option<CustomerId>,
    /// Where the order goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<CountryCode>,
    /// Where it left from.
    pub location: LocationId,
    /// Who carries it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carrier: Option<Name>,
    /// The carrier's tracking number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracking: Option<Name>,
    /// What the carrier quoted for it.
    #[serde(skip_serializing_if = "NonNegativeAmount::is_zero")]
    pub freight: NonNegativeAmount,
    /// What left.
    pub lines: Vec<ShippedLine>,
    /// What the customer owes for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invoice: Option<Invoice>,
}

/// Units of an order line that left us.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct ShippedLine {
    /// The order's line.
    pub line: u16,
    /// The item.
    pub sku: Sku,
    /// Units.
    pub quantity: Quantity,
    /// What they cost us, in issue order.
    pub cost: CostParts,
}

impl Action for Ship {
    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Rejection> {
        let ledger = draft.ledger();
        let shipment = in_state(draft, &self.shipment, ShipmentState::Packed)?;
        let (order_row, at) = (shipment.order, shipment.location);
        let order_id = ledger.orders.id(order_row);
        let (_, order) = fulfillable(ledger, order_id)?;
        let parcel = contents(ledger, &shipment)?;
        let invoice = draft_invoice(ledger, order_row, &units(&parcel));
        let shipped = Shipped {
            shipment: self.shipment.clone(),
            order: order_id.clone(),
            channel: ledger.channels.id(order.channel).clone(),
            customer: order.customer.clone(),
            country: order.country().cloned(),
            location: ledger.locations.id(at).clone(),
            carrier: self.carrier.clone(),
            tracking: self.tracking.clone(),
            freight: self.freight,
            lines: with_costs(ledger, at, order_row, parcel)?,
            invoice,
        };
        draft.record(shipped);
        orders::complete_if_done(draft, order_row);
        Ok(())
    }
}

fn units(parcel: &[PlannedLine]) -> Vec<(u16, Quantity)> {
    parcel.iter().map(|line| (line.line, line.quantity)).collect()
}

fn with_costs(
    ledger: &Ledger,
    at: Row,
    order: Row,
    parcel: Vec<PlannedLine>,
) -> Result<Vec<ShippedLine>, Rejection> {
    let (id, order) = (ledger.orders.id(order), ledger.orders.get(order));
    let mut takes = Vec::with_capacity(parcel.len());
    for line in &parcel {
        takes.push((orders::line(id, &order, line.line)?.item, line.quantity));
    }
    let costs = issue_each(ledger, at, &takes);
    let shipped = parcel
        .into_iter()
        .zip(costs)
        .map(|(PlannedLine { line, sku, quantity }, cost)| ShippedLine { line, sku, quantity, cost });
    Ok(shipped.collect())
}

impl Fact for Shipped {
    fn subjects(&self, each: &mut dyn FnMut(Subject<'_>)) {
        each(Subject::new(SubjectKind::Shipment, &self.shipment));
        each(Subject::new(SubjectKind::Order, &self.order));
        each(Subject::new(SubjectKind::Location, &self.location));
        each(Subject::new(SubjectKind::Channel, &self.channel));
        self.customer.iter().for_each(|customer| each(Subject::new(SubjectKind::Customer, customer)));
        self.lines.iter().for_each(|line| each(Subject::new(SubjectKind::Item, &line.sku)));
    }

    fn movements(&self, each: &mut dyn FnMut(Movement<'_>)) {
        for ShippedLine { sku, quantity, cost, .. } in &self.lines {
            let from = Place::Stock(&self.location, Status::Packed);
            let to = Place::World(World::Customer);
            each(Movement { sku, from, to, quantity: *quantity, parts: cost });
        }
    }

    fn postings(&self, each: &mut dyn FnMut(Posting<'_>)) {
        let (channel, order, country) = (Some(&self.channel), Some(&self.order), self.country.as_ref());
        for ShippedLine { sku, cost, .. } in &self.lines {
            let value = cost.value();
            let sold = Posting::debit(Account::CostOfGoodsSold, value).at(&self.location).of(sku);
            let gone = Posting::inventory(&self.location, StatusGroup::Sellable, sku, value).reversed();
            each(sold.sold(channel, order, country));
            each(gone.sold(channel, order, country));
        }
        let freight: Amount = self.freight.get();
        each(Posting::debit(Account::FreightOut, freight).at(&self.location).sold(channel, order, country));
        each(
            Posting::credit(Account::AccruedFreight, freight)
                .at(&self.location)
                .sold(channel, order, country),
        );
        if let Some(invoice) = &self.invoice {
            invoice.postings(&self.order, &self.channel, country, each);
        }
    }

    fn apply(&self, ledger: &mut Ledger, at: &Moment) {
        let Some(shipment) = ledger.shipments.edit(&self.shipment) else { return };
        shipment.state = ShipmentState::Shipped;
        shipment.shipped_at = Some(at.effective_at);
        shipment.carrier = self.carrier.clone();
        shipment.tracking = self.tracking.clone();
        shipment.freight = self.freight.get();
        shipment.invoice = self.invoice.as_ref().map(|invoice| invoice.number.clone());
        let (order, location) = (shipment.order, shipment.location);
        for ShippedLine { line, quantity, cost, .. } in &self.lines {
            move_units(ledger, order, *line, (Bucket::Packed(location), Bucket::Shipped), *quantity);
            if let Some(line) = edit_line(ledger, order, *line) {
                line.issued.extend(cost);
            }
        }
        if let Some(invoice) = &self.invoice {
            invoice.apply(ledger, order);
        }
    }
}

#[cfg(test)]
mod tests;
