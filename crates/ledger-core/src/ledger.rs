//! The ledger: what all entries so far have folded into, and the one fold that writer, projections and replay call.

mod sections;

pub use sections::{Copied, Copying, SECTIONS, STATE_FORMAT, state_root};

use bincode::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::books::Fact;
use crate::channels::Channels;
use crate::control::{Control, StateHash};
use crate::customers::Customers;
use crate::draft::{Context, Draft};
use crate::due::DueQueue;
use crate::entry::{Decided, Entry, Submission, Submitted};
use crate::finance::Finance;
use crate::fulfilment::Shipments;
use crate::items::Items;
use crate::kinds::Event;
use crate::locations::Locations;
use crate::orders::Orders;
use crate::payments::Payments;
use crate::rejection::{EntryRefusal, Rejection};
use crate::remembered::{Remembered, RememberedCommand};
use crate::returns::Returns;
use crate::state::{Index, KeyHash, Undo};
use crate::stock::Stock;
use crate::values::{Name, Text, Timestamp};

/// The largest encoded entry: a history can always move between journals.
pub const ENTRY_BYTES_MAX: usize = 512 * 1024;

/// What is fixed when the ledger is created.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The ledger's label: `[a-z0-9][a-z0-9_-]{0,31}`. Its identity is the uuid of its journal.
    pub name: Name,
    /// ISO 4217 code of the currency the books are kept in.
    pub currency: Name,
    /// Nothing can have happened before; open when absent.
    pub opening_date: Option<Timestamp>,
    /// How long an accepted command id is remembered, in days of log time.
    pub remember_days: u32,
    /// How many accepted command ids are remembered at the most.
    pub remember_commands_max: u64,
}

impl Settings {
    /// The default settings under a label.
    pub fn named(name: Name) -> Self {
        let currency = Name::try_new("EUR").expect("a currency code is a name");
        Settings { name, currency, opening_date: None, remember_days: 7, remember_commands_max: 10_000_000 }
    }
}

/// The times of a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// When it is recorded: one time for all entries of a frame, never going back.
    pub log_time: Timestamp,
    /// When it was true.
    pub effective_at: Timestamp,
    /// The entry's sequence.
    pub sequence: u64,
}

/// The end of what is folded in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
pub struct Head {
    /// Sequence of the last entry; 0 before the first.
    pub sequence: u64,
    /// Ordinal of the last event; 0 before the first.
    pub event: u64,
    /// Log time of the last entry.
    pub log_time: Timestamp,
}

/// The state of a business: every module's, the remembered commands, and how far the log is folded in.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Ledger {
    pub(crate) control: Control,
    pub(crate) items: Items,
    pub(crate) locations: Locations,
    pub(crate) customers: Customers,
    pub(crate) channels: Channels,
    pub(crate) stock: Stock,
    pub(crate) orders: Orders,
    pub(crate) payments: Payments,
    pub(crate) shipments: Shipments,
    pub(crate) returns: Returns,
    pub(crate) finance: Finance,
    pub(crate) due: DueQueue,
    remembered: Remembered,
    head: Head,
    recording: Recording,
    /// The first invariant that an event did not keep, since the entry was opened.
    broken: Option<String>,
}

/// Whether changes can be taken back: how a ledger is worked on, and not part of what it says.
#[derive(Debug, Clone, Copy, Default)]
struct Recording(bool);

impl PartialEq for Recording {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

macro_rules! each_module {
    ($ledger:ident, $step:ident($($with:expr)?)) => {{
        $ledger.control.$step($($with)?);
        $ledger.items.$step($($with)?);
        $ledger.locations.$step($($with)?);
        $ledger.customers.$step($($with)?);
        $ledger.channels.$step($($with)?);
        $ledger.stock.$step($($with)?);
        $ledger.orders.$step($($with)?);
        $ledger.payments.$step($($with)?);
        $ledger.shipments.$step($($with)?);
        $ledger.returns.$step($($with)?);
        $ledger.finance.$step($($with)?);
        $ledger.due.$step($($with)?);
    }};
}

impl Ledger {
    /// An empty ledger: its first entry creates it.
    pub fn new() -> Self {
        Ledger::default()
    }

    /// What was fixed at its creation; `None` before.
    pub fn settings(&self) -> Option<&Settings> {
        self.control.settings.as_ref()
    }

    /// The number of writer starts so far.
    pub fn epoch(&self) -> u64 {
        *self.control.epoch
    }

