//! Rules change by an entry, never by a deploy: what was decided before it is decided again in the same way for ever.

use bincode::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{RULES_KNOWN, Refusal};
use crate::books::{Fact, Subject, SubjectKind};
use crate::draft::Draft;
use crate::kinds::Action;
use crate::ledger::{Ledger, Moment};
use crate::rejection::Rejection;
use crate::values::Name;

/// Decides by newer rules from the next entry on.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ActivateRules {
    /// Their version.
    pub rules: u32,
}

/// Newer rules are in force.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct RulesActivated {
    /// Their version.
    pub rules: u32,
    /// The version that was in force until now.
    pub before: u32,
    /// The ledger's label.
    pub ledger: Name,
}

impl Action for ActivateRules {
    const TAKES_EFFECTIVE_AT: bool = false;

    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Rejection> {
        let (rules, before) = (self.rules, draft.ledger().rules());
        let settings = draft.ledger().settings().ok_or(Refusal::LedgerNotCreated {})?;
        let newest = *RULES_KNOWN.end();
        if rules > newest {
            return Err(Refusal::RulesNotKnown { rules, newest }.into());
        }
        if rules <= before {
            return Err(Refusal::RulesNotNewer { rules, active: before }.into());
        }
        let ledger = settings.name.clone();
        draft.record(RulesActivated { rules, before, ledger });
        Ok(())
    }
}

impl Fact for RulesActivated {
    fn subjects(&self, each: &mut dyn FnMut(Subject<'_>)) {
        each(Subject::new(SubjectKind::Ledger, &self.ledger));
    }

    fn apply(&self, ledger: &mut Ledger, _at: &Moment) {
        *ledger.control.rules = Some(self.rules);
    }
}

#[cfg(test)]
mod tests {
    use crate::control::RULES_KNOWN;
    use crate::scenario::{given_nothing, given_the_rules};
    use serde_json::json;

    #[test]
    fn newer_rules_are_activated_in_one_step_and_never_left() {
        let newest = *RULES_KNOWN.end();
        let ledger = given_the_rules(1).when("ledger.activate_rules", json!({"rules": newest})).then(
            json!([{"type": "ledger.rules_activated", "rules": newest, "before": 1, "ledger": "main"}]),
        );
        assert_eq!(ledger.ledger.rules(), newest);
        ledger
            .when("ledger.activate_rules", json!({"rules": 1}))
            .refused_with(json!({"code": "rules_not_newer", "rules": 1, "active": newest}));
    }

    #[test]
    fn rules_that_are_not_known_are_not_activated() {
        let newest = *RULES_KNOWN.end();
        given_nothing()
            .when("ledger.activate_rules", json!({"rules": newest + 1}))
            .refused_with(json!({"code": "rules_not_known", "rules": newest + 1, "newest": newest}));
    }
}
