//! Pages over the items at locations: what the views of stock and of its worth share.

use std::ops::Bound;

use ledger_core::books::{Status, StatusGroup};
use ledger_core::stock;
use ledger_core::values::{Amount, LocationId, Quantity, Sku, Text};

use crate::effective::{Effective, EffectiveCell};
use crate::folded::Folded;
use crate::query::QueryFault;
use crate::rows::{Rows, Taken};
use crate::source::{Scan, Source};

/// What one item at one location holds.
pub(crate) trait Held {
    /// Units in a status.
    fn quantity(&self, status: Status) -> Quantity;
    /// What the units of a group cost together.
    fn group_value(&self, group: StatusGroup) -> Amount;

    /// Units of a group's statuses.
    fn group_quantity(&self, group: StatusGroup) -> Quantity {
        Status::ALL.iter().filter(|status| status.group() == group).map(|status| self.quantity(*status)).sum()
    }
}

impl Held for stock::Cell {
    fn quantity(&self, status: Status) -> Quantity {
        stock::Cell::quantity(self, status)
    }
    fn group_value(&self, group: StatusGroup) -> Amount {
        stock::Cell::group_value(self, group)
    }
}

impl Held for EffectiveCell {
    fn quantity(&self, status: Status) -> Quantity {
        EffectiveCell::quantity(self, status)
    }
    fn group_value(&self, group: StatusGroup) -> Amount {
        EffectiveCell::group_value(self, group)
    }
}

/// The item and location of a cell.
pub(crate) type CellKey = (Sku, LocationId);

/// Which cells.
pub(crate) struct Cells<'f> {
    pub(crate) sku: Option<&'f Sku>,
    pub(crate) location: Option<&'f LocationId>,
}

/// Where in a cell a page begins: rows of the cell are numbered, by status or group.
struct Start {
    cell: Option<CellKey>,
    row: usize,
}

impl Start {
    fn of(rows: &Rows) -> Result<Start, QueryFault> {
        let Some([sku, location, row]) = rows.after::<3>()? else { return Ok(Start { cell: None, row: 0 }) };
        let sku = rows.parse(&sku, |text| Sku::try_new(text).ok())?;
        let location = rows.parse(&location, |text| LocationId::try_new(text).ok())?;
        let row: usize = rows.parse(&row, |text| text.parse().ok())?;
        Ok(Start { cell: Some((sku, location)), row: row.saturating_add(1) })
    }

    /// The first row of a cell that belongs to the page.
    fn row_in(&self, cell: &CellKey) -> usize {
        if self.cell.as_ref() == Some(cell) { self.row } else { 0 }
    }
}

/// The cursor behind a row of a cell.
pub(crate) fn cursor((sku, location): &CellKey, row: usize) -> Vec<String> {
    vec![sku.to_string(), location.to_string(), row.to_string()]
}

impl Cells<'_> {
    fn includes(&self, (sku, location): &CellKey) -> bool {
        self.sku.is_none_or(|wanted| wanted == sku) && self.location.is_none_or(|wanted| wanted == location)
    }

    /// Hands every cell to `push`, with the first of its rows that belongs to the page.
    pub(crate) fn scan(
        &self,
        source: &Source<'_>,
        rows: &mut Rows,
        mut push: impl FnMut(&Folded, &CellKey, &stock::Cell, usize, &mut Rows) -> Taken,
    ) -> Result<(), QueryFault> {
        let mut start = Start::of(rows)?;
        source.scan(rows, |folded, rows, slice| {
            let from = self.first(&start);
            for key in folded.cells.range((from, Bound::Unbounded)) {
                if self.sku.is_some_and(|wanted| *wanted != key.0) {
                    break;
                }
                if slice.is_over() {
                    start = Start { cell: Some(key.clone()), row: start.row_in(key) };
                    return Ok(Scan::More);
                }
                let rows_of = folded.ledger.items().row(&key.0).zip(folded.ledger.locations().row(&key.1));
                let held = rows_of.and_then(|(item, at)| folded.ledger.stock().cell(item, at));
                let Some(held) = held.filter(|_| self.includes(key)) else { continue };
                if push(folded, key, held, start.row_in(key), rows) == Taken::PageIsFull {
                    break;
                }
            }
            Ok(Scan::Done)
        })
    }

    /// The same as of an effective time.
    pub(crate) fn scan_effective(
        &self,
        then: &Effective<'_>,
        rows: &mut Rows,
        mut push: impl FnMut(&CellKey, &EffectiveCell, usize, &mut Rows) -> Taken,
    ) -> Result<(), QueryFault> {
        let start = Start::of(rows)?;
        let cells = then.cells(self.sku)?;
        for (key, held) in cells.range((self.first(&start), Bound::Unbounded)) {
            if self.includes(key) && push(key, held, start.row_in(key), rows) == Taken::PageIsFull {
                break;
            }
        }
        Ok(())
    }

    fn first(&self, start: &Start) -> Bound<CellKey> {
        match (&start.cell, self.sku) {
            (Some(cell), _) => Bound::Included(cell.clone()),
            (None, Some(sku)) => {
                let least =
                    LocationId::try_new(" ").expect("a space is text; no text without controls is less");
                Bound::Included((sku.clone(), least))
            }
            (None, None) => Bound::Unbounded,
        }
    }
}
