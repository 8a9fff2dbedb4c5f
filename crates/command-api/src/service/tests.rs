//! A running service by example, on a real disk and with its threads.

mod held_up;
mod kept;
mod past;
mod refusing;
mod scrubbed;
mod slow_disk;

use std::path::Path;
use std::time::Duration;

use ledger_core::Settings;
use ledger_core::values::{Name, Text};
use projections::Query;
use serde_json::{Value, json};

use super::{Fault, Options, Service};
use crate::auth::Caller;
use crate::inbox::QueueLimits;
use crate::invalid::Invalid;
use crate::reply::{Outcome, Reply};
use crate::request::{Batch, Envelope, read_command};
use crate::writer::Request;

fn options(data: &Path) -> Options {
    Options::new(data, Settings::named(Name::try_new("main").unwrap()))
}

fn request(id: &str, name: &str, body: &Value) -> Request {
    let headers =
        |header: &str| if header == "Bincard-Command-Id" { vec![id.as_bytes()] } else { Vec::new() };
    read_command(name, body.to_string().as_bytes(), &Envelope::read(Caller::anonymous(), headers).unwrap())
        .unwrap()
}

fn define(sku: &str) -> Request {
    request(&format!("define {sku}"), "items.define", &json!({"sku": sku, "name": "Tea"}))
}

async fn send(service: &Service, request: Request) -> Value {
    serde_json::from_slice(&service.submit(request).await.to_json()).unwrap()
}

async fn open_a_shop(service: &Service) -> Value {
    let location = json!({"location": "AMS1", "name": "Amsterdam", "kind": "warehouse"});
    for (id, name, body) in [
        ("l", "locations.define", location),
        ("i", "items.define", json!({"sku": "TEA-01", "name": "Tea"})),
        ("a", "items.activate", json!({"sku": "TEA-01"})),
    ] {
        assert_eq!(send(service, request(id, name, &body)).await["status"], "accepted", "{name}");
    }
    let body = json!({"sku": "TEA-01", "location": "AMS1", "quantity": 8, "unit_cost": "2.50"});
    send(service, request("r", "stock.receive", &body)).await
}

async fn available(service: &Service, min_position: &Value) -> Value {
    let query = json!({"filter": {"sku": "TEA-01"}, "min_position": min_position});
    let query: Query = serde_json::from_value(query).unwrap();
    let page = service.query("stock_position", query).await.unwrap();
    page.rows[0]["quantity"].clone()
}

#[tokio::test]
async fn what_is_accepted_is_read_back_at_its_position_and_is_still_there_after_a_restart() {
    let data = tempfile::tempdir().unwrap();
    let service = Service::start(options(data.path())).unwrap();
    let received = open_a_shop(&service).await;
    assert_eq!(received["status"], "accepted");
    assert_eq!(received["events"][0]["type"], "stock.received");
    assert_eq!(received["position"], "1.6");
    assert_eq!(available(&service, &received["position"]).await, 8);
    service.stop().unwrap();
    drop(service);

    let service = Service::start(options(data.path())).unwrap();
    assert_eq!(service.epoch(), 2);
    assert_eq!(available(&service, &received["position"]).await, 8);
    let again = open_a_shop_again(&service).await;
    assert_eq!(again, {
        let mut first = received.clone();
        first["duplicate"] = json!(true);
        first
    });
}

async fn open_a_shop_again(service: &Service) -> Value {
    let body =
        json!({"location": "AMS1", "sku": "TEA-01", "unit_cost": 2.5, "quantity": 8, "status": "available"});
    send(service, request("r", "stock.receive", &body)).await
}

#[tokio::test]
async fn a_ledger_in_memory_answers_the_same() {
    let service = Service::in_memory(options(Path::new("nowhere"))).unwrap();
    let received = open_a_shop(&service).await;
    assert_eq!(available(&service, &received["position"]).await, 8);
    assert_eq!(service.metrics().commands("accepted"), 4);
    service.stop().unwrap();
    assert!(!Path::new("nowhere").exists());
}

#[tokio::test]
async fn a_refusal_says_code_figures_and_position_and_changes_nothing() {
    let service = Service::in_memory(options(Path::new("nowhere"))).unwrap();
    let before = service.durable_sequence();
    let refused = send(&service, request("x", "items.activate", &json!({"sku": "NOPE"}))).await;
    assert_eq!(refused["status"], "rejected");
    assert_eq!(refused["code"], "unknown_item");
    assert_eq!(refused["details"], json!({"sku": "NOPE"}));
    assert_eq!(refused["position"], "1.2");
    assert!(refused["message"].as_str().unwrap().contains("NOPE"));
    assert_eq!(service.durable_sequence(), before);
}

