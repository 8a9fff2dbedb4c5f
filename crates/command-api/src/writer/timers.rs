//! What falls due is decided like any command: the writer submits it to itself, out of the ledger's own queue.
//!
//! Nothing about it is kept outside the ledger. A timer is over when the entry that says so is in the log, so that a
//! restart, a crash or another owner neither loses one nor lets one happen twice.

use ledger_core::values::{ActorId, CommandId, Text, Timestamp};
use ledger_core::{Actor, ActorKind, Due, Rejection, Submission, Submitted};

use super::Writer;

/// So many a step at the most: commands come between.
const TIMERS_A_STEP_MAX: usize = 64;
/// A rule that refuses what is due is asked again after this long.
const REST_MICROS: i64 = 60_000_000;

impl<To> Writer<To> {
    /// Takes into the open frame what is due at its log time.
    pub(super) fn decide_due(&mut self, now: Timestamp) {
        let Some(due_at) = self.ledger.next_due_at().filter(|_| self.serves) else { return };
        let log_time = self.log_time_of_next_entry(now);
        let rests = self.timers_rest_until.is_some_and(|until| log_time < until);
        if due_at > log_time || rests || self.check_standing(now).is_err() {
            return;
        }
        let mut refused = 0;
        for _ in 0..TIMERS_A_STEP_MAX {
            let due = self.ledger.dues().nth(refused).filter(|due| due.at <= log_time);
            let Some(due) = due.filter(|_| self.takes_commands()) else { break };
            refused += usize::from(!self.takes_in(due, log_time));
        }
        if refused == 0 {
            self.timers_refused.clear();
        }
        self.timers_rest_until = (refused > 0).then(|| log_time.plus_micros(REST_MICROS));
    }

    fn takes_in(&mut self, due: Due, log_time: Timestamp) -> bool {
        let actor = Actor {
            id: ActorId::try_new("timer").expect("a short id without control characters"),
            kind: ActorKind::Timer,
        };
        let (id, at) = (due.id, due.at);
        let commands = vec![Submitted::new(id.clone(), None, None, due.command)];
        let submission = Submission { actor, roles: Vec::new(), correlation: None, commands };
        // What is due is due until the log says otherwise: the id does not decide, for a caller may have used it.
        let decided = self.ledger.decide(submission, log_time).map(|pending| pending.accept());
        let (_, entry, bytes) = match decided {
            Ok(accepted) => accepted,
            Err(rejection) => {
                self.note_refused(id, at, &rejection);
                return false;
            }
        };
        self.timers_refused.remove(&id);
        self.push(&entry, &bytes, log_time);
        true
    }

    /// It is tried again each minute; the log tells it the first time, and whether it did is returned.
    pub(super) fn note_refused(&mut self, id: CommandId, due_at: Timestamp, rejection: &Rejection) -> bool {
        let is_new = !self.timers_refused.contains(&id);
        if is_new {
            let code = rejection.code();
            tracing::warn!(%id, %due_at, code, why = %rejection, "what is due is refused: it is tried again each minute");
            self.timers_refused.insert(id);
        }
        is_new
    }
}
