//! A day: goods arrive, orders come in, parcels leave and arrive, some of it comes back, something breaks.

use ledger_core::Status;
use ledger_core::orders::{Order, OrderState};
use ledger_core::values::{OrderId, Quantity, Sku, Text};
use serde_json::{Value, json};

use super::catalogue::{COUNTRIES, ITEMS, LOCATIONS, OUTLETS, Outlet, euros, ware};
use super::retailer::Retailer;
use super::set_up::{CUSTOMERS, customer};

/// Lets the day pass.
pub(super) fn pass(retailer: &mut Retailer, day: u32) {
    retailer.wait_until(day, 6);
    receive_goods(retailer, day);
    retailer.wait_until(day, 7);
    serve_backorders(retailer);
    retailer.wait_until(day, 8);
    settle_holds(retailer);
    retailer.wait_until(day, 9);
    ship(retailer, day);
    retailer.wait_until(day, 12);
    for _ in 0..retailer.dice.u32(28..52) {
        take_order(retailer);
    }
    retailer.wait_until(day, 17);
    deliver(retailer, day);
    super::returns::desk(retailer, day);
    retailer.wait_until(day, 20);
    look_after_the_shelves(retailer);
    close_the_day(retailer, day);
}

/// Orders more of what runs low, and takes in what arrives.
fn receive_goods(retailer: &mut Retailer, day: u32) {
    for parcel in 0..retailer.dice.u32(8..18) {
        let (number, place) = (retailer.dice.usize(0..ITEMS), retailer.dice.usize(0..LOCATIONS.len()));
        let ware = ware(number);
        let (location, ..) = LOCATIONS[place];
        let unit_cost = euros(ware.cost_cents + retailer.dice.u32(0..60));
        let status = if retailer.chance(10) { "inspection" } else { "available" };
        let body = json!({
            "sku": ware.sku, "location": location, "quantity": retailer.dice.u32(6..40), "unit_cost": unit_cost,
            "status": status, "supplier": "Manufaktur GmbH", "document": format!("DN-{:02}{parcel:02}", day + 1)
        });
        retailer.act("stock.receive", body);
    }
}

/// What waits for stock gets it, oldest order first.
fn serve_backorders(retailer: &mut Retailer) {
    let waiting = orders(retailer, |order| order.lines.iter().any(|line| line.backordered().is_positive()));
    for order in waiting {
        retailer.act("orders.allocate", json!({"order": order}));
    }
}

/// Somebody looks at what is held by hand, and lets it go.
fn settle_holds(retailer: &mut Retailer) {
    let held = orders(retailer, |order| order.holds.iter().any(|hold| hold.reason.as_str() == "fraud"));
    for order in held {
        retailer.act(
            "orders.clear_hold",
            json!({"order": order, "reason": "fraud", "note": "looked at, is fine"}),
        );
        retailer.act("orders.release", json!({"order": order}));
    }
    let unheld = orders(retailer, |order| order.state == OrderState::Captured && order.holds.is_empty());
    for order in unheld {
        retailer.act("orders.release", json!({"order": order}));
    }
}

/// Whatever is reserved on released orders is planned, picked, packed and handed over.
fn ship(retailer: &mut Retailer, day: u32) {
    let ready = orders(retailer, |order| {
        matches!(order.state, OrderState::Released | OrderState::InFulfilment)
            && order.holds.is_empty()
            && order.lines.iter().any(|line| line.reserved().is_positive())
    });
    for order in ready {
        for part in 1..=3 {
            let shipment = format!("SHP-{}-{}-{part}", order.as_str(), day + 1);
            if retailer.act("fulfilment.plan", json!({"shipment": shipment, "order": order})).is_none() {
                break;
            }
            pick_and_hand_over(retailer, &shipment, day);
        }
    }
}

