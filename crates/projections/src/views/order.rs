//! One order in detail: lines, charges, money, shipments, returns, and what was done to it.

use ledger_core::fulfilment::{Shipment, ShipmentState};
use ledger_core::orders::{AtLocation, Destination, LineTax, OrderCharge, OrderLine};
use ledger_core::returns::{Return, ReturnStage};
use ledger_core::state::Row as LedgerRow;
use ledger_core::values::{
    ActorId, Amount, Charge, CommandId, DocumentNumber, LocationId, Name, Note, OrderId, Price, Quantity,
    ReturnId, ShipmentId, Sku, Text, Timestamp,
};
use ledger_core::{Ledger, SubjectKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::audit::is_about;
use super::order_parts::{OrderHead, Units};
use super::{EveryRow, View};
use crate::fault::Fault;
use crate::history::{History, Select};
use crate::index::Key;
use crate::query::QueryFault;
use crate::rows::Rows;
use crate::source::Source;

/// Commands shown of an order's timeline: the first, at most.
const TIMELINE_MAX: usize = 1000;

/// Which order.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filter {
    /// The order.
    order: OrderId,
}

/// An order.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Row {
    #[serde(flatten)]
    head: OrderHead,
    /// Where it goes, without any personal data.
    #[serde(skip_serializing_if = "Option::is_none")]
    destination: Option<Destination>,
    /// What was ordered.
    lines: Vec<LineShown>,
    /// What is charged beside the goods.
    charges: Vec<ChargeShown>,
    /// Its shipments, in the order in which they were planned.
    shipments: Vec<ShipmentShown>,
    /// Its returns, oldest first; the return board shows each in full.
    returns: Vec<ReturnShown>,
    /// What was done to it, oldest first.
    timeline: Vec<Step>,
}

/// A line of goods.
#[derive(Debug, Serialize, JsonSchema)]
struct LineShown {
    /// Its number.
    line: u16,
    /// The item.
    sku: Sku,
    /// Price of a unit, without discount and tax.
    price: Price,
    /// price × ordered.
    gross: Amount,
    /// For the whole line.
    discount: Amount,
    /// For the whole line.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    taxes: Vec<LineTax>,
    /// With discount and tax.
    total: Amount,
    /// Units in every bucket.
    units: Units,
    /// Where the claimed units are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    claims: Vec<ClaimShown>,
    /// What the units that left us cost.
    issue_cost: Amount,
    /// What was granted back for it.
    refunded: Amount,
}

/// Units of a line that are claimed at one location.
#[derive(Debug, Serialize, JsonSchema)]
struct ClaimShown {
    /// Where.
    location: LocationId,
    /// On the shelf.
    reserved: Quantity,
    /// Taken from the shelf.
    picked: Quantity,
    /// In a parcel.
    packed: Quantity,
}

/// A charge.
#[derive(Debug, Serialize, JsonSchema)]
struct ChargeShown {
    /// Its number.
    charge: u16,
    /// What it is for.
    kind: Charge,
    /// What stands on the invoice.
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<Note>,
    /// Without tax.
    amount: Amount,
    /// With tax.
    total: Amount,
    /// Whether an invoice has it.
    invoiced: bool,
    /// What was granted back of it.
    refunded: Amount,
}

/// A shipment.
#[derive(Debug, Serialize, JsonSchema)]
struct ShipmentShown {
    /// The shipment.
    shipment: ShipmentId,
    /// Where it leaves from.
    location: LocationId,
    /// Where it is in its life.
    state: ShipmentState,
    /// Units by order line.
    lines: Vec<ShippedUnits>,
    /// When it was planned.
    planned_at: Timestamp,
    /// When the carrier took it.
    #[serde(skip_serializing_if = "Option::is_none")]
    shipped_at: Option<Timestamp>,
    /// When the customer had it.
    #[serde(skip_serializing_if = "Option::is_none")]
    delivered_at: Option<Timestamp>,
    /// Who carries it.
    #[serde(skip_serializing_if = "Option::is_none")]
    carrier: Option<Name>,
    /// The carrier's tracking number.
    #[serde(skip_serializing_if = "Option::is_none")]
    tracking: Option<Name>,
    /// What the carrier quoted.
    freight: Amount,
    /// The invoice that went with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    invoice: Option<DocumentNumber>,
}

/// A return.
#[derive(Debug, Serialize, JsonSchema)]
struct ReturnShown {
    /// The return.
    r#return: ReturnId,
    /// Where it is in its life.
    stage: ReturnStage,
    /// Units that may come back or came, whichever is more.
    units: Quantity,
    /// What refunds of it granted, less restocking fees.
    refunded: Amount,
}

/// Units of an order line in a shipment.
#[derive(Debug, Serialize, JsonSchema)]
struct ShippedUnits {
    /// The order's line.
    line: u16,
    /// Units planned.
    planned: Quantity,
    /// Units picked.
    picked: Quantity,
}

/// A command that did something to the order.
#[derive(Debug, Serialize, JsonSchema)]
struct Step {
    /// The entry.
    sequence: u64,
    /// When it was recorded.
    recorded_at: Timestamp,
    /// When it was true.
    effective_at: Timestamp,
    /// Who acted.
    actor: ActorId,
    /// What was asked for.
    command: &'static str,
    /// Under which id.
    command_id: CommandId,
    /// What happened, by name.
    events: Vec<&'static str>,
}

pub(crate) struct OrderDetail;

