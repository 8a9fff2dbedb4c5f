//! The stream itself: created with the settings that the journal's promises rest on, and checked for them.

use async_nats::jetstream::stream::{
    Config, DiscardPolicy, PersistenceMode, Republish, RetentionPolicy, StorageType,
};
use async_nats::jetstream::{
    Context, ErrorCode, context::CreateStreamErrorKind, context::GetStreamErrorKind,
};
use futures::StreamExt;
use serde_json::Value;

use super::link::HEADERS_BYTES;
use crate::fault::Fault;
use crate::frame::FRAME_BYTES_MAX;

/// How long servers have to say how they write.
const SYNC_ANSWER_WAIT: std::time::Duration = std::time::Duration::from_millis(300);

/// The stream of a ledger.
pub fn stream_name(ledger: &str) -> String {
    format!("BINCARD_{ledger}_JOURNAL")
}

/// The one subject of a ledger's stream.
pub(super) fn subject(ledger: &str) -> String {
    format!("bincard.{ledger}.journal")
}

/// Where the server says, without the bytes, that a frame was stored.
pub(super) fn stored_subject(ledger: &str) -> String {
    format!("bincard.{ledger}.journal.stored")
}

fn wanted(ledger: &str, replicas: usize) -> Config {
    Config {
        name: stream_name(ledger),
        description: Some("The journal of a Bincard ledger: one frame a message; see bincard replay".into()),
        subjects: vec![subject(ledger)],
        storage: StorageType::File,
        retention: RetentionPolicy::Limits,
        discard: DiscardPolicy::New,
        num_replicas: replicas,
        max_message_size: i32::try_from(FRAME_BYTES_MAX + HEADERS_BYTES)
            .expect("a frame is shorter than 2 GiB"),
        deny_delete: true,
        deny_purge: true,
        allow_direct: true,
        republish: Some(Republish {
            source: subject(ledger),
            destination: stored_subject(ledger),
            headers_only: true,
        }),
        ..Config::default()
    }
}

/// Sees to it that the stream is there, created if `create`, with settings that keep what it acknowledges. Gives how many
/// servers keep a copy: one that was there may have fewer than are wanted.
pub(super) async fn prepare(
    context: &Context,
    ledger: &str,
    replicas: usize,
    create: bool,
) -> Result<usize, Fault> {
    let name = stream_name(ledger);
    let unreachable = |why: String| Fault::Unreachable { server: format!("stream {name}"), why };
    let there = match context.get_stream(&name).await {
        Ok(stream) => Some(stream.cached_info().config.clone()),
        Err(error) => match error.kind() {
            GetStreamErrorKind::JetStream(told) if told.error_code() == ErrorCode::STREAM_NOT_FOUND => None,
            _ => return Err(unreachable(error.to_string())),
        },
    };
    if let Some(found) = there {
        return checked(&found, ledger);
    }
    if !create {
        return Err(Fault::Missing { path: name.into() });
    }
    let created = context.create_stream(wanted(ledger, replicas)).await;
    match created {
        Ok(stream) => checked(&stream.cached_info().config, ledger),
        Err(error) => match error.kind() {
            // Another instance was quicker, with other settings: those that stand are checked.
            CreateStreamErrorKind::JetStream(told) if told.error_code() == ErrorCode::STREAM_NAME_EXIST => {
                let stream =
                    context.get_stream(&name).await.map_err(|error| unreachable(error.to_string()))?;
                checked(&stream.cached_info().config, ledger)
            }
            CreateStreamErrorKind::JetStream(told) => {
                let why = format!("it cannot be created: {told}");
                Err(Fault::Unsuitable { stream: name.clone(), why })
            }
            _ => Err(unreachable(error.to_string())),
        },
    }
}

fn checked(found: &Config, ledger: &str) -> Result<usize, Fault> {
    check_stream(found, ledger)?;
    Ok(found.num_replicas)
}

/// What would let the stream of a ledger forget, or take what is no frame, or not take a frame, is refused in words. Of
/// copies it may have any number.
pub fn check_stream(found: &Config, ledger: &str) -> Result<(), Fault> {
    let wanted = wanted(ledger, found.num_replicas);
    let asynchronous = found.persist_mode == Some(PersistenceMode::Async);
    let bounded =
        [found.max_bytes, found.max_messages, found.max_messages_per_subject].iter().any(|max| *max > 0);
    let short = (1..wanted.max_message_size).contains(&found.max_message_size);
    let short_why = format!(
        "its messages may have {} bytes (max_msg_size), wanted {} for the longest frame",
        found.max_message_size, wanted.max_message_size
    );
    let wrong = [
        (found.subjects != wanted.subjects, "it takes other subjects than the ledger's"),
        (found.storage != StorageType::File, "it is kept in memory"),
        (found.retention != RetentionPolicy::Limits, "it drops messages that were consumed"),
        (!found.max_age.is_zero(), "its messages expire (max_age)"),
        (bounded && found.discard != DiscardPolicy::New, "it discards old messages when it is full"),
        (!found.deny_delete, "its messages can be deleted (deny_delete is off)"),
        (!found.deny_purge, "it can be purged (deny_purge is off)"),
        (!found.allow_direct, "it does not allow direct reads (allow_direct is off)"),
        (asynchronous, "it acknowledges before it has written (persist_mode: async)"),
        (found.mirror.is_some() || found.sources.is_some(), "it copies another stream"),
        (short, &short_why),
    ];
    match wrong.into_iter().find(|(is_so, _)| *is_so) {
        None => Ok(()),
        Some((_, why)) => Err(Fault::Unsuitable { stream: found.name.clone(), why: why.into() }),
    }
}

pub(super) fn copies_warning(ledger: &str, found: usize, wanted: usize) -> Option<String> {
    let name = stream_name(ledger);
    (found < wanted).then(|| {
        format!(
            "stream {name} has {found} of the {wanted} copies that are wanted: nats stream edit {name} --replicas {wanted} \
             makes the others"
        )
    })
}

/// What a crash of a server's machine can take, as far as it can be seen from this account; `None` if nothing.
pub(super) async fn sync_warning(client: &async_nats::Client, copies: usize) -> Option<String> {
    let mut seen = false;
    let inbox = client.new_inbox();
    let mut answers = client.subscribe(inbox.clone()).await.ok()?;
    client.publish_with_reply("$SYS.REQ.SERVER.PING.VARZ", inbox, "".into()).await.ok()?;
    while let Ok(Some(answer)) = tokio::time::timeout(SYNC_ANSWER_WAIT, answers.next()).await {
        if answer.status.is_some() {
            break;
        }
        let Ok(varz) = serde_json::from_slice::<Value>(&answer.payload) else { continue };
        let Some(config) = varz.pointer("/data/jetstream/config") else { continue };
        seen = true;
        if config.get("sync_always") != Some(&Value::Bool(true)) {
            let server = varz.pointer("/server/name").and_then(Value::as_str).unwrap_or("a server");
            return Some(format!("{server} writes to its disk only now and then: {}", loss(copies)));
        }
    }
    let unseen = "whether the NATS servers sync every write cannot be seen from this account: without `sync_interval: \
                  always` in their jetstream block";
    (!seen).then(|| format!("{unseen}, {}", loss(copies)))
}

fn loss(copies: usize) -> &'static str {
    match copies {
        0 | 1 => "a power cut can lose up to two minutes of what was acknowledged",
        _ => "a power cut that hits most copies at once can lose up to two minutes of what was acknowledged",
    }
}
