//! The ledger's own files: who holds them, whether the journal opens, and whether the clock fits its last entry.

use std::path::Path;
use std::time::SystemTime;

use journal::{Fault, Head, JournalRead, OfflineJournal};

use super::{Finding, rules, snapshots};
use crate::backup::{BackupFault, Manifest};

/// A clock that is further behind the last entry makes the writer refuse commands.
const BEHIND_MICROS_MAX: i64 = 5_000_000;

/// Gives where the ledger is served, if it is held.
pub(super) fn examine(dir: &Path, findings: &mut Vec<Finding>) -> Option<String> {
    match OfflineJournal::open(dir) {
        Ok(journal) => {
            let head = journal.head();
            findings.push(Finding::good(
                "journal",
                format!(
                    "the open segment and every footer are whole, up to {}.{}",
                    head.epoch, head.sequence
                ),
            ));
            if let Some(torn) = journal.torn_tail() {
                let advice = "nothing: the next start cuts it off and keeps its bytes in quarantine/";
                findings.push(Finding::note("journal", torn, advice));
            }
            findings
                .extend(journal.notes().iter().map(|note| Finding::note("journal", note.clone(), "nothing")));
            findings.push(clock(&head));
            let snapshot = snapshots::examine(dir, &journal, findings);
            rules::examine(&journal, snapshot.as_ref(), findings);
        }
        Err(Fault::InUse { address }) => {
            findings.push(Finding::good("journal", address.clone()));
            return Some(address);
        }
        Err(Fault::Missing { .. }) => {
            findings.push(Finding::good("journal", "there is none yet; the first start makes it"));
        }
        Err(fault @ (Fault::Corrupt { .. } | Fault::WrongLedger { .. })) => {
            let advice =
                "restore the ledger from a backup (bincard restore), and keep this folder to look into it";
            findings.push(Finding::bad("journal", fault.to_string(), advice));
        }
        Err(fault) => findings.push(Finding::bad("journal", fault.to_string(), "see there")),
    }
    if let Ok(Some(manifest)) = Manifest::read(dir).map_err(|_: BackupFault| ()) {
        let found = format!("the folder is a backup (up to {})", manifest.position);
        let advice = "bincard restore makes a ledger of it; a service in it would end it as a backup";
        findings.push(Finding::bad("folder", found, advice));
    }
    None
}

pub(super) fn clock(head: &Head) -> Finding {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let now = i64::try_from(now.as_micros()).unwrap_or(i64::MAX);
    let ahead = head.log_time_us.saturating_sub(now);
    if ahead > BEHIND_MICROS_MAX {
        let found = format!("this machine's clock is {} s behind the last entry", ahead / 1_000_000);
        let advice =
            "set the clock (chrony, systemd-timesyncd); if it is right, confirm it: POST /v1/clock/confirm";
        return Finding::bad("clock", found, advice);
    }
    Finding::good("clock", "not behind the last entry")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;

    #[test]
    fn a_clock_behind_the_log_is_bad() {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_micros() as i64;
        let at = |log_time_us| clock(&Head { log_time_us, ..Head::empty([1; 16]) }).level;
        assert_eq!([at(now), at(now + 60_000_000), at(i64::MIN)], [Level::Good, Level::Bad, Level::Good]);
    }
}
