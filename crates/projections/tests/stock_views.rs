//! The views of stock beside stock_position: bin_card, availability, valuation.

#![allow(clippy::unwrap_used, reason = "in a test, what cannot be had is a failure")]

mod shop;

use serde_json::{Value, json};
use shop::{Shop, effective, given_a_shop, sequence};

fn receive(shop: &mut Shop, sku: &str, location: &str, quantity: u64, unit_cost: &str) -> u64 {
    let body = json!({"sku": sku, "location": location, "quantity": quantity, "unit_cost": unit_cost});
    shop.send("stock.receive", body)
}

fn column(rows: &Value, name: &str) -> Vec<Value> {
    rows.as_array().unwrap().iter().map(|row| row[name].clone()).collect()
}

fn given_some_trade() -> Shop {
    let mut shop = given_a_shop();
    receive(&mut shop, "TEA-01", "AMS1", 8, "10");
    receive(&mut shop, "TEA-02", "AMS1", 5, "3");
    shop.acts("ann");
    shop.send(
        "stock.reserve",
        json!({"reservation": "R-1", "sku": "TEA-01", "location": "AMS1", "quantity": 3}),
    );
    shop.days_later(3);
    receive(&mut shop, "TEA-01", "BER1", 4, "16");
    let lost = json!({"sku": "TEA-01", "location": "AMS1", "quantity": 2, "reason": "broken"});
    shop.send_effective("2026-01-02T00:00:00Z", "stock.write_off", lost);
    shop
}

#[test]
fn the_bin_card_has_every_movement_with_the_balance_on_hand() {
    let mut shop = given_some_trade();
    let rows = shop.rows("bin_card", json!({"sku": "TEA-01"}));
    assert_eq!(column(&rows, "quantity"), [json!(8), json!(3), json!(4), json!(2)]);
    assert_eq!(column(&rows, "change"), [json!(8), json!(0), json!(4), json!(-2)]);
    assert_eq!(column(&rows, "balance"), [json!(8), json!(8), json!(12), json!(10)]);
    assert_eq!(rows[0]["from"], json!({"world": "supplier"}));
    assert_eq!(rows[0]["to"], json!({"location": "AMS1", "status": "available"}));
    assert_eq!(rows[1]["document"], json!({"kind": "reservation", "id": "R-1"}));
    assert_eq!((&rows[0]["actor"], &rows[1]["actor"]), (&json!("clerk"), &json!("ann")));
    assert_eq!(
        (&rows[3]["command"], &rows[3]["event"]),
        (&json!("stock.write_off"), &json!("stock.written_off"))
    );
    assert_eq!(rows[3]["effective_at"], json!("2026-01-02T00:00:00Z"));
    assert!(rows[3]["recorded_at"].as_str().unwrap().starts_with("2026-01-04"));

    let here = shop.rows("bin_card", json!({"sku": "TEA-01", "location": "AMS1"}));
    assert_eq!(column(&here, "balance"), [json!(8), json!(8), json!(6)]);
    let later = shop.rows("bin_card", json!({"sku": "TEA-01", "from": "2026-01-03T00:00:00Z"}));
    assert_eq!(column(&later, "balance"), [json!(12)], "what was before is counted all the same");
    let missing = shop.projections().query("bin_card", shop::query(json!({}))).unwrap_err();
    assert!(missing.code() == "invalid_filter" && missing.to_string().contains("`sku`"), "{missing}");
}

#[test]
fn the_bin_card_as_of_an_effective_time_is_in_the_order_in_which_it_was_true() {
    let mut shop = given_some_trade();
    let as_of = |shop: &mut Shop, as_of| shop.rows_as_of("bin_card", json!({"sku": "TEA-01"}), as_of);
    let rows = as_of(&mut shop, effective("2026-01-31T00:00:00Z"));
    assert_eq!(column(&rows, "change"), [json!(8), json!(0), json!(-2), json!(4)]);
    assert_eq!(column(&rows, "balance"), [json!(8), json!(8), json!(6), json!(10)]);
    let rows = as_of(&mut shop, effective("2026-01-03T00:00:00Z"));
    assert_eq!(column(&rows, "balance"), [json!(8), json!(8), json!(6)]);
    let first = column(&rows, "sequence")[0].as_u64().unwrap();
    assert_eq!(column(&as_of(&mut shop, sequence(first)), "balance"), [json!(8)]);
}

