//! Several processes on one stream, under load: the writer is killed or paused, the server is killed, the leader of a
//! cluster is killed; whatever was acknowledged is there once, and somebody goes on writing soon.
//!
//! The rounds are few here; `make torture` sets `BINCARD_KILLS` and `BINCARD_CLUSTER`.

mod support;

use std::collections::BTreeMap;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_nats::{Client, HeaderMap};
use serde_json::{Value, json};
use support::{Running, Served, nats, run, tool};

/// The floor for a takeover after kill -9 of the writer; what it took is printed.
const TAKEOVER_MAX: Duration = Duration::from_secs(5);
/// How long anything else may take.
const PATIENCE: Duration = Duration::from_secs(100);
/// Senders of the load, each with one command under way.
const SENDERS: u64 = 4;

/// Commands sent without a pause, each until it is accepted, and what they were told.
struct Load {
    acknowledged: Arc<Mutex<BTreeMap<String, u64>>>,
    last: Arc<Mutex<Instant>>,
    gap: Arc<Mutex<Duration>>,
    stop: Arc<AtomicBool>,
    senders: Vec<tokio::task::JoinHandle<()>>,
}

impl Load {
    async fn start(url: &str) -> Load {
        let load = Load {
            acknowledged: Arc::default(),
            last: Arc::new(Mutex::new(Instant::now())),
            gap: Arc::default(),
            stop: Arc::default(),
            senders: Vec::new(),
        };
        let number = Arc::new(AtomicU64::new(0));
        let mut senders = Vec::new();
        for _ in 0..SENDERS {
            let addresses: Vec<&str> = url.split(',').collect();
            let options = async_nats::ConnectOptions::new()
                .request_timeout(Some(Duration::from_millis(300)))
                .ping_interval(Duration::from_secs(2));
            let client = options.connect(addresses.as_slice()).await.expect("the servers are there");
            senders.push(tokio::spawn(load.sender(client, Arc::clone(&number))));
        }
        Load { senders, ..load }
    }

    fn sender(&self, client: Client, number: Arc<AtomicU64>) -> impl Future<Output = ()> + use<> {
        let (acknowledged, stop) = (Arc::clone(&self.acknowledged), Arc::clone(&self.stop));
        let (last, gap) = (Arc::clone(&self.last), Arc::clone(&self.gap));
        async move {
            while !stop.load(Ordering::Relaxed) {
                let id = format!("item-{}", number.fetch_add(1, Ordering::Relaxed));
                let sequence = accepted(&client, &id).await;
                let now = Instant::now();
                let before = std::mem::replace(&mut *last.lock().expect("no panic"), now);
                let mut longest = gap.lock().expect("no panic");
                *longest = (*longest).max(now - before);
                acknowledged.lock().expect("no panic").insert(id, sequence);
            }
        }
    }

    fn count(&self) -> usize {
        self.acknowledged.lock().expect("no panic").len()
    }

    /// The longest time without an acknowledgement since this was asked before.
    fn longest_gap(&self) -> Duration {
        let current = self.last.lock().expect("no panic").elapsed();
        std::mem::take(&mut *self.gap.lock().expect("no panic")).max(current)
    }

