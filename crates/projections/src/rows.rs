//! The page that is being filled: limit, bytes, and the cursor behind its last row.

use serde::Serialize;
use serde_json::Value;

use crate::position::Position;
use crate::query::{PAGE_BYTES_MAX, Page, QueryFault};

/// The sort key of a row, as the parts of a cursor.
pub(crate) type CursorKey = Vec<String>;

/// Rows of one page.
pub(crate) struct Rows {
    view: &'static str,
    /// The sort asked for, one of the view's.
    pub(crate) sort: &'static str,
    after: Option<CursorKey>,
    rows: Vec<Value>,
    limit: usize,
    bytes: usize,
    last: Option<CursorKey>,
    /// There is more behind the last row.
    more: bool,
    position: Position,
}

/// Whether the page takes more rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(crate) enum Taken {
    /// The row is on the page.
    Yes,
    /// The page is full: the row belongs to the next one.
    PageIsFull,
}

impl Rows {
    /// An empty page of a view, to begin behind a cursor.
    pub(crate) fn open(
        view: &'static str,
        sort: &'static str,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Rows, QueryFault> {
        let mut rows = Rows {
            view,
            sort,
            after: None,
            rows: Vec::with_capacity(limit.min(128)),
            limit,
            bytes: 0,
            last: None,
            more: false,
            position: Position::default(),
        };
        if let Some(cursor) = cursor {
            let mut parts: CursorKey = serde_json::from_str(cursor).map_err(|_| rows.invalid_cursor())?;
            if parts.len() < 2 || parts[0] != view || parts[1] != sort {
                return Err(rows.invalid_cursor());
            }
            rows.after = Some(parts.split_off(2));
        }
        Ok(rows)
    }

    /// The sort key behind which the page begins, with exactly so many parts.
    pub(crate) fn after<const N: usize>(&self) -> Result<Option<[String; N]>, QueryFault> {
        let Some(after) = &self.after else { return Ok(None) };
        let parts: [String; N] = after.clone().try_into().map_err(|_| self.invalid_cursor())?;
        Ok(Some(parts))
    }

    /// What a cursor that this view did not make is answered.
    pub(crate) fn invalid_cursor(&self) -> QueryFault {
        QueryFault::InvalidCursor { view: self.view, sort: self.sort }
    }

    /// A part of the cursor as what it stands for.
    pub(crate) fn parse<T>(
        &self,
        part: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, QueryFault> {
        parse(part).ok_or_else(|| self.invalid_cursor())
    }

    /// Puts a row on the page, if there is room. The first row always has room.
    pub(crate) fn push(&mut self, key: impl FnOnce() -> CursorKey, row: &impl Serialize) -> Taken {
        if self.rows.len() == self.limit {
            self.more = true;
            return Taken::PageIsFull;
        }
        let row = serde_json::to_value(row).expect("a row is plain data with text keys");
        let mut bytes = Count(0);
        serde_json::to_writer(&mut bytes, &row).expect("counting has nothing to fail on");
        if !self.rows.is_empty() && self.bytes + bytes.0 > PAGE_BYTES_MAX {
            self.more = true;
            return Taken::PageIsFull;
        }
        self.bytes += bytes.0 + 1;
        self.rows.push(row);
        self.last = Some(key());
        Taken::Yes
    }

    /// True until the first row.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Where the rows hold.
    pub(crate) fn position(&self) -> Position {
        self.position
    }

    /// Says where the rows hold.
    pub(crate) fn hold_at(&mut self, position: Position) {
        self.position = position;
    }

    /// Ends the page here although there may be more.
    pub(crate) fn cut(&mut self) {
        self.more = true;
    }

    /// The page.
    pub(crate) fn into_page(self) -> Page {
        let next = self.last.filter(|_| self.more).map(|last| {
            let cursor = [self.view.to_owned(), self.sort.to_owned()].into_iter().chain(last);
            serde_json::to_string(&cursor.collect::<Vec<_>>()).expect("a list of texts is JSON")
        });
        Page { position: self.position, rows: self.rows, next }
    }
}

struct Count(usize);

impl std::io::Write for Count {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
