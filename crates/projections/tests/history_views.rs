//! audit and health.

#![allow(clippy::unwrap_used, reason = "in a test, what cannot be had is a failure")]

mod shop;

use journal::JournalRead;
use projections::Query;
use serde_json::{Value, json};
use shop::{Shop, all, given_a_shop, query};

fn commands(rows: &Value) -> Vec<&str> {
    rows.as_array().unwrap().iter().map(|row| row["command"].as_str().unwrap()).collect()
}

fn given_two_actors() -> Shop {
    let mut shop = given_a_shop();
    shop.acts("ann");
    shop.send_batch(vec![
        ("items.define", json!({"sku": "NEW", "name": "New"})),
        ("items.activate", json!({"sku": "NEW"})),
        ("stock.receive", json!({"sku": "TEA-01", "location": "BER1", "quantity": 1, "unit_cost": "1"})),
    ]);
    shop
}

#[test]
fn what_was_done_to_a_thing_and_by_an_actor() {
    let mut shop = given_two_actors();
    let about = shop.rows("audit", json!({"kind": "item", "id": "TEA-01"}));
    assert_eq!(commands(&about), ["items.define", "items.activate", "stock.receive"]);
    assert_eq!(about[2]["events"][0]["type"], "stock.received");
    assert_eq!((&about[2]["actor"], &about[2]["body"]["quantity"]), (&json!("ann"), &json!(1)));
    assert_eq!(
        commands(&shop.rows("audit", json!({"actor": "ann"}))),
        ["items.define", "items.activate", "stock.receive"]
    );
    assert_eq!(
        commands(&shop.rows("audit", json!({"actor": "ann", "kind": "item", "id": "NEW"}))),
        ["items.define", "items.activate"]
    );
    assert_eq!(commands(&shop.rows("audit", json!({"command": "locations.define"}))).len(), 2);
    assert_eq!(shop.rows("audit", json!({"kind": "order", "id": "TEA-01"})), json!([]));
    let mut refused = |filter| shop.projections().query("audit", query(filter)).unwrap_err().to_string();
    let text = refused(json!({"kind": "item"}));
    assert!(text.contains("needs id"), "{text}");
}

#[test]
fn newest_first_is_oldest_first_turned_round() {
    let mut shop = given_two_actors();
    let projections = shop.projections();
    for (view, filter) in [
        ("audit", json!({})),
        ("audit", json!({"kind": "item", "id": "TEA-01"})),
        ("audit", json!({"from": "2026-01-01T00:03:00Z", "to": "2026-01-01T00:06:00Z"})),
        ("journal_lines", json!({})),
        ("journal_lines", json!({"item": "TEA-01"})),
    ] {
        for limit in [1, 2, 100] {
            let ask = |sort: &str| Query {
                sort: Some(sort.to_owned()),
                limit: Some(limit),
                ..query(filter.clone())
            };
            let oldest = all(&projections, view, ask("sequence"));
            let mut newest = all(&projections, view, ask("-sequence"));
            assert!(!oldest.is_empty(), "{view} {filter}");
            newest.reverse();
            assert_eq!(newest, oldest, "{view} {filter} in pages of {limit}");
        }
    }
}

#[test]
fn health_says_how_far_behind_the_views_are() {
    let mut shop = given_a_shop();
    let projections = shop.projections();
    let at = projections.position();
    shop.days_later(1);
    shop.send("stock.receive", json!({"sku": "TEA-01", "location": "BER1", "quantity": 1, "unit_cost": "1"}));
    shop.send("stock.receive", json!({"sku": "TEA-01", "location": "BER1", "quantity": 1, "unit_cost": "1"}));
    let row = projections.query("health", query(json!({}))).unwrap().rows.remove(0);
    assert_eq!((&row["position"], &row["ledger"]), (&json!(at.to_string()), &json!("main")));
    assert_eq!((&row["lag_entries"], &row["lag_seconds"]), (&json!(2), &json!(86_520)));
    assert_eq!((row.get("ledger_hash"), row.get("first_broken")), (None, None));
    let frame = |shop: &mut Shop, n| shop.reader().frame_at(n).unwrap().unwrap();
    projections.fold(&frame(&mut shop, at.sequence + 1)).unwrap();
    projections.fold(&frame(&mut shop, at.sequence + 2)).unwrap();
    let row = projections.query("health", query(json!({"ledger_hash": true}))).unwrap().rows.remove(0);
    let hash: String = projections.ledger_hash().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!((&row["lag_entries"], &row["ledger_hash"]), (&json!(0), &json!(hash)));
}
