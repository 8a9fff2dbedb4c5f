//! Measurements of this very machine: `bincard bench`, and `make bench` beside the peers.
//!
//! Every figure is the median of several runs with their spread; every report begins with the machine and what its disk
//! takes for a durable write, and load generator, writer, views and journal share the machine's cores, as its rows say.
//! [`run`] measures; one file a bench says what is measured, and how.

mod disk;
mod durable;
mod frames;
mod history;
mod http;
mod http_client;
mod jetstream;
mod load;
mod machine;
mod nats;
mod nats_server;
mod oversell;
mod query;
mod report;
mod shop;
mod workload;

use std::path::PathBuf;

use command_api::nats::Access;
pub use machine::Machine;
pub use report::{Report, Row};

use crate::cli::Failure;

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Bench {
    /// Commands made durable by a service in this process: batches, singles, one in flight, a hot item, an oversell race;
    /// and frames by their size
    Durable,
    /// Commands over NATS, one message each and in batches
    Nats,
    /// Commands over HTTP, one request each and in batches
    Http,
    /// The journal as a stream of one NATS server and of three, and the public feed
    Jetstream,
    /// Verifying a history, and folding every view anew
    Replay,
    /// From an existing folder to the first answer
    Start,
    /// Queries by key and a board's first page, idle and under write load
    Query,
}

/// How it is measured.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Where ledgers are made for the time of a run; they are removed.
    pub dir: PathBuf,
    /// Orders of two lines a run.
    pub orders: usize,
    /// Items of the shop.
    pub items: usize,
    /// Runs of each figure.
    pub runs: usize,
    /// A NATS server to measure through; one is started when absent.
    pub nats: Option<String>,
    /// How that server is reached.
    pub nats_access: Access,
    /// A service to measure over HTTP; one is started when absent.
    pub http: Option<String>,
    /// What is shown to a named service.
    pub token: Option<String>,
    /// The ledger of that named service: what is measured stays in it for good.
    pub ledger: String,
}

impl Plan {
    /// With a service of its own.
    pub fn here(dir: PathBuf, orders: usize, items: usize, runs: usize) -> Plan {
        let (nats, nats_access, http, token) = (None, Access::default(), None, None);
        Plan { dir, orders, items, runs, nats, nats_access, http, token, ledger: "bench".into() }
    }
}

/// Measures, and tells on standard error what is being measured.
pub async fn run(bench: Bench, plan: &Plan) -> Result<Report, Failure> {
    std::fs::create_dir_all(&plan.dir)?;
    let mut report = Report::new(Machine::here(&plan.dir), plan);
    report.rows.extend(disk::fdatasync(&plan.dir)?);
    let sync_ms = report.rows[0].median;
    let rows = match bench {
        Bench::Durable => durable::measure(plan, sync_ms).await,
        Bench::Nats => nats::measure(plan, sync_ms).await,
        Bench::Http => http::measure(plan, sync_ms).await,
        Bench::Jetstream => jetstream::measure(plan).await,
        Bench::Replay => history::replay(plan).await,
        Bench::Start => history::start(plan).await,
        Bench::Query => query::measure(plan).await,
    };
    report.rows.extend(rows?);
    Ok(report)
}

/// What keeps the ids of this run apart from those of all others, in a ledger that stays.
fn run_id() -> String {
    let id = uuid::Uuid::now_v7().simple().to_string();
    format!("B{}", &id[..12])
}

/// Every status in an answer is that of an accepted command: looked for in the bytes, for parsing each answer would take
/// from the cores that are measured.
fn check_accepted(answer: &[u8]) -> Result<(), Failure> {
    const STATUS: &[u8] = br#""status":""#;
    const ACCEPTED: &[u8] = br#"accepted""#;
    let mut statuses =
        memchr::memmem::find_iter(answer, STATUS).map(|at| &answer[at + STATUS.len()..]).peekable();
    if statuses.peek().is_some() && statuses.all(|status| status.starts_with(ACCEPTED)) {
        return Ok(());
    }
    let text = String::from_utf8_lossy(answer);
    Err(Failure::refused(format!(
        "not everything was accepted: {}",
        text.chars().take(300).collect::<String>()
    )))
}
