//! A shop in memory: commands are decided as a writer would decide them, into a journal of frames.

#![allow(clippy::unwrap_used, reason = "in a test, what cannot be had is a failure")]
#![allow(dead_code, reason = "each test file uses its part of the shop")]

use std::sync::Arc;

use journal::{FrameBuilder, Journal, JournalRead, MemoryJournal, MemoryReader, Outcome};
use ledger_core::values::{ActorId, CommandId, Name, Text, Timestamp};
use ledger_core::{Actor, ActorKind, Command, Ledger, Rejection, Settings, Submission, Submitted, control};
use projections::{AsOf, MemoryStore, Page, Projections, Query};
use serde_json::{Value, json};

pub(crate) const LEDGER: [u8; 16] = [9; 16];

/// A writer without threads: a ledger and its journal.
pub(crate) struct Shop {
    pub(crate) ledger: Ledger,
    journal: MemoryJournal,
    frame: Option<FrameBuilder>,
    epoch: u64,
    pub(crate) now: Timestamp,
    actor: String,
    commands: u64,
    /// Entries that a frame takes before it is made durable.
    pub(crate) frame_entries: usize,
}

/// A ledger that was created, under its first writer.
pub(crate) fn given_nothing() -> Shop {
    let mut shop = Shop {
        ledger: Ledger::new(),
        journal: MemoryJournal::new(LEDGER),
        frame: None,
        epoch: 1,
        now: Timestamp::parse("2026-01-01T00:00:00Z").unwrap(),
        actor: "clerk".to_owned(),
        commands: 0,
        frame_entries: 1,
    };
    let settings = Settings::named(Name::try_new("main").unwrap());
    shop.submit(vec![(control::Create { settings }.into(), None)]).unwrap();
    shop.submit(vec![(control::StartEpoch { writer: Name::try_new("test").unwrap() }.into(), None)]).unwrap();
    shop
}

/// Items TEA-01 and TEA-02 (FIFO) and AVG-01 (average); locations AMS1 and BER1; channel web
/// (prepaid, backorders) selling from both.
pub(crate) fn given_a_shop() -> Shop {
    let mut shop = given_nothing();
    for (sku, costing) in [("TEA-01", "fifo"), ("TEA-02", "fifo"), ("AVG-01", "moving_average")] {
        shop.send("items.define", json!({"sku": sku, "name": sku, "costing": costing}));
        shop.send("items.activate", json!({"sku": sku}));
    }
    shop.send("locations.define", json!({"location": "AMS1", "name": "Amsterdam", "kind": "warehouse"}));
    shop.send("locations.define", json!({"location": "BER1", "name": "Berlin", "kind": "store"}));
    let web = json!({"channel": "web", "name": "Web shop", "kind": "web", "settlement": "prepaid",
        "oversell": "backorder", "partial_shipment": "allowed", "locations": ["AMS1", "BER1"]});
    shop.send("channels.define", web);
    shop
}

impl Shop {
    /// A command that is accepted, a minute after the one before.
    pub(crate) fn send(&mut self, name: &str, body: Value) -> u64 {
        self.now = self.now.plus_micros(60_000_000);
        self.submit(vec![(command(name, body), None)]).unwrap_or_else(|refused| panic!("{name}: {refused}"))
    }

    /// A command that says when it was true.
    pub(crate) fn send_effective(&mut self, at: &str, name: &str, body: Value) -> u64 {
        self.now = self.now.plus_micros(60_000_000);
        let at = Timestamp::parse(at);
        self.submit(vec![(command(name, body), at)]).unwrap_or_else(|refused| panic!("{name}: {refused}"))
    }

    /// A command that may be refused.
    pub(crate) fn try_send(&mut self, name: &str, body: Value) -> Result<u64, Rejection> {
        self.now = self.now.plus_micros(1_000_000);
        self.submit(vec![(command(name, body), None)])
    }

    /// Commands that stand or fall together.
    pub(crate) fn send_batch(&mut self, commands: Vec<(&str, Value)>) -> u64 {
        let commands = commands.into_iter().map(|(name, body)| (command(name, body), None)).collect();
        self.submit(commands).unwrap_or_else(|refused| panic!("{refused}"))
    }

    /// From here on somebody else acts.
    pub(crate) fn acts(&mut self, actor: &str) {
        actor.clone_into(&mut self.actor);
    }

