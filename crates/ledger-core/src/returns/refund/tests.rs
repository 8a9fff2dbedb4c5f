//! Examples of granting refunds: for shipped and cancelled goods, for charges, and for nobody's order.

use crate::books::Account;
use crate::finance;
use crate::scenario::{Scenario, given_a_shipped_order, given_a_shop, given_an_order};
use crate::values::{RefundId, ReturnId, Text};
use serde_json::{Value, json};

/// A taxed order of three units and shipping that came to 42.00, of a channel that is paid first or on account.
fn taxed(channel: &str) -> Scenario {
    let order = json!({"order": "o1", "channel": channel, "customer": "C1", "destination": {"country": "NL"},
        "lines": [{"sku": "TEA-01", "quantity": 3, "price": "10", "discount": "1.00",
            "taxes": [{"jurisdiction": "NL", "amount": "6.00"}]}],
        "charges": [{"kind": "shipping", "amount": "5.80", "taxes": [{"jurisdiction": "NL", "amount": "1.20"}]}]});
    given_a_shop()
        .and("stock.receive", json!({"sku": "TEA-01", "location": "AMS1", "quantity": 5, "unit_cost": "4"}))
        .and("orders.place", order)
}

fn paid() -> Scenario {
    taxed("web").and("payments.capture", json!({"payment": "p1", "order": "o1", "amount": "42.00"}))
}

fn refund(id: &str, line: Value) -> Value {
    json!({"refund": id, "order": "o1", "lines": [line], "reason": "goodwill"})
}

#[test]
fn shipped_units_are_given_back_for_what_they_were_sold_for_with_their_tax() {
    paid()
        .shipped("s1", "o1")
        .when("returns.refund", refund("f1", json!({"line": 1, "quantity": 1})))
        .then(json!([{"type": "returns.refunded", "refund": "f1", "credit_note": "CN-00000001", "order": "o1",
            "channel": "web", "customer": "C1", "country": "NL",
            "lines": [{"line": 1, "sku": "TEA-01", "quantity": 1, "net": "9.67",
                "taxes": [{"jurisdiction": "NL", "amount": "2.00"}], "cancelled_units": 0, "from_deposit": "0.00"}],
            "to_receivable": "0.00", "claim": "11.67", "reason": "goodwill"}]))
        .balance(Account::ReturnsAndAllowances, "9.67")
        .balance(Account::OutputTax, "-5.20")
        .balance(Account::RefundsPayable, "-11.67")
        .and("returns.refund", refund("f2", json!({"line": 1, "quantity": 2})))
        .balance(Account::ReturnsAndAllowances, "29.00")
        .balance(Account::OutputTax, "-1.20")
        .and("payments.refund", json!({"payment": "p2", "refund": "f1", "amount": "11.67"}))
        .and("payments.refund", json!({"payment": "p3", "refund": "f2", "amount": "23.33"}))
        .balance(Account::RefundsPayable, "0.00")
        .when("returns.refund", refund("f3", json!({"line": 1, "quantity": 1})))
        .refused_with(json!({"code": "more_than_refundable", "order": "o1", "line": 1, "refundable": 0, "wanted": 1}));
}

#[test]
fn an_unpaid_invoice_is_settled_before_anything_is_to_be_paid() {
    let shipped = taxed("b2b").shipped("s1", "o1");
    shipped
        .clone()
        .and("returns.refund", refund("f1", json!({"line": 1, "quantity": 3})))
        .balance(Account::Receivable, "7.00")
        .balance(Account::RefundsPayable, "0.00");
    shipped
        .and("payments.capture", json!({"order": "o1", "amount": "30.00"}))
        .and("returns.refund", refund("f1", json!({"line": 1, "quantity": 3})))
        .balance(Account::Receivable, "0.00")
        .balance(Account::RefundsPayable, "-23.00");
}

