//! As of an effective time: sums of movements and postings that were true by then, without the ledger.

use std::collections::BTreeMap;

use ledger_core::books::{Account, Place, Status, StatusGroup};
use ledger_core::finance::AccountTotal;
use ledger_core::values::{Amount, LocationId, Quantity, Sku, Text, Timestamp};
use ledger_core::{Decided, Event, Fact, SubjectKind};

use crate::fault::Fault;
use crate::history::{History, Recorded, Select};
use crate::index::Key;

/// What was true at a time, as far as the history that may be seen knows it.
#[derive(Clone, Copy)]
pub(crate) struct Effective<'p> {
    pub(crate) history: History<'p>,
    /// The effective time.
    pub(crate) at: Timestamp,
}

/// One item at one location, summed up. Any of it may be negative: facts may be recorded in another order than they
/// were true in.
#[derive(Debug, Clone, Default)]
pub(crate) struct EffectiveCell {
    quantities: [Quantity; Status::COUNT],
    values: [Amount; StatusGroup::COUNT],
}

impl EffectiveCell {
    /// Units in a status.
    pub(crate) fn quantity(&self, status: Status) -> Quantity {
        self.quantities[status.index()]
    }

    /// What the units of a group cost together.
    pub(crate) fn group_value(&self, group: StatusGroup) -> Amount {
        self.values[group.index()]
    }
}

impl Effective<'_> {
    /// Hands every command of the selected entries that was true by then to the reader, in the order of the log.
    pub(crate) fn each(
        &self,
        select: Select,
        mut read: impl FnMut(&Recorded, &Decided),
    ) -> Result<(), Fault> {
        let mut entries = self.history.entries(select, 0);
        while let Some(recorded) = entries.next()? {
            for decided in &recorded.entry.commands {
                if recorded.effective_at(decided) <= self.at {
                    read(&recorded, decided);
                }
            }
        }
        Ok(())
    }

    /// Stock by item and location, of one item or of all.
    pub(crate) fn cells(&self, sku: Option<&Sku>) -> Result<EffectiveCells, Fault> {
        let mut cells = EffectiveCells::new();
        let select =
            sku.map_or(Select::All, |sku| Select::Key(Key::subject(SubjectKind::Item, sku.as_str())));
        self.each(select, |_, decided| {
            for event in &decided.events {
                count_movements(event, sku, &mut cells);
            }
        })?;
        Ok(cells)
    }

    /// Both books at once: stock, and debits and credits by account. Money posts at the effective time of its fact.
    pub(crate) fn books(&self) -> Result<(EffectiveCells, EffectiveTotals), Fault> {
        let mut cells = EffectiveCells::new();
        let mut totals = [AccountTotal::default(); Account::COUNT];
        self.each(Select::All, |_, decided| {
            for event in &decided.events {
                count_movements(event, None, &mut cells);
                event.postings(&mut |posting| {
                    let total = &mut totals[posting.account.index()];
                    if posting.amount.is_negative() {
                        total.credit -= posting.amount;
                    } else {
                        total.debit += posting.amount;
                    }
                });
            }
        })?;
        Ok((cells, totals))
    }
}

/// What was at a time, by item and location.
pub(crate) type EffectiveCells = BTreeMap<(Sku, LocationId), EffectiveCell>;
/// What every account had been debited and credited at a time.
pub(crate) type EffectiveTotals = [AccountTotal; Account::COUNT];

fn count_movements(event: &Event, sku: Option<&Sku>, cells: &mut EffectiveCells) {
    event.movements(&mut |movement| {
        if sku.is_some_and(|sku| sku != movement.sku) {
            return;
        }
        let mut count = |place: &Place<'_>, quantity: Quantity, value: Amount| {
            let Place::Stock(location, status) = place else { return };
            let cell = cells.entry((movement.sku.clone(), (*location).clone())).or_default();
            cell.quantities[status.index()] += quantity;
            cell.values[status.group().index()] += value;
        };
        count(&movement.from, -movement.quantity, -movement.value());
        count(&movement.to, movement.quantity, movement.value());
    });
}
