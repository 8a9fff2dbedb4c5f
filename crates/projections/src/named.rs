//! What an entry names, gathered where no lock is held: the fold then only looks rows up.

use ledger_core::books::{Account, Place};
use ledger_core::values::{LocationId, OrderId, PaymentId, RefundId, ReturnId, Sku, Text};
use ledger_core::{Entry, Fact, SubjectKind};
use smallvec::SmallVec;

/// The documents, cells and open items of an entry, each once, in an order of their own.
#[derive(Debug, Default)]
pub(crate) struct Named {
    /// Items at locations between which something moved.
    pub(crate) cells: SmallVec<[(Sku, LocationId); 4]>,
    pub(crate) orders: SmallVec<[OrderId; 2]>,
    pub(crate) returns: SmallVec<[ReturnId; 1]>,
    pub(crate) payments: SmallVec<[PaymentId; 1]>,
    /// Orders that receivables and deposits are open on.
    pub(crate) open: SmallVec<[(Account, OrderId); 2]>,
    /// Granted refunds that are to be paid.
    pub(crate) claims: SmallVec<[RefundId; 1]>,
}

impl Named {
    /// What the entry names.
    pub(crate) fn by(entry: &Entry) -> Named {
        let mut named = Named::default();
        for event in entry.events() {
            event.movements(&mut |movement| {
                for place in [movement.from, movement.to] {
                    if let Place::Stock(location, _) = place {
                        named.cells.push((movement.sku.clone(), location.clone()));
                    }
                }
            });
            event.subjects(&mut |subject| match subject.kind {
                SubjectKind::Order => named.orders.extend(OrderId::try_new(subject.id)),
                SubjectKind::Return => named.returns.extend(ReturnId::try_new(subject.id)),
                SubjectKind::Payment => named.payments.extend(PaymentId::try_new(subject.id)),
                _ => {}
            });
            event.postings(&mut |posting| match posting.account {
                Account::Receivable | Account::CustomerDeposits => {
                    named.open.extend(posting.order.map(|order| (posting.account, order.clone())));
                }
                Account::RefundsPayable => named.claims.extend(posting.claim.cloned()),
                _ => {}
            });
        }
        each_once(&mut named.cells);
        each_once(&mut named.orders);
        each_once(&mut named.returns);
        each_once(&mut named.payments);
        each_once(&mut named.open);
        each_once(&mut named.claims);
        named
    }
}

fn each_once<T: Ord, const N: usize>(names: &mut SmallVec<[T; N]>) {
    if names.len() > 1 {
        names.sort_unstable();
        names.dedup();
    }
}
