//! The order in which a board pages over documents: sorted in memory, bucket by bucket, so that a filter on the bucket
//! (the state, mostly) reads nothing else.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::ops::Bound;

use ledger_core::state::Row;
use smallvec::SmallVec;

/// A document's place on a board: its bucket, and its key in each sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place<const SORTS: usize> {
    pub(crate) bucket: usize,
    pub(crate) keys: [i64; SORTS],
}

/// Documents that an entry names, and where they stand.
pub(crate) type Standing<const SORTS: usize> = SmallVec<[(Row, Place<SORTS>); 2]>;

/// A sort key, and the document's row number to tell equal keys apart.
pub(crate) type BoardKey = (i64, u32);

type Sorted = BTreeMap<BoardKey, Row>;

/// Documents by bucket and sort.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Board<const SORTS: usize, const BUCKETS: usize> {
    buckets: [[Sorted; SORTS]; BUCKETS],
}

impl<const SORTS: usize, const BUCKETS: usize> Default for Board<SORTS, BUCKETS> {
    fn default() -> Self {
        Board { buckets: std::array::from_fn(|_| std::array::from_fn(|_| Sorted::new())) }
    }
}

impl<const SORTS: usize, const BUCKETS: usize> Board<SORTS, BUCKETS> {
    /// The board of these documents. Sorting them first is many times faster than one after the other.
    pub(crate) fn of(documents: impl Iterator<Item = (Row, Place<SORTS>)>) -> Self {
        let mut lists: [[Vec<(BoardKey, Row)>; SORTS]; BUCKETS] =
            std::array::from_fn(|_| std::array::from_fn(|_| Vec::new()));
        for (row, place) in documents {
            for (list, key) in lists[place.bucket].iter_mut().zip(place.keys) {
                list.push(((key, row.number()), row));
            }
        }
        Board { buckets: lists.map(|sorts| sorts.map(Sorted::from_iter)) }
    }

    /// Moves a document to where it now belongs.
    fn put(&mut self, row: Row, before: Option<Place<SORTS>>, now: Place<SORTS>) {
        if before == Some(now) {
            return;
        }
        if let Some(before) = before {
            for (sorted, key) in self.buckets[before.bucket].iter_mut().zip(before.keys) {
                sorted.remove(&(key, row.number()));
            }
        }
        for (sorted, key) in self.buckets[now.bucket].iter_mut().zip(now.keys) {
            sorted.insert((key, row.number()), row);
        }
    }

    /// Moves the documents that an entry named from where they stood to where they now stand; those that it took away
    /// are gone.
    pub(crate) fn follow(&mut self, before: &Standing<SORTS>, now: &Standing<SORTS>) {
        for (row, place) in before.iter().filter(|(row, _)| !now.iter().any(|(known, _)| known == row)) {
            self.remove(*row, *place);
        }
        for (row, now) in now {
            let before = before.iter().find(|(known, _)| known == row).map(|(_, place)| *place);
            self.put(*row, before, *now);
        }
    }

    /// Takes a document off that is gone.
    fn remove(&mut self, row: Row, before: Place<SORTS>) {
        for (sorted, key) in self.buckets[before.bucket].iter_mut().zip(before.keys) {
            sorted.remove(&(key, row.number()));
        }
    }

    /// Documents of the buckets that count, behind a key, in the order of a sort.
    pub(crate) fn behind(
        &self,
        counts: impl Fn(usize) -> bool,
        sort: Sort,
        after: Option<BoardKey>,
    ) -> impl Iterator<Item = (BoardKey, Row)> {
        let behind = after.map_or(Bound::Unbounded, Bound::Excluded);
        let streams =
            self.buckets.iter().enumerate().filter(|(bucket, _)| counts(*bucket)).map(|(_, sorts)| {
                let sorted = &sorts[sort.key];
                let stream: Box<dyn Iterator<Item = (&BoardKey, &Row)>> = match sort.descending {
                    false => Box::new(sorted.range((behind, Bound::Unbounded))),
                    true => Box::new(sorted.range((Bound::Unbounded, behind)).rev()),
                };
                stream.peekable()
            });
        Merged { streams: streams.collect(), descending: sort.descending }
    }
}

/// One of a board's sorts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sort {
    /// Which of the keys.
    pub(crate) key: usize,
    /// From the largest.
    pub(crate) descending: bool,
}

type Stream<'b> = Peekable<Box<dyn Iterator<Item = (&'b BoardKey, &'b Row)> + 'b>>;

/// The buckets' documents in one order.
struct Merged<'b> {
    streams: Vec<Stream<'b>>,
    descending: bool,
}

impl Iterator for Merged<'_> {
    type Item = (BoardKey, Row);

    fn next(&mut self) -> Option<(BoardKey, Row)> {
        let descending = self.descending;
        let heads = self.streams.iter_mut().enumerate();
        let heads = heads.filter_map(|(at, stream)| stream.peek().map(|(key, _)| (**key, at)));
        let (_, at) = if descending { heads.max() } else { heads.min() }?;
        self.streams[at].next().map(|(key, row)| (*key, *row))
    }
}
