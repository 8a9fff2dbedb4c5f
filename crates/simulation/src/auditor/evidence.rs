//! What was found beside what was wanted: an answer and its events, a ledger and the naive shop.

use std::collections::BTreeMap;

use command_api::writer::Answer;
use ledger_core::values::{Amount, LocationId, OrderId, Sku, Text};
use ledger_core::{Account, Entry, Event, Fact as _, Ledger, Place, Status};

use super::Expected;
use crate::Violation;
use crate::model::{Fact, Move, OrderState, STATUSES, Shop};

/// Whether the writer of this epoch answered what it had to.
pub(super) fn is_as_expected(expected: &Expected, answer: &Answer, epoch: u64) -> bool {
    match (expected, answer) {
        (Expected::Unavailable, Answer::Unavailable { .. }) => true,
        (Expected::Busy(code), Answer::Busy(busy)) => busy.code() == *code,
        (Expected::Conflict(code), Answer::Conflict(conflict)) => conflict.code() == *code,
        (Expected::Duplicate(wanted), Answer::Duplicate { accepted }) => {
            let found = accepted.iter().map(|(id, sequence)| (id.as_str(), *sequence));
            found.eq(wanted.iter().map(|(id, sequence)| (id.as_str(), *sequence)))
        }
        (Expected::Rejected { sequence, code }, Answer::Rejected { position, rejection }) => {
            (position.epoch, position.sequence) == (epoch, *sequence) && rejection.code() == *code
        }
        (Expected::WouldBeAccepted { sequence, facts }, Answer::WouldBeAccepted { position, entry })
        | (Expected::Accepted { sequence, facts }, Answer::Accepted { position, entry }) => {
            (position.epoch, position.sequence) == (epoch, *sequence) && facts_of(entry) == *facts
        }
        _ => false,
    }
}

/// The facts of an entry, in the auditor's terms.
pub(super) fn facts_of(entry: &Entry) -> Vec<Fact> {
    entry.events().map(fact_of).collect()
}

fn fact_of(event: &Event) -> Fact {
    let mut fact = Fact::new(event.name());
    event.movements(&mut |movement| {
        fact.moves.push(Move {
            sku: movement.sku.to_string(),
            from: place(&movement.from),
            to: place(&movement.to),
            units: movement.quantity.units(),
            value: movement.value().minor_units(),
        });
    });
    event.postings(&mut |posting| {
        if !posting.amount.is_zero() {
            fact.post(posting.account.as_str(), posting.amount.minor_units());
        }
    });
    fact
}

fn place(place: &Place<'_>) -> String {
    match place {
        Place::Stock(location, status) => format!("{status}@{location}"),
        Place::World(world) => world.to_string(),
    }
}

/// Whether the ledger says what the naive shop says: every bucket, balance, open item and order.
pub(crate) fn agrees_with(shop: &Shop, ledger: &Ledger) -> Result<(), Violation> {
    ledger_core::finance::check(ledger)
        .map_err(|what| Violation(format!("the books do not tie out: {what}")))?;
    stock_agrees(shop, ledger)?;
    money_agrees(shop, ledger)?;
    orders_agree(shop, ledger)?;
    dues_agree(shop, ledger)
}

/// What will fall due, in which order, and under which id.
fn dues_agree(shop: &Shop, ledger: &Ledger) -> Result<(), Violation> {
    let found: Vec<_> = ledger.dues().map(|due| (due.at.micros(), due.id.to_string())).collect();
    let wanted: Vec<_> = shop.dues().iter().map(|due| (due.at, due.id())).collect();
    if found == wanted { Ok(()) } else { Err(format!("falls due: {found:?}\nwanted {wanted:?}").into()) }
}

