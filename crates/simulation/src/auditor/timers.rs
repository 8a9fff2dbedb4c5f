//! What the writer decides without being asked, because it is due.

use uuid::Uuid;

use super::{Auditor, Entered, decide_all};
use crate::ask::{Ask, Command};
use crate::model::Due;

/// So many after one thing that happens; the rest comes with the next.
const AT_ONCE_MAX: usize = 64;
/// What is refused is asked again after so long.
const REST_MICROS: i64 = 60_000_000;

impl Auditor {
    /// After everything that happens to the writer: what is due at the log time of an entry made now is decided.
    pub(super) fn decide_due(&mut self, now: i64) {
        let Some(first) = self.shop.dues().into_iter().next().filter(|_| self.standing.serves) else {
            return;
        };
        let log_time = self.standing.log_time_of_next_entry(now);
        let rests = self.standing.timers_rest_until.is_some_and(|until| log_time < until);
        if first.at > log_time || rests || self.standing.refuses(now, true).is_some() {
            return;
        }
        let mut refused = 0;
        for _ in 0..AT_ONCE_MAX {
            let due = self.shop.dues().into_iter().nth(refused);
            let Some(due) = due.filter(|due| due.at <= log_time) else { break };
            refused += usize::from(!self.enter_due(&due, log_time));
        }
        self.standing.timers_rest_until = (refused > 0).then(|| log_time + REST_MICROS);
    }

    fn enter_due(&mut self, due: &Due, log_time: i64) -> bool {
        let (name, body) = due.command();
        let command = Command { id: due.id(), name, body, effective_at: None, assigned: Uuid::nil() };
        let ask = Ask { commands: vec![command], dry_run: false };
        let ids = vec![due.id()];
        let mut after = self.shop.clone();
        let Ok(facts) = decide_all(&mut after, &ask, log_time, &ids) else { return false };
        self.shop = after;
        self.standing.enter(log_time);
        self.note(Entered { log_time, ids, ask: Some(ask), facts });
        true
    }
}
