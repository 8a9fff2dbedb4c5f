//! A customer's money comes in.

use bincode::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Direction, Payment, Refusal};
use crate::books::{Account, Fact, Posting, Subject, SubjectKind};
use crate::draft::Draft;
use crate::kinds::Action;
use crate::ledger::{Ledger, Moment};
use crate::rejection::Rejection;
use crate::values::{Amount, ChannelId, CountryCode, Name, OrderId, PaymentId, PositiveAmount, Text};
use crate::{finance, orders};

/// Records a payment for an order: against its unpaid invoices first, the rest as a deposit. Paid in full, the order no
/// longer holds for `payment`, and is released if nothing else holds it.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Capture {
    /// As the provider numbers it; assigned when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<PaymentId>,
    /// The order.
    pub order: OrderId,
    /// How much, at most what is left to pay.
    pub amount: PositiveAmount,
    /// How it was paid: card, transfer …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<Name>,
}

/// A payment came in.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct Captured {
    /// Its id.
    pub payment: PaymentId,
    /// The order.
    pub order: OrderId,
    /// The order's channel.
    pub channel: ChannelId,
    /// The country the order goes to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<CountryCode>,
    /// Where the money is: channel clearing (1110) or the bank (1000).
    pub account: Account,
    /// What of it pays invoices.
    pub to_receivable: Amount,
    /// What of it is a deposit.
    pub to_deposit: Amount,
    /// How it was paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<Name>,
}

impl Action for Capture {
    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Rejection> {
        let payment = draft.id_or_assigned(self.payment.as_ref());
        let ledger = draft.ledger();
        super::unused(ledger, &payment)?;
        let (row, order) = orders::known(ledger, &self.order)?;
        let (wanted, outstanding) = (self.amount.get(), orders::outstanding(ledger, row));
        if wanted > outstanding {
            return Err(Refusal::CaptureExceedsOrder {
                order: self.order.clone(),
                captured: super::captured(ledger, row),
                payable: order.payable(),
                outstanding: outstanding.max(Amount::ZERO),
                wanted,
            }
            .into());
        }
        let unpaid = finance::open_balance(ledger, Account::Receivable, self.order.as_str());
        let to_receivable = wanted.min(unpaid.max(Amount::ZERO));
        let captured = Captured {
            payment,
            order: self.order.clone(),
            channel: ledger.channels.id(order.channel).clone(),
            country: order.country().cloned(),
            account: super::money_account(ledger.channels.get(order.channel).settlement),
            to_receivable,
            to_deposit: wanted - to_receivable,
            method: self.method.clone(),
        };
        let unmet = orders::unmet_holds(ledger, row);
        draft.record(captured);
        orders::clear_met_holds(draft, row, &unmet);
        Ok(())
    }
}

impl Captured {
    /// What came in.
    pub fn amount(&self) -> Amount {
        self.to_receivable + self.to_deposit
    }
}

impl Fact for Captured {
    fn subjects(&self, each: &mut dyn FnMut(Subject<'_>)) {
        each(Subject::new(SubjectKind::Payment, &self.payment));
        each(Subject::new(SubjectKind::Order, &self.order));
    }

    fn postings(&self, each: &mut dyn FnMut(Posting<'_>)) {
        let mut sold = |posting: Posting<'_>| {
            each(posting.sold(Some(&self.channel), Some(&self.order), self.country.as_ref()));
        };
        sold(Posting::debit(self.account, self.amount()));
        sold(Posting::credit(Account::Receivable, self.to_receivable));
        sold(Posting::credit(Account::CustomerDeposits, self.to_deposit));
    }

    fn apply(&self, ledger: &mut Ledger, at: &Moment) {
        let payment = Payment {
            direction: Direction::Captured,
            amount: self.amount(),
            account: self.account,
            order: ledger.orders.row(&self.order),
            claim: None,
            made_at: at.effective_at,
        };
        ledger.payments.record(self.payment.clone(), payment);
    }
}

#[cfg(test)]
mod tests {
    use crate::books::Account;
    use crate::orders::OrderState;
    use crate::scenario::{given_a_shop, given_an_order};
    use serde_json::{Value, json};

    fn capture(payment: &str, amount: &str) -> Value {
        json!({"payment": payment, "order": "o1", "amount": amount})
    }

    #[test]
    fn a_payment_in_full_releases_a_prepaid_order() {
        given_an_order("web", 2)
            .when("payments.capture", json!({"payment": "p1", "order": "o1", "amount": "20", "method": "card"}))
            .then(json!([
                {"type": "payments.captured", "payment": "p1", "order": "o1", "channel": "web", "account": "1110",
                    "to_receivable": "0.00", "to_deposit": "20.00", "method": "card"},
                {"type": "orders.hold_cleared", "order": "o1", "reasons": ["payment"]},
                {"type": "orders.released", "order": "o1"},
            ]))
            .balance(Account::ChannelClearing, "20.00")
            .balance(Account::CustomerDeposits, "-20.00")
            .order("o1", |order| assert_eq!(order.state, OrderState::Released));
    }

