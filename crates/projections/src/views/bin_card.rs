//! The bin card: every movement of an item with the balance on hand after it, in the order it was recorded.

use std::collections::HashMap;

use ledger_core::books::{Place, Status, SubjectKind, World};
use ledger_core::values::{ActorId, CommandId, LocationId, Quantity, Sku, Text, Timestamp};
use ledger_core::{Decided, Event, Fact, Movement};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::document::{Document, document_of};
use super::{EveryRow, RowsEffective, View};
use crate::effective::Effective;
use crate::history::{Recorded, Select};
use crate::index::Key;
use crate::query::QueryFault;
use crate::rows::{Rows, Taken};
use crate::source::Source;

/// Which movements.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filter {
    /// Of this item.
    sku: Sku,
    /// In or out of this location; everywhere when absent.
    #[serde(default)]
    location: Option<LocationId>,
    /// True at this time or after. The balance counts what was before all the same.
    #[serde(default)]
    from: Option<Timestamp>,
    /// True before this time.
    #[serde(default)]
    to: Option<Timestamp>,
}

/// A movement.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Row {
    /// The entry.
    sequence: u64,
    /// When it was recorded.
    recorded_at: Timestamp,
    /// When it was true.
    effective_at: Timestamp,
    /// The item.
    sku: Sku,
    /// Where the units were.
    from: End,
    /// Where the units are now.
    to: End,
    /// Units moved.
    quantity: Quantity,
    /// What the movement does to the balance: nothing for a reservation.
    change: Quantity,
    /// Units on hand after it, at the location asked for or everywhere. As of an effective time it may be negative.
    balance: Quantity,
    /// What happened.
    event: &'static str,
    /// The document it happened for, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    document: Option<Document>,
    /// Who acted.
    actor: ActorId,
    /// What was asked for.
    command: &'static str,
    /// Under which id.
    command_id: CommandId,
}

/// One end of a movement: a bucket of ours or an outside world.
#[derive(Debug, Serialize, JsonSchema)]
struct End {
    /// The location, inside.
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<LocationId>,
    /// The status, inside.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
    /// The outside world.
    #[serde(skip_serializing_if = "Option::is_none")]
    world: Option<World>,
}

pub(crate) struct BinCard;

impl View for BinCard {
    type Filter = Filter;
    type Row = Row;
    const NAME: &'static str = "bin_card";
    const SUMMARY: &'static str = "Every movement of an item with the balance on hand after it";
    const SORTS: &'static [&'static str] = &["sequence"];
    const EFFECTIVE: Option<RowsEffective<Filter>> = Some(rows_effective);
    const EVERY_ROW: Option<EveryRow> = Some(every_row);

    fn rows(source: &Source<'_>, filter: &Filter, rows: &mut Rows) -> Result<(), QueryFault> {
        let start = Start::of(rows)?;
        let mut balance = start.balance;
        let mut entries = source.history.entries(filter.select(), start.sequence.saturating_sub(1));
        while let Some(recorded) = entries.next()? {
            let mut page_is_full = false;
            filter.movements(&recorded, |place, decided, event, movement| {
                if page_is_full || (recorded.sequence, place) <= (start.sequence, start.place) {
                    return;
                }
                let change = filter.change(movement);
                balance += change;
                if filter.shows(recorded.effective_at(decided)) {
                    let row = row(&recorded, decided, event, movement, change, balance);
                    let cursor =
                        || vec![recorded.sequence.to_string(), place.to_string(), balance.to_string()];
                    page_is_full = rows.push(cursor, &row) == Taken::PageIsFull;
                }
            });
            if page_is_full {
                break;
            }
        }
        Ok(())
    }
}

/// Behind which movement a page begins, and the balance after it.
struct Start {
    sequence: u64,
    place: u64,
    balance: Quantity,
}

impl Start {
    fn of(rows: &Rows) -> Result<Start, QueryFault> {
        let Some([sequence, place, balance]) = rows.after::<3>()? else {
            return Ok(Start { sequence: 0, place: 0, balance: Quantity::ZERO });
        };
        Ok(Start {
            sequence: rows.parse(&sequence, |text| text.parse().ok())?,
            place: rows.parse(&place, |text| text.parse().ok())?,
            balance: rows.parse(&balance, |text| text.parse().ok().and_then(Quantity::try_new))?,
        })
    }
}

impl Filter {
    fn select(&self) -> Select {
        Select::Key(Key::subject(SubjectKind::Item, self.sku.as_str()))
    }

