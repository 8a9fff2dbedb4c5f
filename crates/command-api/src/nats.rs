//! The NATS door: a micro service with an endpoint for every command and query, so that `nats micro` sees it.
//!
//! | subject | is |
//! |---|---|
//! | `bincard.<ledger>.command.<module>.<action>` | a command |
//! | `bincard.<ledger>.command.batch` | a batch |
//! | `bincard.<ledger>.query.<view>` | a query |
//!
//! Requests of one subscription are read in parallel and take their place in the queue in the order of arrival. Of
//! several instances of a ledger all answer queries, in one queue group; commands are subscribed to by the one that
//! writes, from when its epoch is durable until it writes no more.

mod access;
mod commands;
mod endpoints;
mod rivals;

use std::collections::HashMap;

use async_nats::Client;
use async_nats::service::{self, ServiceExt};
use tokio::task::JoinSet;

use crate::reply::REPLY_BYTES_MAX;
use crate::service::{Role, Service};
use commands::CommandEndpoints;
pub(crate) use endpoints::values;
use endpoints::{Asked, asked_of};

pub use access::{Access, AccessFault, is_loopback, without_secrets};

/// Room for headers beside the longest batch or reply.
const HEADERS_BYTES: usize = 64 * 1024;
/// The least max_payload of a NATS server that every batch and reply fits, in bytes.
pub const MAX_PAYLOAD_WANTED: usize = REPLY_BYTES_MAX + HEADERS_BYTES;

/// Why a ledger cannot be served on NATS.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// A batch or reply of the longest allowed would not fit a message.
    #[error(
        "the NATS server's max_payload is {found} bytes, wanted at least {wanted}: raise it in its configuration"
    )]
    PayloadTooSmall {
        /// What the server says.
        found: usize,
        /// What the contract needs.
        wanted: usize,
    },
    /// Somebody else answers for this ledger's name.
    #[error(
        "the ledger name {ledger:?} is served on this NATS already, {why}: stop that service, or use another name"
    )]
    NameTaken {
        /// The name.
        ledger: String,
        /// By whom.
        why: String,
    },
    /// The client failed.
    #[error("NATS: {0}")]
    Client(#[source] async_nats::Error),
}

/// A ledger that is served on NATS.
pub struct Door {
    client: Client,
    service: service::Service,
    queries: JoinSet<()>,
    commands: CommandEndpoints,
}

/// The name under which a ledger's micro service is found: `$SRV.INFO.bincard-<ledger>`.
pub fn service_name(ledger: &str) -> String {
    format!("bincard-{ledger}")
}

/// Whether the server keeps streams for this account; if not, what it said.
pub async fn jetstream_is_there(client: &Client) -> Result<(), String> {
    let asked = async_nats::jetstream::new(client.clone()).query_account().await;
    asked.map(drop).map_err(|fault| fault.to_string())
}

/// Serves the ledger on this connection, unless another service has its name there.
pub async fn serve(client: Client, ledger: Service) -> Result<Door, Fault> {
    check_payload(&client)?;
    rivals::refuse_rivals(&client, &ledger, None).await?;
    let metadata = HashMap::from([
        ("ledger".to_owned(), ledger.name().to_owned()),
        ("uuid".to_owned(), ledger.uuid().to_string()),
        ("journal".to_owned(), rivals::journal_of(&ledger).to_owned()),
    ]);
    let builder = client.service_builder().description("Bincard: commands and queries of a ledger");
    let started = builder.metadata(metadata).queue_group("bincard");
    let name = service_name(ledger.name());
    let service = started.start(name, env!("CARGO_PKG_VERSION")).await.map_err(Fault::Client)?;
    // Two that started at the same moment see each other now.
    rivals::refuse_rivals(&client, &ledger, Some(&service.info().await.id)).await?;

    let group = service.group(format!("bincard.{}", ledger.name()));
    let mut queries = JoinSet::new();
    if ledger.role().is_none_or(Role::answers_queries) {
        let views = asked_of().into_iter().filter(|(asked, ..)| matches!(asked, Asked::View(_)));
        for (view, subject, metadata) in views {
            let endpoint = group.endpoint_builder().name(subject.replace('.', "-")).metadata(metadata);
            let endpoint = endpoint.add(&subject).await.map_err(Fault::Client)?;
            queries.spawn(endpoints::serve(endpoint, view, ledger.clone(), std::future::pending()));
        }
    }
    let commands = CommandEndpoints::start(client.clone(), group, ledger.clone()).await?;
    client.flush().await.map_err(|fault| Fault::Client(fault.into()))?;
    tracing::info!(ledger = ledger.name(), "served on NATS");
    Ok(Door { client, service, queries, commands })
}

impl Door {
    /// Takes no more requests, and answers those it has.
    pub async fn stop(mut self) -> Result<(), Fault> {
        self.service.stop().await.map_err(Fault::Client)?;
        while self.queries.join_next().await.is_some() {}
        self.commands.stop().await;
        self.client.flush().await.map_err(|fault| Fault::Client(fault.into()))
    }
}

fn check_payload(client: &Client) -> Result<(), Fault> {
    let (found, wanted) = (client.server_info().max_payload, MAX_PAYLOAD_WANTED);
    if found < wanted { Err(Fault::PayloadTooSmall { found, wanted }) } else { Ok(()) }
}
