//! What the books say, as sorted lines of text: the same whatever the ledger's memory looks like.

use std::collections::BTreeSet;

use ledger_core::{Account, Ledger, Status};

/// BLAKE3 of all that the books say.
pub(crate) fn hash(ledger: &Ledger) -> String {
    let lines: BTreeSet<String> = stock(ledger).chain(documents(ledger)).chain(money(ledger)).collect();
    let text: String = lines.into_iter().map(|line| line + "\n").collect();
    blake3::hash(text.as_bytes()).to_hex().to_string()
}

fn stock(ledger: &Ledger) -> impl Iterator<Item = String> {
    let cells = ledger.stock().cells().flat_map(|(item, at, cell)| {
        let (sku, location) = (ledger.items().sku(item), ledger.locations().id(at));
        Status::ALL.iter().map(move |status| {
            let (units, value) = (cell.quantity(*status), cell.group_value(status.group()));
            format!("stock {sku} {location} {status} {units}, its group worth {value}")
        })
    });
    let claims = ledger.stock().reservations().iter().map(|(_, id, claim)| {
        let (sku, location) = (ledger.items().sku(claim.item), ledger.locations().id(claim.location));
        format!("claim {id} {sku} {location} {}", claim.quantity)
    });
    cells.chain(claims)
}

fn documents(ledger: &Ledger) -> impl Iterator<Item = String> {
    let orders = ledger.orders().iter().map(|(_, id, order)| format!("order {id} {}", order.state));
    let shipments = ledger.shipments().iter();
    let shipments = shipments.map(|(_, id, shipment)| format!("shipment {id} {}", shipment.state));
    let returns = ledger.returns().iter();
    let returns =
        returns.map(|(_, id, rma)| format!("return {id} {}, {} refunded", rma.stage(), rma.refunded));
    orders.chain(shipments).chain(returns)
}

fn money(ledger: &Ledger) -> impl Iterator<Item = String> {
    Account::ALL.iter().flat_map(|account| {
        let total = ledger.finance().total(*account);
        let open = ledger.finance().open_items(*account);
        let open = open.map(|(document, amount)| format!("open {account} {document} {amount}"));
        open.chain([format!("account {account} {} {}", total.debit, total.credit)]).collect::<Vec<_>>()
    })
}
