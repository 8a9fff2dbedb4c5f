//! Memory is bounded: an order that nothing can happen to any more leaves it with all that hangs on it.
//!
//! Beside the modules, for it forgets what every one of them holds of an order: its shipments, payments, returns and
//! refunds go with it. What stays is the first half of its id's hash, so that later commands are told. The journal keeps
//! all of it.

use bincode::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::books::{Account, Fact, Subject, SubjectKind};
use crate::draft::Draft;
use crate::due::{DueKey, DueKind};
use crate::kinds::Action;
use crate::ledger::{Ledger, Moment};
use crate::rejection::Rejection;
use crate::returns::ReturnStage;
use crate::state::Row;
use crate::values::{OrderId, ReturnId, Text, Timestamp};
use crate::{finance, orders};

/// Forgets an order once its return windows and the policy's days are over. Where something is still open (a balance, a
/// return, a refund), it is looked at again after the policy's days.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Archive {
    /// The order.
    pub order: OrderId,
}

/// An order left memory.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct Archived {
    /// The order.
    pub order: OrderId,
    /// When that was due.
    pub due: Timestamp,
    /// Its returns: they went with it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub returns: Vec<ReturnId>,
}

/// Something of an order is still open: it stays.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct ArchivingPostponed {
    /// The order.
    pub order: OrderId,
    /// When it was due to be archived.
    pub due: Timestamp,
    /// When it is due again.
    pub until: Timestamp,
}

impl Action for Archive {
    const TAKES_EFFECTIVE_AT: bool = false;

    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Rejection> {
        let (ledger, log_time) = (draft.ledger(), draft.context().moment.log_time);
        let (row, _) = orders::known(ledger, &self.order)?;
        let order = self.order.clone();
        let Some(due) = due_at(ledger, row).filter(|due| *due <= log_time) else {
            return Err(orders::Refusal::ArchivingNotDue { order, log_time }.into());
        };
        if is_settled(ledger, row) {
            let returns = ledger.returns.of_order(row).map(|(id, _)| id.clone()).collect();
            draft.record(Archived { order, due, returns });
        } else {
            let days = ledger.orders.archiving_days().unwrap_or_default().max(1);
            draft.record(ArchivingPostponed { order, due, until: log_time.plus_days(days) });
        }
        Ok(())
    }
}

/// When an order is to be archived, if that is among what falls due.
fn due_at(ledger: &Ledger, order: Row) -> Option<Timestamp> {
    let mut queue = ledger.due.queue.iter();
    queue.find(|key| key.kind == DueKind::Archive && key.document == order).map(|key| key.at)
}

/// Nothing is owed either way, and nothing is on its way back.
fn is_settled(ledger: &Ledger, row: Row) -> bool {
    let id = ledger.orders.id(row).as_str();
    let owes_nothing = [Account::Receivable, Account::CustomerDeposits]
        .iter()
        .all(|account| finance::open_balance(ledger, *account, id).is_zero());
    let mut refunds = ledger.returns.refunds_of_order(row);
    let refunds_paid = refunds
        .all(|refund| finance::open_balance(ledger, Account::RefundsPayable, refund.as_str()).is_zero());
    let mut returns = ledger.returns.of_order(row);
    let returns_done =
        returns.all(|(_, found)| matches!(found.stage(), ReturnStage::Closed | ReturnStage::Expired));
    owes_nothing && refunds_paid && returns_done && !ledger.orders.get(row).is_open()
}

impl Fact for Archived {
    fn subjects(&self, each: &mut dyn FnMut(Subject<'_>)) {
        each(Subject::new(SubjectKind::Order, &self.order));
        self.returns.iter().for_each(|id| each(Subject::new(SubjectKind::Return, id)));
    }

    fn apply(&self, ledger: &mut Ledger, at: &Moment) {
        let Some(row) = ledger.orders.row(&self.order) else { return };
        ledger.due.queue.remove(&DueKey::new(self.due, DueKind::Archive, row));
        ledger.shipments.forget(row);
        ledger.payments.forget(row);
        for refund in ledger.returns.refunds_of_order(row).cloned().collect::<Vec<_>>() {
            ledger.payments.forget_claim(&refund);
        }
        ledger.returns.forget(row);
        ledger.orders.archive(row, at.sequence);
    }
}

impl Fact for ArchivingPostponed {
    fn subjects(&self, each: &mut dyn FnMut(Subject<'_>)) {
        each(Subject::new(SubjectKind::Order, &self.order));
    }

    fn apply(&self, ledger: &mut Ledger, _at: &Moment) {
        let Some(row) = ledger.orders.row(&self.order) else { return };
        ledger.due.queue.remove(&DueKey::new(self.due, DueKind::Archive, row));
        ledger.due.queue.insert(DueKey::new(self.until, DueKind::Archive, row));
    }
}

#[cfg(test)]
mod tests;
