//! Which entries have a key: sorted runs in the store, each covering a stretch of the log, and a tail in memory.
//!
//! ```text
//!   log     1 ─────────────── 40,000 ──── 48,000 ── 56,000 ─ … tail
//!   runs    [ level 1, 64 blocks   ] [ level 0 ] [ level 0 ]  hash map
//! ```
//!
//! One value a run and key under sled would be one write an event; a run is a few large values for some ten thousand
//! entries, written in the same batch as the checkpoint that says how far the runs reach. A lookup asks a filter for
//! each run, in the order of the log, and reads a block only where the key may be.

mod block;
mod block_cache;
mod filter;
mod key;
mod manifest;
mod merge;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use foldhash::fast::FixedState;
use journal::FrameHash;
use parking_lot::{Mutex, RwLock};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::fault::Fault;
use crate::store::{Store, Write};
use block::{BLOCK_PAIRS_MAX, Block, Pair, RUN_PAIRS, sequences_in};
use block_cache::BlockCache;
use filter::Filter;
use manifest::Run;

pub(crate) use key::{Key, keys_of};
pub(crate) use manifest::stored_checkpoint;

/// How far the runs reach, and in which history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Checkpoint {
    /// Uuid of the ledger.
    pub(crate) ledger: [u8; 16],
    /// Sequence of the last entry in the runs; 0 for none.
    pub(crate) sequence: u64,
    /// Ordinal of that entry's last event.
    pub(crate) event: u64,
    /// Hash of the frame that ends with that entry.
    pub(crate) hash: FrameHash,
}

/// The index. Lookups run beside the one who adds.
pub(crate) struct Index {
    store: Box<dyn Store>,
    cache: BlockCache,
    state: RwLock<State>,
    /// Held by whoever replaces the manifest.
    changing: Mutex<()>,
    merging: AtomicBool,
    /// A merge that is going on is to be given up.
    stopping: AtomicBool,
    /// The number of the next block.
    next_block: AtomicU64,
}

struct State {
    /// Ascending, each covering the stretch of the log after the one before.
    runs: Vec<Arc<Run>>,
    tail: HashMap<u64, SmallVec<[u64; 2]>, FixedState>,
    tail_pairs: usize,
    checkpoint: Checkpoint,
}

impl Index {
    /// Opens what the store holds. Runs that are not of this ledger's history, by `belongs`, are thrown away.
    pub(crate) fn open(
        store: Box<dyn Store>,
        ledger: [u8; 16],
        belongs: impl FnOnce(&Checkpoint) -> Result<bool, Fault>,
    ) -> Result<Index, Fault> {
        let kept = match manifest::load(store.as_ref())? {
            Some(kept) if belongs(&kept.checkpoint)? => Some(kept),
            _ => None,
        };
        manifest::remove_orphans(store.as_ref(), kept.as_ref())?;
        let (runs, checkpoint, next_block) = match kept {
            Some(kept) => (kept.runs, kept.checkpoint, kept.next_block),
            None => {
                let nothing =
                    Checkpoint { ledger, sequence: 0, event: 0, hash: journal::chain_start(ledger) };
                (Vec::new(), nothing, 0)
            }
        };
        let tail = HashMap::with_hasher(FixedState::default());
        let state = RwLock::new(State { runs, tail, tail_pairs: 0, checkpoint });
        Ok(Index {
            store,
            cache: BlockCache::default(),
            state,
            changing: Mutex::new(()),
            merging: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            next_block: AtomicU64::new(next_block),
        })
    }

    /// How far the runs reach. Entries up to here need not be added again.
    pub(crate) fn checkpoint(&self) -> Checkpoint {
        self.state.read().checkpoint
    }

    /// How far the runs reach, and how many there are.
    pub(crate) fn reach(&self) -> (Checkpoint, usize) {
        let state = self.state.read();
        (state.checkpoint, state.runs.len())
    }

    /// Adds the keys of entries, which come in the order of the log.
    pub(crate) fn add(&self, entries: &[(u64, SmallVec<[Key; 16]>)]) {
        let mut state = self.state.write();
        let state = &mut *state;
        for (sequence, keys) in entries {
            if *sequence <= state.checkpoint.sequence {
                continue;
            }
            for key in keys {
                state.tail.entry(key.0).or_default().push(*sequence);
            }
            state.tail_pairs += keys.len();
        }
    }

    /// True when the tail would fill a run.
    pub(crate) fn is_due(&self) -> bool {
        self.state.read().tail_pairs >= RUN_PAIRS
    }

    /// How many runs the tail would fill.
    pub(crate) fn runs_in_tail(&self) -> usize {
        self.state.read().tail_pairs / RUN_PAIRS
    }

