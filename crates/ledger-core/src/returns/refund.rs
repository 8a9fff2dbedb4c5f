//! A refund is granted: the customer has a claim, which a payment pays.

use bincode::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::grant::Grant;
use super::{Refusal, Return, known, within_limit};
use crate::draft::Draft;
use crate::kinds::Action;
use crate::ledger::Ledger;
use crate::rejection::Rejection;
use crate::state::Row;
use crate::values::{
    ChannelId, Charge, CountryCode, CustomerId, NonNegativeAmount, Note, OrderId, PositiveAmount,
    PositiveQuantity, ReasonCode, RefundId, ReturnId, Sku,
};
use crate::{channels, customers, orders};

/// Grants a refund, whether or not anything came back.
///
/// Of an order: by its lines and charges, units that left us out of what was invoiced and units that were cancelled out
/// of what was paid for them, never more than that. Cancelled units come first unless a return is named. An unpaid
/// invoice is settled first; the rest is a claim on refunds payable. An unreferenced refund names no order: items and
/// kinds of charges, a channel, amounts, and its own reason.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Refund {
    /// The refund's id; assigned when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund: Option<RefundId>,
    /// The return it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r#return: Option<ReturnId>,
    /// The order; by default that of the authorised return. Unreferenced without either.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderId>,
    /// The channel, where no order says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelId>,
    /// Whose it is, where no order or return says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<CustomerId>,
    /// Where the goods went, where no order or return says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<CountryCode>,
    /// Goods.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<RefundLine>,
    /// Charges.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub charges: Vec<RefundCharge>,
    /// What we keep of it for taking goods back.
    #[serde(default, skip_serializing_if = "NonNegativeAmount::is_zero")]
    pub restocking_fee: NonNegativeAmount,
    /// Why.
    pub reason: ReasonCode,
    /// What was said with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
}

/// Goods that are refunded.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RefundLine {
    /// The order's line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u16>,
    /// The item, where no order line says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<Sku>,
    /// Units; absent for an allowance on goods that the customer keeps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<PositiveQuantity>,
    /// With tax; by default what the units were sold for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<PositiveAmount>,
}

/// A charge that is refunded.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RefundCharge {
    /// Its number on the order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charge: Option<u16>,
    /// What it was for: without an order, or in place of its number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Charge>,
    /// With tax.
    pub amount: PositiveAmount,
}

impl Action for Refund {
    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Rejection> {
        let id = draft.id_or_assigned(self.refund.as_ref());
        let ledger = draft.ledger();
        if ledger.returns.refund(&id).is_some() {
            return Err(Refusal::RefundExists { refund: id }.into());
        }
        within_limit(self.lines.len() + self.charges.len())?;
        let of_return = match &self.r#return {
            Some(r#return) => Some(known(ledger, r#return)?),
            None => None,
        };
        let order = self.order_row(ledger, of_return)?;
        if let Some(customer) = &self.customer {
            customers::known(ledger, customer)?;
        }
        let channel = self.channel_row(ledger, &id, order)?;
        let mut grant = Grant::open(ledger, self, id, (order, channel));
        match order {
            Some(order) => grant.of_order(order)?,
            None => grant.unreferenced()?,
        }
        if let Some(of_return) = of_return {
            grant.within_return(of_return)?;
        }
        let refunded = grant.close(order)?;
        draft.record(refunded);
        Ok(())
    }
}

impl Refund {
    fn order_row(&self, ledger: &Ledger, of_return: Option<&Return>) -> Result<Option<Row>, Rejection> {
        let authorised_for =
            of_return.filter(|found| found.authorised_at.is_some()).and_then(|found| found.order);
        let Some(order) = &self.order else { return Ok(authorised_for) };
        let (row, _) = orders::known(ledger, order)?;
        match (&self.r#return, authorised_for) {
            (Some(r#return), Some(other)) if other != row => Err(Refusal::ReturnOfAnotherOrder {
                rma: r#return.clone(),
                order: ledger.orders.id(other).clone(),
            }
            .into()),
            _ => Ok(Some(row)),
        }
    }

    fn channel_row(&self, ledger: &Ledger, id: &RefundId, order: Option<Row>) -> Result<Row, Rejection> {
        let named = match &self.channel {
            Some(channel) => Some(channels::known(ledger, channel)?.0),
            None => None,
        };
        let Some(order) = order else {
            return named.ok_or_else(|| Refusal::ChannelNotNamed { refund: id.clone() }.into());
        };
        let channel = ledger.orders.get(order).channel;
        if named.is_some_and(|named| named != channel) {
            let (order, channel) = (ledger.orders.id(order).clone(), ledger.channels.id(channel).clone());
            return Err(Refusal::OrderOfAnotherChannel { order, channel }.into());
        }
        Ok(channel)
    }
}

#[cfg(test)]
mod tests;
