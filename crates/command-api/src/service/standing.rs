//! Whether all is well with a ledger that runs, and what is wrong where it is not.

use std::sync::atomic::Ordering;
use std::time::Duration;

use projections::{ServiceHealth, WriterState};
use serde_json::{Value, json};

use super::scrubbing::Scrubbed;
use super::writing::wall_clock;
use super::{Ownership, Service};
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

    /// How old the oldest durable entry is that the views do not show yet, by the wall clock. May read the journal: call it
    /// where blocking is fine.
    pub(crate) fn views_lag(&self) -> Duration {
        let shown = self.position().sequence;
        if self.durable_sequence() <= shown {
            return Duration::ZERO;
        }
        let Ok(Some(frame)) = self.journal().frame_at(shown + 1) else { return Duration::ZERO };
        let lag_us = wall_clock().micros().saturating_sub(frame.header().log_time_us);
        Duration::from_micros(u64::try_from(lag_us).unwrap_or_default())
    }

    /// Adds to a row of the health view what only the service knows, and the lag as the metric has it.
    pub(super) fn add_health(&self, row: &mut Value) {
        let writer = match *self.ownership().borrow() {
            Ownership::Owner { .. } => WriterState::Writes,
            Ownership::Follower => WriterState::Follows,
            Ownership::Stopped => WriterState::Stopped,
        };
        let health = ServiceHealth {
            writer,
            writer_stuck_seconds: self.writer_stands_still().as_secs(),
            trouble: self.trouble(),
            views_stopped: self.0.views_stopped.borrow().clone(),
        };
        row["service"] = json!(health);
        let lag = if row["lag_entries"] == 0 { Duration::ZERO } else { self.views_lag() };
        row["lag_seconds"] = json!(lag.as_secs());
    }
}
