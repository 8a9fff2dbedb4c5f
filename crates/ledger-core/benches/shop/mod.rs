//! The measured shop: items with stock, customers, and orders of two lines that are placed or live their whole life.

use ledger_core::values::{ActorId, CommandId, Name, Text, Timestamp};
use ledger_core::{Actor, ActorKind, Command, Ledger, Settings, Submission, Submitted, control};
use serde_json::{Value, json};

/// The commands in the life of an order: placed, paid, planned, picked, packed, shipped.
pub(crate) const STEPS: usize = 6;

/// The size of a shop.
#[derive(Clone, Copy)]
pub(crate) struct Shop {
    pub(crate) items: usize,
    pub(crate) customers: usize,
}

/// The time at which everything happens.
pub(crate) fn log_time() -> Timestamp {
    Timestamp::from_micros(1_790_000_000_000_000)
}

/// Decides, applies and encodes one submission; gives back the entry's bytes.
pub(crate) fn take(ledger: &mut Ledger, submission: Submission) -> Vec<u8> {
    take_at(ledger, submission, log_time())
}

/// The same at another log time.
pub(crate) fn take_at(ledger: &mut Ledger, submission: Submission, log_time: Timestamp) -> Vec<u8> {
    match ledger.decide(submission, log_time) {
        Ok(pending) => pending.accept().2,
        Err(refused) => panic!("{}: {refused}", refused.code()),
    }
}

/// What a ledger is made with unless somebody asks for more.
pub(crate) fn settings() -> Settings {
    Settings::named(Name::try_new("bench").expect("a name"))
}

impl Shop {
    /// A ledger with the shop in it, and stock for every order to come.
    pub(crate) fn open(self) -> Ledger {
        self.open_with(settings())
    }

    /// The same, of a ledger with other settings.
    pub(crate) fn open_with(self, settings: Settings) -> Ledger {
        let mut ledger = Ledger::new();
        take(&mut ledger, one("genesis", control::Create { settings }.into()));
        let channel = |id, settlement, oversell| {
            json!({"channel": id, "name": id, "kind": "b2b", "settlement": settlement, "oversell": oversell,
                "partial_shipment": "allowed", "locations": ["AMS1"]})
        };
        for location in ["AMS1", "BER1"] {
            let body = json!({"location": location, "name": location, "kind": "warehouse"});
            take(&mut ledger, submission(location, "locations.define", body));
        }
        take(&mut ledger, submission("b2b", "channels.define", channel("b2b", "on_account", "refuse")));
        take(&mut ledger, submission("web", "channels.define", channel("web", "prepaid", "backorder")));
        for customer in 0..self.customers {
            let body = json!({"customer": self.customer(customer)});
            take(&mut ledger, submission(&format!("c{customer}"), "customers.define", body));
        }
        for item in 0..self.items {
            let sku = self.sku(item);
            let define = json!({"sku": sku, "name": sku});
            take(&mut ledger, submission(&format!("d{item}"), "items.define", define));
            take(&mut ledger, submission(&format!("a{item}"), "items.activate", json!({"sku": sku})));
            take(&mut ledger, self.receipt(&format!("r{item}"), item, "AMS1", 100_000_000));
        }
        ledger
    }

    /// Stock comes in.
    pub(crate) fn receipt(self, id: &str, item: usize, location: &str, quantity: u64) -> Submission {
        let sku = self.sku(item);
        let stock = json!({"sku": sku, "location": location, "quantity": quantity, "unit_cost": "2.50"});
        submission(id, "stock.receive", stock)
    }

    /// An order of two lines on account: over all items, or all for the same one.
    pub(crate) fn order(self, number: usize, hot: bool) -> Submission {
        let item = |item| if hot { 0 } else { item };
        let line = |at: usize| json!({"sku": self.sku(item(at)), "quantity": 1, "price": "4.90"});
        let order = format!("O-{number:08}");
        let body =
            json!({"order": order, "channel": "b2b", "lines": [line(number * 31), line(number * 7919 + 13)]});
        submission(&order, "orders.place", body)
    }

    /// One step in the life of an order that a known customer pays before it leaves.
    pub(crate) fn step(self, number: usize, step: usize) -> Submission {
        let (order, shipment) = (format!("W-{number:08}"), format!("S-{number:08}"));
        let (name, body) = match step {
            0 => ("orders.place", self.paid_order(&order, number)),
            1 => {
                let payment = format!("P-{number:08}");
                ("payments.capture", json!({"payment": payment, "order": order, "amount": "11.86"}))
            }
            2 => ("fulfilment.plan", json!({"shipment": shipment, "order": order})),
            3 => ("fulfilment.pick", json!({"shipment": shipment})),
            4 => ("fulfilment.pack", json!({"shipment": shipment})),
            _ => ("fulfilment.ship", json!({"shipment": shipment, "carrier": "dhl"})),
        };
        submission(&format!("{order}/{step}"), name, body)
    }

    fn paid_order(self, order: &str, number: usize) -> Value {
        let line = |at: usize| {
            json!({"sku": self.sku(at), "quantity": 1, "price": "4.90",
                "taxes": [{"jurisdiction": "NL", "amount": "1.03"}]})
        };
        json!({"order": order, "channel": "web", "customer": self.customer(number),
            "destination": {"country": "NL"}, "lines": [line(number * 31), line(number * 7919 + 13)]})
    }

    fn sku(self, item: usize) -> String {
        format!("SKU-{:06}", item % self.items)
    }

    fn customer(self, customer: usize) -> String {
        format!("C-{:06}", customer % self.customers)
    }
}

/// A submission of one command.
pub(crate) fn submission(id: &str, name: &str, body: Value) -> Submission {
    let command =
        Command::deserialize(name, body).expect("the command is known").expect("the body is well formed");
    one(id, command)
}

/// A submission of one typed command.
pub(crate) fn one(id: &str, command: Command) -> Submission {
    let actor = Actor { id: ActorId::try_new("bench").expect("an id"), kind: ActorKind::Connector };
    let id = CommandId::try_new(id).expect("an id");
    Submission {
        actor,
        roles: Vec::new(),
        correlation: None,
        commands: vec![Submitted::new(id, None, None, command)],
    }
}
