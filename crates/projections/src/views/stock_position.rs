//! What is where in which status, and what it is worth.

use ledger_core::books::{Status, StatusGroup};
use ledger_core::values::{Amount, Cumulated, LocationId, Quantity, Sku, part_of};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cells::{CellKey, Cells, Held, cursor};
use super::{RowsEffective, View};
use crate::effective::Effective;
use crate::query::QueryFault;
use crate::rows::{Rows, Taken};
use crate::source::Source;

/// Which buckets.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Filter {
    /// Of this item.
    sku: Option<Sku>,
    /// At this location.
    location: Option<LocationId>,
    /// In this status.
    status: Option<Status>,
}

/// A bucket that is not empty.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Row<'a> {
    /// The item.
    sku: &'a Sku,
    /// The location.
    location: &'a LocationId,
    /// The status.
    status: Status,
    /// The cost pool that the status shares.
    group: StatusGroup,
    /// Units. Negative only as of an effective time.
    quantity: Quantity,
    /// Its share of what the cost pool is worth. Shares of a pool sum to the pool.
    value: Amount,
    /// True where facts recorded later are still missing at the effective time asked for.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    negative: bool,
}

pub(crate) struct StockPosition;

impl View for StockPosition {
    type Filter = Filter;
    type Row = Row<'static>;
    const NAME: &'static str = "stock_position";
    const SUMMARY: &'static str = "What is where in which status, and what it is worth";
    const SORTS: &'static [&'static str] = &["sku"];
    const EFFECTIVE: Option<RowsEffective<Filter>> = Some(rows_effective);

    fn rows(source: &Source<'_>, filter: &Filter, rows: &mut Rows) -> Result<(), QueryFault> {
        filter.cells().scan(source, rows, |_, key, held, first, rows| push(filter, key, held, first, rows))
    }
}

fn rows_effective(then: &Effective<'_>, filter: &Filter, rows: &mut Rows) -> Result<(), QueryFault> {
    filter.cells().scan_effective(then, rows, |key, held, first, rows| push(filter, key, held, first, rows))
}

impl Filter {
    fn cells(&self) -> Cells<'_> {
        Cells { sku: self.sku.as_ref(), location: self.location.as_ref() }
    }
}

fn push(filter: &Filter, key: &CellKey, held: &impl Held, first: usize, rows: &mut Rows) -> Taken {
    for (number, status) in Status::ALL.iter().copied().enumerate().skip(first) {
        let quantity = held.quantity(status);
        if quantity.is_zero() || filter.status.is_some_and(|wanted| wanted != status) {
            continue;
        }
        let row = Row {
            sku: &key.0,
            location: &key.1,
            status,
            group: status.group(),
            quantity,
            value: share_of_pool(held, status),
            negative: quantity.is_negative(),
        };
        if rows.push(|| cursor(key, number), &row) == Taken::PageIsFull {
            return Taken::PageIsFull;
        }
    }
    Taken::Yes
}

/// By the part rule, in the order of the statuses: the shares of a pool sum to the pool.
fn share_of_pool(held: &impl Held, status: Status) -> Amount {
    let group = status.group();
    let before = Status::ALL.iter().filter(|earlier| earlier.group() == group && **earlier < status);
    let before = before.map(|earlier| held.quantity(*earlier)).sum();
    let units = Cumulated { before, part: held.quantity(status), whole: held.group_quantity(group) };
    part_of(held.group_value(group), units)
}
