//! The measured workload: a shop with so many items, and orders of two lines.

use ledger_core::values::{ActorId, CommandId, Name, Text, Timestamp};
use ledger_core::{Actor, ActorKind, Command, Ledger, Settings, Submission, Submitted, control};
use serde_json::{Value, json};

/// The time at which everything happens.
pub fn log_time() -> Timestamp {
    Timestamp::from_micros(1_790_000_000_000_000)
}

/// A submission of one command.
pub fn submission(id: &str, name: &str, body: Value) -> Submission {
    let command =
        Command::deserialize(name, body).expect("the command is known").expect("the body is well formed");
    one(id, command)
}

fn one(id: &str, command: Command) -> Submission {
    let actor = Actor { id: ActorId::try_new("bench").expect("an id"), kind: ActorKind::Connector };
    let id = CommandId::try_new(id).expect("an id");
    Submission {
        actor,
        roles: Vec::new(),
        correlation: None,
        commands: vec![Submitted::new(id, None, None, command)],
    }
}

/// What makes a shop of `items` items with stock for every order to come: the commands in order.
pub fn shop(items: usize) -> Vec<Submission> {
    let location = json!({"location": "AMS1", "name": "Amsterdam", "kind": "warehouse"});
    let channel = json!({"channel": "b2b", "name": "Business", "kind": "b2b", "settlement": "on_account",
        "oversell": "refuse", "partial_shipment": "allowed", "locations": ["AMS1"]});
    let mut commands = vec![
        submission("location", "locations.define", location),
        submission("channel", "channels.define", channel),
    ];
    for item in 0..items {
        let sku = format!("SKU-{item:06}");
        commands.push(submission(&format!("d{item}"), "items.define", json!({"sku": sku, "name": sku})));
        commands.push(submission(&format!("a{item}"), "items.activate", json!({"sku": sku})));
        let stock = json!({"sku": sku, "location": "AMS1", "quantity": 100_000_000, "unit_cost": "2.50"});
        commands.push(submission(&format!("r{item}"), "stock.receive", stock));
    }
    commands
}

/// A ledger with the shop in it.
pub fn open_shop(items: usize) -> Ledger {
    let mut ledger = Ledger::new();
    let settings = Settings::named(Name::try_new("bench").expect("a name"));
    take(&mut ledger, one("genesis", control::Create { settings }.into()));
    for command in shop(items) {
        take(&mut ledger, command);
    }
    ledger
}

/// Decides, applies and encodes one submission; gives back the entry's bytes.
pub fn take(ledger: &mut Ledger, submission: Submission) -> usize {
    match ledger.decide(submission, log_time()) {
        Ok(pending) => pending.accept().2.len(),
        Err(refused) => panic!("{}: {refused}", refused.code()),
    }
}

/// Order number `number`: two lines, over all items or all for the same one.
pub fn order(number: usize, items: usize, hot: bool) -> Submission {
    let second = if hot { 0 } else { (number * 7919 + 13) % items };
    let first = if hot { 0 } else { number * 31 % items };
    let line = |item: usize| json!({"sku": format!("SKU-{item:06}"), "quantity": 1, "price": "4.90"});
    let id = format!("O-{number:08}");
    submission(
        &id,
        "orders.place",
        json!({"order": id, "channel": "b2b", "lines": [line(first), line(second)]}),
    )
}