#[test]
fn a_fact_recorded_before_what_it_needed_shows_as_negative() {
    let mut shop = given_a_shop();
    receive(&mut shop, "TEA-01", "AMS1", 8, "10");
    shop.days_later(5);
    let damaged = json!({"sku": "TEA-01", "location": "AMS1", "from": "available", "to": "damaged", "quantity": 2,
        "reason": "broken"});
    if shop.try_send("stock.change_status", damaged).is_ok() {
        let rows = shop.rows_as_of("stock_position", json!({}), effective("2025-12-31T00:00:00Z"));
        assert_eq!(rows, json!([]));
    }
    // Written off as of a day before it was received: the core accepts it in recorded order.
    let early = json!({"sku": "TEA-01", "location": "AMS1", "quantity": 1, "reason": "broken"});
    shop.send_effective("2025-12-30T00:00:00Z", "stock.write_off", early);
    let rows = shop.rows_as_of("stock_position", json!({}), effective("2025-12-31T00:00:00Z"));
    assert_eq!((&rows[0]["quantity"], &rows[0]["negative"]), (&json!(-1), &json!(true)));
    let rows = shop.rows_as_of("valuation", json!({}), effective("2025-12-31T00:00:00Z"));
    assert_eq!((&rows[0]["value"], &rows[0]["negative"]), (&json!("-10.00"), &json!(true)));
}

#[test]
fn availability_shows_every_term_of_the_sum() {
    let mut shop = given_some_trade();
    let rows = shop.rows("availability", json!({"sku": "TEA-01"}));
    assert_eq!(
        rows,
        json!([{"channel": "web", "sku": "TEA-01", "ats": 7, "oversell": "backorder", "locations": [
            {"location": "AMS1", "available": 3, "reserved": 3, "on_hand": 6},
            {"location": "BER1", "available": 4, "reserved": 0, "on_hand": 4},
        ]}])
    );
    let all = shop.rows("availability", json!({"channel": "web"}));
    assert_eq!(column(&all, "sku"), [json!("AVG-01"), json!("TEA-01"), json!("TEA-02")]);
    assert_eq!(column(&all, "ats"), [json!(0), json!(7), json!(5)]);
    assert_eq!(shop.rows("availability", json!({"channel": "nowhere"})), json!([]));
    let fault = shop
        .projections()
        .query(
            "availability",
            projections::Query { as_of: Some(effective("2026-01-01T00:00:00Z")), ..Default::default() },
        )
        .unwrap_err();
    assert!(fault.code() == "as_of_not_supported" && fault.to_string().contains("bin_card"), "{fault}");
}

#[test]
fn valuation_shows_pools_with_their_layers() {
    let mut shop = given_a_shop();
    receive(&mut shop, "TEA-01", "AMS1", 8, "10");
    shop.days_later(1);
    let before = receive(&mut shop, "TEA-01", "AMS1", 4, "16");
    shop.send(
        "stock.write_off",
        json!({"sku": "TEA-01", "location": "AMS1", "quantity": 9, "reason": "broken"}),
    );
    receive(&mut shop, "AVG-01", "AMS1", 3, "1.005");
    let rows = shop.rows("valuation", json!({"sku": "TEA-01"}));
    assert_eq!((&rows[0]["quantity"], &rows[0]["value"]), (&json!(3), &json!("48.00")));
    assert_eq!(rows[0]["layers"][0]["value"], json!("48.00"));
    assert_eq!(rows[0]["layers"].as_array().unwrap().len(), 1);
    let average = shop.rows("valuation", json!({"sku": "AVG-01", "group": "sellable"}));
    assert_eq!((&average[0]["costing"], average[0].get("layers")), (&json!("moving_average"), None));
    let then = shop.rows_as_of("valuation", json!({"location": "AMS1"}), sequence(before));
    assert_eq!((&then[0]["value"], then[0]["layers"].as_array().unwrap().len()), (&json!("144.00"), 2));
}
