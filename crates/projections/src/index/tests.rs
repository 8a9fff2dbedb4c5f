//! Runs, tail and merges together answer as a plain map would.

use proptest::prelude::*;

use super::*;
use crate::store::MemoryStore;

const LEDGER: [u8; 16] = [5; 16];

fn open(store: &MemoryStore) -> Index {
    Index::open(Box::new(store.clone()), LEDGER, |_| Ok(true)).unwrap()
}

fn at(sequence: u64) -> Checkpoint {
    Checkpoint { ledger: LEDGER, sequence, event: sequence, hash: [sequence as u8; 32] }
}

fn all(index: &Index, key: Key, mut after: u64, upto: u64) -> Vec<u64> {
    let mut found = Vec::new();
    loop {
        let next = index.sequences(key, after, upto).unwrap();
        let Some(last) = next.last() else { return found };
        after = *last;
        found.extend(next);
    }
}

fn all_before(index: &Index, key: Key, mut before: u64) -> Vec<u64> {
    let mut found = Vec::new();
    loop {
        let next = index.sequences_before(key, before).unwrap();
        let Some(last) = next.last() else { return found };
        before = *last;
        found.extend(next);
    }
}

fn keys(names: &[u8]) -> SmallVec<[Key; 16]> {
    let mut keys: SmallVec<[Key; 16]> = names.iter().map(|name| Key::actor(&name.to_string())).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn runs_answer_as_a_plain_map_would(
        entries in proptest::collection::vec(proptest::collection::vec(0u8..12, 0..4), 1..200),
        cuts in proptest::collection::vec(0usize..200, 0..40),
        reopen in proptest::collection::vec(0usize..200, 0..4),
        (after, upto) in (0u64..220, 0u64..220),
    ) {
        let store = MemoryStore::new();
        let mut index = open(&store);
        let mut naive: Vec<(Key, u64)> = Vec::new();
        for (place, names) in entries.iter().enumerate() {
            let sequence = place as u64 + 1;
            let keys = keys(names);
            naive.extend(keys.iter().map(|key| (*key, sequence)));
            index.add(&[(sequence, keys)]);
            if cuts.contains(&place) {
                index.write_tail(at(sequence)).unwrap();
                if index.claim_merge() {
                    index.merge().unwrap();
                }
            }
            if reopen.contains(&place) {
                // The tail is lost with the process and added again from the log, which begins at the beginning.
                index = open(&store);
                for again in 1..=sequence {
                    let mut keys: SmallVec<[Key; 16]> =
                        naive.iter().filter(|(_, s)| *s == again).map(|(key, _)| *key).collect();
                    keys.sort_unstable();
                    index.add(&[(again, keys)]);
                }
            }
        }
        for name in 0..12 {
            let key = Key::actor(&name.to_string());
            let wanted: Vec<u64> = naive
                .iter()
                .filter(|(k, s)| *k == key && (after + 1..=upto).contains(s))
                .map(|(_, s)| *s)
                .collect();
            prop_assert_eq!(all(&index, key, after, upto), wanted);
            let mut wanted: Vec<u64> =
                naive.iter().filter(|(k, s)| *k == key && *s < upto).map(|(_, s)| *s).collect();
            wanted.reverse();
            prop_assert_eq!(all_before(&index, key, upto), wanted);
        }
    }
}

#[test]
fn eight_runs_become_one_and_leave_nothing_behind() {
    let store = MemoryStore::new();
    let index = open(&store);
    for sequence in 1..=64 {
        index.add(&[(sequence, keys(&[1, (sequence % 7) as u8]))]);
        index.write_tail(at(sequence)).unwrap();
        if index.claim_merge() {
            index.merge().unwrap();
        }
    }
    let runs = index.state.read().runs.clone();
    assert_eq!(runs.iter().map(|run| (run.level, run.first, run.last)).collect::<Vec<_>>(), [(2, 1, 64)]);
    assert_eq!(store.keys().unwrap().len(), 3, "a block, its filter and the manifest");
    assert_eq!(all(&index, Key::actor("1"), 0, 64).len(), 64);
}

#[test]
fn a_run_larger_than_a_value_is_several_blocks() {
    let store = MemoryStore::new();
    let index = open(&store);
    let entries: Vec<_> = (1..=50_000u64)
        .map(|sequence| (sequence, [Key(7), Key(sequence)].into_iter().collect::<SmallVec<[Key; 16]>>()))
        .collect();
    index.add(&entries);
    index.write_tail(at(50_000)).unwrap();
    assert_eq!(index.state.read().runs[0].blocks.len(), 100_000_usize.div_ceil(BLOCK_PAIRS_MAX));
    assert_eq!(all(&index, Key(7), 100, 49_999).len(), 49_899);
    assert_eq!(all(&index, Key(40_000), 0, 50_000), [40_000]);
    for key in store.keys().unwrap() {
        store.read(&key, &mut |value| assert!(value.len() <= 128 * 1024)).unwrap();
    }
}

#[test]
fn a_large_merge_is_given_up_when_the_process_ends() {
    let store = MemoryStore::new();
    let index = open(&store);
    for run in 0..8_u64 {
        let first = run * 10_000 + 1;
        let entry = |sequence: u64| (sequence, [Key(sequence)].into_iter().collect::<SmallVec<[Key; 16]>>());
        index.add(&(first..first + 10_000).map(entry).collect::<Vec<_>>());
        index.write_tail(at(first + 9_999)).unwrap();
    }
    assert!(index.claim_merge() && !index.claim_merge(), "one merge at a time");
    index.stop_merging();
    index.merge().unwrap();
    assert_eq!(index.reach().1, 8);
    assert_eq!(all(&index, Key(70_001), 0, 80_000), [70_001]);
    let index = open(&store);
    assert!(index.claim_merge());
    index.merge().unwrap();
    assert_eq!(
        (index.reach().1, store.keys().unwrap().len()),
        (1, 2 * 80_000_usize.div_ceil(BLOCK_PAIRS_MAX) + 1),
        "blocks, their filters, the manifest"
    );
    assert_eq!(all(&index, Key(70_001), 0, 80_000), [70_001]);
}

#[test]
fn runs_of_another_history_are_thrown_away() {
    let store = MemoryStore::new();
    let index = open(&store);
    index.add(&[(1, keys(&[1]))]);
    index.write_tail(at(1)).unwrap();
    let index = Index::open(Box::new(store.clone()), LEDGER, |stored| Ok(stored.sequence == 2)).unwrap();
    assert_eq!(index.checkpoint().sequence, 0);
    assert_eq!(all(&index, Key::actor("1"), 0, 9), Vec::<u64>::new());
    assert_eq!(store.keys().unwrap(), Vec::<Vec<u8>>::new());
}

#[test]
fn blocks_of_a_merge_that_was_cut_short_are_removed() {
    let store = MemoryStore::new();
    let index = open(&store);
    index.add(&[(1, keys(&[1]))]);
    index.write_tail(at(1)).unwrap();
    store.write(vec![(b"block/00000000000000ff".to_vec(), Some(vec![0; 16]))]).unwrap();
    let index = open(&store);
    assert_eq!(all(&index, Key::actor("1"), 0, 9), [1]);
    assert_eq!(store.keys().unwrap().len(), 3);
}
