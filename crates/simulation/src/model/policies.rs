//! What the naive shop says once and for all: how long returns are awaited, how long holds may stand.

use std::collections::BTreeMap;

use serde_json::Value;

use super::read::{opt_text, text, units};
use super::{Fact, Refusal, Shop};

pub(super) const DAY_MICROS: i64 = 86_400_000_000;
const HOUR_MICROS: i64 = 3_600_000_000;
/// Ten years.
const HOURS_MAX: i64 = 87_840;

/// What becomes of an order whose hold has stood for too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LimitAction {
    Unreserve,
    Cancel,
    Escalate,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Policies {
    /// Days that returns are awaited, by channel; none is for all others.
    windows: BTreeMap<Option<String>, i64>,
    /// Hours that holds may stand, by reason and channel.
    limits: BTreeMap<(String, Option<String>), (i64, LimitAction)>,
    /// Days after which ended orders are forgotten.
    pub(super) archive_after_days: Option<i64>,
}

impl Shop {
    fn named_channel(&self, body: &Value) -> Result<Option<String>, Refusal> {
        match opt_text(body, "channel") {
            Some(channel) if !self.channels.contains_key(channel) => Err("unknown_channel"),
            channel => Ok(channel.map(str::to_owned)),
        }
    }

    pub(super) fn set_window(&mut self, body: &Value, facts: &mut Vec<Fact>) -> Result<(), Refusal> {
        let channel = self.named_channel(body)?;
        self.policies.windows.insert(channel, units(body, "days"));
        facts.push(Fact::new("returns.window_set"));
        Ok(())
    }

    pub(super) fn set_hold_limit(&mut self, body: &Value, facts: &mut Vec<Fact>) -> Result<(), Refusal> {
        let channel = self.named_channel(body)?;
        let hours = units(body, "hours");
        if hours > HOURS_MAX {
            return Err("hold_limit_too_long");
        }
        let action = match text(body, "action") {
            "unreserve" => LimitAction::Unreserve,
            "cancel" => LimitAction::Cancel,
            _ => LimitAction::Escalate,
        };
        self.policies.limits.insert((text(body, "reason").to_owned(), channel), (hours, action));
        facts.push(Fact::new("orders.hold_limit_set"));
        Ok(())
    }
}

impl Policies {
    /// Until when a return is awaited that names no end itself.
    pub(super) fn awaited_until(&self, channel: &str, authorised_at: i64) -> Option<i64> {
        let own = self.windows.get(&Some(channel.to_owned()));
        let days = own.or_else(|| self.windows.get(&None)).copied().filter(|days| *days > 0)?;
        Some(authorised_at + days * DAY_MICROS)
    }

    /// Until when a hold may stand that comes up now, and what then.
    pub(super) fn limit_of(&self, reason: &str, channel: &str, since: i64) -> Option<(i64, LimitAction)> {
        let of = |channel: Option<String>| self.limits.get(&(reason.to_owned(), channel));
        let limit = of(Some(channel.to_owned())).or_else(|| of(None)).copied();
        let (hours, action) = limit.filter(|(hours, _)| *hours > 0)?;
        Some((since + hours * HOUR_MICROS, action))
    }
}
