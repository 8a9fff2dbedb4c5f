//! Whether the writer makes headway: since when commands wait while nothing is decided and nothing becomes durable.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What the writer's thread has begun and not ended. It only stores; whoever asks does the arithmetic.
#[derive(Debug)]
pub(crate) struct Headway {
    start: Instant,
    /// When the commands that are being decided were taken, in microseconds since `start`; 0 for none.
    taken: AtomicU64,
    /// When the frame in flight was handed to the journal; 0 for none.
    in_flight: AtomicU64,
}

impl Default for Headway {
    fn default() -> Self {
        Headway { start: Instant::now(), taken: AtomicU64::new(0), in_flight: AtomicU64::new(0) }
    }
}

impl Headway {
    /// Commands were taken, or all that were taken are decided.
    pub(crate) fn takes(&self, some: bool) {
        self.taken.store(if some { self.now() } else { 0 }, Ordering::Relaxed);
    }

    /// Whether commands that were taken wait for their decision.
    pub(crate) fn decides(&self) -> bool {
        self.taken.load(Ordering::Relaxed) > 0
    }

    /// A frame is on its way to the disk, or it has come there.
    pub(crate) fn writes(&self, one: bool) {
        self.in_flight.store(if one { self.now() } else { 0 }, Ordering::Relaxed);
    }

    /// How long what was begun first is under way.
    pub(crate) fn stands_since(&self) -> Duration {
        let now = self.now();
        let begun = [&self.taken, &self.in_flight].map(|begun| begun.load(Ordering::Relaxed));
        let since = begun.into_iter().filter(|begun| *begun > 0).map(|begun| now.saturating_sub(begun)).max();
        Duration::from_micros(since.unwrap_or_default())
    }

    /// Never 0.
    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_under_way_is_as_old_as_it_is_and_what_is_done_has_no_age() {
        let headway = Headway::default();
        assert_eq!(headway.stands_since(), Duration::ZERO);
        headway.takes(true);
        std::thread::sleep(Duration::from_millis(3));
        headway.writes(true);
        let stands = headway.stands_since();
        assert!(stands >= Duration::from_millis(3), "{stands:?}");
        headway.takes(false);
        assert!(headway.stands_since() < stands);
        headway.writes(false);
        assert_eq!(headway.stands_since(), Duration::ZERO);
    }
}
