//! Random commands: mostly the next sensible thing for what is there, sometimes nonsense.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::after_sale::after_sale;
use crate::world::{CHANNELS, LOCATIONS, SKUS, World};
use ledger_core::Status;
use ledger_core::fulfilment::ShipmentState;
use ledger_core::orders::Order;
use ledger_core::payments;
use ledger_core::values::{Amount, LocationId, Sku, Text};

/// What to do next, in numbers that are read against the world as it then is.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Goods in: received or opened.
    In { open: bool, at: Shelf, status: u8, units: u8, unit_cost: u16 },
    /// Stock is found, missing, moved to another status or given up.
    Shelf { what: u8, at: Shelf, status: u8, to: u8, units: u8 },
    /// A claim by hand.
    Reserve { at: Shelf, units: u8, again: bool },
    /// A claim by hand is freed.
    Unreserve { which: u8, units: Option<u8> },
    /// An order comes in.
    Place { channel: u8, lines: Vec<(u8, u8, u16, u8)>, charge: Option<u16>, again: bool },
    /// Something is done to an order.
    Order { what: u8, which: u8, line: u8, units: u8 },
    /// An order is paid, in whole or in part.
    Capture { which: u8, part: u8 },
    /// The next thing is done to a shipment, or a new one is planned.
    Fulfil { which: u8, new: bool, twist: u8 },
    /// Something is done about goods or money on their way back.
    AfterSale { what: u8, which: u8, twist: u8 },
    /// A posting by hand.
    Post { amount: u16, gap: bool, account: u8 },
    /// Master data.
    Master { what: u8, which: u8 },
    /// A policy, or newer rules.
    Policy { what: u8, days: u8 },
    /// An order is put away.
    Close { which: u8 },
    /// Time passes.
    Wait { minutes: u8 },
    /// Days pass, and what is due then is done.
    Due { days: u8 },
}

/// An item at a location.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shelf {
    item: u8,
    location: u8,
}

const STATUSES: [&str; 9] = [
    "available",
    "inspection",
    "quarantined",
    "damaged",
    "refurbishing",
    "reserved",
    "picked",
    "packed",
    "in_transit",
];

/// Sequences of up to `most` steps.
pub(crate) fn steps(most: usize) -> impl Strategy<Value = Vec<Step>> {
    let shelf = || (0..3u8, 0..2u8).prop_map(|(item, location)| Shelf { item, location });
    let line = (0..30u8, 1..6u8, 0..2_000u16, any::<u8>());
    let step = prop_oneof![
        4 => (prop::bool::weighted(0.2), shelf(), 0..20u8, 1..9u8, 0..3_000u16).prop_map(
            |(open, at, status, units, unit_cost)| Step::In { open, at, status, units, unit_cost }),
        3 => (0..4u8, shelf(), any::<u8>(), 0..9u8, 1..5u8).prop_map(
            |(what, at, status, to, units)| Step::Shelf { what, at, status, to, units }),
        1 => (shelf(), 1..4u8, prop::bool::weighted(0.1)).prop_map(
            |(at, units, again)| Step::Reserve { at, units, again }),
        1 => (any::<u8>(), prop::option::of(1..4u8)).prop_map(|(which, units)| Step::Unreserve { which, units }),
        1 => (0..3u8, 0..900u16).prop_map(
            |(channel, charge)| Step::Place { channel, lines: Vec::new(), charge: Some(charge), again: false }),
        4 => (0..3u8, vec(line, 1..4), prop::option::weighted(0.3, 0..900u16), prop::bool::weighted(0.05)).prop_map(
            |(channel, lines, charge, again)| Step::Place { channel, lines, charge, again }),
        4 => (0..6u8, any::<u8>(), 0..4u8, 1..5u8).prop_map(
            |(what, which, line, units)| Step::Order { what, which, line, units }),
        3 => (any::<u8>(), any::<u8>()).prop_map(|(which, part)| Step::Capture { which, part }),
        9 => (any::<u8>(), prop::bool::weighted(0.3), any::<u8>()).prop_map(
            |(which, new, twist)| Step::Fulfil { which, new, twist }),
        10 => (0..12u8, any::<u8>(), any::<u8>()).prop_map(
            |(what, which, twist)| Step::AfterSale { what, which, twist }),
        1 => (1..5_000u16, prop::bool::weighted(0.1), 0..6u8).prop_map(
            |(amount, gap, account)| Step::Post { amount, gap, account }),
        2 => (0..8u8, any::<u8>()).prop_map(|(what, which)| Step::Master { what, which }),
        2 => (1..200u8).prop_map(|minutes| Step::Wait { minutes }),
        2 => (0..5u8, 0..40u8).prop_map(|(what, days)| Step::Policy { what, days }),
        1 => any::<u8>().prop_map(|which| Step::Close { which }),
        5 => (0..4u8).prop_map(|days| Step::Due { days }),
    ];
    vec(step, most / 2..most)
}

