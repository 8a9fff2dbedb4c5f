//! The feed: every event once and in order, whoever publishes; and enough for a reader to keep its own stock.

use std::collections::BTreeMap;

use async_nats::jetstream::stream::{Config, DiscardPolicy};
use async_nats::jetstream::{self, Context};
use command_api::Service;
use command_api::feed::{self, Feed, FeedOptions, last_seen};
use fastrand::Rng;
use serde_json::{Value, json};

use super::{Server, accepted, connect, decide, messages_in, options, server, until};

/// Units by item, location and status.
pub(super) type Stock = BTreeMap<(String, String, String), i64>;

const LOCATIONS: [&str; 2] = ["AMS1", "BER 1"];
const ITEMS: [&str; 4] = ["TEA-01", "TEA-02", "KÄSE 3", "CUP*4"];

async fn open_a_shop(service: &Service) {
    for location in LOCATIONS {
        let body = json!({"location": location, "name": "A house", "kind": "warehouse"});
        accepted(service, "locations.define", &body).await;
    }
    for sku in ITEMS {
        accepted(service, "items.define", &json!({"sku": sku, "name": "A thing"})).await;
        accepted(service, "items.activate", &json!({"sku": sku})).await;
    }
}

/// Commands of all kinds that move units; some are refused.
async fn trade(service: &Service, random: &mut Rng, count: usize) {
    for _ in 0..count {
        let mut pick = |below: usize| random.usize(..below);
        let (sku, location) = (ITEMS[pick(ITEMS.len())], LOCATIONS[pick(LOCATIONS.len())]);
        let (quantity, kind) = (1 + pick(9), pick(6));
        let at = json!({"sku": sku, "location": location, "quantity": quantity});
        let with = |more: Value| {
            let mut body = at.clone();
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            body
        };
        let (name, body) = match kind {
            0 | 1 => ("stock.receive", with(json!({"unit_cost": "2.55"}))),
            2 => (
                "stock.change_status",
                with(json!({"from": "available", "to": "damaged", "reason": "check"})),
            ),
            3 => (
                "stock.change_status",
                with(json!({"from": "quarantined", "to": "damaged", "reason": "check"})),
            ),
            4 => ("stock.write_off", with(json!({"status": "damaged", "reason": "broken"}))),
            _ => ("stock.reserve", at.clone()),
        };
        let status = decide(service, name, &body).await.status();
        assert!(["accepted", "rejected"].contains(&status), "{name} {body}: {status}");
    }
}

