//! The table of kinds: every stored command and event with its number, append-only, never reused.
//!
//! From this one table come the stored encoding, the names on every subject and in every schema, and the dispatch.

use schemars::{Schema, SchemaGenerator};
use serde::de::Deserializer;
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};

use crate::books::{Fact, Movement, Posting, Subject};
use crate::codec::{self, CodecFault};
use crate::draft::Draft;
use crate::ledger::{Ledger, Moment};
use crate::rejection::Rejection;
use crate::{
    archiving, channels, control, customers, finance, fulfilment, items, locations, orders, payments,
    returns, stock,
};

/// A business action: what somebody asks for, and the rule that decides it.
pub trait Action {
    /// False for what is decided now: reservations and holds.
    const TAKES_EFFECTIVE_AT: bool = true;

    /// Refuses, or records the events that say what happened. Reads as a list: refusals first, then events.
    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Rejection>;
}

/// A command or event of the table, as transports and schema writers see it.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// The stored number.
    pub number: u16,
    /// `module.action` or `module.past_participle`.
    pub name: &'static str,
    /// Its JSON Schema.
    pub schema: fn(&mut SchemaGenerator) -> Schema,
    /// False where only the service itself writes it.
    pub public: bool,
}

macro_rules! kinds {
    (
        commands { $($c_number:literal $c_name:literal $c_variant:ident($c_type:ty) $c_vis:ident),+ $(,)? }
        events { $($e_number:literal $e_name:literal $e_variant:ident($e_type:ty)),+ $(,)? }
    ) => {
        /// Every command there is.
        #[derive(Debug, Clone, PartialEq)]
        #[expect(missing_docs, reason = "each variant is the documented command it holds")]
        pub enum Command { $($c_variant($c_type)),+ }

        /// Every event there is.
        #[derive(Debug, Clone, PartialEq)]
        #[expect(missing_docs, reason = "each variant is the documented event it holds")]
        pub enum Event { $($e_variant($e_type)),+ }

        $(impl From<$c_type> for Command { fn from(command: $c_type) -> Self { Command::$c_variant(command) } })+
        $(impl From<$e_type> for Event { fn from(event: $e_type) -> Self { Event::$e_variant(event) } })+

        impl Command {
            /// Every command in the order of the table.
            pub const KINDS: &'static [Kind] = &[$(Kind {
                number: $c_number, name: $c_name, public: is_public!($c_vis),
                schema: |generator| generator.subschema_for::<$c_type>(),
            }),+];

            /// The stored number.
            pub const fn kind(&self) -> u16 { match self { $(Command::$c_variant(_) => $c_number),+ } }

            /// `module.action`.
            pub const fn name(&self) -> &'static str { match self { $(Command::$c_variant(_) => $c_name),+ } }

            /// Whether the command may say when it was true.
            pub const fn takes_effective_at(&self) -> bool {
                match self { $(Command::$c_variant(_) => <$c_type as Action>::TAKES_EFFECTIVE_AT),+ }
            }

            /// Reads a command's fields; `None` for a name that is not in the table.
            pub fn deserialize<'de, D: Deserializer<'de>>(name: &str, fields: D) -> Option<Result<Command, D::Error>> {
                match name {
                    $($c_name => Some(<$c_type>::deserialize(fields).map(Command::$c_variant)),)+
                    _ => None,
                }
            }

            pub(crate) fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Rejection> {
                match self { $(Command::$c_variant(command) => command.decide(draft)),+ }
            }

            /// Appends the stored form.
            pub fn encode(&self, bytes: &mut Vec<u8>) {
                codec::encode_kind(self.kind(), bytes, |bytes| match self {
                    $(Command::$c_variant(command) => codec::encode_into(command, bytes)),+
                });
            }

            /// Reads a stored command from the front of the bytes.
            pub fn decode(bytes: &mut &[u8]) -> Result<Command, CodecFault> {
                let (kind, body) = codec::decode_kind(bytes, "a command")?;
                match kind {
                    $($c_number => codec::decode_all::<$c_type>(body, $c_name).map(Command::$c_variant),)+
                    kind => Err(CodecFault::UnknownKind { kind }),
                }
            }
        }

        impl Event {
            /// Every event in the order of the table.
            pub const KINDS: &'static [Kind] = &[$(Kind {
                number: $e_number, name: $e_name, public: true,
                schema: |generator| generator.subschema_for::<$e_type>(),
            }),+];

            /// The stored number.
            pub const fn kind(&self) -> u16 { match self { $(Event::$e_variant(_) => $e_number),+ } }

            /// `module.past_participle`.
            pub const fn name(&self) -> &'static str { match self { $(Event::$e_variant(_) => $e_name),+ } }

            /// Appends the stored form.
            pub fn encode(&self, bytes: &mut Vec<u8>) {
                codec::encode_kind(self.kind(), bytes, |bytes| match self {
                    $(Event::$e_variant(event) => codec::encode_into(event, bytes)),+
                });
            }

            /// Reads a stored event from the front of the bytes.
            pub fn decode(bytes: &mut &[u8]) -> Result<Event, CodecFault> {
                let (kind, body) = codec::decode_kind(bytes, "an event")?;
                match kind {
                    $($e_number => codec::decode_all::<$e_type>(body, $e_name).map(Event::$e_variant),)+
                    kind => Err(CodecFault::UnknownKind { kind }),
                }
            }
        }

        impl Fact for Event {
            fn subjects(&self, each: &mut dyn FnMut(Subject<'_>)) {
                match self { $(Event::$e_variant(event) => event.subjects(each)),+ }
            }
            fn movements(&self, each: &mut dyn FnMut(Movement<'_>)) {
                match self { $(Event::$e_variant(event) => event.movements(each)),+ }
            }
            fn postings(&self, each: &mut dyn FnMut(Posting<'_>)) {
                match self { $(Event::$e_variant(event) => event.postings(each)),+ }
            }
            fn apply(&self, ledger: &mut Ledger, at: &Moment) {
                match self { $(Event::$e_variant(event) => event.apply(ledger, at)),+ }
            }
        }

        impl Serialize for Command {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self { $(Command::$c_variant(command) => command.serialize(serializer)),+ }
            }
        }

        impl Serialize for Event {
            /// The event's fields with its name as `type` before them.
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self { $(Event::$e_variant(event) => Typed { r#type: $e_name, fields: event }.serialize(serializer)),+ }
            }
        }
    };
}

macro_rules! is_public {
    (public) => {
        true
    };
    (internal) => {
        false
    };
}

#[derive(Serialize)]
struct Typed<'e, T> {
    r#type: &'static str,
    #[serde(flatten)]
    fields: &'e T,
}

kinds! {
    commands {
        1 "ledger.create" LedgerCreate(control::Create) internal,
        2 "ledger.start_epoch" LedgerStartEpoch(control::StartEpoch) internal,
        3 "ledger.activate_rules" LedgerActivateRules(control::ActivateRules) public,
        4 "ledger.record_state_hash" LedgerRecordStateHash(control::RecordStateHash) internal,
        100 "items.define" ItemsDefine(items::Define) public,
        101 "items.activate" ItemsActivate(items::Activate) public,
        102 "items.retire" ItemsRetire(items::Retire) public,
        200 "locations.define" LocationsDefine(locations::Define) public,
        300 "customers.define" CustomersDefine(customers::Define) public,
        400 "channels.define" ChannelsDefine(channels::Define) public,
        500 "stock.receive" StockReceive(stock::Receive) public,
        501 "stock.open" StockOpen(stock::Open) public,
        502 "stock.adjust" StockAdjust(stock::Adjust) public,
        503 "stock.change_status" StockChangeStatus(stock::ChangeStatus) public,
        504 "stock.reserve" StockReserve(stock::Reserve) public,
        505 "stock.unreserve" StockUnreserve(stock::Unreserve) public,
        506 "stock.write_off" StockWriteOff(stock::WriteOff) public,
        507 "stock.expire_reservation" StockExpireReservation(stock::ExpireReservation) internal,
        600 "orders.place" OrdersPlace(orders::Place) public,
        601 "orders.hold" OrdersHold(orders::Hold) public,
        602 "orders.clear_hold" OrdersClearHold(orders::ClearHold) public,
        603 "orders.release" OrdersRelease(orders::Release) public,
        604 "orders.allocate" OrdersAllocate(orders::Allocate) public,
        605 "orders.cancel" OrdersCancel(orders::Cancel) public,
        606 "orders.set_hold_limit" OrdersSetHoldLimit(orders::SetHoldLimit) public,
        607 "orders.expire_hold" OrdersExpireHold(orders::ExpireHold) internal,
        608 "orders.close" OrdersClose(orders::Close) public,
        609 "orders.set_archiving" OrdersSetArchiving(orders::SetArchiving) public,
        610 "orders.archive" OrdersArchive(archiving::Archive) internal,
        700 "payments.capture" PaymentsCapture(payments::Capture) public,
        701 "payments.refund" PaymentsRefund(payments::Refund) public,
        800 "fulfilment.plan" FulfilmentPlan(fulfilment::Plan) public,
        801 "fulfilment.pick" FulfilmentPick(fulfilment::Pick) public,
        802 "fulfilment.pack" FulfilmentPack(fulfilment::Pack) public,
        803 "fulfilment.ship" FulfilmentShip(fulfilment::Ship) public,
        804 "fulfilment.deliver" FulfilmentDeliver(fulfilment::Deliver) public,
        900 "returns.authorise" ReturnsAuthorise(returns::Authorise) public,
        901 "returns.receive" ReturnsReceive(returns::Receive) public,
        902 "returns.inspect" ReturnsInspect(returns::Inspect) public,
        903 "returns.disposition" ReturnsDisposition(returns::Disposition) public,
        904 "returns.refund" ReturnsRefund(returns::Refund) public,
        905 "returns.expire" ReturnsExpire(returns::Expire) internal,
        906 "returns.set_window" ReturnsSetWindow(returns::SetWindow) public,
        1000 "finance.post_manual" FinancePostManual(finance::PostManual) public,
    }
    events {
        1 "ledger.created" LedgerCreated(control::Created),
        2 "ledger.epoch_started" LedgerEpochStarted(control::EpochStarted),
        3 "ledger.rules_activated" LedgerRulesActivated(control::RulesActivated),
        4 "ledger.state_hash_recorded" LedgerStateHashRecorded(control::StateHashRecorded),
        100 "items.defined" ItemsDefined(items::Defined),
        101 "items.activated" ItemsActivated(items::Activated),
        102 "items.retired" ItemsRetired(items::Retired),
        200 "locations.defined" LocationsDefined(locations::Defined),
        300 "customers.defined" CustomersDefined(customers::Defined),
        400 "channels.defined" ChannelsDefined(channels::Defined),
        500 "stock.received" StockReceived(stock::Received),
        501 "stock.opened" StockOpened(stock::Opened),
        502 "stock.adjusted" StockAdjusted(stock::Adjusted),
        503 "stock.status_changed" StockStatusChanged(stock::StatusChanged),
        504 "stock.reserved" StockReserved(stock::Reserved),
        505 "stock.unreserved" StockUnreserved(stock::Unreserved),
        506 "stock.written_off" StockWrittenOff(stock::WrittenOff),
        507 "stock.reservation_expired" StockReservationExpired(stock::ReservationExpired),
        600 "orders.placed" OrdersPlaced(orders::Placed),
        601 "orders.held" OrdersHeld(orders::Held),
        602 "orders.hold_cleared" OrdersHoldCleared(orders::HoldCleared),
        603 "orders.released" OrdersReleased(orders::Released),
        604 "orders.allocated" OrdersAllocated(orders::Allocated),
        605 "orders.cancelled" OrdersCancelled(orders::Cancelled),
        606 "orders.backordered" OrdersBackordered(orders::Backordered),
        607 "orders.refused" OrdersRefused(orders::Refused),
        608 "orders.invoiced" OrdersInvoiced(orders::Invoiced),
        609 "orders.completed" OrdersCompleted(orders::Completed),
        610 "orders.hold_limit_set" OrdersHoldLimitSet(orders::HoldLimitSet),
        611 "orders.hold_expired" OrdersHoldExpired(orders::HoldExpired),
        612 "orders.closed" OrdersClosed(orders::Closed),
        613 "orders.archiving_set" OrdersArchivingSet(orders::ArchivingSet),
        614 "orders.archived" OrdersArchived(archiving::Archived),
        615 "orders.archiving_postponed" OrdersArchivingPostponed(archiving::ArchivingPostponed),
        700 "payments.captured" PaymentsCaptured(payments::Captured),
        701 "payments.refunded" PaymentsRefunded(payments::Refunded),
        800 "fulfilment.planned" FulfilmentPlanned(fulfilment::Planned),
        801 "fulfilment.picked" FulfilmentPicked(fulfilment::Picked),
        802 "fulfilment.packed" FulfilmentPacked(fulfilment::Packed),
        803 "fulfilment.shipped" FulfilmentShipped(fulfilment::Shipped),
        804 "fulfilment.delivered" FulfilmentDelivered(fulfilment::Delivered),
        900 "returns.authorised" ReturnsAuthorised(returns::Authorised),
        901 "returns.received" ReturnsReceived(returns::Received),
        902 "returns.inspected" ReturnsInspected(returns::Inspected),
        903 "returns.dispositioned" ReturnsDispositioned(returns::Dispositioned),
        904 "returns.refunded" ReturnsRefunded(returns::Refunded),
        905 "returns.expired" ReturnsExpired(returns::Expired),
        906 "returns.window_set" ReturnsWindowSet(returns::WindowSet),
        1000 "finance.posted_manually" FinancePostedManually(finance::PostedManually),
    }
}
