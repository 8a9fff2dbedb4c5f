//! One request under one trace: its span reaches the collector, and its event and its outcome name the trace.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod support;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use futures::StreamExt;
use serde_json::{Value, json};
use support::{Served, bincard, nats};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";

/// A collector that takes spans as JSON; where it listens, and the bodies that came.
fn collector() -> (String, Receiver<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (to, bodies) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let to = to.clone();
            std::thread::spawn(move || {
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                loop {
                    let (mut first, mut length) = (String::new(), 0);
                    if reader.read_line(&mut first).unwrap_or_default() == 0 {
                        return;
                    }
                    assert!(first.starts_with("POST /v1/traces "), "{first}");
                    loop {
                        let mut header = String::new();
                        reader.read_line(&mut header).unwrap();
                        let Some((name, value)) = header.split_once(':') else { break };
                        if name.eq_ignore_ascii_case("content-length") {
                            length = value.trim().parse().unwrap();
                        }
                    }
                    let mut body = vec![0; length];
                    reader.read_exact(&mut body).unwrap();
                    // A test that has seen enough is gone.
                    let _ = to.send(serde_json::from_slice(&body).unwrap());
                    let answer =
                        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
                    stream.write_all(answer.as_bytes()).unwrap();
                }
            });
        }
    });
    (address, bodies)
}

/// The first span of this name, waiting for it, and the name of the service that sent it.
fn span(bodies: &Receiver<Value>, name: &str) -> (Value, Value) {
    let began = Instant::now();
    loop {
        let left = Duration::from_secs(30).saturating_sub(began.elapsed());
        let body = bodies.recv_timeout(left).unwrap_or_else(|_| panic!("no span {name:?}"));
        for resource in body["resourceSpans"].as_array().unwrap() {
            let spans = resource["scopeSpans"].as_array().unwrap().iter();
            let mut spans = spans.flat_map(|scope| scope["spans"].as_array().unwrap());
            if let Some(span) = spans.find(|span| span["name"] == name) {
                return (span.clone(), attribute(&resource["resource"], "service.name").clone());
            }
        }
    }
}

fn attribute<'v>(of: &'v Value, key: &str) -> &'v Value {
    let found = of["attributes"].as_array().unwrap().iter().find(|attribute| attribute["key"] == key);
    &found.unwrap_or_else(|| panic!("no {key} in {of:#}"))["value"]["stringValue"]
}

