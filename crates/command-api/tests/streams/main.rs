//! The public feed and the durable inbox through a real server with JetStream, with publishers that are cut off.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod feed;
mod inbox;
mod takeover;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use async_nats::Client;
use async_nats::jetstream::{self, Context};
use command_api::request::{Envelope, read_command};
use command_api::{Options, Reply, Service};
use ledger_core::Settings;
use ledger_core::values::{Name, Text};
use serde_json::Value;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(120);

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

/// A nats-server with JetStream from `NATS_SERVER`, the project's tools or `PATH`; without one the test says so and
/// passes.
fn server() -> Option<Server> {
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
    let mut command = Command::new(program);
    command.args(["--addr", "127.0.0.1", "--port", &port.to_string(), "--jetstream", "--store_dir"]);
    command.arg(dir.path()).stdout(Stdio::null()).stderr(Stdio::null());
    Some(Server { child: command.spawn().unwrap(), url: format!("127.0.0.1:{port}"), _dir: dir })
}

async fn connect(server: &Server) -> Client {
    for _ in 0..200 {
        if let Ok(client) = async_nats::connect(&server.url).await {
            let streams = jetstream::new(client.clone());
            // The port is open a moment before the streams are.
            while streams.query_account().await.is_err() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            return client;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("nats-server does not answer at {}", server.url);
}

fn options(data: &Path) -> Options {
    Options::new(data, Settings::named(Name::try_new("main").unwrap()))
}

async fn decide(service: &Service, name: &str, body: &Value) -> Reply {
    let request = read_command(name, body.to_string().as_bytes(), &Envelope::default()).unwrap();
    service.submit(request).await
}

async fn accepted(service: &Service, name: &str, body: &Value) {
    let reply = decide(service, name, body).await;
    assert_eq!(reply.status(), "accepted", "{name} {body}: {:?}", reply.message());
}

/// Waits until it is so.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let began = tokio::time::Instant::now();
    while !is_so().await {
        assert!(began.elapsed() < PATIENCE, "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn messages_in(streams: &Context, stream: &str) -> u64 {
    match streams.get_stream(stream).await {
        Ok(stream) => stream.cached_info().state.messages,
        Err(_) => 0,
    }
}
