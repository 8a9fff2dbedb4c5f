//! The retailer of the demo: its ledger, its clock, its dice, and the commands it has given so far.

use ledger_core::values::{ActorId, CommandId, Name, Text, Timestamp};
use ledger_core::{Actor, ActorKind, Command, Event, Ledger, Settings, Submission, Submitted, control};
use serde_json::Value;

/// A command of the month.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// `demo/<seed>/<number>`: loading the month twice changes nothing.
    pub command_id: String,
    /// `module.action`.
    pub name: &'static str,
    /// The command's fields.
    pub body: Value,
    /// When it was given, for those that may say so.
    pub effective_at: Option<Timestamp>,
    /// The demo's clock.
    pub at: Timestamp,
}

/// Midnight before the month's first day.
const FIRST_DAY: &str = "2026-09-01T00:00:00Z";

/// The retailer.
#[derive(Debug)]
pub struct Retailer {
    pub(super) ledger: Ledger,
    pub(super) dice: fastrand::Rng,
    pub(super) now: Timestamp,
    pub(super) orders_placed: u32,
    /// Shipments under way: id, and the day on which they arrive.
    pub(super) on_the_road: Vec<(String, u32)>,
    /// Orders that arrived, by day: what may come back.
    pub(super) arrived: Vec<(String, u32)>,
    pub(super) returns_opened: u32,
    seed: u64,
    steps: Vec<Step>,
}

impl Retailer {
    pub(super) fn open(seed: u64) -> Self {
        let mut retailer = Retailer {
            ledger: Ledger::new(),
            dice: fastrand::Rng::with_seed(seed),
            now: Timestamp::parse(FIRST_DAY).expect("the first day is a time"),
            orders_placed: 0,
            on_the_road: Vec::new(),
            arrived: Vec::new(),
            returns_opened: 0,
            seed,
            steps: Vec::new(),
        };
        let settings = Settings::named(Name::try_new("demo").expect("demo is a name"));
        retailer.decide("genesis", None, control::Create { settings }.into());
        retailer
    }

    pub(super) fn into_steps(self) -> Vec<Step> {
        self.steps
    }

    /// The clock stands at an hour of a day, or where it was if that is later.
    pub(super) fn wait_until(&mut self, day: u32, hour: u32) {
        const HOUR_MICROS: i64 = 3_600_000_000;
        let first = Timestamp::parse(FIRST_DAY).expect("the first day is a time");
        self.now = self.now.max(first.plus_days(day).plus_micros(i64::from(hour) * HOUR_MICROS));
    }

    /// Gives a command; a refused one is not part of the month. The events say what happened.
    pub(super) fn act(&mut self, name: &'static str, body: Value) -> Option<Vec<Event>> {
        const SECOND_MICROS: i64 = 1_000_000;
        self.now = self.now.plus_micros(SECOND_MICROS);
        let command =
            Command::deserialize(name, &body)?.unwrap_or_else(|fault| panic!("{name} {body}: {fault}"));
        let effective_at = command.takes_effective_at().then_some(self.now);
        let command_id = format!("demo/{}/{}", self.seed, self.steps.len() + 1);
        let events = self.decide(&command_id, effective_at, command)?;
        self.steps.push(Step { command_id, name, body, effective_at, at: self.now });
        Some(events)
    }

    /// True in so many of a hundred cases.
    pub(super) fn chance(&mut self, percent: u32) -> bool {
        self.dice.u32(0..100) < percent
    }

    fn decide(&mut self, id: &str, effective_at: Option<Timestamp>, command: Command) -> Option<Vec<Event>> {
        let id = CommandId::try_new(id).expect("the demo's command ids are short");
        let actor =
            Actor { id: ActorId::try_new("demo").expect("demo is an id"), kind: ActorKind::Connector };
        let commands = vec![Submitted::new(id, effective_at, None, command)];
        let submission = Submission { actor, roles: Vec::new(), correlation: None, commands };
        let (_, entry, _) = self.ledger.decide(submission, self.now).ok()?.accept();
        Some(entry.events().cloned().collect())
    }
}
