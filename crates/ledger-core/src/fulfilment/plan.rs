//! A shipment is planned: what of an order leaves together from one location.

use bincode::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Refusal, Shipment, ShipmentLine, ShipmentState, fulfillable};
use crate::books::{Fact, Subject, SubjectKind};
use crate::channels::PartialShipment;
use crate::draft::Draft;
use crate::kinds::Action;
use crate::ledger::{Ledger, Moment};
use crate::orders::{Bucket, Order, OrderLine};
use crate::rejection::Rejection;
use crate::state::Row;
use crate::values::{Amount, LocationId, OrderId, PositiveQuantity, Quantity, ShipmentId, Sku};
use crate::{locations, orders};

/// Plans a shipment of what is reserved for an order at one location.
///
/// Where the channel's orders do not leave in parts, nothing may stay behind: all that is reserved here goes, and all
/// else of the order is reserved at another location (which ships its own parcel) or in another open shipment.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The shipment's id; assigned when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipment: Option<ShipmentId>,
    /// The order.
    pub order: OrderId,
    /// Where it leaves from; by default the first location with something reserved that no open shipment has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<LocationId>,
    /// What goes; by default all that is reserved there and in no open shipment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<Vec<PlanLine>>,
}

/// Units of an order line that go with the shipment.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanLine {
    /// The order's line.
    pub line: u16,
    /// Units.
    pub quantity: PositiveQuantity,
}

/// A shipment was planned.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct Planned {
    /// The shipment.
    pub shipment: ShipmentId,
    /// The order.
    pub order: OrderId,
    /// Where it leaves from.
    pub location: LocationId,
    /// What goes with it.
    pub lines: Vec<PlannedLine>,
}

/// Units of an order line to be picked.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct PlannedLine {
    /// The order's line.
    pub line: u16,
    /// The item.
    pub sku: Sku,
    /// Units.
    pub quantity: Quantity,
}

impl Action for Plan {
    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Rejection> {
        let shipment = draft.id_or_assigned(self.shipment.as_ref());
        let ledger = draft.ledger();
        if ledger.shipments.row(&shipment).is_some() {
            return Err(Refusal::ShipmentExists { shipment }.into());
        }
        let (order_row, order) = fulfillable(ledger, &self.order)?;
        let at = match &self.location {
            Some(location) => locations::known(ledger, location)?,
            None => self.first_location(ledger, order_row, &order)?,
        };
        let lines = match &self.lines {
            Some(wanted) => self.chosen(ledger, (order_row, &order), at, wanted)?,
            None => order
                .lines
                .iter()
                .map(|line| (line, plannable(ledger, order_row, line, at)))
                .filter(|(_, units)| units.is_positive())
                .collect(),
        };
        if lines.is_empty() {
            let order = self.order.clone();
            return Err(Refusal::NothingToShip { order, location: self.location.clone() }.into());
        }
        self.nothing_stays_behind(ledger, (order_row, &order), at, &lines)?;
        let location = ledger.locations.id(at).clone();
        let lines = lines
            .into_iter()
            .map(|(line, quantity)| PlannedLine {
                line: line.number,
                sku: ledger.items.sku(line.item).clone(),
                quantity,
            })
            .collect();
        draft.record(Planned { shipment, order: self.order.clone(), location, lines });
        Ok(())
    }
}

impl Plan {
    fn first_location(&self, ledger: &Ledger, order_row: Row, order: &Order) -> Result<Row, Refusal> {
        let places = order.lines.iter().flat_map(|line| line.at().map(move |at| (line, at.location)));
        places
            .filter(|(line, at)| plannable(ledger, order_row, line, *at).is_positive())
            .map(|(_, at)| at)
            .next()
            .ok_or_else(|| Refusal::NothingToShip { order: self.order.clone(), location: None })
    }

    fn chosen<'o>(
        &self,
        ledger: &Ledger,
        (order_row, order): (Row, &'o Order),
        at: Row,
        wanted: &[PlanLine],
    ) -> Result<Vec<(&'o OrderLine, Quantity)>, Rejection> {
        let mut chosen: Vec<(&OrderLine, Quantity)> = Vec::with_capacity(wanted.len());
        for PlanLine { line, quantity } in wanted {
            let found = orders::line(&self.order, order, *line)?;
            if chosen.iter().any(|(earlier, _)| earlier.number == *line) {
                return Err(Refusal::LineTwice { line: *line }.into());
            }
            let (free, wanted) = (plannable(ledger, order_row, found, at), quantity.get());
            if wanted > free {
                let (order, location) = (self.order.clone(), ledger.locations.id(at).clone());
                return Err(Refusal::NotEnoughReserved { order, line: *line, location, free, wanted }.into());
            }
            chosen.push((found, wanted));
        }
        Ok(chosen)
    }

    fn nothing_stays_behind(
        &self,
        ledger: &Ledger,
        (order_row, order): (Row, &Order),
        at: Row,
        lines: &[(&OrderLine, Quantity)],
    ) -> Result<(), Refusal> {
        if ledger.channels.get(order.channel).partial_shipment == PartialShipment::Allowed {
            return Ok(());
        }
        for line in &order.lines {
            let goes = lines.iter().filter(|(going, _)| going.number == line.number).map(|(_, units)| *units);
            let stays_here = plannable(ledger, order_row, line, at) - goes.sum();
            let left_behind = line.open() + line.backordered() + stays_here;
            if left_behind.is_positive() {
                return Err(Refusal::PartialShipmentDenied {
                    order: self.order.clone(),
                    channel: ledger.channels.id(order.channel).clone(),
                    line: line.number,
                    left_behind,
                });
            }
        }
        Ok(())
    }
}

/// Units of a line that are reserved at a location and not yet in a shipment that waits to be picked there.
fn plannable(ledger: &Ledger, order: Row, line: &OrderLine, at: Row) -> Quantity {
    let waiting = ledger
        .shipments
        .of_order(order)
        .filter(|(_, shipment)| shipment.location == at && shipment.state == ShipmentState::Planned);
    let planned: Quantity = waiting.map(|(_, shipment)| shipment.units(line.number)).sum();
    (line.quantity(Bucket::Reserved(at)) - planned).max(Quantity::ZERO)
}

impl Fact for Planned {
    fn subjects(&self, each: &mut dyn FnMut(Subject<'_>)) {
        each(Subject::new(SubjectKind::Shipment, &self.shipment));
        each(Subject::new(SubjectKind::Order, &self.order));
        each(Subject::new(SubjectKind::Location, &self.location));
    }

    fn apply(&self, ledger: &mut Ledger, at: &Moment) {
        let (Some(order), Some(location)) =
            (ledger.orders.row(&self.order), ledger.locations.row(&self.location))
        else {
            return;
        };
        let lines = self.lines.iter().map(|line| ShipmentLine {
            line: line.line,
            planned: line.quantity,
            picked: Quantity::ZERO,
        });
        let shipment = Shipment {
            order,
            location,
            state: ShipmentState::Planned,
            lines: lines.collect(),
            planned_at: at.effective_at,
            picked_at: None,
            packed_at: None,
            shipped_at: None,
            delivered_at: None,
            carrier: None,
            tracking: None,
            freight: Amount::ZERO,
            invoice: None,
        };
        ledger.shipments.add(self.shipment.clone(), shipment);
        orders::enter_fulfilment(ledger, order);
    }
}

#[cfg(test)]
mod tests;