/// The commands of a step in the world as it is: none, one or a few.
pub(crate) fn of(step: &Step, world: &mut World) -> Vec<(String, Value)> {
    let commands = match step.clone() {
        Step::In { open, at, status, units, unit_cost } => {
            let name = if open { "stock.open" } else { "stock.receive" };
            vec![(name, goods_in(at, status, units, unit_cost))]
        }
        Step::Shelf { what, at, status, to, units } => {
            vec![on_the_shelf(world, what, at, (status, to), units)]
        }
        Step::Reserve { at, units, again } => vec![("stock.reserve", reserve(world, at, units, again))],
        Step::Unreserve { which, units } => unreserve(world, which, units),
        Step::Place { channel, lines, charge, again } => {
            vec![("orders.place", place(world, channel, &lines, charge, again))]
        }
        Step::Order { what, which, line, units } => on_an_order(world, what, which, (line, units)),
        Step::Capture { which, part } => capture(world, which, part),
        Step::Fulfil { which, new, twist } => fulfil(world, which, new, twist),
        Step::AfterSale { what, which, twist } => after_sale(world, what, which, twist),
        Step::Post { amount, gap, account } => vec![("finance.post_manual", post(amount, gap, account))],
        Step::Master { what, which } => vec![master(world, what, which)],
        Step::Policy { what, days } => vec![policy(what, days)],
        Step::Close { which } => close(world, which),
        Step::Wait { minutes } => {
            world.wait_minutes(minutes);
            Vec::new()
        }
        Step::Due { days } => {
            (0..u16::from(days) * 24).for_each(|_| world.wait_minutes(60));
            due(world)
        }
    };
    commands.into_iter().map(|(name, body)| (name.to_owned(), body)).collect()
}

fn money(minor_units: u16) -> String {
    format!("{}.{:02}", minor_units / 100, minor_units % 100)
}

fn on(Shelf { item, location }: Shelf) -> Value {
    json!({"sku": SKUS[usize::from(item)], "location": LOCATIONS[usize::from(location)]})
}

pub(crate) fn with(mut body: Value, fields: Value) -> Value {
    if let (Value::Object(body), Value::Object(fields)) = (&mut body, fields) {
        body.extend(fields);
    }
    body
}

fn goods_in(at: Shelf, status: u8, units: u8, unit_cost: u16) -> Value {
    // Thousandths make costs that do not divide evenly.
    let unit_cost = format!("{}.{:03}", unit_cost / 1000, unit_cost % 1000);
    let status = if status < 4 { STATUSES[usize::from(status) + 1] } else { STATUSES[0] };
    with(on(at), json!({"quantity": units, "unit_cost": unit_cost, "status": status}))
}

fn on_the_shelf(
    world: &World,
    what: u8,
    anywhere: Shelf,
    (which, to): (u8, u8),
    units: u8,
) -> (&'static str, Value) {
    let nonsense = which >= 240;
    let unclaimed = buckets(world, &STATUSES[..5]);
    let Some((at, status, there)) = one_of(&unclaimed, which).copied().filter(|_| !nonsense) else {
        let body = with(
            on(anywhere),
            json!({"reason": "random", "quantity": units, "status": STATUSES[usize::from(to)]}),
        );
        return ("stock.write_off", body);
    };
    let (body, some) = (with(on(at), json!({"reason": "random"})), i64::from(units).min(there));
    match what {
        0 => ("stock.adjust", with(body, json!({"status": status, "change": units, "unit_cost": "1.005"}))),
        1 => ("stock.adjust", with(body, json!({"status": status, "change": -some}))),
        2 => ("stock.write_off", with(body, json!({"status": status, "quantity": some}))),
        _ => {
            let to = STATUSES[usize::from(to)];
            ("stock.change_status", with(body, json!({"from": status, "to": to, "quantity": some})))
        }
    }
}

