//! What a client asks for, as it would write it, and the typed request that the edge would make of it.

use command_api::Request;
use command_api::auth::Rights;
use ledger_core::values::{ActorId, CommandId, Text, Timestamp};
use ledger_core::{Actor, ActorKind, Submission, Submitted};
use serde_json::Value;
use uuid::Uuid;

/// One command, or several that stand or fall together.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) commands: Vec<Command>,
    pub(crate) dry_run: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Command {
    pub(crate) id: String,
    pub(crate) name: &'static str,
    pub(crate) body: Value,
    /// Microseconds.
    pub(crate) effective_at: Option<i64>,
    /// The id of a document that is given none.
    pub(crate) assigned: Uuid,
}

impl Command {
    /// Whether it is the same command again; the edge may have assigned another id to it.
    pub(crate) fn is_the_same_as(&self, other: &Command) -> bool {
        self.name == other.name && self.body == other.body && self.effective_at == other.effective_at
    }
}

impl Ask {
    /// False where a refusal may come after a change, or nothing is to stay.
    pub(crate) fn is_only_one_step(&self) -> bool {
        !self.dry_run
            && self.commands.len() == 1
            && self.commands[0].name != "returns.disposition"
            && self.commands[0].name != "finance.post_manual"
    }

    /// The typed request.
    pub(crate) fn request(&self) -> Request {
        let actor =
            Actor { id: ActorId::try_new("simulation").expect("a short id"), kind: ActorKind::Person };
        let commands = self.commands.iter().map(|asked| {
            let shown = || format!("{} {}", asked.name, asked.body);
            let command = ledger_core::Command::deserialize(asked.name, asked.body.clone())
                .unwrap_or_else(|| panic!("{} is not in the table", asked.name))
                .unwrap_or_else(|fault| panic!("{}: {fault}", shown()));
            let id = CommandId::try_new(&asked.id).expect("a short id");
            let effective_at = asked.effective_at.map(Timestamp::from_micros);
            Submitted::new(id, effective_at, Some(asked.assigned.into_bytes()), command)
        });
        let submission =
            Submission { actor, roles: Vec::new(), correlation: None, commands: commands.collect() };
        Request { submission, rights: Rights::Everything, dry_run: self.dry_run, bytes: 256 }
    }
}
