//! An order comes in.

use std::num::NonZeroU16;

use bincode::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::{Destination, LineTax, Order, OrderCharge, OrderLine, OrderState, Refusal, holds, promise};
use crate::books::{Fact, Subject, SubjectKind};
use crate::draft::Draft;
use crate::kinds::Action;
use crate::ledger::{Ledger, Moment};
use crate::rejection::Rejection;
use crate::state::Few;
use crate::values::{
    Amount, ChannelId, Charge, CustomerId, NonNegativeAmount, Note, OrderId, PositiveQuantity, Price,
    Quantity, Sku, Timestamp,
};
use crate::{channels, customers, items};

/// Lines and charges of one order.
pub const LINES_MAX: usize = 1000;

/// Takes an order in: reserves what is available at the channel's locations, backorders or refuses the rest by the
/// channel's policy, and releases it at once when nothing holds it.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// As its channel numbers it; assigned when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderId>,
    /// The channel it came from.
    pub channel: ChannelId,
    /// Who ordered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<CustomerId>,
    /// Where it goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<Destination>,
    /// To be shipped until.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ship_by: Option<Timestamp>,
    /// To be delivered until.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deliver_by: Option<Timestamp>,
    /// 0 (first) to 9 (last), 5 when absent: who gets arriving stock.
    #[serde(default = "usual_priority", deserialize_with = "priority")]
    #[schemars(range(min = 0, max = 9))]
    pub priority: u8,
    /// Goods. May be empty where something is charged.
    #[serde(default)]
    pub lines: Vec<PlaceLine>,
    /// Shipping, gift wrap, fees and services.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub charges: Vec<PlaceCharge>,
}

/// Goods that are ordered.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlaceLine {
    /// Its number, from 1; its position when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<NonZeroU16>,
    /// The item.
    pub sku: Sku,
    /// Units.
    pub quantity: PositiveQuantity,
    /// Price of a unit, without discount and tax.
    pub price: Price,
    /// Discount on the whole line.
    #[serde(default, skip_serializing_if = "NonNegativeAmount::is_zero")]
    pub discount: NonNegativeAmount,
    /// Taxes on the whole line, as the channel calculated them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taxes: Vec<LineTax>,
}

/// What is charged beside the goods.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlaceCharge {
    /// Its number, from 1; its position when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charge: Option<NonZeroU16>,
    /// What it is for: shipping, gift_wrap, fee, service …
    pub kind: Charge,
    /// What stands on the invoice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Note>,
    /// Without tax.
    pub amount: NonNegativeAmount,
    /// Its taxes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taxes: Vec<LineTax>,
}

fn usual_priority() -> u8 {
    5
}

fn priority<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
    let found = u64::deserialize(deserializer)?;
    u8::try_from(found).ok().filter(|priority| *priority <= 9).ok_or_else(|| {
        serde::de::Error::custom(format!("wanted a priority of 0 (first) to 9 (last), found {found}"))
    })
}

/// An order came in: what was ordered at which price. What was promised of it follows in the same entry.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct Placed {
    /// Its id.
    pub order: OrderId,
    /// The channel it came from.
    pub channel: ChannelId,
    /// Who ordered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer: Option<CustomerId>,
    /// Where it goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination: Option<Destination>,
    /// To be shipped until.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ship_by: Option<Timestamp>,
    /// To be delivered until.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deliver_by: Option<Timestamp>,
    /// 0 (first) to 9 (last): who gets arriving stock.
    pub priority: u8,
    /// Goods.
    pub lines: Vec<PlacedLine>,
    /// Shipping, gift wrap, fees and services.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub charges: Vec<PlacedCharge>,
}

/// Goods that were ordered.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct PlacedLine {
    /// Its number on the order.
    pub line: u16,
    /// The item.
    pub sku: Sku,
    /// Units.
    pub quantity: Quantity,
    /// Price of a unit, without discount and tax.
    pub price: Price,
    /// price × quantity, rounded once.
    pub gross: Amount,
    /// Discount on the whole line.
    pub discount: Amount,
    /// Taxes on the whole line.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub taxes: Vec<LineTax>,
}

/// What was charged beside the goods.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct PlacedCharge {
    /// Its number on the order.
    pub charge: u16,
    /// What it is for.
    pub kind: Charge,
    /// What stands on the invoice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<Note>,
    /// Without tax.
    pub amount: Amount,
    /// Its taxes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub taxes: Vec<LineTax>,
}

impl Action for Place {
    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Rejection> {
        let order = draft.id_or_assigned(self.order.as_ref());
        let ledger = draft.ledger();
        if ledger.orders.row(&order).is_some() {
            return Err(Refusal::OrderExists { order }.into());
        }
        super::not_archived(ledger, &order)?;
        channels::known(ledger, &self.channel)?;
        if let Some(customer) = &self.customer {
            customers::known(ledger, customer)?;
        }
        self.check_size(&order)?;
        self.check_promise(&order)?;
        let lines = self.priced_lines(ledger, &order)?;
        let charges = self.numbered_charges(&order)?;
        let placed = Placed {
            order,
            channel: self.channel.clone(),
            customer: self.customer.clone(),
            destination: self.destination.clone(),
            ship_by: self.ship_by,
            deliver_by: self.deliver_by,
            priority: self.priority,
            lines,
            charges,
        };
        let (order, lines) = (placed.order.clone(), placed.lines.len());
        placed.check_total()?;
        draft.record(placed);
        let row = draft.ledger().orders.row(&order).expect("it was placed just now");
        promise::promise(draft, row, 0..lines);
        holds::hold_or_release(draft, row);
        Ok(())
    }
}

