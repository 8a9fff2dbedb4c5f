//! Which command ids the ledger must know again, and what it says to them.

use std::collections::VecDeque;

use super::Expected;
use crate::ask::{Ask, Command};

const DAY_MICROS: i64 = 86_400_000_000;

#[derive(Debug)]
pub(super) struct Remembered {
    days: i64,
    max: usize,
    known: VecDeque<Known>,
}

#[derive(Debug)]
struct Known {
    id: String,
    /// `None` for what the writer itself recorded.
    command: Option<Command>,
    sequence: u64,
    log_time: i64,
}

impl Remembered {
    pub(super) fn new(days: u32, max: usize) -> Self {
        Remembered { days: days.into(), max, known: VecDeque::new() }
    }

    pub(super) fn clear(&mut self) {
        self.known.clear();
    }

    /// Takes note of an entry; what is too old or too many is forgotten, the oldest first.
    pub(super) fn note(&mut self, ids: &[String], ask: Option<&Ask>, sequence: u64, log_time: i64) {
        for (at, id) in ids.iter().enumerate() {
            let command = ask.map(|ask| ask.commands[at].clone());
            self.known.push_back(Known { id: id.clone(), command, sequence, log_time });
        }
        let since = log_time - self.days * DAY_MICROS;
        while self.known.len() > self.max || self.known.front().is_some_and(|oldest| oldest.log_time < since)
        {
            self.known.pop_front();
        }
    }

    /// The answer to what was accepted before, in whole, in part or under the same id; `None` if all of it is new.
    pub(super) fn answer(&self, ask: &Ask) -> Option<Expected> {
        let mut again = Vec::new();
        for command in &ask.commands {
            let Some(known) = self.known.iter().rev().find(|known| known.id == command.id) else { continue };
            if !known.command.as_ref().is_some_and(|before| before.is_the_same_as(command)) {
                return Some(Expected::Conflict("command_id_reused"));
            }
            again.push((command.id.clone(), known.sequence));
        }
        match again.len() {
            0 => None,
            all if all == ask.commands.len() => Some(Expected::Duplicate(again)),
            _ => Some(Expected::Conflict("command_id_reused")),
        }
    }
}
