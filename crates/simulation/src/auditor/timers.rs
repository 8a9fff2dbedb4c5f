//! What the writer decides without being asked, because it is due.

use uuid::Uuid;

use super::{Auditor, Entered, decide_all};
use crate::ask::{Ask, Command};
use crate::model::Due;

/// So many after one thing that happens; the rest comes with the next.
const AT_ONCE_MAX: usize = 64;

impl Auditor {
    /// After everything that happens to the writer: what is due at the log time of an entry made now is decided.
    pub(super) fn decide_due(&mut self, now: i64) {
        let Some(first) = self.shop.dues().into_iter().next().filter(|_| self.standing.serves) else {
            return;
        };
        let log_time = self.standing.log_time_of_next_entry(now);
        if first.at > log_time || self.standing.refuses(now, true).is_some() {
            return;
        }
        for _ in 0..AT_ONCE_MAX {
            match self.shop.dues().into_iter().next() {
                Some(due) if due.at <= log_time => self.enter_due(&due, log_time),
                Some(_) | None => break,
            }
        }
    }

    fn enter_due(&mut self, due: &Due, log_time: i64) {
        let (name, body) = due.command();
        let command = Command { id: due.id(), name, body, effective_at: None, assigned: Uuid::nil() };
        let ask = Ask { commands: vec![command], dry_run: false };
        let ids = vec![due.id()];
        let facts = decide_all(&mut self.shop, &ask, log_time, &ids).expect("what is due is never refused");
        self.standing.enter(log_time);
        self.note(Entered { log_time, ids, ask: Some(ask), facts });
    }
}
