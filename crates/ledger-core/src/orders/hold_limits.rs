//! How long a hold may stand, and what becomes of its order then.

use bincode::{Decode, Encode};

use super::set_archiving::schedule;
use super::{HoldReason, OrderState};
use crate::due::DueKey;
use crate::ledger::{Ledger, Moment};
use crate::state::{Row, Table};
use crate::values::Timestamp;
use crate::{codes, state};

codes! {
    /// What becomes of an order whose hold reached its limit.
    pub enum HoldLimitAction {
        /// Its reserved units may be sold again; the order waits on.
        Unreserve = 1 "unreserve",
        /// All that nobody picked is cancelled.
        Cancel = 2 "cancel",
        /// Somebody is to look at it: it is on record, and nothing else changes.
        Escalate = 3 "escalate",
    }
}

/// How long a hold may stand, and what then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct HoldLimit {
    /// Hours of log time, from when the hold came up.
    pub hours: u32,
    /// What becomes of the order.
    pub action: HoldLimitAction,
}

state! {
    /// The limits by reason and channel; one without a channel is for every channel that has none of its own.
    pub struct HoldLimits {
        limits: Table<(HoldReason, Option<Row>), Option<HoldLimit>>,
    }
}

impl HoldLimits {
    /// The limit for a hold on an order of a channel, if there is one.
    pub fn of(&self, reason: HoldReason, channel: Row) -> Option<HoldLimit> {
        let own = self.limits.find(&(reason, Some(channel)));
        own.or_else(|| self.limits.find(&(reason, None))).copied().flatten()
    }

    pub(super) fn set(&mut self, reason: HoldReason, channel: Option<Row>, limit: Option<HoldLimit>) {
        self.limits.insert((reason, channel), limit);
    }
}

impl HoldLimit {
    /// When a hold reaches it.
    pub(super) fn reached_at(self, since: Timestamp) -> Timestamp {
        const HOUR_MICROS: i64 = 3_600_000_000;
        since.plus_micros(HOUR_MICROS * i64::from(self.hours))
    }
}

/// Takes holds off an order, and out of the due queue: for the `apply` of what clears them.
pub(super) fn drop_holds(ledger: &mut Ledger, row: Row, goes: impl Fn(HoldReason) -> bool) {
    let due = &mut ledger.due.queue;
    ledger.orders.table.edit(row).holds.retain(|hold| {
        if goes(hold.reason)
            && let Some((at, _)) = hold.limit
        {
            due.remove(&DueKey::of_hold(at, row, hold.reason));
        }
        !goes(hold.reason)
    });
}

/// Ends an order: nothing of it is left before shipped, so nothing can hold it any more, and one day it is archived.
pub(super) fn end(ledger: &mut Ledger, row: Row, state: OrderState, at: &Moment) {
    drop_holds(ledger, row, |_| true);
    ledger.orders.table.edit(row).state = state;
    schedule(ledger, row, at.log_time);
}
