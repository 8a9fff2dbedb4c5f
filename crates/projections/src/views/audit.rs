//! The audit: what was done to a thing or by an actor, with what was asked for and what happened by it.

use ledger_core::values::{ActorId, CommandId, CorrelationId, ID_BYTES_MAX, Name, Text, Timestamp};
use ledger_core::{ActorKind, Decided, Fact, SubjectKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::View;
use crate::history::{Recorded, Select, Way};
use crate::index::Key;
use crate::log_page::{LOG_SORTS, LogPage};
use crate::query::QueryFault;
use crate::rows::{Rows, Taken};
use crate::source::Source;

/// Which commands; every one when empty.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Filter {
    /// About things of this kind; goes with `id`.
    kind: Option<SubjectKind>,
    /// About the thing with this id; goes with `kind`.
    id: Option<String>,
    /// By this actor.
    actor: Option<ActorId>,
    /// Commands of this name (`stock.receive`).
    command: Option<String>,
    /// Recorded at this time or after.
    from: Option<Timestamp>,
    /// Recorded before this time.
    to: Option<Timestamp>,
}

/// An accepted command.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Row<'a> {
    /// The entry.
    sequence: u64,
    /// When it was recorded.
    recorded_at: Timestamp,
    /// When it was true.
    effective_at: Timestamp,
    /// Who acted.
    actor: &'a ActorId,
    /// What kind of actor it is.
    actor_kind: ActorKind,
    /// The roles it was asserted to have.
    #[serde(skip_serializing_if = "<[Name]>::is_empty")]
    roles: &'a [Name],
    /// What ties it to what other systems did.
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation_id: Option<&'a CorrelationId>,
    /// What was asked for.
    command: &'static str,
    /// Under which id.
    command_id: &'a CommandId,
    /// With which fields.
    body: Value,
    /// What happened by it.
    events: Vec<Value>,
}

pub(crate) struct Audit;

impl View for Audit {
    type Filter = Filter;
    type Row = Row<'static>;
    const NAME: &'static str = "audit";
    const SUMMARY: &'static str = "What was done to a thing or by an actor, and what happened by it";
    const SORTS: &'static [&'static str] = LOG_SORTS;

    fn rows(source: &Source<'_>, filter: &Filter, rows: &mut Rows) -> Result<(), QueryFault> {
        let subject = filter.subject()?;
        let select = match (subject, &filter.actor) {
            (Some((kind, id)), _) => Select::Key(Key::subject(kind, id)),
            (None, Some(actor)) => Select::Key(Key::actor(actor.as_str())),
            (None, None) => Select::All,
        };
        let page = LogPage::of(rows)?;
        let mut entries = source.history.walk(select, page.way());
        while let Some(recorded) = entries.next()? {
            // Log time never falls: what is past the window stays past it.
            let is_past = match page.way() {
                Way::Up { .. } => filter.to.is_some_and(|to| recorded.log_time >= to),
                Way::Down { .. } => filter.from.is_some_and(|from| recorded.log_time < from),
            };
            if is_past {
                break;
            }
            for (cursor, decided) in
                page.of_entry(recorded.sequence, recorded.entry.commands.iter().collect())
            {
                if filter.includes(&recorded, decided, subject)
                    && rows.push(|| cursor, &row(&recorded, decided)) == Taken::PageIsFull
                {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

impl Filter {
    fn subject(&self) -> Result<Option<(SubjectKind, &str)>, QueryFault> {
        let why = match (self.kind, &self.id) {
            (None, None) => return Ok(None),
            (Some(_), Some(id)) if id.len() > ID_BYTES_MAX => "id: wanted at most 64 bytes".to_owned(),
            (Some(kind), Some(id)) => return Ok(Some((kind, id))),
            (Some(kind), None) => format!("kind {kind} needs id: which {kind}"),
            (None, Some(_)) => "id needs kind: the kind of thing that has the id (order, item, …)".to_owned(),
        };
        Err(QueryFault::InvalidFilter { view: Audit::NAME, why })
    }

    fn includes(&self, recorded: &Recorded, decided: &Decided, subject: Option<(SubjectKind, &str)>) -> bool {
        self.actor.as_ref().is_none_or(|actor| *actor == recorded.entry.actor.id)
            && self.command.as_ref().is_none_or(|command| command == decided.submitted.command.name())
            && self.from.is_none_or(|from| from <= recorded.log_time)
            && self.to.is_none_or(|to| recorded.log_time < to)
            && subject.is_none_or(|(kind, id)| is_about(decided, kind, id))
    }
}

/// Whether any event of a command names the thing.
pub(super) fn is_about(decided: &Decided, kind: SubjectKind, id: &str) -> bool {
    let mut found = false;
    for event in &decided.events {
        event.subjects(&mut |subject| found |= subject.kind == kind && subject.id == id);
        if kind == SubjectKind::Item {
            event.movements(&mut |movement| found |= movement.sku.as_str() == id);
        }
    }
    found
}

/// A command as the audit shows it.
pub(super) fn row<'a>(recorded: &'a Recorded, decided: &'a Decided) -> Row<'a> {
    let json = |value: Result<Value, serde_json::Error>| value.expect("commands and events are JSON");
    Row {
        sequence: recorded.sequence,
        recorded_at: recorded.log_time,
        effective_at: recorded.effective_at(decided),
        actor: &recorded.entry.actor.id,
        actor_kind: recorded.entry.actor.kind,
        roles: &recorded.entry.roles,
        correlation_id: recorded.entry.correlation.as_ref(),
        command: decided.submitted.command.name(),
        command_id: &decided.submitted.id,
        body: json(serde_json::to_value(&decided.submitted.command)),
        events: decided.events.iter().map(|event| json(serde_json::to_value(event))).collect(),
    }
}
