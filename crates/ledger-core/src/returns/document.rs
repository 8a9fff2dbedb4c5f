//! Returns and granted refunds as the ledger holds them.

use bincode::{Decode, Encode};

use crate::state::{Row, Table};
use crate::values::{
    Amount, CountryCode, CustomerId, DocumentNumber, Quantity, ReasonCode, RefundId, ReturnId, Timestamp,
};
use crate::{codes, state};

codes! {
    /// The condition in which returned goods were found.
    pub enum Grade {
        /// As new.
        A = 1 "a",
        /// Opened.
        B = 2 "b",
        /// Worn.
        C = 3 "c",
        /// Defective.
        D = 4 "d",
    }
}

codes! {
    /// What becomes of returned goods.
    pub enum Outcome {
        /// Back on the shelf.
        Restock = 1 "restock",
        /// Blocked.
        Quarantine = 2 "quarantine",
        /// Given up.
        WriteOff = 3 "write_off",
        /// Into repair.
        Refurbish = 4 "refurbish",
        /// Back to whoever delivered them, who owes us for them.
        ReturnToSupplier = 5 "return_to_supplier",
    }
}

codes! {
    /// Where a return is in its life.
    pub enum ReturnStage {
        /// Awaited: nothing has come.
        Authorised = 1 "authorised",
        /// Something has come that nobody has looked at.
        Received = 2 "received",
        /// All that came was looked at; of something nobody has said what becomes of it.
        Inspected = 3 "inspected",
        /// All that came has found its way; more is awaited.
        Dispositioned = 4 "dispositioned",
        /// All of it has found its way, and nothing is awaited.
        Closed = 5 "closed",
        /// Nothing came in time, and nothing is awaited any more.
        Expired = 6 "expired",
    }
}

impl Grade {
    const fn index(self) -> usize {
        self as usize - 1
    }
}

/// Units of one grade that found one way.
#[derive(Debug, Clone, Copy, PartialEq, Encode, Decode)]
pub struct OutcomeUnits {
    /// In which condition they were found.
    pub grade: Grade,
    /// What became of them.
    pub outcome: Outcome,
    /// Units.
    pub quantity: Quantity,
}

/// A line of a return.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct ReturnLine {
    /// Its number on the return, from 1.
    pub number: u16,
    /// The order's line they were shipped on, if that is known.
    pub order_line: Option<u16>,
    /// The item.
    pub item: Row,
    /// Units that may come back; none on a blind return.
    pub authorised: Quantity,
    /// Units that came.
    pub received: Quantity,
    /// Units looked at, by grade.
    inspected: [Quantity; Grade::ALL.len()],
    /// What became of them.
    pub outcomes: Vec<OutcomeUnits>,
}

/// Goods on their way back, or back.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Return {
    /// The order they were shipped for, if that is known.
    pub order: Option<Row>,
    /// Who sends them.
    pub customer: Option<CustomerId>,
    /// Where from.
    pub country: Option<CountryCode>,
    /// Why; unknown on a blind return.
    pub reason: Option<ReasonCode>,
    /// Where they came, once they did: all of a return comes to one place.
    pub location: Option<Row>,
    /// What.
    pub lines: Vec<ReturnLine>,
    /// When it was authorised; all its times are effective times.
    pub authorised_at: Option<Timestamp>,
    /// When something of it came last.
    pub received_at: Option<Timestamp>,
    /// Until when it is awaited.
    pub expires_at: Option<Timestamp>,
    /// Since when it is in its stage.
    pub stage_since: Timestamp,
    /// Units for which refunds of this return were granted.
    pub refunded_units: Quantity,
    /// What refunds of this return granted, less restocking fees.
    pub refunded: Amount,
}

