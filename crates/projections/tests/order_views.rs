//! order_board, order and return_board.

#![allow(clippy::unwrap_used, reason = "in a test, what cannot be had is a failure")]

mod shop;

use projections::{Projections, Query};
use serde_json::{Value, json};
use shop::{Shop, all, given_a_shop, query, sequence};

/// Orders O-1 (paid, shipped, delivered), O-2 (held for payment), O-3 (a customer's, backordered in part), O-4 (cancelled).
fn given_orders() -> Shop {
    let mut shop = given_a_shop();
    shop.send("customers.define", json!({"customer": "C1"}));
    shop.send("stock.receive", json!({"sku": "TEA-01", "location": "AMS1", "quantity": 8, "unit_cost": "4"}));
    let place = |order: &str, quantity: u64, ship_by: &str| {
        json!({"order": order, "channel": "web", "destination": {"country": "NL"}, "ship_by": ship_by,
            "lines": [{"sku": "TEA-01", "quantity": quantity, "price": "10"}],
            "charges": [{"kind": "shipping", "amount": "5"}]})
    };
    shop.send("orders.place", place("O-1", 3, "2026-01-09T00:00:00Z"));
    shop.send("payments.capture", json!({"payment": "P-1", "order": "O-1", "amount": "35.00"}));
    shop.acts("picker");
    shop.send("fulfilment.plan", json!({"shipment": "S-1", "order": "O-1"}));
    shop.send("fulfilment.pick", json!({"shipment": "S-1"}));
    shop.send("fulfilment.pack", json!({"shipment": "S-1"}));
    shop.send("fulfilment.ship", json!({"shipment": "S-1", "carrier": "Post", "tracking": "T-1"}));
    shop.send("fulfilment.deliver", json!({"shipment": "S-1"}));
    shop.send("orders.place", place("O-2", 1, "2026-01-05T00:00:00Z"));
    let mut third = place("O-3", 9, "2026-01-07T00:00:00Z");
    third["customer"] = json!("C1");
    shop.send("orders.place", third);
    shop.send("orders.place", place("O-4", 1, "2026-01-06T00:00:00Z"));
    shop.send("orders.cancel", json!({"order": "O-4", "reason": "changed_mind"}));
    shop
}