    #[test]
    fn a_payment_in_part_does_not_and_the_rest_does() {
        given_an_order("web", 2)
            .when("payments.capture", capture("p1", "19.99"))
            .then_types(&["payments.captured"])
            .when("payments.capture", capture("p2", "0.01"))
            .then_types(&["payments.captured", "orders.hold_cleared", "orders.released"]);
    }

    #[test]
    fn a_paid_order_that_is_held_for_another_reason_is_not_released() {
        given_an_order("web", 2)
            .and("orders.hold", json!({"order": "o1", "reason": "fraud"}))
            .when("payments.capture", capture("p1", "20"))
            .then_types(&["payments.captured", "orders.hold_cleared"])
            .order("o1", |order| assert_eq!(order.state, OrderState::Captured))
            .and("orders.clear_hold", json!({"order": "o1", "reason": "fraud"}))
            .and("orders.release", json!({"order": "o1"}));
    }

    #[test]
    fn cancelling_what_is_not_paid_releases_the_rest() {
        given_an_order("web", 3)
            .and("payments.capture", capture("p1", "20"))
            .when(
                "orders.cancel",
                json!({"order": "o1", "lines": [{"line": 1, "quantity": 1}], "reason": "too_dear"}),
            )
            .then_types(&["orders.cancelled", "orders.hold_cleared", "orders.released"]);
    }

    #[test]
    fn a_paid_order_of_charges_alone_is_invoiced_from_the_deposit_and_completed() {
        given_a_shop()
            .and(
                "orders.place",
                json!({"order": "o1", "channel": "web", "charges": [{"kind": "fee", "amount": "7"}]}),
            )
            .when("payments.capture", capture("p1", "7"))
            .then_types(&[
                "payments.captured",
                "orders.hold_cleared",
                "orders.released",
                "orders.invoiced",
                "orders.completed",
            ])
            .balance(Account::CustomerDeposits, "0.00")
            .balance(Account::Receivable, "0.00")
            .balance(Account::ChargeRevenue, "-7.00");
    }

    #[test]
    fn on_account_an_invoice_is_paid_at_the_bank_and_what_is_not_invoiced_yet_is_a_deposit() {
        given_a_shop()
            .and(
                "orders.place",
                json!({"order": "o1", "channel": "b2b", "charges": [{"kind": "fee", "amount": "7"}]}),
            )
            .balance(Account::Receivable, "7.00")
            .when("payments.capture", capture("p1", "7"))
            .then(json!([{"type": "payments.captured", "payment": "p1", "order": "o1", "channel": "b2b",
                "account": "1000", "to_receivable": "7.00", "to_deposit": "0.00"}]))
            .balance(Account::Bank, "7.00")
            .balance(Account::Receivable, "0.00");
        given_an_order("b2b", 2)
            .and("payments.capture", capture("p1", "20"))
            .balance(Account::Bank, "20.00")
            .balance(Account::CustomerDeposits, "-20.00");
    }

    #[test]
    fn never_more_is_captured_than_is_left_to_pay() {
        given_an_order("web", 3)
            .and("payments.capture", capture("p1", "5"))
            .and(
                "orders.cancel",
                json!({"order": "o1", "lines": [{"line": 1, "quantity": 1}], "reason": "too_dear"}),
            )
            .when("payments.capture", capture("p2", "15.01"))
            .refused_with(json!({"code": "capture_exceeds_order", "order": "o1", "captured": "5.00",
                "payable": "20.00", "outstanding": "15.00", "wanted": "15.01"}))
            .and("payments.capture", capture("p2", "15"))
            .when("payments.capture", capture("p3", "0.01"))
            .refused("capture_exceeds_order");
    }

    #[test]
    fn a_cancelled_order_is_not_paid() {
        given_an_order("web", 3)
            .and("orders.cancel", json!({"order": "o1", "reason": "too_dear"}))
            .when("payments.capture", capture("p1", "1"))
            .refused("capture_exceeds_order");
    }

    #[test]
    fn an_order_and_its_payment_in_one_batch_stand_or_fall_together() {
        let place = json!({"order": "o2", "channel": "web", "lines": [{"sku": "TEA-01", "quantity": 1, "price": "10"}]});
        let capture = |amount: &str| json!({"order": "o2", "amount": amount});
        given_an_order("web", 2)
            .when_batch(&[("orders.place", place.clone()), ("payments.capture", capture("10.01"))])
            .refused("capture_exceeds_order")
            .when_batch(&[("orders.place", place), ("payments.capture", capture("10"))])
            .then_types(&[
                "orders.placed",
                "orders.allocated",
                "orders.held",
                "payments.captured",
                "orders.hold_cleared",
                "orders.released",
            ]);
    }

    #[test]
    fn a_payment_is_recorded_once_for_a_known_order() {
        given_an_order("web", 3)
            .and("payments.capture", capture("p1", "5"))
            .when("payments.capture", capture("p1", "5"))
            .refused("payment_exists")
            .when("payments.capture", json!({"order": "o2", "amount": "5"}))
            .refused("unknown_order");
    }
}