fn pick_and_hand_over(retailer: &mut Retailer, shipment: &str, day: u32) {
    retailer.act("fulfilment.pick", json!({"shipment": shipment}));
    retailer.act("fulfilment.pack", json!({"shipment": shipment}));
    let freight = euros(380 + retailer.dice.u32(0..420));
    let carrier = ["DHL", "PostNL", "DPD"][retailer.dice.usize(0..3)];
    let tracking = format!("{carrier}{:08}", retailer.dice.u32(0..100_000_000));
    let body = json!({"shipment": shipment, "carrier": carrier, "tracking": tracking, "freight": freight});
    if retailer.act("fulfilment.ship", body).is_some() {
        let arrives = day + retailer.dice.u32(1..4);
        retailer.on_the_road.push((shipment.to_owned(), arrives));
    }
}

fn deliver(retailer: &mut Retailer, day: u32) {
    let due: Vec<_> = retailer.on_the_road.iter().filter(|(_, arrives)| *arrives <= day).cloned().collect();
    retailer.on_the_road.retain(|(_, arrives)| *arrives > day);
    for (shipment, _) in due {
        if retailer.act("fulfilment.deliver", json!({"shipment": shipment})).is_some() {
            let order =
                shipment.trim_start_matches("SHP-").rsplitn(3, '-').last().unwrap_or_default().to_owned();
            retailer.arrived.push((order, day));
        }
    }
}

fn take_order(retailer: &mut Retailer) {
    let outlet = outlet(retailer.dice.u32(0..100));
    retailer.orders_placed += 1;
    let order = format!("{}-{:05}", outlet.id.to_uppercase(), 10_000 + retailer.orders_placed);
    let lines: Vec<Value> = (0..retailer.dice.u32(1..5)).map(|_| line(retailer, outlet)).collect();
    let known = matches!(outlet.kind, "web" | "b2b");
    let country = COUNTRIES[retailer.dice.usize(0..COUNTRIES.len())];
    let mut body = json!({
        "order": order, "channel": outlet.id, "destination": {"country": country}, "lines": lines,
        "priority": if outlet.kind == "b2b" { 2 } else { 5 }
    });
    if known {
        body["customer"] = json!(customer(retailer.dice.u32(1..=CUSTOMERS)));
    }
    if outlet.kind == "web" {
        body["charges"] = json!([{"kind": "shipping", "amount": "4.95", "taxes": [{"jurisdiction": country, "amount": "1.04"}]}]);
    }
    if retailer.act("orders.place", body).is_none() {
        return;
    }
    if retailer.chance(3) && outlet.kind == "web" {
        retailer.act("orders.hold", json!({"order": order, "reason": "fraud", "note": "three cards tried"}));
    }
    if outlet.settlement == "prepaid" && !retailer.chance(4) {
        pay(retailer, &order);
    }
    if retailer.chance(3) {
        retailer.act("orders.cancel", json!({"order": order, "reason": "customer_changed_mind"}));
    }
}

fn pay(retailer: &mut Retailer, order: &str) {
    let Some(due) = OrderId::try_new(order).ok().and_then(|id| {
        let order = retailer.ledger.orders().find(&id)?;
        Some(order.payable()).filter(|due| due.is_positive())
    }) else {
        return;
    };
    let body = json!({"payment": format!("PAY-{order}"), "order": order, "amount": due, "method": "card"});
    retailer.act("payments.capture", body);
}

/// A line that the channel probably has; sometimes more of it than there is.
fn line(retailer: &mut Retailer, outlet: &Outlet) -> Value {
    let mut ware = ware(retailer.dice.usize(0..ITEMS));
    for _ in 0..3 {
        if available(retailer, &ware.sku, outlet).is_positive() {
            break;
        }
        ware = super::catalogue::ware(retailer.dice.usize(0..ITEMS));
    }
    let quantity = if outlet.kind == "b2b" { retailer.dice.u32(4..13) } else { retailer.dice.u32(1..4) };
    let tax = euros(ware.price_cents * quantity * 21 / 100);
    json!({
        "sku": ware.sku, "quantity": quantity, "price": euros(ware.price_cents),
        "taxes": [{"jurisdiction": "EU-OSS", "amount": tax}]
    })
}

