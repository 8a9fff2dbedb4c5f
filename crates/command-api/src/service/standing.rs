//! Whether all is well with a ledger that runs, and what is wrong where it is not.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::Service;
use super::scrubbing::Scrubbed;
use crate::writer::Refuses;

impl Service {
    /// How long the oldest command has waited while nothing was decided and nothing became durable.
    pub fn writer_stands_still(&self) -> Duration {
        self.0.metrics.headway.stands_since().max(self.0.inbox.waits_since())
    }

    /// Why no commands are taken, the views stand still or the journal is damaged; `None` while all is well.
    pub fn trouble(&self) -> Option<String> {
        let stopped = self.0.writer_stopped.borrow().clone();
        let writer = match &self.0.replicated {
            None => stopped,
            // It may have stopped, and be a follower as good as any since.
            Some(replicated) if replicated.keeps_up.load(Ordering::Acquire) => None,
            Some(_) => stopped.or_else(|| Some("what is durable is being folded".into())),
        };
        writer
            .or_else(|| self.stuck())
            .or_else(|| self.busy())
            .or_else(|| self.0.views_stopped.borrow().clone())
            .or_else(|| self.scrubbed()?.trouble())
    }

    /// What reading the sealed segments again has found; `None` where the journal is not in files.
    pub(crate) fn scrubbed(&self) -> Option<&Scrubbed> {
        self.0.scrubbed.as_deref()
    }

    /// What every command is told by a writer that goes on by itself once it may.
    fn busy(&self) -> Option<String> {
        let Refuses { space, clock } = self.0.metrics.refuses();
        space.or(clock).map(|busy| format!("commands are busy ({}): {busy}", busy.code()))
    }

    fn stuck(&self) -> Option<String> {
        let stands_still = self.writer_stands_still();
        (stands_still >= self.0.stuck_after).then(|| {
            format!(
                "the writer has stood still for {} s while commands wait: what keeps the journal (the disk, or the NATS \
                 servers) does not answer",
                stands_still.as_secs()
            )
        })
    }
}
