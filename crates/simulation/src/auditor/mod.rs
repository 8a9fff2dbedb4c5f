//! The auditor: predicts every answer before it is given, and says which history the journal must hold.
//!
//! It sees what the writer sees (commands in the order in which they are handed over, the wall clock, the fate of
//! frames) and keeps its own idea of what that comes to, in a [`Shop`] that knows nothing of the ledger's code.

mod evidence;
mod history;
mod remembered;
mod standing;
mod timers;

use std::collections::BTreeMap;

use command_api::writer::Answer;

use crate::ask::Ask;
use crate::model::{Fact, Shop, When, takes_effective_at};
use crate::{Timed, Violation};
use remembered::Remembered;
use standing::Standing;

pub(crate) use evidence::agrees_with;

/// What the writer has to answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expected {
    Unavailable,
    Busy(&'static str),
    Conflict(&'static str),
    Duplicate(Vec<(String, u64)>),
    Rejected { sequence: u64, code: &'static str },
    WouldBeAccepted { sequence: u64, facts: Vec<Fact> },
    Accepted { sequence: u64, facts: Vec<Fact> },
}

/// An entry that must be in the journal if one behind it is.
#[derive(Debug, Clone)]
pub(crate) struct Entered {
    pub(crate) log_time: i64,
    /// The command ids, in order.
    pub(crate) ids: Vec<String>,
    /// `None` for what the writer itself records.
    ask: Option<Ask>,
    facts: Vec<Fact>,
}

pub(crate) struct Auditor {
    shop: Shop,
    remembered: Remembered,
    /// Every entry that was accepted, durable or not; entry n has sequence n + 1.
    log: Vec<Entered>,
    /// The last sequence that anyone was told of.
    acknowledged: u64,
    standing: Standing,
    waiting: BTreeMap<u64, Expected>,
}

impl Auditor {
    pub(crate) fn new(remember_days: u32, remember_max: usize) -> Self {
        Auditor {
            shop: Shop::default(),
            remembered: Remembered::new(remember_days, remember_max),
            log: Vec::new(),
            acknowledged: 0,
            standing: Standing::default(),
            waiting: BTreeMap::new(),
        }
    }

    /// Begins with a history that others recorded.
    pub(crate) fn behind(log: Vec<Entered>, remember_days: u32, remember_max: usize) -> Self {
        let mut auditor = Auditor::new(remember_days, remember_max);
        auditor.replay(log);
        auditor
    }

    /// The entries of these sequences.
    pub(crate) fn entries(&self, first: u64, last: u64) -> Vec<Entered> {
        let place = |sequence: u64| usize::try_from(sequence).expect("a log fits memory");
        self.log[place(first) - 1..place(last)].to_vec()
    }

    /// The shop as decided so far: ahead of what is durable.
    pub(crate) fn shop(&self) -> &Shop {
        &self.shop
    }

    pub(crate) fn acknowledged(&self) -> u64 {
        self.acknowledged
    }

    /// How many answers are due.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// How many entries up to this sequence nobody asked for, but time.
    pub(crate) fn timed(&self, last: u64) -> Timed {
        let asks = self.log.iter().zip(1..=last).filter_map(|(entry, _)| entry.ask.as_ref());
        asks.fold(Timed::default(), |timed, ask| match ask.commands[0].name {
            "stock.expire_reservation" => Timed { claims: timed.claims + 1, ..timed },
            "returns.expire" => Timed { returns: timed.returns + 1, ..timed },
            "orders.expire_hold" => Timed { holds: timed.holds + 1, ..timed },
            "orders.archive" => Timed { archived: timed.archived + 1, ..timed },
            _ => timed,
        })
    }

    /// The last sequence accepted, durable or not.
    pub(crate) fn sequence(&self) -> u64 {
        self.log.len() as u64
    }

    /// A writer takes the ledger at the end of a journal that holds this many entries: the ones behind were never
    /// durable, and are forgotten.
    pub(crate) fn writer_starts(&mut self, recovered: u64, now: i64) {
        self.waiting.clear();
        self.forget_after(recovered);
        let epoch =
            1 + self.log.iter().filter(|entry| entry.ids[0].starts_with("ledger/epoch/")).count() as u64;
        let last = self.log.last().map(|entry| entry.log_time);
        self.standing = Standing::of_a_start(epoch, last);
        if self.log.is_empty() {
            let rules = format!("ledger/rules/{}", ledger_core::control::RULES_KNOWN.end());
            let genesis = ("ledger/create".to_owned(), "ledger.created");
            self.enter_control(vec![genesis, (rules, "ledger.rules_activated")], now);
        }
        self.enter_control(vec![(format!("ledger/epoch/{epoch}"), "ledger.epoch_started")], now);
        self.standing.append_when_free();
    }

    /// Drops the entries behind this sequence and everything they did.
    fn forget_after(&mut self, sequence: u64) {
        if sequence == self.log.len() as u64 {
            return;
        }
        self.shop = Shop::default();
        self.remembered.clear();
        let mut log = std::mem::take(&mut self.log);
        log.truncate(usize::try_from(sequence).expect("a log fits memory"));
        self.replay(log);
    }

    fn replay(&mut self, log: Vec<Entered>) {
        for entry in log {
            if let Some(ask) = &entry.ask {
                let facts = decide_all(&mut self.shop, ask, entry.log_time, &entry.ids);
                assert_eq!(facts.as_ref(), Ok(&entry.facts), "the naive shop decides the same again");
            }
            self.note(entry);
        }
    }

    fn enter_control(&mut self, commands: Vec<(String, &'static str)>, now: i64) {
        let log_time = self.standing.log_time_of_next_entry(now);
        self.standing.enter(log_time);
        let (ids, names): (Vec<_>, Vec<_>) = commands.into_iter().unzip();
        let facts = names.into_iter().map(Fact::new).collect();
        self.note(Entered { log_time, ids, ask: None, facts });
    }

    fn note(&mut self, entry: Entered) {
        let sequence = self.log.len() as u64 + 1;
        self.remembered.note(&entry.ids, entry.ask.as_ref(), sequence, entry.log_time);
        self.log.push(entry);
    }

    /// The writer is handed a command that will be answered under this token. `takes` says whether it takes commands.
    pub(crate) fn command(&mut self, token: u64, ask: &Ask, now: i64, takes: bool) {
        let expected = self.predict(ask, now, takes);
        self.waiting.insert(token, expected);
        self.standing.serves = true;
        self.goes_on(now);
    }

    fn predict(&mut self, ask: &Ask, now: i64, takes: bool) -> Expected {
        if let Some(refused) = self.standing.refuses(now, takes) {
            return refused;
        }
        if let Some(known) = self.remembered.answer(ask) {
            return known;
        }
        let log_time = self.standing.log_time_of_next_entry(now);
        let sequence = self.sequence();
        let ids: Vec<String> = ask.commands.iter().map(|command| command.id.clone()).collect();
        let mut after =
            ask.is_only_one_step().then_some(()).map_or_else(|| Some(self.shop.clone()), |()| None);
        let decided = decide_all(after.as_mut().unwrap_or(&mut self.shop), ask, log_time, &ids);
        match decided {
            Err(code) => Expected::Rejected { sequence, code },
            Ok(facts) if ask.dry_run => Expected::WouldBeAccepted { sequence, facts },
            Ok(facts) => {
                if let Some(after) = after {
                    self.shop = after;
                }
                self.standing.enter(log_time);
                self.note(Entered { log_time, ids, ask: Some(ask.clone()), facts: facts.clone() });
                Expected::Accepted { sequence: sequence + 1, facts }
            }
        }
    }

    /// The journal told the fate of the frame in flight.
    pub(crate) fn frame_settled(&mut self, durable: bool, now: i64) {
        self.standing.settle(durable);
        self.goes_on(now);
    }

    pub(crate) fn space(&mut self, enough: bool, now: i64) {
        self.standing.full = !enough;
        self.goes_on(now);
    }

    pub(crate) fn tick(&mut self, now: i64) {
        self.standing.observe(now);
        self.standing.serves = true;
        self.goes_on(now);
    }

    /// The hash of the state after this entry is handed to the writer: it is recorded if it is news, or let go.
    pub(crate) fn state_hash(&mut self, at_sequence: u64, now: i64) {
        let id = |sequence: &u64| format!("ledger/state_hash/{sequence}");
        let is_known = |sequence: u64| self.log.iter().any(|entry| entry.ids[0] == id(&sequence));
        let is_news = !(at_sequence..=self.sequence()).any(is_known);
        if self.standing.refuses(now, true).is_none() && is_news {
            self.enter_control(vec![(id(&at_sequence), "ledger.state_hash_recorded")], now);
        }
        self.goes_on(now);
    }

    /// Whether somebody was told of an entry behind the one that records the hash of this state.
    pub(crate) fn has_told_state_hash(&self, at_sequence: u64) -> bool {
        let id = format!("ledger/state_hash/{at_sequence}");
        let place = self.log.iter().position(|entry| entry.ids[0] == id);
        place.is_some_and(|place| (place as u64) < self.acknowledged)
    }

    pub(crate) fn clock_confirmed(&mut self, now: i64) {
        self.standing.confirm(now);
        self.goes_on(now);
    }

    /// Whatever happened: what is due is decided, and the open frame is handed over when none is in flight.
    fn goes_on(&mut self, now: i64) {
        self.decide_due(now);
        self.standing.append_when_free();
    }

    /// The writer answers. `durable` is the last sequence that the journal has told to be durable.
    pub(crate) fn answered(&mut self, token: u64, answer: &Answer, durable: u64) -> Result<(), Violation> {
        let Some(expected) = self.waiting.remove(&token) else {
            return Err(format!("an answer that nobody waits for: {answer:?}").into());
        };
        if let Answer::Unknown { .. } = answer {
            let may_be_unknown = !matches!(expected, Expected::Unavailable | Expected::Busy(_));
            return if self.standing.stopped && may_be_unknown {
                Ok(())
            } else {
                Err(differs(&expected, answer))
            };
        }
        if !evidence::is_as_expected(&expected, answer, self.standing.epoch) {
            return Err(differs(&expected, answer));
        }
        let told_of = match &expected {
            Expected::Accepted { sequence, .. }
            | Expected::WouldBeAccepted { sequence, .. }
            | Expected::Rejected { sequence, .. } => *sequence,
            Expected::Duplicate(accepted) => {
                accepted.iter().map(|(_, sequence)| *sequence).max().unwrap_or_default()
            }
            Expected::Unavailable | Expected::Busy(_) | Expected::Conflict(_) => 0,
        };
        if told_of > durable {
            return Err(format!(
                "an answer tells of sequence {told_of}, but {durable} is durable: {answer:?}"
            )
            .into());
        }
        self.acknowledged = self.acknowledged.max(told_of);
        Ok(())
    }
}

impl Auditor {
    /// Entries that were acknowledged are gone, and the damage that was done permits that.
    pub(crate) fn forgive_loss(&mut self, recovered: u64) {
        self.acknowledged = self.acknowledged.min(recovered);
    }
}

fn differs(expected: &Expected, answer: &Answer) -> Violation {
    format!("wanted {expected:?}\nfound {answer:?}").into()
}

/// All commands of a request, one after the other; the first refusal is that of all.
fn decide_all(shop: &mut Shop, ask: &Ask, log_time: i64, ids: &[String]) -> Result<Vec<Fact>, &'static str> {
    let mut facts = Vec::new();
    for (at, command) in ask.commands.iter().enumerate() {
        if ids[..at].contains(&command.id) {
            return Err("command_id_twice");
        }
        if let Some(effective_at) = command.effective_at {
            if !takes_effective_at(command.name) {
                return Err("effective_time_not_taken");
            }
            if effective_at > log_time {
                return Err("effective_in_the_future");
            }
        }
        let when = When {
            log_time,
            effective_at: command.effective_at.unwrap_or(log_time),
            assigned: command.assigned.to_string(),
        };
        facts.extend(shop.decide(command.name, &command.body, &when)?);
    }
    Ok(facts)
}
