//! An order as the ledger holds it.

use bincode::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{HoldLimitAction, OrderLine};
use crate::codes;
use crate::state::{Few, Rests, Row};
use crate::values::{
    Amount, Charge, CountryCode, CustomerId, Jurisdiction, NonNegativeAmount, Note, Quantity, Timestamp,
};

codes! {
    /// Where an order is in its life. That it is held stands beside it: `holds` is not empty.
    pub enum OrderState {
        /// Placed, not yet permitted to be fulfilled.
        Captured = 1 "captured",
        /// Permitted to be fulfilled.
        Released = 2 "released",
        /// A shipment of it was planned.
        InFulfilment = 3 "in_fulfilment",
        /// Nothing is left before shipped.
        Completed = 4 "completed",
        /// Put away.
        Closed = 5 "closed",
        /// Nothing of it was or will be shipped.
        Cancelled = 6 "cancelled",
    }
}

codes! {
    /// Why an order may not be released.
    pub enum HoldReason {
        /// It is to be paid first.
        Payment = 1 "payment",
        /// It looks like fraud.
        Fraud = 2 "fraud",
        /// The customer is blocked or in doubt.
        Customer = 3 "customer",
        /// The address cannot be delivered to.
        Address = 4 "address",
        /// No shipping method fits.
        ShippingMethod = 5 "shipping_method",
        /// The tax does not add up.
        Tax = 6 "tax",
        /// Over the credit limit.
        Credit = 7 "credit",
        /// Not all of it is there, and it may not leave in parts.
        Stock = 8 "stock",
        /// An item may not go there.
        RestrictedItem = 9 "restricted_item",
        /// It earns too little.
        Margin = 10 "margin",
        /// It is worth more than may go unseen.
        Value = 11 "value",
        /// It looks like another order.
        Duplicate = 12 "duplicate",
        /// A rule of the channel.
        ChannelRule = 13 "channel_rule",
        /// Somebody said so.
        Manual = 14 "manual",
    }
}

/// Where an order goes, without any personal data.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Destination {
    /// Country.
    pub country: CountryCode,
    /// Region or state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<CountryCode>,
    /// Postal area (not the full address).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_area: Option<CountryCode>,
}

/// The tax of a line in one jurisdiction, as the channel sent it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LineTax {
    /// Who levies it.
    pub jurisdiction: Jurisdiction,
    /// For the whole line.
    pub amount: NonNegativeAmount,
}

/// Why an order is held, and since when.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct OrderHold {
    /// The reason.
    pub reason: HoldReason,
    /// Since when, in log time.
    pub since: Timestamp,
    /// What was said with it.
    pub note: Option<Note>,
    /// When it will have stood for as long as it may, and what becomes of the order then; none without a limit, or after
    /// it was reached.
    pub limit: Option<(Timestamp, HoldLimitAction)>,
}

/// A charge of an order: shipping, gift wrap, a fee, a service.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct OrderCharge {
    /// Its number on the order, from 1.
    pub number: u16,
    /// What it is for.
    pub kind: Charge,
    /// What stands on the invoice.
    pub description: Option<Note>,
    /// Without tax.
    pub amount: Amount,
    /// Its taxes.
    pub taxes: Box<[LineTax]>,
    /// Whether an invoice has it.
    pub invoiced: bool,
    /// What of amount and taxes was granted back.
    pub refunded: Amount,
}

impl OrderCharge {
    /// Amount and taxes.
    pub fn total(&self) -> Amount {
        self.amount + self.taxes.iter().map(|tax| tax.amount.get()).sum()
    }
}

/// An order.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Order {
    /// The channel it came from.
    pub channel: Row,
    /// Who ordered.
    pub customer: Option<CustomerId>,
    /// Where it goes.
    pub destination: Option<Destination>,
    /// Where it is in its life.
    pub state: OrderState,
    /// Why it may not be released; empty when nothing holds it.
    pub holds: Few<OrderHold>,
    /// 0 (first) to 9 (last): who gets arriving stock.
    pub priority: u8,
    /// When it was placed, in effective time.
    pub placed_at: Timestamp,
    /// To be shipped until.
    pub ship_by: Option<Timestamp>,
    /// To be delivered until.
    pub deliver_by: Option<Timestamp>,
    /// What was ordered.
    pub lines: Box<[OrderLine]>,
    /// What is charged beside the goods.
    pub charges: Box<[OrderCharge]>,
    /// What its invoices sum to.
    pub invoiced: Amount,
}

impl Order {
    /// What the whole order is worth: lines and charges with discount and tax.
    pub fn total(&self) -> Amount {
        self.lines.iter().map(OrderLine::total).sum::<Amount>()
            + self.charges.iter().map(OrderCharge::total).sum::<Amount>()
    }

    /// The line under a number, with its place.
    pub fn line(&self, number: u16) -> Option<(usize, &OrderLine)> {
        let place = self.place_of(number)?;
        Some((place, &self.lines[place]))
    }

    /// The place of the line under a number: lines are numbered by place unless the caller numbers them.
    pub(super) fn place_of(&self, number: u16) -> Option<usize> {
        let usual = usize::from(number).checked_sub(1)?;
        if self.lines.get(usual).is_some_and(|line| line.number == number) {
            return Some(usual);
        }
        self.lines.iter().position(|line| line.number == number)
    }

    /// What is still to be paid for altogether, paid or not: the whole order without what was cancelled or refused, by
    /// the part rule. An order that was cancelled as a whole is worth nothing; its charges go with its goods.
    pub fn payable(&self) -> Amount {
        if self.state == OrderState::Cancelled {
            return Amount::ZERO;
        }
        self.lines.iter().map(OrderLine::payable).sum::<Amount>()
            + self.charges.iter().map(OrderCharge::total).sum::<Amount>()
    }

    /// Units that are neither shipped nor cancelled.
    pub fn before_shipped(&self) -> Quantity {
        self.lines.iter().map(OrderLine::before_shipped).sum()
    }

    /// Units that ever left: shipped, delivered or lost.
    pub fn left_us(&self) -> Quantity {
        self.lines.iter().map(OrderLine::left_us).sum()
    }

    /// Units that wait for stock: open and backordered.
    pub fn waiting(&self) -> Quantity {
        self.lines.iter().map(|line| line.open() + line.backordered()).sum()
    }

    /// True while this reason holds it.
    pub fn is_held_for(&self, reason: HoldReason) -> bool {
        self.holds.iter().any(|hold| hold.reason == reason)
    }

    /// The country it goes to.
    pub fn country(&self) -> Option<&CountryCode> {
        self.destination.as_ref().map(|destination| &destination.country)
    }

    /// True while anything of it may still be shipped.
    pub fn is_open(&self) -> bool {
        matches!(self.state, OrderState::Captured | OrderState::Released | OrderState::InFulfilment)
    }
}

/// What ended is kept packed: at the most it is put away, invoiced, or comes back in part.
impl Rests for Order {
    fn rests(&self) -> bool {
        !self.is_open()
    }
}
