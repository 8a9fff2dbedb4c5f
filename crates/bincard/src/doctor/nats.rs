//! The NATS server: reachable, able to hold what the contract needs, and nobody else there under the ledger's name.

use std::time::Duration;

use async_nats::jetstream::{self, stream};
use async_nats::{Client, ConnectOptions, ServerInfo};
use command_api::nats::{MAX_PAYLOAD_WANTED, service_name, without_secrets};
use futures::StreamExt;
use journal::jetstream::{SERVER_MIN, check_stream, stream_name};

use super::Finding;
use crate::cli::{JournalKind, ServeArgs};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

pub(super) async fn examine(
    ledger: &str,
    url: &str,
    args: &ServeArgs,
    is_served_here: bool,
    findings: &mut Vec<Finding>,
) {
    let shown = without_secrets(url);
    let client = match connect(url, args).await {
        Ok(client) => client,
        Err(why) => {
            let advice = "start the server, or check --nats, the credentials and the certificates";
            findings.push(Finding::bad("nats", format!("{shown}: {why}"), advice));
            return;
        }
    };
    let info = client.server_info();
    findings.push(version(&shown, &info));
    findings.push(max_payload(info.max_payload));
    let is_shared = args.journal == JournalKind::Jetstream;
    findings.push(rivals(&client, ledger, is_served_here || is_shared).await);
    jetstream(&client, ledger, is_shared, findings).await;
}

async fn connect(url: &str, args: &ServeArgs) -> Result<Client, String> {
    let settings =
        |options: ConnectOptions| options.name("bincard doctor").connection_timeout(CONNECT_TIMEOUT);
    args.nats_access.access().connect(url, settings).await.map_err(|fault| fault.to_string())
}

fn version(url: &str, info: &ServerInfo) -> Finding {
    let mut parts = info.version.split('.').map_while(|part| part.parse::<i64>().ok());
    let found = parts.next().zip(parts.next());
    let said = format!("{url} answers, version {}", info.version);
    let (major, minor, _) = SERVER_MIN;
    match found {
        Some(found) if found < (major, minor) => {
            Finding::bad("nats", said, format!("update the server to {major}.{minor} or later"))
        }
        Some(_) | None => Finding::good("nats", said),
    }
}

fn max_payload(found: usize) -> Finding {
    let said = format!("messages of up to {found} bytes");
    if found < MAX_PAYLOAD_WANTED {
        let advice = format!("set max_payload to {MAX_PAYLOAD_WANTED} or more in the server's configuration");
        return Finding::bad("nats max_payload", said, advice);
    }
    Finding::good("nats max_payload", said)
}

/// Who answers for the ledger's name, if it is not the service of this folder or another instance of the same ledger.
async fn rivals(client: &Client, ledger: &str, is_known: bool) -> Finding {
    let subject = format!("$SRV.INFO.{}", service_name(ledger));
    let asked = tokio::time::timeout(ANSWER_TIMEOUT, client.request(subject, "".into())).await;
    match asked {
        Ok(Ok(_)) if is_known => Finding::good("nats name", format!("ledger {ledger} is served there")),
        Ok(Ok(_)) => Finding::note(
            "nats name",
            format!("a service answers for ledger {ledger} there, and this folder is not served"),
            "a second ledger of that name is refused: use another name, or stop that service",
        ),
        Ok(Err(_)) | Err(_) => Finding::good("nats name", format!("nobody else serves ledger {ledger}")),
    }
}

/// A journal that is a stream has findings of its own.
async fn jetstream(client: &Client, ledger: &str, is_shared: bool, findings: &mut Vec<Finding>) {
    let mut context = jetstream::new(client.clone());
    context.set_timeout(ANSWER_TIMEOUT);
    if let Err(error) = context.query_account().await {
        findings.push(Finding::note(
            "jetstream",
            format!("off for this account: {error}"),
            "commands and queries work; the inbox, the feed and a replicated journal need it (jetstream {} in the \
             server's configuration, and sync_interval: always)",
        ));
        return;
    }
    let advice = "check that its configuration says sync_interval: always; a client cannot see it";
    findings.push(match is_shared {
        true => Finding::good("jetstream", "on"),
        false => Finding::note("jetstream", "on", advice),
    });
    let mut streams = context.streams();
    let of_ledger = format!("BINCARD_{ledger}_");
    while let Some(Ok(info)) = streams.next().await {
        let name = &info.config.name;
        if name.starts_with(&of_ledger) && !(is_shared && *name == stream_name(ledger)) {
            findings.push(stream_finding(ledger, &info.config, info.cluster.is_some()));
        }
    }
}

/// Whether a stream keeps what the ledger relies on.
fn stream_finding(ledger: &str, config: &stream::Config, is_clustered: bool) -> Finding {
    let name = &config.name;
    if *name != stream_name(ledger) {
        return Finding::good("stream", format!("{name}: {} replicas", config.num_replicas));
    }
    if let Err(fault) = check_stream(config, ledger) {
        let advice = "set it right before the ledger is used: nats stream edit, or make it anew from a copy";
        return Finding::bad("stream", fault.to_string(), advice);
    }
    if is_clustered && config.num_replicas < 3 {
        let found = format!("{name}: {} replicas in a cluster", config.num_replicas);
        return Finding::note(
            "stream",
            found,
            "three survive the loss of a server: nats stream edit --replicas 3",
        );
    }
    Finding::good("stream", format!("{name}: {} replicas, keeps everything", config.num_replicas))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;

    #[test]
    fn a_journal_stream_that_forgets_is_bad() {
        let good = stream::Config {
            name: "BINCARD_main_JOURNAL".into(),
            subjects: vec!["bincard.main.journal".into()],
            allow_direct: true,
            deny_delete: true,
            deny_purge: true,
            num_replicas: 3,
            storage: stream::StorageType::File,
            ..stream::Config::default()
        };
        let level = |config: &stream::Config| stream_finding("main", config, true).level;
        assert_eq!(level(&good), Level::Good);
        assert_eq!(level(&stream::Config { num_replicas: 1, ..good.clone() }), Level::Note);
        for bad in [
            stream::Config { max_age: Duration::from_secs(60), ..good.clone() },
            stream::Config { max_messages: 7, ..good.clone() },
            stream::Config { deny_purge: false, ..good.clone() },
            stream::Config { storage: stream::StorageType::Memory, ..good.clone() },
        ] {
            assert_eq!(level(&bad), Level::Bad, "{bad:?}");
        }
    }

    #[test]
    fn an_old_server_or_short_messages_are_bad() {
        let of =
            |version: &str| version_level(&ServerInfo { version: version.into(), ..ServerInfo::default() });
        assert_eq!(
            [of("2.9.25"), of("2.10.29"), of("2.11.0"), of("2.15.1"), of("odd")],
            [Level::Bad, Level::Bad, Level::Good, Level::Good, Level::Good]
        );
        assert_eq!(max_payload(64 * 1024).level, Level::Bad);
        assert_eq!(max_payload(1024 * 1024).level, Level::Good);
    }

    fn version_level(info: &ServerInfo) -> Level {
        version("nats://a", info).level
    }
}
