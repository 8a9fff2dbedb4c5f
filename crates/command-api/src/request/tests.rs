//! Bad input by example: every kind of it, and the answer that names the field and what was wanted.

use std::time::SystemTime;

use serde_json::{Value, json};

use super::*;
use crate::auth::Auth;
use crate::reply::Reply;

fn read(name: &str, body: &str) -> Invalid {
    read_command(name, body.as_bytes(), &Envelope::default()).expect_err("it cannot be understood")
}

fn envelope(headers: &[(&str, &str)]) -> Result<Envelope, Invalid> {
    let values = |name: &str| -> Vec<&[u8]> {
        headers.iter().filter(|(header, _)| *header == name).map(|(_, value)| value.as_bytes()).collect()
    };
    let caller = Auth::off().caller(values, SystemTime::now()).map_err(|refused| match refused {
        Reply::Invalid(invalid) => invalid,
        other => panic!("{other:?}"),
    })?;
    Envelope::read(caller, values)
}

fn receive() -> Value {
    json!({"sku": "TEA-01", "location": "AMS1", "quantity": 8, "unit_cost": "2.55"})
}

/// The body of a receipt with one field changed, or taken away.
fn with(field: &str, value: Option<Value>) -> String {
    let mut body = receive();
    let fields = body.as_object_mut().unwrap();
    match value {
        Some(value) => drop(fields.insert(field.to_owned(), value)),
        None => drop(fields.shift_remove(field)),
    }
    body.to_string()
}

#[test]
fn every_bad_body_is_answered_with_its_field_and_what_was_wanted() {
    let e_acute_decomposed = "e\u{301}";
    let cases: Vec<(String, &str, Option<&str>, &str)> = vec![
        (String::new(), "not_json", None, "EOF"),
        ("nonsense".into(), "not_json", None, "one JSON document"),
        ("{\"sku\":".into(), "not_json", None, "EOF"),
        (format!("{} {{}}", receive()), "not_json", None, "trailing"),
        ("[]".into(), "wrong_type", Some(""), "found an array"),
        ("null".into(), "wrong_type", Some(""), "found null"),
        ("7".into(), "wrong_type", Some(""), "found a number"),
        (with("sku", None), "missing_field", Some("/sku"), "sku"),
        (with("quantity", None), "missing_field", Some("/quantity"), "quantity"),
        (with("qty", Some(json!(1))), "unknown_field", Some("/qty"), "quantity"),
        (with("sku", Some(json!(7))), "wrong_type", Some("/sku"), "string"),
        (with("sku", Some(json!(null))), "wrong_type", Some("/sku"), "null"),
        (with("sku", Some(json!(""))), "invalid_value", Some("/sku"), "1 to 64 bytes"),
        (with("sku", Some(json!("x".repeat(65)))), "invalid_value", Some("/sku"), "found 65"),
        (with("sku", Some(json!("a\nb"))), "invalid_value", Some("/sku"), "U+000A"),
        (with("sku", Some(json!(e_acute_decomposed))), "invalid_value", Some("/sku"), "NFC"),
        (with("quantity", Some(json!(0))), "invalid_value", Some("/quantity"), "1 or more"),
        (with("quantity", Some(json!(-3))), "invalid_value", Some("/quantity"), "1 or more"),
        (with("quantity", Some(json!(1_000_000_000_001_i64))), "invalid_value", Some("/quantity"), "wanted"),
        (with("quantity", Some(json!(u64::MAX))), "invalid_value", Some("/quantity"), "expected"),
        (with("quantity", Some(json!(1.5))), "wrong_type", Some("/quantity"), "1.5"),
        (with("quantity", Some(json!("8"))), "wrong_type", Some("/quantity"), "string"),
        (with("unit_cost", Some(json!("2.5500001"))), "invalid_value", Some("/unit_cost"), "wanted"),
        (with("unit_cost", Some(json!("-1"))), "invalid_value", Some("/unit_cost"), "wanted"),
        (with("unit_cost", Some(json!("two"))), "invalid_value", Some("/unit_cost"), "wanted"),
        (with("status", Some(json!("lost"))), "invalid_value", Some("/status"), "available"),
        (
            r#"{"sku":"A","sku":"B","location":"L","quantity":1,"unit_cost":"1"}"#.into(),
            "duplicate_field",
            Some("/sku"),
            "sku",
        ),
    ];
    for (body, code, path, names) in cases {
        let invalid = read("stock.receive", &body);
        assert_eq!((invalid.code, invalid.path.as_deref()), (code, path), "{body}: {invalid}");
        assert!(invalid.message.contains(names), "{body}: {invalid} does not say {names:?}");
    }
}