#[tokio::test]
async fn a_dry_run_answers_and_records_nothing() {
    let service = Service::in_memory(options(Path::new("nowhere"))).unwrap();
    let dry = send(&service, Request { dry_run: true, ..define("A") }).await;
    assert_eq!(
        (&dry["status"], &dry["dry_run"], &dry["sequence"]),
        (&json!("accepted"), &json!(true), &Value::Null)
    );
    assert_eq!(service.durable_sequence(), 2);
}

#[tokio::test]
async fn the_status_of_a_command_is_its_first_outcome() {
    let service = Service::in_memory(options(Path::new("nowhere"))).unwrap();
    let accepted = send(&service, define("A")).await;
    let query = |id: &str| {
        let query = json!({"filter": {"id": id}, "min_position": accepted["position"]});
        serde_json::from_value::<Query>(query).unwrap()
    };
    let page = service.query("command_status", query("define A")).await.unwrap();
    assert_eq!(page.rows[0]["id"], "define A");
    assert_eq!(page.rows[0]["sequence"], accepted["sequence"]);
    assert_eq!(page.rows[0]["events"], accepted["events"]);
    assert_eq!(service.query("command_status", query("never sent")).await.unwrap().rows, Vec::<Value>::new());
}

#[tokio::test]
async fn a_position_that_is_not_reached_or_not_of_this_log_is_told() {
    let mut options = options(Path::new("nowhere"));
    options.min_position_wait = Duration::from_millis(20);
    let service = Service::in_memory(options).unwrap();
    for (position, status, code) in [
        ("1.99", "unavailable", "position_not_reached"),
        ("7.1", "conflict", "unknown_position"),
        ("next", "invalid", "invalid_value"),
    ] {
        let query = Query { min_position: Some(position.into()), ..Query::default() };
        let refused = service.query("stock_position", query).await.unwrap_err();
        assert_eq!((refused.status(), refused.code()), (status, Some(code)));
    }
}

