//! Tie-outs: what one book says of another, each difference zero at every sequence.
//!
//! | checked | against |
//! |---|---|
//! | all debits | all credits |
//! | 1400, 1410 inventory | the cost pools, and those their FIFO layers; no units, no value |
//! | 1420 goods in delivery | nothing, while revenue is recognised at shipment |
//! | 1110 channel clearing, 1000 bank | payments captured less refunds paid, and manual postings |
//! | 1100 receivable, 2300 deposits, 2310 refunds payable | their open documents and manual postings |
//! | open items of 2310 refunds payable | refunds granted less refunds paid |
//! | units of an item in every bucket | what came from and went to the outside worlds |
//! | every bucket | zero or more |
//! | reserved, picked and packed units, by item and location | what order lines and reservations claim |
//! | the buckets of an order line | what was ordered |

use std::collections::BTreeMap;

use crate::books::{Account, Status, StatusGroup, World};
use crate::items::Costing;
use crate::ledger::Ledger;
use crate::payments::Direction;
use crate::state::Row;
use crate::values::{Amount, Quantity};

/// A control account beside what it controls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TieOut {
    /// What is compared.
    pub name: &'static str,
    /// The control account.
    pub account: Account,
    /// Its debits less its credits.
    pub book: Amount,
    /// What its subledger sums to, with the sign of a debit.
    pub subledger: Amount,
    /// Book less subledger: zero, or something is wrong.
    pub difference: Amount,
}

/// Every control account beside its subledger.
pub fn tie_outs(ledger: &Ledger) -> Vec<TieOut> {
    let of = |name, account, subledger| {
        let book = ledger.finance.total(account).balance();
        TieOut { name, account, book, subledger, difference: book - subledger }
    };
    let manual = |account| ledger.finance.manual(account);
    let open = |account| ledger.finance.open_items(account).map(|(_, amount)| amount).sum::<Amount>();
    let payments = |name, account| of(name, account, ledger.payments.balance(account) + manual(account));
    let documents = |name, account| of(name, account, open(account) + manual(account));
    vec![
        of("inventory = cost pools", Account::Inventory, pools(ledger, StatusGroup::is_on_hand)),
        of(
            "inventory in transit = cost pools",
            Account::InventoryInTransit,
            pools(ledger, |group| !group.is_on_hand()),
        ),
        of("goods in delivery = nothing", Account::GoodsInDelivery, Amount::ZERO),
        payments("channel clearing = payments", Account::ChannelClearing),
        payments("bank = payments", Account::Bank),
        documents("receivable = orders not paid", Account::Receivable),
        documents("deposits = orders paid and not invoiced", Account::CustomerDeposits),
        documents("refunds payable = refunds granted and not paid", Account::RefundsPayable),
    ]
}

fn pools(ledger: &Ledger, counts: fn(StatusGroup) -> bool) -> Amount {
    let groups = || StatusGroup::ALL.iter().copied().filter(|group| counts(*group));
    ledger.stock.cells().flat_map(|(_, _, cell)| groups().map(|group| cell.group_value(group))).sum()
}

/// Checks every tie-out; the first that is broken is the error.
pub fn check(ledger: &Ledger) -> Result<(), String> {
    debits_equal_credits(ledger)?;
    if let Some(broken) = tie_outs(ledger).into_iter().find(|tie_out| !tie_out.difference.is_zero()) {
        let TieOut { name, account, book, subledger, .. } = broken;
        return Err(format!("{name}: account {account} says {book}, its subledger {subledger}"));
    }
    open_refunds_are_granted_less_paid(ledger)?;
    pools_equal_their_layers(ledger)?;
    units_are_conserved(ledger)?;
    claims_equal_claimed_stock(ledger)?;
    order_lines_sum_to_what_was_ordered(ledger)
}

fn debits_equal_credits(ledger: &Ledger) -> Result<(), String> {
    let balance: Amount = Account::ALL.iter().map(|account| ledger.finance.total(*account).balance()).sum();
    if balance.is_zero() { Ok(()) } else { Err(format!("debits and credits are {balance} apart")) }
}

/// The open items of 2310 come from the lines that make its balance; granted and paid refunds are counted elsewhere.
fn open_refunds_are_granted_less_paid(ledger: &Ledger) -> Result<(), String> {
    let granted: Amount = ledger.returns.refunds().map(|(.., refund)| refund.claim).sum();
    let payments = ledger.payments.iter().map(|(.., payment)| payment);
    let paid: Amount = payments
        .filter(|payment| payment.direction == Direction::Refunded)
        .map(|payment| payment.amount)
        .sum();
    let open: Amount = ledger.finance.open_items(Account::RefundsPayable).map(|(_, amount)| -amount).sum();
    if open == granted - paid {
        Ok(())
    } else {
        Err(format!("{granted} of refunds granted less {paid} paid, but {open} open on 2310"))
    }
}

fn pools_equal_their_layers(ledger: &Ledger) -> Result<(), String> {
    for (item, location, cell) in ledger.stock.cells() {
        for group in StatusGroup::ALL.iter().copied() {
            let (units, value) = (cell.group_quantity(group), cell.group_value(group));
            let pool = || format!("{} at {}, {group}", ledger.items.sku(item), ledger.locations.id(location));
            if value.is_negative() || (units.is_zero() && !value.is_zero()) {
                return Err(format!("{}: {units} units are worth {value}", pool()));
            }
            if ledger.items.get(item).costing != Costing::Fifo {
                continue;
            }
            let layers = || ledger.stock.layers(item, location, group);
            let in_layers =
                (layers().map(|part| part.quantity).sum::<Quantity>(), layers().map(|part| part.value).sum());
            if in_layers != (units, value) {
                let (layer_units, layer_value) = in_layers;
                return Err(format!(
                    "{}: {units} units worth {value}, in layers {layer_units} worth {layer_value}",
                    pool()
                ));
            }
        }
    }
    Ok(())
}

