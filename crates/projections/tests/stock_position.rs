//! stock_position: what is where in which status, now and then.

#![allow(clippy::unwrap_used, reason = "in a test, what cannot be had is a failure")]

mod shop;

use serde_json::json;
use shop::{effective, given_a_shop, query, sequence};

#[test]
fn buckets_with_their_share_of_what_the_pool_is_worth() {
    let mut shop = given_a_shop();
    shop.send(
        "stock.receive",
        json!({"sku": "TEA-01", "location": "AMS1", "quantity": 8, "unit_cost": "10"}),
    );
    shop.send(
        "stock.receive",
        json!({"sku": "TEA-01", "location": "AMS1", "quantity": 4, "unit_cost": "16"}),
    );
    shop.send(
        "stock.receive",
        json!({"sku": "TEA-01", "location": "BER1", "quantity": 1, "unit_cost": "9", "status": "damaged"}),
    );
    shop.send("stock.receive", json!({"sku": "AVG-01", "location": "AMS1", "quantity": 2, "unit_cost": "1"}));
    assert_eq!(
        shop.rows("stock_position", json!({})),
        json!([
            {"sku": "AVG-01", "location": "AMS1", "status": "available", "group": "sellable", "quantity": 2, "value": "2.00"},
            {"sku": "TEA-01", "location": "AMS1", "status": "available", "group": "sellable", "quantity": 12, "value": "144.00"},
            {"sku": "TEA-01", "location": "BER1", "status": "damaged", "group": "impaired", "quantity": 1, "value": "9.00"},
        ])
    );
    let skus = |shop: &mut shop::Shop, filter| {
        let rows = shop.rows("stock_position", filter);
        rows.as_array().unwrap().iter().map(|row| row["quantity"].as_i64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(skus(&mut shop, json!({"sku": "TEA-01"})), [12, 1]);
    assert_eq!(skus(&mut shop, json!({"location": "AMS1"})), [2, 12]);
    assert_eq!(skus(&mut shop, json!({"status": "damaged"})), [1]);
    assert_eq!(skus(&mut shop, json!({"sku": "TEA-01", "location": "BER1", "status": "available"})), [0; 0]);
    assert_eq!(skus(&mut shop, json!({"sku": "NOPE"})), [0; 0]);
}

#[test]
fn what_was_known_then_and_what_was_true_then() {
    let mut shop = given_a_shop();
    let receive =
        |quantity| json!({"sku": "TEA-01", "location": "AMS1", "quantity": quantity, "unit_cost": "10"});
    let first = shop.send("stock.receive", receive(5));
    shop.days_later(10);
    shop.send_effective("2026-01-05T00:00:00Z", "stock.receive", receive(3));
    let quantity = |rows: serde_json::Value| rows[0]["quantity"].as_i64();
    assert_eq!(quantity(shop.rows("stock_position", json!({}))), Some(8));
    assert_eq!(quantity(shop.rows_as_of("stock_position", json!({}), sequence(first))), Some(5));
    assert_eq!(
        quantity(shop.rows_as_of("stock_position", json!({}), effective("2026-01-04T00:00:00Z"))),
        Some(5)
    );
    assert_eq!(
        quantity(shop.rows_as_of("stock_position", json!({}), effective("2026-01-05T00:00:00Z"))),
        Some(8)
    );
    // What was known at the first entry about a later day.
    let mut both = effective("2026-01-06T00:00:00Z");
    both.sequence = Some(first);
    assert_eq!(quantity(shop.rows_as_of("stock_position", json!({"sku": "TEA-01"}), both)), Some(5));
    let recorded =
        projections::AsOf { effective_at: None, recorded_at: both.effective_at, ..Default::default() };
    assert_eq!(quantity(shop.rows_as_of("stock_position", json!({}), recorded)), Some(5));
}

#[test]
fn a_question_that_cannot_be_answered_says_why() {
    let projections = given_a_shop().projections();
    let refused = |view: &str, query| {
        let fault = projections.query(view, query).unwrap_err();
        (fault.code(), fault.to_string())
    };
    let (code, text) = refused("stock_positions", query(json!({})));
    assert!(code == "unknown_view" && text.contains("stock_position"), "{text}");
    let (code, text) = refused("stock_position", query(json!({"skus": "TEA-01"})));
    assert!(
        code == "unknown_filter" && text.contains("\"skus\"") && text.contains("sku, location, status"),
        "{text}"
    );
    let (code, text) = refused("stock_position", query(json!({"status": "sold"})));
    assert!(code == "invalid_filter" && text.contains("status") && text.contains("available"), "{text}");
    let ask = |change: fn(&mut projections::Query)| {
        let mut query = query(json!({}));
        change(&mut query);
        refused("stock_position", query).0
    };
    assert_eq!(ask(|query| query.limit = Some(0)), "invalid_limit");
    assert_eq!(ask(|query| query.limit = Some(1001)), "invalid_limit");
    assert_eq!(ask(|query| query.sort = Some("value".into())), "sort_not_supported");
    assert_eq!(ask(|query| query.cursor = Some("nonsense".into())), "invalid_cursor");
    assert_eq!(
        ask(|query| query.cursor = Some(r#"["valuation","sku","A","B","0"]"#.into())),
        "invalid_cursor"
    );
    assert_eq!(ask(|query| query.cursor = Some(r#"["stock_position","sku","A"]"#.into())), "invalid_cursor");
    assert_eq!(ask(|query| query.as_of = Some(sequence(1_000_000))), "unknown_position");
    assert_eq!(ask(|query| query.min_position = Some("1.1000000".into())), "unknown_position");
    assert_eq!(ask(|query| query.min_position = Some("7.2".into())), "unknown_position");
}
