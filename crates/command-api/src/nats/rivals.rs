//! Whether somebody else answers for this ledger's name: two writers under one name would each tell half the truth.

use std::time::Duration;

use async_nats::Client;
use async_nats::service::Info;
use futures::StreamExt;

use super::{Fault, service_name};
use crate::service::Service;

/// How long others have to answer.
const ANSWER_WAIT: Duration = Duration::from_millis(500);

/// A journal that one service has for itself.
const FILE: &str = "file";
/// One that several instances share.
const STREAM: &str = "jetstream";

/// What a ledger's service says of its journal.
pub(super) fn journal_of(ledger: &Service) -> &'static str {
    if ledger.role().is_some() { STREAM } else { FILE }
}

/// Asks who serves the ledger's name. `own_id` is the micro service that this process registered, if it did.
pub(super) async fn refuse_rivals(
    client: &Client,
    ledger: &Service,
    own_id: Option<&str>,
) -> Result<(), Fault> {
    let inbox = client.new_inbox();
    let mut answers = client.subscribe(inbox.clone()).await.map_err(|fault| Fault::Client(fault.into()))?;
    let subject = format!("$SRV.INFO.{}", service_name(ledger.name()));
    let asked = client.publish_with_reply(subject, inbox, "".into()).await;
    asked.map_err(|fault| Fault::Client(fault.into()))?;
    let deadline = tokio::time::Instant::now() + ANSWER_WAIT;
    while let Ok(Some(answer)) = tokio::time::timeout_at(deadline, answers.next()).await {
        // Nobody answers to the subject.
        if answer.status.is_some() {
            break;
        }
        let Ok(info) = serde_json::from_slice::<Info>(&answer.payload) else { continue };
        if own_id == Some(info.id.as_str()) {
            continue;
        }
        if let Some(why) = rivalry(&info, &ledger.uuid().to_string(), journal_of(ledger)) {
            return Err(Fault::NameTaken { ledger: ledger.name().to_owned(), why });
        }
    }
    Ok(())
}

/// A follower of the same ledger in the same stream is none; everybody else is.
fn rivalry(info: &Info, own_uuid: &str, own_journal: &str) -> Option<String> {
    let said = |key: &str| info.metadata.get(key).map_or("", String::as_str);
    let (uuid, id) = (said("uuid"), &info.id);
    if uuid != own_uuid {
        return Some(format!("by service {id} for another ledger ({uuid})"));
    }
    let alone = said("journal") == FILE || own_journal == FILE;
    alone.then(|| format!("by service {id}, and a journal in files has one service"))
}
