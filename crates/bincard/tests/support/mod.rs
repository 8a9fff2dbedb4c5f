//! What the tests of the binary share: where things are, processes that end with the test, and free ports.
#![allow(dead_code, reason = "each test uses its part")]

pub(crate) mod bucket;
pub(crate) mod certificates;

use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long anything may take to be there.
const READY: Duration = Duration::from_secs(60);

/// A file of the data folder, which is beside the project or where BINCARD_DATA says; none, said so, if absent.
pub(crate) fn data(name: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let path = std::env::var_os("BINCARD_DATA").map_or_else(beside, PathBuf::from).join(name);
    if !path.exists() {
        println!("skipped: {} is not here", path.display());
        return None;
    }
    Some(path)
}

/// The week of real invoices.
pub(crate) fn week() -> Option<PathBuf> {
    data("online-retail/week_2010-12-01_07.csv")
}

/// A tool: what the variable names, else from PATH, else from .tools; none, said so, if there is none.
pub(crate) fn tool(variable: &str, name: &str) -> Option<PathBuf> {
    if let Some(named) = std::env::var_os(variable) {
        return Some(named.into());
    }
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.tools/bin").join(name);
    let on_path = std::env::var_os("PATH")
        .into_iter()
        .flat_map(|path| std::env::split_paths(&path).map(|folder| folder.join(name)).collect::<Vec<_>>());
    let found = on_path.chain([own]).find(|path| path.exists());
    if found.is_none() {
        println!("skipped: there is no {name}; tools/install gets one, or {variable} names one");
    }
    found
}

/// The binary with these arguments, away from this machine's settings.
pub(crate) fn bincard(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bincard"));
    command
        .args(arguments)
        .env_remove("NATS_URL")
        .env_remove("BINCARD_DATA_DIR")
        .env_remove("BINCARD_TOKEN")
        .env_remove("BINCARD_ARCHIVE_TO")
        .env("RUST_LOG", "warn");
    command
}

/// Runs the binary to its end.
pub(crate) fn run(arguments: &[&str]) -> Ran {
    Ran::of(bincard(arguments).output().expect("the binary was built for this test"))
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ran {
    /// The exit status.
    pub(crate) status: i32,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) err: String,
}

