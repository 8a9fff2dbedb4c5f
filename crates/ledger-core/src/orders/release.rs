//! Permission to fulfil.

use bincode::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Invoice, OrderState, Refusal, completion, draft_invoice, known};
use crate::books::{Fact, Posting, Subject, SubjectKind};
use crate::draft::Draft;
use crate::kinds::Action;
use crate::ledger::{Ledger, Moment};
use crate::rejection::Rejection;
use crate::state::Row;
use crate::values::{ChannelId, CountryCode, OrderId};

/// Permits an order to be fulfilled that nothing holds any more. An order without goods is invoiced and completed.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// The order.
    pub order: OrderId,
}

/// An order may be fulfilled.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct Released {
    /// The order.
    pub order: OrderId,
}

/// An order of charges alone was invoiced.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct Invoiced {
    /// The order.
    pub order: OrderId,
    /// Its channel.
    pub channel: ChannelId,
    /// The country it goes to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<CountryCode>,
    /// What the customer owes from here on.
    pub invoice: Invoice,
}

impl Action for Release {
    const TAKES_EFFECTIVE_AT: bool = false;

    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Rejection> {
        let (row, order) = known(draft.ledger(), &self.order)?;
        if order.state != OrderState::Captured {
            return Err(Refusal::OrderNotCaptured { order: self.order.clone(), state: order.state }.into());
        }
        if !order.holds.is_empty() {
            let holds = order.holds.iter().map(|hold| hold.reason).collect();
            return Err(Refusal::OrderHeld { order: self.order.clone(), holds }.into());
        }
        release(draft, row);
        Ok(())
    }
}

/// Permits fulfilment of a captured order that nothing holds.
pub(super) fn release(draft: &mut Draft<'_>, row: Row) {
    let ledger = draft.ledger();
    let id = ledger.orders.id(row).clone();
    draft.record(Released { order: id.clone() });
    let ledger = draft.ledger();
    let order = ledger.orders.get(row);
    let ships_nothing = order.lines.is_empty();
    if !ships_nothing {
        return;
    }
    if let Some(invoice) = draft_invoice(ledger, row, &[]) {
        let channel = ledger.channels.id(order.channel).clone();
        let country = order.country().cloned();
        draft.record(Invoiced { order: id, channel, country, invoice });
    }
    completion::complete(draft, row);
}

impl Fact for Released {
    fn subjects(&self, each: &mut dyn FnMut(Subject<'_>)) {
        each(Subject::new(SubjectKind::Order, &self.order));
    }

    fn apply(&self, ledger: &mut Ledger, _at: &Moment) {
        let Some(order) = ledger.orders.row(&self.order) else { return };
        ledger.orders.table.edit(order).state = OrderState::Released;
    }
}

impl Fact for Invoiced {
    fn subjects(&self, each: &mut dyn FnMut(Subject<'_>)) {
        each(Subject::new(SubjectKind::Order, &self.order));
    }

    fn postings(&self, each: &mut dyn FnMut(Posting<'_>)) {
        self.invoice.postings(&self.order, &self.channel, self.country.as_ref(), each);
    }

    fn apply(&self, ledger: &mut Ledger, _at: &Moment) {
        let Some(order) = ledger.orders.row(&self.order) else { return };
        self.invoice.apply(ledger, order);
    }
}

#[cfg(test)]
mod tests {
    use crate::books::Account;
    use crate::orders::OrderState;
    use crate::scenario::{given_a_shop, given_an_order};
    use serde_json::json;

    #[test]
    fn an_order_that_nothing_holds_any_more_is_released() {
        given_an_order("web", 2)
            .and("orders.clear_hold", json!({"order": "o1", "reason": "payment"}))
            .when("orders.release", json!({"order": "o1"}))
            .then(json!([{"type": "orders.released", "order": "o1"}]))
            .order("o1", |order| assert_eq!(order.state, OrderState::Released));
    }

    #[test]
    fn an_order_of_charges_alone_is_invoiced_when_it_is_released() {
        given_a_shop()
            .and(
                "orders.place",
                json!({"order": "o1", "channel": "web", "charges": [{"kind": "fee", "amount": "7"}]}),
            )
            .and("orders.clear_hold", json!({"order": "o1", "reason": "payment"}))
            .when("orders.release", json!({"order": "o1"}))
            .then_types(&["orders.released", "orders.invoiced", "orders.completed"])
            .balance(Account::Receivable, "7.00");
    }

    #[test]
    fn a_held_order_is_not_released() {
        given_an_order("web", 2)
            .and("orders.hold", json!({"order": "o1", "reason": "fraud"}))
            .when("orders.release", json!({"order": "o1"}))
            .refused_with(json!({"code": "order_held", "order": "o1", "holds": ["payment", "fraud"]}));
    }

    #[test]
    fn only_a_captured_order_is_released() {
        given_an_order("b2b", 2)
            .when("orders.release", json!({"order": "o1"}))
            .refused_with(json!({"code": "order_not_captured", "order": "o1", "state": "released"}))
            .when("orders.release", json!({"order": "o2"}))
            .refused("unknown_order");
    }
}
