//! Pages over the log: places within entries, oldest or newest first.

use crate::history::Way;
use crate::query::QueryFault;
use crate::rows::{CursorKey, Rows};

/// The sorts of a view that pages over the log.
pub(crate) const LOG_SORTS: &[&str] = &["sequence", "-sequence"];

/// Where in the log a page begins, and which way it goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LogPage {
    /// The place behind which the page begins: sequence, and number within the entry.
    behind: Option<(u64, u64)>,
    is_newest_first: bool,
}

impl LogPage {
    /// As the page's sort and cursor say.
    pub(crate) fn of(rows: &Rows) -> Result<LogPage, QueryFault> {
        let is_newest_first = rows.sort.starts_with('-');
        let Some([sequence, place]) = rows.after::<2>()? else {
            return Ok(LogPage { behind: None, is_newest_first });
        };
        let behind =
            (rows.parse(&sequence, |text| text.parse().ok())?, rows.parse(&place, |text| text.parse().ok())?);
        Ok(LogPage { behind: Some(behind), is_newest_first })
    }

    /// The way through the log, beginning with the entry of the cursor: more of it may be to come.
    pub(crate) fn way(&self) -> Way {
        match (self.behind, self.is_newest_first) {
            (None, false) => Way::Up { after: 0 },
            (None, true) => Way::Down { before: u64::MAX },
            (Some((sequence, _)), false) => Way::Up { after: sequence.saturating_sub(1) },
            (Some((sequence, _)), true) => Way::Down { before: sequence.saturating_add(1) },
        }
    }

    /// The items of an entry, numbered from 1, that belong on the page, in its order.
    pub(crate) fn of_entry<T>(&self, sequence: u64, items: Vec<T>) -> impl Iterator<Item = (CursorKey, T)> {
        let LogPage { behind, is_newest_first } = *self;
        let count = items.len() as u64;
        let mut items = items.into_iter();
        (1..=count).filter_map(move |step| {
            let (place, item) = match is_newest_first {
                false => (step, items.next()?),
                true => (count + 1 - step, items.next_back()?),
            };
            let is_behind = behind.is_none_or(|behind| match is_newest_first {
                false => (sequence, place) > behind,
                true => (sequence, place) < behind,
            });
            is_behind.then(|| (vec![sequence.to_string(), place.to_string()], item))
        })
    }
}
