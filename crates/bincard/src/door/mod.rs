//! Where commands and queries go: a service on NATS, a service on HTTP, or the ledger's folder, opened in process.
//!
//! All three speak the contract's JSON, so that nothing behind the door knows which one it is.

mod answer;
mod choose;
mod fault;
mod http;
mod local;
mod nats;
mod trust;

use serde::Serialize;
use serde_json::Value;

pub use answer::{Answer, Outcome, Page};
pub use choose::{Asked, asked, choose, default_folder, for_loading};
pub use fault::DoorFault;
pub(crate) use http::agent as http_agent;
pub(crate) use local::fault as opening_fault;
pub(crate) use trust::{outgoing_agent, system_trusting_agent};

use http::HttpDoor;
use local::LocalDoor;
use nats::NatsDoor;

/// The way to one ledger.
pub enum Door {
    /// A service that answers on a NATS server.
    Nats(NatsDoor),
    /// A service that answers on HTTP.
    Http(HttpDoor),
    /// The ledger itself, held by this process.
    Local(LocalDoor),
}

/// A command as it is put into a batch.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Item {
    /// `module.action`.
    pub command: String,
    /// The idempotency key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// When it was true, as RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effective_at: Option<String>,
    /// The command's fields.
    pub body: Value,
}

/// Commands as one JSON array, the way they travel.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Batch {
    json: Vec<u8>,
    count: usize,
}

impl Batch {
    /// The most commands of a batch: enough to share one durable write, few enough to see it move.
    pub const COMMANDS_MAX: usize = 500;
    /// The longest batch in bytes, well within what every door takes.
    pub const BYTES_MAX: usize = 700 * 1024;

    /// Whether a command of this length still fits.
    pub fn has_room_for(&self, encoded: &[u8]) -> bool {
        self.count == 0
            || (self.count < Batch::COMMANDS_MAX && self.json.len() + encoded.len() + 2 <= Batch::BYTES_MAX)
    }

    /// Adds an item that is JSON already.
    pub fn push(&mut self, encoded: &[u8]) {
        let closed = self.json.pop();
        self.json.push(if closed.is_some() { b',' } else { b'[' });
        self.json.extend_from_slice(encoded);
        self.json.push(b']');
        self.count += 1;
    }

    /// How many commands it holds.
    pub fn count(&self) -> usize {
        self.count
    }
}

impl Door {
    /// What stands at the other end, for messages.
    pub fn name(&self) -> String {
        match self {
            Door::Nats(door) => format!("ledger {} on NATS {}", door.ledger, door.url),
            Door::Http(door) => format!("ledger {} at {}", door.ledger, door.url),
            Door::Local(door) => {
                format!("ledger {} in {}, opened by this process", door.ledger, door.dir.display())
            }
        }
    }

    /// Sends one command and waits for its answer.
    pub async fn send(&self, item: &Item, dry_run: bool) -> Result<Answer, DoorFault> {
        match self {
            Door::Nats(door) => door.send(item, dry_run).await,
            Door::Http(door) => door.send(item, dry_run).await,
            Door::Local(door) => door.send(item, dry_run).await,
        }
    }

    /// Sends commands that are decided each on its own, in this order; gives as many answers.
    pub async fn send_batch(&self, batch: Batch, dry_run: bool) -> Result<Vec<Answer>, DoorFault> {
        let Batch { json, count } = batch;
        let reply = match self {
            Door::Nats(door) => door.send_batch(json, dry_run).await?,
            Door::Http(door) => door.send_batch(json, dry_run).await?,
            Door::Local(door) => door.send_batch(json, dry_run).await?,
        };
        Answer::read_batch(reply, count)
    }

    /// Asks a view for one page. `query` is the contract's query object.
    pub async fn query(&self, view: &str, query: &Value) -> Result<Page, DoorFault> {
        match self {
            Door::Nats(door) => door.query(view, query).await,
            Door::Http(door) => door.query(view, query).await,
            Door::Local(door) => door.query(view, query).await,
        }
    }

    /// Asks a view for every page, held together at the position of the first; hands each page's rows over.
    pub async fn query_all(
        &self,
        view: &str,
        query: &Value,
        mut each: impl FnMut(Vec<Value>),
    ) -> Result<String, DoorFault> {
        let mut query = query.clone();
        loop {
            let Page { position, rows, next } = self.query(view, &query).await?;
            each(rows);
            let Some(next) = next else { return Ok(position) };
            query["cursor"] = Value::from(next);
        }
    }

    /// Leaves: a ledger that was opened is closed cleanly.
    pub async fn close(self) -> Result<(), DoorFault> {
        match self {
            Door::Nats(_) | Door::Http(_) => Ok(()),
            Door::Local(door) => door.close().await,
        }
    }
}
