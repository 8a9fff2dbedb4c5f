//! The wall clock: it leaps ahead, is set back and stands still, while simulated time goes on.

/// The start of 2026.
const BEGIN_MICROS: i64 = 1_767_225_600_000_000;

#[derive(Debug, Default)]
pub(crate) struct Clock {
    /// Wall clock less simulated time, from the beginning.
    ahead: i64,
    /// It stands still until this moment of simulated time, at this reading.
    stopped: Option<(u64, i64)>,
}

impl Clock {
    /// What it says at a moment of simulated time.
    pub(crate) fn wall(&self, now: u64) -> i64 {
        match self.stopped {
            Some((until, reading)) if now < until => reading,
            Some(_) | None => BEGIN_MICROS + signed(now) + self.ahead,
        }
    }

    pub(crate) fn leap(&mut self, now: u64, micros: i64) {
        let wall = self.wall(now);
        self.stopped = None;
        self.ahead = wall + micros - BEGIN_MICROS - signed(now);
    }

    /// It stands still, and goes on from where it stood.
    pub(crate) fn stop(&mut self, now: u64, micros: i64) {
        let wall = self.wall(now);
        self.stopped = Some((now + micros.unsigned_abs(), wall));
        self.ahead = wall - BEGIN_MICROS - signed(now) - micros;
    }
}

fn signed(now: u64) -> i64 {
    i64::try_from(now).expect("a simulation lasts for hours")
}
