//! A new item enters the catalogue as a draft.

use bincode::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Costing, Item, ItemKind, ItemState, Label, Refusal};
use crate::books::{Fact, Subject, SubjectKind};
use crate::draft::Draft;
use crate::kinds::Action;
use crate::ledger::{Ledger, Moment};
use crate::rejection::Rejection;
use crate::values::{Name, Sku};

/// Adds an item to the catalogue.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Define {
    /// The business's own key.
    pub sku: Sku,
    /// Display name.
    pub name: Name,
    /// Merchandise category.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Name>,
    /// Stocked (default) or service.
    #[serde(default = "stocked")]
    pub kind: ItemKind,
    /// FIFO (default) or moving average.
    #[serde(default = "fifo")]
    pub costing: Costing,
    /// Days after shipment in which it may be returned; open when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_window_days: Option<u16>,
}

fn stocked() -> ItemKind {
    ItemKind::Stocked
}

fn fifo() -> Costing {
    Costing::Fifo
}

/// An item is in the catalogue, as a draft.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct Defined {
    /// The business's own key.
    pub sku: Sku,
    /// Display name.
    pub name: Name,
    /// Merchandise category.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<Name>,
    /// Stocked or service.
    pub kind: ItemKind,
    /// How the cost of an issue is found.
    pub costing: Costing,
    /// Days after shipment in which it may be returned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub return_window_days: Option<u16>,
}

impl Action for Define {
    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Rejection> {
        if draft.ledger().items.row(&self.sku).is_some() {
            return Err(Refusal::ItemExists { sku: self.sku.clone() }.into());
        }
        let Define { sku, name, category, kind, costing, return_window_days } = self.clone();
        draft.record(Defined { sku, name, category, kind, costing, return_window_days });
        Ok(())
    }
}

impl Fact for Defined {
    fn subjects(&self, each: &mut dyn FnMut(Subject<'_>)) {
        each(Subject::new(SubjectKind::Item, &self.sku));
    }

    fn apply(&self, ledger: &mut Ledger, _at: &Moment) {
        let Defined { sku, name, category, kind, costing, return_window_days } = self.clone();
        let (label, state) = (Box::new(Label { name, category }), ItemState::Draft);
        ledger.items.table.insert(sku, Item { label, kind, costing, return_window_days, state });
    }
}

#[cfg(test)]
mod tests {
    use crate::scenario::given_nothing;
    use serde_json::json;

    #[test]
    fn a_new_item_is_a_draft_with_fifo_costing() {
        given_nothing().when("items.define", json!({"sku": "TEA-01", "name": "Earl Grey"})).then(json!([
            {"type": "items.defined", "sku": "TEA-01", "name": "Earl Grey", "kind": "stocked", "costing": "fifo"}
        ]));
    }

    #[test]
    fn a_sku_is_defined_once() {
        given_nothing()
            .and("items.define", json!({"sku": "TEA-01", "name": "Earl Grey"}))
            .when("items.define", json!({"sku": "TEA-01", "name": "Darjeeling"}))
            .refused("item_exists");
    }
}
