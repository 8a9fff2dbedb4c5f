//! The hash of a state that was reached, kept in the log: whoever replays to there can check itself.

use bincode::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Refusal;
use crate::books::{Fact, Subject, SubjectKind};
use crate::draft::Draft;
use crate::kinds::Action;
use crate::ledger::{Ledger, Moment, SECTIONS, STATE_FORMAT, state_root};
use crate::rejection::Rejection;
use crate::values::{Digest, Name, Text};

/// Records the hash of the state after an entry, in which a reader found it.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordStateHash {
    /// Of the state after this entry.
    pub at_sequence: u64,
    /// The format of the encoded state that was hashed: a hash of another one says nothing to a reader.
    pub format: u16,
    /// The hash.
    pub root: Digest,
    /// The hashes that it is made of: a reader that comes to another one finds where.
    #[serde(default)]
    pub sections: Vec<SectionHash>,
}

/// The hash of one section of a state.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SectionHash {
    /// Its name.
    pub section: Name,
    /// The hash of its bytes.
    pub hash: Digest,
}

/// The hash of a state is known.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct StateHashRecorded {
    /// Of the state after this entry.
    pub at_sequence: u64,
    /// The format of the encoded state that was hashed.
    pub format: u16,
    /// The hash.
    pub root: Digest,
    /// The hashes that it is made of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sections: Vec<SectionHash>,
    /// The ledger's label.
    pub ledger: Name,
}

/// The last hash of a state that was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct StateHash {
    /// Of the state after this entry.
    pub at_sequence: u64,
    /// The format of the encoded state that was hashed.
    pub format: u16,
    /// The hash.
    pub root: Digest,
}

impl RecordStateHash {
    /// Of the state after an entry, from the hashes of its [`SECTIONS`] in their order.
    pub fn of(at_sequence: u64, section_hashes: &[[u8; 32]]) -> Self {
        assert_eq!(section_hashes.len(), SECTIONS.len(), "a state has a hash for each of its sections");
        let section = |name: &str| Name::try_new(name).expect("a section has a short plain name");
        let named = SECTIONS.iter().zip(section_hashes);
        let sections = named.map(|(name, hash)| SectionHash { section: section(name), hash: Digest(*hash) });
        let (format, root) = (STATE_FORMAT, Digest(state_root(section_hashes)));
        RecordStateHash { at_sequence, format, root, sections: sections.collect() }
    }
}

impl StateHashRecorded {
    /// The number under which it is stored.
    pub const KIND: u16 = 4;

    /// How the state that a reader found after the same entry differs from the one that was recorded. `None` if it is the
    /// same, or was hashed in another format, which says nothing.
    pub fn difference(&self, found: &RecordStateHash) -> Option<String> {
        if self.format != found.format || self.root == found.root {
            return None;
        }
        let sections = self.sections.iter().zip(&found.sections);
        let Some((recorded, found)) = sections.into_iter().find(|(recorded, found)| recorded != found) else {
            return Some(format!("the state hash {} is recorded, found {}", self.root, found.root));
        };
        let (section, hash) = (&recorded.section, found.hash);
        Some(format!("section {section} is recorded with the hash {}, found {hash}", recorded.hash))
    }
}

impl Action for RecordStateHash {
    const TAKES_EFFECTIVE_AT: bool = false;

    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Rejection> {
        let RecordStateHash { at_sequence, format, root, ref sections } = *self;
        let (head, last) = (draft.ledger().head().sequence, draft.ledger().state_hash());
        let settings = draft.ledger().settings().ok_or(Refusal::LedgerNotCreated {})?;
        if at_sequence > head {
            return Err(Refusal::StateHashBeyondHead { at_sequence, head }.into());
        }
        let last = last.map_or(0, |last| last.at_sequence);
        if at_sequence <= last {
            return Err(Refusal::StateHashNotAfterLast { at_sequence, last }.into());
        }
        let (ledger, sections) = (settings.name.clone(), sections.clone());
        draft.record(StateHashRecorded { at_sequence, format, root, sections, ledger });
        Ok(())
    }
}

