//! What falls due by itself: which command the owner of the ledger then submits, and when.
//!
//! The queue is state like any other: filled and emptied where facts are applied, so that a restart, a snapshot or another
//! owner finds exactly what is still to come. The rule of each command looks again whether it is due.
//!
//! | kind | falls due | command |
//! |---|---|---|
//! | `reservation` | when a claim outside an order has reached its `until` | `stock.expire_reservation` |
//! | `return` | when an authorised return has reached its `expires_at` | `returns.expire` |
//! | `hold` | when a hold has stood for as long as its limit allows | `orders.expire_hold` |
//! | `archive` | when the return windows of an ended order and the policy's days are over | `orders.archive` |

use bincode::{Decode, Encode};

use crate::kinds::Command;
use crate::ledger::Ledger;
use crate::orders::{self, HoldReason};
use crate::state::{Ordered, Row};
use crate::values::{CommandId, ID_BYTES_MAX, Text, Timestamp};
use crate::{archiving, codes, returns, state, stock};

codes! {
    /// What kind of thing falls due.
    pub enum DueKind {
        /// A claim outside an order ends.
        Reservation = 1 "reservation",
        /// A return is awaited no longer.
        Return = 2 "return",
        /// A hold has stood too long.
        Hold = 3 "hold",
        /// An order leaves memory.
        Archive = 4 "archive",
    }
}

/// A place in the queue: by time, then kind, then the document's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub(crate) struct DueKey {
    pub(crate) at: Timestamp,
    pub(crate) kind: DueKind,
    pub(crate) document: Row,
    /// Which hold of the order; none of another kind.
    pub(crate) hold: Option<HoldReason>,
}

impl DueKey {
    pub(crate) fn new(at: Timestamp, kind: DueKind, document: Row) -> Self {
        DueKey { at, kind, document, hold: None }
    }

    pub(crate) fn of_hold(at: Timestamp, order: Row, reason: HoldReason) -> Self {
        DueKey { at, kind: DueKind::Hold, document: order, hold: Some(reason) }
    }
}

state! {
    /// All that will fall due, the earliest first.
    pub struct DueQueue {
        pub(crate) queue: Ordered<DueKey>,
    }
}

/// Something that falls due.
#[derive(Debug, Clone, PartialEq)]
pub struct Due {
    /// When.
    pub at: Timestamp,
    /// What kind of thing it is.
    pub kind: DueKind,
    /// The id under which the command is submitted, by whoever owns the ledger then: the same thing falls due once.
    pub id: CommandId,
    /// What is then to be decided.
    pub command: Command,
}

impl Ledger {
    /// When the next thing falls due; asked at every step of the writer.
    pub fn next_due_at(&self) -> Option<Timestamp> {
        self.due.queue.first().map(|key| key.at)
    }

    /// What falls due next.
    pub fn next_due(&self) -> Option<Due> {
        self.dues().next()
    }

    /// All that falls due, the earliest first.
    pub fn dues(&self) -> impl Iterator<Item = Due> {
        self.due.queue.iter().map(|key| self.due_of(*key))
    }

    /// How much is due at this time, counted up to a bound.
    pub fn due_count(&self, at: Timestamp, count_max: usize) -> usize {
        self.due.queue.iter().take_while(|key| key.at <= at).take(count_max).count()
    }

    fn due_of(&self, key: DueKey) -> Due {
        let DueKey { at, kind, document, hold } = key;
        let (document, command) = match kind {
            DueKind::Reservation => {
                let reservation = self.stock.reservations().key(document).clone();
                (reservation.to_string(), stock::ExpireReservation { reservation }.into())
            }
            DueKind::Return => {
                let r#return = self.returns.id(document).clone();
                (r#return.to_string(), returns::Expire { r#return }.into())
            }
            DueKind::Archive => {
                let order = self.orders.id(document).clone();
                (order.to_string(), archiving::Archive { order }.into())
            }
            DueKind::Hold => {
                let order = self.orders.id(document).clone();
                let reason = hold.expect("the key of a hold names its reason");
                (format!("{order}/{reason}"), orders::ExpireHold { order, reason }.into())
            }
        };
        Due { at, kind, id: id_of(kind, &document, at), command }
    }
}

/// `timer/<kind>/<document>/<due, in microseconds since 1970>`; a document too long for that stands as the first 24
/// hex digits of its BLAKE3.
fn id_of(kind: DueKind, document: &str, at: Timestamp) -> CommandId {
    let id = |document: &str| format!("timer/{kind}/{document}/{}", at.micros());
    let plain = id(document);
    let id = match plain.len() <= ID_BYTES_MAX {
        true => plain,
        false => id(&blake3::hash(document.as_bytes()).to_hex()[..24]),
    };
    CommandId::try_new(id).expect("at most 64 bytes, of ids that are valid themselves")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_a_timer_names_its_document_or_its_hash() {
        let at = Timestamp::parse("2026-01-01T00:30:00Z").unwrap();
        assert_eq!(id_of(DueKind::Hold, "o1/payment", at).as_str(), "timer/hold/o1/payment/1767227400000000");
        let far = Timestamp::from_micros(i64::MIN);
        let long = id_of(DueKind::Reservation, &"x".repeat(64), far);
        assert!(long.as_str().starts_with("timer/reservation/") && long.as_str().len() <= ID_BYTES_MAX);
        assert_ne!(long, id_of(DueKind::Reservation, &"y".repeat(64), far));
    }
}
