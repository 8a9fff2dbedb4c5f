//! Every return with its stage, what came, in which condition, what became of it, and what was granted for it.

use ledger_core::Ledger;
use ledger_core::orders::Order;
use ledger_core::returns::{Grade, Outcome, Return, ReturnLine, ReturnStage};
use ledger_core::state::{Reading, Row as LedgerRow};
use ledger_core::values::{
    Amount, CountryCode, CustomerId, LocationId, OrderId, Quantity, ReasonCode, ReturnId, Sku, Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::View;
use crate::board::Sort;
use crate::query::QueryFault;
use crate::return_places::bucket;
use crate::rows::{Rows, Taken};
use crate::source::{Scan, Source};

/// Which returns.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Filter {
    /// In this stage.
    stage: Option<ReturnStage>,
    /// Of this order.
    order: Option<OrderId>,
    /// Of this customer.
    customer: Option<CustomerId>,
    /// For this reason.
    reason: Option<ReasonCode>,
    /// That came to this location.
    location: Option<LocationId>,
}

/// A return.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Row {
    /// The return.
    r#return: ReturnId,
    /// The order its goods were shipped for; absent on a blind return.
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<OrderId>,
    /// Who sends them.
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<CustomerId>,
    /// Where from.
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<CountryCode>,
    /// Why; unknown on a blind return.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<ReasonCode>,
    /// Where it is in its life.
    stage: ReturnStage,
    /// Since when.
    stage_since: Timestamp,
    /// Where the goods came.
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<LocationId>,
    /// When it was authorised.
    #[serde(skip_serializing_if = "Option::is_none")]
    authorised_at: Option<Timestamp>,
    /// When something of it came last.
    #[serde(skip_serializing_if = "Option::is_none")]
    received_at: Option<Timestamp>,
    /// Until when it is awaited.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    /// Units for which refunds were granted.
    refunded_units: Quantity,
    /// What refunds granted, less restocking fees.
    refunded: Amount,
    /// What comes back.
    lines: Vec<ReturnLineShown>,
}

/// A line of a return.
#[derive(Debug, Serialize, JsonSchema)]
struct ReturnLineShown {
    /// Its number.
    line: u16,
    /// The order's line.
    #[serde(skip_serializing_if = "Option::is_none")]
    order_line: Option<u16>,
    /// The item.
    sku: Sku,
    /// Units that may come back.
    authorised: Quantity,
    /// Units that came.
    received: Quantity,
    /// Authorised units that have not come.
    awaited: Quantity,
    /// Received units that nobody has looked at.
    uninspected: Quantity,
    /// Units looked at, by the condition they were found in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    grades: Vec<GradeShown>,
    /// What became of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    outcomes: Vec<OutcomeShown>,
}

/// Units found in one condition.
#[derive(Debug, Serialize, JsonSchema)]
struct GradeShown {
    /// The condition.
    grade: Grade,
    /// Units.
    quantity: Quantity,
    /// Of which nobody has said what becomes of them.
    undecided: Quantity,
}

/// Units that found one way.
#[derive(Debug, Serialize, JsonSchema)]
struct OutcomeShown {
    /// The condition they were found in.
    grade: Grade,
    /// What became of them.
    outcome: Outcome,
    /// Units.
    quantity: Quantity,
}

pub(crate) struct ReturnBoard;

impl View for ReturnBoard {
    type Filter = Filter;
    type Row = Row;
    const NAME: &'static str = "return_board";
    const SUMMARY: &'static str =
        "Every return with its stage, what came, what became of it, and what was granted";
    const SORTS: &'static [&'static str] =
        &["stage_since", "-stage_since", "opened_at", "-opened_at", "-refunded"];

    fn rows(source: &Source<'_>, filter: &Filter, rows: &mut Rows) -> Result<(), QueryFault> {
        let sort = match rows.sort {
            "-stage_since" => Sort { key: 0, descending: true },
            "opened_at" => Sort { key: 1, descending: false },
            "-opened_at" => Sort { key: 1, descending: true },
            "-refunded" => Sort { key: 2, descending: true },
            _ => Sort { key: 0, descending: false },
        };
        let mut after = rows.after_on_board()?;
        let counts = |of_bucket| filter.stage.is_none_or(|stage| bucket(stage) == of_bucket);
        source.scan(rows, |folded, rows, slice| {
            let ledger = &folded.ledger;
            for (key, row) in folded.return_board.behind(counts, sort, after) {
                if slice.is_over() {
                    return Ok(Scan::More);
                }
                after = Some(key);
                let found = ledger.returns().get(row);
                if filter.includes(ledger, found)
                    && rows.push_on_board(key, &shown(ledger, ledger.returns().id(row), found))
                        == Taken::PageIsFull
                {
                    break;
                }
            }
            Ok(Scan::Done)
        })
    }
}

impl Filter {
    fn includes(&self, ledger: &Ledger, found: &Return) -> bool {
        fn is<T: PartialEq>(wanted: Option<&T>, found: Option<&T>) -> bool {
            wanted.is_none_or(|wanted| found == Some(wanted))
        }
        is(self.order.as_ref(), found.order.map(|row| ledger.orders().id(row)))
            && is(self.customer.as_ref(), customer(ledger, found).as_ref())
            && is(self.reason.as_ref(), found.reason.as_ref())
            && is(self.location.as_ref(), found.location.map(|row| ledger.locations().id(row)))
    }
}

/// Whoever sends the goods, else whoever ordered them.
fn customer(ledger: &Ledger, found: &Return) -> Option<CustomerId> {
    found.customer.clone().or_else(|| order(ledger, found.order)?.customer.clone())
}

fn order(ledger: &Ledger, row: Option<LedgerRow>) -> Option<Reading<'_, Order>> {
    row.map(|row| ledger.orders().get(row))
}

fn shown(ledger: &Ledger, id: &ReturnId, found: &Return) -> Row {
    Row {
        r#return: id.clone(),
        order: found.order.map(|row| ledger.orders().id(row).clone()),
        customer: customer(ledger, found),
        country: found.country.clone().or_else(|| order(ledger, found.order)?.country().cloned()),
        reason: found.reason.clone(),
        stage: found.stage(),
        stage_since: found.stage_since,
        location: found.location.map(|row| ledger.locations().id(row).clone()),
        authorised_at: found.authorised_at,
        received_at: found.received_at,
        expires_at: found.expires_at,
        refunded_units: found.refunded_units,
        refunded: found.refunded,
        lines: found.lines.iter().map(|line| line_shown(ledger, line)).collect(),
    }
}

fn line_shown(ledger: &Ledger, line: &ReturnLine) -> ReturnLineShown {
    let grades = Grade::ALL.iter().copied().map(|grade| GradeShown {
        grade,
        quantity: line.inspected(grade),
        undecided: line.undecided(grade),
    });
    let outcomes = line.outcomes.iter().map(|units| OutcomeShown {
        grade: units.grade,
        outcome: units.outcome,
        quantity: units.quantity,
    });
    ReturnLineShown {
        line: line.number,
        order_line: line.order_line,
        sku: ledger.items().sku(line.item).clone(),
        authorised: line.authorised,
        received: line.received,
        awaited: line.awaited(),
        uninspected: line.uninspected(),
        grades: grades.filter(|grade| !grade.quantity.is_zero()).collect(),
        outcomes: outcomes.collect(),
    }
}
