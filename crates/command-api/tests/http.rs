//! The HTTP door from outside, over a socket: the contract's replies and statuses, with a restart in the middle.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::path::Path;

use command_api::{Ledgers, Options, Service, http};
use ledger_core::Settings;
use ledger_core::values::{Name, Text};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Ledgers that are served, and the address they are served at.
struct Served {
    services: Vec<Service>,
    address: String,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<std::io::Result<()>>,
}

/// What came back.
struct Response {
    status: u16,
    head: String,
    text: String,
}

impl Response {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|fault| panic!("{fault}: {}", self.text))
    }
}

async fn serve(data: &Path, ledgers: &[&str]) -> Served {
    let start = |name: &&str| {
        let settings = Settings::named(Name::try_new(name).unwrap());
        Service::start(Options::new(data, settings)).unwrap()
    };
    let services: Vec<Service> = ledgers.iter().map(start).collect();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (stop, stopped) = oneshot::channel();
    let ledgers = Ledgers::try_new(services.clone()).unwrap();
    let serving = tokio::spawn(http::serve(listener, ledgers, async { drop(stopped.await) }));
    Served { services, address, stop, serving }
}

impl Served {
    async fn stop(self) {
        self.stop.send(()).unwrap();
        self.serving.await.unwrap().unwrap();
        for service in self.services {
            service.stop().unwrap();
        }
    }

    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Response {
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: bincard\r\nConnection: close\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
        let mut socket = TcpStream::connect(&self.address).await.unwrap();
        socket.write_all(head.as_bytes()).await.unwrap();
        // A door that refuses a long body may close before it was read.
        let _ = socket.write_all(body).await;
        let mut answer = Vec::new();
        let _ = socket.read_to_end(&mut answer).await;
        let answer = String::from_utf8(answer).unwrap();
        let (head, text) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Response { status, head: head.to_ascii_lowercase(), text: text.to_owned() }
    }

    async fn get(&self, path: &str) -> Response {
        self.send("GET", path, &[], b"").await
    }

    async fn command(&self, name: &str, id: &str, body: &Value) -> Response {
        let headers = [("Content-Type", "application/json"), ("Idempotency-Key", id)];
        self.send("POST", &format!("/v1/commands/{name}"), &headers, body.to_string().as_bytes()).await
    }

    async fn post(&self, path: &str, body: &Value) -> Response {
        self.send("POST", path, &[("Content-Type", "application/json")], body.to_string().as_bytes()).await
    }

    async fn open_a_shop(&self) {
        let location = json!({"location": "AMS1", "name": "Amsterdam", "kind": "warehouse"});
        assert_eq!(self.command("locations.define", "l", &location).await.status, 200);
        assert_eq!(
            self.command("items.define", "i", &json!({"sku": "TEA 01", "name": "Tea"})).await.status,
            200
        );
        assert_eq!(self.command("items.activate", "a", &json!({"sku": "TEA 01"})).await.status, 200);
    }
}

