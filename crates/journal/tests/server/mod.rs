//! A NATS server of its own for each test, and frames appended to its stream.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]
#![allow(dead_code, reason = "not every test needs all of it")]

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use journal::jetstream::{Server, StreamJournal, StreamOptions, StreamReader};
use journal::{Frame, FrameBuilder, Head, Journal, Outcome};

pub(crate) const LEDGER: [u8; 16] = *b"a ledger to race";

/// A server of its own for each test; it ends with it.
pub(crate) struct Nats {
    child: Child,
    pub(crate) url: String,
    port: u16,
    limits: &'static str,
    dir: tempfile::TempDir,
}

impl Drop for Nats {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A nats-server from `NATS_SERVER`, the project's tools or `PATH`; without one the test says so and passes.
fn program() -> Option<PathBuf> {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.tools/bin/nats-server");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|dir| dir.join("nats-server"));
    let named = std::env::var_os("NATS_SERVER").map(PathBuf::from);
    let found = named.into_iter().chain([tools]).chain(on_path).find(|path| path.is_file());
    if found.is_none() {
        println!("skipped: no nats-server in NATS_SERVER, .tools/bin or PATH; `make test` brings one");
    }
    found
}

impl Nats {
    pub(crate) fn start() -> Option<Nats> {
        Nats::limited("")
    }

    /// With limits in the server's jetstream block.
    pub(crate) fn limited(limits: &'static str) -> Option<Nats> {
        let program = program()?;
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let dir = tempfile::tempdir().unwrap();
        let child = Nats::spawn(&program, port, dir.path(), limits);
        Some(Nats { child, url: format!("nats://127.0.0.1:{port}"), port, limits, dir })
    }

    fn spawn(program: &Path, port: u16, dir: &Path, limits: &str) -> Child {
        let file = dir.join("server.conf");
        let store = dir.join("store");
        let settings = format!(
            "listen: 127.0.0.1:{port}\njetstream {{ store_dir: {store:?}, sync_interval: always, {limits} }}\n"
        );
        std::fs::write(&file, settings).unwrap();
        let mut command = Command::new(program);
        command.arg("-c").arg(file).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().unwrap();
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(began.elapsed() < Duration::from_secs(20), "nats-server does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        child
    }

    /// kill -9, and the same server again on the same folder.
    pub(crate) fn restart(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.child = Nats::spawn(&program().unwrap(), self.port, self.dir.path(), self.limits);
    }

    pub(crate) fn options(&self) -> StreamOptions {
        let server = Server { url: self.url.clone(), options: async_nats::ConnectOptions::new() };
        StreamOptions { server, ledger: "main".into(), create: Some(1) }
    }

    pub(crate) fn open(&self) -> StreamJournal {
        StreamJournal::open(&self.options()).unwrap()
    }
}

pub(crate) fn frame_after(head: &Head, epoch: u64, entry: &[u8]) -> Frame {
    let time = head.log_time_us.max(0);
    let mut open = FrameBuilder::open(LEDGER, epoch, head.sequence + 1, head.event + 1, time, head.hash);
    open.push(entry, 1);
    open.seal()
}

/// The head of a ledger that may have no frames yet.
pub(crate) fn end(reader: &StreamReader) -> (Head, u64) {
    let (head, last) = reader.end();
    if head.sequence == 0 { (Head::empty(LEDGER), last) } else { (head, last) }
}

/// Appends one frame behind what the reader knows, and waits for its fate.
pub(crate) fn append(stream: &StreamJournal, epoch: u64, entry: &[u8]) -> (Frame, Outcome) {
    append_behind(stream, end(&stream.reader()), epoch, entry)
}

/// Appends one frame behind an end that was read, however long ago.
pub(crate) fn append_behind(
    stream: &StreamJournal,
    (head, last): (Head, u64),
    epoch: u64,
    entry: &[u8],
) -> (Frame, Outcome) {
    let frame = frame_after(&head, epoch, entry);
    let mut appender = stream.appender(last, Box::new(|| {}));
    appender.submit(frame.clone());
    (frame, appender.wait().unwrap())
}