#[test]
fn a_list_of_values_is_not_named_fields_however_deep_it_stands() {
    let line = json!({"sku": "A", "quantity": 1, "price": "1"});
    let place = |line: Value| json!({"channel": "web", "lines": [line]}).to_string();
    assert!(read_command("orders.place", place(line).as_bytes(), &Envelope::default()).is_ok());
    let invalid = read("orders.place", &place(json!([1, "A", 1, "1", "0", []])));
    assert_eq!((invalid.code, invalid.path.as_deref()), ("wrong_type", Some("/lines/0")), "{invalid}");
}

#[test]
fn bytes_that_are_no_text_are_not_json() {
    let invalid = read_command("stock.receive", b"{\"sku\":\"\xff\"}", &Envelope::default()).unwrap_err();
    assert_eq!(invalid.code, "not_json");
    assert!(invalid.message.contains("offset 8"), "{invalid}");
}

#[test]
fn a_body_over_the_limit_is_too_large() {
    let body = with("sku", Some(json!("x".repeat(BODY_BYTES_MAX))));
    assert_eq!(read("stock.receive", &body).code, "too_large");
}

#[test]
fn only_public_commands_are_known_outside() {
    for name in ["stock.teleport", "ledger.create", "ledger.start_epoch", "", "stock"] {
        let invalid = read(name, "{}");
        assert_eq!(invalid.code, "unknown_command");
        assert!(invalid.message.contains(name));
    }
}

#[test]
fn every_bad_header_is_answered_with_its_name() {
    let long = "x".repeat(65);
    let cases: [(&[(&str, &str)], &str); 10] = [
        (&[("Bincard-Command-Id", "")], "Bincard-Command-Id"),
        (&[("Bincard-Command-Id", &long)], "Bincard-Command-Id"),
        (&[("Idempotency-Key", "a\tb")], "Idempotency-Key"),
        (&[("Bincard-Command-Id", "a"), ("Nats-Msg-Id", "b")], "Nats-Msg-Id"),
        (&[("Bincard-Command-Id", "a"), ("Bincard-Command-Id", "b")], "Bincard-Command-Id"),
        (&[("Bincard-Effective-At", "yesterday")], "Bincard-Effective-At"),
        (&[("Bincard-Effective-At", "2026-13-01T00:00:00Z")], "Bincard-Effective-At"),
        (&[("Bincard-Correlation-Id", &long)], "Bincard-Correlation-Id"),
        (&[("Bincard-Dry-Run", "yes")], "Bincard-Dry-Run"),
        (&[("Bincard-Actor", "")], "Bincard-Actor"),
    ];
    for (headers, name) in cases {
        let invalid = envelope(headers).unwrap_err();
        assert_eq!((invalid.code, invalid.header.as_deref()), ("invalid_value", Some(name)), "{invalid}");
        assert!(invalid.message.contains("wanted"), "{invalid}");
    }
}

#[test]
fn headers_become_the_envelope() {
    let read = envelope(&[
        ("Nats-Msg-Id", "id 1 "),
        ("Bincard-Effective-At", "2026-01-01T00:00:00+02:00"),
        ("Bincard-Correlation-Id", "basket 7"),
        ("Bincard-Dry-Run", "true"),
        ("Bincard-Actor", "anna"),
    ])
    .unwrap();
    assert_eq!(read.id.unwrap().as_str(), "id 1 ");
    assert_eq!(read.effective_at, Timestamp::parse("2025-12-31T22:00:00Z"));
    assert_eq!(read.correlation.unwrap().as_str(), "basket 7");
    assert_eq!((read.dry_run, read.caller.actor.id.as_str()), (true, "anna"));
    assert_eq!(envelope(&[]).unwrap(), Envelope::default());
}

#[test]
fn the_same_figures_written_differently_are_the_same_command() {
    let envelope = envelope(&[("Idempotency-Key", "one")]).unwrap();
    let fingerprint = |body: &str| {
        let request = read_command("stock.receive", body.as_bytes(), &envelope).unwrap();
        request.submission.commands[0].fingerprint()
    };
    let plain = fingerprint(&receive().to_string());
    let other = r#"{ "unit_cost": 2.550, "quantity": 8, "location": "AMS1", "status": "available", "sku": "TEA-01" }"#;
    assert_eq!(plain, fingerprint(other));
    assert_ne!(plain, fingerprint(&with("quantity", Some(json!(9)))));
}

