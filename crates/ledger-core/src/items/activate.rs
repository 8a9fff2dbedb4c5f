//! A draft goes into trade.

use bincode::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ItemState, Refusal};
use crate::books::{Fact, Subject, SubjectKind};
use crate::draft::Draft;
use crate::kinds::Action;
use crate::ledger::{Ledger, Moment};
use crate::rejection::Rejection;
use crate::values::Sku;

/// Puts a draft into trade: from here on it can be received, reserved and sold.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Activate {
    /// The item.
    pub sku: Sku,
}

/// An item is in trade.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct Activated {
    /// The item.
    pub sku: Sku,
}

impl Action for Activate {
    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Rejection> {
        let (_, item) = super::known(draft.ledger(), &self.sku)?;
        if item.state != ItemState::Draft {
            let (state, wanted) = (item.state, ItemState::Draft);
            return Err(Refusal::ItemStateNotFit { sku: self.sku.clone(), state, wanted }.into());
        }
        draft.record(Activated { sku: self.sku.clone() });
        Ok(())
    }
}

impl Fact for Activated {
    fn subjects(&self, each: &mut dyn FnMut(Subject<'_>)) {
        each(Subject::new(SubjectKind::Item, &self.sku));
    }

    fn apply(&self, ledger: &mut Ledger, _at: &Moment) {
        if let Some(row) = ledger.items.row(&self.sku) {
            ledger.items.table.edit(row).state = ItemState::Active;
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::scenario::given_nothing;
    use serde_json::json;

    #[test]
    fn a_draft_goes_into_trade_once() {
        given_nothing()
            .and("items.define", json!({"sku": "TEA-01", "name": "Earl Grey"}))
            .when("items.activate", json!({"sku": "TEA-01"}))
            .then(json!([{"type": "items.activated", "sku": "TEA-01"}]))
            .when("items.activate", json!({"sku": "TEA-01"}))
            .refused("item_state_not_fit");
    }

    #[test]
    fn what_was_never_defined_cannot_be_activated() {
        given_nothing().when("items.activate", json!({"sku": "TEA-01"})).refused("unknown_item");
    }
}