impl Place {
    fn check_size(&self, order: &OrderId) -> Result<(), Refusal> {
        let lines = self.lines.len() + self.charges.len();
        if lines == 0 {
            return Err(Refusal::NothingOrdered { order: order.clone() });
        }
        if lines > LINES_MAX {
            return Err(Refusal::DocumentTooLarge { order: order.clone(), lines, lines_max: LINES_MAX });
        }
        Ok(())
    }

    fn check_promise(&self, order: &OrderId) -> Result<(), Refusal> {
        match (self.ship_by, self.deliver_by) {
            (Some(ship_by), Some(deliver_by)) if deliver_by < ship_by => {
                Err(Refusal::DeliverByBeforeShipBy { order: order.clone(), ship_by, deliver_by })
            }
            _ => Ok(()),
        }
    }

    fn priced_lines(&self, ledger: &Ledger, order: &OrderId) -> Result<Vec<PlacedLine>, Rejection> {
        let numbers = numbers(self.lines.iter().map(|line| line.line));
        if let Some(line) = first_twice(&numbers) {
            return Err(Refusal::LineTwice { order: order.clone(), line }.into());
        }
        let mut lines = Vec::with_capacity(self.lines.len());
        for (number, line) in numbers.into_iter().zip(&self.lines) {
            items::active_stocked(ledger, &line.sku)?;
            let (quantity, discount) = (line.quantity.get(), line.discount.get());
            let out_of_range = || Refusal::AmountOutOfRange { order: order.clone() };
            let gross = line.price.times(quantity).ok_or_else(out_of_range)?;
            if discount > gross {
                let order = order.clone();
                return Err(Refusal::DiscountOverGross { order, line: number, discount, gross }.into());
            }
            lines.push(PlacedLine {
                line: number,
                sku: line.sku.clone(),
                quantity,
                price: line.price,
                gross,
                discount,
                taxes: line.taxes.clone(),
            });
        }
        Ok(lines)
    }

    fn numbered_charges(&self, order: &OrderId) -> Result<Vec<PlacedCharge>, Refusal> {
        let numbers = numbers(self.charges.iter().map(|charge| charge.charge));
        if let Some(charge) = first_twice(&numbers) {
            return Err(Refusal::ChargeTwice { order: order.clone(), charge });
        }
        let charges = numbers.into_iter().zip(&self.charges).map(|(number, charge)| PlacedCharge {
            charge: number,
            kind: charge.kind.clone(),
            description: charge.description.clone(),
            amount: charge.amount.get(),
            taxes: charge.taxes.clone(),
        });
        Ok(charges.collect())
    }
}

/// The numbers given, and the position where none is given.
fn numbers(given: impl Iterator<Item = Option<NonZeroU16>>) -> SmallVec<[u16; 8]> {
    (1..).zip(given).map(|(position, given)| given.map_or(position, NonZeroU16::get)).collect()
}

fn first_twice(numbers: &[u16]) -> Option<u16> {
    if numbers.is_sorted_by(|a, b| a < b) {
        return None;
    }
    let mut sorted = SmallVec::<[u16; 8]>::from_slice(numbers);
    sorted.sort_unstable();
    sorted.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
}

impl Placed {
    fn check_total(&self) -> Result<(), Refusal> {
        let taxes = |taxes: &[LineTax]| taxes.iter().map(|tax| tax.amount.get()).sum::<Amount>();
        let lines: Amount =
            self.lines.iter().map(|line| line.gross - line.discount + taxes(&line.taxes)).sum();
        let charges: Amount = self.charges.iter().map(|charge| charge.amount + taxes(&charge.taxes)).sum();
        match Amount::ZERO.checked_add(lines).and_then(|lines| lines.checked_add(charges)) {
            Some(_) => Ok(()),
            None => Err(Refusal::AmountOutOfRange { order: self.order.clone() }),
        }
    }
}

impl Fact for Placed {
    fn subjects(&self, each: &mut dyn FnMut(Subject<'_>)) {
        each(Subject::new(SubjectKind::Order, &self.order));
        each(Subject::new(SubjectKind::Channel, &self.channel));
        if let Some(customer) = &self.customer {
            each(Subject::new(SubjectKind::Customer, customer));
        }
    }

    fn apply(&self, ledger: &mut Ledger, at: &Moment) {
        let Some(channel) = ledger.channels.table.row(&self.channel) else { return };
        let mut lines = Vec::with_capacity(self.lines.len());
        lines.extend(self.lines.iter().filter_map(|line| {
            let item = ledger.items.row(&line.sku)?;
            Some(OrderLine::placed(line, item))
        }));
        let charges = self.charges.iter().map(|charge| OrderCharge {
            number: charge.charge,
            kind: charge.kind.clone(),
            description: charge.description.clone(),
            amount: charge.amount,
            taxes: charge.taxes.as_slice().into(),
            invoiced: false,
            refunded: Amount::ZERO,
        });
        let order = Order {
            channel,
            customer: self.customer.clone(),
            destination: self.destination.clone(),
            state: OrderState::Captured,
            holds: Few::default(),
            priority: self.priority,
            placed_at: at.effective_at,
            ship_by: self.ship_by,
            deliver_by: self.deliver_by,
            lines: lines.into_boxed_slice(),
            charges: charges.collect(),
            invoiced: Amount::ZERO,
        };
        ledger.orders.table.insert(self.order.clone(), order);
    }
}

#[cfg(test)]
mod tests;
