//! What is wrong with a set-up, in words: every check says what it found and, where that is not well, what to do.

mod folder;
mod journal;
mod machine;
mod nats;
mod rules;
mod service;
mod snapshots;
mod stream;

use serde::Serialize;

use crate::cli::{JournalKind, ServeArgs};

/// How well something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// As it should be.
    Good,
    /// Worth knowing; the ledger works.
    Note,
    /// To be mended before anybody relies on it.
    Bad,
}

/// What one check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How well it is.
    pub level: Level,
    /// What was looked at.
    pub check: &'static str,
    /// What was found.
    pub found: String,
    /// What to do; empty if nothing.
    pub advice: String,
}

impl Finding {
    pub(crate) fn good(check: &'static str, found: impl Into<String>) -> Self {
        Finding { level: Level::Good, check, found: found.into(), advice: String::new() }
    }

    pub(crate) fn note(check: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Finding { level: Level::Note, check, found: found.into(), advice: advice.into() }
    }

    pub(crate) fn bad(check: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Finding { level: Level::Bad, check, found: found.into(), advice: advice.into() }
    }
}

/// Looks at all that `bincard serve` with these arguments would rely on. Changes nothing but for a file that it writes
/// into the folder of ledgers to time the disk, and removes.
pub async fn examine(ledger: &str, args: &ServeArgs) -> Vec<Finding> {
    let mut findings = Vec::new();
    machine::examine(&mut findings);
    folder::examine(&args.data, &mut findings);
    let dir = args.data.join(ledger);
    let served_at = match args.journal {
        JournalKind::File => journal::examine(&dir, &mut findings),
        JournalKind::Jetstream => {
            stream::examine(ledger, args, &mut findings).await;
            stream::served_at(&dir)
        }
    };
    service::examine(args, served_at.as_deref(), &mut findings);
    match &args.nats {
        Some(url) => nats::examine(ledger, url, args, served_at.is_some(), &mut findings).await,
        None => findings.push(Finding::note(
            "nats",
            "no NATS server is named",
            "clients over HTTP alone can do without; name one with --nats URL otherwise",
        )),
    }
    findings
}