    /// Another writer takes over.
    pub(crate) fn restart(&mut self) {
        self.seal();
        self.epoch += 1;
        let writer = Name::try_new("test").unwrap();
        self.submit(vec![(control::StartEpoch { writer }.into(), None)]).unwrap();
    }

    /// Days pass.
    pub(crate) fn days_later(&mut self, days: u32) {
        self.seal();
        self.now = self.now.plus_days(days);
    }

    fn submit(&mut self, commands: Vec<(Command, Option<Timestamp>)>) -> Result<u64, Rejection> {
        let commands = commands.into_iter().map(|(command, effective_at)| {
            // A start has an id of its own, so that commands are numbered alike however often a writer starts.
            let id = match &command {
                Command::LedgerStartEpoch(_) => format!("start-{}", self.epoch),
                _ => {
                    self.commands += 1;
                    format!("c-{}", self.commands)
                }
            };
            let id = CommandId::try_new(id).unwrap();
            let mut assigned = [0; 16];
            assigned[8..].copy_from_slice(&self.commands.to_be_bytes());
            Submitted::new(id, effective_at, Some(assigned), command)
        });
        let commands: Vec<Submitted> = commands.collect();
        let actor = Actor { id: ActorId::try_new(&self.actor).unwrap(), kind: ActorKind::Person };
        let submission = Submission { actor, roles: Vec::new(), correlation: None, commands };
        let log_time = match &self.frame {
            Some(_) => self.ledger.head().log_time,
            None => self.now,
        };
        let event = self.ledger.head().event + 1;
        let (sequence, entry, bytes) = self.ledger.decide(submission, log_time)?.accept();
        let previous = self.journal.reader().head().hash;
        let frame = self.frame.get_or_insert_with(|| {
            FrameBuilder::open(LEDGER, self.epoch, sequence, event, log_time.micros(), previous)
        });
        frame.push(&bytes, entry.event_count());
        if frame.entries_len() >= self.frame_entries || frame.is_full() {
            self.seal();
        }
        Ok(sequence)
    }

    /// Makes the open frame durable.
    pub(crate) fn seal(&mut self) {
        let Some(frame) = self.frame.take() else { return };
        self.journal.submit(frame.seal());
        assert!(matches!(self.journal.poll(), Some(Outcome::Durable { .. })));
    }

    /// The journal, as a reader sees it.
    pub(crate) fn reader(&mut self) -> Arc<MemoryReader> {
        self.seal();
        Arc::new(self.journal.reader())
    }

    /// Projections over an empty store.
    pub(crate) fn projections(&mut self) -> Projections {
        Projections::open(Box::new(MemoryStore::new()), self.reader()).unwrap()
    }

    /// Every row of a view.
    pub(crate) fn rows(&mut self, view: &str, filter: Value) -> Value {
        Value::Array(all(&self.projections(), view, query(filter)))
    }

    /// Every row of a view, as of something.
    pub(crate) fn rows_as_of(&mut self, view: &str, filter: Value, as_of: AsOf) -> Value {
        let query = Query { as_of: Some(as_of), ..query(filter) };
        Value::Array(all(&self.projections(), view, query))
    }
}

/// A command from its JSON.
pub(crate) fn command(name: &str, body: Value) -> Command {
    Command::deserialize(name, body).expect("the command is in the table").expect("the body is well formed")
}

/// A query with a filter.
pub(crate) fn query(filter: Value) -> Query {
    Query { filter: filter.as_object().unwrap().clone(), ..Query::default() }
}

/// As of an effective time.
pub(crate) fn effective(at: &str) -> AsOf {
    AsOf { effective_at: Timestamp::parse(at), ..AsOf::default() }
}

/// As of a sequence.
pub(crate) fn sequence(sequence: u64) -> AsOf {
    AsOf { sequence: Some(sequence), ..AsOf::default() }
}

/// Follows `next` to the end.
pub(crate) fn all(projections: &Projections, view: &str, query: Query) -> Vec<Value> {
    let (mut rows, mut query) = (Vec::new(), query);
    loop {
        let Page { rows: page, next, .. } = projections.query(view, query.clone()).unwrap();
        rows.extend(page);
        match next {
            Some(next) => query.cursor = Some(next),
            None => return rows,
        }
    }
}
