//! A policy: how long a hold may stand, and what becomes of its order then.

use bincode::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{HoldLimit, HoldLimitAction, HoldReason, Refusal};
use crate::books::{Fact, Subject, SubjectKind};
use crate::channels;
use crate::draft::Draft;
use crate::kinds::Action;
use crate::ledger::{Ledger, Moment};
use crate::rejection::Rejection;
use crate::values::{ChannelId, Name};

/// Limits how long a hold may stand. It is for holds that come up from now on; without any, holds stand until somebody
/// or something clears them.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetHoldLimit {
    /// Of holds for this reason.
    pub reason: HoldReason,
    /// On orders of this channel; of every channel without a limit of its own when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelId>,
    /// How long; 0 for without a limit.
    pub hours: u32,
    /// What becomes of the order then.
    pub action: HoldLimitAction,
}

/// A limit on holds is set.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct HoldLimitSet {
    /// Of holds for this reason.
    pub reason: HoldReason,
    /// On orders of this channel; of every channel without a limit of its own when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelId>,
    /// How long; 0 for without a limit.
    pub hours: u32,
    /// What becomes of the order then.
    pub action: HoldLimitAction,
    /// The ledger's label.
    pub ledger: Name,
}

/// Ten years: longer is without a limit.
const HOURS_MAX: u32 = 24 * 3660;

impl Action for SetHoldLimit {
    const TAKES_EFFECTIVE_AT: bool = false;

    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Rejection> {
        let ledger = draft.ledger();
        if let Some(channel) = &self.channel {
            channels::known(ledger, channel)?;
        }
        if self.hours > HOURS_MAX {
            return Err(Refusal::HoldLimitTooLong { hours: self.hours, hours_max: HOURS_MAX }.into());
        }
        let name = ledger.settings().map(|settings| settings.name.clone());
        let ledger = name.ok_or(crate::control::Refusal::LedgerNotCreated {})?;
        let SetHoldLimit { reason, channel, hours, action } = self.clone();
        draft.record(HoldLimitSet { reason, channel, hours, action, ledger });
        Ok(())
    }
}

impl Fact for HoldLimitSet {
    fn subjects(&self, each: &mut dyn FnMut(Subject<'_>)) {
        match &self.channel {
            Some(channel) => each(Subject::new(SubjectKind::Channel, channel)),
            None => each(Subject::new(SubjectKind::Ledger, &self.ledger)),
        }
    }

    fn apply(&self, ledger: &mut Ledger, _at: &Moment) {
        let channel = self.channel.as_ref().and_then(|channel| ledger.channels.table.row(channel));
        let limit = HoldLimit { hours: self.hours, action: self.action };
        ledger.orders.hold_limits.set(self.reason, channel, (self.hours > 0).then_some(limit));
    }
}

#[cfg(test)]
mod tests {
    use crate::scenario::{given_a_shop, given_an_order};
    use serde_json::{Value, json};

    fn limit(hours: u32, channel: Option<&str>) -> Value {
        let mut limit = json!({"reason": "fraud", "hours": hours, "action": "escalate"});
        channel.into_iter().for_each(|channel| limit["channel"] = json!(channel));
        limit
    }

    #[test]
    fn a_channels_own_limit_goes_before_the_general_one_and_may_be_none() {
        let hold = json!({"order": "o1", "reason": "fraud"});
        let expired = json!({"order": "o1", "reason": "fraud"});
        given_an_order("b2b", 2)
            .when("orders.set_hold_limit", limit(48, None))
            .then(
                json!([{"type": "orders.hold_limit_set", "reason": "fraud", "hours": 48, "action": "escalate",
                "ledger": "main"}]),
            )
            .and("orders.hold", hold.clone())
            .falls_due("2026-01-03T00:00:00Z", "orders.expire_hold", &expired)
            .and("orders.clear_hold", hold.clone())
            .nothing_falls_due()
            .and("orders.set_hold_limit", limit(24, Some("b2b")))
            .and("orders.hold", hold.clone())
            .falls_due("2026-01-02T00:00:00Z", "orders.expire_hold", &expired)
            .and("orders.clear_hold", hold.clone())
            .and("orders.set_hold_limit", limit(0, Some("b2b")))
            .and("orders.hold", hold)
            .nothing_falls_due();
    }

    #[test]
    fn a_limit_is_for_a_known_channel_and_at_most_ten_years() {
        given_a_shop()
            .when("orders.set_hold_limit", limit(24, Some("nope")))
            .refused("unknown_channel")
            .when("orders.set_hold_limit", limit(87_841, None))
            .refused_with(json!({"code": "hold_limit_too_long", "hours": 87_841, "hours_max": 87_840}));
    }
}