    /// The version of the rules that decide the next command.
    pub fn rules(&self) -> u32 {
        self.control.rules.unwrap_or(1)
    }

    /// The last hash of an earlier state that was recorded.
    pub fn state_hash(&self) -> Option<StateHash> {
        *self.control.state_hash
    }

    /// How far the log is folded in.
    pub fn head(&self) -> Head {
        self.head
    }

    /// The item catalogue.
    pub fn items(&self) -> &Items {
        &self.items
    }

    /// The locations.
    pub fn locations(&self) -> &Locations {
        &self.locations
    }

    /// The customers.
    pub fn customers(&self) -> &Customers {
        &self.customers
    }

    /// The sales channels.
    pub fn channels(&self) -> &Channels {
        &self.channels
    }

    /// The stock book.
    pub fn stock(&self) -> &Stock {
        &self.stock
    }

    /// The orders.
    pub fn orders(&self) -> &Orders {
        &self.orders
    }

    /// The payments.
    pub fn payments(&self) -> &Payments {
        &self.payments
    }

    /// The shipments.
    pub fn shipments(&self) -> &Shipments {
        &self.shipments
    }

    /// The returns and refunds.
    pub fn returns(&self) -> &Returns {
        &self.returns
    }

    /// The financial book.
    pub fn finance(&self) -> &Finance {
        &self.finance
    }

    /// The accepted commands that a repeat would meet.
    pub fn remembered(&self) -> &Remembered {
        &self.remembered
    }

    /// Decides a submission at a log time. Accepted, it waits to be taken into the log or dropped; refused, the ledger
    /// is as it was.
    pub fn decide(&mut self, submission: Submission, log_time: Timestamp) -> Result<Pending<'_>, Rejection> {
        self.record(true);
        self.broken = None;
        match self.build(submission, log_time) {
            Ok((entry, bytes)) => Ok(Pending { ledger: self, log_time, entry: Some((entry, bytes)) }),
            Err(rejection) => {
                self.roll_back();
                Err(rejection)
            }
        }
    }

    /// Folds an entry of the log in. The first invariant that it does not keep is the error; the fold goes on.
    pub fn apply(&mut self, entry: &Entry, log_time: Timestamp) -> Result<(), String> {
        self.record(false);
        self.broken = None;
        for decided in &entry.commands {
            let moment = self.moment(decided.submitted.effective_at, log_time);
            for event in &decided.events {
                self.apply_event(event, &moment);
            }
        }
        self.advance(entry, log_time);
        self.broken.take().map_or(Ok(()), Err)
    }

    fn build(&mut self, submission: Submission, log_time: Timestamp) -> Result<(Entry, Vec<u8>), Rejection> {
        let Submission { actor, roles, correlation, commands: submitted } = submission;
        let mut commands: Vec<Decided> = Vec::with_capacity(submitted.len());
        let mut ids = Ids::default();
        for submitted in submitted {
            if !ids.add(&submitted, &commands) {
                return Err(EntryRefusal::CommandIdTwice { id: submitted.id.to_string() }.into());
            }
            self.check_envelope(&submitted, log_time)?;
            let moment = self.moment(submitted.effective_at, log_time);
            let mut draft =
                Draft::open(self, Context { moment, actor: actor.clone(), assigned: submitted.assigned });
            submitted.command.decide(&mut draft)?;
            let events = draft.into_events();
            if let Some(what) = self.broken.take() {
                return Err(EntryRefusal::BooksWouldBreak { what }.into());
            }
            commands.push(Decided { submitted, events });
        }
        let entry = Entry { actor, roles, correlation, commands };
        let mut bytes = Vec::with_capacity(512);
        entry.encode(&mut bytes);
        if bytes.len() > ENTRY_BYTES_MAX {
            return Err(
                EntryRefusal::DocumentTooLarge { bytes: bytes.len(), bytes_max: ENTRY_BYTES_MAX }.into()
            );
        }
        Ok((entry, bytes))
    }

