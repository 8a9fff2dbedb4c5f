//! The financial book: one line of a balanced posting, with the dimensions a controller asks for.

use super::{Account, StatusGroup};
use crate::values::{Amount, ChannelId, CountryCode, Jurisdiction, LocationId, OrderId, RefundId, Sku};

/// One side of a posting. The lines of a fact sum to zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posting<'e> {
    /// The account.
    pub account: Account,
    /// A debit is positive, a credit negative.
    pub amount: Amount,
    /// Which cost pool group of the inventory account.
    pub group: Option<StatusGroup>,
    /// The location the goods are at or left from.
    pub location: Option<&'e LocationId>,
    /// The sales channel.
    pub channel: Option<&'e ChannelId>,
    /// The item.
    pub item: Option<&'e Sku>,
    /// The order.
    pub order: Option<&'e OrderId>,
    /// The claim that a control account is open on, where that is not the order: a granted refund.
    pub claim: Option<&'e RefundId>,
    /// The tax jurisdiction.
    pub jurisdiction: Option<&'e Jurisdiction>,
    /// The country of destination.
    pub country: Option<&'e CountryCode>,
}

impl<'e> Posting<'e> {
    const fn new(account: Account, amount: Amount) -> Self {
        Posting {
            account,
            amount,
            group: None,
            location: None,
            channel: None,
            item: None,
            order: None,
            claim: None,
            jurisdiction: None,
            country: None,
        }
    }

    /// A debit.
    pub const fn debit(account: Account, amount: Amount) -> Self {
        Posting::new(account, amount)
    }

    /// A credit.
    pub fn credit(account: Account, amount: Amount) -> Self {
        Posting::new(account, -amount)
    }

    /// A debit of account 1400 for a cost pool.
    pub fn inventory(location: &'e LocationId, group: StatusGroup, item: &'e Sku, amount: Amount) -> Self {
        let account = match group {
            StatusGroup::InTransit => Account::InventoryInTransit,
            StatusGroup::Sellable
            | StatusGroup::Inspection
            | StatusGroup::Impaired
            | StatusGroup::Refurbishing => Account::Inventory,
        };
        Posting {
            group: Some(group),
            location: Some(location),
            item: Some(item),
            ..Posting::new(account, amount)
        }
    }

    /// The same line with the other sign.
    pub fn reversed(self) -> Self {
        Posting { amount: -self.amount, ..self }
    }

    /// With the location.
    pub const fn at(self, location: &'e LocationId) -> Self {
        Posting { location: Some(location), ..self }
    }

    /// With the item.
    pub const fn of(self, item: &'e Sku) -> Self {
        Posting { item: Some(item), ..self }
    }

    /// With the sales side of the fact, where known: channel, order, country of destination.
    pub const fn sold(
        self,
        channel: Option<&'e ChannelId>,
        order: Option<&'e OrderId>,
        country: Option<&'e CountryCode>,
    ) -> Self {
        Posting { channel, order, country, ..self }
    }

    /// With the granted refund that the account is open on.
    pub const fn claimed_by(self, refund: &'e RefundId) -> Self {
        Posting { claim: Some(refund), ..self }
    }

    /// With the tax jurisdiction.
    pub const fn taxed_by(self, jurisdiction: &'e Jurisdiction) -> Self {
        Posting { jurisdiction: Some(jurisdiction), ..self }
    }
}
