//! Random commands after the sale: goods come back and find their way, refunds are granted and paid.

use ledger_core::Account;
use ledger_core::finance;
use ledger_core::orders::Order;
use ledger_core::returns::{Grade, Return, ReturnLine, ReturnStage};
use ledger_core::state::Reading;
use ledger_core::values::{Amount, Quantity};
use serde_json::{Value, json};

use crate::commands::{one_of, with};
use crate::world::{CHANNELS, LOCATIONS, SKUS, World};

type Named = (&'static str, Value);

/// The next sensible thing for a return, a new return, a refund or its payment.
pub(crate) fn after_sale(world: &World, what: u8, which: u8, twist: u8) -> Vec<Named> {
    match what {
        0 | 10 | 11 => authorise(world, which, twist),
        1 => vec![blind(world, which, twist)],
        2..=6 => next_of_return(world, which, twist),
        7 | 8 => refund(world, which, twist),
        _ => pay_back(world, which, twist),
    }
}

fn line_that(
    world: &World,
    which: u8,
    fits: fn(&Order, usize) -> bool,
) -> Option<(String, Reading<'_, Order>, usize)> {
    let orders = world.ledger.orders();
    let lines = orders.iter().flat_map(|(row, _, order)| (0..order.lines.len()).map(move |at| (row, at)));
    let all: Vec<_> = lines.filter(|(row, at)| fits(&orders.get(*row), *at)).collect();
    one_of(&all, which).map(|(row, at)| (orders.id(*row).to_string(), orders.get(*row), *at))
}

fn authorise(world: &World, which: u8, twist: u8) -> Vec<Named> {
    let left_us = |order: &Order, at: usize| {
        let line = &order.lines[at];
        line.shipped() + line.delivered() > line.returned() + line.return_authorised()
    };
    let any: fn(&Order, usize) -> bool = |_, _| true;
    let fits = if twist > 230 { any } else { left_us };
    let Some((order, found, at)) = line_that(world, which, fits) else { return Vec::new() };
    let id = format!("r{}", world.log.len());
    let quantity = 1 + twist % 2;
    let line = json!({"line": found.lines[at].number, "quantity": quantity});
    let mut body = json!({"return": id, "order": order, "lines": [line], "reason": "random"});
    if !twist.is_multiple_of(4) {
        let half_hours = i64::from(1 + twist % 4);
        body["expires_at"] = json!(world.now().plus_micros(half_hours * 1_800_000_000));
    }
    vec![("returns.authorise", body)]
}

fn blind(world: &World, which: u8, twist: u8) -> Named {
    let id = format!("r{}", world.log.len());
    let line = json!({"sku": SKUS[usize::from(which) % 3], "quantity": 1 + twist % 4, "unit_cost": "1.234"});
    let body = json!({"return": id, "location": LOCATIONS[usize::from(twist) % 2], "lines": [line]});
    ("returns.receive", body)
}

fn next_of_return(world: &World, which: u8, twist: u8) -> Vec<Named> {
    let open: Vec<_> =
        world.ledger.returns().iter().filter(|(_, _, found)| found.stage() != ReturnStage::Closed).collect();
    let Some((_, id, found)) = one_of(&open, which) else { return Vec::new() };
    let alone = json!({"return": id});
    let next = match found.stage() {
        ReturnStage::Authorised | ReturnStage::Dispositioned | ReturnStage::Closed | ReturnStage::Expired => {
            receive(world, found, twist).map(|fields| ("returns.receive", fields))
        }
        ReturnStage::Received => inspect(found, twist).map(|fields| ("returns.inspect", fields)),
        ReturnStage::Inspected => disposition(found, twist).map(|fields| ("returns.disposition", fields)),
    };
    next.into_iter().map(|(name, fields)| (name, with(alone.clone(), fields))).collect()
}

/// All of it mostly, some of it now and then, one too many rarely.
fn some(units: Quantity, twist: u8) -> i64 {
    match twist % 8 {
        0 | 1 => 1,
        7 if twist > 200 => units.units() + 1,
        _ => units.units(),
    }
}

fn receive(world: &World, found: &Return, twist: u8) -> Option<Value> {
    let line = found.lines.iter().find(|line| line.awaited().is_positive())?;
    let first = found.location.map(|at| world.ledger.locations().id(at).to_string());
    let location = first.unwrap_or_else(|| LOCATIONS[usize::from(twist / 8) % 2].to_owned());
    Some(
        json!({"location": location, "lines": [{"line": line.number, "quantity": some(line.awaited(), twist)}]}),
    )
}

fn inspect(found: &Return, twist: u8) -> Option<Value> {
    let line = found.lines.iter().find(|line| line.uninspected().is_positive())?;
    let grade = Grade::ALL[usize::from(twist / 8) % Grade::ALL.len()];
    let units = some(line.uninspected(), twist);
    Some(json!({"lines": [{"line": line.number, "quantity": units, "grade": grade}]}))
}

fn disposition(found: &Return, twist: u8) -> Option<Value> {
    let graded = |line: &'_ ReturnLine| {
        let grade = Grade::ALL.iter().find(|grade| line.undecided(**grade).is_positive())?;
        Some((line.number, *grade, line.undecided(*grade)))
    };
    let (line, grade, units) = found.lines.iter().find_map(graded)?;
    let outcomes = ["restock", "quarantine", "write_off", "refurbish", "return_to_supplier"];
    let outcome = outcomes[usize::from(twist / 8) % outcomes.len()];
    Some(
        json!({"lines": [{"line": line, "quantity": some(units, twist), "grade": grade, "outcome": outcome}]}),
    )
}

fn refund(world: &World, which: u8, twist: u8) -> Vec<Named> {
    let id = format!("f{}", world.log.len());
    let alone = json!({"refund": id, "reason": "random"});
    let refundable = |order: &Order, at: usize| {
        let line = &order.lines[at];
        line.left_us() + line.cancelled() > line.refunds().units()
    };
    let found = line_that(world, which, refundable).filter(|_| !twist.is_multiple_of(8));
    let Some((order, found, at)) = found else {
        let line = json!({"sku": SKUS[usize::from(which) % 3], "quantity": 1, "amount": "3.21"});
        let channel = CHANNELS[usize::from(twist / 8) % 3];
        return vec![("returns.refund", with(alone, json!({"channel": channel, "lines": [line]})))];
    };
    let mut line = json!({"line": found.lines[at].number, "quantity": 1 + twist % 2});
    if twist.is_multiple_of(5) {
        line["amount"] = json!(format!("{}.{:02}", twist / 16, twist % 100));
    }
    let mut body = with(alone, json!({"order": order, "lines": [line]}));
    if twist.is_multiple_of(7) {
        body["restocking_fee"] = json!("0.50");
    }
    if let Some(charge) = found.charges.first().filter(|_| twist.is_multiple_of(3)) {
        body["charges"] = json!([{"charge": charge.number, "amount": "1.07"}]);
    }
    vec![("returns.refund", body)]
}

fn pay_back(world: &World, which: u8, twist: u8) -> Vec<Named> {
    let open: Vec<(&str, Amount)> = world.ledger.finance().open_items(Account::RefundsPayable).collect();
    let Some((refund, _)) = one_of(&open, which) else { return Vec::new() };
    let owed = -finance::open_balance(&world.ledger, Account::RefundsPayable, refund).minor_units();
    let minor_units = if twist.is_multiple_of(4) { owed / 2 + i64::from(twist / 16) } else { owed };
    let amount = Amount::try_new(minor_units.max(1)).unwrap();
    vec![("payments.refund", json!({"refund": refund, "amount": amount}))]
}
