//! A naive shop that says what every command must do, written apart from the ledger's rules.
//!
//! Plain maps under text keys, amounts in minor units, bodies read as the JSON that a client sends. It shares no code
//! with `ledger-core`: what both get right they got right twice. Slow and obvious is better here than short and clever.

mod archive;
mod costs;
mod dues;
mod endings;
mod expiry;
mod fulfilment;
mod holds;
mod masters;
mod money;
mod order;
mod orders;
mod payments;
mod policies;
mod read;
mod refunds;
mod returns;
mod stock;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

pub(crate) use costs::{Claim, Stock};
pub(crate) use dues::Due;
pub(crate) use fulfilment::{Shipment, Stage};
pub(crate) use masters::{Channel, Item, ItemState};
pub(crate) use order::{Hold, Line, Order, OrderState};
pub(crate) use read::part;
pub(crate) use returns::{GRADES, Return};
pub(crate) use stock::STATUSES;

/// Why a command must be refused: the stable code.
pub(crate) type Refusal = &'static str;

/// One fact that a command must record.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Fact {
    /// `module.past_participle`.
    pub(crate) name: &'static str,
    /// Units that move, in order.
    pub(crate) moves: Vec<Move>,
    /// Debits less credits by account, without those that come to nothing.
    pub(crate) posts: BTreeMap<String, i64>,
}

/// Units of an item that go from one place to another; a place is `status@location` or the name of a world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Move {
    pub(crate) sku: String,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) units: i64,
    pub(crate) value: i64,
}

/// When a command is decided, in microseconds, and the id that a document without one gets.
#[derive(Debug, Clone)]
pub(crate) struct When {
    pub(crate) log_time: i64,
    pub(crate) effective_at: i64,
    pub(crate) assigned: String,
}

/// Everything that commands so far have made of the shop.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shop {
    pub(crate) items: BTreeMap<String, Item>,
    pub(crate) locations: BTreeSet<String>,
    pub(crate) customers: BTreeSet<String>,
    pub(crate) channels: BTreeMap<String, Channel>,
    pub(crate) stock: Stock,
    pub(crate) orders: BTreeMap<String, Order>,
    /// Payments: the order for which, where there is one.
    pub(crate) payments: BTreeMap<String, Option<String>>,
    pub(crate) shipments: BTreeMap<String, Shipment>,
    pub(crate) returns: BTreeMap<String, Return>,
    pub(crate) refunds: BTreeMap<String, Refund>,
    /// Orders that were forgotten.
    pub(crate) archived: BTreeSet<String>,
    pub(crate) postings: BTreeSet<String>,
    pub(crate) money: money::Money,
    policies: policies::Policies,
    order_places: dues::Places,
    return_places: dues::Places,
    /// How many returns there ever were.
    returns_ever: u64,
    /// The log time of the command at hand.
    now: i64,
}

/// A granted refund.
#[derive(Debug, Clone)]
pub(crate) struct Refund {
    /// The channel that pays.
    pub(crate) channel: String,
    pub(crate) order: Option<String>,
}

impl Fact {
    pub(crate) fn new(name: &'static str) -> Fact {
        Fact { name, ..Fact::default() }
    }

    /// Adds debits less credits to an account.
    pub(crate) fn post(&mut self, account: &str, amount: i64) {
        let total = self.posts.entry(account.to_owned()).or_default();
        *total += amount;
        if *total == 0 {
            self.posts.remove(account);
        }
    }
}

impl Shop {
    /// What the command must record, done to the shop; or why it must be refused, and then the shop may be half
    /// changed: decide on a clone where that matters.
    pub(crate) fn decide(&mut self, name: &str, body: &Value, when: &When) -> Result<Vec<Fact>, Refusal> {
        let mut facts = Vec::new();
        self.now = when.log_time;
        match name {
            "items.define" => self.define_item(body, &mut facts),
            "items.activate" => self.activate_item(body, &mut facts),
            "items.retire" => self.retire_item(body, &mut facts),
            "locations.define" => self.define_location(body, &mut facts),
            "customers.define" => self.define_customer(body, &mut facts),
            "channels.define" => self.define_channel(body, &mut facts),
            "stock.receive" => self.goods_in(body, when, ("stock.received", "supplier", "2100"), &mut facts),
            "stock.open" => self.goods_in(body, when, ("stock.opened", "opening", "3000"), &mut facts),
            "stock.adjust" => self.adjust(body, when, &mut facts),
            "stock.change_status" => self.change_status(body, &mut facts),
            "stock.reserve" => self.reserve(body, when, &mut facts),
            "stock.unreserve" => self.unreserve(body, &mut facts),
            "stock.write_off" => self.write_off(body, &mut facts),
            "stock.expire_reservation" => self.expire_reservation(body, &mut facts),
            "orders.place" => self.place(body, when, &mut facts),
            "orders.hold" => self.hold(body, &mut facts),
            "orders.clear_hold" => self.clear_hold(body, &mut facts),
            "orders.release" => self.release(body, &mut facts),
            "orders.allocate" => self.allocate(body, &mut facts),
            "orders.cancel" => self.cancel(body, &mut facts),
            "orders.set_hold_limit" => self.set_hold_limit(body, &mut facts),
            "orders.close" => self.close(body, &mut facts),
            "orders.set_archiving" => self.set_archiving(body, &mut facts),
            "orders.archive" => self.archive(body, &mut facts),
            "orders.expire_hold" => self.expire_hold(body, &mut facts),
            "payments.capture" => self.capture(body, when, &mut facts),
            "payments.refund" => self.pay_refund(body, when, &mut facts),
            "fulfilment.plan" => self.plan(body, when, &mut facts),
            "fulfilment.pick" => self.pick(body, when, &mut facts),
            "fulfilment.pack" => self.pack(body, when, &mut facts),
            "fulfilment.ship" => self.ship(body, when, &mut facts),
            "fulfilment.deliver" => self.deliver(body, when, &mut facts),
            "returns.authorise" => self.authorise(body, when, &mut facts),
            "returns.receive" => self.receive_return(body, when, &mut facts),
            "returns.inspect" => self.inspect(body, &mut facts),
            "returns.disposition" => self.disposition(body, &mut facts),
            "returns.set_window" => self.set_window(body, &mut facts),
            "returns.expire" => self.expire_return(body, &mut facts),
            "returns.refund" => self.grant_refund(body, when, &mut facts),
            "finance.post_manual" => self.post_manual(body, when, &mut facts),
            unknown => panic!("the naive shop does not know {unknown}"),
        }?;
        for fact in &facts {
            self.money.post(&fact.posts)?;
        }
        Ok(facts)
    }
}

/// Whether the command may say when it was true.
pub(crate) fn takes_effective_at(name: &str) -> bool {
    let decided_now = [
        "orders.allocate",
        "orders.hold",
        "orders.release",
        "orders.clear_hold",
        "orders.set_hold_limit",
        "orders.set_archiving",
        "returns.set_window",
        "stock.reserve",
        "stock.unreserve",
    ];
    !decided_now.contains(&name)
}
