//! A journal that is a stream: whether it opens as the service would open it, how far it goes, which rules decide it, and
//! what a crash of its servers can take. It is read, and never made.

use std::path::{Path, PathBuf};

use command_api::nats::without_secrets;
use journal::jetstream::{Server, StreamJournal, StreamOptions, stream_name};
use journal::{Fault, JournalRead, Lock};

use super::journal::clock;
use super::{Finding, rules, snapshots};
use crate::cli::ServeArgs;

pub(super) async fn examine(ledger: &str, args: &ServeArgs, findings: &mut Vec<Finding>) {
    let server = match server(args) {
        Ok(server) => server,
        Err(why) => {
            let advice = "say which servers keep the stream: --nats URL, and how they are reached";
            findings.push(Finding::bad("journal", why, advice));
            return;
        }
    };
    let looking = Looking {
        server,
        ledger: ledger.to_owned(),
        dir: args.data.join(ledger),
        copies_wanted: args.replicas.into(),
    };
    let found = tokio::task::spawn_blocking(move || looking.look()).await;
    findings.extend(found.expect("looking at a stream does not panic"));
}

fn server(args: &ServeArgs) -> Result<Server, String> {
    let url = args.nats.as_deref().filter(|url| !url.is_empty());
    let url = url.ok_or("--journal jetstream without a NATS server that keeps the stream")?;
    let options = args.nats_access.access().options(url);
    let options = options.map_err(|fault| format!("{}: {fault}", without_secrets(url)))?;
    Ok(Server { options: options.name("bincard doctor"), url: without_secrets(url) })
}

/// Where the instance of this folder is served, if it runs.
pub(super) fn served_at(dir: &Path) -> Option<String> {
    match Lock::shared(dir) {
        Err(Fault::InUse { address }) => Some(address),
        Ok(_) | Err(_) => None,
    }
}

struct Looking {
    server: Server,
    ledger: String,
    dir: PathBuf,
    copies_wanted: usize,
}

impl Looking {
    /// Blocks as long as it takes to read the whole stream.
    fn look(self) -> Vec<Finding> {
        let options = StreamOptions { server: self.server, ledger: self.ledger.clone(), create: None };
        let stream = match StreamJournal::open(&options) {
            Ok(stream) => stream,
            Err(fault) => return vec![not_opened(&self.ledger, &fault)],
        };
        let (reader, name) = (stream.reader(), stream_name(&self.ledger));
        let head = reader.head();
        let mut findings = Vec::new();
        let found = format!("stream {name}, whole up to {}.{}", head.epoch, head.sequence);
        findings.push(Finding::good("journal", found));
        findings.push(copies(&stream, &name, self.copies_wanted));
        findings.push(match stream.sync_warning() {
            Some(warning) => Finding::note("sync", warning, "set sync_interval: always on every server"),
            None => Finding::good("sync", "the servers sync every write before they acknowledge it"),
        });
        findings.push(clock(&head));
        let snapshot = snapshots::examine(&self.dir, &reader, &mut findings);
        rules::examine(&reader, snapshot.as_ref(), &mut findings);
        findings
    }
}

fn copies(stream: &StreamJournal, name: &str, wanted: usize) -> Finding {
    let found = format!("stream {name}: {} of {wanted} copies", stream.copies());
    match stream.copies_warning(wanted) {
        Some(warning) => Finding::note("replicas", found, warning),
        None => Finding::good("replicas", found),
    }
}

fn not_opened(ledger: &str, fault: &Fault) -> Finding {
    match fault {
        Fault::Missing { .. } => {
            let name = stream_name(ledger);
            Finding::good("journal", format!("there is no stream {name} yet; the first start makes it"))
        }
        fault if fault.is_damage() => {
            let advice = "restore the stream from a backup or a copy of the journal (bincard journal copy)";
            Finding::bad("journal", fault.to_string(), advice)
        }
        fault => Finding::bad("journal", fault.to_string(), "see there; serve refuses to start"),
    }
}