    /// Sequences of entries that may have the key, after one and up to one, ascending: those of the first run that
    /// has any, so the caller asks again after the last one until nothing comes.
    pub(crate) fn sequences(&self, key: Key, after: u64, upto: u64) -> Result<Vec<u64>, Fault> {
        loop {
            let (runs, tail) = {
                let state = self.state.read();
                let from_tail = state.tail.get(&key.0).map(|sequences| {
                    let first = sequences.partition_point(|sequence| *sequence <= after);
                    let end = sequences.partition_point(|sequence| *sequence <= upto);
                    sequences.get(first..end).unwrap_or_default().to_vec()
                });
                (state.runs.clone(), from_tail.unwrap_or_default())
            };
            let behind = runs.partition_point(|run| run.last <= after);
            match self.sequences_in_runs(runs[behind..].iter(), key, after, upto)? {
                Looked::Found(found) if found.is_empty() => return Ok(tail),
                Looked::Found(found) => return Ok(found),
                // A merge replaced the run meanwhile: look again at what is there now.
                Looked::Replaced => {}
            }
        }
    }

    /// The sequences in the first of these runs that has any.
    fn sequences_in_runs<'r>(
        &self,
        runs: impl Iterator<Item = &'r Arc<Run>>,
        key: Key,
        after: u64,
        upto: u64,
    ) -> Result<Looked, Fault> {
        let mut found = Vec::new();
        for run in runs {
            for block in run.blocks_of(key) {
                let number = block.meta.number;
                match self.cache.read(number, self.store.as_ref())? {
                    Some(bytes) => sequences_in(&bytes, key, after, upto, &mut found),
                    None if self.has_run(run) => {
                        return Err(Fault::Store { why: format!("block {number} is gone") });
                    }
                    None => return Ok(Looked::Replaced),
                }
            }
            if !found.is_empty() {
                break;
            }
        }
        Ok(Looked::Found(found))
    }

    /// The same downwards: sequences before one, descending, of the last run (or the tail) that has any.
    pub(crate) fn sequences_before(&self, key: Key, before: u64) -> Result<Vec<u64>, Fault> {
        let Some(upto) = before.checked_sub(1) else { return Ok(Vec::new()) };
        loop {
            let (runs, mut tail) = {
                let state = self.state.read();
                let from_tail = state.tail.get(&key.0).map(|sequences| {
                    sequences[..sequences.partition_point(|sequence| *sequence <= upto)].to_vec()
                });
                (state.runs.clone(), from_tail.unwrap_or_default())
            };
            if !tail.is_empty() {
                tail.reverse();
                return Ok(tail);
            }
            let behind = runs.partition_point(|run| run.first <= upto);
            match self.sequences_in_runs(runs[..behind].iter().rev(), key, 0, upto)? {
                Looked::Found(mut found) => {
                    found.reverse();
                    return Ok(found);
                }
                Looked::Replaced => {}
            }
        }
    }

    /// The blocks of sorted pairs, added to a batch.
    fn blocks_over(&self, pairs: &[Pair], batch: &mut Vec<Write>) -> Vec<Block> {
        let block = |pairs: &[Pair]| {
            let (block, bytes) = Block::over(self.next_block.fetch_add(1, Ordering::Relaxed), pairs);
            manifest::put_block(&block, bytes, batch);
            block
        };
        pairs.chunks(BLOCK_PAIRS_MAX).map(block).collect()
    }

    fn has_run(&self, run: &Arc<Run>) -> bool {
        self.state.read().runs.iter().any(|there| Arc::ptr_eq(there, run))
    }

    /// Writes the tail as a run, in one batch with the checkpoint that says so. Only the one who adds may call it.
    pub(crate) fn write_tail(&self, checkpoint: Checkpoint) -> Result<(), Fault> {
        let _changing = self.changing.lock();
        let (mut pairs, before, mut runs) = {
            let state = self.state.read();
            let mut pairs: Vec<Pair> = Vec::with_capacity(state.tail_pairs);
            for (key, sequences) in &state.tail {
                pairs.extend(sequences.iter().map(|sequence| (*key, *sequence)));
            }
            (pairs, state.checkpoint, state.runs.clone())
        };
        if checkpoint.sequence <= before.sequence {
            return Ok(());
        }
        pairs.sort_unstable();
        let mut batch: Vec<Write> = Vec::new();
        let blocks = self.blocks_over(&pairs, &mut batch);
        runs.push(Arc::new(Run { level: 0, first: before.sequence + 1, last: checkpoint.sequence, blocks }));
        manifest::put(&runs, checkpoint, self.next_block.load(Ordering::Relaxed), &mut batch);
        self.store.write(batch)?;
        let mut state = self.state.write();
        state.runs = runs;
        state.tail.clear();
        state.tail_pairs = 0;
        state.checkpoint = checkpoint;
        Ok(())
    }
}

enum Looked {
    Found(Vec<u64>),
    Replaced,
}

#[cfg(test)]
mod tests;
