//! Pages: every row exactly once, cut by rows and by bytes, each consistent at its own position.

#![allow(clippy::unwrap_used, reason = "in a test, what cannot be had is a failure")]

mod shop;

use journal::JournalRead;
use projections::{PAGE_BYTES_MAX, Query, VIEWS};
use serde_json::{Value, json};
use shop::{Shop, all, effective, given_a_shop, query, sequence};

fn given_much_stock() -> Shop {
    let mut shop = given_a_shop();
    shop.frame_entries = 7;
    for n in 0..40 {
        let sku = format!("S-{:02}", n * 7 % 40);
        shop.send("items.define", json!({"sku": sku, "name": sku}));
        shop.send("items.activate", json!({"sku": sku}));
        for (location, status) in
            [("BER1", "available"), ("AMS1", "damaged"), ("AMS1", "available"), ("AMS1", "inspection")]
        {
            let body = json!({"sku": sku, "location": location, "quantity": n + 1, "unit_cost": "1", "status": status});
            shop.send("stock.receive", body);
        }
    }
    shop
}

fn filter_for(view: &str) -> Value {
    match view {
        "bin_card" => json!({"sku": "S-07"}),
        "order" => json!({"order": "O-1"}),
        _ => json!({}),
    }
}

#[test]
fn paging_yields_every_row_once_in_every_sort() {
    let mut shop = given_much_stock();
    let projections = shop.projections();
    for view in VIEWS {
        for sort in view.sorts {
            let query = Query { sort: Some((*sort).to_owned()), ..query(filter_for(view.name)) };
            let whole = all(&projections, view.name, Query { limit: Some(1000), ..query.clone() });
            for limit in [1, 3, 100] {
                let paged = all(&projections, view.name, Query { limit: Some(limit), ..query.clone() });
                assert_eq!(paged, whole, "{} by {sort} in pages of {limit}", view.name);
            }
        }
        let as_of = [sequence(100), effective("2026-01-01T02:00:00Z")];
        for as_of in as_of.into_iter().filter(|as_of| as_of.sequence.is_some() || view.as_of_effective) {
            let query = Query { as_of: Some(as_of), ..query(filter_for(view.name)) };
            let whole = all(&projections, view.name, Query { limit: Some(1000), ..query.clone() });
            let paged = all(&projections, view.name, Query { limit: Some(2), ..query });
            assert_eq!(paged, whole, "{} as of", view.name);
        }
    }
    assert_eq!(all(&projections, "stock_position", query(json!({}))).len(), 160);
}

#[test]
fn pages_go_on_behind_their_last_row_while_the_fold_goes_on() {
    let mut shop = given_much_stock();
    let projections = shop.projections();
    let mut query = Query { limit: Some(25), ..query(json!({"location": "BER1"})) };
    let first = projections.query("stock_position", query.clone()).unwrap();
    let sequence = shop
        .send("stock.receive", json!({"sku": "S-00", "location": "BER1", "quantity": 1, "unit_cost": "1"}));
    let frame = shop.reader().frame_at(sequence).unwrap().unwrap();
    projections.fold(&frame).unwrap();
    query.cursor = first.next.clone();
    let second = projections.query("stock_position", query).unwrap();
    assert!(first.position.sequence < second.position.sequence);
    let skus =
        |rows: &[Value]| rows.iter().map(|row| row["sku"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    let wanted: Vec<String> = (0..40).map(|n| format!("S-{n:02}")).collect();
    assert_eq!([skus(&first.rows), skus(&second.rows)].concat(), wanted);
    assert_eq!(second.next, None);
}

#[test]
fn a_page_is_cut_at_512_kib() {
    let mut shop = given_a_shop();
    let note = "n".repeat(500);
    for _ in 0..8 {
        let commands: Vec<(&str, Value)> = (0..150)
            .map(|_| {
                let body = json!({"sku": "TEA-01", "location": "AMS1", "change": 1, "reason": "found", "unit_cost": "1", "note": note});
                ("stock.adjust", body)
            })
            .collect();
        shop.send_batch(commands);
    }
    let projections = shop.projections();
    let query = Query { limit: Some(1000), ..query(json!({"command": "stock.adjust"})) };
    let page = projections.query("audit", query.clone()).unwrap();
    let bytes = serde_json::to_string(&page.rows).unwrap().len();
    assert!(page.rows.len() < 1000 && bytes <= PAGE_BYTES_MAX && bytes > PAGE_BYTES_MAX - 4096, "{bytes}");
    assert_eq!(all(&projections, "audit", query).len(), 1200);
}
