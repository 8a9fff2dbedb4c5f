//! Whether the writer takes a command at all, and which log time an entry gets: its clock, its frames, its disk.

use super::Expected;

const SECOND_MICROS: i64 = 1_000_000;

/// The auditor's idea of a writer's standing.
#[derive(Debug, Default)]
pub(super) struct Standing {
    pub(super) epoch: u64,
    pub(super) full: bool,
    pub(super) stopped: bool,
    /// Nothing is due before whoever started the writer sends a command, or says that time passes.
    pub(super) serves: bool,
    /// The last log time, once there is one.
    last: Option<i64>,
    /// The last wall clock that was believed since the start.
    seen: Option<i64>,
    behind_confirmed: bool,
    in_flight: bool,
    /// Log time of the open frame.
    open: Option<i64>,
}

impl Standing {
    pub(super) fn of_a_start(epoch: u64, last: Option<i64>) -> Self {
        Standing { epoch, last, ..Standing::default() }
    }

    /// The answer to a command that is not even looked at.
    pub(super) fn refuses(&mut self, now: i64, takes: bool) -> Option<Expected> {
        if self.stopped {
            return Some(Expected::Unavailable);
        }
        let is_believed = self.observe(now);
        if self.full {
            return Some(Expected::Busy("disk_full"));
        }
        if !takes {
            return Some(Expected::Busy("queue_full"));
        }
        (!is_believed).then_some(Expected::Busy("clock_suspect"))
    }

    /// Looks at the wall clock: false if it cannot be believed. More than an hour ahead of what was seen is a leap,
    /// more than five seconds behind the log was set back.
    pub(super) fn observe(&mut self, now: i64) -> bool {
        // The default ledger time is the start of 1970, long before any wall clock here.
        let last = self.last.unwrap_or_default();
        let seen = self.seen.map_or(now, |seen| seen.max(last));
        let set_back = now + 5 * SECOND_MICROS < last && !self.behind_confirmed;
        if now > seen + 3600 * SECOND_MICROS || set_back {
            return false;
        }
        if now >= last {
            self.behind_confirmed = false;
        }
        self.seen = Some(now);
        true
    }

    pub(super) fn confirm(&mut self, now: i64) {
        self.seen = Some(now);
        self.behind_confirmed = now < self.last.unwrap_or_default();
    }

    pub(super) fn log_time_of_next_entry(&self, now: i64) -> i64 {
        self.open.unwrap_or_else(|| now.max(self.last.unwrap_or_default()))
    }

    /// An entry joins the open frame, or opens one.
    pub(super) fn enter(&mut self, log_time: i64) {
        self.open = Some(log_time);
        self.last = Some(log_time);
    }

    /// One frame is in flight at a time.
    pub(super) fn append_when_free(&mut self) {
        if !self.in_flight && !self.stopped && self.open.take().is_some() {
            self.in_flight = true;
        }
    }

    pub(super) fn settle(&mut self, durable: bool) {
        self.in_flight = false;
        self.stopped |= !durable;
    }
}
