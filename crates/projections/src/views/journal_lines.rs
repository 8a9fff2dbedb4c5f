//! The journal of the financial book: every posting with its dimensions and both its dates.

use ledger_core::books::{Account, StatusGroup};
use ledger_core::values::{
    ActorId, Amount, ChannelId, CommandId, CountryCode, Jurisdiction, LocationId, OrderId, Sku, Text,
    Timestamp,
};
use ledger_core::{Decided, Event, Fact, Posting, SubjectKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::document::{Document, document_of};
use super::{RowsEffective, View};
use crate::effective::Effective;
use crate::history::{History, Recorded, Select};
use crate::index::Key;
use crate::log_page::{LOG_SORTS, LogPage};
use crate::query::QueryFault;
use crate::rows::{Rows, Taken};
use crate::source::Source;

/// Which postings; every one when empty.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Filter {
    /// On this account, by its code.
    account: Option<Account>,
    /// Of this order.
    order: Option<OrderId>,
    /// Of this channel.
    channel: Option<ChannelId>,
    /// Of this item.
    item: Option<Sku>,
    /// At this location.
    location: Option<LocationId>,
    /// Of this country of destination.
    country: Option<CountryCode>,
    /// Posted at this time or after.
    from: Option<Timestamp>,
    /// Posted before this time.
    to: Option<Timestamp>,
}

/// One side of a posting.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Row {
    /// The entry.
    sequence: u64,
    /// The line's number in the entry, from 1.
    line: u64,
    /// When it posts: when it was true.
    posted_at: Timestamp,
    /// When it was recorded.
    recorded_at: Timestamp,
    /// The account's code.
    account: Account,
    /// The account's name.
    account_name: &'static str,
    /// Debit, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    debit: Option<Amount>,
    /// Credit, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    credit: Option<Amount>,
    /// The cost pool group of the inventory account.
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<StatusGroup>,
    /// The location.
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<LocationId>,
    /// The sales channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<ChannelId>,
    /// The item.
    #[serde(skip_serializing_if = "Option::is_none")]
    item: Option<Sku>,
    /// The order.
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<OrderId>,
    /// The tax jurisdiction.
    #[serde(skip_serializing_if = "Option::is_none")]
    jurisdiction: Option<Jurisdiction>,
    /// The country of destination.
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<CountryCode>,
    /// What happened.
    event: &'static str,
    /// The document it happened for, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    document: Option<Document>,
    /// Who acted.
    actor: ActorId,
    /// The id of the command.
    command_id: CommandId,
}

pub(crate) struct JournalLines;

impl View for JournalLines {
    type Filter = Filter;
    type Row = Row;
    const NAME: &'static str = "journal_lines";
    const SUMMARY: &'static str = "Every posting with its dimensions and both its dates";
    const SORTS: &'static [&'static str] = LOG_SORTS;
    const EFFECTIVE: Option<RowsEffective<Filter>> =
        Some(|then, filter, rows| postings(&then.history, Some(then), filter, rows));

    fn rows(source: &Source<'_>, filter: &Filter, rows: &mut Rows) -> Result<(), QueryFault> {
        postings(&source.history, None, filter, rows)
    }
}

fn postings(
    history: &History<'_>,
    then: Option<&Effective<'_>>,
    filter: &Filter,
    rows: &mut Rows,
) -> Result<(), QueryFault> {
    let page = LogPage::of(rows)?;
    let mut entries = history.walk(filter.select(), page.way());
    while let Some(recorded) = entries.next()? {
        let mut lines = Vec::new();
        for decided in &recorded.entry.commands {
            let posted_at = recorded.effective_at(decided);
            let counts = filter.posts(posted_at) && then.is_none_or(|then| posted_at <= then.at);
            for event in &decided.events {
                event.postings(&mut |posting| {
                    let line = lines.len() as u64 + 1;
                    let is_shown = counts && !posting.amount.is_zero() && filter.includes(&posting);
                    lines.push(is_shown.then(|| row(&recorded, decided, event, &posting, line)));
                });
            }
        }
        for (cursor, line) in page.of_entry(recorded.sequence, lines) {
            if line.is_some_and(|line| rows.push(|| cursor, &line) == Taken::PageIsFull) {
                return Ok(());
            }
        }
    }
    Ok(())
}

impl Filter {
    /// The key with the fewest entries, as a rule.
    fn select(&self) -> Select {
        let subject = |kind, id: Option<&str>| id.map(|id| Key::subject(kind, id));
        let key = None
            .or(subject(SubjectKind::Order, self.order.as_ref().map(Text::as_str)))
            .or(subject(SubjectKind::Item, self.item.as_ref().map(Text::as_str)))
            .or(subject(SubjectKind::Channel, self.channel.as_ref().map(Text::as_str)))
            .or(subject(SubjectKind::Location, self.location.as_ref().map(Text::as_str)))
            .or(self.account.map(Key::account));
        key.map_or(Select::All, Select::Key)
    }

    fn posts(&self, posted_at: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= posted_at) && self.to.is_none_or(|to| posted_at < to)
    }

    fn includes(&self, posting: &Posting<'_>) -> bool {
        fn is<T: PartialEq>(wanted: Option<&T>, found: Option<&T>) -> bool {
            wanted.is_none_or(|wanted| found == Some(wanted))
        }
        self.account.is_none_or(|account| account == posting.account)
            && is(self.order.as_ref(), posting.order)
            && is(self.channel.as_ref(), posting.channel)
            && is(self.item.as_ref(), posting.item)
            && is(self.location.as_ref(), posting.location)
            && is(self.country.as_ref(), posting.country)
    }
}

fn row(recorded: &Recorded, decided: &Decided, event: &Event, posting: &Posting<'_>, line: u64) -> Row {
    let (debit, credit) = match posting.amount.is_negative() {
        true => (None, Some(-posting.amount)),
        false => (Some(posting.amount), None),
    };
    Row {
        sequence: recorded.sequence,
        line,
        posted_at: recorded.effective_at(decided),
        recorded_at: recorded.log_time,
        account: posting.account,
        account_name: posting.account.name(),
        debit,
        credit,
        group: posting.group,
        location: posting.location.cloned(),
        channel: posting.channel.cloned(),
        item: posting.item.cloned(),
        order: posting.order.cloned(),
        jurisdiction: posting.jurisdiction.cloned(),
        country: posting.country.cloned(),
        event: event.name(),
        document: document_of(event),
        actor: recorded.entry.actor.id.clone(),
        command_id: decided.submitted.id.clone(),
    }
}
