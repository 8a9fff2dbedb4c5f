//! Given, when, then: how every rule is shown beside its code.

use serde_json::{Value, json};

use crate::books::{Account, Status};
use crate::draft::{Actor, ActorKind};
use crate::entry::{Entry, Submission, Submitted};
use crate::finance;
use crate::kinds::{Command, Event};
use crate::ledger::{Ledger, Settings};
use crate::orders::Order;
use crate::rejection::Rejection;
use crate::values::{ActorId, CommandId, LocationId, Name, OrderId, Quantity, Sku, Text, Timestamp};

/// A ledger with a history, and what the last command did.
#[derive(Debug, Clone)]
pub(crate) struct Scenario {
    pub(crate) ledger: Ledger,
    pub(crate) log: Vec<(Timestamp, Entry)>,
    now: Timestamp,
    outcome: Option<Result<Vec<Event>, Rejection>>,
}

/// A ledger that was created and holds nothing, under the newest rules.
pub(crate) fn given_nothing() -> Scenario {
    let newest = *crate::control::RULES_KNOWN.end();
    given_the_rules(1).and("ledger.activate_rules", json!({"rules": newest}))
}

/// A ledger that was created and holds nothing, under older rules.
pub(crate) fn given_the_rules(rules: u32) -> Scenario {
    let mut scenario = Scenario {
        ledger: Ledger::new(),
        log: Vec::new(),
        now: Timestamp::parse("2026-01-01T00:00:00Z").unwrap(),
        outcome: None,
    };
    let settings = Settings::named(Name::try_new("main").unwrap());
    scenario.submit(vec![(crate::control::Create { settings }.into(), None)]).unwrap();
    if rules == 1 { scenario } else { scenario.and("ledger.activate_rules", json!({"rules": rules})) }
}

/// A shop: items TEA-01 and TEA-02 (FIFO), AVG-01 (average), DRAFT (a draft), WRAP (a service); locations AMS1 and
/// BER1; customer C1; channels web (prepaid, backorders), strict (prepaid, refuses, no partial shipment), and b2b (on
/// account, refuses), all selling from AMS1, then BER1.
pub(crate) fn given_a_shop() -> Scenario {
    a_shop(given_nothing())
}

/// The same, opened on a given ledger.
pub(crate) fn a_shop(mut shop: Scenario) -> Scenario {
    for (sku, costing, kind) in [
        ("TEA-01", "fifo", "stocked"),
        ("TEA-02", "fifo", "stocked"),
        ("AVG-01", "moving_average", "stocked"),
        ("WRAP", "fifo", "service"),
    ] {
        shop = shop
            .and("items.define", json!({"sku": sku, "name": sku, "costing": costing, "kind": kind}))
            .and("items.activate", json!({"sku": sku}));
    }
    shop.and("items.define", json!({"sku": "DRAFT", "name": "Not yet"}))
        .and("locations.define", json!({"location": "AMS1", "name": "Amsterdam", "kind": "warehouse"}))
        .and("locations.define", json!({"location": "BER1", "name": "Berlin", "kind": "store"}))
        .and("customers.define", json!({"customer": "C1", "country": "NL"}))
        .and("channels.define", channel("web", "prepaid", "backorder", "allowed"))
        .and("channels.define", channel("strict", "prepaid", "refuse", "denied"))
        .and("channels.define", channel("b2b", "on_account", "refuse", "allowed"))
}

/// The shop with 5 of TEA-01 at AMS1, of which order o1 of a channel wants so many at 10.00 (line 1).
pub(crate) fn given_an_order(channel: &str, quantity: i64) -> Scenario {
    given_a_shop()
        .and("stock.receive", json!({"sku": "TEA-01", "location": "AMS1", "quantity": 5, "unit_cost": "4"}))
        .and(
            "orders.place",
            json!({"order": "o1", "channel": channel,
                "lines": [{"sku": "TEA-01", "quantity": quantity, "price": "10"}]}),
        )
}

/// The order of `given_an_order`, shipped as s1.
pub(crate) fn given_a_shipped_order(channel: &str, quantity: i64) -> Scenario {
    given_an_order(channel, quantity).shipped("s1", "o1")
}

fn channel(id: &str, settlement: &str, oversell: &str, partial_shipment: &str) -> Value {
    json!({"channel": id, "name": id, "kind": "web", "settlement": settlement, "oversell": oversell,
        "partial_shipment": partial_shipment, "locations": ["AMS1", "BER1"]})
}

impl Scenario {
    /// A command that is accepted.
    pub(crate) fn and(self, name: &str, body: Value) -> Scenario {
        let scenario = self.when(name, body);
        if let Some(Err(refused)) = &scenario.outcome {
            panic!("{name} was to be accepted, but: {} {refused}", refused.code());
        }
        scenario
    }

    /// A command whose outcome the next step looks at.
    pub(crate) fn when(mut self, name: &str, body: Value) -> Scenario {
        self.outcome = Some(self.submit(vec![(command(name, body), None)]));
        self
    }

    /// A command that says when it was true.
    pub(crate) fn when_effective(mut self, at: &str, name: &str, body: Value) -> Scenario {
        self.outcome = Some(self.submit(vec![(command(name, body), Timestamp::parse(at))]));
        self
    }

    /// All that is reserved of an order at one location leaves.
    pub(crate) fn shipped(self, shipment: &str, order: &str) -> Scenario {
        self.and("fulfilment.plan", json!({"shipment": shipment, "order": order}))
            .and("fulfilment.pick", json!({"shipment": shipment}))
            .and("fulfilment.pack", json!({"shipment": shipment}))
            .and("fulfilment.ship", json!({"shipment": shipment}))
    }

