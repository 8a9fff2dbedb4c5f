//! The feed and the inbox of the real binary, killed in the middle: every event is published once and in order, every
//! waiting command decided once, and a reader of the feed alone knows the same stock as the view.

mod support;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use async_nats::jetstream::{self, Context};
use serde_json::{Value, json};
use support::{Ran, Running, Served, bincard, data, nats, run};
use tokio::runtime::Runtime;

const WAITING: usize = 400;
const KILLS: u64 = 5;
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(300);

/// The streams of a server, asked from outside.
struct Streams {
    runtime: Runtime,
    context: Context,
}

impl Streams {
    fn at(url: &str) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let client = runtime.block_on(async_nats::connect(url)).expect("the server is there");
        let context = runtime.block_on(async move { jetstream::new(client) });
        Streams { runtime, context }
    }

    fn messages(&self, stream: &str) -> u64 {
        let stream = self.runtime.block_on(self.context.get_stream(stream));
        stream.map_or(0, |stream| stream.cached_info().state.messages)
    }

    fn put(&self, command: &str, body: &Value) {
        let put = async {
            let subject = format!("bincard.main.inbox.{command}");
            self.context.publish(subject, body.to_string().into()).await?.await
        };
        self.runtime.block_on(put).expect("the inbox takes it");
    }

    fn wait_for(&self, stream: &str, wanted: impl Fn(u64) -> bool) {
        let began = Instant::now();
        while !wanted(self.messages(stream)) {
            assert!(began.elapsed() < PATIENCE, "{stream} has {} messages", self.messages(stream));
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Every message of the feed, in order, whole as a CloudEvent in its JSON format.
    fn feed(&self) -> Vec<Value> {
        self.runtime.block_on(async {
            let stream = self.context.get_stream("BINCARD_main_EVENTS").await.expect("there is a feed");
            let mut events = Vec::new();
            for number in 1..=stream.cached_info().state.last_sequence {
                let message = stream.get_raw_message(number).await.expect("no message is missing");
                let mut event = BTreeMap::new();
                for (name, values) in message.headers.iter() {
                    let attribute = AsRef::<str>::as_ref(name).strip_prefix("ce-");
                    event.extend(attribute.map(|name| (name.to_owned(), json!(values[0].as_str()))));
                }
                let body = serde_json::from_slice(&message.payload).expect("the body is JSON");
                event.insert("data".to_owned(), body);
                events.push(json!(event));
            }
            events
        })
    }
}

/// What a reader of the feed knows who applies its movements and nothing else.
fn stock_of(feed: &[Value]) -> BTreeMap<(String, String, String), i64> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let mut stock = BTreeMap::new();
    for movement in feed.iter().flat_map(|event| event["data"]["movements"].as_array().expect("a list")) {
        let quantity = movement["quantity"].as_i64().expect("units are whole");
        for (end, change) in [(&movement["from"], -quantity), (&movement["to"], quantity)] {
            if end["location"].is_string() {
                let key = (text(&movement["sku"]), text(&end["location"]), text(&end["status"]));
                *stock.entry(key).or_default() += change;
            }
        }
    }
    stock.retain(|_, quantity| *quantity != 0);
    stock
}

