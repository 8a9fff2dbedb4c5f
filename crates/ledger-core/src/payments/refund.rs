//! A granted refund is paid.

use bincode::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Direction, Payment, Refusal, claims};
use crate::books::{Account, Fact, Posting, Subject, SubjectKind};
use crate::draft::Draft;
use crate::kinds::Action;
use crate::ledger::{Ledger, Moment};
use crate::rejection::Rejection;
use crate::values::{Amount, ChannelId, CountryCode, Name, OrderId, PaymentId, PositiveAmount, RefundId};

/// Pays a granted refund, or a part of it; never more than is open.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Refund {
    /// As the provider numbers it; assigned when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<PaymentId>,
    /// The granted refund.
    pub refund: RefundId,
    /// How much, at most what is open.
    pub amount: PositiveAmount,
    /// How it is paid: card, transfer …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<Name>,
}

/// A granted refund was paid.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct Refunded {
    /// The payment's id.
    pub payment: PaymentId,
    /// The granted refund.
    pub refund: RefundId,
    /// The order, where the refund names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderId>,
    /// The channel.
    pub channel: ChannelId,
    /// The country of the sale.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<CountryCode>,
    /// Where the money was: channel clearing (1110) or the bank (1000).
    pub account: Account,
    /// How much.
    pub amount: Amount,
    /// How it was paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<Name>,
}

impl Action for Refund {
    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Rejection> {
        let payment = draft.id_or_assigned(self.payment.as_ref());
        let ledger = draft.ledger();
        super::unused(ledger, &payment)?;
        let Some(claim) = ledger.payments.claim(&self.refund) else {
            return Err(Refusal::UnknownRefund { refund: self.refund.clone() }.into());
        };
        let (amount, open) = (self.amount.get(), claims::open_amount(ledger, &self.refund));
        if amount > open {
            let refund = self.refund.clone();
            return Err(Refusal::RefundExceedsClaim { refund, open, wanted: amount }.into());
        }
        let refunded = Refunded {
            payment,
            refund: self.refund.clone(),
            order: claim.order.map(|order| ledger.orders.id(order).clone()),
            channel: ledger.channels.id(claim.channel).clone(),
            country: claim.country.clone(),
            account: super::money_account(ledger.channels.get(claim.channel).settlement),
            amount,
            method: self.method.clone(),
        };
        draft.record(refunded);
        Ok(())
    }
}

impl Fact for Refunded {
    fn subjects(&self, each: &mut dyn FnMut(Subject<'_>)) {
        each(Subject::new(SubjectKind::Payment, &self.payment));
        each(Subject::new(SubjectKind::Refund, &self.refund));
        if let Some(order) = &self.order {
            each(Subject::new(SubjectKind::Order, order));
        }
    }

    fn postings(&self, each: &mut dyn FnMut(Posting<'_>)) {
        let mut sold = |posting: Posting<'_>| {
            each(posting.sold(Some(&self.channel), self.order.as_ref(), self.country.as_ref()));
        };
        sold(Posting::debit(Account::RefundsPayable, self.amount).claimed_by(&self.refund));
        sold(Posting::credit(self.account, self.amount));
    }

    fn apply(&self, ledger: &mut Ledger, at: &Moment) {
        let payment = Payment {
            direction: Direction::Refunded,
            amount: self.amount,
            account: self.account,
            order: self.order.as_ref().and_then(|order| ledger.orders.row(order)),
            claim: ledger.payments.claims.row(&self.refund),
            made_at: at.effective_at,
        };
        ledger.payments.record(self.payment.clone(), payment);
    }
}

#[cfg(test)]
mod tests {
    use crate::books::Account;
    use crate::payments;
    use crate::scenario::{Scenario, given_an_order};
    use crate::values::{OrderId, Text};
    use serde_json::{Value, json};

    /// An order of 20.00 was paid and cancelled, and all of it granted back as refund r1.
    fn given_a_claim(channel: &str) -> Scenario {
        given_an_order(channel, 2)
            .and("payments.capture", json!({"payment": "p1", "order": "o1", "amount": "20"}))
            .and("orders.cancel", json!({"order": "o1", "reason": "customer_request"}))
            .and(
                "returns.refund",
                json!({"refund": "r1", "order": "o1", "reason": "cancelled",
                    "lines": [{"line": 1, "quantity": 2}]}),
            )
    }

    fn refund(payment: &str, amount: &str) -> Value {
        json!({"payment": payment, "refund": "r1", "amount": amount})
    }

    #[test]
    fn a_granted_refund_is_paid_from_where_the_money_came_in() {
        given_a_claim("web")
            .when("payments.refund", refund("p2", "20"))
            .then(json!([{"type": "payments.refunded", "payment": "p2", "refund": "r1", "order": "o1",
                "channel": "web", "account": "1110", "amount": "20.00"}]))
            .balance(Account::RefundsPayable, "0.00")
            .balance(Account::ChannelClearing, "0.00");
        given_a_claim("b2b").and("payments.refund", refund("p2", "20")).balance(Account::Bank, "0.00");
    }

    #[test]
    fn a_refund_is_paid_in_parts_and_never_over_what_is_open() {
        let paid = given_a_claim("web")
            .and("payments.refund", refund("p2", "15"))
            .when("payments.refund", refund("p3", "5.01"))
            .refused_with(
                json!({"code": "refund_exceeds_claim", "refund": "r1", "open": "5.00", "wanted": "5.01"}),
            )
            .and("payments.refund", refund("p3", "5"))
            .when("payments.refund", refund("p4", "0.01"))
            .refused("refund_exceeds_claim");
        let order = paid.ledger.orders().row(&OrderId::try_new("o1").unwrap()).unwrap();
        assert_eq!(payments::captured(&paid.ledger, order).to_string(), "20.00");
        assert_eq!(payments::refunded(&paid.ledger, order).to_string(), "20.00");
    }

    #[test]
    fn only_a_granted_refund_is_paid_and_under_an_unused_payment_id() {
        given_a_claim("web")
            .when("payments.refund", json!({"refund": "r2", "amount": "1"}))
            .refused_with(json!({"code": "unknown_refund", "refund": "r2"}))
            .when("payments.refund", refund("p1", "1"))
            .refused("payment_exists");
    }
}
