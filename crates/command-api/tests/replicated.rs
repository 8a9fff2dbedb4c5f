//! A ledger in a stream, run by several instances: one writes, the others follow, answer queries and take over.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use async_nats::{Client, ConnectOptions, HeaderMap};
use command_api::nats::{self, Door};
use command_api::service::{Ownership, Replication, Role};
use command_api::{Options, Service};
use journal::jetstream::{Server, StreamJournal, StreamOptions};
use journal::{FrameBuilder, Journal, Outcome};
use ledger_core::Settings;
use ledger_core::values::{Name, Text};
use serde_json::{Value, json};

/// How long anything may take that is waited for; how long it does take is asserted where it matters.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server of its own for each test; it ends with it.
struct Nats {
    child: Child,
    url: String,
    _dir: tempfile::TempDir,
}

impl Drop for Nats {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A nats-server from `NATS_SERVER`, the project's tools or `PATH`; without one the test says so and passes.
fn nats() -> Option<Nats> {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.tools/bin/nats-server");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|dir| dir.join("nats-server"));
    let named = std::env::var_os("NATS_SERVER").map(PathBuf::from);
    let Some(program) = named.into_iter().chain([tools]).chain(on_path).find(|path| path.is_file()) else {
        println!("skipped: no nats-server in NATS_SERVER, .tools/bin or PATH; `make test` brings one");
        return None;
    };
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new(program);
    command.args(["--addr", "127.0.0.1", "--port", &port.to_string(), "--jetstream", "--store_dir"]);
    let child = command.arg(dir.path()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let began = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(began.elapsed() < PATIENCE, "nats-server does not start");
        std::thread::sleep(Duration::from_millis(20));
    }
    Some(Nats { child, url: format!("nats://127.0.0.1:{port}"), _dir: dir })
}

fn server(nats: &Nats) -> Server {
    Server { url: nats.url.clone(), options: ConnectOptions::new() }
}

fn options(data: &Path) -> Options {
    Options::new(data, Settings::named(Name::try_new("main").unwrap()))
}

async fn start(nats: &Nats, data: &Path, role: Role) -> Service {
    let mut options = options(data);
    options.address = format!("http://{}", data.file_name().unwrap().to_string_lossy());
    options.replication = Some(Replication { server: server(nats), replicas: 1, role });
    tokio::task::spawn_blocking(|| Service::start(options)).await.unwrap().unwrap()
}

async fn stop(service: &Service) {
    let service = service.clone();
    tokio::task::spawn_blocking(move || service.stop()).await.unwrap().unwrap();
}

async fn ask(
    client: &Client,
    subject: &str,
    id: &str,
    body: &Value,
) -> Result<Value, async_nats::RequestError> {
    let mut headers = HeaderMap::new();
    headers.insert("Bincard-Command-Id", id);
    let subject = format!("bincard.main.{subject}");
    let reply = client.request_with_headers(subject, headers, body.to_string().into()).await?;
    Ok(serde_json::from_slice(&reply.payload).unwrap())
}

/// Sends a command until somebody is there to take it.
async fn command(client: &Client, name: &str, id: &str, body: Value) -> Value {
    let began = Instant::now();
    loop {
        match ask(client, &format!("command.{name}"), id, &body).await {
            Ok(reply) if reply["status"] == "accepted" => return reply,
            other => assert!(began.elapsed() < PATIENCE, "{other:?}"),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn owns(service: &Service) -> u64 {
    let mut ownership = service.ownership();
    let owner = ownership.wait_for(|now| matches!(now, Ownership::Owner { .. }));
    let now = *tokio::time::timeout(PATIENCE, owner).await.unwrap().unwrap();
    let Ownership::Owner { epoch } = now else { unreachable!("it was waited for") };
    epoch
}

fn item(number: u32) -> Value {
    json!({"sku": format!("TEA-{number}"), "name": "Tea"})
}

async fn door(client: &Client, service: &Service) -> Door {
    nats::serve(client.clone(), service.clone()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_writes_the_others_answer_and_one_of_them_takes_over() {
    let Some(nats) = nats() else { return };
    let client = async_nats::connect(&nats.url).await.unwrap();
    let folders: Vec<_> = (0..3).map(|_| tempfile::tempdir().unwrap()).collect();
    let first = start(&nats, folders[0].path(), Role::All).await;
    assert_eq!(owns(&first).await, 1);
    let second = start(&nats, folders[1].path(), Role::All).await;
    let reader = start(&nats, folders[2].path(), Role::Query).await;
    for follower in [&second, &reader] {
        assert_eq!(*follower.ownership().borrow(), Ownership::Follower);
        assert_eq!((follower.uuid(), follower.trouble()), (first.uuid(), None));
    }
    let doors = [door(&client, &first).await, door(&client, &second).await, door(&client, &reader).await];

    let accepted = command(&client, "items.define", "one", item(1)).await;
    let query = json!({"min_position": accepted["position"], "filter": {"id": "one"}});
    for _ in 0..20 {
        let page = ask(&client, "query.command_status", "", &query).await.unwrap();
        assert_eq!(page["rows"][0]["sequence"], accepted["sequence"], "whoever answers: {page}");
    }
    let refused = second.submit(request("items.define", item(2))).await;
    assert_eq!((refused.status(), refused.code()), ("unavailable", Some("not_the_writer")));
    let address = folders[0].path().file_name().unwrap().to_string_lossy().into_owned();
    assert!(refused.message().unwrap().contains(&address), "{refused:?}");
    assert_eq!(second.confirm_clock().unwrap_err(), refused, "its clock is not the one that counts");

    let [leaving, staying, reading] = doors;
    leaving.stop().await.unwrap();
    stop(&first).await;
    let began = Instant::now();
    assert_eq!(owns(&second).await, 2);
    assert!(began.elapsed() < Duration::from_secs(5), "the lease was given back: {:?}", began.elapsed());
    let again = command(&client, "items.define", "one", item(1)).await;
    assert_eq!((&again["duplicate"], &again["sequence"]), (&json!(true), &accepted["sequence"]));
    let next = command(&client, "items.define", "two", item(2)).await;
    assert_eq!(next["position"], "2.5");
    assert_eq!(*reader.ownership().borrow(), Ownership::Follower, "it never writes");
    staying.stop().await.unwrap();
    reading.stop().await.unwrap();
    stop(&second).await;
    stop(&reader).await;
}

fn request(name: &str, body: Value) -> command_api::Request {
    let envelope = command_api::Envelope::default();
    command_api::request::read_command(name, body.to_string().as_bytes(), &envelope).unwrap()
}

/// Another writer that does not ask for the lease: what a paused one finds when it wakes.
#[tokio::test(flavor = "multi_thread")]
async fn a_writer_that_was_replaced_without_knowing_is_refused_and_comes_back_as_a_follower() {
    let Some(nats) = nats() else { return };
    let folder = tempfile::tempdir().unwrap();
    let service = start(&nats, folder.path(), Role::All).await;
    assert_eq!(owns(&service).await, 1);
    let created = service.submit(request("items.define", item(1))).await;
    assert_eq!(created.status(), "accepted");

    let options = StreamOptions { server: server(&nats), ledger: "main".into(), create: None };
    let rival = tokio::task::spawn_blocking(move || StreamJournal::open(&options).unwrap()).await.unwrap();
    let (head, last) = rival.reader().end();
    let epoch_entry = {
        use journal::JournalRead;
        let first = rival.reader().frame_at(1).unwrap().unwrap();
        // The first frame creates the ledger and starts epoch 1; the same entry again starts another.
        first.entry(2).unwrap().1.to_vec()
    };
    let mut frame = FrameBuilder::open(
        head.ledger,
        head.epoch + 1,
        head.sequence + 1,
        head.event + 1,
        head.log_time_us,
        head.hash,
    );
    frame.push(&epoch_entry, 1);
    let mut appender = rival.appender(last, Box::new(|| {}));
    appender.submit(frame.seal());
    assert!(matches!(appender.wait(), Some(Outcome::Durable { .. })));

    let fenced = service.submit(request("items.define", item(2))).await;
    assert_eq!(fenced.status(), "unknown", "{fenced:?}");
    let began = Instant::now();
    loop {
        let reply = service.submit(request("items.define", item(3))).await;
        match reply.status() {
            "accepted" => break,
            "unavailable" => assert!(began.elapsed() < PATIENCE, "{reply:?} {:?}", service.trouble()),
            _ => panic!("{reply:?}"),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(owns(&service).await > 1, "it folded what it had missed, and took the ledger again");
    assert_eq!(service.trouble(), None);
    drop((appender, rival));
    stop(&service).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_with_files_and_one_with_a_stream_refuse_each_other_in_words() {
    let Some(nats) = nats() else { return };
    let client = async_nats::connect(&nats.url).await.unwrap();
    let (files, shared) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let replicated = start(&nats, shared.path(), Role::All).await;
    let served = door(&client, &replicated).await;
    let alone = Service::start(options(files.path())).unwrap();
    let Err(fault) = nats::serve(client.clone(), alone.clone()).await else { panic!("the name is taken") };
    assert!(fault.to_string().contains("another ledger"), "{fault}");
    served.stop().await.unwrap();
    stop(&replicated).await;
    drop(replicated);

    let served = door(&client, &alone).await;
    let replicated = start(&nats, shared.path(), Role::All).await;
    let Err(fault) = nats::serve(client.clone(), replicated.clone()).await else {
        panic!("the name is taken")
    };
    assert!(fault.to_string().contains("another ledger"), "{fault}");
    served.stop().await.unwrap();
    stop(&replicated).await;
    stop(&alone).await;
    drop(alone);

    let mut from_files = options(files.path());
    from_files.replication = Some(Replication { server: server(&nats), replicas: 1, role: Role::All });
    let started = tokio::task::spawn_blocking(|| Service::start(from_files)).await.unwrap();
    let Err(fault) = started else { panic!("its history is in files") };
    assert!(fault.to_string().contains("bincard journal copy"), "{fault}");
}
