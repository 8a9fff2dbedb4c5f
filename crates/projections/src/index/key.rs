//! Under which keys an entry is found: a stable 64-bit hash of what it is about. Readers check the full key.

use ledger_core::books::Account;
use ledger_core::values::Text;
use ledger_core::{Entry, Fact, Subject, SubjectKind};
use smallvec::SmallVec;

/// The hash of a key. Part of the stored runs: a change needs a new format number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key(pub(crate) u64);

/// Behind every subject kind that there will ever be.
const ACTOR: u8 = 0xF0;
const ACCOUNT: u8 = 0xF1;

impl Key {
    /// Entries about a thing.
    pub(crate) fn subject(kind: SubjectKind, id: &str) -> Key {
        Key::of(kind as u8, id)
    }

    /// Entries of an actor.
    pub(crate) fn actor(id: &str) -> Key {
        Key::of(ACTOR, id)
    }

    /// Entries that post to an account.
    pub(crate) fn account(account: Account) -> Key {
        Key::of(ACCOUNT, account.as_str())
    }

    /// FNV-1a over the tag and the id, then the finaliser of MurmurHash3 so that every bit depends on every byte.
    fn of(tag: u8, id: &str) -> Key {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for byte in std::iter::once(tag).chain(id.bytes()) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        Key(hash ^ (hash >> 33))
    }
}

/// Every key of an entry, each once: the subjects of its events, the items that moved, the accounts and dimensions
/// posted to, and the actor.
pub(crate) fn keys_of(entry: &Entry) -> SmallVec<[Key; 16]> {
    let mut keys = SmallVec::<[Key; 16]>::new();
    let mut accounts = [false; Account::COUNT];
    keys.push(Key::actor(entry.actor.id.as_str()));
    for event in entry.events() {
        event.subjects(&mut |subject: Subject<'_>| keys.push(Key::subject(subject.kind, subject.id)));
        event.movements(&mut |movement| {
            keys.push(Key::subject(SubjectKind::Item, movement.sku.as_str()));
        });
        event.postings(&mut |posting| {
            accounts[posting.account.index()] = true;
            let mut add = |kind, id: Option<&str>| keys.extend(id.map(|id| Key::subject(kind, id)));
            add(SubjectKind::Order, posting.order.map(Text::as_str));
            add(SubjectKind::Item, posting.item.map(Text::as_str));
            add(SubjectKind::Channel, posting.channel.map(Text::as_str));
            add(SubjectKind::Location, posting.location.map(Text::as_str));
        });
    }
    for account in Account::ALL {
        if accounts[account.index()] {
            keys.push(Key::account(*account));
        }
    }
    keys.sort_unstable();
    keys.dedup();
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_hash_never_changes() {
        assert_eq!(Key::subject(SubjectKind::Item, "TEA-01").0, KEY_OF_TEA);
        assert_ne!(Key::subject(SubjectKind::Item, "A"), Key::subject(SubjectKind::Location, "A"));
        assert_ne!(Key::actor("A"), Key::subject(SubjectKind::Item, "A"));
    }

    const KEY_OF_TEA: u64 = 6_670_253_513_232_424_043;
}