fn receipt() -> Value {
    json!({"sku": "TEA 01", "location": "AMS1", "quantity": 8, "unit_cost": "2.50"})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_is_recorded_read_back_and_answered_the_same_after_a_restart() {
    let data = tempfile::tempdir().unwrap();
    let served = serve(data.path(), &["main"]).await;
    served.open_a_shop().await;
    let first = served.command("stock.receive", "shop/1 r", &receipt()).await;
    assert_eq!(first.status, 200, "{}", first.text);
    assert!(first.head.contains("content-type: application/json"));
    let first = first.json();
    assert_eq!(
        (&first["status"], &first["events"][0]["type"]),
        (&json!("accepted"), &json!("stock.received"))
    );
    let position = first["position"].as_str().unwrap().to_owned();
    let by_parameters = format!("/v1/views/stock_position?sku=TEA%2001&limit=5&min_position={position}");
    let by_body = json!({"filter": {"sku": "TEA 01"}, "min_position": position});
    let page = served.get(&by_parameters).await.json();
    assert_eq!(page["rows"][0]["quantity"], 8, "{page}");
    assert_eq!(served.post("/v1/views/stock_position", &by_body).await.json(), page);
    served.stop().await;

    let served = serve(data.path(), &["main"]).await;
    let again = served.command("stock.receive", "shop/1 r", &receipt()).await.json();
    assert_eq!((&again["duplicate"], &again["position"]), (&json!(true), &first["position"]));
    assert_eq!(again["events"], first["events"]);
    let status = served.get("/v1/commands/shop%2F1%20r").await;
    assert_eq!((status.status, status.json()), (200, again));
    assert_eq!(served.get(&by_parameters).await.json()["rows"], page["rows"]);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_has_its_status_and_is_a_problem_document() {
    let data = tempfile::tempdir().unwrap();
    let served = serve(data.path(), &["main"]).await;
    served.open_a_shop().await;
    served.command("stock.receive", "r", &receipt()).await;
    let before = served.services[0].durable_sequence();
    let with = |field: &str, value: Value| {
        let mut body = receipt();
        body[field] = value;
        body
    };
    let receive = "stock.receive";
    let nope = json!({"sku": "NOPE"});
    let cases = [
        (served.command(receive, "x", &with("sku", json!("NOPE"))).await, 422, "unknown_item", "rejected"),
        (served.command(receive, "x", &with("quantity", json!(0))).await, 400, "invalid_value", "invalid"),
        (served.command(receive, "x", &with("qty", json!(1))).await, 400, "unknown_field", "invalid"),
        (served.command(receive, "x", &json!([])).await, 400, "wrong_type", "invalid"),
        (
            served.command(receive, "r", &with("quantity", json!(9))).await,
            409,
            "command_id_reused",
            "conflict",
        ),
        (served.command("stock.teleport", "x", &nope).await, 404, "unknown_command", "invalid"),
        (
            served.command("ledger.start_epoch", "x", &json!({"writer": "me"})).await,
            404,
            "unknown_command",
            "invalid",
        ),
        (served.command(receive, &"x".repeat(65), &receipt()).await, 400, "invalid_value", "invalid"),
        (served.post("/v1/commands", &json!([])).await, 400, "invalid_value", "invalid"),
        (served.post("/v1/views/nothing", &json!({})).await, 404, "unknown_view", "invalid"),
        (served.get("/v1/views/stock_position?colour=red").await, 400, "unknown_filter", "invalid"),
        (served.get("/v1/views/stock_position?sku=a&sku=b").await, 400, "duplicate_field", "invalid"),
        (served.get("/v1/views/stock_position?limit=ten").await, 400, "wrong_type", "invalid"),
        (
            served.get("/v1/views/stock_position?as_of_recorded_at=noon").await,
            400,
            "invalid_value",
            "invalid",
        ),
        (served.get("/v1/views/stock_position?min_position=7.1").await, 409, "unknown_position", "conflict"),
    ];
    for (response, status, code, outcome) in cases {
        let problem = response.json();
        assert_eq!(response.status, status, "{problem}");
        assert!(response.head.contains("content-type: application/problem+json"));
        assert_eq!((&problem["code"], &problem["outcome"]), (&json!(code), &json!(outcome)), "{problem}");
        assert_eq!(problem["status"], status);
        assert!(!problem["detail"].as_str().unwrap().is_empty());
    }
    let missing = served.command(receive, "x", &nope).await.json();
    assert_eq!((&missing["code"], &missing["path"]), (&json!("missing_field"), &json!("/location")));
    let rejected = served.command(receive, "x", &with("sku", json!("NOPE"))).await.json();
    assert_eq!(rejected["details"]["sku"], "NOPE");
    for (response, status, code) in [
        (served.get("/v1/commands/never").await, 404, "unknown_command_id"),
        (served.get("/v1/commands/never?min_position=soon").await, 400, "invalid_value"),
        (served.get("/v1/events?from=abc").await, 400, "wrong_type"),
        (served.get("/v1/events?follow=perhaps").await, 400, "wrong_type"),
        (served.get("/v1/journal?from=-1").await, 400, "wrong_type"),
        (served.get("/v1/journal?form=1").await, 400, "unknown_field"),
        (served.get("/v1/journal?from=1&from=2").await, 400, "duplicate_field"),
        (served.get("/v1/commands/never?position=1.2").await, 400, "unknown_field"),
        (served.get("/v1/ledgers/other/views/stock_position").await, 404, "unknown_ledger"),
        (served.get("/v2").await, 404, "not_found"),
        (served.get("/v1/commands").await, 405, "method_not_allowed"),
        (served.get("/schemas/commands/ledger.create.json").await, 404, "not_found"),
    ] {
        assert_eq!((response.status, &response.json()["code"]), (status, &json!(code)));
    }
    let events = served.get("/v1/events?from=abc").await.json();
    assert_eq!(events["path"], "/from");
    assert_eq!(events["detail"], "wanted the number of an event, found \"abc\"");
    let never = served.get("/v1/commands/never").await.json();
    assert_eq!(never["position"], json!(served.services[0].position().to_string()), "{never}");
    assert_eq!(served.services[0].durable_sequence(), before, "nothing changed");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_web_page_of_another_site_cannot_send_a_command_and_a_long_body_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let served = serve(data.path(), &["main"]).await;
    let path = "/v1/commands/items.activate";
    for headers in
        [&[][..], &[("Content-Type", "text/plain")], &[("Content-Type", "application/x-www-form-urlencoded")]]
    {
        let refused = served.send("POST", path, headers, b"{\"sku\":\"A\"}").await;
        assert_eq!((refused.status, &refused.json()["header"]), (400, &json!("Content-Type")));
    }
    let json = [("Content-Type", "application/json; charset=utf-8")];
    let long = vec![b' '; 600 * 1024];
    assert_eq!(served.send("POST", path, &json, &long).await.json()["code"], "too_large");
    assert_eq!(served.send("POST", path, &json, b"\xff\xfe").await.json()["code"], "not_json");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_tells_of_each_command() {
    let data = tempfile::tempdir().unwrap();
    let served = serve(data.path(), &["main"]).await;
    let item = |id: &str| json!({"command": "items.define", "id": id, "body": {"sku": id, "name": "Tea"}});
    let each = served
        .post("/v1/commands", &json!([item("A"), {"command": "items.define", "body": 7}, item("A")]))
        .await;
    let statuses: Vec<Value> =
        each.json()["results"].as_array().unwrap().iter().map(|line| line["status"].clone()).collect();
    assert_eq!((each.status, statuses), (200, vec![json!("accepted"), json!("invalid"), json!("accepted")]));
    let atomic = json!({"atomic": true, "commands": [item("B"), {"command": "items.define", "id": "x", "body": {"sku": "A", "name": "again"}}]});
    let refused = served.post("/v1/commands", &atomic).await;
    assert_eq!((refused.status, &refused.json()["code"]), (422, &json!("item_exists")));
    assert_eq!(served.services[0].durable_sequence(), 3, "of the atomic batch nothing is recorded");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ledgers_are_served_side_by_side_by_name() {
    let data = tempfile::tempdir().unwrap();
    let served = serve(data.path(), &["main", "second"]).await;
    let define = json!({"sku": "A", "name": "Tea"});
    assert_eq!(served.post("/v1/ledgers/second/commands/items.define", &define).await.status, 200);
    assert_eq!(served.services[0].durable_sequence(), 2);
    assert_eq!(served.services[1].durable_sequence(), 3);
    assert_eq!(served.get("/v1/ledgers/main/views/stock_position").await.status, 200);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_runs_it_sees_health_metrics_and_what_it_speaks() {
    let data = tempfile::tempdir().unwrap();
    let served = serve(data.path(), &["main"]).await;
    served.open_a_shop().await;
    served.command("items.activate", "x", &json!({"sku": "NOPE"})).await;
    assert_eq!(
        (served.get("/health/live").await.status, served.get("/health/ready").await.status),
        (200, 200)
    );
    let metrics = served.get("/metrics").await.text;
    for line in [
        "bincard_commands_total{ledger=\"main\",outcome=\"accepted\"} 3",
        "bincard_commands_total{ledger=\"main\",outcome=\"rejected\"} 1",
        "bincard_durable_sequence{ledger=\"main\"} 5",
        "bincard_recorded_total{ledger=\"main\",command=\"items.activate\"} 1",
        "bincard_recorded_total{ledger=\"main\",command=\"ledger.start_epoch\"} 1",
        "bincard_due_waiting{ledger=\"main\"} 0",
        "bincard_due_overdue_seconds{ledger=\"main\"} 0",
        "bincard_answer_seconds_count{ledger=\"main\",outcome=\"accepted\"} 3",
        "bincard_answer_seconds_bucket{ledger=\"main\",outcome=\"rejected\",le=\"+Inf\"} 1",
        "bincard_frame_entries_sum{ledger=\"main\"} 3",
        "bincard_append_seconds_count{ledger=\"main\"} 3",
        "bincard_views_lag_seconds{ledger=\"main\"} 0",
        "bincard_queue_depth{ledger=\"main\"} 0",
        "bincard_ready{ledger=\"main\"} 1",
    ] {
        assert!(metrics.contains(line), "{line} is missing in:\n{metrics}");
    }
    let openapi = served.get("/openapi.json").await.json();
    assert!(openapi["paths"]["/v1/commands/stock.receive"]["post"].is_object());
    let asyncapi = served.get("/asyncapi.json").await.json();
    assert_eq!(
        asyncapi["channels"]["command_stock_receive"]["address"],
        "bincard.{ledger}.command.stock.receive"
    );
    assert_eq!(served.get("/schemas/commands/stock.receive.json").await.json()["title"], "stock.receive");
    let confirmed = served.post("/v1/clock/confirm", &json!({})).await;
    assert_eq!(confirmed.status, 204);
    let rebuilt = served.post("/v1/views/rebuild", &json!({})).await.json();
    assert_eq!((&rebuilt["in_use"], &rebuilt["differing"]), (&json!(true), &json!([])), "{rebuilt}");
    assert_eq!(served.post("/v1/views/rebuild", &json!({"anyways": true})).await.status, 400);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_told_from_any_one_on_as_lines_or_server_sent() {
    let data = tempfile::tempdir().unwrap();
    let served = serve(data.path(), &["main", "eu"]).await;
    served.open_a_shop().await;
    served.command("stock.receive", "r", &receipt()).await;
    let all = served.get("/v1/events?follow=false").await;
    assert!(all.head.contains("application/x-ndjson"), "{}", all.head);
    let events: Vec<Value> = json_lines(&all.text);
    for (event, ordinal) in events.iter().zip(1..) {
        assert_eq!(event["id"], format!("{}/{ordinal}", served.services[0].uuid()));
    }
    let last = events.last().unwrap();
    assert_eq!((&last["type"], &last["causationid"]), (&json!("bincard.stock.received"), &json!("r")));
    assert_eq!(last["data"]["movements"][0]["to"], json!({"location": "AMS1", "status": "available"}));

    let some = served.get(&format!("/v1/events?follow=false&from={}", events.len() - 1)).await;
    assert_eq!(json_lines(&some.text), events[events.len() - 2..]);
    let seen = (events.len() - 1).to_string();
    let headers = [("Accept", "text/event-stream"), ("Last-Event-ID", seen.as_str())];
    let rest = served.send("GET", "/v1/events?follow=false", &headers, b"").await;
    assert!(rest.head.contains("text/event-stream"), "{}", rest.head);
    let wanted = format!("id: {}\nevent: bincard.stock.received\ndata: {{\"specversion\"", events.len());
    assert!(rest.text.contains(&wanted), "{}", rest.text);
    assert!(!rest.text.contains("items.activated"), "{}", rest.text);

    let other = json_lines(&served.get("/v1/ledgers/eu/events?follow=false").await.text);
    assert_eq!(other[0]["source"], "/bincard/eu");
    assert_eq!(served.get("/v1/events?form=1").await.status, 400);
    let refused = served.send("GET", "/v1/events", &[("Last-Event-ID", "x")], b"").await;
    assert_eq!((refused.status, refused.json()["header"].clone()), (400, json!("Last-Event-ID")));
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_of_events_follows_the_journal_and_is_let_go_when_the_door_stops() {
    let data = tempfile::tempdir().unwrap();
    let served = serve(data.path(), &["main"]).await;
    let mut socket = TcpStream::connect(&served.address).await.unwrap();
    let request = b"GET /v1/events HTTP/1.1\r\nHost: bincard\r\nAccept: text/event-stream\r\n\r\n";
    socket.write_all(request).await.unwrap();
    served.open_a_shop().await;
    let mut seen = String::new();
    while !seen.contains("event: bincard.items.activated") {
        let mut piece = [0; 4096];
        let count = socket.read(&mut piece).await.unwrap();
        assert!(count > 0, "the stream ended: {seen}");
        seen.push_str(&String::from_utf8_lossy(&piece[..count]));
    }
    // Stops although the reader would wait for more.
    served.stop().await;
    let mut rest = Vec::new();
    socket.read_to_end(&mut rest).await.unwrap();
    assert!(rest.ends_with(b"0\r\n\r\n"), "the answer ended whole");
}

/// The JSON lines of an answer that came in chunks.
fn json_lines(chunked: &str) -> Vec<Value> {
    let mut lines = String::new();
    let mut rest = chunked;
    while let Some((length, after)) = rest.split_once("\r\n") {
        let length = usize::from_str_radix(length, 16).unwrap();
        lines.push_str(&after[..length]);
        rest = &after[(length + 2).min(after.len())..];
    }
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