fn orders(projections: &Projections, filter: Value, sort: Option<&str>) -> Vec<String> {
    let query = Query { sort: sort.map(str::to_owned), ..query(filter) };
    let rows = all(projections, "order_board", query);
    rows.iter().map(|row| row["order"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_board_filters_and_sorts() {
    let projections = given_orders().projections();
    let board = |filter, sort| orders(&projections, filter, sort);
    assert_eq!(board(json!({}), None), ["O-1", "O-2", "O-3", "O-4"]);
    assert_eq!(board(json!({}), Some("-placed_at")), ["O-4", "O-3", "O-2", "O-1"]);
    assert_eq!(board(json!({}), Some("ship_by")), ["O-2", "O-4", "O-3", "O-1"]);
    assert_eq!(board(json!({}), Some("-value")), ["O-3", "O-1", "O-4", "O-2"]);
    assert_eq!(board(json!({"state": "captured"}), None), ["O-2", "O-3"]);
    assert_eq!(board(json!({"hold": "payment"}), Some("ship_by")), ["O-2", "O-3"]);
    assert_eq!(board(json!({"hold": "fraud"}), None), [""; 0]);
    assert_eq!(board(json!({"held": false}), None), ["O-1", "O-4"]);
    assert_eq!(board(json!({"customer": "C1"}), None), ["O-3"]);
    assert_eq!(board(json!({"channel": "b2b"}), None), [""; 0]);
    let fault = projections
        .query("order_board", Query { sort: Some("margin".into()), ..Query::default() })
        .unwrap_err();
    assert!(fault.code() == "sort_not_supported" && fault.to_string().contains("-placed_at"), "{fault}");
}

#[test]
fn a_row_of_the_board_shows_units_and_money() {
    let mut shop = given_orders();
    let rows = shop.rows("order_board", json!({"customer": "C1"}));
    let row = &rows[0];
    assert_eq!((&row["units"]["reserved"], &row["units"]["backordered"]), (&json!(4), &json!(5)));
    assert_eq!((&row["money"]["value"], &row["money"]["payment"]), (&json!("95.00"), &json!("unpaid")));
    assert_eq!((&row["holds"][0]["reason"], &row["country"]), (&json!("payment"), &json!("NL")));
    shop.send("payments.capture", json!({"payment": "P-2", "order": "O-3", "amount": "40.00"}));
    let row = &shop.rows("order_board", json!({"customer": "C1"}))[0];
    assert_eq!(
        (&row["money"]["deposit"], &row["money"]["payment"]),
        (&json!("40.00"), &json!("partly_paid"))
    );
    shop.send("payments.capture", json!({"payment": "P-3", "order": "O-3", "amount": "55.00"}));
    let row = &shop.rows("order_board", json!({"customer": "C1"}))[0];
    assert_eq!((&row["state"], &row["holds"]), (&json!("released"), &json!([])));
}

#[test]
fn an_order_in_detail_with_its_timeline() {
    let mut shop = given_orders();
    let rows = shop.rows("order", json!({"order": "O-1"}));
    let row = &rows[0];
    assert_eq!((&row["state"], &row["units"]["delivered"]), (&json!("completed"), &json!(3)));
    assert_eq!(row["money"]["invoiced"], "35.00");
    assert_eq!((&row["money"]["deposit"], &row["money"]["payment"]), (&json!("0.00"), &json!("paid")));
    assert_eq!(
        (&row["lines"][0]["total"], &row["lines"][0]["issue_cost"]),
        (&json!("30.00"), &json!("12.00"))
    );
    assert_eq!(
        (&row["charges"][0]["kind"], &row["charges"][0]["invoiced"]),
        (&json!("shipping"), &json!(true))
    );
    let shipment = &row["shipments"][0];
    assert_eq!((&shipment["shipment"], &shipment["state"]), (&json!("S-1"), &json!("delivered")));
    assert_eq!((&shipment["tracking"], &shipment["lines"][0]["picked"]), (&json!("T-1"), &json!(3)));
    let steps = row["timeline"].as_array().unwrap();
    let commands: Vec<&str> = steps.iter().map(|step| step["command"].as_str().unwrap()).collect();
    assert_eq!(
        commands,
        [
            "orders.place",
            "payments.capture",
            "fulfilment.plan",
            "fulfilment.pick",
            "fulfilment.pack",
            "fulfilment.ship",
            "fulfilment.deliver"
        ]
    );
    assert_eq!((&steps[0]["actor"], &steps[6]["actor"]), (&json!("clerk"), &json!("picker")));
    assert_eq!(shop.rows("order", json!({"order": "O-9"})), json!([]));

    let placed = steps[0]["sequence"].as_u64().unwrap();
    let then = shop.rows_as_of("order", json!({"order": "O-1"}), sequence(placed));
    assert_eq!((&then[0]["state"], then[0]["timeline"].as_array().unwrap().len()), (&json!("captured"), 1));
    assert_eq!(shop.rows_as_of("order_board", json!({}), sequence(placed)).as_array().unwrap().len(), 1);
}

#[test]
fn every_control_account_ties_out_while_orders_are_open() {
    let mut shop = given_orders();
    shop.send("payments.capture", json!({"payment": "P-2", "order": "O-3", "amount": "40.00"}));
    let lines = json!([{"account": "1000", "credit": "3.00"}, {"account": "5810", "debit": "3.00"}]);
    shop.send("finance.post_manual", json!({"lines": lines, "reason": "bank_charge"}));
    let rows = shop.rows("trial_balance", json!({}));
    let tie_outs: Vec<&Value> =
        rows.as_array().unwrap().iter().filter(|row| row["row"] == "tie_out").collect();
    for row in &tie_outs {
        assert_eq!(row["difference"], "0.00", "{row}");
    }
    // Kept incrementally, they are what a walk over all pools and documents gives.
    let walked = ledger_core::finance::tie_outs(&shop.ledger);
    assert_eq!(tie_outs.len(), walked.len());
    for walked in walked {
        let row = tie_outs.iter().find(|row| row["account"] == walked.account.as_str()).unwrap();
        assert_eq!(row["account_balance"], walked.book.to_string());
        let manual = shop.ledger.finance().manual(walked.account);
        assert_eq!(row["subledger_balance"], (walked.subledger - manual).to_string());
    }
    let deposits = tie_outs.iter().find(|row| row["account"] == "2300").unwrap();
    assert_eq!(deposits["subledger_balance"], "-40.00");
    let lines = shop.rows("journal_lines", json!({"order": "O-1", "country": "NL", "channel": "web"}));
    assert!(lines.as_array().unwrap().len() > 2, "{lines}");
}

/// Of the three units of O-1, two come back: one as new, one worn. A blind return comes too.
fn given_returns() -> Shop {
    let mut shop = given_orders();
    let lines = json!([{"line": 1, "quantity": 2}]);
    shop.send(
        "returns.authorise",
        json!({"return": "R-1", "order": "O-1", "lines": lines, "reason": "too_small"}),
    );
    shop.days_later(2);
    shop.send("returns.receive", json!({"return": "R-1", "location": "AMS1", "lines": lines}));
    let graded = json!([{"line": 1, "quantity": 1, "grade": "a"}, {"line": 1, "quantity": 1, "grade": "c"}]);
    shop.send("returns.inspect", json!({"return": "R-1", "lines": graded}));
    let restock = json!([{"line": 1, "quantity": 1, "grade": "a", "outcome": "restock"}]);
    shop.send("returns.disposition", json!({"return": "R-1", "lines": restock}));
    let refund = json!({"refund": "F-1", "order": "O-1", "return": "R-1", "lines": [{"line": 1, "quantity": 2}],
        "reason": "too_small"});
    shop.send("returns.refund", refund);
    let blind = json!({"return": "R-2", "location": "BER1", "lines": [{"sku": "TEA-01", "quantity": 1}]});
    shop.send("returns.receive", blind);
    shop
}

#[test]
fn the_return_board_shows_what_came_and_what_became_of_it() {
    let mut shop = given_returns();
    let rows = shop.rows("return_board", json!({"order": "O-1"}));
    let row = &rows[0];
    assert_eq!(
        (&row["return"], &row["stage"], &row["location"]),
        (&json!("R-1"), &json!("inspected"), &json!("AMS1"))
    );
    assert_eq!((&row["country"], &row["refunded"]), (&json!("NL"), &json!("20.00")));
    let line = &row["lines"][0];
    assert_eq!((&line["received"], &line["uninspected"]), (&json!(2), &json!(0)));
    assert_eq!(
        line["grades"],
        json!([{"grade": "a", "quantity": 1, "undecided": 0}, {"grade": "c", "quantity": 1, "undecided": 1}])
    );
    assert_eq!(line["outcomes"], json!([{"grade": "a", "outcome": "restock", "quantity": 1}]));

    let returns = |shop: &mut Shop, filter, sort: &str| {
        let query = Query { sort: Some(sort.to_owned()), ..query(filter) };
        let rows = all(&shop.projections(), "return_board", query);
        rows.iter().map(|row| row["return"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(returns(&mut shop, json!({}), "opened_at"), ["R-1", "R-2"]);
    assert_eq!(returns(&mut shop, json!({}), "-stage_since"), ["R-2", "R-1"]);
    assert_eq!(returns(&mut shop, json!({"stage": "received"}), "opened_at"), ["R-2"]);
    assert_eq!(returns(&mut shop, json!({"reason": "too_small"}), "opened_at"), ["R-1"]);
    assert_eq!(returns(&mut shop, json!({"location": "BER1"}), "opened_at"), ["R-2"]);
    assert_eq!(returns(&mut shop, json!({"stage": "closed"}), "opened_at"), [""; 0]);

    let order = &shop.rows("order", json!({"order": "O-1"}))[0];
    let shown = json!([{"return": "R-1", "stage": "inspected", "units": 2, "refunded": "20.00"}]);
    assert_eq!((&order["returns"], &order["units"]["returned"]), (&shown, &json!(2)));
    let balance = shop.rows("trial_balance", json!({"account": "2310"}));
    assert_eq!(
        (&balance[1]["subledger_balance"], &balance[1]["difference"]),
        (&json!("-20.00"), &json!("0.00"))
    );
    shop.send("payments.refund", json!({"payment": "P-9", "refund": "F-1", "amount": "20.00"}));
    let balance = shop.rows("trial_balance", json!({"account": "2310"}));
    assert_eq!(balance[1]["subledger_balance"], "0.00");
}

#[test]
fn an_archived_order_leaves_the_board_and_its_detail_says_where_to_look() {
    let mut shop = given_orders();
    shop.send("orders.set_archiving", json!({"after_days": 0}));
    shop.send("orders.archive", json!({"order": "O-4"}));
    let archived_at = shop.send("orders.archive", json!({"order": "O-1"}));
    let projections = shop.projections();
    assert_eq!(orders(&projections, json!({}), None), ["O-2", "O-3"]);
    let fault = projections.query("order", query(json!({"order": "O-1"}))).unwrap_err();
    assert_eq!(fault.code(), "order_archived");
    assert!(fault.to_string().contains(&format!("ask as of sequence {}", archived_at - 1)), "{fault}");
    let before = Query { as_of: Some(sequence(archived_at - 1)), ..query(json!({"order": "O-1"})) };
    assert_eq!(all(&projections, "order", before).len(), 1);
    let health = all(&projections, "health", Query::default());
    assert_eq!(health[0]["first_broken"], Value::Null, "what left moved still ties out: {health:?}");
}
