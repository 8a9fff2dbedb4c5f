//! An order of the naive shop: where every unit of every line is, and what was invoiced and granted back.

use super::Refusal;
use super::costs::Part;
use super::policies::LimitAction;
use super::read::part;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OrderState {
    Captured,
    Released,
    InFulfilment,
    Completed,
    Closed,
    Cancelled,
}

#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) channel: String,
    pub(crate) state: OrderState,
    pub(crate) holds: Vec<Hold>,
    pub(crate) lines: Vec<Line>,
    pub(crate) charges: Vec<Charge>,
    pub(crate) invoiced: i64,
    /// When it is forgotten, once it ended.
    pub(super) archive_at: Option<i64>,
    pub(super) place: usize,
}

/// Why an order is held back; and until when it may be, and what then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hold {
    pub(crate) reason: String,
    pub(super) limit: Option<(i64, LimitAction)>,
}

#[derive(Debug, Clone)]
pub(crate) struct Charge {
    pub(crate) number: i64,
    pub(crate) kind: String,
    pub(crate) amount: i64,
    pub(crate) taxes: Vec<i64>,
    pub(crate) invoiced: bool,
    pub(crate) refunded: i64,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Line {
    pub(crate) number: i64,
    pub(crate) sku: String,
    pub(crate) ordered: i64,
    pub(crate) gross: i64,
    pub(crate) discount: i64,
    pub(crate) taxes: Vec<i64>,
    pub(crate) open: i64,
    pub(crate) backordered: i64,
    /// Reserved, picked and packed units by location, in the order in which the locations were first used.
    pub(crate) at: Vec<(String, [i64; 3])>,
    pub(crate) shipped: i64,
    pub(crate) delivered: i64,
    pub(crate) cancelled: i64,
    pub(crate) issued: Vec<Part>,
    pub(crate) return_authorised: i64,
    pub(crate) returned: i64,
    pub(crate) refunds: Refunds,
}

/// What was granted back of a line.
#[derive(Debug, Clone, Default)]
pub(crate) struct Refunds {
    pub(crate) shipped_units: i64,
    /// Net, then each tax.
    pub(crate) parts: Vec<i64>,
    pub(crate) cancelled_units: i64,
    pub(crate) from_deposit: i64,
}

/// A place in [`Line::at`].
pub(super) const RESERVED: usize = 0;
pub(super) const PICKED: usize = 1;
pub(super) const PACKED: usize = 2;

impl Line {
    /// Net and each tax of `units` units behind the first `before`.
    pub(super) fn parts(&self, before: i64, units: i64) -> Vec<i64> {
        let of = |total: i64| part(total, before, units, self.ordered);
        let net = of(self.gross) - of(self.discount);
        std::iter::once(net).chain(self.taxes.iter().map(|tax| of(*tax))).collect()
    }

    fn payable(&self) -> i64 {
        self.parts(0, self.ordered - self.cancelled).iter().sum()
    }

    pub(crate) fn claimed(&self, what: usize) -> i64 {
        self.at.iter().map(|(_, units)| units[what]).sum()
    }

    pub(crate) fn claimed_at(&self, location: &str, what: usize) -> i64 {
        self.at.iter().find(|(at, _)| at == location).map_or(0, |(_, units)| units[what])
    }

    pub(crate) fn before_shipped(&self) -> i64 {
        self.open + self.backordered + (RESERVED..=PACKED).map(|what| self.claimed(what)).sum::<i64>()
    }

    /// Units that nobody picked.
    pub(super) fn cancellable(&self) -> i64 {
        self.open + self.backordered + self.claimed(RESERVED)
    }

    pub(crate) fn left_us(&self) -> i64 {
        self.shipped + self.delivered
    }

    /// Changes what is claimed at a location; a location without claims is forgotten.
    pub(super) fn claim(&mut self, location: &str, what: usize, by: i64) {
        let known = self.at.iter().position(|(at, _)| at == location);
        let at = known.unwrap_or_else(|| {
            self.at.push((location.to_owned(), [0; 3]));
            self.at.len() - 1
        });
        self.at[at].1[what] += by;
    }

    pub(super) fn forget_empty(&mut self) {
        self.at.retain(|(_, units)| *units != [0; 3]);
    }
}

impl Charge {
    pub(super) fn total(&self) -> i64 {
        self.amount + self.taxes.iter().sum::<i64>()
    }
}

impl Order {
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.state, OrderState::Captured | OrderState::Released | OrderState::InFulfilment)
    }

    pub(super) fn payable(&self) -> i64 {
        if self.state == OrderState::Cancelled {
            return 0;
        }
        self.lines.iter().map(Line::payable).sum::<i64>()
            + self.charges.iter().map(Charge::total).sum::<i64>()
    }

    pub(crate) fn waiting(&self) -> i64 {
        self.lines.iter().map(|line| line.open + line.backordered).sum()
    }

    pub(super) fn before_shipped(&self) -> i64 {
        self.lines.iter().map(Line::before_shipped).sum()
    }

    pub(super) fn left_us(&self) -> i64 {
        self.lines.iter().map(Line::left_us).sum()
    }

    pub(super) fn is_held_for(&self, reason: &str) -> bool {
        self.holds.iter().any(|hold| hold.reason == reason)
    }

    pub(super) fn line(&self, number: i64) -> Result<&Line, Refusal> {
        self.lines.iter().find(|line| line.number == number).ok_or("unknown_line")
    }

    pub(super) fn line_mut(&mut self, number: i64) -> &mut Line {
        self.lines.iter_mut().find(|line| line.number == number).expect("the line was found before")
    }
}
