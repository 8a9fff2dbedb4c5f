//! A small business whose ledger the properties are tried on: three stocked items, two locations, three channels.

use ledger_core::values::{ActorId, CommandId, Name, Text, Timestamp};
use ledger_core::{
    Actor, ActorKind, Command, Entry, Event, Ledger, Rejection, Settings, Submission, Submitted, control,
};
use serde_json::{Value, json};

pub(crate) const SKUS: [&str; 3] = ["FIFO-1", "FIFO-2", "AVG-1"];
pub(crate) const LOCATIONS: [&str; 2] = ["AMS1", "BER1"];
pub(crate) const CHANNELS: [&str; 3] = ["web", "strict", "b2b"];

/// A ledger with its stored log.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) ledger: Ledger,
    /// Log time and stored bytes of every entry.
    pub(crate) log: Vec<(Timestamp, Vec<u8>)>,
    now: Timestamp,
    commands: u32,
}

impl World {
    pub(crate) fn new() -> Self {
        let now = Timestamp::parse("2026-01-01T00:00:00Z").unwrap();
        let mut world = World { ledger: Ledger::new(), log: Vec::new(), now, commands: 0 };
        let settings = Settings::named(Name::try_new("main").unwrap());
        world.decide(vec![control::Create { settings }.into()]).unwrap();
        for (name, body) in definitions() {
            world.submit(name, body).unwrap();
        }
        world
    }

    /// The time of the next command.
    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// Every event so far.
    pub(crate) fn history(&self) -> Vec<Event> {
        let entries = self.log.iter().map(|(_, stored)| Entry::decode(stored).unwrap());
        entries.flat_map(|entry| entry.events().cloned().collect::<Vec<_>>()).collect()
    }

    /// A command under the next id, a minute after the one before; some say that they were true an hour ago.
    pub(crate) fn submit(&mut self, name: &str, body: Value) -> Result<Vec<Event>, Rejection> {
        self.decide(vec![command(name, body)])
    }

    /// Commands that stand or fall together.
    pub(crate) fn submit_batch(&mut self, batch: &[(String, Value)]) -> Result<Vec<Event>, Rejection> {
        self.decide(batch.iter().map(|(name, body)| command(name, body.clone())).collect())
    }

    /// What a command would do, without doing it.
    pub(crate) fn dry_run(&mut self, name: &str, body: &Value) -> Result<Vec<Event>, Rejection> {
        let submission = self.submission(vec![command(name, body.clone())], self.commands);
        let pending = self.ledger.decide(submission, self.now)?;
        Ok(pending.entry().events().cloned().collect())
    }

    fn decide(&mut self, commands: Vec<Command>) -> Result<Vec<Event>, Rejection> {
        let count = u32::try_from(commands.len()).unwrap();
        let submission = self.submission(commands, self.commands);
        self.commands += count;
        let (_, entry, stored) = self.ledger.decide(submission, self.now)?.accept();
        self.log.push((self.now, stored));
        Ok(entry.events().cloned().collect())
    }

    fn submission(&self, commands: Vec<Command>, first: u32) -> Submission {
        let commands = commands.into_iter().zip(first..).map(|(command, number)| {
            let id = CommandId::try_new(format!("c-{number}")).unwrap();
            let hour_ago = self.now.plus_micros(-3_600_000_000);
            let backdated = number % 5 == 0 && command.takes_effective_at();
            let assigned = u128::from(number).to_be_bytes();
            Submitted::new(id, backdated.then_some(hour_ago), Some(assigned), command)
        });
        let actor = Actor { id: ActorId::try_new("tester").unwrap(), kind: ActorKind::Person };
        Submission { actor, roles: Vec::new(), correlation: None, commands: commands.collect() }
    }

    /// Time passes.
    pub(crate) fn wait_minutes(&mut self, minutes: u8) {
        self.now = self.now.plus_micros(i64::from(minutes) * 60_000_000);
    }
}

fn command(name: &str, body: Value) -> Command {
    let shown = body.to_string();
    Command::deserialize(name, body)
        .unwrap_or_else(|| panic!("{name} is not in the table"))
        .unwrap_or_else(|fault| panic!("{name} {shown}: {fault}"))
}

fn definitions() -> Vec<(&'static str, Value)> {
    let mut definitions = Vec::new();
    for sku in SKUS {
        let costing = if sku == "AVG-1" { "moving_average" } else { "fifo" };
        definitions.push(("items.define", json!({"sku": sku, "name": sku, "costing": costing})));
        definitions.push(("items.activate", json!({"sku": sku})));
    }
    definitions.push(("items.define", json!({"sku": "WRAP", "name": "Gift wrap", "kind": "service"})));
    definitions.push(("items.activate", json!({"sku": "WRAP"})));
    for location in LOCATIONS {
        let body = json!({"location": location, "name": location, "kind": "warehouse"});
        definitions.push(("locations.define", body));
    }
    definitions.push(("customers.define", json!({"customer": "C1", "country": "NL"})));
    for (channel, settlement, oversell, partial_shipment) in [
        ("web", "prepaid", "backorder", "allowed"),
        ("strict", "prepaid", "refuse", "denied"),
        ("b2b", "on_account", "refuse", "allowed"),
    ] {
        let body = json!({"channel": channel, "name": channel, "kind": "web", "settlement": settlement,
            "oversell": oversell, "partial_shipment": partial_shipment, "locations": LOCATIONS});
        definitions.push(("channels.define", body));
    }
    for (sku, units, unit_cost) in [("FIFO-1", 4, "3.333"), ("FIFO-1", 3, "4.1"), ("AVG-1", 7, "0.777")] {
        let body = json!({"sku": sku, "location": "AMS1", "quantity": units, "unit_cost": unit_cost});
        definitions.push(("stock.receive", body));
    }
    definitions
}
