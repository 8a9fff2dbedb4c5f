//! What becomes of goods that came back.

use bincode::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Grade, Outcome, Refusal, known, line_of, sized};
use crate::books::{
    Account, CostParts, Fact, Movement, Place, Posting, Status, StatusGroup, Subject, SubjectKind, World,
};
use crate::draft::Draft;
use crate::kinds::Action;
use crate::ledger::{Ledger, Moment};
use crate::rejection::Rejection;
use crate::stock;
use crate::values::{ChannelId, CountryCode, LocationId, OrderId, PositiveQuantity, Quantity, ReturnId, Sku};

/// Says what becomes of inspected units: restocked, quarantined, written off, put into repair or returned to the
/// supplier, who then owes us their cost. Each line is a fact of its own.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Disposition {
    /// The return.
    pub r#return: ReturnId,
    /// What becomes of what; one or more.
    pub lines: Vec<DispositionLine>,
}

/// Units of one condition that go one way.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DispositionLine {
    /// The return's line.
    pub line: u16,
    /// Units.
    pub quantity: PositiveQuantity,
    /// In which condition they were found.
    pub grade: Grade,
    /// What becomes of them.
    pub outcome: Outcome,
}

/// Returned goods found their way.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, JsonSchema)]
pub struct Dispositioned {
    /// The return.
    pub r#return: ReturnId,
    /// Its line.
    pub line: u16,
    /// The order they were shipped for, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderId>,
    /// The order's channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelId>,
    /// Where they were sent from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<CountryCode>,
    /// The item.
    pub sku: Sku,
    /// Where they are.
    pub location: LocationId,
    /// Units.
    pub quantity: Quantity,
    /// In which condition they were found.
    pub grade: Grade,
    /// What became of them.
    pub outcome: Outcome,
    /// What they cost.
    pub cost: CostParts,
}

impl Action for Disposition {
    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Rejection> {
        known(draft.ledger(), &self.r#return)?;
        sized(self.lines.len())?;
        for line in &self.lines {
            let dispositioned = self.one(draft.ledger(), line)?;
            draft.record(dispositioned);
        }
        Ok(())
    }
}

impl Disposition {
    fn one(&self, ledger: &Ledger, wanted: &DispositionLine) -> Result<Dispositioned, Rejection> {
        let DispositionLine { line, grade, outcome, .. } = *wanted;
        let (quantity, found) = (wanted.quantity.get(), known(ledger, &self.r#return)?);
        let of = line_of(&self.r#return, found, line)?;
        let undecided = of.undecided(grade);
        let (Some(at), true) = (found.location, quantity <= undecided) else {
            let r#return = self.r#return.clone();
            return Err(Refusal::MoreThanInspected {
                rma: r#return,
                line,
                grade,
                undecided,
                wanted: quantity,
            }
            .into());
        };
        let (sku, location) = (ledger.items.sku(of.item), ledger.locations.id(at));
        stock::require(ledger, (of.item, sku), (at, location), Status::Inspection, quantity)?;
        let cost = stock::issue(ledger, of.item, at, StatusGroup::Inspection, quantity);
        if let Some(status) = kept_as(outcome) {
            let room = (quantity, cost.value());
            stock::require_room(ledger, (of.item, sku), (at, location), status, room)?;
        }
        let order = found.order.map(|order| (ledger.orders.id(order), ledger.orders.get(order)));
        Ok(Dispositioned {
            r#return: self.r#return.clone(),
            line,
            order: order.as_ref().map(|(id, _)| (*id).clone()),
            channel: order.map(|(_, order)| ledger.channels.id(order.channel).clone()),
            country: found.country.clone(),
            sku: sku.clone(),
            location: location.clone(),
            quantity,
            grade,
            outcome,
            cost,
        })
    }
}

/// The status of units that stay with us.
const fn kept_as(outcome: Outcome) -> Option<Status> {
    match outcome {
        Outcome::Restock => Some(Status::Available),
        Outcome::Quarantine => Some(Status::Quarantined),
        Outcome::Refurbish => Some(Status::Refurbishing),
        Outcome::WriteOff | Outcome::ReturnToSupplier => None,
    }
}

impl Dispositioned {
    fn goes_to(&self) -> Place<'_> {
        match self.outcome {
            Outcome::Restock => Place::Stock(&self.location, Status::Available),
            Outcome::Quarantine => Place::Stock(&self.location, Status::Quarantined),
            Outcome::WriteOff => Place::World(World::WrittenOff),
            Outcome::Refurbish => Place::Stock(&self.location, Status::Refurbishing),
            Outcome::ReturnToSupplier => Place::World(World::Supplier),
        }
    }

    fn debit(&self) -> Posting<'_> {
        let value = self.cost.value();
        let owned = |group| Posting::inventory(&self.location, group, &self.sku, value);
        let gone = |account| Posting::debit(account, value).at(&self.location).of(&self.sku);
        match self.outcome {
            Outcome::Restock => owned(StatusGroup::Sellable),
            Outcome::Quarantine => owned(StatusGroup::Impaired),
            Outcome::WriteOff => gone(Account::WriteOffs),
            Outcome::Refurbish => owned(StatusGroup::Refurbishing),
            Outcome::ReturnToSupplier => gone(Account::SupplierClaims),
        }
    }
}

impl Fact for Dispositioned {
    fn subjects(&self, each: &mut dyn FnMut(Subject<'_>)) {
        each(Subject::new(SubjectKind::Return, &self.r#return));
        self.order.iter().for_each(|order| each(Subject::new(SubjectKind::Order, order)));
        each(Subject::new(SubjectKind::Item, &self.sku));
        each(Subject::new(SubjectKind::Location, &self.location));
    }

    fn movements(&self, each: &mut dyn FnMut(Movement<'_>)) {
        each(Movement {
            sku: &self.sku,
            from: Place::Stock(&self.location, Status::Inspection),
            to: self.goes_to(),
            quantity: self.quantity,
            parts: &self.cost,
        });
    }

    fn postings(&self, each: &mut dyn FnMut(Posting<'_>)) {
        let (channel, order, country) = (self.channel.as_ref(), self.order.as_ref(), self.country.as_ref());
        let from = Posting::inventory(&self.location, StatusGroup::Inspection, &self.sku, self.cost.value());
        each(self.debit().sold(channel, order, country));
        each(from.reversed().sold(channel, order, country));
    }

    fn apply(&self, ledger: &mut Ledger, at: &Moment) {
        ledger.returns.change(&self.r#return, at.effective_at, |changed| {
            let lines = changed.lines.iter_mut().filter(|to| to.number == self.line);
            lines.for_each(|to| to.count_outcome(self.grade, self.outcome, self.quantity));
        });
    }
}

#[cfg(test)]
mod tests;