    fn shows(&self, effective_at: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= effective_at) && self.to.is_none_or(|to| effective_at < to)
    }

    /// The movements of an entry that are on the card.
    fn movements(&self, recorded: &Recorded, mut each: impl FnMut(u64, &Decided, &Event, &Movement<'_>)) {
        let is_at = |end: &Place<'_>| match &self.location {
            Some(wanted) => end.location() == Some(wanted),
            None => true,
        };
        movements(recorded, |place, decided, event, movement| {
            if *movement.sku == self.sku && (is_at(&movement.from) || is_at(&movement.to)) {
                each(place, decided, event, movement);
            }
        });
    }

    fn change(&self, movement: &Movement<'_>) -> Quantity {
        change(movement, self.location.as_ref())
    }
}

/// The movements of an entry, numbered from 1.
fn movements(recorded: &Recorded, mut each: impl FnMut(u64, &Decided, &Event, &Movement<'_>)) {
    let mut place = 0;
    for decided in &recorded.entry.commands {
        for event in &decided.events {
            event.movements(&mut |movement| {
                place += 1;
                each(place, decided, event, &movement);
            });
        }
    }
}

/// What a movement does to the units on hand at a location, or everywhere.
fn change(movement: &Movement<'_>, location: Option<&LocationId>) -> Quantity {
    let counts = |end: &Place<'_>| match end {
        Place::Stock(at, status) => status.is_on_hand() && location.is_none_or(|wanted| wanted == *at),
        Place::World(_) => false,
    };
    match (counts(&movement.from), counts(&movement.to)) {
        (true, false) => -movement.quantity,
        (false, true) => movement.quantity,
        (true, true) | (false, false) => Quantity::ZERO,
    }
}

/// The cards of all items, in one pass over the log.
fn every_row(source: &Source<'_>, each: &mut dyn FnMut(Value)) -> Result<(), QueryFault> {
    let mut balances: HashMap<Sku, Quantity> = HashMap::new();
    let mut entries = source.history.entries(Select::All, 0);
    while let Some(recorded) = entries.next()? {
        movements(&recorded, |_, decided, event, movement| {
            let change = change(movement, None);
            let balance = balances.entry(movement.sku.clone()).or_default();
            *balance += change;
            let row = row(&recorded, decided, event, movement, change, *balance);
            each(serde_json::to_value(row).expect("a row is plain data with text keys"));
        });
    }
    Ok(())
}

/// In the order in which it was true. Only times and numbers are gathered; the page's rows are read again.
fn rows_effective(then: &Effective<'_>, filter: &Filter, rows: &mut Rows) -> Result<(), QueryFault> {
    let after = match rows.after::<3>()? {
        None => None,
        Some([effective_at, sequence, place]) => Some((
            rows.parse(&effective_at, |text| text.parse().ok().map(Timestamp::from_micros))?,
            rows.parse(&sequence, |text| text.parse().ok())?,
            rows.parse(&place, |text| text.parse().ok())?,
        )),
    };
    let mut order: Vec<(Timestamp, u64, u64, Quantity)> = Vec::new();
    let mut entries = then.history.entries(filter.select(), 0);
    while let Some(recorded) = entries.next()? {
        filter.movements(&recorded, |place, decided, _, movement| {
            let effective_at = recorded.effective_at(decided);
            if effective_at <= then.at {
                order.push((effective_at, recorded.sequence, place, filter.change(movement)));
            }
        });
    }
    order.sort_unstable();
    let mut balance = Quantity::ZERO;
    for (effective_at, sequence, place, change) in order {
        balance += change;
        if !filter.shows(effective_at) || after.is_some_and(|after| (effective_at, sequence, place) <= after)
        {
            continue;
        }
        let recorded = then.history.expect_entry(sequence)?;
        let mut found = None;
        filter.movements(&recorded, |at, decided, event, movement| {
            if at == place {
                found = Some(row(&recorded, decided, event, movement, change, balance));
            }
        });
        let cursor = || vec![effective_at.micros().to_string(), sequence.to_string(), place.to_string()];
        if found.is_some_and(|row| rows.push(cursor, &row) == Taken::PageIsFull) {
            break;
        }
    }
    Ok(())
}

fn row(
    recorded: &Recorded,
    decided: &Decided,
    event: &Event,
    movement: &Movement<'_>,
    change: Quantity,
    balance: Quantity,
) -> Row {
    let end = |place: &Place<'_>| match place {
        Place::Stock(location, status) => {
            End { location: Some((*location).clone()), status: Some(*status), world: None }
        }
        Place::World(world) => End { location: None, status: None, world: Some(*world) },
    };
    Row {
        sequence: recorded.sequence,
        recorded_at: recorded.log_time,
        effective_at: recorded.effective_at(decided),
        sku: movement.sku.clone(),
        from: end(&movement.from),
        to: end(&movement.to),
        quantity: movement.quantity,
        change,
        balance,
        event: event.name(),
        document: document_of(event),
        actor: recorded.entry.actor.id.clone(),
        command: decided.submitted.command.name(),
        command_id: decided.submitted.id.clone(),
    }
}