impl View for OrderDetail {
    type Filter = Filter;
    type Row = Row;
    const NAME: &'static str = "order";
    const SUMMARY: &'static str = "One order in detail, with all that was done to it";
    const SORTS: &'static [&'static str] = &["order"];
    const EVERY_ROW: Option<EveryRow> = Some(every_row);

    fn rows(source: &Source<'_>, filter: &Filter, rows: &mut Rows) -> Result<(), QueryFault> {
        if rows.after::<1>()?.is_some() {
            return Ok(());
        }
        let (position, row, archived_at) = source.look(|folded| {
            let archived_at = folded.ledger.orders().archived_at(&filter.order);
            (folded.position(), row(&folded.ledger, &filter.order), archived_at)
        });
        rows.hold_at(position);
        if let Some(sequence) = archived_at {
            return Err(QueryFault::OrderArchived { order: filter.order.clone(), sequence });
        }
        let Some(mut row) = row else { return Ok(()) };
        row.timeline = timeline(&History { upto: position.sequence, ..source.history }, &filter.order)?;
        let _ = rows.push(|| vec![filter.order.to_string()], &row);
        Ok(())
    }
}

/// Every order, without its timeline: that is the audit's.
fn every_row(source: &Source<'_>, each: &mut dyn FnMut(Value)) -> Result<(), QueryFault> {
    let orders: Vec<OrderId> =
        source.look(|folded| folded.ledger.orders().ids().map(|(_, id)| id.clone()).collect());
    for order in orders {
        if let Some(row) = source.look(|folded| row(&folded.ledger, &order)) {
            each(serde_json::to_value(row).expect("a row is plain data with text keys"));
        }
    }
    Ok(())
}

fn timeline(history: &History<'_>, order: &OrderId) -> Result<Vec<Step>, Fault> {
    let mut steps = Vec::new();
    let mut entries = history.entries(Select::Key(Key::subject(SubjectKind::Order, order.as_str())), 0);
    while let Some(recorded) = entries.next()? {
        let about = |decided: &&_| is_about(decided, SubjectKind::Order, order.as_str());
        steps.extend(recorded.entry.commands.iter().filter(about).map(|decided| Step {
            sequence: recorded.sequence,
            recorded_at: recorded.log_time,
            effective_at: recorded.effective_at(decided),
            actor: recorded.entry.actor.id.clone(),
            command: decided.submitted.command.name(),
            command_id: decided.submitted.id.clone(),
            events: decided.events.iter().map(|event| event.name()).collect(),
        }));
        if steps.len() >= TIMELINE_MAX {
            break;
        }
    }
    steps.truncate(TIMELINE_MAX);
    Ok(steps)
}

fn row(ledger: &Ledger, id: &OrderId) -> Option<Row> {
    let found = ledger.orders().row(id)?;
    let order = ledger.orders().get(found);
    Some(Row {
        head: OrderHead::of(ledger, found),
        destination: order.destination.clone(),
        lines: order.lines.iter().map(|line| line_shown(ledger, line)).collect(),
        charges: order.charges.iter().map(charge_shown).collect(),
        shipments: ledger
            .shipments()
            .of_order(found)
            .map(|(id, found)| shipment_shown(ledger, id, &found))
            .collect(),
        returns: ledger.returns().of_order(found).map(|(id, found)| return_shown(id, found)).collect(),
        timeline: Vec::new(),
    })
}

fn line_shown(ledger: &Ledger, line: &OrderLine) -> LineShown {
    let claim = |at: AtLocation| ClaimShown {
        location: location(ledger, at.location),
        reserved: at.reserved,
        picked: at.picked,
        packed: at.packed,
    };
    LineShown {
        line: line.number,
        sku: ledger.items().sku(line.item).clone(),
        price: line.price,
        gross: line.gross,
        discount: line.discount,
        taxes: line.taxes.to_vec(),
        total: line.total(),
        units: Units::of(line),
        claims: line.at().map(claim).collect(),
        issue_cost: line.issued.iter().map(|part| part.value).sum(),
        refunded: line.refunds().total(),
    }
}

fn charge_shown(charge: &OrderCharge) -> ChargeShown {
    ChargeShown {
        charge: charge.number,
        kind: charge.kind.clone(),
        description: charge.description.clone(),
        amount: charge.amount,
        total: charge.total(),
        invoiced: charge.invoiced,
        refunded: charge.refunded,
    }
}

fn shipment_shown(ledger: &Ledger, id: &ShipmentId, shipment: &Shipment) -> ShipmentShown {
    let units = shipment.lines.iter();
    ShipmentShown {
        shipment: id.clone(),
        location: location(ledger, shipment.location),
        state: shipment.state,
        lines: units
            .map(|at| ShippedUnits { line: at.line, planned: at.planned, picked: at.picked })
            .collect(),
        planned_at: shipment.planned_at,
        shipped_at: shipment.shipped_at,
        delivered_at: shipment.delivered_at,
        carrier: shipment.carrier.clone(),
        tracking: shipment.tracking.clone(),
        freight: shipment.freight,
        invoice: shipment.invoice.clone(),
    }
}

fn return_shown(id: &ReturnId, found: &Return) -> ReturnShown {
    ReturnShown { r#return: id.clone(), stage: found.stage(), units: found.units(), refunded: found.refunded }
}

fn location(ledger: &Ledger, row: LedgerRow) -> LocationId {
    ledger.locations().id(row).clone()
}
