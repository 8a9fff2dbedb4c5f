//! The snapshots beside a stopped ledger's journal: how many there are, and whether a start could begin with the newest.

use std::path::Path;

use journal::JournalRead;
use snapshots::{Loaded, SnapshotSource, Snapshots};

use super::Finding;

/// A tail that is folded in some seconds.
const TAIL_WANTED: u64 = 2_000_000;

/// Gives the newest that can be used.
pub(super) fn examine(dir: &Path, journal: &dyn JournalRead, findings: &mut Vec<Finding>) -> Option<Loaded> {
    let head = journal.head().sequence;
    let snapshots = Snapshots::of_ledger(dir);
    let found = match snapshots.sequences() {
        Ok(found) => found,
        Err(fault) => {
            findings.push(Finding::note(
                "snapshots",
                fault.to_string(),
                "a start folds the whole journal instead",
            ));
            return None;
        }
    };
    let Some(newest) = found.first() else {
        let found = "there are none: a start folds the whole journal";
        findings.push(match head > TAIL_WANTED {
            true => Finding::note("snapshots", found, "serve takes them unless --snapshot-every is 0"),
            false => Finding::good("snapshots", found),
        });
        return None;
    };
    let loaded = snapshots.nearest(journal, u64::MAX);
    let usable = loaded.as_ref().map(|loaded| loaded.head.sequence);
    let tail = head.saturating_sub(usable.unwrap_or_default());
    let said = |usable: u64| {
        format!(
            "{} are there; a start begins with that of sequence {usable} and folds {tail} entries",
            found.len()
        )
    };
    findings.push(match usable {
        Some(usable) if usable == *newest => Finding::good("snapshots", said(usable)),
        Some(usable) => Finding::note(
            "snapshots",
            format!("that of sequence {newest} cannot be used; {}", said(usable)),
            "nothing: the next one takes its place; if the disk is old, look at it (smartctl)",
        ),
        None => Finding::note(
            "snapshots",
            format!("none of {} can be used: a start folds the whole journal", found.len()),
            "nothing, if another version of bincard or another history was here before; the service takes new ones",
        ),
    });
    loaded
}
