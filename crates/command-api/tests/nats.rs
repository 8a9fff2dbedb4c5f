//! The NATS door from outside, through a real server: commands, queries, order, batches, and a restart in the middle.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use async_nats::{Client, HeaderMap};
use command_api::nats::{self, Door};
use command_api::{Options, QueueLimits, Service};
use futures::StreamExt;
use ledger_core::Settings;
use ledger_core::values::{Name, Text};
use serde_json::{Value, json};

/// A server of its own for each test; it ends with it.
struct Server {
    child: Child,
    url: String,
    _dir: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A nats-server from `NATS_SERVER`, the project's tools or `PATH`; without one the test says so and passes.
fn server_with(configuration: &str) -> Option<Server> {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.tools/bin/nats-server");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|dir| dir.join("nats-server"));
    let named = std::env::var_os("NATS_SERVER").map(PathBuf::from);
    let Some(program) = named.into_iter().chain([tools]).chain(on_path).find(|path| path.is_file()) else {
        println!("skipped: no nats-server in NATS_SERVER, .tools/bin or PATH; `make test` brings one");
        return None;
    };
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("server.conf");
    std::fs::write(&file, format!("listen: 127.0.0.1:{port}\n{configuration}\n")).unwrap();
    let mut command = Command::new(program);
    command.arg("-c").arg(file).stdout(Stdio::null()).stderr(Stdio::null());
    Some(Server { child: command.spawn().unwrap(), url: format!("127.0.0.1:{port}"), _dir: dir })
}

async fn connect(server: &Server) -> Client {
    for _ in 0..100 {
        if let Ok(client) = async_nats::connect(&server.url).await {
            return client;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("nats-server does not answer at {}", server.url);
}

fn options(data: &Path) -> Options {
    Options::new(data, Settings::named(Name::try_new("main").unwrap()))
}

fn start(data: &Path) -> Service {
    Service::start(options(data)).unwrap()
}

async fn stop(door: Door, service: Service) {
    door.stop().await.unwrap();
    service.stop().unwrap();
}

async fn ask(client: &Client, subject: &str, headers: &[(&str, &str)], body: &Value) -> Value {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(*name, *value);
    }
    let subject = format!("bincard.main.{subject}");
    let reply = client.request_with_headers(subject, map, body.to_string().into()).await.unwrap();
    serde_json::from_slice(&reply.payload).unwrap()
}

async fn command(client: &Client, name: &str, id: &str, body: Value) -> Value {
    ask(client, &format!("command.{name}"), &[("Bincard-Command-Id", id)], &body).await
}

async fn open_a_shop(client: &Client) {
    let location = json!({"location": "AMS1", "name": "Amsterdam", "kind": "warehouse"});
    for (id, name, body) in [
        ("l", "locations.define", location),
        ("i", "items.define", json!({"sku": "TEA-01", "name": "Tea"})),
        ("a", "items.activate", json!({"sku": "TEA-01"})),
    ] {
        assert_eq!(command(client, name, id, body).await["status"], "accepted");
    }
}

fn receipt() -> Value {
    json!({"sku": "TEA-01", "location": "AMS1", "quantity": 8, "unit_cost": "2.50"})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_is_recorded_read_back_and_answered_the_same_after_a_restart() {
    let Some(server) = server_with("") else { return };
    let client = connect(&server).await;
    let data = tempfile::tempdir().unwrap();
    let service = start(data.path());
    let door = nats::serve(client.clone(), service.clone()).await.unwrap();
    open_a_shop(&client).await;
    let first = command(&client, "stock.receive", "r", receipt()).await;
    assert_eq!((&first["status"], &first["position"]), (&json!("accepted"), &json!("1.6")));
    let query = json!({"filter": {"sku": "TEA-01"}, "min_position": first["position"]});
    let page = ask(&client, "query.stock_position", &[], &query).await;
    assert_eq!(page["rows"][0]["quantity"], 8);
    stop(door, service).await;

    let service = start(data.path());
    let door = nats::serve(client.clone(), service.clone()).await.unwrap();
    let again = ask(&client, "command.stock.receive", &[("Nats-Msg-Id", "r")], &receipt()).await;
    assert_eq!((&again["duplicate"], &again["events"]), (&json!(true), &first["events"]));
    assert_eq!(ask(&client, "query.stock_position", &[], &query).await["rows"], page["rows"]);
    let status = ask(&client, "query.command_status", &[], &json!({"filter": {"id": "r"}})).await;
    assert_eq!(status["rows"][0]["sequence"], first["sequence"]);
    stop(door, service).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_the_contracts_replies() {
    let Some(server) = server_with("") else { return };
    let client = connect(&server).await;
    let data = tempfile::tempdir().unwrap();
    let service = start(data.path());
    let door = nats::serve(client.clone(), service.clone()).await.unwrap();
    let nope = || json!({"sku": "NOPE"});
    let rejected = command(&client, "items.activate", "x", nope()).await;
    assert_eq!((&rejected["status"], &rejected["code"]), (&json!("rejected"), &json!("unknown_item")));
    let invalid = command(&client, "stock.receive", "x", nope()).await;
    assert_eq!((&invalid["status"], &invalid["path"]), (&json!("invalid"), &json!("/location")));
    let header = ask(&client, "command.items.activate", &[("Bincard-Effective-At", "noon")], &nope()).await;
    assert_eq!((&header["status"], &header["header"]), (&json!("invalid"), &json!("Bincard-Effective-At")));
    let query = ask(&client, "query.stock_position", &[], &json!({"filters": {}})).await;
    assert_eq!((&query["status"], &query["code"]), (&json!("invalid"), &json!("unknown_field")));
    let dry = [("Bincard-Dry-Run", "true")];
    let dry = ask(&client, "command.items.define", &dry, &json!({"sku": "A", "name": "Tea"})).await;
    assert_eq!((&dry["status"], &dry["dry_run"]), (&json!("accepted"), &json!(true)));
    assert_eq!(service.durable_sequence(), 2, "nothing changed");
    stop(door, service).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_of_one_subscription_are_decided_in_the_order_of_their_arrival() {
    let Some(server) = server_with("") else { return };
    let client = connect(&server).await;
    let data = tempfile::tempdir().unwrap();
    let service = start(data.path());
    let door = nats::serve(client.clone(), service.clone()).await.unwrap();
    let inbox = client.new_inbox();
    let mut replies = client.subscribe(inbox.clone()).await.unwrap();
    for number in 0..500 {
        // Bodies of very different length, so that reading them takes different time.
        let name = "n".repeat(1 + number * 37 % 400);
        let body = json!({"sku": format!("S{number:03}"), "name": name}).to_string();
        client
            .publish_with_reply("bincard.main.command.items.define", inbox.clone(), body.into())
            .await
            .unwrap();
    }
    for _ in 0..500 {
        let reply = replies.next().await.unwrap();
        let reply: Value = serde_json::from_slice(&reply.payload).unwrap();
        let sku = reply["events"][0]["sku"].as_str().unwrap();
        assert_eq!(reply["sequence"], 3 + sku[1..].parse::<u64>().unwrap(), "{sku}");
    }
    stop(door, service).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_of_a_flood_is_answered() {
    let Some(server) = server_with("") else { return };
    let client = connect(&server).await;
    let data = tempfile::tempdir().unwrap();
    let mut options = options(data.path());
    options.queue = QueueLimits { commands: 10, ..QueueLimits::default() };
    let service = Service::start(options).unwrap();
    let door = nats::serve(client.clone(), service.clone()).await.unwrap();
    let inbox = client.new_inbox();
    let mut replies = client.subscribe(inbox.clone()).await.unwrap();
    for number in 0..3000 {
        let body = json!({"sku": format!("S{number}"), "name": "Tea"}).to_string();
        client
            .publish_with_reply("bincard.main.command.items.define", inbox.clone(), body.into())
            .await
            .unwrap();
    }
    let (mut accepted, mut busy) = (0, 0);
    while accepted + busy < 3000 {
        let reply = replies.next().await.unwrap();
        match serde_json::from_slice::<Value>(&reply.payload).unwrap()["status"].as_str().unwrap() {
            "accepted" => accepted += 1,
            "busy" => busy += 1,
            other => panic!("{other}"),
        }
    }
    assert!(accepted > 0 && busy > 0, "{accepted} accepted, {busy} busy");
    assert_eq!(service.durable_sequence(), 2 + accepted);
    stop(door, service).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_goes_in_one_message() {
    let Some(server) = server_with("") else { return };
    let client = connect(&server).await;
    let data = tempfile::tempdir().unwrap();
    let service = start(data.path());
    let door = nats::serve(client.clone(), service.clone()).await.unwrap();
    let item = |number: usize| json!({"command": "items.define", "id": format!("i{number}"), "body": {"sku": format!("S{number}"), "name": "Tea"}});
    let commands: Vec<Value> = (0..5000).map(item).collect();
    let reply = ask(&client, "command.batch", &[], &Value::Array(commands)).await;
    let lines = reply["results"].as_array().unwrap();
    assert_eq!(lines.iter().filter(|line| line["status"] == "accepted").count(), 5000);
    let atomic = json!({"atomic": true, "commands": [item(9000), item(9001)]});
    let reply = ask(&client, "command.batch", &[], &atomic).await;
    assert_eq!((&reply["status"], &reply["sequence"]), (&json!("accepted"), &json!(5003)));
    stop(door, service).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_micro_service_is_seen_with_every_endpoint() {
    let Some(server) = server_with("") else { return };
    let client = connect(&server).await;
    let data = tempfile::tempdir().unwrap();
    let service = start(data.path());
    let door = nats::serve(client.clone(), service.clone()).await.unwrap();
    command(&client, "items.define", "i", json!({"sku": "A", "name": "Tea"})).await;
    let info = client.request("$SRV.INFO.bincard-main", "".into()).await.unwrap();
    let info: Value = serde_json::from_slice(&info.payload).unwrap();
    assert_eq!(info["metadata"]["uuid"], service.uuid().to_string());
    let subjects: Vec<&str> = info["endpoints"]
        .as_array()
        .unwrap()
        .iter()
        .map(|endpoint| endpoint["subject"].as_str().unwrap())
        .collect();
    for wanted in ["command.items.define", "command.batch", "query.stock_position", "query.command_status"] {
        assert!(subjects.contains(&format!("bincard.main.{wanted}").as_str()), "{wanted}");
    }
    let of_the_ledger: Vec<_> = subjects.iter().filter(|subject| subject.contains(".ledger.")).collect();
    assert_eq!(of_the_ledger, [&"bincard.main.command.ledger.activate_rules"], "nothing internal");
    let stats = client.request("$SRV.STATS.bincard-main", "".into()).await.unwrap();
    let stats: Value = serde_json::from_slice(&stats.payload).unwrap();
    let endpoints = stats["endpoints"].as_array().unwrap();
    let define = endpoints.iter().find(|endpoint| endpoint["name"] == "command-items-define").unwrap();
    assert_eq!(define["num_requests"], 1);
    stop(door, service).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_served_already_is_refused() {
    let Some(server) = server_with("") else { return };
    let client = connect(&server).await;
    let (data, other_data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (service, other) = (start(data.path()), start(other_data.path()));
    let door = nats::serve(client.clone(), service.clone()).await.unwrap();
    let refused = nats::serve(connect(&server).await, other.clone()).await.err().unwrap().to_string();
    assert!(refused.contains("\"main\" is served on this NATS already"), "{refused}");
    assert!(refused.contains(&service.uuid().to_string()), "{refused}");
    other.stop().unwrap();
    stop(door, service).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_too_small_messages_is_refused() {
    let Some(server) = server_with("max_payload: 65536") else { return };
    let client = connect(&server).await;
    let data = tempfile::tempdir().unwrap();
    let refused = nats::serve(client, start(data.path())).await.err().unwrap().to_string();
    assert!(refused.contains("max_payload is 65536"), "{refused}");
}
