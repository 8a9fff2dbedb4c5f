//! The three books, as pure functions of one fact: units, states and money.

mod account;
mod cost;
mod movement;
mod posting;
mod subject;

pub use account::{Account, AccountKind};
pub use cost::{CostPart, CostParts};
pub use movement::{Movement, Place, Status, StatusGroup, World, legal_edge};
pub use posting::Posting;
pub use subject::{Subject, SubjectKind};

use crate::ledger::{Ledger, Moment};

/// A business fact: what an event does to the three books. Nothing else may change them.
pub trait Fact {
    /// What the fact is about, the chief one first: the keys under which an audit finds it.
    fn subjects(&self, each: &mut dyn FnMut(Subject<'_>));

    /// Units from one bucket to another, with the cost that goes with them.
    fn movements(&self, _each: &mut dyn FnMut(Movement<'_>)) {}

    /// Amounts between accounts; they sum to zero.
    fn postings(&self, _each: &mut dyn FnMut(Posting<'_>)) {}

    /// The state transition of the fact's own module. It only assigns: arithmetic and choices belong to the rule.
    fn apply(&self, _ledger: &mut Ledger, _at: &Moment) {}
}