impl Ran {
    /// How a process ended.
    pub(crate) fn of(output: Output) -> Ran {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let status = output.status.code().unwrap_or(-1);
        Ran { status, out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// It ended with this status.
    #[track_caller]
    pub(crate) fn ended(self, status: i32) -> Ran {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    /// Standard error says all of this.
    #[track_caller]
    pub(crate) fn said(self, words: &[&str]) -> Ran {
        for word in words {
            assert!(self.err.contains(word), "{word:?} is not in {:?}", self.err);
        }
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// A process that ends when the test does.
pub(crate) struct Running(Child);

impl Running {
    /// Starts a command.
    pub(crate) fn start(command: &mut Command) -> Running {
        Running(command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}")))
    }

    /// kill -9: no goodbye.
    pub(crate) fn kill(mut self) {
        self.0.kill().expect("it is ours");
        self.0.wait().expect("it is ours");
    }

    /// SIGTERM, and the exit status that follows.
    pub(crate) fn terminate(mut self) -> Option<i32> {
        let id = self.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().expect("kill is there").success());
        self.0.wait().expect("it is ours").code()
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    /// Sends it a signal by name.
    pub(crate) fn signal(&self, name: &str) {
        let (name, id) = (format!("-{name}"), self.0.id().to_string());
        assert!(Command::new("kill").args([name, id]).status().expect("kill is there").success());
    }

    /// Whether it still runs.
    pub(crate) fn runs(&mut self) -> bool {
        self.0.try_wait().expect("it is ours").is_none()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A service on a free port, ready.
pub(crate) struct Served {
    /// The process.
    pub(crate) process: Running,
    /// Where it answers HTTP.
    pub(crate) http: String,
    /// What it says when it is ready.
    pub(crate) ready: String,
    _out: BufReader<ChildStdout>,
}

impl Served {
    /// Starts `bincard serve` on a folder of ledgers.
    pub(crate) fn start(data: &Path, more: &[&str]) -> Served {
        Served::start_at(data, "127.0.0.1:0", more)
    }

    /// The same, at another address.
    pub(crate) fn start_at(data: &Path, address: &str, more: &[&str]) -> Served {
        let folder = data.to_str().expect("temporary folders have plain names");
        let mut command = bincard(&["serve", "--data", folder, "--http", address]);
        Served::of(command.args(more))
    }

    /// Starts a command that serves.
    pub(crate) fn of(command: &mut Command) -> Served {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the binary was built for this test");
        let mut out = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut ready = String::new();
        out.read_line(&mut ready).expect("a line");
        let http =
            ready.split_whitespace().find(|word| word.starts_with("http://") || word.starts_with("https://"));
        let http = http.unwrap_or_else(|| panic!("no address in {ready:?}")).trim_end_matches(',').to_owned();
        Served { process: Running(child), http, ready, _out: out }
    }

    /// GET, whatever the status.
    pub(crate) fn get(&self, path: &str) -> (u16, String) {
        http_get(&format!("{}{path}", self.http)).expect("it is ready and answers")
    }
}

/// GET, whatever the status; nothing if nobody answers.
pub(crate) fn http_get(url: &str) -> Option<(u16, String)> {
    let (address, path) = url.strip_prefix("http://")?.split_once('/')?;
    let mut stream = TcpStream::connect(address).ok()?;
    let request = format!("GET /{path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    std::io::Write::write_all(&mut stream, request.as_bytes()).ok()?;
    let mut response = String::new();
    stream.read_to_string(&mut response).ok()?;
    let status = response.split(' ').nth(1)?.parse().ok()?;
    let body = response.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default();
    Some((status, body))
}

/// A NATS server with JetStream on a free port; none, said so, if there is no program for it.
pub(crate) fn nats(folder: &Path) -> Option<(Running, String)> {
    nats_with(folder, &format!("jetstream {{ store_dir: {folder:?} }}"))
}

/// The same without JetStream.
pub(crate) fn nats_without_streams() -> Option<(Running, String)> {
    let folder = tempfile::tempdir().expect("a place for its files");
    nats_with(folder.path(), "")
}

/// A NATS server with this configuration on a free port; none, said so, if there is no program for it.
pub(crate) fn nats_with(folder: &Path, configuration: &str) -> Option<(Running, String)> {
    let program = tool("NATS_SERVER", "nats-server")?;
    let port = free_port();
    std::fs::create_dir_all(folder).expect("a place for its files");
    let file = folder.join("server.conf");
    let text = format!("listen: 127.0.0.1:{port}\n{configuration}\n");
    std::fs::write(&file, text).expect("the folder is there");
    let mut command = Command::new(program);
    let mut server = Running::start(command.arg("-c").arg(file).stderr(Stdio::null()));
    let began = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(server.runs() && began.elapsed() < READY, "nats-server did not start");
        std::thread::sleep(Duration::from_millis(20));
    }
    Some((server, format!("nats://127.0.0.1:{port}")))
}

/// Puts a message into a stream, which a service that has just begun may still have to make.
pub(crate) async fn stored(
    jetstream: &async_nats::jetstream::Context,
    subject: &str,
    headers: async_nats::HeaderMap,
    body: String,
) {
    let began = Instant::now();
    loop {
        let sent =
            jetstream.publish_with_headers(subject.to_owned(), headers.clone(), body.clone().into()).await;
        match sent.expect("the server is there").await {
            Ok(_) => return,
            Err(fault) => assert!(began.elapsed() < READY, "{subject}: {fault}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A port that nobody uses now.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port()
}
