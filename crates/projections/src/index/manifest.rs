//! The manifest: which runs there are and how far they reach, as one value replaced whole.

use std::collections::HashSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::block::{Block, BlockMeta};
use super::{Checkpoint, Filter, Key};
use crate::fault::Fault;
use crate::store::{Store, Write};

/// Another number makes older folders be thrown away and rebuilt.
const FORMAT: u32 = 1;
const MANIFEST: &[u8] = b"manifest";

/// Pairs of a stretch of the log, in blocks ascending by key.
#[derive(Debug)]
pub(crate) struct Run {
    /// How often it was merged.
    pub(crate) level: u32,
    /// Sequence of the first entry it covers.
    pub(crate) first: u64,
    /// Sequence of the last entry it covers.
    pub(crate) last: u64,
    /// The blocks.
    pub(crate) blocks: Vec<Block>,
}

#[derive(Serialize, Deserialize)]
struct Manifest {
    format: u32,
    checkpoint: Checkpoint,
    next_block: u64,
    runs: Vec<RunMeta>,
}

#[derive(Serialize, Deserialize)]
struct RunMeta {
    level: u32,
    first: u64,
    last: u64,
    blocks: Vec<BlockMeta>,
}

impl Run {
    /// The blocks that may hold a key.
    pub(crate) fn blocks_of(&self, key: Key) -> impl Iterator<Item = &Block> {
        let from = self.blocks.partition_point(|block| block.meta.key_max < key.0);
        let there = self.blocks[from..].iter().take_while(move |block| block.meta.key_min <= key.0);
        there.filter(move |block| block.filter.may_hold(key.0))
    }
}

/// What a store holds.
pub(crate) struct Kept {
    pub(crate) runs: Vec<Arc<Run>>,
    pub(crate) checkpoint: Checkpoint,
    pub(crate) next_block: u64,
}

/// The key of a block's pairs.
pub(crate) fn block_key(number: u64) -> Vec<u8> {
    format!("block/{number:016x}").into_bytes()
}

fn filter_key(number: u64) -> Vec<u8> {
    format!("filter/{number:016x}").into_bytes()
}

/// Adds a block and its filter to a batch.
pub(crate) fn put_block(block: &Block, bytes: Vec<u8>, batch: &mut Vec<Write>) {
    batch.push((block_key(block.meta.number), Some(bytes)));
    batch.push((filter_key(block.meta.number), Some(block.filter.to_bytes())));
}

/// Adds the removal of a block to a batch.
pub(crate) fn remove_block(block: &Block, batch: &mut Vec<Write>) {
    batch.push((block_key(block.meta.number), None));
    batch.push((filter_key(block.meta.number), None));
}

/// Adds the manifest to a batch.
pub(crate) fn put(runs: &[Arc<Run>], checkpoint: Checkpoint, next_block: u64, batch: &mut Vec<Write>) {
    let meta = |run: &Arc<Run>| RunMeta {
        level: run.level,
        first: run.first,
        last: run.last,
        blocks: run.blocks.iter().map(|block| block.meta).collect(),
    };
    let runs = runs.iter().map(meta).collect();
    let manifest = Manifest { format: FORMAT, checkpoint, next_block, runs };
    let json = serde_json::to_vec(&manifest).expect("a manifest of numbers is JSON");
    batch.push((MANIFEST.to_vec(), Some(json)));
}

fn read(store: &dyn Store) -> Result<Option<Manifest>, Fault> {
    let mut manifest = None;
    store.read(MANIFEST, &mut |bytes| manifest = serde_json::from_slice::<Manifest>(bytes).ok())?;
    Ok(manifest.filter(|manifest| manifest.format == FORMAT))
}

/// How far the stored runs reach, if there are any that this version reads.
pub(crate) fn stored_checkpoint(store: &dyn Store) -> Result<Option<Checkpoint>, Fault> {
    Ok(read(store)?.map(|manifest| manifest.checkpoint))
}

/// Loads the runs with their filters; `None` if anything of them is missing or unreadable.
pub(crate) fn load(store: &dyn Store) -> Result<Option<Kept>, Fault> {
    let Some(Manifest { checkpoint, next_block, runs: metas, .. }) = read(store)? else { return Ok(None) };
    let mut runs = Vec::with_capacity(metas.len());
    for RunMeta { level, first, last, blocks: metas } in metas {
        let mut blocks = Vec::with_capacity(metas.len());
        for meta in metas {
            let mut filter = None;
            store.read(&filter_key(meta.number), &mut |bytes| filter = Filter::from_bytes(bytes))?;
            let Some(filter) = filter else { return Ok(None) };
            blocks.push(Block { meta, filter });
        }
        runs.push(Arc::new(Run { level, first, last, blocks }));
    }
    Ok(Some(Kept { runs, checkpoint, next_block }))
}

/// Removes what no manifest names: blocks of a merge that a crash cut short, or everything of another history.
pub(crate) fn remove_orphans(store: &dyn Store, kept: Option<&Kept>) -> Result<(), Fault> {
    let mut named = HashSet::new();
    if let Some(kept) = kept {
        named.insert(MANIFEST.to_vec());
        for block in kept.runs.iter().flat_map(|run| &run.blocks) {
            named.insert(block_key(block.meta.number));
            named.insert(filter_key(block.meta.number));
        }
    }
    let orphans = store.keys()?.into_iter().filter(|key| !named.contains(key));
    let batch: Vec<Write> = orphans.map(|key| (key, None)).collect();
    if batch.is_empty() { Ok(()) } else { store.write(batch) }
}
