//! What a fact is about: the keys under which history is indexed and audited.

use crate::codes;
use crate::values::Text;

codes! {
    /// The kind of thing a fact is about.
    pub enum SubjectKind {
        /// An item, by SKU.
        Item = 1 "item",
        /// A location.
        Location = 2 "location",
        /// A customer.
        Customer = 3 "customer",
        /// A sales channel.
        Channel = 4 "channel",
        /// An order.
        Order = 5 "order",
        /// A claim that is not an order's.
        Reservation = 6 "reservation",
        /// A payment.
        Payment = 7 "payment",
        /// A shipment.
        Shipment = 8 "shipment",
        /// A return.
        Return = 9 "return",
        /// A granted refund.
        Refund = 10 "refund",
        /// A manual posting.
        Posting = 11 "posting",
        /// The ledger itself.
        Ledger = 12 "ledger",
    }
}

impl SubjectKind {
    /// True for what happens; false for the master records it happens to.
    pub const fn is_document(self) -> bool {
        match self {
            SubjectKind::Item
            | SubjectKind::Location
            | SubjectKind::Customer
            | SubjectKind::Channel
            | SubjectKind::Ledger => false,
            SubjectKind::Order
            | SubjectKind::Reservation
            | SubjectKind::Payment
            | SubjectKind::Shipment
            | SubjectKind::Return
            | SubjectKind::Refund
            | SubjectKind::Posting => true,
        }
    }
}

/// A thing a fact is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Subject<'e> {
    /// Its kind.
    pub kind: SubjectKind,
    /// Its id.
    pub id: &'e str,
}

impl<'e> Subject<'e> {
    /// A subject of a kind.
    pub fn new(kind: SubjectKind, id: &'e impl Text) -> Self {
        Subject { kind, id: id.as_str() }
    }
}
