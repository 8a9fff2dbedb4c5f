//! An authorised return is awaited no longer.

use bincode::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Refusal, known};
use crate::books::{Fact, Subject, SubjectKind};
use crate::draft::Draft;
use crate::due::{DueKey, DueKind};
use crate::kinds::Action;
use crate::ledger::{Ledger, Moment};
use crate::orders::edit_line;
use crate::rejection::Rejection;
use crate::values::{OrderId, Quantity, ReturnId};

/// Ends the authorisation of what has not come, once the return's `expires_at` is reached. What comes later comes as a
/// blind return; the units may be authorised again while their own window is open.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expire {
    /// The return.
    pub r#return: ReturnId,
}

/// Authorised units of a return are awaited no longer.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct Expired {
    /// The return.
    pub r#return: ReturnId,
    /// The order.
    pub order: OrderId,
    /// What had not come.
    pub lines: Vec<ExpiredLine>,
}

/// Units of a return's line that had not come.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct ExpiredLine {
    /// Its number on the return.
    pub line: u16,
    /// The order's line.
    pub order_line: u16,
    /// Units.
    pub quantity: Quantity,
}

impl Action for Expire {
    const TAKES_EFFECTIVE_AT: bool = false;

    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Rejection> {
        let (ledger, rma) = (draft.ledger(), self.r#return.clone());
        let (found, log_time) = (known(ledger, &rma)?, draft.context().moment.log_time);
        let awaited = found.lines.iter().filter(|line| line.awaited().is_positive());
        let lines: Vec<_> = awaited
            .filter_map(|line| {
                let (number, quantity) = (line.number, line.awaited());
                line.order_line.map(|order_line| ExpiredLine { line: number, order_line, quantity })
            })
            .collect();
        let Some(order) = found.order.filter(|_| !lines.is_empty()) else {
            return Err(Refusal::NothingAwaited { rma }.into());
        };
        if found.expires_at.is_none_or(|expires_at| expires_at > log_time) {
            return Err(Refusal::ReturnNotDue { rma, expires_at: found.expires_at, log_time }.into());
        }
        let order = ledger.orders.id(order).clone();
        draft.record(Expired { r#return: rma, order, lines });
        Ok(())
    }
}

impl Fact for Expired {
    fn subjects(&self, each: &mut dyn FnMut(Subject<'_>)) {
        each(Subject::new(SubjectKind::Return, &self.r#return));
        each(Subject::new(SubjectKind::Order, &self.order));
    }

    fn apply(&self, ledger: &mut Ledger, at: &Moment) {
        let order = ledger.orders.row(&self.order);
        for ExpiredLine { order_line, quantity, .. } in &self.lines {
            let line = order.and_then(|order| edit_line(ledger, order, *order_line));
            line.into_iter().for_each(|line| line.after_sale_mut().return_authorised -= *quantity);
        }
        ledger.returns.change(&self.r#return, at.effective_at, |changed| {
            for ExpiredLine { line, quantity, .. } in &self.lines {
                let lines = &mut changed.lines;
                lines.iter_mut().filter(|of| of.number == *line).for_each(|of| of.authorised -= *quantity);
            }
        });
        no_longer_awaited(ledger, &self.r#return);
    }
}

/// Takes a return of which nothing is awaited out of the due queue: for the `apply` of what ends the waiting.
pub(super) fn no_longer_awaited(ledger: &mut Ledger, id: &ReturnId) {
    let Some(row) = ledger.returns.row(id) else { return };
    let found = ledger.returns.get(row);
    let is_awaited = found.lines.iter().any(|line| line.awaited().is_positive());
    if let Some(expires_at) = found.expires_at.filter(|_| !is_awaited) {
        ledger.due.queue.remove(&DueKey::new(expires_at, DueKind::Return, row));
    }
}

#[cfg(test)]
mod tests {
    use crate::returns::ReturnStage;
    use crate::scenario::{Scenario, given_a_shipped_order};
    use crate::values::{ReturnId, Text};
    use serde_json::{Value, json};

    const ENDS: &str = "2026-01-11T00:00:00Z";

    fn rma() -> Value {
        json!({"return": "r1"})
    }

    fn receive(units: u64) -> Value {
        json!({"return": "r1", "location": "AMS1", "lines": [{"line": 1, "quantity": units}]})
    }

    fn three_authorised_until_the_eleventh() -> Scenario {
        given_a_shipped_order("b2b", 3).and(
            "returns.authorise",
            json!({"return": "r1", "order": "o1",
            "reason": "unwanted", "expires_at": ENDS, "lines": [{"line": 1, "quantity": 3}]}),
        )
    }

    fn stage(scenario: &Scenario) -> ReturnStage {
        scenario.ledger.returns().find(&ReturnId::try_new("r1").unwrap()).unwrap().stage()
    }

    #[test]
    fn a_return_of_which_nothing_came_expires_and_its_units_may_be_authorised_again() {
        let expired = three_authorised_until_the_eleventh()
            .falls_due(ENDS, "returns.expire", &rma())
            .when("returns.expire", rma())
            .refused_with(json!({"code": "return_not_due", "return": "r1", "expires_at": ENDS,
                "log_time": "2026-01-01T00:00:00Z"}))
            .days_later(10)
            .when("returns.expire", rma())
            .then(json!([{"type": "returns.expired", "return": "r1", "order": "o1",
                "lines": [{"line": 1, "order_line": 1, "quantity": 3}]}]))
            .nothing_falls_due()
            .order("o1", |order| assert!(order.lines[0].return_authorised().is_zero()));
        assert_eq!(stage(&expired), ReturnStage::Expired);
        expired
            .when("returns.expire", rma())
            .refused("nothing_awaited")
            .when("returns.receive", receive(1))
            .refused("more_than_authorised")
            .and(
                "returns.authorise",
                json!({"return": "r2", "order": "o1", "reason": "unwanted",
                "lines": [{"line": 1, "quantity": 3}]}),
            );
    }

    #[test]
    fn what_came_before_goes_on_without_the_rest() {
        let partly = three_authorised_until_the_eleventh()
            .and("returns.receive", receive(1))
            .days_later(10)
            .when("returns.expire", rma())
            .then(json!([{"type": "returns.expired", "return": "r1", "order": "o1",
                "lines": [{"line": 1, "order_line": 1, "quantity": 2}]}]));
        assert_eq!(stage(&partly), ReturnStage::Received);
    }

    #[test]
    fn a_return_that_came_whole_or_has_no_end_does_not_fall_due() {
        three_authorised_until_the_eleventh().and("returns.receive", receive(3)).nothing_falls_due();
        given_a_shipped_order("b2b", 3)
            .and(
                "returns.authorise",
                json!({"return": "r1", "order": "o1", "reason": "unwanted",
                "lines": [{"line": 1, "quantity": 3}]}),
            )
            .nothing_falls_due()
            .days_later(1000)
            .when("returns.expire", rma())
            .refused("return_not_due");
    }
}
