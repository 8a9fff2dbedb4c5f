//! What is going to happen, in the order of simulated time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::rc::Rc;

use crate::ask::Ask;

/// Something that happens at a moment of simulated time.
#[derive(Debug, Clone)]
pub(super) enum Happening {
    /// A client sends its next command.
    ClientActs {
        client: usize,
    },
    /// A client has waited long enough for an answer to its request of this number.
    ClientWaited {
        client: usize,
        request: u64,
    },
    /// A message reaches the process.
    Arrives(Message),
    /// An answer reaches a client.
    Answered {
        client: usize,
        request: u64,
        settled: bool,
    },
    /// The disk is done with the frame in flight, for the process of this life.
    FrameDue {
        life: u64,
    },
    /// The process looks after its files and its clock.
    Upkeep {
        life: u64,
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
    /// The auditor compares everything.
    Audit,
}

/// A command on its way.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) client: usize,
    pub(super) request: u64,
    pub(super) ask: Rc<Ask>,
}

/// The queue. What is due at the same moment happens in the order in which it was put in.
#[derive(Default)]
pub(super) struct Happenings {
    due: BinaryHeap<Reverse<(u64, u64)>>,
    what: std::collections::BTreeMap<u64, Happening>,
    put_in: u64,
}

impl Happenings {
    pub(super) fn at(&mut self, moment: u64, what: Happening) {
        self.due.push(Reverse((moment, self.put_in)));
        self.what.insert(self.put_in, what);
        self.put_in += 1;
    }

    pub(super) fn next(&mut self) -> Option<(u64, Happening)> {
        let Reverse((moment, number)) = self.due.pop()?;
        self.what.remove(&number).map(|what| (moment, what))
    }
}
