//! How the ledger and its read side are doing.

use ledger_core::values::{Text, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::View;
use crate::position::Position;
use crate::query::QueryFault;
use crate::rows::Rows;
use crate::source::Source;

/// The name of this view.
pub const HEALTH: &str = "health";

/// What beside.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Filter {
    /// Compute the hash of the whole ledger too; it takes a while.
    ledger_hash: bool,
}

/// One row.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Row {
    /// The ledger's label.
    ledger: String,
    /// Its identity: the uuid of its journal, in hexadecimal.
    uuid: String,
    /// The currency of its books.
    currency: String,
    /// How far the log is folded into the views.
    position: Position,
    /// Events so far.
    events: u64,
    /// When the last entry was recorded.
    recorded_at: Timestamp,
    /// Sequence of the journal's last durable entry.
    journal_sequence: u64,
    /// Hash of the journal's last durable frame, in hexadecimal.
    journal_hash: String,
    /// Entries that are durable and not folded in yet.
    lag_entries: u64,
    /// Age of the oldest durable entry that is not folded in yet, in whole seconds. Where no service runs, the log time
    /// between the last entry folded in and the last durable one.
    lag_seconds: i64,
    /// How far the index runs on disk reach.
    checkpoint_sequence: u64,
    /// How many index runs there are.
    index_runs: usize,
    /// The last entry after which the log records the very state that a snapshot here has; absent before the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    state_agreed_at: Option<u64>,
    /// The first entry after which the log records another state than the one folded here; absent if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    state_differs: Option<BrokenAt>,
    /// The first entry that did not keep an invariant; absent while all did.
    #[serde(skip_serializing_if = "Option::is_none")]
    first_broken: Option<BrokenAt>,
    /// BLAKE3 of the whole ledger at `position`, in hexadecimal, if asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    ledger_hash: Option<String>,
    /// What the service that answers knows of itself; absent where none runs, and in answers about the past.
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<ServiceHealth>,
}

/// How the service does that answers. The views do not know: it adds this itself.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ServiceHealth {
    /// What its writer does.
    pub writer: WriterState,
    /// How long the oldest command has waited while nothing is decided and nothing becomes durable, in whole seconds.
    pub writer_stuck_seconds: u64,
    /// Why commands are not taken, the views stand still or the journal is damaged: what `/health/ready` says. Absent while
    /// all is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// Why the views do not move any more; absent while they do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub views_stopped: Option<String>,
}

/// What the writer of an instance does.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WriterState {
    /// It takes commands for the ledger.
    Writes,
    /// Another instance does.
    Follows,
    /// It takes none any more.
    Stopped,
}

/// What is wrong after an entry.
#[derive(Debug, Serialize, JsonSchema)]
struct BrokenAt {
    /// The entry.
    sequence: u64,
    /// Which invariant or which section of the state, and where.
    what: String,
}

pub(crate) struct Health;

impl View for Health {
    type Filter = Filter;
    type Row = Row;
    const NAME: &'static str = HEALTH;
    const SUMMARY: &'static str =
        "How far the views are behind the journal, and whether every entry kept the books";
    const SORTS: &'static [&'static str] = &["ledger"];

    fn rows(source: &Source<'_>, filter: &Filter, rows: &mut Rows) -> Result<(), QueryFault> {
        if rows.after::<1>()?.is_some() {
            return Ok(());
        }
        let ledger_hash = filter.ledger_hash.then(|| source.ledger_hash()).transpose()?;
        let durable = source.history.journal.head();
        let (checkpoint, index_runs) = source.history.index.reach();
        let row = source.look(|folded| {
            let (head, settings) = (folded.ledger.head(), folded.ledger.settings());
            // A hash of its own fold holds at the position where the question began.
            let position = match ledger_hash {
                Some(_) => folded.position_at(source.history.upto).unwrap_or_default(),
                None => folded.position(),
            };
            rows.hold_at(position);
            Row {
                ledger: settings.map(|settings| settings.name.as_str().to_owned()).unwrap_or_default(),
                uuid: hex(&durable.ledger),
                currency: settings.map(|settings| settings.currency.as_str().to_owned()).unwrap_or_default(),
                position,
                events: head.event,
                recorded_at: head.log_time,
                journal_sequence: durable.sequence,
                journal_hash: hex(&durable.hash),
                lag_entries: durable.sequence.saturating_sub(head.sequence),
                lag_seconds: (durable.log_time_us.saturating_sub(head.log_time.micros()) / 1_000_000).max(0),
                checkpoint_sequence: checkpoint.sequence,
                index_runs,
                state_agreed_at: folded.state_hashes.agreed_at(),
                state_differs: folded
                    .state_hashes
                    .differs()
                    .map(|(sequence, what)| BrokenAt { sequence: *sequence, what: what.clone() }),
                first_broken: folded
                    .first_broken
                    .as_ref()
                    .map(|broken| BrokenAt { sequence: broken.sequence, what: broken.what.clone() }),
                ledger_hash: ledger_hash.map(|hash| hex(&hash)),
                service: None,
            }
        });
        let _ = rows.push(|| vec![row.ledger.clone()], &row);
        Ok(())
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