#[test]
fn a_command_without_an_id_gets_its_own() {
    let ids: Vec<_> = (0..2)
        .map(|_| {
            read_command("stock.receive", receive().to_string().as_bytes(), &Envelope::default()).unwrap()
        })
        .map(|request| request.submission.commands[0].id.clone())
        .collect();
    assert_ne!(ids[0], ids[1]);
}

fn batch(body: &Value) -> Result<Batch, Invalid> {
    Batch::read(body.to_string().as_bytes(), &Envelope::default())
}

fn item(body: &Value) -> Value {
    json!({"command": "stock.receive", "id": "1", "body": body})
}

#[test]
fn in_a_batch_what_cannot_be_read_does_not_keep_the_others_back() {
    let commands =
        json!([item(&receive()), item(&json!({"sku": 7})), {"command": "stock.teleport", "body": {}}]);
    let Batch::Each(items) = batch(&commands).unwrap() else { panic!("a list is not atomic") };
    let found: Vec<_> = items
        .iter()
        .map(|item| item.as_ref().map(|_| "read").map_err(|invalid| (invalid.code, invalid.path.as_deref())))
        .collect();
    let wrong = Err(("wrong_type", Some("/1/body/sku")));
    assert_eq!(found, [Ok("read"), wrong, Err(("unknown_command", Some("/2/command")))]);
}

#[test]
fn an_atomic_batch_is_one_request_or_invalid_as_a_whole() {
    let good = json!({"atomic": true, "commands": [item(&receive()), item(&receive())]});
    let Batch::Atomic(request) = batch(&good).unwrap() else { panic!("it says atomic") };
    assert_eq!(request.submission.commands.len(), 2);
    let bad = json!({"atomic": true, "commands": [item(&receive()), item(&json!({}))]});
    let invalid = batch(&bad).unwrap_err();
    assert_eq!((invalid.code, invalid.path.as_deref()), ("missing_field", Some("/commands/1/body/sku")));
}

#[test]
fn every_bad_batch_is_answered_with_its_field() {
    let cases = [
        (json!([]), "invalid_value", Some("")),
        (json!({"commands": []}), "invalid_value", Some("/commands")),
        (json!({"atomic": true}), "missing_field", Some("/commands")),
        (json!({"atomic": "yes", "commands": []}), "wrong_type", Some("/atomic")),
        (json!({"atomically": true, "commands": []}), "unknown_field", Some("/atomically")),
        (json!("stock.receive"), "wrong_type", Some("")),
    ];
    for (body, code, path) in cases {
        let invalid = batch(&body).unwrap_err();
        assert_eq!((invalid.code, invalid.path.as_deref()), (code, path), "{body}: {invalid}");
    }
    let items = [
        (json!(7), "wrong_type", "/0"),
        (json!({"id": "1", "body": {}}), "missing_field", "/0/command"),
        (json!({"command": "stock.receive"}), "missing_field", "/0/body"),
        (json!({"command": "stock.receive", "body": {}, "when": "now"}), "unknown_field", "/0/when"),
        (json!({"command": "stock.receive", "body": {}, "id": ""}), "invalid_value", "/0/id"),
        (
            json!({"command": "stock.receive", "body": {}, "effective_at": "now"}),
            "invalid_value",
            "/0/effective_at",
        ),
        (json!({"command": "stock.receive", "body": []}), "wrong_type", "/0/body"),
    ];
    for (item, code, path) in items {
        let Batch::Each(read) = batch(&json!([item])).unwrap() else { panic!("a list is not atomic") };
        let invalid = read[0].as_ref().unwrap_err();
        assert_eq!((invalid.code, invalid.path.as_deref()), (code, Some(path)), "{item}: {invalid}");
    }
}

#[test]
fn a_batch_over_a_limit_is_refused_before_anything_is_decided() {
    let small = json!({"command": "items.activate", "body": {"sku": "A"}});
    let many = Value::Array(vec![small; BATCH_COMMANDS_MAX + 1]);
    assert_eq!(batch(&many).unwrap_err().code, "batch_too_large");
    let long = format!("[{}]", " ".repeat(BATCH_BYTES_MAX));
    assert_eq!(Batch::read(long.as_bytes(), &Envelope::default()).unwrap_err().code, "batch_too_large");
}

#[test]
fn a_batch_has_no_id_of_its_own() {
    let envelope = envelope(&[("Idempotency-Key", "one")]).unwrap();
    assert_eq!(Batch::read(b"[]", &envelope).unwrap_err().code, "invalid_value");
}
