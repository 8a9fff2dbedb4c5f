//! What may be given back of an order: never more than was invoiced for what left us, or paid for what never will.
//!
//! Units that left us are counted from the front of a line, as its invoices count them; cancelled units from its back.
//! So both run over their own part of the line by the part rule, and refunds of all units sum to what was invoiced and
//! what was not. Each tax is given back to the penny that was invoiced.

use crate::books::Account;
use crate::finance;
use crate::ledger::Ledger;
use crate::orders::{LineTax, OrderCharge, OrderLine, OrderState};
use crate::state::Row;
use crate::values::{Amount, Cumulated, NonNegativeAmount, Quantity, Text, part_of, proportion, shares};

/// What is granted for a line or charge.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Granted {
    /// Units that left us.
    pub shipped_units: Quantity,
    /// For what was invoiced, without tax.
    pub net: Amount,
    /// For what was invoiced: every tax of the line, in its order.
    pub taxes: Vec<LineTax>,
    /// Units that never left.
    pub cancelled_units: Quantity,
    /// For what was paid and never invoiced.
    pub from_deposit: Amount,
}

/// Why it cannot be granted: what can, in units or in money.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Excess {
    /// So many units can be refunded.
    Units(Quantity),
    /// So much can be refunded, and so much was wanted.
    Amount { refundable: Amount, wanted: Amount },
}

/// What a refund asks for of a line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    /// Units; none for an allowance on goods that left us.
    pub units: Quantity,
    /// With tax; what the units were sold for when absent.
    pub amount: Option<Amount>,
    /// The units are coming back, so they left us.
    pub shipped_only: bool,
}

/// What was paid for an order over all that it is invoiced and will be.
pub(super) fn overpaid(ledger: &Ledger, order: Row) -> Amount {
    let document = ledger.orders.id(order).as_str();
    let deposit = -finance::open_balance(ledger, Account::CustomerDeposits, document);
    let order = ledger.orders.get(order);
    let to_be_invoiced = (order.payable() - order.invoiced).max(Amount::ZERO);
    (deposit - to_be_invoiced).max(Amount::ZERO)
}

/// What is granted for a line. `deposit` is what of the order's deposit is free to be given back.
pub(super) fn of_line(line: &OrderLine, wanted: Wanted, deposit: Amount) -> Result<Granted, Excess> {
    let shipped_left = line.left_us() - line.refunds().shipped_units;
    let cancelled_left =
        if wanted.shipped_only { Quantity::ZERO } else { line.cancelled() - line.refunds().cancelled_units };
    if wanted.units > shipped_left + cancelled_left {
        return Err(Excess::Units(shipped_left + cancelled_left));
    }
    let mut cancelled_units = wanted.units.min(cancelled_left);
    if worth_of_cancelled(line, cancelled_units) > deposit && wanted.units <= shipped_left {
        cancelled_units = Quantity::ZERO;
    }
    let shipped_units = wanted.units - cancelled_units;
    let (usual, left) = (usual_components(line, shipped_units), components_left(line));
    let usual_from_deposit = worth_of_cancelled(line, cancelled_units);
    let sum = |components: &[Amount]| components.iter().copied().sum::<Amount>();
    let wanted_amount = wanted.amount.unwrap_or(usual_from_deposit + sum(&usual));
    let has_shipped = shipped_units.is_positive() || wanted.units.is_zero();
    let from_deposit = if has_shipped { wanted_amount.min(usual_from_deposit) } else { wanted_amount };
    let deposit_limit =
        if cancelled_units.is_positive() { deposit.min(deposit_left(line)) } else { Amount::ZERO };
    let invoiced = wanted_amount - from_deposit;
    let shipped_limit = if has_shipped { sum(&left) } else { Amount::ZERO };
    if from_deposit > deposit_limit || invoiced > shipped_limit {
        return Err(Excess::Amount { refundable: deposit_limit + shipped_limit, wanted: wanted_amount });
    }
    let components = if wanted.amount.is_none() { usual } else { split(invoiced, &left) };
    let (net, taxes) = named(line, &components);
    Ok(Granted { shipped_units, net, taxes, cancelled_units, from_deposit })
}

