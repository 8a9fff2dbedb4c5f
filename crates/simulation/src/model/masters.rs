//! Items, locations, customers and channels of the naive shop.

use serde_json::Value;

use super::read::{list, opt_text, opt_units, text};
use super::{Fact, Refusal, Shop};

#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) state: ItemState,
    pub(crate) stocked: bool,
    pub(crate) average: bool,
    pub(crate) window_days: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ItemState {
    Draft,
    Active,
    Retired,
}

#[derive(Debug, Clone)]
pub(crate) struct Channel {
    pub(crate) prepaid: bool,
    pub(crate) backorders: bool,
    pub(crate) ships_in_parts: bool,
    pub(crate) locations: Vec<String>,
}

impl Shop {
    pub(super) fn define_item(&mut self, body: &Value, facts: &mut Vec<Fact>) -> Result<(), Refusal> {
        let sku = text(body, "sku");
        if self.items.contains_key(sku) {
            return Err("item_exists");
        }
        let item = Item {
            state: ItemState::Draft,
            stocked: opt_text(body, "kind").unwrap_or("stocked") == "stocked",
            average: opt_text(body, "costing") == Some("moving_average"),
            window_days: opt_units(body, "return_window_days"),
        };
        self.items.insert(sku.to_owned(), item);
        facts.push(Fact::new("items.defined"));
        Ok(())
    }

    pub(super) fn activate_item(&mut self, body: &Value, facts: &mut Vec<Fact>) -> Result<(), Refusal> {
        let item = self.items.get_mut(text(body, "sku")).ok_or("unknown_item")?;
        if item.state != ItemState::Draft {
            return Err("item_state_not_fit");
        }
        item.state = ItemState::Active;
        facts.push(Fact::new("items.activated"));
        Ok(())
    }

    pub(super) fn retire_item(&mut self, body: &Value, facts: &mut Vec<Fact>) -> Result<(), Refusal> {
        let sku = text(body, "sku");
        let item = self.items.get_mut(sku).ok_or("unknown_item")?;
        if item.state != ItemState::Active {
            return Err("item_state_not_fit");
        }
        if self.stock.of_item(sku) != 0 {
            return Err("item_has_stock");
        }
        item.state = ItemState::Retired;
        facts.push(Fact::new("items.retired"));
        Ok(())
    }

    pub(super) fn define_location(&mut self, body: &Value, facts: &mut Vec<Fact>) -> Result<(), Refusal> {
        if !self.locations.insert(text(body, "location").to_owned()) {
            return Err("location_exists");
        }
        facts.push(Fact::new("locations.defined"));
        Ok(())
    }

    pub(super) fn define_customer(&mut self, body: &Value, facts: &mut Vec<Fact>) -> Result<(), Refusal> {
        if !self.customers.insert(text(body, "customer").to_owned()) {
            return Err("customer_exists");
        }
        facts.push(Fact::new("customers.defined"));
        Ok(())
    }

    pub(super) fn define_channel(&mut self, body: &Value, facts: &mut Vec<Fact>) -> Result<(), Refusal> {
        let id = text(body, "channel");
        if self.channels.contains_key(id) {
            return Err("channel_exists");
        }
        let mut locations: Vec<String> = Vec::new();
        for location in list(body, "locations").iter().filter_map(Value::as_str) {
            if !self.locations.contains(location) {
                return Err("unknown_location");
            }
            if locations.iter().any(|earlier| earlier == location) {
                return Err("location_twice");
            }
            locations.push(location.to_owned());
        }
        if locations.is_empty() {
            return Err("no_location");
        }
        let channel = Channel {
            prepaid: text(body, "settlement") == "prepaid",
            backorders: text(body, "oversell") == "backorder",
            ships_in_parts: text(body, "partial_shipment") == "allowed",
            locations,
        };
        self.channels.insert(id.to_owned(), channel);
        facts.push(Fact::new("channels.defined"));
        Ok(())
    }

    /// Refuses what is not an item in trade that is kept in stock.
    pub(super) fn require_active_stocked(&self, sku: &str) -> Result<(), Refusal> {
        let item = self.items.get(sku).ok_or("unknown_item")?;
        match item {
            Item { state: ItemState::Draft | ItemState::Retired, .. } => Err("item_not_active"),
            Item { stocked: false, .. } => Err("item_not_stocked"),
            Item { .. } => Ok(()),
        }
    }

    pub(super) fn require_stocked(&self, sku: &str) -> Result<&Item, Refusal> {
        let item = self.items.get(sku).ok_or("unknown_item")?;
        if item.stocked { Ok(item) } else { Err("item_not_stocked") }
    }

    pub(super) fn require_location(&self, location: &str) -> Result<(), Refusal> {
        if self.locations.contains(location) { Ok(()) } else { Err("unknown_location") }
    }
}
