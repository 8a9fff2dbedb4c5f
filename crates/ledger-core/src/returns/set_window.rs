//! A policy: for how long an authorised return is awaited.

use bincode::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::books::{Fact, Subject, SubjectKind};
use crate::draft::Draft;
use crate::kinds::Action;
use crate::ledger::{Ledger, Moment};
use crate::rejection::Rejection;
use crate::values::{ChannelId, Name};
use crate::{channels, control};

/// Says for how many days a return is awaited that is authorised without an `expires_at` from now on. Without any, such a
/// return is awaited until it comes.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetWindow {
    /// Days; 0 for without an end.
    pub days: u16,
    /// For orders of this channel; of every channel without a window of its own when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelId>,
}

/// A window for returns is set.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct WindowSet {
    /// Days; 0 for without an end.
    pub days: u16,
    /// For orders of this channel; of every channel without a window of its own when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelId>,
    /// The ledger's label.
    pub ledger: Name,
}

impl Action for SetWindow {
    const TAKES_EFFECTIVE_AT: bool = false;

    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Rejection> {
        let ledger = draft.ledger();
        if let Some(channel) = &self.channel {
            channels::known(ledger, channel)?;
        }
        let name = ledger.settings().map(|settings| settings.name.clone());
        let ledger = name.ok_or(control::Refusal::LedgerNotCreated {})?;
        draft.record(WindowSet { days: self.days, channel: self.channel.clone(), ledger });
        Ok(())
    }
}

impl Fact for WindowSet {
    fn subjects(&self, each: &mut dyn FnMut(Subject<'_>)) {
        match &self.channel {
            Some(channel) => each(Subject::new(SubjectKind::Channel, channel)),
            None => each(Subject::new(SubjectKind::Ledger, &self.ledger)),
        }
    }

    fn apply(&self, ledger: &mut Ledger, _at: &Moment) {
        let channel = self.channel.as_ref().and_then(|channel| ledger.channels.table.row(channel));
        ledger.returns.set_window_days(channel, self.days);
    }
}

#[cfg(test)]
mod tests {
    use crate::scenario::{Scenario, given_a_shipped_order, given_a_shop};
    use serde_json::json;

    fn authorised(shop: Scenario, rma: &str) -> Scenario {
        shop.and(
            "returns.authorise",
            json!({"return": rma, "order": "o1", "reason": "unwanted",
            "lines": [{"line": 1, "quantity": 1}]}),
        )
    }

    #[test]
    fn a_return_that_names_no_end_gets_that_of_its_channel() {
        let shop = given_a_shipped_order("b2b", 3)
            .when("returns.set_window", json!({"days": 30}))
            .then(json!([{"type": "returns.window_set", "days": 30, "ledger": "main"}]));
        let expire = |rma: &str| json!({"return": rma});
        let shop = authorised(shop, "r1").falls_due("2026-01-31T00:00:00Z", "returns.expire", &expire("r1"));
        let shop = shop.and("returns.set_window", json!({"days": 14, "channel": "b2b"}));
        let shop = authorised(shop, "r2").falls_due("2026-01-15T00:00:00Z", "returns.expire", &expire("r2"));
        let shop = shop.and("returns.set_window", json!({"days": 0, "channel": "b2b"}));
        let shop = authorised(shop, "r3");
        assert_eq!(shop.ledger.dues().count(), 2, "0 days are without an end");
    }

    #[test]
    fn a_window_is_for_a_known_channel() {
        given_a_shop()
            .when("returns.set_window", json!({"days": 14, "channel": "nope"}))
            .refused("unknown_channel");
    }
}