#[test]
fn cancelled_units_are_given_back_out_of_what_was_paid_for_them() {
    let paid = given_an_order("web", 3)
        .and("payments.capture", json!({"order": "o1", "amount": "30.00"}))
        .when("returns.refund", refund("f1", json!({"line": 1, "quantity": 1})))
        .refused_with(
            json!({"code": "more_than_refundable", "order": "o1", "line": 1, "refundable": 0, "wanted": 1}),
        );
    paid.and(
        "orders.cancel",
        json!({"order": "o1", "lines": [{"line": 1, "quantity": 1}], "reason": "gone"}),
    )
    .when("returns.refund", refund("f1", json!({"line": 1, "quantity": 1, "amount": "10.01"})))
    .refused_with(json!({"code": "refund_exceeds_paid", "order": "o1", "part": "line 1",
            "refundable": "10.00", "wanted": "10.01"}))
    .when("returns.refund", refund("f1", json!({"line": 1, "quantity": 1})))
    .then(json!([{"type": "returns.refunded", "refund": "f1", "credit_note": "CN-00000001", "order": "o1",
            "channel": "web", "lines": [{"line": 1, "sku": "TEA-01", "quantity": 0, "net": "0.00",
                "cancelled_units": 1, "from_deposit": "10.00"}],
            "to_receivable": "0.00", "claim": "10.00", "reason": "goodwill"}]))
    .balance(Account::CustomerDeposits, "-20.00")
    .balance(Account::ReturnsAndAllowances, "0.00")
    .shipped("s1", "o1")
    .balance(Account::CustomerDeposits, "0.00")
    .and("returns.refund", refund("f2", json!({"line": 1, "quantity": 2})))
    .balance(Account::ReturnsAndAllowances, "20.00")
    .balance(Account::RefundsPayable, "-30.00");
}

#[test]
fn a_cancelled_order_gives_back_goods_and_charges_alike() {
    let whole = json!({"refund": "f1", "order": "o1", "lines": [{"line": 1, "quantity": 3}],
        "charges": [{"kind": "shipping", "amount": "7.00"}], "reason": "cancelled"});
    paid()
        .when(
            "returns.refund",
            json!({"order": "o1", "charges": [{"charge": 1, "amount": "1.00"}], "reason": "x"}),
        )
        .refused_with(json!({"code": "refund_exceeds_paid", "order": "o1", "part": "charge 1",
            "refundable": "0.00", "wanted": "1.00"}))
        .and("orders.cancel", json!({"order": "o1", "reason": "gone"}))
        .and("returns.refund", whole)
        .balance(Account::CustomerDeposits, "0.00")
        .balance(Account::RefundsPayable, "-42.00");
}

#[test]
fn units_that_were_never_paid_do_not_stand_before_those_that_were_shipped() {
    // Two of seven are refused for want of stock; five are shipped, unpaid.
    given_a_shipped_order("b2b", 7)
        .and("returns.refund", refund("f1", json!({"line": 1, "quantity": 1})))
        .balance(Account::ReturnsAndAllowances, "10.00")
        .balance(Account::CustomerDeposits, "0.00")
        .when("returns.refund", refund("f2", json!({"line": 1, "quantity": 6})))
        .refused("refund_exceeds_paid");
}

#[test]
fn charges_alone_are_given_back_with_their_tax_and_not_beyond_what_they_were() {
    let charge = |id: &str, amount: &str| json!({"refund": id, "order": "o1", "charges": [{"kind": "shipping", "amount": amount}], "reason": "late"});
    paid()
        .shipped("s1", "o1")
        .and("returns.refund", charge("f1", "2.00"))
        .balance(Account::ChargeRevenue, "-4.14")
        .balance(Account::OutputTax, "-6.86")
        .when("returns.refund", charge("f2", "5.01"))
        .refused_with(json!({"code": "refund_exceeds_paid", "order": "o1", "part": "charge 1",
            "refundable": "5.00", "wanted": "5.01"}))
        .and("returns.refund", charge("f2", "5.00"))
        .balance(Account::ChargeRevenue, "0.00")
        .balance(Account::OutputTax, "-6.00")
        .balance(Account::RefundsPayable, "-7.00");
}

#[test]
fn a_chosen_amount_is_at_most_what_is_left_of_the_line_and_splits_to_the_penny() {
    paid()
        .shipped("s1", "o1")
        // An allowance: the customer keeps the goods.
        .and("returns.refund", refund("f1", json!({"line": 1, "amount": "1.01"})))
        .when("returns.refund", refund("f2", json!({"line": 1, "quantity": 1, "amount": "34.00"})))
        .refused_with(json!({"code": "refund_exceeds_paid", "order": "o1", "part": "line 1",
            "refundable": "33.99", "wanted": "34.00"}))
        .and("returns.refund", refund("f2", json!({"line": 1, "quantity": 1, "amount": "20.00"})))
        // What is left of the line is less than what the units were sold for.
        .and("returns.refund", refund("f3", json!({"line": 1, "quantity": 2})))
        .balance(Account::ReturnsAndAllowances, "29.00")
        .balance(Account::OutputTax, "-1.20")
        .balance(Account::RefundsPayable, "-35.00")
        .when("returns.refund", refund("f4", json!({"line": 1})))
        .refused_with(json!({"code": "amount_not_given", "line": 1}));
}

