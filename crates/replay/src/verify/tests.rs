//! Verify by programs that know other rules.

use journal::{FrameBuilder, Journal, MemoryJournal, chain_start};
use ledger_core::control::{ActivateRules, Create};
use ledger_core::values::{ActorId, Name, Text};
use ledger_core::{Actor, ActorKind, Ledger, Settings, Submission, Submitted};

use super::*;

/// A journal of three entries: the ledger is created, newer rules are activated, an item is defined.
fn journal() -> MemoryJournal {
    let mut journal = MemoryJournal::new([1; 16]);
    let mut ledger = Ledger::new();
    let at = Timestamp::parse("2026-01-01T00:00:00Z").expect("a time");
    let settings = Settings::named(Name::try_new("main").expect("a name"));
    let item = serde_json::json!({"sku": "A", "name": "Tea"});
    let item = ledger_core::Command::deserialize("items.define", item).expect("a command").expect("an item");
    let previous = chain_start([1; 16]);
    let mut frame = FrameBuilder::open([1; 16], 1, 1, 1, at.micros(), previous);
    for (id, command) in
        [("c", Create { settings }.into()), ("r", ActivateRules { rules: 2 }.into()), ("i", item)]
    {
        let actor = Actor { id: ActorId::try_new("a").expect("an id"), kind: ActorKind::Person };
        let commands = vec![Submitted::new(CommandId::try_new(id).expect("an id"), None, None, command)];
        let submission = Submission { actor, roles: Vec::new(), correlation: None, commands };
        let (_, entry, bytes) = ledger.decide(submission, at).expect("a rule").accept();
        frame.push(&bytes, entry.event_count());
    }
    journal.submit(frame.seal());
    journal.poll().expect("memory is durable at once");
    journal
}

fn verified_by(known: RangeInclusive<u32>) -> Result<Verified, Fault> {
    Verify::default().run_knowing(known, &journal().reader(), &mut |_| {})
}

#[test]
fn what_older_rules_decided_is_folded_and_counted_by_a_program_that_forgot_them() {
    let verified = verified_by(1..=2).expect("a whole history");
    assert!(verified.is_green(), "{verified:?}");
    assert_eq!((verified.entries, verified.commands, verified.folded_only), (3, 3, 0));
    let verified = verified_by(2..=3).expect("a whole history");
    assert!(verified.is_green(), "{verified:?}");
    assert_eq!((verified.entries, verified.commands, verified.folded_only), (3, 1, 2));
}

#[test]
fn what_newer_rules_decided_is_for_a_newer_program() {
    let fault = verified_by(1..=1).unwrap_err().to_string();
    assert_eq!(
        fault,
        "entry 3 was decided by rules 2, this program knows those up to 1: upgrade the program"
    );
}
