//! The views of money: trial_balance with its tie-outs, journal_lines.

#![allow(clippy::unwrap_used, reason = "in a test, what cannot be had is a failure")]

mod shop;

use serde_json::{Value, json};
use shop::{Shop, effective, given_a_shop};

fn given_some_trade() -> Shop {
    let mut shop = given_a_shop();
    shop.send(
        "stock.open",
        json!({"sku": "TEA-01", "location": "AMS1", "quantity": 10, "unit_cost": "2.50"}),
    );
    shop.send("stock.receive", json!({"sku": "TEA-02", "location": "BER1", "quantity": 4, "unit_cost": "7.25", "status": "inspection"}));
    shop.days_later(40);
    let broken = json!({"sku": "TEA-01", "location": "AMS1", "quantity": 3, "reason": "broken"});
    shop.send_effective("2026-01-20T00:00:00Z", "stock.write_off", broken);
    shop
}

fn row<'r>(rows: &'r Value, kind: &str, account: &str) -> &'r Value {
    let mut rows = rows.as_array().unwrap().iter();
    rows.find(|row| row["row"] == kind && row["account"] == account).expect("the row is there")
}

#[test]
fn the_trial_balance_balances_and_ties_out() {
    let rows = given_some_trade().rows("trial_balance", json!({}));
    let inventory = row(&rows, "account", "1400");
    assert_eq!(
        (&inventory["debit"], &inventory["credit"], &inventory["balance"]),
        (&json!("54.00"), &json!("7.50"), &json!("46.50"))
    );
    let total = rows.as_array().unwrap().iter().find(|row| row["row"] == "total").unwrap();
    assert_eq!((&total["debit"], &total["balance"]), (&json!("61.50"), &json!("0.00")));
    let tie_out = row(&rows, "tie_out", "1400");
    assert_eq!((&tie_out["subledger_balance"], &tie_out["difference"]), (&json!("46.50"), &json!("0.00")));
    for row in rows.as_array().unwrap().iter().filter(|row| row["row"] == "tie_out") {
        assert_eq!(row["difference"], json!("0.00"), "{row}");
    }
    let one = given_some_trade().rows("trial_balance", json!({"account": "3000"}));
    assert_eq!(one.as_array().unwrap().len(), 1);
}

#[test]
fn a_backdated_fact_is_in_the_balance_of_its_day() {
    let mut shop = given_some_trade();
    let mut written_off = |at| {
        let rows = shop.rows_as_of("trial_balance", json!({}), effective(at));
        assert_eq!(row(&rows, "tie_out", "1400")["difference"], json!("0.00"));
        let rows = rows.as_array().unwrap();
        rows.iter().find(|row| row["account"] == "5100").map(|row| row["balance"].clone())
    };
    assert_eq!(written_off("2026-01-19T00:00:00Z"), None);
    assert_eq!(written_off("2026-01-20T00:00:00Z"), Some(json!("7.50")));
}

#[test]
fn journal_lines_carry_dimensions_and_both_dates() {
    let mut shop = given_some_trade();
    let rows = shop.rows("journal_lines", json!({"account": "5100"}));
    let [line] = &rows.as_array().unwrap()[..] else { panic!("one line, found {rows}") };
    assert_eq!((&line["debit"], line.get("credit")), (&json!("7.50"), None));
    assert_eq!((&line["item"], &line["location"]), (&json!("TEA-01"), &json!("AMS1")));
    assert_eq!(line["posted_at"], json!("2026-01-20T00:00:00Z"));
    assert!(line["recorded_at"].as_str().unwrap().starts_with("2026-02-10"));

    let count = |shop: &mut Shop, filter| shop.rows("journal_lines", filter).as_array().unwrap().len();
    assert_eq!(count(&mut shop, json!({})), 6);
    assert_eq!(count(&mut shop, json!({"item": "TEA-01"})), 4);
    assert_eq!(count(&mut shop, json!({"location": "BER1"})), 2);
    assert_eq!(count(&mut shop, json!({"item": "TEA-01", "account": "1400"})), 2);
    assert_eq!(
        count(&mut shop, json!({"from": "2026-01-20T00:00:00Z", "to": "2026-01-20T00:00:00.000001Z"})),
        2
    );
    assert_eq!(count(&mut shop, json!({"channel": "web"})), 0);
    let then = shop.rows_as_of("journal_lines", json!({}), effective("2026-01-10T00:00:00Z"));
    assert_eq!(then.as_array().unwrap().len(), 4);
}
