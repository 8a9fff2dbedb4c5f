//! What is going to happen, in the order of simulated time.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::rc::Rc;

use ledger_core::control::RecordStateHash;

use crate::ask::Ask;
use crate::feed::FeedHappening;

/// What happens to clients, whatever they talk to.
#[derive(Debug, Clone)]
pub(crate) enum ClientHappening {
    /// A client sends its next command.
    Acts { client: usize },
    /// A client has waited long enough for an answer to its request of this number.
    Waited { client: usize, request: u64 },
    /// A message arrives.
    Arrives(Message),
    /// An answer reaches a client.
    Answered { client: usize, request: u64, settled: bool },
}

/// Something that happens at a moment of simulated time.
#[derive(Debug, Clone)]
pub(super) enum Happening {
    Client(ClientHappening),
    Feed(FeedHappening),
    /// The disk is done with the frame in flight, for the process of this life.
    FrameDue {
        life: u64,
    },
    /// The process looks after its files and its clock.
    Upkeep {
        life: u64,
    },
    /// The snapshot that is being taken gets its next slice.
    SnapshotSlice {
        life: u64,
    },
    /// The hash of a state reaches the writer.
    StateHash {
        life: u64,
        hash: Box<RecordStateHash>,
    },
    /// The process dies, with or without the power.
    Dies {
        life: u64,
        power: bool,
    },
    /// The process is started.
    Starts,
    /// The wall clock leaps by so many microseconds, or stands still for so long.
    ClockLeaps {
        micros: i64,
    },
    ClockStops {
        micros: i64,
    },
    /// An operator looks at the wall clock and confirms it.
    OperatorConfirms,
    /// The disk fills up, or has room again.
    DiskFills,
    DiskHasRoom,
    /// A stored bit turns over.
    Rots,
    /// The auditor compares everything.
    Audit,
}

impl From<FeedHappening> for Happening {
    fn from(happening: FeedHappening) -> Self {
        Happening::Feed(happening)
    }
}

impl From<ClientHappening> for Happening {
    fn from(happening: ClientHappening) -> Self {
        Happening::Client(happening)
    }
}

/// A command on its way.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) client: usize,
    pub(crate) request: u64,
    pub(crate) ask: Rc<Ask>,
}

/// The queue. What is due at the same moment happens in the order in which it was put in.
pub(crate) struct Happenings<T> {
    due: BinaryHeap<Reverse<(u64, u64)>>,
    what: BTreeMap<u64, T>,
    put_in: u64,
}

impl<T> Default for Happenings<T> {
    fn default() -> Self {
        Happenings { due: BinaryHeap::new(), what: BTreeMap::new(), put_in: 0 }
    }
}

impl<T> Happenings<T> {
    pub(crate) fn at(&mut self, moment: u64, what: impl Into<T>) {
        self.due.push(Reverse((moment, self.put_in)));
        self.what.insert(self.put_in, what.into());
        self.put_in += 1;
    }

    pub(crate) fn next(&mut self) -> Option<(u64, T)> {
        let Reverse((moment, number)) = self.due.pop()?;
        self.what.remove(&number).map(|what| (moment, what))
    }
}
