//! What falls due in the naive shop by itself, found by looking at everything there is: it keeps no queue.
//!
//! The earliest is first; of what is due at one moment claims, then returns, then holds, then orders to be archived, each by
//! the place of its document: the place that was freed last is taken again first.

use serde_json::{Value, json};

use super::{Claim, Order, Return, Shop};

/// What a command id may be long.
const ID_BYTES_MAX: usize = 64;
/// Why orders are held, in the order in which holds of one order fall due.
const REASONS: [&str; 14] = [
    "payment",
    "fraud",
    "customer",
    "address",
    "shipping_method",
    "tax",
    "credit",
    "stock",
    "restricted_item",
    "margin",
    "value",
    "duplicate",
    "channel_rule",
    "manual",
];

/// Something that falls due: by time, kind, place of the document, and reason of the hold.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Due {
    pub(crate) at: i64,
    kind: Kind,
    place: usize,
    reason: usize,
    document: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Reservation,
    Return,
    Hold,
    Archive,
}

/// Places for documents: the one that was freed last is taken first.
#[derive(Debug, Clone, Default)]
pub(super) struct Places {
    free: Vec<usize>,
    taken_ever: usize,
}

impl Places {
    pub(super) fn take(&mut self) -> usize {
        self.free.pop().unwrap_or_else(|| {
            self.taken_ever += 1;
            self.taken_ever - 1
        })
    }

    pub(super) fn give_back(&mut self, place: usize) {
        self.free.push(place);
    }
}

impl Due {
    /// The id under which it is decided.
    pub(crate) fn id(&self) -> String {
        let (kind, document) = match self.kind {
            Kind::Reservation => ("reservation", self.document.clone()),
            Kind::Return => ("return", self.document.clone()),
            Kind::Archive => ("archive", self.document.clone()),
            Kind::Hold => ("hold", format!("{}/{}", self.document, REASONS[self.reason])),
        };
        let plain = format!("timer/{kind}/{document}/{}", self.at);
        if plain.len() <= ID_BYTES_MAX {
            return plain;
        }
        let hash = blake3::hash(document.as_bytes()).to_hex();
        format!("timer/{kind}/{}/{}", &hash[..24], self.at)
    }

    /// The command that is decided then.
    pub(crate) fn command(&self) -> (&'static str, Value) {
        let document = &self.document;
        match self.kind {
            Kind::Reservation => ("stock.expire_reservation", json!({"reservation": document})),
            Kind::Return => ("returns.expire", json!({"return": document})),
            Kind::Archive => ("orders.archive", json!({"order": document})),
            Kind::Hold => ("orders.expire_hold", json!({"order": document, "reason": REASONS[self.reason]})),
        }
    }
}

impl Shop {
    /// All that falls due, the earliest first.
    pub(crate) fn dues(&self) -> Vec<Due> {
        let claims = self.stock.claims.iter().filter_map(|(id, claim)| claim.due(id));
        let returns = self.returns.iter().filter_map(|(id, back)| back.due(id));
        let holds = self.orders.iter().flat_map(|(id, order)| order.holds_due(id));
        let ended = self.orders.iter().filter_map(|(id, order)| order.archive_due(id));
        let mut dues: Vec<Due> = claims.chain(returns).chain(holds).chain(ended).collect();
        dues.sort();
        dues
    }
}

impl Claim {
    fn due(&self, id: &str) -> Option<Due> {
        let at = self.until?;
        Some(Due { at, kind: Kind::Reservation, place: self.place, reason: 0, document: id.to_owned() })
    }
}

impl Return {
    fn due(&self, id: &str) -> Option<Due> {
        let at = self.expires_at.filter(|_| self.lines.iter().any(|line| line.awaited() > 0))?;
        Some(Due { at, kind: Kind::Return, place: self.place, reason: 0, document: id.to_owned() })
    }
}

impl Order {
    fn archive_due(&self, id: &str) -> Option<Due> {
        let at = self.archive_at?;
        Some(Due { at, kind: Kind::Archive, place: self.place, reason: 0, document: id.to_owned() })
    }

    fn holds_due(&self, id: &str) -> Vec<Due> {
        let due = |hold: &super::Hold| {
            let (at, _) = hold.limit?;
            let reason = REASONS.iter().position(|reason| *reason == hold.reason).expect("a known reason");
            Some(Due { at, kind: Kind::Hold, place: self.place, reason, document: id.to_owned() })
        };
        self.holds.iter().filter_map(due).collect()
    }
}
