//! Which command ids were accepted, so that a repeat gets the first outcome: for a time and a number of commands.

use std::collections::{HashMap, VecDeque};

use bincode::Encode;
use bincode::enc::Encoder;
use bincode::error::EncodeError;
use foldhash::fast::FixedState;

use crate::entry::Fingerprint;
use crate::values::Timestamp;

/// An accepted command, as the ledger remembers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode)]
pub struct RememberedCommand {
    /// The hashes of its id and of what it asked for.
    pub fingerprint: Fingerprint,
    /// The entry it became.
    pub sequence: u64,
    /// When it was recorded.
    pub log_time: Timestamp,
}

/// The remembered commands, oldest first. Filled and expired while entries are applied, by log time and count alone.
#[derive(Debug, Clone, Default)]
pub struct Remembered {
    queue: VecDeque<RememberedCommand>,
    /// id hash → how many commands were remembered before it, ever.
    index: HashMap<[u8; 16], u64, FixedState>,
    forgotten: u64,
}

impl Remembered {
    /// The command under this id hash.
    pub fn find(&self, id: &[u8; 16]) -> Option<&RememberedCommand> {
        let place = self.index.get(id)? - self.forgotten;
        self.queue.get(usize::try_from(place).ok()?)
    }

    /// How many are remembered.
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// True when none is remembered.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(crate) fn remember(&mut self, command: RememberedCommand) {
        self.index.insert(command.fingerprint.id, self.forgotten + self.queue.len() as u64);
        self.queue.push_back(command);
    }

    /// Forgets what is older than `since`, and the oldest over `count_max`.
    pub(crate) fn expire(&mut self, since: Timestamp, count_max: u64) {
        while let Some(oldest) = self.queue.front() {
            let over = self.queue.len() as u64 > count_max;
            if !over && oldest.log_time >= since {
                return;
            }
            let place = self.forgotten;
            if self.index.get(&oldest.fingerprint.id) == Some(&place) {
                self.index.remove(&oldest.fingerprint.id);
            }
            self.queue.pop_front();
            self.forgotten += 1;
        }
    }
}

impl PartialEq for Remembered {
    fn eq(&self, other: &Self) -> bool {
        self.queue == other.queue
    }
}

impl Encode for Remembered {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        (self.queue.len() as u64).encode(encoder)?;
        self.queue.iter().try_for_each(|command| command.encode(encoder))
    }
}