fn traceparent(flags: &str) -> String {
    format!("00-{TRACE}-{CALLER}-{flags}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_goes_through_a_command_to_its_span_its_event_and_its_outcome() {
    let folder = tempfile::tempdir().unwrap();
    let Some((_server, url)) = nats(&folder.path().join("nats")) else { return };
    let (endpoint, bodies) = collector();
    let data = folder.path().join("data");
    let mut command =
        bincard(&["serve", "--http", "127.0.0.1:0", "--nats", &url, "--data", data.to_str().unwrap()]);
    command
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)
        .env("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")
        .env("OTEL_BSP_SCHEDULE_DELAY", "50");
    let service = Served::of(&mut command);

    // Over HTTP, in a trace that is recorded.
    let define = |sku: &str, header: &str| {
        let address = format!("{}/v1/commands/items.define", service.http);
        let request = ureq::post(address).header("Content-Type", "application/json");
        let body = json!({"sku": sku, "name": "Tea"}).to_string();
        request.header("traceparent", header).send(body).unwrap();
    };
    define("A", &traceparent("01"));
    let (told, by) = span(&bodies, "items.define");
    assert_eq!((&told["traceId"], &told["parentSpanId"]), (&json!(TRACE), &json!(CALLER)));
    assert_eq!(by, "bincard");
    assert_eq!(attribute(&told, "bincard.door"), "http");
    assert_eq!(attribute(&told, "bincard.status"), "accepted");
    assert_eq!(attribute(&told, "bincard.position"), "1.3");
    let time = |key: &str| told[key].as_str().unwrap().parse::<u64>().unwrap();
    assert!(time("startTimeUnixNano") < time("endTimeUnixNano"));

    // Over NATS, into the durable inbox.
    let client = async_nats::connect(&url).await.unwrap();
    let mut outcomes = client.subscribe("bincard.main.outcome.b").await.unwrap();
    let mut headers = async_nats::HeaderMap::new();
    headers.insert("Bincard-Command-Id", "b");
    headers.insert("traceparent", traceparent("01").as_str());
    let body = json!({"sku": "B", "name": "Tea"}).to_string();
    let jetstream = async_nats::jetstream::new(client);
    support::stored(&jetstream, "bincard.main.inbox.items.define", headers, body).await;
    let outcome = tokio::time::timeout(Duration::from_secs(30), outcomes.next()).await.unwrap().unwrap();
    let of_outcome = outcome.headers.as_ref().and_then(|headers| headers.get("traceparent"));
    assert_eq!(of_outcome.map(|value| value.as_str()), Some(traceparent("01").as_str()));
    let (told, _) = span(&bodies, "items.define");
    assert_eq!((attribute(&told, "bincard.door"), &told["parentSpanId"]), (&json!("inbox"), &json!(CALLER)));

    // A trace that nobody records leaves nothing in the ledger, and a header that is none is passed over.
    define("C", &traceparent("00"));
    define("D", "what is this");
    let (status, events) = service.get("/v1/events?from=1&follow=false");
    assert_eq!(status, 200);
    let events: Vec<Value> = events.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let traced = |sku: &str| {
        let of =
            events.iter().find(|event| event["type"] == "bincard.items.defined" && event["subject"] == sku);
        of.unwrap_or_else(|| panic!("no {sku} in {events:?}"))["traceparent"].clone()
    };
    assert_eq!(
        ["A", "B", "C", "D"].map(traced),
        [json!(traceparent("01")), json!(traceparent("01")), Value::Null, Value::Null]
    );
    let feed = jetstream.get_stream("BINCARD_main_EVENTS").await.unwrap();
    let began = Instant::now();
    loop {
        let messages = feed.get_info().await.unwrap().state.messages;
        let mut found = Vec::new();
        for number in 1..=messages {
            let message = feed.get_raw_message(number).await.unwrap();
            found.extend(message.headers.get("ce-traceparent").map(|value| value.as_str().to_owned()));
        }
        if found == [traceparent("01"), traceparent("01")] {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{found:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(service.process.terminate(), Some(0));
}

#[test]
fn a_collector_that_is_none_is_named_and_one_that_is_away_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let arguments = ["serve", "--http", "127.0.0.1:0", "--data", data];
    let mut command = bincard(&arguments);
    let ran = support::Ran::of(command.env("OTEL_EXPORTER_OTLP_ENDPOINT", "not a URL").output().unwrap());
    ran.ended(2).said(&["OTEL_EXPORTER_OTLP_ENDPOINT", "not a URL"]);

    let mut command = bincard(&arguments);
    let service = Served::of(command.env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9"));
    assert_eq!(service.get("/health/ready").0, 200);
    assert_eq!(service.process.terminate(), Some(0));
}

#[test]
fn what_is_measured_is_what_the_operations_page_lists() {
    let folder = tempfile::tempdir().unwrap();
    let service = Served::start(folder.path(), &[]);
    let page = service.get("/metrics").1;
    let measured: BTreeSet<&str> =
        page.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    let operations = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operations.md");
    let operations = std::fs::read_to_string(operations).unwrap();
    let rows = operations.lines().filter_map(|line| line.strip_prefix("| `bincard_")?.split(" | ").next());
    let names = rows.flat_map(|row| row.split(", ")).map(|name| name.trim_matches('`'));
    let listed: BTreeSet<String> = names
        .map(|name| name.split(['{', '`']).next().unwrap())
        .map(|name| if name.starts_with("bincard_") { name.to_owned() } else { format!("bincard_{name}") })
        .collect();
    assert_eq!(measured, listed.iter().map(String::as_str).collect());
}
