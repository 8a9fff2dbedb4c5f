//! Limits of the process.

use rustix::process::{Resource, getrlimit};

use super::Finding;

/// Fewer open files than this are used up by a few hundred connections.
const FILES_WANTED: u64 = 4096;

pub(super) fn examine(findings: &mut Vec<Finding>) {
    let limit = getrlimit(Resource::Nofile).current;
    findings.push(match limit {
        Some(files) if files < FILES_WANTED => Finding::note(
            "open files",
            format!("this process may open {files} files"),
            format!(
                "raise the limit to {FILES_WANTED} or more (ulimit -n, or LimitNOFILE= of the systemd unit)"
            ),
        ),
        Some(files) => Finding::good("open files", format!("up to {files}")),
        None => Finding::good("open files", "without limit"),
    });
}
