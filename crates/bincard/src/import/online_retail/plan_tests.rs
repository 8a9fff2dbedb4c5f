//! Examples: what each kind of invoice becomes.

use super::super::invoice::tests::invoices;
use super::*;

/// The commands of the last invoice, as (id, name, body).
fn last(lines: &[&str]) -> Vec<(String, &'static str, Value)> {
    let plan = Plan::new(invoices(lines), Assumptions::default());
    let last = plan.trading().last().expect("an invoice");
    last.into_iter().map(|command| (command.command_id, command.name, command.body)).collect()
}

fn ids<'a>(commands: &'a [(String, &'static str, Value)]) -> Vec<&'a str> {
    commands.iter().map(|(id, ..)| id.as_str()).collect()
}

#[test]
fn sale_lines_become_an_order_that_is_paid_picked_packed_and_shipped() {
    let commands = last(&[
        "1,B1,bead,3,2010-01-01 10:00:00,0.125,17,EIRE",
        "1,A,apple,2,2010-01-01 10:00:00,2.550,17,EIRE",
        "1,POST,POSTAGE,2,2010-01-01 10:00:00,18.000,17,EIRE",
    ]);
    assert_eq!(
        ids(&commands),
        ["or/1/place", "or/1/capture", "or/1/plan", "or/1/pick", "or/1/pack", "or/1/ship"]
    );
    assert_eq!(
        commands[0].2,
        json!({
            "order": "1", "channel": "online-retail", "customer": "17", "destination": {"country": "EIRE"},
            "lines": [{"sku": "A", "quantity": 2, "price": "2.55"}, {"sku": "B1", "quantity": 3, "price": "0.125"}],
            "charges": [{"kind": "shipping", "description": "POST", "amount": "36.00"}],
        })
    );
    assert_eq!(commands[1].2, json!({"payment": "1", "order": "1", "amount": "41.48"}));
    assert_eq!(commands[2].2, json!({"shipment": "1", "order": "1", "location": "online-retail"}));
    assert_eq!((commands[5].1, &commands[5].2), ("fulfilment.ship", &json!({"shipment": "1"})));
}

#[test]
fn the_same_invoice_from_another_file_is_the_same_commands() {
    let year = [
        "1,A,apple,2,2010-01-01 10:01:00,2.55,17,EIRE",
        "1,B1,nan,3,2010-01-01 10:00:00,1.0,17,EIRE",
        "2,A,nan,-3,2010-01-01 10:00:00,0.0,,EIRE",
    ];
    let week = [
        "2,A,,-3,2010-01-01 10:00:00,0.000,,EIRE",
        "1,B1,bead,3,2010-01-01 10:00:00,1.000,17,EIRE",
        "1,A,APPLE,2,2010-01-01 10:01:00,2.550,17,EIRE",
    ];
    let trading = |lines: &[&str]| {
        Plan::new(invoices(lines), Assumptions::default()).trading().flatten().collect::<Vec<_>>()
    };
    assert_eq!(trading(&year), trading(&week));
}

#[test]
fn a_free_order_is_not_paid() {
    let commands = last(&["1,A,x,2,2010-01-01 10:00:00,0,17,EIRE"]);
    assert_eq!(ids(&commands), ["or/1/place", "or/1/plan", "or/1/pick", "or/1/pack", "or/1/ship"]);
    assert_eq!(commands[0].2["lines"], json!([{"sku": "A", "quantity": 2, "price": "0"}]));
}

#[test]
fn an_order_of_less_than_a_penny_is_not_paid_either() {
    let commands = last(&["1,PADS,x,1,2010-01-01 10:00:00,0.001,17,EIRE"]);
    assert_eq!(ids(&commands), ["or/1/place", "or/1/plan", "or/1/pick", "or/1/pack", "or/1/ship"]);
}

#[test]
fn charges_alone_are_an_order_without_goods() {
    let commands = last(&[
        "1,M,Manual,1,2010-01-01 10:00:00,12.5,,EIRE",
        "1,gift_0001_10,x,2,2010-01-01 10:00:00,8.7,,EIRE",
    ]);
    assert_eq!(ids(&commands), ["or/1/place", "or/1/capture"]);
    assert_eq!(
        commands[0].2,
        json!({
            "order": "1", "channel": "online-retail", "destination": {"country": "EIRE"}, "lines": [],
            "charges": [
                {"kind": "service", "description": "M", "amount": "12.50"},
                {"kind": "service", "description": "gift_0001_10", "amount": "17.40"},
            ],
        })
    );
    assert_eq!(commands[1].2["amount"], "29.90");
}

#[test]
fn a_credit_note_returns_what_was_bought_by_order_and_the_rest_blind() {
    let commands = last(&[
        "1,A,x,2,2010-01-01 10:00:00,2.5,17,EIRE",
        "2,B1,x,1,2010-01-01 11:00:00,1,17,EIRE",
        "2,C1,x,4,2010-01-01 11:00:00,3,17,EIRE",
        "C3,A,x,-3,2010-01-02 10:00:00,2.5,17,EIRE",
        "C3,C1,x,-1,2010-01-02 10:00:00,3,17,EIRE",
    ]);
    assert_eq!(
        ids(&commands),
        [
            "or/C3/return/1",
            "or/C3/receive/1",
            "or/C3/inspect/1",
            "or/C3/disposition/1",
            "or/C3/refund/1",
            "or/C3/repay/1", // order 1
            "or/C3/return/2",
            "or/C3/receive/2",
            "or/C3/inspect/2",
            "or/C3/disposition/2",
            "or/C3/refund/2",
            "or/C3/repay/2", // order 2
            "or/C3/return/3",
            "or/C3/inspect/3",
            "or/C3/disposition/3",
            "or/C3/refund/3",
            "or/C3/repay/3", // one A too many
        ]
    );
    let body = |id: &str| &commands.iter().find(|(found, ..)| found == id).expect("planned").2;
    assert_eq!(body("or/C3/return/2")["order"], "2");
    assert_eq!(body("or/C3/return/2")["lines"], json!([{"line": 2, "quantity": 1}]));
    assert_eq!(body("or/C3/receive/2")["lines"], json!([{"line": 1, "quantity": 1}]));
    assert_eq!(
        body("or/C3/disposition/2")["lines"],
        json!([{"line": 1, "quantity": 1, "grade": "a", "outcome": "restock"}])
    );
    assert_eq!(body("or/C3/refund/1")["lines"], json!([{"line": 1, "quantity": 2, "amount": "5.00"}]));
    assert_eq!(body("or/C3/repay/1"), &json!({"payment": "C3/1", "refund": "C3/1", "amount": "5.00"}));
    assert_eq!(
        body("or/C3/return/3"),
        &json!({
            "return": "C3/3", "location": "online-retail", "lines": [{"sku": "A", "quantity": 1, "unit_cost": "1.5"}],
            "customer": "17", "country": "EIRE",
        })
    );
    assert_eq!(
        body("or/C3/refund/3"),
        &json!({
            "refund": "C3/3", "return": "C3/3", "channel": "online-retail", "customer": "17", "country": "EIRE",
            "lines": [{"sku": "A", "quantity": 1, "amount": "2.50"}], "reason": "unreferenced",
        })
    );
}

#[test]
fn the_first_command_of_a_return_tells_how_all_of_it_was_matched() {
    let bought = "1,A,x,2,2010-01-01 10:00:00,2.5,17,EIRE";
    let also_bought = "2,B1,x,2,2010-01-01 10:00:00,2.5,17,EIRE";
    let returned =
        ["C3,A,x,-1,2010-01-02 10:00:00,2.5,17,EIRE", "C3,B1,x,-1,2010-01-02 10:00:00,2.5,17,EIRE"];
    let note = |lines: &[&str]| last(lines)[0].2["note"].clone();
    let all = note(&[bought, also_bought, returned[0], returned[1]]);
    let some = note(&[bought, returned[0], returned[1]]);
    assert!(all.as_str().is_some_and(|note| note.starts_with("credit note C3, plan ")), "{all}");
    assert_ne!(all, some);
    assert_eq!(some, note(&[returned[1], bought, returned[0]]));
}

#[test]
fn a_return_of_nobody_is_blind_and_names_no_customer() {
    let commands = last(&["C1,A,x,-2,2010-01-01 10:00:00,1.5,,EIRE"]);
    assert_eq!(ids(&commands)[0], "or/C1/return/1");
    assert_eq!((commands[0].1, commands[0].2.get("customer")), ("returns.receive", None));
}

#[test]
fn credited_charges_are_paid_back_without_an_order() {
    let commands = last(&[
        "C1,D,Discount,-1,2010-01-01 10:00:00,9,17,EIRE",
        "C1,M,x,-2,2010-01-01 10:00:00,1.5,17,EIRE",
    ]);
    assert_eq!(ids(&commands), ["or/C1/refund/charges", "or/C1/repay/charges"]);
    assert_eq!(
        commands[0].2,
        json!({
            "refund": "C1/charges", "channel": "online-retail", "customer": "17", "country": "EIRE",
            "charges": [{"kind": "fee", "amount": "9.00"}, {"kind": "service", "amount": "3.00"}],
            "reason": "unreferenced",
        })
    );
    assert_eq!(commands[1].2, json!({"payment": "C1/charges", "refund": "C1/charges", "amount": "12.00"}));
}

#[test]
fn fees_of_either_sign_and_bad_debts_are_posted_by_hand() {
    let commands = last(
        &[
            "C1,AMAZONFEE,x,-1,2010-01-01 10:00:00,100.5,,EIRE",
            "C1,BANK CHARGES,x,1,2010-01-01 10:00:00,15,17,EIRE",
        ]
        .map(|line| line.replace(",17,", ",,"))
        .each_ref()
        .map(String::as_str),
    );
    assert_eq!(ids(&commands), ["or/C1/fee/1", "or/C1/fee/2"]);
    assert_eq!(
        commands[0].2,
        json!({
            "posting": "C1/fee/1",
            "lines": [
                {"account": "5400", "debit": "100.50", "channel": "online-retail", "country": "EIRE"},
                {"account": "1110", "credit": "100.50", "channel": "online-retail", "country": "EIRE"},
            ],
            "reason": "channel_fee", "note": "AMAZONFEE",
        })
    );
    assert_eq!(commands[1].2["lines"][0]["account"], "5810");
    assert_eq!(commands[1].2["lines"][0]["credit"], "15.00");

    let commands = last(&["A5,B,Adjust bad debt,1,2010-01-01 10:00:00,-53594.36,,United Kingdom"]);
    assert_eq!(ids(&commands), ["or/A5/bad-debt/1"]);
    assert_eq!(
        (&commands[0].2["lines"][0]["account"], &commands[0].2["lines"][0]["debit"]),
        (&json!("5800"), &json!("53594.36"))
    );
    assert_eq!(
        (&commands[0].2["lines"][1]["account"], &commands[0].2["lines"][1]["credit"]),
        (&json!("1100"), &json!("53594.36"))
    );
}

#[test]
fn price_zero_for_nobody_is_an_adjustment_with_its_description() {
    let commands =
        last(&["1,A,apple,1,2009-01-01 10:00:00,2.5,,EIRE", "2,A,broken,-7,2010-01-01 10:00:00,0,,EIRE"]);
    let body = json!({
        "sku": "A", "location": "online-retail", "change": -7, "reason": "import_adjustment", "note": "broken",
    });
    assert_eq!(commands, [("or/2/adjust/1".to_owned(), "stock.adjust", body)]);

    let commands = last(&["1,A,apple,1,2009-01-01 10:00:00,2.5,,EIRE", "2,A,,7,2010-01-01 10:00:00,0,,EIRE"]);
    assert_eq!((commands[0].2.get("note"), &commands[0].2["unit_cost"]), (None, &json!("1.5")));
}

#[test]
fn codes_that_are_not_stock_are_nothing_without_a_price() {
    assert_eq!(last(&["1,POST,nan,-7,2010-01-01 10:00:00,0,,EIRE"]), []);
}

#[test]
fn definitions_come_first_and_once() {
    let plan = Plan::new(
        invoices(&[
            "1,A,,1,2010-01-01 10:00:00,2.5,17,EIRE",
            "2,A,apple,1,2010-01-01 10:01:00,2.5,17,Spain",
            "3,A,pear,1,2010-01-01 10:02:00,2.5,18,EIRE",
            "4,Z ,damaged,-1,2010-01-01 10:02:00,0,,EIRE",
        ]),
        Assumptions::default(),
    );
    let definitions: Vec<Planned> = plan.definitions().collect();
    let ids: Vec<&str> = definitions.iter().map(|command| command.command_id.as_str()).collect();
    assert_eq!(
        ids,
        [
            "or/location/online-retail",
            "or/channel/online-retail",
            "or/customer/17",
            "or/customer/18",
            "or/item/A",
            "or/activate/A",
            "or/item/Z ",
            "or/activate/Z ",
        ]
    );
    // The name is the first that the file gives; what explains an adjustment is no name.
    assert_eq!((&definitions[4].body["name"], definitions[4].repeat), (&json!("apple"), Repeat::Keep));
    assert_eq!(definitions[6].body["name"], "Z ");
}

#[test]
fn everything_happens_at_the_earliest_time_of_its_invoice() {
    let lines = ["1,A,x,2,2010-01-01 10:01:00,1,,EIRE", "1,B1,x,2,2010-01-01 10:00:00,1,,EIRE"];
    let plan = Plan::new(invoices(&lines), Assumptions::default());
    for command in plan.trading().flatten() {
        assert_eq!(
            command.effective_at.map(|at| at.to_rfc3339()).as_deref(),
            Some("2010-01-01T10:00:00+00:00")
        );
    }
}

#[test]
fn one_sku_alone_keeps_its_own_lines_and_their_ids() {
    let lines = [
        "1,A,x,2,2010-01-01 10:01:00,1,,EIRE",
        "1,B1,x,2,2010-01-01 10:00:00,1,,EIRE",
        "2,B1,x,2,2010-01-01 10:00:00,1,,EIRE",
    ];
    let plan = Plan::new(invoices(&lines), Assumptions::default()).of_sku("A");
    let trading: Vec<Planned> = plan.trading().flatten().collect();
    assert_eq!(trading[0].command_id, "or/1/place");
    assert_eq!(trading[0].moves, [Move { sku: "A".into(), change: -2 }]);
    assert_eq!((plan.invoices.len(), plan.items.len()), (1, 1));
}