    fn check_envelope(&self, submitted: &Submitted, log_time: Timestamp) -> Result<(), EntryRefusal> {
        let Some(effective_at) = submitted.effective_at else { return Ok(()) };
        if !submitted.command.takes_effective_at() {
            return Err(EntryRefusal::EffectiveTimeNotTaken { command: submitted.command.name().to_owned() });
        }
        if effective_at > log_time {
            return Err(EntryRefusal::EffectiveInTheFuture { effective_at, log_time });
        }
        match self.control.settings.as_ref().and_then(|settings| settings.opening_date) {
            Some(opening_date) if effective_at < opening_date => {
                Err(EntryRefusal::EffectiveBeforeOpening { effective_at, opening_date })
            }
            _ => Ok(()),
        }
    }

    fn moment(&self, effective_at: Option<Timestamp>, log_time: Timestamp) -> Moment {
        Moment { log_time, effective_at: effective_at.unwrap_or(log_time), sequence: self.head.sequence + 1 }
    }

    /// One fact, three books.
    pub(crate) fn apply_event(&mut self, event: &Event, at: &Moment) {
        event.movements(&mut |movement| {
            if let Err(what) = crate::stock::apply_movement(self, &movement) {
                self.broken.get_or_insert(what);
            }
        });
        event.apply(self, at);
        let mut balance = crate::values::Amount::ZERO;
        event.postings(&mut |posting| {
            balance += posting.amount;
            if let Err(what) = self.finance.post(&posting) {
                self.broken.get_or_insert(what);
            }
        });
        if !balance.is_zero() {
            self.broken
                .get_or_insert_with(|| format!("{} leaves debit and credit {balance} apart", event.name()));
        }
    }

    fn advance(&mut self, entry: &Entry, log_time: Timestamp) {
        const DAY_MICROS: i64 = 86_400_000_000;
        self.head.sequence += 1;
        self.head.event += u64::from(entry.event_count());
        self.head.log_time = log_time;
        self.orders.settle();
        self.shipments.settle();
        for decided in &entry.commands {
            self.remembered.remember(RememberedCommand {
                fingerprint: decided.submitted.fingerprint(),
                sequence: self.head.sequence,
                log_time,
            });
        }
        if let Some(settings) = &*self.control.settings {
            let since = log_time.plus_micros(-DAY_MICROS * i64::from(settings.remember_days));
            self.remembered.expire(since, settings.remember_commands_max);
        }
    }

    /// A writer decides and a reader folds: hardly any ledger ever does both, so that this changes next to never.
    fn record(&mut self, recording: bool) {
        if self.recording.0 != recording {
            self.recording = Recording(recording);
            each_module!(self, record(recording));
        }
    }

    fn roll_back(&mut self) {
        each_module!(self, roll_back());
        self.broken = None;
    }

    fn commit(&mut self) {
        each_module!(self, commit());
    }
}

/// The ids of the commands of an entry that is being built; a thousand commands are told apart as fast as two.
#[derive(Default)]
struct Ids(Option<Index>);

impl Ids {
    /// False for an id that one of those before has.
    fn add(&mut self, submitted: &Submitted, before: &[Decided]) -> bool {
        let id = |submitted: &Submitted| submitted.fingerprint().id;
        let Some(last) = before.last() else { return true };
        let seen = self.0.get_or_insert_default();
        seen.insert(KeyHash::of_hash(&id(&last.submitted)), before.len() as u32 - 1);
        let is_it = |place: u32| id(&before[place as usize].submitted) == id(submitted);
        seen.find(KeyHash::of_hash(&id(submitted)), is_it).is_none()
    }
}

/// An entry that was decided and applied, but not yet taken: dropped, it never was (that is what a dry run does).
#[derive(Debug)]
pub struct Pending<'l> {
    ledger: &'l mut Ledger,
    log_time: Timestamp,
    entry: Option<(Entry, Vec<u8>)>,
}

impl Pending<'_> {
    /// What would be recorded.
    pub fn entry(&self) -> &Entry {
        &self.entry.as_ref().expect("only accept takes the entry, and it takes self").0
    }

    /// The stored bytes of what would be recorded.
    pub fn bytes(&self) -> &[u8] {
        &self.entry.as_ref().expect("only accept takes the entry, and it takes self").1
    }

    /// Takes the entry into the log: its sequence, the entry and its stored bytes.
    pub fn accept(mut self) -> (u64, Entry, Vec<u8>) {
        let (entry, bytes) = self.entry.take().expect("only accept takes the entry, and it takes self");
        self.ledger.commit();
        self.ledger.advance(&entry, self.log_time);
        (self.ledger.head.sequence, entry, bytes)
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        if self.entry.is_some() {
            self.ledger.roll_back();
        }
    }
}