#[test]
fn a_restocking_fee_is_kept_out_of_the_claim() {
    let with_fee = |fee: &str| {
        let mut body = refund("f1", json!({"line": 1, "quantity": 1}));
        body["restocking_fee"] = json!(fee);
        body
    };
    paid()
        .shipped("s1", "o1")
        .when("returns.refund", with_fee("11.68"))
        .refused_with(json!({"code": "fee_exceeds_refund", "refund": "f1", "restocking_fee": "11.68",
            "granted": "11.67"}))
        .and("returns.refund", with_fee("1.67"))
        .balance(Account::RestockingFees, "-1.67")
        .balance(Account::RefundsPayable, "-10.00");
}

#[test]
fn a_refund_for_a_return_needs_no_receipt_and_covers_no_more_than_the_return() {
    let of_return = |id: &str, quantity: i64| json!({"refund": id, "return": "r1", "lines": [{"line": 1, "quantity": quantity}], "reason": "too_small"});
    let granted = given_a_shipped_order("b2b", 3)
        .and(
            "returns.authorise",
            json!({"return": "r1", "order": "o1", "lines": [{"line": 1, "quantity": 2}],
            "reason": "too_small"}),
        )
        .and("returns.refund", of_return("f1", 1))
        .when("returns.refund", of_return("f2", 2))
        .refused_with(
            json!({"code": "more_than_returned", "return": "r1", "units": 2, "refunded": 1, "wanted": 2}),
        )
        .when("returns.refund", json!({"return": "r9", "order": "o1", "reason": "x"}))
        .refused("unknown_return")
        .and("returns.refund", of_return("f2", 1));
    let found = granted.ledger.returns().find(&ReturnId::try_new("r1").unwrap()).unwrap();
    assert_eq!((found.refunded_units.units(), found.refunded.to_string()), (2, "20.00".to_owned()));
}

#[test]
fn an_unreferenced_refund_says_all_by_itself() {
    let body = json!({"refund": "f1", "channel": "web", "customer": "C1", "country": "FR", "reason": "unreferenced",
        "lines": [{"sku": "TEA-01", "quantity": 2, "amount": "12.00"}],
        "charges": [{"kind": "shipping", "amount": "3.00"}]});
    let granted = given_a_shop()
        .when("returns.refund", body)
        .then(json!([{"type": "returns.refunded", "refund": "f1", "credit_note": "CN-00000001", "channel": "web",
            "customer": "C1", "country": "FR",
            "lines": [{"sku": "TEA-01", "quantity": 2, "net": "12.00", "cancelled_units": 0, "from_deposit": "0.00"}],
            "charges": [{"kind": "shipping", "net": "3.00", "from_deposit": "0.00"}],
            "to_receivable": "0.00", "claim": "15.00", "reason": "unreferenced"}]))
        .balance(Account::ReturnsAndAllowances, "12.00")
        .balance(Account::ChargeRevenue, "3.00")
        .balance(Account::RefundsPayable, "-15.00");
    let found = granted.ledger.returns().refund(&RefundId::try_new("f1").unwrap()).unwrap();
    assert_eq!((found.amount.to_string(), found.credit_note.as_str()), ("15.00".to_owned(), "CN-00000001"));
    assert_eq!(finance::open_balance(&granted.ledger, Account::RefundsPayable, "f1").to_string(), "-15.00");
    granted
        .when("payments.refund", json!({"refund": "f1", "amount": "15.01"}))
        .refused("refund_exceeds_claim")
        .and("payments.refund", json!({"refund": "f1", "amount": "15.00"}))
        .balance(Account::RefundsPayable, "0.00")
        .balance(Account::ChannelClearing, "-15.00");
}

#[test]
fn a_blind_return_is_refunded_without_an_order_but_only_what_came() {
    let of_return = |sku: &str, quantity: i64| {
        json!({"return": "r1", "channel": "web", "reason": "unreferenced",
            "lines": [{"sku": sku, "quantity": quantity, "amount": "5.00"}]})
    };
    given_a_shop()
        .and(
            "returns.receive",
            json!({"return": "r1", "location": "AMS1", "customer": "C1", "country": "NL",
            "lines": [{"sku": "TEA-01", "quantity": 2, "unit_cost": "4"}]}),
        )
        .when("returns.refund", of_return("TEA-02", 1))
        .refused_with(json!({"code": "item_not_returned", "return": "r1", "sku": "TEA-02"}))
        .when("returns.refund", of_return("TEA-01", 3))
        .refused("more_than_returned")
        .and("returns.refund", of_return("TEA-01", 2))
        .balance(Account::RefundsPayable, "-5.00");
}