#[tokio::test]
async fn every_bad_query_is_answered_with_its_field() {
    let service = Service::in_memory(options(Path::new("nowhere"))).unwrap();
    let cases = [
        ("no_such_view", json!({}), "unknown_view", None),
        ("stock_position", json!({"filter": {"colour": "red"}}), "unknown_filter", Some("/filter/colour")),
        ("stock_position", json!({"limit": 0}), "invalid_limit", Some("/limit")),
        ("stock_position", json!({"sort": "mood"}), "sort_not_supported", Some("/sort")),
        ("stock_position", json!({"cursor": "nonsense"}), "invalid_cursor", Some("/cursor")),
        ("command_status", json!({}), "missing_field", Some("/filter/id")),
        ("command_status", json!({"filter": {"name": "x"}}), "unknown_filter", Some("/filter/name")),
    ];
    for (view, query, code, path) in cases {
        let query = crate::service::read_query(query.to_string().as_bytes()).unwrap();
        let Reply::Invalid(invalid) = service.query(view, query).await.unwrap_err() else { panic!("{code}") };
        assert_eq!((invalid.code, invalid.path.as_deref()), (code, path), "{invalid}");
    }
    for (body, code, path) in [
        ("{", "not_json", None),
        ("[]", "wrong_type", Some("")),
        (r#"{"filters":{}}"#, "unknown_field", Some("/filters")),
        (r#"{"limit":"ten"}"#, "wrong_type", Some("/limit")),
        (r#"{"as_of":{"recorded_at":"noon"}}"#, "invalid_value", Some("/as_of/recorded_at")),
    ] {
        let invalid = crate::service::read_query(body.as_bytes()).unwrap_err();
        assert_eq!((invalid.code, invalid.path.as_deref()), (code, path), "{invalid}");
    }
}

#[tokio::test]
async fn a_batch_tells_of_each_command_and_an_atomic_one_of_all() {
    let service = Service::in_memory(options(Path::new("nowhere"))).unwrap();
    let read = |body: Value| Batch::read(body.to_string().as_bytes(), &Envelope::default());
    let item = |id: &str, sku: &str| json!({"command": "items.define", "id": id, "body": {"sku": sku, "name": "Tea"}});
    let each =
        json!([item("1", "A"), {"command": "items.define", "body": {}}, item("2", "A"), item("1", "A")]);
    let outcome = service.outcome(service.offer_batch(read(each))).await;
    let reply: Value = serde_json::from_slice(&outcome.to_json()).unwrap();
    let found: Vec<(&Value, &Value, &Value)> = reply["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| (&line["status"], &line["code"], &line["sequence"]))
        .collect();
    let none = Value::Null;
    assert_eq!(found[0], (&json!("accepted"), &none, &json!(3)));
    assert_eq!(found[1], (&json!("invalid"), &json!("missing_field"), &none));
    assert_eq!(found[2], (&json!("rejected"), &json!("item_exists"), &none));
    assert_eq!(found[3], (&json!("accepted"), &none, &json!(3)));
    assert_eq!(reply["results"][3]["duplicate"], true);

    let atomic = || read(json!({"atomic": true, "commands": [item("3", "B"), item("4", "C")]}));
    for duplicate in [Value::Null, json!(true)] {
        let outcome = service.outcome(service.offer_batch(atomic())).await;
        let reply: Value = serde_json::from_slice(&outcome.to_json()).unwrap();
        assert_eq!((&reply["status"], &reply["sequence"]), (&json!("accepted"), &json!(4)));
        assert_eq!(reply["events"].as_array().unwrap().len(), 2);
        assert_eq!(reply["duplicate"], duplicate);
    }
}

#[tokio::test]
async fn a_flood_of_ten_times_the_queue_accounts_for_every_request() {
    let data = tempfile::tempdir().unwrap();
    let mut options = options(data.path());
    options.queue = QueueLimits { commands: 200, ..QueueLimits::default() };
    let service = Service::start(options).unwrap();
    let flood = (0..2000).map(|number| Ok::<_, Invalid>(define(&format!("S{number}"))));
    let offered = service.offer_each(flood);
    let (mut accepted, mut busy) = (Vec::new(), 0);
    for reply in service.replies(offered).await {
        match reply {
            Reply::Accepted(reply) => accepted.push(reply.sequence.unwrap()),
            Reply::Busy(problem) => {
                assert_eq!(problem.code, "queue_full");
                busy += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((accepted.len(), busy), (200, 1800), "they come at once: the queue has room for so many");
    let in_order: Vec<u64> = (3..3 + accepted.len() as u64).collect();
    assert_eq!(accepted, in_order, "decided in the order of arrival");
    assert_eq!(
        service.durable_sequence(),
        2 + accepted.len() as u64,
        "the journal holds exactly the accepted"
    );
    assert_eq!(service.metrics().commands("busy"), busy as u64);
}

#[tokio::test]
async fn the_queue_is_bounded_by_bytes_too() {
    let mut options = options(Path::new("nowhere"));
    options.queue = QueueLimits { bytes: 10, ..QueueLimits::default() };
    let service = Service::in_memory(options).unwrap();
    assert_eq!(service.submit(define("A")).await.code(), Some("queue_full"));
    assert_eq!(service.durable_sequence(), 2);
}

#[tokio::test]
async fn a_stop_answers_what_waits_and_refuses_what_comes_after() {
    let data = tempfile::tempdir().unwrap();
    let service = Service::start(options(data.path())).unwrap();
    let offered: Vec<_> = (0..100).map(|number| service.offer(Ok(define(&format!("S{number}"))))).collect();
    let stopping = service.clone();
    tokio::task::spawn_blocking(move || stopping.stop()).await.unwrap().unwrap();
    for offered in offered {
        let Outcome::One(Reply::Accepted(_)) = service.outcome(offered).await else {
            panic!("it was in the queue")
        };
    }
    let late = service.submit(define("LATE")).await;
    assert_eq!((late.status(), late.code()), ("unavailable", Some("writer_stopped")));
    assert!(service.query("stock_position", Query::default()).await.is_ok());
}

#[tokio::test]
async fn a_folder_that_is_served_or_of_another_name_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let mut served = options(data.path());
    served.address = "http://127.0.0.1:7070".into();
    let service = Service::start(served).unwrap();
    let second = Service::start(options(data.path())).err().unwrap().to_string();
    assert!(second.contains("served at http://127.0.0.1:7070"), "{second}");
    service.stop().unwrap();
    drop(service);

    std::fs::rename(data.path().join("main"), data.path().join("other")).unwrap();
    let named = |name: &str| Options::new(data.path(), Settings::named(Name::try_new(name).unwrap()));
    assert!(matches!(Service::start(named("other")), Err(Fault::OtherLedger { .. })));
    for name in ["Main", "-x", "a b", "a/b", &"x".repeat(33)] {
        assert!(matches!(Service::start(named(name)), Err(Fault::BadName { .. })), "{name}");
    }
}

#[tokio::test]
async fn a_journal_that_lost_its_segments_is_not_begun_anew() {
    let data = tempfile::tempdir().unwrap();
    Service::start(options(data.path())).unwrap().stop().unwrap();
    std::fs::remove_dir_all(data.path().join("main/journal")).unwrap();
    let fault = Service::start(options(data.path())).err().unwrap();
    assert!(matches!(fault, Fault::Journal(journal::Fault::Corrupt { .. })), "{fault}");
}

#[tokio::test]
async fn the_views_folder_can_be_deleted() {
    let data = tempfile::tempdir().unwrap();
    let service = Service::start(options(data.path())).unwrap();
    let received = open_a_shop(&service).await;
    service.stop().unwrap();
    drop(service);
    std::fs::remove_dir_all(data.path().join("main/projections")).unwrap();
    let service = Service::start(options(data.path())).unwrap();
    assert_eq!(available(&service, &received["position"]).await, 8);
}
