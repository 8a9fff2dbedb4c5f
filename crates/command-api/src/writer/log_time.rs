//! The ledger's own time: the wall clock, held so that it never goes back and never leaps unnoticed.

use ledger_core::values::Timestamp;

use super::Busy;

const SECOND_MICROS: i64 = 1_000_000;
/// A wall clock further ahead of the last time seen has leapt.
const AHEAD_MICROS_MAX: i64 = 3600 * SECOND_MICROS;
/// A wall clock further behind the last log time was set back.
const BEHIND_MICROS_MAX: i64 = 5 * SECOND_MICROS;

/// Where log times come from.
#[derive(Debug)]
pub(super) struct LogTime {
    /// The last log time; never goes back.
    last: Timestamp,
    /// The last plausible wall clock since the start: an idle hour is not a leap. `None` at the start, however long
    /// the service was away.
    seen: Option<Timestamp>,
    /// An operator said that the clock is right though it is behind the log: until the log's time is reached again.
    behind_confirmed: bool,
}

impl LogTime {
    pub(super) fn after(last: Timestamp) -> Self {
        LogTime { last, seen: None, behind_confirmed: false }
    }

    /// The log time of a frame opened now: the later of the last one and the wall clock.
    pub(super) fn next(&self, now: Timestamp) -> Timestamp {
        self.last.max(now)
    }

    /// A frame was opened at this log time.
    pub(super) fn fix(&mut self, log_time: Timestamp) {
        self.last = log_time;
    }

    /// Looks at the wall clock.
    pub(super) fn observe(&mut self, now: Timestamp) {
        // A clock that leapt is asked about when a command comes.
        let _ = self.check(now);
    }

    /// Whether the wall clock can be believed. It is believed again when it is back, or when an operator says so.
    pub(super) fn check(&mut self, now: Timestamp) -> Result<(), Busy> {
        let seen = self.seen.map_or(now, |seen| seen.max(self.last));
        let leapt = now > seen.plus_micros(AHEAD_MICROS_MAX);
        let set_back = now.plus_micros(BEHIND_MICROS_MAX) < self.last;
        if leapt || (set_back && !self.behind_confirmed) {
            let ledger_time = if leapt { seen } else { self.last };
            return Err(Busy::ClockSuspect { wall_clock: now, ledger_time });
        }
        self.behind_confirmed &= now < self.last;
        self.seen = Some(now);
        Ok(())
    }

    /// The wall clock is right, whatever it says.
    pub(super) fn confirm(&mut self, now: Timestamp) {
        self.seen = Some(now);
        self.behind_confirmed = now < self.last;
    }
}