#[test]
fn a_refund_without_an_order_names_channel_items_kinds_and_amounts() {
    let body = |line: Value| json!({"refund": "f1", "channel": "web", "reason": "x", "lines": [line]});
    let shop = given_a_shop;
    shop()
        .when("returns.refund", json!({"refund": "f1", "reason": "x"}))
        .refused_with(json!({"code": "channel_not_named", "refund": "f1"}));
    shop().when("returns.refund", json!({"channel": "nope", "reason": "x"})).refused("unknown_channel");
    shop()
        .when("returns.refund", body(json!({"line": 1, "amount": "1"})))
        .refused_with(json!({"code": "order_not_named", "refund": "f1", "part": "line", "number": 1}));
    shop().when("returns.refund", body(json!({"amount": "1"}))).refused("item_not_named");
    shop().when("returns.refund", body(json!({"sku": "NOPE", "amount": "1"}))).refused("unknown_item");
    shop().when("returns.refund", body(json!({"sku": "TEA-01", "quantity": 1}))).refused("amount_not_given");
    let charge =
        |charge: Value| json!({"refund": "f1", "channel": "web", "reason": "x", "charges": [charge]});
    shop().when("returns.refund", charge(json!({"charge": 1, "amount": "1"}))).refused("order_not_named");
    shop().when("returns.refund", charge(json!({"amount": "1"}))).refused("charge_not_named");
    shop()
        .when("returns.refund", json!({"refund": "f1", "channel": "web", "reason": "x"}))
        .refused_with(json!({"code": "nothing_to_refund", "refund": "f1"}));
    let many = vec![json!({"sku": "TEA-01", "amount": "1"}); 1_001];
    shop()
        .when("returns.refund", json!({"channel": "web", "reason": "x", "lines": many}))
        .refused("document_too_large");
    let mut of_nobody = body(json!({"sku": "TEA-01", "amount": "1"}));
    of_nobody["customer"] = json!("C9");
    shop().when("returns.refund", of_nobody).refused("unknown_customer");
}

#[test]
fn a_refund_of_an_order_names_what_the_order_has_each_once() {
    let shipped = || taxed("b2b").shipped("s1", "o1");
    let line = |line: Value| refund("f1", line);
    shipped()
        .when("returns.refund", line(json!({"sku": "TEA-01", "quantity": 1})))
        .refused("order_line_not_named");
    shipped().when("returns.refund", line(json!({"line": 4, "quantity": 1}))).refused("unknown_line");
    shipped()
        .when("returns.refund", line(json!({"line": 1, "sku": "TEA-02", "quantity": 1})))
        .refused_with(json!({"code": "item_of_another_line", "order": "o1", "line": 1, "sku": "TEA-01"}));
    let with = |field: &str, value: Value| {
        let mut body = line(json!({"line": 1, "quantity": 1}));
        body[field] = value;
        body
    };
    let twice = json!([{"line": 1, "quantity": 1}, {"line": 1, "quantity": 1}]);
    shipped().when("returns.refund", with("lines", twice)).refused("line_twice");
    shipped().when("returns.refund", with("channel", json!("web"))).refused("order_of_another_channel");
    shipped().when("returns.refund", with("order", json!("o9"))).refused("unknown_order");
    let charges = |charges: Value| with("charges", charges);
    shipped()
        .when("returns.refund", charges(json!([{"kind": "gift_wrap", "amount": "1"}])))
        .refused_with(json!({"code": "unknown_charge", "order": "o1", "charge": "gift_wrap"}));
    shipped().when("returns.refund", charges(json!([{"amount": "1"}]))).refused("charge_not_named");
    let twice = json!([{"charge": 1, "amount": "1"}, {"kind": "shipping", "amount": "1"}]);
    shipped().when("returns.refund", charges(twice)).refused("line_twice");
    shipped()
        .and(
            "orders.place",
            json!({"order": "o2", "channel": "b2b", "lines": [
            {"sku": "TEA-01", "quantity": 1, "price": "1"}]}),
        )
        .and(
            "returns.authorise",
            json!({"return": "r1", "order": "o1", "lines": [{"line": 1, "quantity": 1}],
            "reason": "x"}),
        )
        .when("returns.refund", json!({"return": "r1", "order": "o2", "reason": "x"}))
        .refused_with(json!({"code": "return_of_another_order", "return": "r1", "order": "o1"}));
    shipped()
        .and("returns.refund", line(json!({"line": 1, "quantity": 1})))
        .when("returns.refund", line(json!({"line": 1, "quantity": 1})))
        .refused_with(json!({"code": "refund_exists", "refund": "f1"}));
}