/// Buckets of these statuses that hold anything, and how many units.
fn buckets(world: &World, statuses: &[&'static str]) -> Vec<(Shelf, &'static str, i64)> {
    let (items, locations) = (world.ledger.items(), world.ledger.locations());
    let mut buckets = Vec::new();
    for (item, sku) in (0..).zip(SKUS) {
        for (location, id) in (0..).zip(LOCATIONS) {
            let rows =
                items.row(&Sku::try_new(sku).unwrap()).zip(locations.row(&LocationId::try_new(id).unwrap()));
            let Some((row, at)) = rows else { continue };
            for status in statuses {
                let units = world.ledger.stock().quantity(row, at, Status::parse(status).unwrap()).units();
                if units > 0 {
                    buckets.push((Shelf { item, location }, *status, units));
                }
            }
        }
    }
    buckets
}

fn reserve(world: &World, at: Shelf, units: u8, again: bool) -> Value {
    let known = world.ledger.stock().reservations().len();
    let number = if again { known.saturating_sub(1) } else { world.log.len() };
    let there = buckets(world, &STATUSES[..1]);
    let at =
        if units == 1 { at } else { one_of(&there, at.item + 3 * at.location).map_or(at, |bucket| bucket.0) };
    let claim = with(on(at), json!({"reservation": format!("cart-{number}"), "quantity": units}));
    let until = world.now().plus_micros(i64::from(units) * 3_600_000_000);
    if units.is_multiple_of(2) { with(claim, json!({"until": until})) } else { claim }
}

fn unreserve(world: &World, which: u8, units: Option<u8>) -> Vec<(&'static str, Value)> {
    let known: Vec<_> = world.ledger.stock().reservations().iter().map(|(_, id, _)| id.to_string()).collect();
    let nobody = (which == 0).then(|| "nobody's".to_owned());
    let Some(id) = nobody.or_else(|| one_of(&known, which).cloned()) else { return Vec::new() };
    let body = json!({"reservation": id});
    vec![("stock.unreserve", units.map_or(body.clone(), |units| with(body, json!({"quantity": units}))))]
}

pub(crate) fn one_of<T>(all: &[T], which: u8) -> Option<&T> {
    if all.is_empty() { None } else { all.get(usize::from(which) % all.len()) }
}

fn place(world: &World, channel: u8, lines: &[(u8, u8, u16, u8)], charge: Option<u16>, again: bool) -> Value {
    let lines: Vec<_> = lines.iter().map(|(item, units, price, extra)| {
        let sku = if *item == 29 { "WRAP" } else { SKUS[usize::from(*item) % 3] };
        // A discount now and then is more than the line is worth; a tax never divides evenly.
        let discount = if extra.is_multiple_of(4) { money(u16::from(*extra)) } else { "0".to_owned() };
        let taxes = if extra.is_multiple_of(3) { json!([]) } else { json!([{"jurisdiction": "NL", "amount": money(price / 5)}]) };
        json!({"sku": sku, "quantity": units, "price": money(*price), "discount": discount, "taxes": taxes})
    }).collect();
    let charges: Vec<_> = charge
        .map(|amount| {
            json!({"kind": "shipping", "amount": money(amount),
            "taxes": [{"jurisdiction": "NL", "amount": money(amount / 7)}]})
        })
        .into_iter()
        .collect();
    let known = world.ledger.orders().iter().count() + world.ledger.orders().archived_len();
    let number = if again { known.saturating_sub(1) } else { known };
    json!({"order": format!("o{number}"), "channel": CHANNELS[usize::from(channel)], "customer": "C1",
        "destination": {"country": "NL"}, "lines": lines, "charges": charges})
}

fn on_an_order(world: &World, what: u8, which: u8, (line, units): (u8, u8)) -> Vec<(&'static str, Value)> {
    let known: Vec<_> = world.ledger.orders().iter().map(|(_, id, order)| (id.to_string(), order)).collect();
    let open: Vec<_> = known.iter().filter(|(_, order)| order.is_open()).collect();
    let nonsense = which >= 240;
    let Some((id, order)) = one_of(&open, which).copied().or_else(|| one_of(&known, which)) else {
        return Vec::new();
    };
    let waits = order.lines.iter().any(|line| line.backordered().is_positive());
    let reason = ["fraud", "address", "manual"][usize::from(line) % 3];
    match (what, order.holds.first()) {
        (0, _) => vec![("orders.hold", json!({"order": id, "reason": reason}))],
        (1 | 2, Some(hold)) => vec![("orders.clear_hold", json!({"order": id, "reason": hold.reason}))],
        (3, _) => vec![(
            "orders.cancel",
            json!({"order": id, "reason": "random", "lines": [{"line": line.max(1), "quantity": 1}]}),
        )],
        (4, _) if units == 1 => vec![("orders.cancel", json!({"order": id, "reason": "random"}))],
        _ if waits || nonsense => vec![("orders.allocate", json!({"order": id}))],
        (4 | 5, None) if order.state.as_str() == "captured" || nonsense => {
            vec![("orders.release", json!({"order": id}))]
        }
        _ if nonsense => vec![("orders.clear_hold", json!({"order": id, "reason": reason}))],
        _ => Vec::new(),
    }
}

fn capture(world: &World, which: u8, part: u8) -> Vec<(&'static str, Value)> {
    let known: Vec<_> = world.ledger.orders().iter().collect();
    let unpaid = |row| payments::captured(&world.ledger, row);
    let due: Vec<_> = known.iter().filter(|(row, _, order)| order.payable() > unpaid(*row)).collect();
    let Some((row, id, order)) = one_of(&due, which).copied().or_else(|| one_of(&known, which)) else {
        return Vec::new();
    };
    let left = (order.payable() - unpaid(*row)).minor_units();
    let minor_units = match part {
        0..=180 => left,
        181..=230 => left / 3,
        _ => left + i64::from(part),
    };
    let amount = Amount::try_new(minor_units.max(1)).unwrap();
    vec![("payments.capture", json!({"order": id, "amount": amount, "method": "card"}))]
}

fn fulfil(world: &World, which: u8, new: bool, twist: u8) -> Vec<(&'static str, Value)> {
    let shipments: Vec<_> = world.ledger.shipments().iter().collect();
    let under_way: Vec<_> = shipments
        .iter()
        .filter(|(_, _, shipment)| !matches!(shipment.state, ShipmentState::Delivered | ShipmentState::Void))
        .collect();
    let Some((_, id, shipment)) = one_of(&under_way, which).copied().filter(|_| !new) else {
        return plan(world, which, twist);
    };
    let shipment_alone = json!({"shipment": id});
    let next = match shipment.state {
        ShipmentState::Planned if twist < 60 => {
            let short = if twist.is_multiple_of(2) { "adjust" } else { "quarantine" };
            let line = &shipment.lines[usize::from(twist) % shipment.lines.len()];
            let found = line.planned.units() - i64::from(twist % 3);
            let lines = json!([{"line": line.line, "quantity": found.max(0), "short": short}]);
            ("fulfilment.pick", with(shipment_alone, json!({"lines": lines})))
        }
        ShipmentState::Planned => ("fulfilment.pick", shipment_alone),
        _ if twist == 0 => ("fulfilment.pick", shipment_alone),
        ShipmentState::Picked => ("fulfilment.pack", shipment_alone),
        ShipmentState::Packed => {
            ("fulfilment.ship", with(shipment_alone, json!({"freight": money(twist.into())})))
        }
        ShipmentState::Shipped | ShipmentState::Delivered | ShipmentState::Void => {
            ("fulfilment.deliver", shipment_alone)
        }
    };
    vec![next]
}

fn plan(world: &World, which: u8, twist: u8) -> Vec<(&'static str, Value)> {
    let orders: Vec<_> = world.ledger.orders().iter().collect();
    let ready = |order: &Order| {
        order.is_open()
            && order.holds.is_empty()
            && order.lines.iter().any(|line| line.reserved().is_positive())
    };
    let ready: Vec<_> = orders.iter().filter(|(_, _, order)| ready(order)).collect();
    let Some((_, id, order)) =
        one_of(&ready, which).copied().or_else(|| one_of(&orders, which).filter(|_| twist > 240))
    else {
        return Vec::new();
    };
    let body = json!({"order": id, "shipment": format!("s{}", world.log.len())});
    let reserved = order.lines.iter().find(|line| line.reserved().is_positive());
    let body = match (twist % 4, reserved) {
        (0, Some(line)) => with(body, json!({"lines": [{"line": line.number, "quantity": 1}]})),
        (1, _) => with(body, json!({"location": LOCATIONS[usize::from(twist / 4) % 2]})),
        _ => body,
    };
    vec![("fulfilment.plan", body)]
}

fn policy(what: u8, days: u8) -> (&'static str, Value) {
    let reason = ["payment", "fraud", "stock"][usize::from(days) % 3];
    let action = ["unreserve", "cancel", "escalate"][usize::from(days / 3) % 3];
    let channel = CHANNELS[usize::from(days) % 3];
    match what {
        0 => ("ledger.activate_rules", json!({"rules": 2})),
        1 => ("orders.set_hold_limit", json!({"reason": reason, "hours": days, "action": action})),
        2 => (
            "orders.set_hold_limit",
            json!({"reason": reason, "channel": channel, "hours": days, "action": action}),
        ),
        3 => ("returns.set_window", json!({"days": days / 8, "channel": channel})),
        _ if days < 8 => ("orders.set_archiving", json!({})),
        _ => ("orders.set_archiving", json!({"after_days": days / 16})),
    }
}

fn close(world: &World, which: u8) -> Vec<(&'static str, Value)> {
    let completed = world.ledger.orders().iter().filter(|(_, _, order)| order.state.as_str() == "completed");
    let completed: Vec<_> = completed.map(|(_, id, _)| id.to_string()).collect();
    one_of(&completed, which).map(|order| vec![("orders.close", json!({"order": order}))]).unwrap_or_default()
}

/// What is due now, the earliest first: the rule that decides it may not refuse it.
pub(crate) fn due(world: &World) -> Vec<(&'static str, Value)> {
    let due = world.ledger.dues().take_while(|due| due.at <= world.now());
    due.map(|due| (due.command.name(), serde_json::to_value(&due.command).unwrap())).collect()
}

fn post(amount: u16, gap: bool, account: u8) -> Value {
    let account = ["5400", "5810", "1100", "2300", "2310", "1400"][usize::from(account)];
    let credit = if gap { amount + 1 } else { amount };
    json!({"lines": [{"account": account, "debit": money(amount), "country": "NL"},
        {"account": "1110", "credit": money(credit), "channel": "web"}], "reason": "random"})
}

fn master(world: &World, what: u8, which: u8) -> (&'static str, Value) {
    let fresh = world.ledger.items().iter().count();
    let number = if which.is_multiple_of(4) { fresh.saturating_sub(1) } else { fresh };
    let drafts = world.ledger.items().iter().filter(|(_, _, item)| item.state.as_str() == "draft");
    let draft = drafts.map(|(_, sku, _)| sku.to_string()).next().unwrap_or_else(|| "nothing".to_owned());
    let sku = world.ledger.items().iter().last().map_or_else(String::new, |(_, sku, _)| sku.to_string());
    match what {
        0 | 6 => ("items.define", json!({"sku": format!("new-{number}"), "name": "New"})),
        1 | 7 => ("items.activate", json!({"sku": draft})),
        // Retiring what the world trades in would end the play.
        2 => {
            ("items.retire", json!({"sku": if !which.is_multiple_of(8) { sku } else { "FIFO-1".to_owned() }}))
        }
        3 => ("locations.define", json!({"location": format!("L-{which}"), "name": "New", "kind": "store"})),
        4 => ("customers.define", json!({"customer": format!("C-{which}")})),
        _ => {
            let body = json!({"channel": format!("ch-{which}"), "name": "New", "kind": "web", "settlement": "prepaid",
                "oversell": "refuse", "partial_shipment": "allowed", "locations": LOCATIONS});
            ("channels.define", body)
        }
    }
}
