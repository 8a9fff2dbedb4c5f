//! The views let the writer go first: a burst of commands has the machine for itself, and the views follow behind it.

use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::metrics::Metrics;

/// The writer makes the views no later than this; a burst that goes on for longer shares the machine with them.
const LATE_MAX: Duration = Duration::from_millis(500);
const LOOK_AGAIN: Duration = Duration::from_micros(200);

/// What the thread of the views knows of the writer beside it.
pub(super) struct StandingBack {
    metrics: Arc<Metrics>,
    /// Since when there is something to fold.
    late_since: Option<Instant>,
}

impl StandingBack {
    pub(super) fn of(metrics: Arc<Metrics>) -> Self {
        StandingBack { metrics, late_since: None }
    }

    /// Waits while commands are being decided, and goes on when the views have been late for too long. It sleeps even
    /// then: whoever else needs the processor would only get it at the end of a time slice.
    pub(super) fn wait(&mut self) {
        let since = *self.late_since.get_or_insert_with(Instant::now);
        while self.metrics.headway.decides() {
            sleep(LOOK_AGAIN);
            if since.elapsed() > LATE_MAX {
                return;
            }
        }
    }

    /// Everything durable is folded.
    pub(super) fn is_up_to_date(&mut self) {
        self.late_since = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits_long(views: &mut StandingBack) -> bool {
        let began = Instant::now();
        views.wait();
        began.elapsed() >= LATE_MAX / 2
    }

    #[test]
    fn the_views_wait_for_the_writer_and_not_for_ever() {
        let metrics = Arc::new(Metrics::default());
        let mut views = StandingBack::of(Arc::clone(&metrics));
        assert!(!waits_long(&mut views), "nothing is decided");
        views.is_up_to_date();
        metrics.count_taken(Duration::ZERO);
        assert!(waits_long(&mut views), "commands are decided all the time");
        assert!(!waits_long(&mut views), "the views are late enough");
        views.is_up_to_date();
        assert!(waits_long(&mut views), "they have caught up in between");
    }
}
