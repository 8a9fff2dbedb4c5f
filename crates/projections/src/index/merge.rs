//! Old runs merge, eight of a level into one of the next, so that a lookup asks few filters however long the log is.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Index;
use super::block::{Block, Pair, RUN_PAIRS, pair_at};
use super::manifest::{self, Run};
use crate::fault::Fault;
use crate::store::Write;

/// How many neighbours of one level make one of the next.
const FAN: usize = 8;

impl Index {
    /// True if runs are due to be merged and nobody is at it; the caller then calls `merge`, on any thread.
    pub(crate) fn claim_merge(&self) -> bool {
        self.due(&self.state.read().runs).is_some() && !self.merging.swap(true, Ordering::AcqRel)
    }

    /// Merges until nothing is due. Lookups and additions go on meanwhile.
    pub(crate) fn merge(&self) -> Result<(), Fault> {
        let merged = self.merge_all();
        self.merging.store(false, Ordering::Release);
        merged
    }

    /// Gives a merge up at its next full block; one of less is finished. What it wrote so far is named nowhere, and
    /// removed when the index is opened.
    pub(crate) fn stop_merging(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    fn merge_all(&self) -> Result<(), Fault> {
        loop {
            let runs = self.state.read().runs.clone();
            let Some(first) = self.due(&runs) else { return Ok(()) };
            if self.merge_runs(&runs[first..first + FAN])? == Merge::GivenUp {
                return Ok(());
            }
        }
    }

    /// The first of eight neighbours of one level.
    fn due(&self, runs: &[Arc<Run>]) -> Option<usize> {
        runs.windows(FAN).position(|runs| runs.iter().all(|run| run.level == runs[0].level))
    }

    fn merge_runs(&self, old: &[Arc<Run>]) -> Result<Merge, Fault> {
        let mut blocks = Vec::new();
        let mut pairs = Vec::with_capacity(RUN_PAIRS);
        let mut cursors = Vec::with_capacity(old.len());
        for run in old {
            cursors.push(Cursor::open(self, run)?);
        }
        while let Some(least) =
            cursors.iter_mut().filter(|cursor| cursor.pair.is_some()).min_by_key(|c| c.pair)
        {
            pairs.extend(least.pair);
            least.advance(self)?;
            if pairs.len() == RUN_PAIRS {
                if self.stopping.load(Ordering::Acquire) {
                    return Ok(Merge::GivenUp);
                }
                blocks.extend(self.write_blocks(&pairs)?);
                pairs.clear();
            }
        }
        blocks.extend(self.write_blocks(&pairs)?);
        let (first, last) = (old[0].first, old[old.len() - 1].last);
        self.replace(old, Run { level: old[0].level + 1, first, last, blocks })?;
        Ok(Merge::Done)
    }

    /// Writes blocks that no manifest names yet: after a crash they are orphans.
    fn write_blocks(&self, pairs: &[Pair]) -> Result<Vec<Block>, Fault> {
        let mut batch: Vec<Write> = Vec::new();
        let blocks = self.blocks_over(pairs, &mut batch);
        self.store.write(batch)?;
        Ok(blocks)
    }

    fn replace(&self, old: &[Arc<Run>], merged: Run) -> Result<(), Fault> {
        let _changing = self.changing.lock();
        let (runs, checkpoint) = {
            let state = self.state.read();
            let mut runs = state.runs.clone();
            let at = runs.iter().position(|run| Arc::ptr_eq(run, &old[0]));
            let at = at.expect("only a merge takes runs away, and there is one at a time");
            runs.splice(at..at + old.len(), [Arc::new(merged)]);
            (runs, state.checkpoint)
        };
        let mut batch = Vec::new();
        manifest::put(&runs, checkpoint, self.next_block.load(Ordering::Relaxed), &mut batch);
        self.store.write(batch)?;
        self.state.write().runs = runs;
        // Whoever still looks at the old runs finds their blocks gone, and looks again.
        let mut batch = Vec::new();
        for block in old.iter().flat_map(|run| &run.blocks) {
            manifest::remove_block(block, &mut batch);
        }
        self.store.write(batch)
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Merge {
    Done,
    GivenUp,
}

/// Reads a run's pairs in order, one block in memory at a time.
struct Cursor {
    run: Arc<Run>,
    next_block: usize,
    bytes: Vec<u8>,
    place: usize,
    pair: Option<Pair>,
}

impl Cursor {
    fn open(index: &Index, run: &Arc<Run>) -> Result<Cursor, Fault> {
        let mut cursor = Cursor { run: run.clone(), next_block: 0, bytes: Vec::new(), place: 0, pair: None };
        cursor.advance(index)?;
        Ok(cursor)
    }

    fn advance(&mut self, index: &Index) -> Result<(), Fault> {
        self.pair = pair_at(&self.bytes, self.place);
        self.place += 1;
        while self.pair.is_none() {
            let Some(block) = self.run.blocks.get(self.next_block) else { return Ok(()) };
            self.next_block += 1;
            let number = block.meta.number;
            let bytes = &mut self.bytes;
            if !index.store.read(&manifest::block_key(number), &mut |stored| *bytes = stored.to_vec())? {
                return Err(Fault::Store { why: format!("block {number} is gone") });
            }
            self.pair = pair_at(&self.bytes, 0);
            self.place = 1;
        }
        Ok(())
    }
}
