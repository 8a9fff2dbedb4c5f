//! Somebody looks at what came back.

use bincode::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Grade, Refusal, known, line_of, sized};
use crate::books::{Fact, Subject, SubjectKind};
use crate::draft::Draft;
use crate::kinds::Action;
use crate::ledger::{Ledger, Moment};
use crate::rejection::Rejection;
use crate::values::{PositiveQuantity, Quantity, ReturnId, Sku};

/// Grades received units. It moves nothing: what becomes of them is said by their disposition.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Inspect {
    /// The return.
    pub r#return: ReturnId,
    /// What was found; one or more, a line in several grades if need be.
    pub lines: Vec<InspectLine>,
}

/// Units of a return's line that were found in one condition.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InspectLine {
    /// The return's line.
    pub line: u16,
    /// Units.
    pub quantity: PositiveQuantity,
    /// Their condition.
    pub grade: Grade,
}

/// Received goods were graded.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct Inspected {
    /// The return.
    pub r#return: ReturnId,
    /// What was found.
    pub lines: Vec<InspectedLine>,
}

/// Units of a return's line that were found in one condition.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct InspectedLine {
    /// The return's line.
    pub line: u16,
    /// The item.
    pub sku: Sku,
    /// Units.
    pub quantity: Quantity,
    /// Their condition.
    pub grade: Grade,
}

impl Action for Inspect {
    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Rejection> {
        let ledger = draft.ledger();
        let found = known(ledger, &self.r#return)?;
        sized(self.lines.len())?;
        let mut lines: Vec<InspectedLine> = Vec::with_capacity(self.lines.len());
        for InspectLine { line, quantity, grade } in &self.lines {
            let of = line_of(&self.r#return, found, *line)?;
            let earlier = lines.iter().filter(|earlier| earlier.line == *line);
            let uninspected = of.uninspected() - earlier.map(|earlier| earlier.quantity).sum();
            if quantity.get() > uninspected {
                return Err(Refusal::MoreThanReceived {
                    rma: self.r#return.clone(),
                    line: *line,
                    uninspected,
                    wanted: quantity.get(),
                }
                .into());
            }
            let sku = ledger.items.sku(of.item).clone();
            lines.push(InspectedLine { line: *line, sku, quantity: quantity.get(), grade: *grade });
        }
        draft.record(Inspected { r#return: self.r#return.clone(), lines });
        Ok(())
    }
}

impl Fact for Inspected {
    fn subjects(&self, each: &mut dyn FnMut(Subject<'_>)) {
        each(Subject::new(SubjectKind::Return, &self.r#return));
        self.lines.iter().for_each(|line| each(Subject::new(SubjectKind::Item, &line.sku)));
    }

    fn apply(&self, ledger: &mut Ledger, at: &Moment) {
        ledger.returns.change(&self.r#return, at.effective_at, |changed| {
            for InspectedLine { line, quantity, grade, .. } in &self.lines {
                let lines = changed.lines.iter_mut().filter(|to| to.number == *line);
                lines.for_each(|to| to.count_inspected(*grade, *quantity));
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::books::Status;
    use crate::scenario::given_a_shop;
    use serde_json::{Value, json};

    fn inspect(lines: Value) -> Value {
        json!({"return": "r1", "lines": lines})
    }

    #[test]
    fn every_received_unit_is_graded_once_and_stays_where_it_is() {
        let receive = json!({"return": "r1", "location": "AMS1",
            "lines": [{"sku": "TEA-01", "quantity": 5, "unit_cost": "4"}]});
        let received = given_a_shop().and("returns.receive", receive);
        received
            .when(
                "returns.inspect",
                inspect(json!([{"line": 1, "quantity": 2, "grade": "a"},
                {"line": 1, "quantity": 2, "grade": "d"}])),
            )
            .then(json!([{"type": "returns.inspected", "return": "r1", "lines": [
                {"line": 1, "sku": "TEA-01", "quantity": 2, "grade": "a"},
                {"line": 1, "sku": "TEA-01", "quantity": 2, "grade": "d"}]}]))
            .units("TEA-01", "AMS1", Status::Inspection, 5)
            .when("returns.inspect", inspect(json!([{"line": 1, "quantity": 2, "grade": "b"}])))
            .refused_with(json!({"code": "more_than_received", "return": "r1", "line": 1, "uninspected": 1,
                "wanted": 2}))
            .when(
                "returns.inspect",
                inspect(json!([{"line": 1, "quantity": 1, "grade": "b"},
                {"line": 1, "quantity": 1, "grade": "c"}])),
            )
            .refused("more_than_received")
            .when("returns.inspect", inspect(json!([{"line": 2, "quantity": 1, "grade": "b"}])))
            .refused_with(json!({"code": "unknown_return_line", "return": "r1", "line": 2}))
            .when("returns.inspect", inspect(json!([])))
            .refused("no_lines");
    }

    #[test]
    fn only_a_return_that_there_is_is_inspected() {
        given_a_shop()
            .when("returns.inspect", inspect(json!([{"line": 1, "quantity": 1, "grade": "b"}])))
            .refused_with(json!({"code": "unknown_return", "return": "r1"}));
    }
}