    /// Commands that stand or fall together.
    pub(crate) fn when_batch(mut self, commands: &[(&str, Value)]) -> Scenario {
        let commands = commands.iter().map(|(name, body)| (command(name, body.clone()), None)).collect();
        self.outcome = Some(self.submit(commands));
        self
    }

    /// Time passes.
    pub(crate) fn days_later(mut self, days: u32) -> Scenario {
        self.now = self.now.plus_days(days);
        self
    }

    /// What falls due next, when, and the command that is then submitted.
    pub(crate) fn falls_due(self, at: &str, name: &str, body: &Value) -> Scenario {
        let due = self.ledger.next_due().expect("something falls due");
        assert_eq!((due.at.to_string(), due.command.name()), (at.to_owned(), name));
        assert_eq!(serde_json::to_value(&due.command).unwrap(), *body);
        self
    }

    /// Nothing is still to come.
    pub(crate) fn nothing_falls_due(self) -> Scenario {
        assert_eq!(self.ledger.next_due(), None);
        self
    }

    /// The last command was accepted, with exactly these events.
    pub(crate) fn then(self, events: Value) -> Scenario {
        match self.outcome.as_ref().expect("a command was submitted") {
            Ok(recorded) => assert_eq!(serde_json::to_value(recorded).unwrap(), events),
            Err(refused) => panic!("it was to be accepted, but: {} {refused}", refused.code()),
        }
        self
    }

    /// The last command was accepted, with events of these types in this order.
    pub(crate) fn then_types(self, types: &[&str]) -> Scenario {
        match self.outcome.as_ref().expect("a command was submitted") {
            Ok(recorded) => assert_eq!(recorded.iter().map(Event::name).collect::<Vec<_>>(), types),
            Err(refused) => panic!("it was to be accepted, but: {} {refused}", refused.code()),
        }
        self
    }

    /// The last command was refused with this code, and nothing changed.
    pub(crate) fn refused(self, code: &str) -> Scenario {
        match self.outcome.as_ref().expect("a command was submitted") {
            Ok(recorded) => panic!("it was to be refused as {code}, but happened: {recorded:?}"),
            Err(refused) => assert_eq!(refused.code(), code, "{refused}"),
        }
        self
    }

    /// The last refusal's code and figures, as they stand in a reply.
    pub(crate) fn refused_with(self, details: Value) -> Scenario {
        let refused = self.outcome.as_ref().expect("a command was submitted").as_ref().unwrap_err();
        assert_eq!(serde_json::to_value(refused).unwrap(), details);
        self
    }

    /// So many units are in a bucket.
    pub(crate) fn units(self, sku: &str, location: &str, status: Status, units: i64) -> Scenario {
        let item = self.ledger.items().row(&Sku::try_new(sku).unwrap()).expect("the item is defined");
        let at = self
            .ledger
            .locations()
            .row(&LocationId::try_new(location).unwrap())
            .expect("the location is defined");
        let there = self.ledger.stock().quantity(item, at, status);
        assert_eq!(there, Quantity::try_new(units).unwrap(), "{sku} at {location}, {status}");
        self
    }

    /// A look at an order.
    pub(crate) fn order(self, id: &str, look: impl FnOnce(&Order)) -> Scenario {
        let order = self.ledger.orders().find(&OrderId::try_new(id).unwrap()).expect("the order was placed");
        look(&order);
        self
    }

    /// An account's debits less its credits.
    pub(crate) fn balance(self, account: Account, balance: &str) -> Scenario {
        assert_eq!(self.ledger.finance().total(account).balance().to_string(), balance, "{}", account.name());
        self
    }

    /// Decides a submission; checks that a refusal leaves no trace and that the log folds to the same ledger.
    fn submit(&mut self, commands: Vec<(Command, Option<Timestamp>)>) -> Result<Vec<Event>, Rejection> {
        let before = self.ledger.clone();
        let number = self.log.len();
        let commands = commands.into_iter().enumerate().map(|(at, (command, effective_at))| {
            let id = CommandId::try_new(format!("c-{number}-{at}")).unwrap();
            Submitted::new(id, effective_at, Some([7; 16]), command)
        });
        let actor = Actor { id: ActorId::try_new("tester").unwrap(), kind: ActorKind::Person };
        let submission =
            Submission { actor, roles: Vec::new(), correlation: None, commands: commands.collect() };
        let decided = self.ledger.decide(submission, self.now).map(|pending| pending.accept());
        match decided {
            Ok((_, entry, bytes)) => {
                assert_eq!(Entry::decode(&bytes).unwrap(), entry, "an entry decodes to what it was");
                let mut replayed = before;
                replayed.apply(&entry, self.now).expect("every invariant holds");
                assert_eq!(replayed, self.ledger, "replay folds to what the decision left");
                assert_eq!(finance::check(&self.ledger), Ok(()), "every book ties out");
                self.log.push((self.now, entry.clone()));
                Ok(entry.events().cloned().collect())
            }
            Err(rejection) => {
                assert_eq!(before, self.ledger, "a refusal leaves no trace");
                Err(rejection)
            }
        }
    }
}

/// A command from its JSON, as a transport would read it.
pub(crate) fn command(name: &str, body: Value) -> Command {
    Command::deserialize(name, body).expect("the command is in the table").expect("the body is well formed")
}