fn units_are_conserved(ledger: &Ledger) -> Result<(), String> {
    let mut inside: BTreeMap<Row, i64> = BTreeMap::new();
    for (item, location, cell) in ledger.stock.cells() {
        for status in Status::ALL.iter().copied() {
            let units = cell.quantity(status);
            if units.is_negative() {
                let (sku, at) = (ledger.items.sku(item), ledger.locations.id(location));
                return Err(format!("{sku} at {at} has {units} {status}"));
            }
            *inside.entry(item).or_default() += units.units();
        }
    }
    for (item, sku, _) in ledger.items.iter() {
        let held = inside.get(&item).copied().unwrap_or_default();
        let known = ledger.stock.item(item);
        let outside: i64 =
            World::ALL.iter().map(|world| known.map_or(0, |known| known.in_world(*world))).sum();
        if held + outside != 0 {
            return Err(format!("{sku}: {held} units inside, {outside} outside, and the sum is not zero"));
        }
    }
    Ok(())
}

/// Units claimed by item and location: reserved, picked, packed.
type Claims = BTreeMap<(Row, Row), [Quantity; 3]>;

fn claims_equal_claimed_stock(ledger: &Ledger) -> Result<(), String> {
    let mut claims = Claims::new();
    for (_, _, reservation) in ledger.stock.reservations().iter() {
        claims.entry((reservation.item, reservation.location)).or_default()[0] += reservation.quantity;
    }
    for line in ledger.orders.iter().flat_map(|(_, _, order)| &order.lines) {
        for at in line.at() {
            let claimed = claims.entry((line.item, at.location)).or_default();
            claimed[0] += at.reserved;
            claimed[1] += at.picked;
            claimed[2] += at.packed;
        }
    }
    for (item, location, cell) in ledger.stock.cells() {
        let stock = [Status::Reserved, Status::Picked, Status::Packed].map(|status| cell.quantity(status));
        let claimed = claims.remove(&(item, location)).unwrap_or_default();
        if stock != claimed {
            let (sku, at) = (ledger.items.sku(item), ledger.locations.id(location));
            return Err(format!("{sku} at {at}: {stock:?} reserved, picked and packed, {claimed:?} claimed"));
        }
    }
    match claims.into_iter().find(|(_, claimed)| *claimed != [Quantity::ZERO; 3]) {
        Some(((item, _), claimed)) => {
            Err(format!("{}: {claimed:?} claimed where there never was stock", ledger.items.sku(item)))
        }
        None => Ok(()),
    }
}

fn order_lines_sum_to_what_was_ordered(ledger: &Ledger) -> Result<(), String> {
    for (_, id, order) in ledger.orders.iter() {
        for line in &order.lines {
            let (sum, ordered) = (line.sum_of_buckets(), line.ordered);
            if sum != ordered {
                return Err(format!(
                    "order {id} line {}: {ordered} ordered, {sum} in its buckets",
                    line.number
                ));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{check, tie_outs};
    use crate::books::{Account, Posting};
    use crate::scenario::{Scenario, given_a_shop};
    use crate::values::Amount;
    use serde_json::json;

    fn a_busy_shop() -> Scenario {
        given_a_shop()
            .and(
                "stock.receive",
                json!({"sku": "TEA-01", "location": "AMS1", "quantity": 3, "unit_cost": "9.99"}),
            )
            .and(
                "stock.receive",
                json!({"sku": "AVG-01", "location": "BER1", "quantity": 7, "unit_cost": "0.333"}),
            )
            .and("stock.reserve", json!({"sku": "TEA-01", "location": "AMS1", "quantity": 2}))
            .and(
                "stock.adjust",
                json!({"sku": "AVG-01", "location": "BER1", "change": -3, "reason": "count"}),
            )
    }

    #[test]
    fn every_book_of_a_busy_shop_ties_out() {
        let shop = a_busy_shop();
        assert_eq!(check(&shop.ledger), Ok(()));
        let inventory = tie_outs(&shop.ledger)[0];
        assert_eq!((inventory.account, inventory.book), (Account::Inventory, inventory.subledger));
        assert_eq!(inventory.book.to_string(), "31.30");
    }

    #[test]
    fn money_without_its_stock_is_found_and_named() {
        let mut shop = a_busy_shop();
        let cent = Amount::try_new(1).unwrap();
        shop.ledger.finance.post(&Posting::debit(Account::Inventory, cent)).unwrap();
        assert!(check(&shop.ledger).unwrap_err().contains("debits and credits are 0.01 apart"));
        shop.ledger.finance.post(&Posting::credit(Account::Shrinkage, cent)).unwrap();
        assert!(check(&shop.ledger).unwrap_err().contains("account 1400 says 31.31, its subledger 31.30"));
    }

    #[test]
    fn a_claim_without_its_stock_is_found_and_named() {
        let mut shop = a_busy_shop();
        let (row, ..) = shop.ledger.stock.reservations.iter().next().unwrap();
        shop.ledger.stock.reservations.remove(row);
        assert!(check(&shop.ledger).unwrap_err().contains("TEA-01 at AMS1: [2, 0, 0] reserved"));
    }
}
