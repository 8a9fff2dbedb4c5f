//! A policy: when an ended order leaves memory.

use bincode::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::books::{Fact, Subject, SubjectKind};
use crate::control;
use crate::draft::Draft;
use crate::due::{DueKey, DueKind};
use crate::kinds::Action;
use crate::ledger::{Ledger, Moment};
use crate::rejection::Rejection;
use crate::state::Row;
use crate::values::{Name, Timestamp};

/// Archives orders so many days after they ended and the return windows of their items are over, orders that ended before
/// among them. Without it, every order stays.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetArchiving {
    /// Days; no order is archived when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_days: Option<u16>,
}

/// When orders leave memory is set.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct ArchivingSet {
    /// Days; no order is archived when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after_days: Option<u16>,
    /// The ledger's label.
    pub ledger: Name,
}

impl Action for SetArchiving {
    const TAKES_EFFECTIVE_AT: bool = false;

    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Rejection> {
        let name = draft.ledger().settings().map(|settings| settings.name.clone());
        let ledger = name.ok_or(control::Refusal::LedgerNotCreated {})?;
        draft.record(ArchivingSet { after_days: self.after_days, ledger });
        Ok(())
    }
}

impl Fact for ArchivingSet {
    fn subjects(&self, each: &mut dyn FnMut(Subject<'_>)) {
        each(Subject::new(SubjectKind::Ledger, &self.ledger));
    }

    fn apply(&self, ledger: &mut Ledger, at: &Moment) {
        *ledger.orders.archiving_days = self.after_days.map(u32::from);
        let scheduled = ledger.due.queue.iter().filter(|key| key.kind == DueKind::Archive);
        for key in scheduled.copied().collect::<Vec<_>>() {
            ledger.due.queue.remove(&key);
        }
        let ended = ledger.orders.iter().filter(|(_, _, order)| !order.is_open());
        for row in ended.map(|(row, ..)| row).collect::<Vec<_>>() {
            schedule(ledger, row, at.log_time);
        }
    }
}

/// Puts an order that ended into the due queue, if orders are archived at all: for the `apply` of what ends it. The return
/// windows are counted from its end, which is after every shipment.
pub(super) fn schedule(ledger: &mut Ledger, row: Row, ended_at: Timestamp) {
    let Some(days) = ledger.orders.archiving_days() else { return };
    let order = ledger.orders.get(row);
    let windows = order.lines.iter().filter(|line| line.left_us().is_positive());
    let window = windows.filter_map(|line| ledger.items.get(line.item).return_window_days).max();
    let at = ended_at.plus_days(window.unwrap_or_default().into()).plus_days(days);
    ledger.due.queue.insert(DueKey::new(at, DueKind::Archive, row));
}

#[cfg(test)]
mod tests {
    use crate::scenario::{given_a_shop, given_an_order};
    use serde_json::json;

    #[test]
    fn orders_are_archived_once_somebody_says_after_how_many_days() {
        given_a_shop()
            .when("orders.set_archiving", json!({"after_days": 365}))
            .then(json!([{"type": "orders.archiving_set", "after_days": 365, "ledger": "main"}]))
            .when("orders.set_archiving", json!({}))
            .then(json!([{"type": "orders.archiving_set", "ledger": "main"}]));
    }

    #[test]
    fn a_cancelled_order_is_archived_as_well_and_an_open_one_is_not() {
        given_an_order("b2b", 2)
            .and("orders.set_archiving", json!({"after_days": 7}))
            .nothing_falls_due()
            .and("orders.cancel", json!({"order": "o1", "reason": "customer_request"}))
            .falls_due("2026-01-08T00:00:00Z", "orders.archive", &json!({"order": "o1"}))
            .days_later(7)
            .and("orders.archive", json!({"order": "o1"}))
            .when("orders.cancel", json!({"order": "o1", "reason": "customer_request"}))
            .refused("order_archived");
    }
}
