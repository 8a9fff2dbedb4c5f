//! What the stock is worth: every cost pool with its layers.

use ledger_core::books::{CostPart, StatusGroup};
use ledger_core::items::Costing;
use ledger_core::values::{Amount, LocationId, Price, Quantity, Sku};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cells::{CellKey, Cells, Held, cursor};
use super::{RowsEffective, View};
use crate::effective::Effective;
use crate::folded::Folded;
use crate::query::QueryFault;
use crate::rows::{Rows, Taken};
use crate::source::Source;

/// Layers shown of a pool; the oldest, which are issued first.
const LAYERS_MAX: usize = 100;

/// Which cost pools.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Filter {
    /// Of this item.
    sku: Option<Sku>,
    /// At this location.
    location: Option<LocationId>,
    /// Of this status group.
    group: Option<StatusGroup>,
}

/// A cost pool that is not empty.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Row<'a> {
    /// The item.
    sku: &'a Sku,
    /// The location.
    location: &'a LocationId,
    /// The status group.
    group: StatusGroup,
    /// How the cost of an issue is found; absent as of an effective time.
    #[serde(skip_serializing_if = "Option::is_none")]
    costing: Option<Costing>,
    /// Units.
    quantity: Quantity,
    /// What they cost together.
    value: Amount,
    /// value ÷ quantity, for display only.
    #[serde(skip_serializing_if = "Option::is_none")]
    unit_cost: Option<Price>,
    /// The FIFO layers, oldest first, at most 100; none under moving average or as of an effective time.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    layers: Vec<CostPart>,
    /// True when there are more layers than are shown.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    more_layers: bool,
    /// True where facts recorded later are still missing at the effective time asked for.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    negative: bool,
}

pub(crate) struct Valuation;

impl View for Valuation {
    type Filter = Filter;
    type Row = Row<'static>;
    const NAME: &'static str = "valuation";
    const SUMMARY: &'static str = "What the stock is worth: every cost pool with its layers";
    const SORTS: &'static [&'static str] = &["sku"];
    const EFFECTIVE: Option<RowsEffective<Filter>> = Some(rows_effective);

    fn rows(source: &Source<'_>, filter: &Filter, rows: &mut Rows) -> Result<(), QueryFault> {
        filter.cells().scan(source, rows, |folded, key, held, first, rows| {
            push(filter, key, held, first, rows, |row| add_layers(folded, key, row))
        })
    }
}

fn rows_effective(then: &Effective<'_>, filter: &Filter, rows: &mut Rows) -> Result<(), QueryFault> {
    let cells = filter.cells();
    cells.scan_effective(then, rows, |key, held, first, rows| push(filter, key, held, first, rows, |_| {}))
}

impl Filter {
    fn cells(&self) -> Cells<'_> {
        Cells { sku: self.sku.as_ref(), location: self.location.as_ref() }
    }
}

fn push<'k>(
    filter: &Filter,
    key: &'k CellKey,
    held: &impl Held,
    first: usize,
    rows: &mut Rows,
    complete: impl Fn(&mut Row<'k>),
) -> Taken {
    for (number, group) in StatusGroup::ALL.iter().copied().enumerate().skip(first) {
        let (quantity, value) = (held.group_quantity(group), held.group_value(group));
        let is_empty = quantity.is_zero() && value.is_zero();
        if is_empty || filter.group.is_some_and(|wanted| wanted != group) {
            continue;
        }
        let mut row = Row {
            sku: &key.0,
            location: &key.1,
            group,
            costing: None,
            quantity,
            value,
            unit_cost: Price::per_unit(value, quantity).filter(|_| quantity.is_positive()),
            layers: Vec::new(),
            more_layers: false,
            negative: quantity.is_negative(),
        };
        complete(&mut row);
        if rows.push(|| cursor(key, number), &row) == Taken::PageIsFull {
            return Taken::PageIsFull;
        }
    }
    Taken::Yes
}

fn add_layers(folded: &Folded, (sku, location): &CellKey, row: &mut Row<'_>) {
    let ledger = &folded.ledger;
    let Some((item, at)) = ledger.items().row(sku).zip(ledger.locations().row(location)) else { return };
    row.costing = Some(ledger.items().get(item).costing);
    let mut layers = ledger.stock().layers(item, at, row.group);
    row.layers.extend(layers.by_ref().take(LAYERS_MAX));
    row.more_layers = layers.next().is_some();
}