    /// Waits until so many more are acknowledged.
    async fn goes_on(&self, more: usize) {
        let (wanted, began) = (self.count() + more, Instant::now());
        while self.count() < wanted {
            assert!(began.elapsed() < PATIENCE, "nobody writes any more after {} commands", self.count());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn end(self) -> BTreeMap<String, u64> {
        self.stop.store(true, Ordering::Relaxed);
        for sender in self.senders {
            sender.await.expect("a sender does not panic");
        }
        Arc::into_inner(self.acknowledged).expect("the senders are gone").into_inner().expect("no panic")
    }
}

/// Sends one command until it is accepted; gives its sequence.
async fn accepted(client: &Client, id: &str) -> u64 {
    let began = Instant::now();
    let body = json!({"sku": id, "name": "An item"}).to_string();
    loop {
        let mut headers = HeaderMap::new();
        headers.insert("Bincard-Command-Id", id);
        let subject = "bincard.main.command.items.define";
        let told = client.request_with_headers(subject, headers, body.clone().into()).await;
        if let Ok(told) = &told {
            let reply: Value = serde_json::from_slice(&told.payload).expect("a reply is JSON");
            match reply["status"].as_str() {
                Some("accepted") => return reply["sequence"].as_u64().expect("an accepted command has one"),
                Some("unknown" | "unavailable" | "busy") => {}
                _ => panic!("{reply}"),
            }
        }
        assert!(began.elapsed() < PATIENCE, "{id}: {told:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn instance(data: &Path, url: &str, more: &[&str]) -> Served {
    let mut arguments = vec!["--journal", "jetstream", "--nats", url];
    arguments.extend(more);
    Served::start(data, &arguments)
}

/// Every acknowledged command is in the log once, where its sender was told; and the history verifies.
fn check(url: &str, acknowledged: &BTreeMap<String, u64>) {
    let at = ["--journal", "jetstream", "--nats", url];
    let log = run(&[&["replay", "log", "--format", "json"], &at[..]].concat()).ended(0).json();
    let mut recorded: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for row in log.as_array().expect("rows") {
        let id = row["command_id"].as_str().expect("an id").to_owned();
        recorded.entry(id).or_default().push(row["sequence"].as_u64().expect("a number"));
    }
    for (id, sequence) in acknowledged {
        assert_eq!(recorded.get(id), Some(&vec![*sequence]), "{id}");
    }
    run(&[&["replay", "verify"], &at[..]].concat()).ended(0);
}

fn rounds() -> usize {
    std::env::var("BINCARD_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(2)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_writer_is_replaced_in_seconds_and_nothing_acknowledged_is_lost() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some((_server, url)) = nats(&folder.path().join("nats")) else { return };
    let data = [folder.path().join("one"), folder.path().join("two")];
    let mut instances = data.each_ref().map(|data| Some(instance(data, &url, &[])));
    let load = Load::start(&url).await;
    let mut times = Vec::new();
    for round in 0..rounds() {
        load.goes_on(50).await;
        let writer = writer_among(&instances);
        load.longest_gap();
        instances[writer].take().expect("it runs").process.kill();
        load.goes_on(50).await;
        let gap = load.longest_gap();
        assert!(gap < TAKEOVER_MAX, "round {round}: nobody wrote for {gap:?}");
        times.push(gap);
        instances[writer] = Some(instance(&data[writer], &url, &[]));
    }
    let acknowledged = load.end().await;
    check(&url, &acknowledged);
    times.sort();
    let (median, worst) = (times[times.len() / 2], times[times.len() - 1]);
    println!("takeover after kill -9: {} kills, median {median:?}, worst {worst:?}", times.len());
}

/// The instance whose metrics say that it is ready and which is named by no other as the writer: found by asking.
fn writer_among(instances: &[Option<Served>; 2]) -> usize {
    let began = Instant::now();
    loop {
        for (place, instance) in instances.iter().enumerate() {
            let metrics = instance.as_ref().map(|instance| instance.get("/metrics").1).unwrap_or_default();
            if metrics.contains("bincard_owner{ledger=\"main\"} 1") {
                return place;
            }
        }
        assert!(began.elapsed() < PATIENCE, "nobody writes");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_writer_is_refused_when_it_wakes() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some((_server, url)) = nats(&folder.path().join("nats")) else { return };
    let data = [folder.path().join("one"), folder.path().join("two")];
    let instances = data.each_ref().map(|data| Some(instance(data, &url, &[])));
    let load = Load::start(&url).await;
    for _ in 0..rounds().div_ceil(2) {
        load.goes_on(50).await;
        let paused = writer_among(&instances);
        let process = &instances[paused].as_ref().expect("it runs").process;
        process.signal("STOP");
        load.goes_on(50).await;
        process.signal("CONT");
        load.goes_on(50).await;
        assert_ne!(writer_among(&instances), paused, "the one that woke has lost the ledger");
    }
    let acknowledged = load.end().await;
    check(&url, &acknowledged);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_comes_back_with_everything_and_the_writer_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(program) = tool("NATS_SERVER", "nats-server") else { return };
    let port = free_ports(1)[0];
    let url = format!("nats://127.0.0.1:{port}");
    let mut server = one_of(&program, folder.path(), "s1", port, None);
    let _instance = instance(&folder.path().join("one"), &url, &[]);
    let load = Load::start(&url).await;
    for _ in 0..rounds().div_ceil(2) {
        load.goes_on(50).await;
        server.kill();
        server = one_of(&program, folder.path(), "s1", port, None);
        load.goes_on(50).await;
    }
    let acknowledged = load.end().await;
    check(&url, &acknowledged);
}

/// Longer than a writer looks for the fate of its frame: it stops, folds anew, and takes the ledger again.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_away_for_long_finds_a_writer_when_it_is_back() {
    if !asked_for_long() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let Some(program) = tool("NATS_SERVER", "nats-server") else { return };
    let port = free_ports(1)[0];
    let url = format!("nats://127.0.0.1:{port}");
    let server = one_of(&program, folder.path(), "s1", port, None);
    let instance = instance(&folder.path().join("one"), &url, &[]);
    let load = Load::start(&url).await;
    load.goes_on(50).await;
    server.kill();
    tokio::time::sleep(Duration::from_secs(40)).await;
    assert_eq!(instance.get("/health/live").0, 200);
    let _server = one_of(&program, folder.path(), "s1", port, None);
    load.goes_on(50).await;
    let acknowledged = load.end().await;
    check(&url, &acknowledged);
}

fn asked_for_long() -> bool {
    let asked = std::env::var_os("BINCARD_CLUSTER").is_some();
    if !asked {
        println!("skipped: BINCARD_CLUSTER is not set; `make torture` sets it");
    }
    asked
}

/// Three servers with three copies: whatever leads is killed, or paused, and comes back.
#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_goes_on_without_any_one_of_its_servers() {
    if !asked_for_long() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let Some(program) = tool("NATS_SERVER", "nats-server") else { return };
    let ports: Vec<u16> = free_ports(6);
    let routes: Vec<String> = ports[3..].iter().map(|port| format!("nats://127.0.0.1:{port}")).collect();
    let cluster = |server: usize| Some((ports[3 + server], routes.join(",")));
    let start = |server: usize| {
        one_of(&program, folder.path(), &format!("s{server}"), ports[server], cluster(server))
    };
    let mut servers: Vec<Running> = (0..3).map(start).collect();
    let url: Vec<String> = ports[..3].iter().map(|port| format!("nats://127.0.0.1:{port}")).collect();
    let url = url.join(",");
    let data = [folder.path().join("one"), folder.path().join("two")];
    let _instances = data.each_ref().map(|data| instance(data, &url, &["--replicas", "3"]));
    let load = Load::start(&url).await;
    let mut gaps = Vec::new();
    for round in 0..rounds() {
        load.goes_on(50).await;
        load.longest_gap();
        let hit = leader(&url).await;
        if round % 2 == 0 {
            std::mem::replace(&mut servers[hit], start_nothing()).kill();
            load.goes_on(50).await;
            gaps.push(load.longest_gap());
            servers[hit] = start(hit);
        } else {
            servers[hit].signal("STOP");
            load.goes_on(50).await;
            gaps.push(load.longest_gap());
            servers[hit].signal("CONT");
        }
        settled(&url).await;
    }
    let acknowledged = load.end().await;
    check(&url, &acknowledged);
    gaps.sort();
    println!(
        "without the leader: {} times, median {:?}, worst {:?}",
        gaps.len(),
        gaps[gaps.len() / 2],
        gaps.last()
    );
}

/// Something that can be put in a killed server's place.
fn start_nothing() -> Running {
    Running::start(Command::new("sleep").arg("600"))
}

fn free_ports(count: usize) -> Vec<u16> {
    let held: Vec<TcpListener> =
        (0..count).map(|_| TcpListener::bind("127.0.0.1:0").expect("a free port")).collect();
    held.iter().map(|held| held.local_addr().expect("it is bound").port()).collect()
}

fn one_of(program: &Path, folder: &Path, name: &str, port: u16, cluster: Option<(u16, String)>) -> Running {
    let store = folder.join(name);
    std::fs::create_dir_all(&store).expect("a folder");
    let mut settings = format!(
        "server_name: {name}\nlisten: 127.0.0.1:{port}\njetstream {{ store_dir: {store:?}, sync_interval: always }}\n"
    );
    if let Some((cluster_port, routes)) = cluster {
        settings += &format!("cluster {{ name: c, listen: 127.0.0.1:{cluster_port}, routes: [{routes}] }}\n");
    }
    let file = folder.join(format!("{name}.conf"));
    std::fs::write(&file, settings).expect("a file");
    let mut server = Running::start(Command::new(program).arg("-c").arg(file).stderr(Stdio::null()));
    let began = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(server.runs() && began.elapsed() < PATIENCE, "nats-server did not start");
        std::thread::sleep(Duration::from_millis(20));
    }
    server
}

/// The server that leads the journal's stream.
async fn leader(url: &str) -> usize {
    let began = Instant::now();
    loop {
        if let Some((leader, _)) = stream(url).await {
            return leader;
        }
        assert!(began.elapsed() < PATIENCE, "the stream has no leader");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Waits until every copy is up to date again.
async fn settled(url: &str) {
    let began = Instant::now();
    while !matches!(stream(url).await, Some((_, true))) {
        assert!(began.elapsed() < PATIENCE, "the copies do not catch up");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn stream(url: &str) -> Option<(usize, bool)> {
    let client = async_nats::connect(url.split(',').collect::<Vec<_>>().as_slice()).await.ok()?;
    let stream = async_nats::jetstream::new(client).get_stream("BINCARD_main_JOURNAL").await.ok()?;
    let cluster = stream.cached_info().cluster.as_ref()?;
    let leader = cluster.leader.as_ref()?.strip_prefix('s')?.parse().ok()?;
    let current =
        cluster.replicas.len() == 2 && cluster.replicas.iter().all(|copy| copy.current && !copy.offline);
    Some((leader, current))
}

#[test]
fn a_history_is_copied_from_files_to_a_stream_and_back_byte_for_byte() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some((_server, url)) = nats(&folder.path().join("nats")) else { return };
    let path = |name: &str| folder.path().join(name).to_str().expect("a plain name").to_owned();
    let (here, back) = (path("here"), path("back"));
    run(&["demo", "--data", &here]).ended(0);
    let verified =
        |at: &[&str]| run(&[&["replay", "verify", "--format", "json"], at].concat()).ended(0).json();
    let original = verified(&["--data", &here]);

    let stream = ["--journal", "jetstream", "--nats", &url];
    run(&["journal", "copy", "--from", &here, "--to", "jetstream", "--nats", &url]).ended(0);
    assert_eq!(verified(&stream), original);
    run(&["journal", "copy", "--from", "jetstream", "--to", &back, "--nats", &url]).ended(0);
    assert_eq!(verified(&["--data", &back]), original);
    assert_eq!(frames(&here), frames(&back), "the same bytes");

    let again = run(&["journal", "copy", "--from", &here, "--to", "jetstream", "--nats", &url]).ended(0);
    assert!(again.out.starts_with("0 frames copied"), "{again:?}");
    let other = path("other");
    run(&["demo", "--data", &other]).ended(0);
    let refused = run(&["journal", "copy", "--from", &other, "--to", "jetstream", "--nats", &url]);
    assert_ne!(refused.status, 0);
    refused.said(&["another history"]);

    // The stream is served on from where the files ended.
    let served = instance(Path::new(&path("served")), &url, &[]);
    let (status, _) = served.get("/health/ready");
    assert_eq!(status, 200);
}

/// Every frame of a journal in files, one after the other.
fn frames(data: &str) -> Vec<u8> {
    use journal::{FrameSource, JournalRead};
    let journal = journal::OfflineJournal::open(&Path::new(data).join("main")).expect("it is whole");
    let mut frames = journal.frames_from(1).expect("it can be read");
    let mut bytes = Vec::new();
    while let Some(frame) = frames.next_frame().expect("it can be read") {
        bytes.extend_from_slice(frame.bytes());
    }
    bytes
}
