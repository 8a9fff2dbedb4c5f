//! The door to a service that answers on a NATS server.

use std::time::Duration;

use async_nats::client::{Request, RequestErrorKind};
use async_nats::{Client, ConnectOptions, HeaderMap, HeaderValue};
use command_api::auth::AUTHORIZATION_HEADER;
use command_api::nats::{AccessFault, without_secrets};
use serde_json::Value;

use super::answer::excerpt;
use super::{Answer, DoorFault, Item, Page};
use crate::cli::ClientAccessArgs;

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an answer may take: a query may wait for its position, a batch for a slow disk.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// A connection, and the ledger that is meant.
pub struct NatsDoor {
    pub(super) url: String,
    pub(super) ledger: String,
    client: Client,
    authorization: Option<HeaderValue>,
}

impl NatsDoor {
    pub(super) async fn open(url: &str, ledger: &str, access: &ClientAccessArgs) -> Result<Self, DoorFault> {
        let bearer = access.token.as_deref().map(|token| header("the token", &format!("Bearer {token}")));
        let authorization = bearer.transpose()?;
        let shown = without_secrets(url);
        let settings =
            |options: ConnectOptions| options.name("bincard client").connection_timeout(CONNECT_TIMEOUT);
        let client = access.nats.access().connect(url, settings).await.map_err(|fault| match fault {
            AccessFault::Connect(error) => {
                DoorFault::NobodyThere { tried: shown.clone(), why: error.to_string() }
            }
            fault @ (AccessFault::File { .. } | AccessFault::NoUrl { .. }) => {
                DoorFault::Unsendable { why: format!("--nats: {fault}") }
            }
        })?;
        Ok(Self { url: shown, ledger: ledger.to_owned(), client, authorization })
    }

    pub(super) async fn send(&self, item: &Item, dry_run: bool) -> Result<Answer, DoorFault> {
        let mut headers = HeaderMap::new();
        if let Some(id) = &item.id {
            headers.insert("Bincard-Command-Id", header("the command id", id)?);
        }
        if let Some(effective_at) = &item.effective_at {
            headers.insert("Bincard-Effective-At", header("the effective time", effective_at)?);
        }
        mark(&mut headers, dry_run);
        let subject = format!("bincard.{}.command.{}", self.ledger, item.command);
        Answer::read(self.request(subject, headers, item.body.to_string().into_bytes()).await?)
    }

    pub(super) async fn send_batch(&self, batch: Vec<u8>, dry_run: bool) -> Result<Value, DoorFault> {
        let mut headers = HeaderMap::new();
        mark(&mut headers, dry_run);
        self.request(format!("bincard.{}.command.batch", self.ledger), headers, batch).await
    }

    pub(super) async fn query(&self, view: &str, query: &Value) -> Result<Page, DoorFault> {
        let subject = format!("bincard.{}.query.{view}", self.ledger);
        Page::read(self.request(subject, HeaderMap::new(), query.to_string().into_bytes()).await?)
    }

    async fn request(
        &self,
        subject: String,
        mut headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<Value, DoorFault> {
        if let Some(authorization) = &self.authorization {
            headers.insert(AUTHORIZATION_HEADER, authorization.clone());
        }
        let request = Request::new().payload(body.into()).headers(headers).timeout(Some(ANSWER_TIMEOUT));
        let reply = self.client.send_request(subject.clone(), request).await;
        let reply = reply.map_err(|error| match error.kind() {
            RequestErrorKind::NoResponders => DoorFault::NobodyAnswers { url: self.url.clone(), subject },
            RequestErrorKind::InvalidSubject => DoorFault::Unsendable {
                why: format!("{subject:?} is no subject: wanted module.action or a view"),
            },
            RequestErrorKind::MaxPayloadExceeded => {
                DoorFault::Unsendable { why: format!("{subject}: longer than the server's max_payload") }
            }
            RequestErrorKind::TimedOut | RequestErrorKind::Other => {
                DoorFault::NoAnswer { tried: format!("{subject} on {}", self.url), why: error.to_string() }
            }
        })?;
        serde_json::from_slice(&reply.payload).map_err(|_| DoorFault::NotUnderstood {
            found: excerpt(&String::from_utf8_lossy(&reply.payload)),
        })
    }
}

fn mark(headers: &mut HeaderMap, dry_run: bool) {
    if dry_run {
        headers.insert("Bincard-Dry-Run", "true");
    }
}

fn header(what: &str, value: &str) -> Result<HeaderValue, DoorFault> {
    value.parse().map_err(|_| DoorFault::Unsendable {
        why: format!("{what}: wanted text of one line, found {value:?}"),
    })
}
