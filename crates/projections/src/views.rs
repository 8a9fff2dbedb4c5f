//! Every view, declared once: its name, filters, rows and sorts, from which transports and schemas are derived.

mod cells;
mod document;

mod audit;
mod availability;
mod bin_card;
mod health;
mod journal_lines;
mod order;
mod order_board;
mod order_parts;
mod return_board;
mod stock_position;
mod trial_balance;
mod valuation;

pub use health::{HEALTH, ServiceHealth, WriterState};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::effective::Effective;
use crate::query::QueryFault;
use crate::rows::Rows;
use crate::source::Source;

/// Every view there is.
pub const VIEWS: &[ViewKind] = &[
    ViewKind::of::<stock_position::StockPosition>(),
    ViewKind::of::<availability::Availability>(),
    ViewKind::of::<bin_card::BinCard>(),
    ViewKind::of::<valuation::Valuation>(),
    ViewKind::of::<order_board::OrderBoard>(),
    ViewKind::of::<order::OrderDetail>(),
    ViewKind::of::<return_board::ReturnBoard>(),
    ViewKind::of::<trial_balance::TrialBalance>(),
    ViewKind::of::<journal_lines::JournalLines>(),
    ViewKind::of::<audit::Audit>(),
    ViewKind::of::<health::Health>(),
];

/// A view as transports and schema writers see it.
#[derive(Clone, Copy)]
pub struct ViewKind {
    /// The noun under which it is queried.
    pub name: &'static str,
    /// What it answers, in a sentence.
    pub summary: &'static str,
    /// The JSON Schema of its filters.
    pub filter_schema: fn(&mut SchemaGenerator) -> Schema,
    /// The JSON Schema of its rows.
    pub row_schema: fn(&mut SchemaGenerator) -> Schema,
    /// How its rows can be sorted; the first is the default, a minus sorts downwards.
    pub sorts: &'static [&'static str],
    /// Whether it can answer as of an effective time.
    pub as_of_effective: bool,
    /// The filter's own schema, not a reference to it.
    filter_shape: fn(&mut SchemaGenerator) -> Schema,
    answer: Answer,
    /// Every row, where paging without a filter does not give it.
    pub(crate) every_row: Option<EveryRow>,
}

type Answer = fn(&'static ViewKind, &Ask<'_>, &Map<String, Value>, &mut Rows) -> Result<(), QueryFault>;

/// What a question is answered from.
pub(crate) enum Ask<'a> {
    /// The ledger, now or as of a sequence.
    State(&'a Source<'a>),
    /// What was true at an effective time.
    Effective(&'a Effective<'a>),
}

/// How a view finds rows as of an effective time.
pub(crate) type RowsEffective<F> = fn(&Effective<'_>, &F, &mut Rows) -> Result<(), QueryFault>;

/// What one file of this folder implements.
pub(crate) trait View {
    /// Which rows.
    type Filter: DeserializeOwned + JsonSchema;
    /// A row.
    type Row: Serialize + JsonSchema;
    /// The noun under which it is queried.
    const NAME: &'static str;
    /// What it answers, in a sentence.
    const SUMMARY: &'static str;
    /// How its rows can be sorted; the first is the default.
    const SORTS: &'static [&'static str];
    /// How it answers as of an effective time, if it can.
    const EFFECTIVE: Option<RowsEffective<Self::Filter>> = None;

    /// Puts the rows of a page on it.
    fn rows(source: &Source<'_>, filter: &Self::Filter, rows: &mut Rows) -> Result<(), QueryFault>;

    /// Hands over every row there is, of whatever the view is asked for one at a time. `None` where paging without a
    /// filter does that.
    const EVERY_ROW: Option<EveryRow> = None;
}

/// How a view that needs a filter hands over every row there is.
pub(crate) type EveryRow = fn(&Source<'_>, &mut dyn FnMut(Value)) -> Result<(), QueryFault>;

impl ViewKind {
    const fn of<V: View>() -> ViewKind {
        ViewKind {
            name: V::NAME,
            summary: V::SUMMARY,
            filter_schema: |generator| generator.subschema_for::<V::Filter>(),
            filter_shape: V::Filter::json_schema,
            row_schema: |generator| generator.subschema_for::<V::Row>(),
            sorts: V::SORTS,
            as_of_effective: V::EFFECTIVE.is_some(),
            every_row: V::EVERY_ROW,
            answer: |kind, ask, filter, rows| match (ask, V::EFFECTIVE) {
                (Ask::State(source), _) => V::rows(source, &kind.read_filter(filter)?, rows),
                (Ask::Effective(then), Some(rows_effective)) => {
                    rows_effective(then, &kind.read_filter(filter)?, rows)
                }
                (Ask::Effective(_), None) => Err(kind.as_of_not_supported()),
            },
        }
    }

    /// The view under a name.
    pub(crate) fn find(name: &str) -> Result<&'static ViewKind, QueryFault> {
        VIEWS.iter().find(|kind| kind.name == name).ok_or_else(|| {
            let known = VIEWS.iter().map(|kind| kind.name).collect::<Vec<_>>().join(", ");
            QueryFault::UnknownView { view: name.chars().take(64).collect(), known }
        })
    }

    /// The sort asked for, or the view's first.
    pub(crate) fn sort(&self, asked: Option<&str>) -> Result<&'static str, QueryFault> {
        let Some(asked) = asked else { return Ok(self.sorts[0]) };
        self.sorts.iter().find(|sort| **sort == asked).copied().ok_or_else(|| QueryFault::SortNotSupported {
            view: self.name,
            sort: asked.chars().take(64).collect(),
            known: self.sorts.join(", "),
        })
    }

    /// Puts the rows of a page on it.
    pub(crate) fn answer(
        &'static self,
        ask: &Ask<'_>,
        filter: &Map<String, Value>,
        rows: &mut Rows,
    ) -> Result<(), QueryFault> {
        (self.answer)(self, ask, filter, rows)
    }

    /// The names of its filters, in the order of declaration.
    pub fn filters(&self) -> Vec<String> {
        let schema = (self.filter_shape)(&mut SchemaGenerator::default());
        let properties = schema.get("properties").and_then(Value::as_object);
        properties.map(|properties| properties.keys().cloned().collect()).unwrap_or_default()
    }

    fn as_of_not_supported(&self) -> QueryFault {
        let able = VIEWS.iter().filter(|kind| kind.as_of_effective).map(|kind| kind.name);
        QueryFault::AsOfNotSupported { view: self.name, able: able.collect::<Vec<_>>().join(", ") }
    }

    fn read_filter<F: DeserializeOwned>(&self, filter: &Map<String, Value>) -> Result<F, QueryFault> {
        let value = Value::Object(filter.clone());
        serde_path_to_error::deserialize(value).map_err(|error| {
            let known = self.filters();
            match filter.keys().find(|name| !known.contains(name)) {
                Some(name) => QueryFault::UnknownFilter {
                    view: self.name,
                    filter: name.chars().take(64).collect(),
                    known: known.join(", "),
                },
                None => {
                    let (path, why) = (error.path().to_string(), error.inner().to_string());
                    let why = if path == "." { why } else { format!("{path}: {why}") };
                    QueryFault::InvalidFilter { view: self.name, why }
                }
            }
        })
    }
}