/// What the view says is where.
pub(super) async fn position(service: &Service) -> Stock {
    let token =
        json!({"min_position": format!("{}.{}", service.epoch(), service.durable_sequence()), "limit": 1000});
    let query = command_api::service::read_query(token.to_string().as_bytes()).unwrap();
    let page = service.query("stock_position", query).await.unwrap_or_else(|reply| panic!("{reply:?}"));
    let page = serde_json::to_value(page).unwrap();
    let rows = page["rows"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    rows.iter()
        .map(|row| {
            let key = (text(&row["sku"]), text(&row["location"]), text(&row["status"]));
            (key, row["quantity"].as_i64().unwrap())
        })
        .collect()
}

/// What a reader of the feed knows who applies its movements and nothing else; it checks that message n is event n.
pub(super) async fn stock_of_feed(streams: &Context, service: &Service) -> Stock {
    let stream = streams.get_stream(feed::stream_name("main")).await.unwrap();
    let mut stock = Stock::new();
    for number in 1..=stream.cached_info().state.last_sequence {
        let message = stream.get_raw_message(number).await.unwrap();
        assert_eq!(message.headers.get("ce-id").unwrap().as_str(), format!("{}/{number}", service.uuid()));
        let event: Value = serde_json::from_slice(&message.payload).unwrap();
        assert!(message.subject.ends_with(event["type"].as_str().unwrap()), "{}", message.subject);
        for movement in event["movements"].as_array().unwrap() {
            let quantity = movement["quantity"].as_i64().unwrap();
            for (end, change) in [(&movement["from"], -quantity), (&movement["to"], quantity)] {
                let text = |value: &Value| value.as_str().unwrap().to_owned();
                if end["location"].is_string() {
                    let key = (text(&movement["sku"]), text(&end["location"]), text(&end["status"]));
                    *stock.entry(key).or_default() += change;
                }
            }
        }
    }
    stock.retain(|_, quantity| *quantity != 0);
    stock
}

pub(super) async fn publishes_all(streams: &Context, service: &Service) {
    let wanted = service.journal().head().event;
    until("the feed has every event", async || messages_in(streams, "BINCARD_main_EVENTS").await == wanted)
        .await;
}

async fn started(server: &Server, service: &Service) -> Feed {
    Feed::start(connect(server).await, service.clone(), FeedOptions::default())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_publishers_that_are_cut_off_publish_each_event_once_and_a_reader_keeps_the_same_stock() {
    let Some(server) = server() else { return };
    let streams = jetstream::new(connect(&server).await);
    let data = tempfile::tempdir().unwrap();
    let service = Service::start(options(data.path())).unwrap();
    open_a_shop(&service).await;
    let mut random = Rng::with_seed(7);
    let mut feeds = [started(&server, &service).await, started(&server, &service).await];
    for round in 0..12 {
        trade(&service, &mut random, 60).await;
        let replacement = started(&server, &service).await;
        let cut = std::mem::replace(&mut feeds[round % 2], replacement);
        if random.bool() {
            cut.stop().await;
        } else {
            // Three publish for a while.
            trade(&service, &mut random, 15).await;
            cut.stop().await;
        }
    }
    publishes_all(&streams, &service).await;
    let stock = position(&service).await;
    assert!(
        ["available", "reserved", "damaged"].iter().all(|wanted| stock.keys().any(|key| key.2 == *wanted)),
        "{stock:?}"
    );
    assert_eq!(stock_of_feed(&streams, &service).await, stock);
    until("the lag is known", async || service.metrics().feed_event() == service.journal().head().event)
        .await;
    service.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_stream_is_waited_for_and_loses_nothing() {
    let Some(server) = server() else { return };
    let streams = jetstream::new(connect(&server).await);
    let mut config = Config {
        name: feed::stream_name("main"),
        subjects: vec!["bincard.main.event.>".into()],
        max_messages: 3,
        discard: DiscardPolicy::New,
        ..Config::default()
    };
    streams.create_stream(&config).await.unwrap();
    let data = tempfile::tempdir().unwrap();
    let service = Service::start(options(data.path())).unwrap();
    open_a_shop(&service).await;
    let feed = started(&server, &service).await;
    until("it is full", async || messages_in(&streams, "BINCARD_main_EVENTS").await == 3).await;
    config.max_messages = -1;
    streams.update_stream(&config).await.unwrap();
    publishes_all(&streams, &service).await;
    assert_eq!(stock_of_feed(&streams, &service).await, position(&service).await);
    feed.stop().await;
    service.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_with_another_ledgers_events_is_left_alone() {
    let Some(server) = server() else { return };
    let streams = jetstream::new(connect(&server).await);
    let (data, other_data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let service = Service::start(options(data.path())).unwrap();
    let feed = started(&server, &service).await;
    publishes_all(&streams, &service).await;
    feed.stop().await;

    let other = Service::start(options(other_data.path())).unwrap();
    open_a_shop(&other).await;
    let refused = started(&server, &other).await;
    until("it is noticed", async || other.metrics().feed_stands_still()).await;
    refused.stop().await;
    assert_eq!(other.metrics().feed_event(), 0);
    assert_eq!(messages_in(&streams, "BINCARD_main_EVENTS").await, service.journal().head().event);
    for service in [service, other] {
        service.stop().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_ends_before_its_feed_is_not_served() {
    let Some(server) = server() else { return };
    let client = connect(&server).await;
    let streams = jetstream::new(client.clone());
    assert_eq!(last_seen(&client, "main").await.unwrap(), None, "no feed is no witness");
    let (data, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let service = Service::start(options(data.path())).unwrap();
    service.stop().unwrap();
    drop(service);
    copy_folder(&data.path().join("main"), &copy.path().join("main"));

    let service = Service::start(options(data.path())).unwrap();
    open_a_shop(&service).await;
    let feed = started(&server, &service).await;
    publishes_all(&streams, &service).await;
    feed.stop().await;
    let seen = last_seen(&client, "main").await.unwrap().unwrap();
    assert_eq!((seen.ledger, seen.event), (service.uuid(), service.journal().head().event));
    service.stop().unwrap();

    let mut of_copy = options(copy.path());
    of_copy.feed_seen = Some(seen);
    let refused = Service::start(of_copy).err().unwrap().to_string();
    assert!(refused.contains(&format!("event {} is in the public feed", seen.event)), "{refused}");
    drop(service);
    let mut of_data = options(data.path());
    of_data.feed_seen = Some(seen);
    Service::start(of_data).unwrap().stop().unwrap();
}

/// What a backup that is too old would be.
fn copy_folder(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy_folder(&entry.path(), &to),
            false => drop(std::fs::copy(entry.path(), to).unwrap()),
        }
    }
}
