//! What an ordered set keeps while it is being copied: values that came or went before the copy reached them.

use std::collections::BTreeSet;
use std::ops::Bound;

use bincode::Encode;

use crate::codec;

/// A copy of an ordered set on its way.
#[derive(Debug, Clone)]
pub(super) struct OrderedCopy<T> {
    /// How many values there were; `None` once that is written.
    len: Option<u64>,
    /// The last value written.
    written: Option<T>,
    /// Values behind it that were not there at the moment of the copy.
    came: BTreeSet<T>,
    /// Values behind it that were there and are not any more.
    went: BTreeSet<T>,
}

impl<T: Ord + Clone> OrderedCopy<T> {
    pub(super) fn of(len: usize) -> Self {
        OrderedCopy { len: Some(len as u64), written: None, came: BTreeSet::new(), went: BTreeSet::new() }
    }

    /// A value came that was not there.
    #[cold]
    pub(super) fn came(&mut self, value: &T) {
        if self.is_ahead(value) && !self.went.remove(value) {
            self.came.insert(value.clone());
        }
    }

    /// A value went that was there.
    #[cold]
    pub(super) fn went(&mut self, value: &T) {
        if self.is_ahead(value) && !self.came.remove(value) {
            self.went.insert(value.clone());
        }
    }

    fn is_ahead(&self, value: &T) -> bool {
        self.written.as_ref().is_none_or(|written| value > written)
    }

    /// Appends what follows until `out` holds enough; true once all is written. `set` is what it holds now.
    pub(super) fn write(&mut self, set: &BTreeSet<T>, out: &mut Vec<u8>, enough: usize) -> bool
    where
        T: Encode,
    {
        if let Some(len) = self.len.take() {
            codec::encode_into(&len, out);
        }
        let ahead = (self.written.as_ref().map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded);
        let mut stayed = set.range(ahead).filter(|value| !self.came.contains(value)).peekable();
        let mut went = self.went.range(ahead).peekable();
        let mut last = None;
        let is_done = loop {
            let next = match (stayed.peek(), went.peek()) {
                (None, None) => break true,
                _ if out.len() >= enough => break false,
                (Some(there), Some(gone)) if there < gone => stayed.next(),
                (_, Some(_)) => went.next(),
                (_, None) => stayed.next(),
            };
            next.into_iter().for_each(|value| codec::encode_into(value, out));
            last = next.or(last);
        };
        if let Some(last) = last.cloned() {
            self.written = Some(last);
        }
        is_done
    }
}
