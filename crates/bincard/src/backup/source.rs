//! Where frames come from: the files of a stopped ledger, or the service of a running one.

use std::path::Path;
use std::time::Duration;

use journal::{FrameSource, FrameStream, JournalRead, OfflineJournal};
use ureq::Agent;

use super::BackupFault;

/// A history to be copied.
pub enum Source {
    /// Files that nobody writes to.
    Files {
        /// The journal in them.
        journal: OfflineJournal,
        /// What to call it.
        name: String,
    },
    /// A service.
    Service {
        /// Asks it.
        agent: Agent,
        /// Its address.
        url: String,
        /// The ledger's name.
        ledger: String,
        /// What is shown to it.
        token: Option<String>,
    },
}

impl Source {
    /// The files of a stopped ledger.
    pub fn files(dir: &Path) -> Result<Self, BackupFault> {
        let journal = OfflineJournal::open(dir)?;
        Ok(Source::Files { journal, name: dir.display().to_string() })
    }

    /// What to call it in messages.
    pub fn name(&self) -> String {
        match self {
            Source::Files { name, .. } => name.clone(),
            Source::Service { url, ledger, .. } => format!("ledger {ledger} at {url}"),
        }
    }

    /// Durable frames from the one that holds `sequence` to the head of now.
    pub fn frames_from(&self, sequence: u64) -> Result<Box<dyn FrameSource>, BackupFault> {
        let (agent, url, ledger, token) = match self {
            Source::Files { journal, .. } => return Ok(journal.frames_from(sequence)?),
            Source::Service { agent, url, ledger, token } => (agent, url, ledger, token),
        };
        let asked = format!("{url}/v1/ledgers/{ledger}/journal?from={sequence}");
        let fault = |why: String| BackupFault::Service { url: asked.clone(), why };
        // A long history takes as long as it takes.
        let mut request =
            agent.get(&asked).config().timeout_global(None).timeout_recv_response(Some(ANSWER)).build();
        if let Some(token) = token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        let mut response = request.call().map_err(|error| fault(error.to_string()))?;
        if !response.status().is_success() {
            let status = response.status();
            let detail = response.body_mut().read_to_string().unwrap_or_default();
            let detail = serde_json::from_str::<serde_json::Value>(&detail).ok();
            let detail = detail.as_ref().and_then(|problem| problem["detail"].as_str()).unwrap_or_default();
            return Err(fault(format!("{status} {detail}")));
        }
        let body = response.into_body().into_with_config().limit(u64::MAX).reader();
        Ok(Box::new(FrameStream::new(body, asked)))
    }
}

/// How long the service may take to begin.
const ANSWER: Duration = Duration::from_secs(60);
