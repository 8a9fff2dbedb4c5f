//! Whatever comes in at a door is answered: without a panic, without a hang, and nothing changes by it.
//!
//! Bodies are made out of the names in the schemas, over a small shop, and then damaged byte by byte. What can be read is
//! decided as a dry run. `FUZZ_INPUTS=1000000 FUZZ_SEED=7` sends as many as a release wants,
//! and others.

#![allow(clippy::unwrap_used, reason = "in a test, what cannot be had is a failure")]

use std::collections::BTreeSet;
use std::time::Duration;

use command_api::auth::Caller;
use command_api::service::read_query;
use command_api::{Batch, Envelope, Options, Request, Service, request};
use fastrand::Rng;
use ledger_core::values::{Name, Text};
use ledger_core::{Command, Settings};
use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};

const INPUTS: usize = 20_000;
/// Longer than any answer takes.
const PATIENCE: Duration = Duration::from_secs(30);

const SHOP: [(&str, &str); 9] = [
    ("locations.define", r#"{"location": "A", "name": "A", "kind": "warehouse"}"#),
    (
        "channels.define",
        r#"{"channel": "A", "name": "A", "kind": "b2b", "settlement": "on_account", "oversell": "backorder",
            "partial_shipment": "allowed", "locations": ["A"]}"#,
    ),
    ("customers.define", r#"{"customer": "A"}"#),
    ("items.define", r#"{"sku": "A", "name": "A"}"#),
    ("items.activate", r#"{"sku": "A"}"#),
    ("stock.receive", r#"{"sku": "A", "location": "A", "quantity": 50, "unit_cost": "2.50"}"#),
    (
        "orders.place",
        r#"{"order": "A", "channel": "A", "lines": [{"sku": "A", "quantity": 5, "price": "9.99"}]}"#,
    ),
    ("fulfilment.plan", r#"{"order": "A", "shipment": "A"}"#),
    (
        "orders.place",
        r#"{"order": "1", "channel": "A", "lines": [{"sku": "A", "quantity": 99, "price": "1"}]}"#,
    ),
];

/// A command with the names that its schema has.
struct Shape {
    name: &'static str,
    fields: Vec<String>,
}

/// Makes inputs.
struct Inputs {
    random: Rng,
    shapes: Vec<Shape>,
}

impl Inputs {
    fn new(seed: u64) -> Inputs {
        let shapes = Command::KINDS.iter().filter(|kind| kind.public).map(|kind| {
            let mut schemas = SchemaGenerator::default();
            (kind.schema)(&mut schemas);
            let mut fields = BTreeSet::new();
            schemas.definitions().values().for_each(|schema| properties_in(schema, &mut fields));
            Shape { name: kind.name, fields: fields.into_iter().collect() }
        });
        Inputs { random: Rng::with_seed(seed), shapes: shapes.collect() }
    }

    fn command(&mut self) -> (&'static str, Vec<u8>) {
        let shape = self.random.usize(..self.shapes.len());
        let body = self.object(shape, 3).to_string();
        (self.shapes[shape].name, self.damaged(body))
    }

    fn batch(&mut self) -> Vec<u8> {
        let commands = (0..self.random.usize(0..4)).map(|_| {
            let shape = self.random.usize(..self.shapes.len());
            let name = self.shapes[shape].name;
            json!({"command": name, "id": self.text(), "body": self.object(shape, 3)})
        });
        let commands = Value::Array(commands.collect());
        let batch = if self.random.bool() { commands } else { json!({"atomic": true, "commands": commands}) };
        self.damaged(batch.to_string())
    }

    fn query(&mut self) -> Vec<u8> {
        let mut query = Map::new();
        for name in ["filter", "sort", "limit", "cursor", "as_of", "min_position"] {
            if self.random.u8(..4) == 0 {
                let value = match name {
                    "filter" => self.filter(),
                    "as_of" => json!({"sequence": self.random.u64(..20)}),
                    _ => self.value(0, 1),
                };
                query.insert(name.to_owned(), value);
            }
        }
        self.damaged(Value::Object(query).to_string())
    }

    fn filter(&mut self) -> Value {
        let names = ["sku", "location", "order", "status", "state", "account", "sequence", "held", "q"];
        let filters = (0..self.random.usize(0..3))
            .map(|_| (names[self.random.usize(..names.len())].to_owned(), self.value(0, 0)));
        Value::Object(filters.collect())
    }

    /// Most of the names that a shape has, each with whatever.
    fn object(&mut self, shape: usize, depth: u8) -> Value {
        let mut fields = Map::new();
        for at in 0..self.shapes[shape].fields.len() {
            if self.random.u8(..3) > 0 {
                let name = self.shapes[shape].fields[at].clone();
                let value = self.value(shape, depth);
                fields.insert(name, value);
            }
        }
        Value::Object(fields)
    }

    fn value(&mut self, shape: usize, depth: u8) -> Value {
        match self.random.u8(..16) {
            0 => Value::Null,
            1 => json!(self.random.bool()),
            2..=4 => json!(self.random.u8(..6)),
            5 => json!([i64::MAX, i64::MIN, -1, 1_000_000_000_000][self.random.usize(..4)]),
            6 => json!([0.1, -1e300, 1e-9][self.random.usize(..3)]),
            7 | 8 if depth > 0 => {
                Value::Array((0..self.random.usize(0..3)).map(|_| self.object(shape, depth - 1)).collect())
            }
            9 if depth > 0 => self.object(shape, depth - 1),
            _ => json!(self.text()),
        }
    }

    fn text(&mut self) -> String {
        const TEXTS: [&str; 20] = [
            "A",
            "A",
            "A",
            "A",
            "1",
            "0",
            "1.50",
            "-1",
            "999999999999999999999",
            "1e9",
            "",
            " ",
            "\u{0}",
            "e\u{301}",
            "2026-01-01T00:00:00Z",
            "9999-12-31T23:59:59Z",
            "warehouse",
            "available",
            "NL",
            "damaged",
        ];
        match self.random.u8(..40) {
            0 => "x".repeat(600),
            _ => TEXTS[self.random.usize(..TEXTS.len())].to_owned(),
        }
    }

    /// The bytes of a text, of which half of the texts lose or gain some.
    fn damaged(&mut self, text: String) -> Vec<u8> {
        let mut bytes = text.into_bytes();
        for _ in 0..self.random.usize(..8).saturating_sub(4) {
            let at = self.random.usize(..=bytes.len());
            match self.random.u8(..4) {
                0 => bytes.truncate(at),
                1 => bytes.insert(at, self.random.u8(..)),
                2 => bytes.splice(at.., bytes[at / 2..at].to_vec()).for_each(drop),
                _ => bytes[..at].last_mut().into_iter().for_each(|byte| *byte = self.random.u8(..)),
            }
        }
        bytes
    }
}

fn properties_in(schema: &Value, names: &mut BTreeSet<String>) {
    match schema {
        Value::Object(fields) => {
            if let Some(Value::Object(properties)) = fields.get("properties") {
                names.extend(properties.keys().cloned());
            }
            fields.values().for_each(|schema| properties_in(schema, names));
        }
        Value::Array(schemas) => schemas.iter().for_each(|schema| properties_in(schema, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn envelope(id: &str) -> Envelope {
    let headers = |name: &str| if name == "Bincard-Command-Id" { vec![id.as_bytes()] } else { vec![] };
    Envelope::read(Caller::anonymous(), headers).unwrap()
}

async fn given_a_shop() -> Service {
    let options = Options::new("", Settings::named(Name::try_new("main").unwrap()));
    let service = Service::in_memory(options).unwrap();
    for (number, (name, body)) in SHOP.iter().enumerate() {
        let read =
            request::read_command(name, body.as_bytes(), &envelope(&format!("shop-{number}"))).unwrap();
        let reply = service.submit(read).await;
        assert_eq!(reply.status(), "accepted", "{name}: {reply:?}");
    }
    let last = service.durable_sequence();
    service.watch_position().wait_for(|position| position.sequence == last).await.unwrap();
    service
}

async fn decided(service: &Service, mut request: Request) -> &'static str {
    request.dry_run = true;
    let answered = tokio::time::timeout(PATIENCE, service.submit(request)).await;
    answered.expect("every command is answered").status()
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_comes_is_answered_and_changes_nothing() {
    let [inputs_wanted, seed] = [("FUZZ_INPUTS", INPUTS), ("FUZZ_SEED", 1)]
        .map(|(name, usual)| std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(usual));
    let service = given_a_shop().await;
    let before = (service.durable_sequence(), service.projections().ledger_hash());
    let mut inputs = Inputs::new(seed as u64);
    let (mut refused, mut accepted, mut unread, mut pages) = (0, 0, 0, 0);
    for number in 0..inputs_wanted {
        let mut read = Vec::new();
        match number % 4 {
            0 | 1 => {
                let (name, body) = inputs.command();
                read.push(request::read_command(name, &body, &envelope("fuzz")));
            }
            2 => {
                match Batch::read(&inputs.batch(), &Envelope::read(Caller::anonymous(), |_| vec![]).unwrap())
                {
                    Ok(Batch::Atomic(request)) => read.push(Ok(request)),
                    Ok(Batch::Each(requests)) => read.extend(requests),
                    Err(_) => unread += 1,
                }
            }
            _ => {
                let view = projections::VIEWS[inputs.random.usize(..projections::VIEWS.len())].name;
                if let Ok(mut query) = read_query(&inputs.query()) {
                    // A position that is still to come is waited for.
                    query.min_position = None;
                    let asked = tokio::time::timeout(PATIENCE, service.query(view, query)).await;
                    pages += usize::from(asked.expect("every question is answered").is_ok());
                }
            }
        }
        for read in read {
            match read {
                Err(_) => unread += 1,
                Ok(request) => match decided(&service, request).await {
                    "accepted" => accepted += 1,
                    _ => refused += 1,
                },
            }
        }
    }
    println!("{unread} unread, {refused} refused, {accepted} would be accepted, {pages} pages");
    assert!(refused > 0 && accepted > 0 && pages > 0, "{refused} {accepted} {pages}");
    assert_eq!((service.durable_sequence(), service.projections().ledger_hash()), before);
    assert_eq!(service.trouble(), None);
}