/// A granted refund: the claim that a payment pays.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct GrantedRefund {
    /// The order; none on an unreferenced refund.
    pub order: Option<Row>,
    /// The channel.
    pub channel: Row,
    /// Whose it is.
    pub customer: Option<CustomerId>,
    /// Where the goods went, or came from.
    pub country: Option<CountryCode>,
    /// The return it was granted for.
    pub r#return: Option<ReturnId>,
    /// Why.
    pub reason: ReasonCode,
    /// The number of its credit note.
    pub credit_note: DocumentNumber,
    /// What was granted, less the restocking fee.
    pub amount: Amount,
    /// The part of it that is to be paid: what did not settle an unpaid invoice.
    pub claim: Amount,
    /// When it was granted, in effective time.
    pub granted_at: Timestamp,
}

impl ReturnLine {
    pub(super) fn new(number: u16, order_line: Option<u16>, item: Row, authorised: Quantity) -> Self {
        let none = Quantity::ZERO;
        let inspected = [none; Grade::ALL.len()];
        let outcomes = Vec::new();
        ReturnLine { number, order_line, item, authorised, received: none, inspected, outcomes }
    }

    /// Authorised units that have not come.
    pub fn awaited(&self) -> Quantity {
        (self.authorised - self.received).max(Quantity::ZERO)
    }

    /// Units looked at, of a grade.
    pub fn inspected(&self, grade: Grade) -> Quantity {
        self.inspected[grade.index()]
    }

    /// Received units that nobody has looked at.
    pub fn uninspected(&self) -> Quantity {
        self.received - self.inspected.iter().copied().sum()
    }

    /// Inspected units of a grade of which nobody has said what becomes of them.
    pub fn undecided(&self, grade: Grade) -> Quantity {
        let decided = self.outcomes.iter().filter(|units| units.grade == grade);
        self.inspected(grade) - decided.map(|units| units.quantity).sum()
    }

    /// Units that found a way.
    pub fn dispositioned(&self) -> Quantity {
        self.outcomes.iter().map(|units| units.quantity).sum()
    }

    pub(super) fn count_inspected(&mut self, grade: Grade, quantity: Quantity) {
        self.inspected[grade.index()] += quantity;
    }

    pub(super) fn count_outcome(&mut self, grade: Grade, outcome: Outcome, quantity: Quantity) {
        match self.outcomes.iter_mut().find(|units| units.grade == grade && units.outcome == outcome) {
            Some(units) => units.quantity += quantity,
            None => self.outcomes.push(OutcomeUnits { grade, outcome, quantity }),
        }
    }
}

impl Return {
    /// The line under a number.
    pub fn line(&self, number: u16) -> Option<&ReturnLine> {
        self.lines.iter().find(|line| line.number == number)
    }

    /// Units that may come back or came, whichever is more: more are not refunded for it.
    pub fn units(&self) -> Quantity {
        self.lines.iter().map(|line| line.authorised.max(line.received)).sum()
    }

    /// Where it is in its life.
    pub fn stage(&self) -> ReturnStage {
        let all = |units: fn(&ReturnLine) -> Quantity| self.lines.iter().map(units).sum::<Quantity>();
        let received = all(|line| line.received);
        let awaited = all(ReturnLine::awaited);
        if received.is_zero() {
            if awaited.is_zero() { ReturnStage::Expired } else { ReturnStage::Authorised }
        } else if all(ReturnLine::uninspected).is_positive() {
            ReturnStage::Received
        } else if received > all(ReturnLine::dispositioned) {
            ReturnStage::Inspected
        } else if awaited.is_positive() {
            ReturnStage::Dispositioned
        } else {
            ReturnStage::Closed
        }
    }
}

state! {
    /// Every return and granted refund that is not archived.
    pub struct Returns {
        table: Table<ReturnId, Return>,
        of_order: Table<Row, Vec<Row>>,
        refunds: Table<RefundId, GrantedRefund>,
        refunds_of_order: Table<Row, Vec<Row>>,
        /// For how many days a return is awaited that names no end, by channel; without one for all others.
        windows: Table<Option<Row>, u16>,
    }
}