/// What is granted for a charge, with tax.
pub(super) fn of_charge(
    charge: &OrderCharge,
    state: OrderState,
    wanted: Amount,
    deposit: Amount,
) -> Result<Granted, Excess> {
    let left = charge.total() - charge.refunded;
    let refundable = match (charge.invoiced, state) {
        (true, _) => left,
        (false, OrderState::Cancelled) => left.min(deposit),
        (
            false,
            OrderState::Captured
            | OrderState::Released
            | OrderState::InFulfilment
            | OrderState::Completed
            | OrderState::Closed,
        ) => Amount::ZERO,
    };
    if wanted > refundable {
        return Err(Excess::Amount { refundable, wanted });
    }
    if !charge.invoiced {
        return Ok(Granted { from_deposit: wanted, ..Granted::default() });
    }
    let taxes: Vec<LineTax> = charge
        .taxes
        .iter()
        .map(|tax| {
            let upto = |refunded| share(tax.amount.get(), refunded, charge.total());
            tax_of(tax, upto(charge.refunded + wanted) - upto(charge.refunded))
        })
        .collect();
    let net = wanted - taxes.iter().map(|tax| tax.amount.get()).sum();
    Ok(Granted { net, taxes, ..Granted::default() })
}

fn share(whole: Amount, part: Amount, of: Amount) -> Amount {
    let [whole, part, of] = [whole, part, of].map(|amount| i128::from(amount.minor_units()));
    proportion(whole, part, of).unwrap_or(Amount::ZERO)
}

/// Net and taxes of a part of a line.
fn components(line: &OrderLine, before: Quantity, part: Quantity) -> Vec<Amount> {
    let units = Cumulated { before, part, whole: line.ordered };
    let net = part_of(line.gross, units) - part_of(line.discount, units);
    let taxes = line.taxes.iter().map(|tax| part_of(tax.amount.get(), units));
    std::iter::once(net).chain(taxes).collect()
}

/// What was invoiced of a line and not given back, by net and tax.
fn components_left(line: &OrderLine) -> Vec<Amount> {
    let invoiced = components(line, Quantity::ZERO, line.left_us());
    let granted_taxes = line.refunds().taxes.iter().copied().chain(std::iter::repeat(Amount::ZERO));
    let granted = std::iter::once(line.refunds().net).chain(granted_taxes);
    invoiced.into_iter().zip(granted).map(|(invoiced, granted)| invoiced - granted).collect()
}

/// What the next units that left us were sold for, if that is left.
fn usual_components(line: &OrderLine, units: Quantity) -> Vec<Amount> {
    let usual = components(line, line.refunds().shipped_units, units);
    usual.into_iter().zip(components_left(line)).map(|(usual, left)| usual.min(left)).collect()
}

/// What the next cancelled units would have been sold for, if that is left.
fn worth_of_cancelled(line: &OrderLine, units: Quantity) -> Amount {
    let behind = line.refunds().cancelled_units;
    let worth = components(line, line.ordered - behind - units, units).into_iter().sum::<Amount>();
    worth.min(deposit_left(line))
}

/// What all cancelled units of a line would have been sold for, and was not given back.
fn deposit_left(line: &OrderLine) -> Amount {
    let worth =
        components(line, line.ordered - line.cancelled(), line.cancelled()).into_iter().sum::<Amount>();
    worth - line.refunds().from_deposit
}

/// Splits an amount over what is left of each component, so that none gives more than it has.
fn split(amount: Amount, left: &[Amount]) -> Vec<Amount> {
    let weights: Vec<i64> = left.iter().map(|left| left.minor_units()).collect();
    shares(amount, &weights)
}

fn named(line: &OrderLine, components: &[Amount]) -> (Amount, Vec<LineTax>) {
    let net = components.first().copied().unwrap_or(Amount::ZERO);
    let taxes = line.taxes.iter().zip(components.iter().skip(1)).map(|(tax, amount)| tax_of(tax, *amount));
    (net, taxes.collect())
}

