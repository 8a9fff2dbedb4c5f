//! The inbox: what waited is decided in order and once, whatever is cut off in the middle, and its outcome is kept.

use async_nats::HeaderMap;
use async_nats::jetstream::{self, Context};
use command_api::durable_inbox::{DurableInbox, InboxOptions, outcome_subject};
use command_api::{QueueLimits, Service};
use serde_json::{Value, json};

use super::{Server, accepted, connect, messages_in, options, server, until};

const INBOX: &str = "BINCARD_main_INBOX";
const OUTCOMES: &str = "BINCARD_main_OUTCOMES";

async fn started(server: &Server, service: &Service) -> DurableInbox {
    DurableInbox::start(connect(server).await, service.clone(), InboxOptions::default())
}

/// Makes the streams, and lets nothing be decided yet.
async fn made(server: &Server, streams: &Context, service: &Service) {
    let inbox = started(server, service).await;
    until("the streams are there", async || {
        streams.get_stream(INBOX).await.is_ok() && streams.get_stream(OUTCOMES).await.is_ok()
    })
    .await;
    inbox.stop().await;
}

pub(super) async fn put(streams: &Context, command: &str, id: Option<&str>, body: &str) -> u64 {
    let mut headers = HeaderMap::new();
    if let Some(id) = id {
        headers.insert("Bincard-Command-Id", id);
    }
    let subject = format!("bincard.main.inbox.{command}");
    let stored = streams.publish_with_headers(subject, headers, body.to_owned().into()).await.unwrap();
    stored.await.unwrap().sequence
}

async fn outcome(streams: &Context, id: &str) -> Value {
    let stream = streams.get_stream(OUTCOMES).await.unwrap();
    let message = stream.direct_get_last_for_subject(outcome_subject("main", id)).await;
    let message = message.unwrap_or_else(|fault| panic!("{id} has no outcome: {fault}"));
    serde_json::from_slice(&message.payload).unwrap()
}

pub(super) async fn emptied(streams: &Context) {
    until("the inbox is empty", async || messages_in(streams, INBOX).await == 0).await;
}

pub(super) async fn open_a_shop(service: &Service) {
    accepted(service, "locations.define", &json!({"location": "AMS1", "name": "A", "kind": "warehouse"}))
        .await;
    accepted(service, "items.define", &json!({"sku": "TEA-01", "name": "Tea"})).await;
    accepted(service, "items.activate", &json!({"sku": "TEA-01"})).await;
}

pub(super) fn receipt() -> String {
    json!({"sku": "TEA-01", "location": "AMS1", "quantity": 1, "unit_cost": "2.50"}).to_string()
}

pub(super) async fn on_hand(service: &Service) -> i64 {
    let position = format!("{}.{}", service.epoch(), service.durable_sequence());
    let query = json!({"min_position": position}).to_string();
    let query = command_api::service::read_query(query.as_bytes()).unwrap();
    let page = service.query("stock_position", query).await.unwrap_or_else(|reply| panic!("{reply:?}"));
    let page = serde_json::to_value(page).unwrap();
    page["rows"].as_array().unwrap().iter().map(|row| row["quantity"].as_i64().unwrap()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waited_is_decided_in_order_and_every_outcome_is_kept() {
    let Some(server) = server() else { return };
    let streams = jetstream::new(connect(&server).await);
    let data = tempfile::tempdir().unwrap();
    let service = Service::start(options(data.path())).unwrap();
    made(&server, &streams, &service).await;
    // Each needs the one before it.
    let location = json!({"location": "AMS1", "name": "Amsterdam", "kind": "warehouse"}).to_string();
    put(&streams, "locations.define", None, &location).await;
    put(&streams, "items.define", Some("define.tea"), r#"{"sku":"TEA-01","name":"Tea"}"#).await;
    put(&streams, "items.activate", None, r#"{"sku":"TEA-01"}"#).await;
    let received = put(&streams, "stock.receive", None, &receipt()).await;
    let refused = put(&streams, "stock.receive", None, &receipt().replace("AMS1", "BER1")).await;
    let broken = put(&streams, "stock.receive", Some("broken"), "{\"sku\":").await;
    let unknown = put(&streams, "stock.steal", None, "{}").await;
    let repeated =
        put(&streams, "items.define", Some("define.tea"), r#"{"sku":"TEA-02","name":"Tea"}"#).await;
    let bad_id =
        put(&streams, "items.define", Some(&"x".repeat(65)), r#"{"sku":"TEA-03","name":"Tea"}"#).await;
    let inbox = started(&server, &service).await;
    emptied(&streams).await;
    let by_place = async |place: u64| outcome(&streams, &format!("inbox-{INBOX}-{place}")).await;
    assert_eq!(by_place(received).await["events"][0]["type"], "stock.received");
    assert_eq!(by_place(refused).await["status"], "rejected");
    assert_eq!(outcome(&streams, "broken").await["status"], "invalid");
    assert_eq!(by_place(unknown).await["code"], "unknown_command");
    assert_eq!(by_place(bad_id).await["header"], "Bincard-Command-Id");
    // The last outcome of an id: the same id with another body.
    assert_eq!(outcome(&streams, "define.tea").await["code"], "command_id_reused");
    assert_eq!((broken, repeated), (refused + 1, unknown + 1));
    assert_eq!(on_hand(&service).await, 1);
    inbox.stop().await;
    service.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_was_decided_but_not_acknowledged_takes_effect_once() {
    let Some(server) = server() else { return };
    let streams = jetstream::new(connect(&server).await);
    let data = tempfile::tempdir().unwrap();
    let service = Service::start(options(data.path())).unwrap();
    open_a_shop(&service).await;
    made(&server, &streams, &service).await;
    for _ in 0..1500 {
        put(&streams, "stock.receive", None, &receipt()).await;
    }
    let mut cuts = 0;
    while messages_in(&streams, INBOX).await > 0 {
        let inbox = started(&server, &service).await;
        tokio::time::sleep(std::time::Duration::from_millis(20 + cuts * 15)).await;
        inbox.stop().await;
        cuts += 1;
    }
    assert_eq!(on_hand(&service).await, 1500, "after {cuts} cuts");
    assert_eq!(messages_in(&streams, OUTCOMES).await, 1500);
    service.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_holds_the_inbox_back_and_changes_no_order() {
    let Some(server) = server() else { return };
    let streams = jetstream::new(connect(&server).await);
    let data = tempfile::tempdir().unwrap();
    let mut options = options(data.path());
    options.queue = QueueLimits { commands: 8, ..QueueLimits::default() };
    let service = Service::start(options).unwrap();
    open_a_shop(&service).await;
    made(&server, &streams, &service).await;
    let first = put(&streams, "stock.receive", None, &receipt()).await;
    for _ in 1..400 {
        put(&streams, "stock.receive", None, &receipt()).await;
    }
    let inbox = started(&server, &service).await;
    emptied(&streams).await;
    let mut last = 0;
    for place in first..first + 400 {
        let outcome = outcome(&streams, &format!("inbox-{INBOX}-{place}")).await;
        let sequence = outcome["sequence"].as_u64().unwrap_or_else(|| panic!("{outcome}"));
        assert!(sequence > last, "command {place} was decided before the one before it");
        last = sequence;
    }
    inbox.stop().await;
    service.stop().unwrap();
}