fn stock_agrees(shop: &Shop, ledger: &Ledger) -> Result<(), Violation> {
    let mut found: BTreeMap<(&str, &str, &str), i64> = BTreeMap::new();
    for (item, location, cell) in ledger.stock().cells() {
        let (sku, location) = (ledger.items().sku(item).as_str(), ledger.locations().id(location).as_str());
        for status in Status::ALL {
            found.insert((sku, location, status.as_str()), cell.quantity(*status).units());
        }
    }
    found.retain(|_, units| *units != 0);
    let wanted: BTreeMap<(&str, &str, &str), i64> = shop
        .stock
        .units
        .iter()
        .filter(|(_, units)| **units != 0)
        .map(|((sku, location, status), units)| ((sku.as_str(), location.as_str(), *status), *units))
        .collect();
    if found != wanted {
        return Err(format!("the stock book holds {found:?}\nwanted {wanted:?}").into());
    }
    debug_assert_eq!(STATUSES.len(), Status::ALL.len());
    let known = |sku: &str| Sku::try_new(sku).ok().and_then(|sku| ledger.items().row(&sku)).is_some();
    let at = |id: &str| LocationId::try_new(id).ok().and_then(|id| ledger.locations().row(&id)).is_some();
    match wanted.keys().find(|(sku, location, _)| !known(sku) || !at(location)) {
        Some(cell) => Err(format!("{cell:?} holds units of what is not defined").into()),
        None => Ok(()),
    }
}

fn money_agrees(shop: &Shop, ledger: &Ledger) -> Result<(), Violation> {
    for account in Account::ALL {
        let found = ledger.finance().total(*account).balance().minor_units();
        let wanted = shop.money.balances.get(account.as_str()).copied().unwrap_or_default();
        if found != wanted {
            return Err(format!("account {account} has a balance of {found}, wanted {wanted}").into());
        }
    }
    for (account, open, sign) in [
        (Account::Receivable, &shop.money.receivable, 1),
        (Account::CustomerDeposits, &shop.money.deposits, -1),
        (Account::RefundsPayable, &shop.money.claims, -1),
    ] {
        let minor = |(document, amount): (&str, Amount)| (document.to_owned(), sign * amount.minor_units());
        let found: BTreeMap<String, i64> = ledger.finance().open_items(account).map(minor).collect();
        if found != *open {
            return Err(format!("account {account} is open on {found:?}, wanted {open:?}").into());
        }
    }
    Ok(())
}

fn orders_agree(shop: &Shop, ledger: &Ledger) -> Result<(), Violation> {
    if ledger.orders().iter().count() != shop.orders.len() {
        return Err(Violation(format!(
            "{} orders, wanted {}",
            ledger.orders().iter().count(),
            shop.orders.len()
        )));
    }
    for (id, wanted) in &shop.orders {
        let found = OrderId::try_new(id).ok().and_then(|id| ledger.orders().find(&id));
        let Some(found) = found else { return Err(format!("order {id} is not there").into()) };
        let state = match wanted.state {
            OrderState::Captured => "captured",
            OrderState::Released => "released",
            OrderState::InFulfilment => "in_fulfilment",
            OrderState::Completed => "completed",
            OrderState::Closed => "closed",
            OrderState::Cancelled => "cancelled",
        };
        let units = |line: &ledger_core::orders::OrderLine| {
            [
                line.open(),
                line.backordered(),
                line.claimed(),
                line.shipped(),
                line.delivered(),
                line.cancelled(),
                line.returned(),
            ]
            .map(ledger_core::values::Quantity::units)
        };
        let wanted_units = wanted.lines.iter().map(|line| {
            let claimed = line.before_shipped() - line.open - line.backordered;
            [
                line.open,
                line.backordered,
                claimed,
                line.shipped,
                line.delivered,
                line.cancelled,
                line.returned,
            ]
        });
        let holds = found.holds.iter().map(|hold| hold.reason.as_str());
        let same = found.state.as_str() == state
            && found.lines.iter().map(units).eq(wanted_units)
            && holds.eq(wanted.holds.iter().map(|hold| hold.reason.as_str()));
        if !same {
            return Err(format!("order {id}: found {found:?}\nwanted {wanted:?}").into());
        }
    }
    Ok(())
}
