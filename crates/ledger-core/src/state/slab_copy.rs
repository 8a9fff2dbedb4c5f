//! What a slab keeps while it is being copied: rows and free rows that changed before the copy reached them.

use std::collections::HashMap;

use bincode::Encode;
use foldhash::fast::FixedState;

use super::Row;
use crate::codec;

/// A copy of a slab on its way.
#[derive(Debug, Clone)]
pub(super) struct SlabCopy<V> {
    next: Next,
    /// Slots there were at the moment of the copy.
    slots: usize,
    /// What those slots held that changed since and are not written.
    before: HashMap<usize, Option<V>, FixedState>,
    /// Free rows there were.
    free: usize,
    /// The first so many of them are still as they were.
    free_kept: usize,
    /// Those behind, which were used since: the last one first.
    free_used: Vec<Row>,
}

/// What is to be written next: the number of slots, the slots, the number of free rows, the free rows.
#[derive(Debug, Clone, Copy)]
enum Next {
    SlotCount,
    Slot(usize),
    Free(usize),
}

impl<V> SlabCopy<V> {
    pub(super) fn of(slots: usize, free: usize) -> Self {
        SlabCopy {
            next: Next::SlotCount,
            slots,
            before: HashMap::default(),
            free,
            free_kept: free,
            free_used: Vec::new(),
        }
    }

    /// A slot is about to change: what it held at the moment of the copy is what it holds now, unless it changed before.
    #[cold]
    pub(super) fn keep(&mut self, at: usize, value: &Option<V>)
    where
        V: Clone,
    {
        let written = match self.next {
            Next::SlotCount => 0,
            Next::Slot(next) => next,
            Next::Free(_) => return,
        };
        if (written..self.slots).contains(&at) {
            self.before.entry(at).or_insert_with(|| value.clone());
        }
    }

    /// A free row was taken, and so many are left.
    #[cold]
    pub(super) fn keep_free(&mut self, row: Row, left: usize) {
        if left < self.free_kept {
            self.free_kept = left;
            self.free_used.push(row);
        }
    }

    /// Appends what follows until `out` holds enough; true once all is written. The slab gives what it holds now.
    pub(super) fn write<'s>(
        &mut self,
        slot: impl Fn(usize) -> &'s Option<V>,
        free: &[Row],
        out: &mut Vec<u8>,
        enough: usize,
    ) -> bool
    where
        V: Encode + 's,
    {
        loop {
            self.next = match self.next {
                Next::Free(next) if next == self.free => return true,
                _ if out.len() >= enough => return false,
                Next::SlotCount => {
                    codec::encode_into(&(self.slots as u64), out);
                    Next::Slot(0)
                }
                Next::Slot(next) if next == self.slots => {
                    codec::encode_into(&(self.free as u64), out);
                    Next::Free(0)
                }
                Next::Slot(next) => {
                    match self.before.remove(&next) {
                        Some(before) => codec::encode_into(&before, out),
                        None => codec::encode_into(slot(next), out),
                    }
                    Next::Slot(next + 1)
                }
                Next::Free(next) => {
                    let is_kept = next < self.free_kept;
                    let row = if is_kept { free[next] } else { self.free_used[self.free - 1 - next] };
                    codec::encode_into(&row, out);
                    Next::Free(next + 1)
                }
            };
        }
    }
}
