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

/// What the subledgers of the control accounts sum to: walked, or kept while facts are applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Subledgers {
    on_hand: Amount,
    in_transit: Amount,
    clearing: Amount,
    bank: Amount,
    receivable: Amount,
    deposits: Amount,
    refunds: Amount,
}

impl Subledgers {
    fn walked(ledger: &Ledger) -> Self {
        let pools = |counts: fn(StatusGroup) -> bool| {
            let groups = move || StatusGroup::ALL.iter().copied().filter(move |group| counts(*group));
            let cells = ledger.stock.cells();
            cells.flat_map(|(_, _, cell)| groups().map(|group| cell.group_value(group))).sum()
        };
        let open = |account| ledger.finance.open_items(account).map(|(_, amount)| amount).sum();
        Subledgers {
            on_hand: pools(StatusGroup::is_on_hand),
            in_transit: pools(|group| !group.is_on_hand()),
            clearing: ledger.payments.balance(Account::ChannelClearing),
            bank: ledger.payments.balance(Account::Bank),
            receivable: open(Account::Receivable),
            deposits: open(Account::CustomerDeposits),
            refunds: open(Account::RefundsPayable),
        }
    }

    fn kept(ledger: &Ledger) -> Self {
        let on_hand = StatusGroup::ALL.iter().filter(|group| group.is_on_hand());
        Subledgers {
            on_hand: on_hand.map(|group| ledger.stock.value_of_all(*group)).sum(),
            in_transit: ledger.stock.value_of_all(StatusGroup::InTransit),
            clearing: ledger.payments.total(Account::ChannelClearing),
            bank: ledger.payments.total(Account::Bank),
            receivable: ledger.finance.open_total(Account::Receivable),
            deposits: ledger.finance.open_total(Account::CustomerDeposits),
            refunds: ledger.finance.open_total(Account::RefundsPayable),
        }
    }

    fn tie_outs(self, ledger: &Ledger) -> [TieOut; 8] {
        let of = |name, account, subledger| {
            let book = ledger.finance.total(account).balance();
            TieOut { name, account, book, subledger, difference: book - subledger }
        };
        let and_manual =
            |name, account, subledger: Amount| of(name, account, subledger + ledger.finance.manual(account));
        [
            of("inventory = cost pools", Account::Inventory, self.on_hand),
            of("inventory in transit = cost pools", Account::InventoryInTransit, self.in_transit),
            of("goods in delivery = nothing", Account::GoodsInDelivery, Amount::ZERO),
            and_manual("channel clearing = payments", Account::ChannelClearing, self.clearing),
            and_manual("bank = payments", Account::Bank, self.bank),
            and_manual("receivable = orders not paid", Account::Receivable, self.receivable),
            and_manual("deposits = orders paid and not invoiced", Account::CustomerDeposits, self.deposits),
            and_manual(
                "refunds payable = refunds granted and not paid",
                Account::RefundsPayable,
                self.refunds,
            ),
        ]
    }
}

/// Every control account beside its subledger, which is walked line by line.
pub fn tie_outs(ledger: &Ledger) -> Vec<TieOut> {
    Subledgers::walked(ledger).tie_outs(ledger).to_vec()
}

/// Checks the control accounts against totals of their subledgers that are kept while facts are applied: cheap enough
/// to be asked after every entry. The first that is broken is the error.
pub fn check_totals(ledger: &Ledger) -> Result<(), String> {
    none_is_broken(&Subledgers::kept(ledger).tie_outs(ledger))
}

fn none_is_broken(tie_outs: &[TieOut]) -> Result<(), String> {
    let Some(broken) = tie_outs.iter().find(|tie_out| !tie_out.difference.is_zero()) else { return Ok(()) };
    let TieOut { name, account, book, subledger, .. } = broken;
    Err(format!("{name}: account {account} says {book}, its subledger {subledger}"))
}

/// Checks every tie-out; the first that is broken is the error.
pub fn check(ledger: &Ledger) -> Result<(), String> {
    debits_equal_credits(ledger)?;
    let walked = Subledgers::walked(ledger);
    none_is_broken(&walked.tie_outs(ledger))?;
    let kept = Subledgers::kept(ledger);
    if kept != walked {
        return Err(format!("subledgers sum to {walked:?}, their totals were kept as {kept:?}"));
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
    for (_, _, order) in ledger.orders.iter() {
        for (line, at) in order.lines.iter().flat_map(|line| line.at().map(move |at| (line, at))) {
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
    use super::{check, check_totals, tie_outs};
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
        assert_eq!(check_totals(&shop.ledger), check(&shop.ledger));
    }

    #[test]
    fn a_claim_without_its_stock_is_found_and_named() {
        let mut shop = a_busy_shop();
        let (row, ..) = shop.ledger.stock.reservations.iter().next().unwrap();
        shop.ledger.stock.reservations.remove(row);
        assert!(check(&shop.ledger).unwrap_err().contains("TEA-01 at AMS1: [2, 0, 0] reserved"));
    }
}