impl Returns {
    /// The return under an id.
    pub fn find(&self, id: &ReturnId) -> Option<&Return> {
        self.table.find(id)
    }

    /// The row of a return.
    pub fn row(&self, id: &ReturnId) -> Option<Row> {
        self.table.row(id)
    }

    /// The return in a row.
    pub fn get(&self, row: Row) -> &Return {
        self.table.get(row)
    }

    /// The id of a row.
    pub fn id(&self, row: Row) -> &ReturnId {
        self.table.key(row)
    }

    /// Every return, in the order in which they were authorised or came blind.
    pub fn iter(&self) -> impl Iterator<Item = (Row, &ReturnId, &Return)> {
        self.table.iter()
    }

    /// The returns that name an order, oldest first.
    pub fn of_order(&self, order: Row) -> impl Iterator<Item = (&ReturnId, &Return)> {
        let rows = self.of_order.find(&order).map_or(&[][..], Vec::as_slice);
        rows.iter().map(|row| (self.table.key(*row), self.table.get(*row)))
    }

    /// The granted refund under an id.
    pub fn refund(&self, id: &RefundId) -> Option<&GrantedRefund> {
        self.refunds.find(id)
    }

    /// Every granted refund, oldest first.
    pub fn refunds(&self) -> impl Iterator<Item = (Row, &RefundId, &GrantedRefund)> {
        self.refunds.iter()
    }

    pub(super) fn add(&mut self, id: ReturnId, added: Return) -> Row {
        let order = added.order;
        let row = self.table.insert(id, added);
        let Some(order) = order else { return row };
        match self.of_order.row(&order) {
            Some(known) => self.of_order.edit(known).push(row),
            None => drop(self.of_order.insert(order, vec![row])),
        }
        row
    }

    /// Changes a return; if that brings it to another stage, it is there from now on.
    pub(super) fn change(&mut self, id: &ReturnId, now: Timestamp, change: impl FnOnce(&mut Return)) {
        let Some(row) = self.table.row(id) else { return };
        let changed = self.table.edit(row);
        let before = changed.stage();
        change(changed);
        if changed.stage() != before {
            changed.stage_since = now;
        }
    }

    /// For how many days a return of a channel's order is awaited, where that is limited.
    pub(super) fn window_days(&self, channel: Row) -> Option<u16> {
        let own = self.windows.find(&Some(channel));
        own.or_else(|| self.windows.find(&None)).copied().filter(|days| *days > 0)
    }

    pub(super) fn set_window_days(&mut self, channel: Option<Row>, days: u16) {
        self.windows.insert(channel, days);
    }

    pub(super) fn grant(&mut self, id: RefundId, refund: GrantedRefund) {
        let order = refund.order;
        let row = self.refunds.insert(id, refund);
        let Some(order) = order else { return };
        match self.refunds_of_order.row(&order) {
            Some(known) => self.refunds_of_order.edit(known).push(row),
            None => drop(self.refunds_of_order.insert(order, vec![row])),
        }
    }

    /// The ids of the refunds that were granted on an order, oldest first.
    pub fn refunds_of_order(&self, order: Row) -> impl Iterator<Item = &RefundId> {
        let rows = self.refunds_of_order.find(&order).map_or(&[][..], Vec::as_slice);
        rows.iter().map(|row| self.refunds.key(*row))
    }

    /// The order left: its returns and refunds go with it, and their ids.
    pub(crate) fn forget(&mut self, order: Row) {
        let returns = self.of_order.row(&order).map(|row| self.of_order.remove(row));
        returns.into_iter().flatten().for_each(|row| drop(self.table.remove(row)));
        let refunds = self.refunds_of_order.row(&order).map(|row| self.refunds_of_order.remove(row));
        refunds.into_iter().flatten().for_each(|row| drop(self.refunds.remove(row)));
    }
}