impl Fact for StateHashRecorded {
    fn subjects(&self, each: &mut dyn FnMut(Subject<'_>)) {
        each(Subject::new(SubjectKind::Ledger, &self.ledger));
    }

    fn apply(&self, ledger: &mut Ledger, _at: &Moment) {
        let StateHashRecorded { at_sequence, format, root, .. } = *self;
        *ledger.control.state_hash = Some(StateHash { at_sequence, format, root });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::Entry;
    use crate::kinds::Event;
    use crate::scenario::given_a_shop;
    use serde_json::{Value, json};

    fn hash_at(at_sequence: u64) -> Value {
        json!({"at_sequence": at_sequence, "format": 1, "root": "ab".repeat(32)})
    }

    #[test]
    fn the_last_state_hash_is_kept() {
        let shop = given_a_shop()
            .and("ledger.record_state_hash", hash_at(3))
            .when("ledger.record_state_hash", hash_at(5))
            .then(json!([{"type": "ledger.state_hash_recorded", "at_sequence": 5, "format": 1,
                "root": "ab".repeat(32), "ledger": "main"}]));
        assert_eq!(shop.ledger.state_hash().map(|hash| hash.at_sequence), Some(5));
    }

    #[test]
    fn whoever_finds_another_state_is_told_the_section() {
        let (shop, one) =
            (given_a_shop(), json!({"sku": "TEA-01", "location": "AMS1", "quantity": 1, "unit_cost": "2"}));
        let two = json!({"sku": "TEA-01", "location": "AMS1", "quantity": 2, "unit_cost": "2"});
        let ours = shop.clone().and("stock.receive", one);
        let theirs = shop.and("stock.receive", two).ledger;
        let at_sequence = theirs.head().sequence;
        let record = RecordStateHash::of(at_sequence, &ours.ledger.section_hashes());
        assert_eq!((record.root.0, record.sections.len()), (ours.ledger.hash(), SECTIONS.len()));
        let shop = ours.and("ledger.record_state_hash", serde_json::to_value(&record).unwrap());
        let recorded = shop.log.last().and_then(|(_, entry)| entry.events().next());
        let Some(Event::LedgerStateHashRecorded(recorded)) = recorded else { panic!("{recorded:?}") };
        let stored = |place: usize| {
            let mut bytes = Vec::new();
            shop.log[place].1.encode(&mut bytes);
            bytes
        };
        let last = shop.log.len() - 1;
        assert!(Entry::holds(&stored(last), StateHashRecorded::KIND).unwrap());
        assert!(!Entry::holds(&stored(last - 1), StateHashRecorded::KIND).unwrap());
        assert_eq!(recorded.difference(&record), None);
        let found = RecordStateHash::of(at_sequence, &theirs.section_hashes());
        let other = recorded.difference(&found).unwrap();
        assert!(other.starts_with("section stock is recorded with the hash "), "{other}");
        let mut wrong = record.clone();
        wrong.root = Digest([7; 32]);
        assert!(recorded.difference(&wrong).unwrap().starts_with("the state hash "));
        wrong.format += 1;
        assert_eq!(recorded.difference(&wrong), None, "another format says nothing");
    }

    #[test]
    fn a_hash_is_of_a_state_that_there_was_and_after_the_last_one() {
        let shop = given_a_shop().and("ledger.record_state_hash", hash_at(3));
        let head = shop.ledger.head().sequence;
        shop.when("ledger.record_state_hash", hash_at(head + 1))
            .refused_with(json!({"code": "state_hash_beyond_head", "at_sequence": head + 1, "head": head}))
            .when("ledger.record_state_hash", hash_at(3))
            .refused_with(json!({"code": "state_hash_not_after_last", "at_sequence": 3, "last": 3}))
            .and("ledger.record_state_hash", hash_at(head));
    }
}
