//! An item goes out of trade for good, once nothing of it is left.

use bincode::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ItemState, Refusal};
use crate::books::{Fact, Status, Subject, SubjectKind};
use crate::draft::Draft;
use crate::kinds::Action;
use crate::ledger::{Ledger, Moment};
use crate::rejection::Rejection;
use crate::state::Row;
use crate::values::Sku;

/// Takes an active item out of trade.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Retire {
    /// The item.
    pub sku: Sku,
}

/// An item is out of trade for good.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct Retired {
    /// The item.
    pub sku: Sku,
}

impl Action for Retire {
    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Rejection> {
        let (row, item) = super::known(draft.ledger(), &self.sku)?;
        if item.state != ItemState::Active {
            let (state, wanted) = (item.state, ItemState::Active);
            return Err(Refusal::ItemStateNotFit { sku: self.sku.clone(), state, wanted }.into());
        }
        nothing_left(draft.ledger(), row, &self.sku)?;
        draft.record(Retired { sku: self.sku.clone() });
        Ok(())
    }
}

/// A claim always stands on stock, so an item without stock at any location is without claims too.
fn nothing_left(ledger: &Ledger, item: Row, sku: &Sku) -> Result<(), Refusal> {
    for (at, location, _) in ledger.locations().iter() {
        for status in Status::ALL.iter().copied() {
            let quantity = ledger.stock().quantity(item, at, status);
            if !quantity.is_zero() {
                let (sku, location) = (sku.clone(), location.clone());
                return Err(Refusal::ItemHasStock { sku, location, status, quantity });
            }
        }
    }
    Ok(())
}

impl Fact for Retired {
    fn subjects(&self, each: &mut dyn FnMut(Subject<'_>)) {
        each(Subject::new(SubjectKind::Item, &self.sku));
    }

    fn apply(&self, ledger: &mut Ledger, _at: &Moment) {
        if let Some(row) = ledger.items.row(&self.sku) {
            ledger.items.table.edit(row).state = ItemState::Retired;
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::scenario::given_a_shop;
    use serde_json::json;

    #[test]
    fn an_item_without_stock_is_retired_once_and_no_longer_received() {
        given_a_shop()
            .when("items.retire", json!({"sku": "TEA-01"}))
            .then(json!([{"type": "items.retired", "sku": "TEA-01"}]))
            .when(
                "stock.receive",
                json!({"sku": "TEA-01", "location": "AMS1", "quantity": 1, "unit_cost": "1"}),
            )
            .refused("item_not_active")
            .when("items.retire", json!({"sku": "TEA-01"}))
            .refused("item_state_not_fit");
    }

    #[test]
    fn an_item_is_not_retired_while_stock_or_a_claim_is_left() {
        let reserved = given_a_shop()
            .and(
                "stock.receive",
                json!({"sku": "TEA-01", "location": "BER1", "quantity": 1, "unit_cost": "1"}),
            )
            .when("items.retire", json!({"sku": "TEA-01"}))
            .refused_with(json!({"code": "item_has_stock", "sku": "TEA-01", "location": "BER1",
                "status": "available", "quantity": 1}))
            .and("stock.reserve", json!({"sku": "TEA-01", "location": "BER1", "quantity": 1}));
        reserved.when("items.retire", json!({"sku": "TEA-01"})).refused("item_has_stock");
    }

    #[test]
    fn neither_an_unknown_item_nor_a_draft_is_retired() {
        given_a_shop().when("items.retire", json!({"sku": "NOPE"})).refused("unknown_item");
        given_a_shop().when("items.retire", json!({"sku": "DRAFT"})).refused("item_state_not_fit");
    }
}
