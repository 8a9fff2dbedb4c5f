//! Which command ids were accepted, so that a repeat gets the first outcome: for a time and a number of commands.

use std::collections::VecDeque;

use bincode::enc::Encoder;
use bincode::error::EncodeError;
use bincode::{Decode, Encode};

use crate::codec::{self, CodecFault};
use crate::entry::Fingerprint;
use crate::state::{Blocks, Index, KeyHash, Stored};
use crate::values::Timestamp;

/// Commands are remembered and forgotten in blocks of so many: no growth moves what is remembered.
const BLOCK_LEN: usize = 4096;

/// An accepted command, as the ledger remembers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct RememberedCommand {
    /// The hashes of its id and of what it asked for.
    pub fingerprint: Fingerprint,
    /// The entry it became.
    pub sequence: u64,
    /// When it was recorded.
    pub log_time: Timestamp,
}

/// The remembered commands, oldest first. Filled and expired while entries are applied, by log time and count alone.
///
/// Each takes some 55 bytes: a fingerprint, a sequence and an index entry. A log time is kept once for all the commands
/// in a row that share it, for a frame has one.
#[derive(Debug, Clone, Default)]
pub struct Remembered {
    /// Every block but the last is full; the first may have forgotten places.
    blocks: VecDeque<Vec<Place>>,
    /// From which place on a log time holds, oldest first.
    times: VecDeque<(u64, Timestamp)>,
    /// id hash → place, cut to 32 bits.
    index: Index,
    /// The first place that is still remembered: how many commands were forgotten, ever.
    first: u64,
    /// How many commands were remembered, ever.
    end: u64,
    copy: Option<Box<RememberedCopy>>,
}

/// What is kept for a copy that is being taken.
#[derive(Debug, Clone)]
struct RememberedCopy {
    head_written: bool,
    /// The next place to be written, and the one behind the last.
    next: u64,
    end: u64,
    /// Forgotten since, and not written: from `next` on.
    gone: VecDeque<RememberedCommand>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    fingerprint: Fingerprint,
    sequence: u64,
}

impl Remembered {
    /// The command under this id hash.
    pub fn find(&self, id: &[u8; 16]) -> Option<RememberedCommand> {
        self.at(self.whole(self.cut_place(id)?))
    }

    /// How many are remembered.
    pub fn len(&self) -> usize {
        usize::try_from(self.end - self.first).expect("what is in memory can be counted")
    }

    /// True when none is remembered.
    pub fn is_empty(&self) -> bool {
        self.first == self.end
    }

