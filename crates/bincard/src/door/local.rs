//! The door into this very process: the ledger is opened, written to and closed here.

use std::path::{Path, PathBuf};

use command_api::service::{Fault, Options, page_json, read_query};
use command_api::{Batch, Envelope, Service, request};
use ledger_core::Settings;
use ledger_core::values::{CommandId, Name, Text, Timestamp};
use serde_json::Value;

use super::{Answer, DoorFault, Item, Page};

/// A ledger that this process holds.
pub struct LocalDoor {
    pub(super) ledger: String,
    pub(super) dir: PathBuf,
    service: Service,
}

impl LocalDoor {
    pub(super) async fn open(data: &Path, ledger: &str) -> Result<Self, DoorFault> {
        let name = Name::try_new(ledger)
            .map_err(|fault| DoorFault::Unsendable { why: format!("--ledger: {fault}") })?;
        let mut options = Options::new(data, Settings::named(name));
        options.address = format!("no address (process {} works on it alone)", std::process::id());
        let started = tokio::task::spawn_blocking(|| Service::start(options)).await;
        let service = started.expect("opening a ledger does not panic").map_err(fault)?;
        Ok(Self { ledger: ledger.to_owned(), dir: data.join(ledger), service })
    }

    /// The ledger as it runs.
    pub fn service(&self) -> &Service {
        &self.service
    }

    pub(super) async fn send(&self, item: &Item, dry_run: bool) -> Result<Answer, DoorFault> {
        let envelope = Envelope {
            id: item.id.as_deref().map(|id| text::<CommandId>("the command id", id)).transpose()?,
            effective_at: item.effective_at.as_deref().map(time).transpose()?,
            dry_run,
            ..Envelope::default()
        };
        let read = request::read_command(&item.command, item.body.to_string().as_bytes(), &envelope);
        let outcome = self.service.outcome(self.service.offer(read)).await;
        Answer::read(parsed(&outcome.to_json())?)
    }

    pub(super) async fn send_batch(&self, batch: Vec<u8>, dry_run: bool) -> Result<Value, DoorFault> {
        let envelope = Envelope { dry_run, ..Envelope::default() };
        let outcome = self.service.outcome(self.service.offer_batch(Batch::read(&batch, &envelope))).await;
        parsed(&outcome.to_json())
    }

    pub(super) async fn query(&self, view: &str, query: &Value) -> Result<Page, DoorFault> {
        let page = match read_query(query.to_string().as_bytes()) {
            Ok(query) => self.service.query(view, query).await,
            Err(invalid) => Err(invalid.into()),
        };
        Page::read(parsed(&page_json(&page))?)
    }

    pub(super) async fn close(self) -> Result<(), DoorFault> {
        let stopped = tokio::task::spawn_blocking(move || self.service.stop()).await;
        stopped.expect("closing a ledger does not panic").map_err(fault)
    }
}

fn parsed(json: &[u8]) -> Result<Value, DoorFault> {
    serde_json::from_slice(json).map_err(|error| DoorFault::NotUnderstood { found: error.to_string() })
}

fn text<T: Text>(what: &str, text: &str) -> Result<T, DoorFault> {
    T::try_new(text).map_err(|fault| DoorFault::Unsendable { why: format!("{what}: {fault}") })
}

fn time(text: &str) -> Result<Timestamp, DoorFault> {
    let why = || format!("the effective time: wanted RFC 3339 (2026-11-22T08:30:00Z), found {text:?}");
    Timestamp::parse(text).ok_or_else(|| DoorFault::Unsendable { why: why() })
}

/// What stands in the way of opening a ledger, sorted by what the user can do about it.
pub(crate) fn fault(fault: Fault) -> DoorFault {
    let why = fault.to_string();
    match fault {
        Fault::Journal(fault) if fault.is_damage() => DoorFault::Corrupt { why },
        Fault::Entry { .. } => DoorFault::Corrupt { why },
        _ => DoorFault::NotOpened { why },
    }
}