fn tax_of(tax: &LineTax, amount: Amount) -> LineTax {
    let amount = NonNegativeAmount::try_new(amount).unwrap_or_default();
    LineTax { jurisdiction: tax.jurisdiction.clone(), amount }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::orders::{Bucket, PlacedLine};
    use crate::scenario::given_an_order;
    use crate::values::{Jurisdiction, OrderId, Price, Sku, Text};
    use proptest::prelude::*;

    fn amount(minor_units: i64) -> Amount {
        Amount::try_new(minor_units).unwrap()
    }

    fn units(units: i64) -> Quantity {
        Quantity::try_new(units).unwrap()
    }

    /// A line of which so many units were shipped and the rest cancelled.
    fn line(ordered: i64, shipped: i64, gross: i64, discount: i64, taxes: &[i64]) -> OrderLine {
        let order = given_an_order("web", 3).ledger;
        let item = order.orders().find(&OrderId::try_new("o1").unwrap()).unwrap().lines[0].item;
        let taxes = taxes.iter().map(|tax| LineTax {
            jurisdiction: Jurisdiction::try_new("NL").unwrap(),
            amount: NonNegativeAmount::try_new(amount(*tax)).unwrap(),
        });
        let placed = PlacedLine {
            line: 1,
            sku: Sku::try_new("TEA-01").unwrap(),
            quantity: units(ordered),
            price: Price::ZERO,
            gross: amount(gross),
            discount: amount(discount),
            taxes: taxes.collect(),
        };
        let mut line = OrderLine::placed(&placed, item);
        line.move_units((Bucket::Open, Bucket::Shipped), units(shipped));
        line.move_units((Bucket::Open, Bucket::Cancelled), units(ordered - shipped));
        line
    }

    fn count(line: &mut OrderLine, granted: &Granted) {
        let taxes = line.taxes.len();
        let refunds = &mut line.after_sale_mut().refunds;
        refunds.shipped_units += granted.shipped_units;
        refunds.cancelled_units += granted.cancelled_units;
        refunds.net += granted.net;
        refunds.from_deposit += granted.from_deposit;
        refunds.taxes.resize(taxes, Amount::ZERO);
        for (sum, tax) in refunds.taxes.iter_mut().zip(&granted.taxes) {
            *sum += tax.amount.get();
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn refunds_of_all_units_sum_to_the_line_whatever_their_parts_and_amounts(
            ordered in 1i64..40, share in 0i64..=100, gross in 0i64..100_000, off in 0i64..=100,
            taxes in proptest::collection::vec(0i64..10_000, 0..3),
            parts in proptest::collection::vec((1i64..6, proptest::option::of(0i64..=100), any::<bool>()), 0..40),
        ) {
            let shipped = ordered * share / 100;
            let mut line = line(ordered, shipped, gross, gross * off / 100, &taxes);
            let deposit = deposit_left(&line);
            let invoiced = components_left(&line);
            let whole = [(ordered, None, false); 40];
            for (part, percent, shipped_only) in parts.into_iter().chain(whole) {
                let left = line.ordered - line.refunds().units();
                let open = line.left_us() - line.refunds().shipped_units;
                let part = units(part).min(if shipped_only { open } else { left });
                if part.is_zero() {
                    continue;
                }
                let usual = Wanted { units: part, amount: None, shipped_only };
                let free = deposit - line.refunds().from_deposit;
                let granted = of_line(&line, usual, free).unwrap();
                let granted = match percent {
                    None => granted,
                    Some(percent) => {
                        let all = granted.net + granted.from_deposit
                            + granted.taxes.iter().map(|tax| tax.amount.get()).sum();
                        let some = amount(all.minor_units().max(0) * percent / 100);
                        of_line(&line, Wanted { amount: Some(some), ..usual }, free).unwrap()
                    }
                };
                count(&mut line, &granted);
                prop_assert!(components_left(&line).iter().all(|left| !left.is_negative()));
                prop_assert!(line.refunds().from_deposit <= deposit);
            }
            prop_assert_eq!(line.refunds().units(), line.ordered);
            let rest: Amount = components_left(&line).into_iter().sum();
            if rest.is_positive() && shipped > 0 {
                let rest = Wanted { units: Quantity::ZERO, amount: Some(rest), shipped_only: true };
                let granted = of_line(&line, rest, Amount::ZERO).unwrap();
                count(&mut line, &granted);
            }
            let granted: Vec<Amount> = std::iter::once(line.refunds().net).chain(line.refunds().taxes.clone()).collect();
            prop_assert_eq!(granted, invoiced);
        }
    }
}