    /// Every remembered command, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = RememberedCommand> {
        (self.first..self.end).filter_map(|place| self.at(place))
    }

    /// The id is new to the ledger, or what was remembered of it is replaced.
    pub(crate) fn remember(&mut self, command: RememberedCommand) {
        let RememberedCommand { fingerprint, sequence, log_time } = command;
        if self.times.back().is_none_or(|(_, last)| *last != log_time) {
            self.times.push_back((self.end, log_time));
        }
        if self.blocks.back().is_none_or(|last| last.len() == BLOCK_LEN) {
            self.blocks.push_back(Vec::with_capacity(BLOCK_LEN));
        }
        let last = self.blocks.back_mut().expect("one was added");
        last.push(Place { fingerprint, sequence });
        let hash = KeyHash::of_hash(&fingerprint.id);
        if let Some(older) = self.cut_place(&fingerprint.id) {
            self.index.remove(hash, older);
        }
        self.index.insert(hash, self.end as u32);
        self.end += 1;
    }

    /// Forgets what is older than `since`, and the oldest over `count_max`.
    pub(crate) fn expire(&mut self, since: Timestamp, count_max: u64) {
        while let Some(oldest) = self.place(self.first).copied() {
            let is_recent = self.oldest_log_time() >= since;
            if is_recent && self.end - self.first <= count_max {
                return;
            }
            self.keep_for_copy();
            let hash = KeyHash::of_hash(&oldest.fingerprint.id);
            self.index.remove(hash, self.first as u32);
            self.first += 1;
            if self.first.is_multiple_of(BLOCK_LEN as u64) {
                self.blocks.pop_front();
            }
        }
    }

    /// The first place is about to be forgotten.
    fn keep_for_copy(&mut self) {
        let first = self.first;
        if self.copy.as_ref().is_some_and(|copy| (copy.next..copy.end).contains(&first)) {
            let gone = self.at(first);
            self.copy.iter_mut().for_each(|copy| copy.gone.extend(gone));
        }
    }

    fn oldest_log_time(&mut self) -> Timestamp {
        while self.times.get(1).is_some_and(|(from, _)| *from <= self.first) {
            self.times.pop_front();
        }
        self.times.front().expect("what is remembered has a time").1
    }

    fn cut_place(&self, id: &[u8; 16]) -> Option<u32> {
        let is_it = |cut: u32| self.place(self.whole(cut)).is_some_and(|place| place.fingerprint.id == *id);
        self.index.find(KeyHash::of_hash(id), is_it)
    }

    /// The place that was cut to 32 bits: the one at or behind the first, for fewer than 2^32 are remembered.
    fn whole(&self, cut: u32) -> u64 {
        self.first + u64::from(cut.wrapping_sub(self.first as u32))
    }

    fn place(&self, place: u64) -> Option<&Place> {
        let first_block = self.first / BLOCK_LEN as u64;
        let block = usize::try_from((place / BLOCK_LEN as u64).checked_sub(first_block)?).ok()?;
        self.blocks.get(block)?.get((place % BLOCK_LEN as u64) as usize)
    }

    fn at(&self, place: u64) -> Option<RememberedCommand> {
        let Place { fingerprint, sequence } = *self.place(place)?;
        let since = self.times.partition_point(|(from, _)| *from <= place).checked_sub(1)?;
        Some(RememberedCommand { fingerprint, sequence, log_time: self.times[since].1 })
    }
}

impl PartialEq for Remembered {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl Encode for Remembered {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        (self.len() as u64).encode(encoder)?;
        self.iter().try_for_each(|command| command.encode(encoder))
    }
}

impl Stored for Remembered {
    fn begin_copy(&mut self) {
        let (next, end) = (self.first, self.end);
        self.copy = Some(Box::new(RememberedCopy { head_written: false, next, end, gone: VecDeque::new() }));
    }

    fn copy_some(&mut self, out: &mut Vec<u8>, enough: usize) -> bool {
        let Some(mut copy) = self.copy.take() else { return true };
        if !copy.head_written {
            codec::encode_into(&(copy.end - copy.next), out);
            copy.head_written = true;
        }
        while copy.next < copy.end && out.len() < enough {
            let command = copy.gone.pop_front().or_else(|| self.at(copy.next));
            codec::encode_into(&command.expect("what is not gone is remembered"), out);
            copy.next += 1;
        }
        let is_complete = copy.next == copy.end;
        self.copy = Some(copy);
        is_complete
    }

    fn end_copy(&mut self) {
        self.copy = None;
    }

