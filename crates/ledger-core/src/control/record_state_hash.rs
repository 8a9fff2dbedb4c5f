//! The hash of a state that was reached, kept in the log: whoever replays to there can check itself.

use bincode::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Refusal;
use crate::books::{Fact, Subject, SubjectKind};
use crate::draft::Draft;
use crate::kinds::Action;
use crate::ledger::{Ledger, Moment};
use crate::rejection::Rejection;
use crate::values::{Digest, Name};

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
    /// The ledger's label.
    pub ledger: Name,
}

/// The hash of a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct StateHash {
    /// Of the state after this entry.
    pub at_sequence: u64,
    /// The format of the encoded state that was hashed.
    pub format: u16,
    /// The hash.
    pub root: Digest,
}

impl Action for RecordStateHash {
    const TAKES_EFFECTIVE_AT: bool = false;

    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Rejection> {
        let RecordStateHash { at_sequence, format, root } = *self;
        let (head, last) = (draft.ledger().head().sequence, draft.ledger().state_hash());
        let settings = draft.ledger().settings().ok_or(Refusal::LedgerNotCreated {})?;
        if at_sequence > head {
            return Err(Refusal::StateHashBeyondHead { at_sequence, head }.into());
        }
        let last = last.map_or(0, |last| last.at_sequence);
        if at_sequence <= last {
            return Err(Refusal::StateHashNotAfterLast { at_sequence, last }.into());
        }
        let ledger = settings.name.clone();
        draft.record(StateHashRecorded { at_sequence, format, root, ledger });
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
