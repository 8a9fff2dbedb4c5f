//! The rules that decide the ledger, beside those that this program knows.

use journal::JournalRead;
use ledger_core::control::RULES_KNOWN;
use ledger_core::{Entry, Event};
use snapshots::Loaded;

use super::Finding;

/// Begins at the newest snapshot that can be used: what follows it is read for a change of rules.
pub(super) fn examine(journal: &dyn JournalRead, snapshot: Option<&Loaded>, findings: &mut Vec<Finding>) {
    let (sequence, rules) = snapshot.map_or((0, 1), |loaded| (loaded.head.sequence, loaded.ledger.rules()));
    // A journal that cannot be read has a finding of its own.
    if let Ok(rules) = rules_in_force(journal, sequence, rules) {
        findings.push(said(rules));
    }
}

fn rules_in_force(journal: &dyn JournalRead, behind: u64, mut rules: u32) -> Result<u32, journal::Fault> {
    let mut frames = journal.frames_from(behind + 1)?;
    while let Some(frame) = frames.next_frame()? {
        // An entry of a kind that only a newer program knows stops the service, which says so.
        let entries = frame.entries().filter_map(|(_, _, bytes)| Entry::decode(bytes).ok());
        for event in entries.flat_map(|entry| entry.commands).flat_map(|decided| decided.events) {
            if let Event::LedgerRulesActivated(activated) = event {
                rules = activated.rules;
            }
        }
    }
    Ok(rules)
}

fn said(rules: u32) -> Finding {
    let newest = *RULES_KNOWN.end();
    let found = format!("the ledger is decided by rules {rules}, this program knows those up to {newest}");
    match rules.cmp(&newest) {
        std::cmp::Ordering::Equal => Finding::good("rules", found),
        std::cmp::Ordering::Less => Finding::note(
            "rules",
            found,
            "bincard upgrade-rules makes the newer ones decide from then on; once every instance is upgraded",
        ),
        std::cmp::Ordering::Greater => {
            Finding::bad("rules", found, "upgrade the program: serve refuses to start")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;

    #[test]
    fn older_rules_are_worth_knowing_and_newer_ones_are_bad() {
        let newest = *RULES_KNOWN.end();
        let levels = [newest - 1, newest, newest + 1].map(|rules| said(rules).level);
        assert_eq!(levels, [Level::Note, Level::Good, Level::Bad]);
    }
}