    fn restore(&mut self, blocks: &mut Blocks<'_>) -> Result<(), CodecFault> {
        const WHAT: &str = "the remembered commands";
        let count: u64 = blocks.take(WHAT)?;
        let mut read = Remembered::default();
        for _ in 0..count {
            read.remember(blocks.take(WHAT)?);
        }
        *self = read;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::Create;
    use crate::draft::{Actor, ActorKind};
    use crate::entry::{Submission, Submitted, id_hash};
    use crate::kinds::Command;
    use crate::ledger::{Ledger, Settings};
    use crate::scenario;
    use crate::values::{ActorId, CommandId, Name, Text};
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn ids_are_forgotten_by_count_and_by_log_time_and_a_replay_forgets_the_same() {
        let named = Settings::named(Name::try_new("main").unwrap());
        let settings = Settings { remember_days: 1, remember_commands_max: 3, ..named };
        let (mut ledger, mut log) = (Ledger::new(), Vec::new());
        let mut take = |ledger: &mut Ledger, id: &str, at: Timestamp, command: Command| {
            let actor = Actor { id: ActorId::try_new("tester").unwrap(), kind: ActorKind::Person };
            let commands = vec![Submitted::new(CommandId::try_new(id).unwrap(), None, None, command)];
            let submission = Submission { actor, roles: Vec::new(), correlation: None, commands };
            log.push((at, ledger.decide(submission, at).unwrap().accept().1));
        };
        let item = |sku: &str| scenario::command("items.define", json!({"sku": sku, "name": sku}));
        let known = |ledger: &Ledger| {
            ["create", "a", "b", "c", "d", "e"]
                .map(|id| ledger.remembered().find(&id_hash(id)).map(|command| command.sequence))
        };
        let monday = Timestamp::parse("2026-01-05T00:00:00Z").unwrap();
        take(&mut ledger, "create", monday, Create { settings }.into());
        for id in ["a", "b", "c"] {
            take(&mut ledger, id, monday, item(id));
        }
        assert_eq!(known(&ledger), [None, Some(2), Some(3), Some(4), None, None], "three at the most");
        take(&mut ledger, "d", monday.plus_days(1), item("d"));
        assert_eq!(known(&ledger), [None, None, Some(3), Some(4), Some(5), None], "a day old is not too old");
        take(&mut ledger, "e", monday.plus_days(1).plus_micros(1), item("e"));
        assert_eq!(known(&ledger), [None, None, None, None, Some(5), Some(6)], "older is");

        let mut replayed = Ledger::new();
        log.iter().for_each(|(at, entry)| replayed.apply(entry, *at).unwrap());
        assert_eq!(replayed, ledger);
        assert_eq!(known(&replayed), known(&ledger));
    }

    fn command(id: u16, at: u64) -> RememberedCommand {
        let mut hash = [0; 16];
        hash[..2].copy_from_slice(&id.to_le_bytes());
        let fingerprint = Fingerprint { id: hash, body: [at as u8; 16] };
        RememberedCommand { fingerprint, sequence: at, log_time: Timestamp::from_micros(at as i64 / 3) }
    }

    proptest! {
        #[test]
        fn what_is_remembered_is_what_a_plain_list_would_keep(
            steps in proptest::collection::vec((0u16..300, 0u64..9, 0i64..1500), 0..600),
            block in 0u64..5000,
        ) {
            // From a place on at which a block may end soon.
            let mut remembered = Remembered::default();
            for at in 0..block {
                remembered.remember(command(u16::MAX, at));
                remembered.expire(Timestamp::from_micros(i64::MAX), 0);
            }
            let mut list: VecDeque<RememberedCommand> = VecDeque::new();
            for (at, (id, keep, age)) in (block..).zip(steps) {
                let command = command(id, at);
                remembered.remember(command);
                list.push_back(command);
                let since = command.log_time.plus_micros(-age);
                let count_max = keep * 70;
                remembered.expire(since, count_max);
                list.retain(|command| command.log_time >= since);
                while list.len() as u64 > count_max {
                    list.pop_front();
                }
                let newest = list.iter().rfind(|known| known.fingerprint.id == command.fingerprint.id);
                prop_assert_eq!(remembered.find(&command.fingerprint.id), newest.copied());
            }
            prop_assert!(remembered.iter().eq(list.iter().copied()));
            prop_assert!(remembered.times.len() <= list.len() + 1);
            prop_assert_eq!(remembered.index.len(), {
                let mut ids: Vec<_> = list.iter().map(|command| command.fingerprint.id).collect();
                ids.sort_unstable();
                ids.dedup();
                ids.len()
            });
        }
    }
}
