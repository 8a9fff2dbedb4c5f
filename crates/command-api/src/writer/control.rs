//! Entries that the writer makes by itself: that the ledger begins, that it is taken, what its state is.

use ledger_core::control::RecordStateHash;
use ledger_core::values::{ActorId, CommandId, Text, Timestamp};
use ledger_core::{Actor, ActorKind, Command, Rejection, Submission, Submitted};

use super::Writer;

impl<To> Writer<To> {
    /// One that comes at a bad time, or says what the log knows already, is let go: the next one will do.
    pub(super) fn record_state_hash(&mut self, hash: RecordStateHash, now: Timestamp) {
        if self.check_standing(now).is_ok() {
            let id = format!("ledger/state_hash/{}", hash.at_sequence);
            let _ = self.control(vec![(id, hash.into())], now);
        }
    }

    /// An entry that the writer itself makes.
    pub(super) fn control(
        &mut self,
        commands: Vec<(String, Command)>,
        now: Timestamp,
    ) -> Result<(), Rejection> {
        let actor = Actor {
            id: ActorId::try_new("bincard").expect("a short id without control characters"),
            kind: ActorKind::Connector,
        };
        let commands = commands.into_iter().map(|(id, command)| {
            let id = CommandId::try_new(id).expect("a short id without control characters");
            Submitted::new(id, None, None, command)
        });
        let submission =
            Submission { actor, roles: Vec::new(), correlation: None, commands: commands.collect() };
        let log_time = self.log_time_of_next_entry(now);
        let (_, entry, bytes) = self.ledger.decide(submission, log_time)?.accept();
        self.push(&entry, &bytes, log_time);
        Ok(())
    }
}