/// What the schema of CloudEvents demands of every event, as far as attributes go.
fn check_against_the_schema(feed: &[Value]) {
    let Some(file) = data("formats/cloudevents/cloudevents/formats/cloudevents.json") else { return };
    let schema: Value = serde_json::from_slice(&std::fs::read(file).expect("it is readable")).expect("JSON");
    let required: Vec<&str> =
        schema["required"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    assert!(required.contains(&"id") && required.contains(&"specversion"), "{required:?}");
    for event in feed {
        for attribute in &required {
            let value = event[*attribute].as_str().unwrap_or_default();
            assert!(!value.is_empty(), "{attribute} is missing: {event}");
        }
        for (name, value) in event.as_object().expect("an object") {
            let is_good = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
            assert!(is_good && (name == "data" || value.is_string()), "{name}: {value}");
        }
    }
}

#[test]
fn a_service_that_is_killed_again_and_again_publishes_each_event_and_decides_each_waiting_command_once() {
    let folder = tempfile::tempdir().unwrap();
    let Some((_nats, url)) = nats(&folder.path().join("nats")) else { return };
    let ledger = folder.path().join("data");
    let streams = Streams::at(&url);

    // The streams are there after the first start, and wait for commands while nobody serves.
    let first = Served::start(&ledger, &["--nats", &url]);
    streams.wait_for("BINCARD_main_EVENTS", |messages| messages > 0);
    while streams.runtime.block_on(streams.context.get_stream("BINCARD_main_INBOX")).is_err() {
        std::thread::sleep(Duration::from_millis(20));
    }
    first.process.kill();
    for number in 0..WAITING {
        streams.put("items.define", &json!({"sku": format!("WAITED-{number:04}"), "name": "A thing"}));
    }

    for round in 0..KILLS {
        let service = Served::start(&ledger, &["--nats", &url]);
        let demo = Running::start(bincard(&["demo", "--nats", &url]).stderr(std::process::Stdio::null()));
        std::thread::sleep(Duration::from_millis(150 + 250 * round));
        service.process.kill();
        drop(demo);
    }

    let service = Served::start(&ledger, &["--nats", &url]);
    run(&["demo", "--nats", &url]).ended(0);
    streams.wait_for("BINCARD_main_INBOX", |messages| messages == 0);
    let all = service.get("/v1/events?follow=false").1;
    let told = all.lines().filter(|line| line.starts_with('{')).count();
    assert!(told > 1000, "the journal tells its events over HTTP too: {told}");
    streams.wait_for("BINCARD_main_EVENTS", |messages| messages >= told as u64);

    let feed = streams.feed();
    assert_eq!(feed.len(), told, "as many events as the journal has");
    let uuid = feed[0]["id"].as_str().unwrap().split('/').next().unwrap().to_owned();
    for (event, ordinal) in feed.iter().zip(1..) {
        assert_eq!(event["id"], format!("{uuid}/{ordinal}"));
    }
    check_against_the_schema(&feed);
    let defined = |event: &&Value| event["type"] == "bincard.items.defined";
    let waited = |event: &&Value| event["subject"].as_str().is_some_and(|sku| sku.starts_with("WAITED-"));
    assert_eq!(feed.iter().filter(defined).filter(waited).count(), WAITING, "each took effect once");
    assert_eq!(streams.messages("BINCARD_main_OUTCOMES"), WAITING as u64);

    let rows = run(&["query", "stock_position", "--all", "--format", "json", "--nats", &url]).ended(0).json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let position = rows.as_array().unwrap().iter().map(|row| {
        let key = (text(&row["sku"]), text(&row["location"]), text(&row["status"]));
        (key, row["quantity"].as_i64().unwrap())
    });
    assert_eq!(stock_of(&feed), position.collect());
    assert_eq!(service.process.terminate(), Some(0));
}

#[test]
fn without_jetstream_the_service_serves_and_says_loudly_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let Some((_nats, url)) = support::nats_without_streams() else { return };
    let child = bincard(&[
        "serve",
        "--data",
        folder.path().to_str().unwrap(),
        "--http",
        "127.0.0.1:0",
        "--nats",
        &url,
    ])
    .stdout(std::process::Stdio::piped())
    .stderr(std::process::Stdio::piped())
    .spawn()
    .expect("the binary was built for this test");
    let id = child.id().to_string();
    let began = Instant::now();
    while run(&["query", "stock_position", "--nats", &url]).status != 0 {
        assert!(began.elapsed() < PATIENCE, "it serves");
    }
    assert!(
        std::process::Command::new("kill").args(["-TERM", &id]).status().expect("kill is there").success()
    );
    let ended = Ran::of(child.wait_with_output().expect("it is ours")).ended(0);
    ended.said(&["NO PUBLIC FEED AND NO DURABLE INBOX", "--jetstream"]);
}