fn available(retailer: &Retailer, sku: &str, outlet: &Outlet) -> Quantity {
    let ledger = &retailer.ledger;
    let Some(item) = Sku::try_new(sku).ok().and_then(|sku| ledger.items().row(&sku)) else {
        return Quantity::ZERO;
    };
    let ids = ledger.locations().iter().filter(|(_, id, _)| outlet.locations.contains(&id.as_str()));
    ids.map(|(at, ..)| ledger.stock().quantity(item, at, Status::Available)).sum()
}

fn outlet(percent: u32) -> &'static Outlet {
    let mut upto = 0;
    for outlet in &OUTLETS {
        upto += outlet.share_percent;
        if percent < upto {
            return outlet;
        }
    }
    &OUTLETS[0]
}

/// Finds, losses, damage, and carts that came to nothing.
fn look_after_the_shelves(retailer: &mut Retailer) {
    let mut somewhere = || {
        let (sku, place) = (ware(retailer.dice.usize(0..ITEMS)).sku, retailer.dice.usize(0..LOCATIONS.len()));
        (sku, LOCATIONS[place].0)
    };
    let (found, lost, broken, cart) = (somewhere(), somewhere(), somewhere(), somewhere());
    let adjust = |(sku, location): &(String, &str), change: i32, reason| json!({"sku": sku, "location": location, "change": change, "reason": reason, "unit_cost": "5.00"});
    retailer.act("stock.adjust", adjust(&found, 1, "found"));
    retailer.act("stock.adjust", adjust(&lost, -1, "shrinkage"));
    let (sku, location) = broken;
    let damage = json!({"sku": sku, "location": location, "from": "available", "to": "damaged", "quantity": 1, "reason": "dropped"});
    if retailer.act("stock.change_status", damage).is_some() && retailer.chance(60) {
        let body = json!({"sku": sku, "location": location, "status": "damaged", "quantity": 1, "reason": "beyond_repair"});
        retailer.act("stock.write_off", body);
    }
    let (sku, location) = cart;
    let reservation = format!("CART-{}", retailer.dice.u32(0..u32::MAX));
    let body = json!({"reservation": reservation, "sku": sku, "location": location, "quantity": 1, "holder": "cart"});
    if retailer.act("stock.reserve", body).is_some() && retailer.chance(80) {
        retailer.act("stock.unreserve", json!({"reservation": reservation}));
    }
}

/// The bank takes its due once a week, and shelves of the store are filled by what inspection lets pass.
fn close_the_day(retailer: &mut Retailer, day: u32) {
    let waiting: Vec<_> = retailer
        .ledger
        .stock()
        .cells()
        .filter(|(_, _, cell)| cell.quantity(Status::Inspection).is_positive())
        .map(|(item, at, cell)| {
            let ledger = &retailer.ledger;
            (
                ledger.items().sku(item).clone(),
                ledger.locations().id(at).clone(),
                cell.quantity(Status::Inspection),
            )
        })
        .take(4)
        .collect();
    for (sku, location, quantity) in waiting {
        let to = if retailer.chance(85) { "available" } else { "quarantined" };
        let body = json!({"sku": sku, "location": location, "from": "inspection", "to": to, "quantity": quantity, "reason": "inspected"});
        retailer.act("stock.change_status", body);
    }
    if day % 7 == 6 {
        let amount = euros(1200 + retailer.dice.u32(0..900));
        let lines = json!([{"account": "5810", "debit": amount}, {"account": "1110", "credit": amount}]);
        retailer.act(
            "finance.post_manual",
            json!({"posting": format!("BANK-{}", day / 7 + 1), "lines": lines, "reason": "bank_charges", "note": "payment provider, weekly"}),
        );
    }
}

/// The ids of the orders that are as wanted, oldest first.
pub(super) fn orders(retailer: &Retailer, wanted: impl Fn(&Order) -> bool) -> Vec<OrderId> {
    let orders = retailer.ledger.orders().iter();
    orders.filter(|(_, _, order)| wanted(order)).map(|(_, id, _)| id.clone()).collect()
}
