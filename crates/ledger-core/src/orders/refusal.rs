//! Why the order book says no.

use super::{HoldReason, OrderState};
use crate::refusals;
use crate::values::{Amount, OrderId, Quantity, Timestamp};

fn listed(holds: &[HoldReason]) -> String {
    holds.iter().map(|reason| reason.as_str()).collect::<Vec<_>>().join(", ")
}

refusals! {
    /// Why the order book says no.
    pub enum Refusal {
        /// An order id is used once.
        #[error("order {order} is already placed")]
        OrderExists {
            /// The order.
            order: OrderId,
        },
        /// Nobody placed that order.
        #[error("order {order} was never placed")]
        UnknownOrder {
            /// The order.
            order: OrderId,
        },
        /// The order left memory; the journal has all of it.
        #[error("order {order} was archived at sequence {sequence}; what comes back of it comes as a blind return")]
        OrderArchived {
            /// The order.
            order: OrderId,
            /// The entry by which it was archived.
            sequence: u64,
        },
        /// An order is archived once that is due.
        #[error("order {order} is not due to be archived, and the ledger's time is {log_time}")]
        ArchivingNotDue {
            /// The order.
            order: OrderId,
            /// The ledger's time.
            log_time: Timestamp,
        },
        /// An order orders something.
        #[error("order {order} has neither lines nor charges")]
        NothingOrdered {
            /// The order.
            order: OrderId,
        },
        /// The limit of the contract.
        #[error("order {order} has {lines} lines and charges, at most {lines_max} are allowed: place it in parts")]
        DocumentTooLarge {
            /// The order.
            order: OrderId,
            /// Lines and charges.
            lines: usize,
            /// The limit.
            lines_max: usize,
        },
        /// What arrives has left before.
        #[error("order {order} would be delivered by {deliver_by}, before it is shipped by {ship_by}")]
        DeliverByBeforeShipBy {
            /// The order.
            order: OrderId,
            /// To be shipped until.
            ship_by: Timestamp,
            /// To be delivered until.
            deliver_by: Timestamp,
        },
        /// One line number twice.
        #[error("order {order}: line {line} stands twice")]
        LineTwice {
            /// The order.
            order: OrderId,
            /// The line's number.
            line: u16,
        },
        /// A discount is at most what it is taken from.
        #[error("order {order} line {line}: the discount of {discount} is more than the gross {gross}")]
        DiscountOverGross {
            /// The order.
            order: OrderId,
            /// The line's number.
            line: u16,
            /// For the whole line.
            discount: Amount,
            /// price × quantity.
            gross: Amount,
        },
        /// One charge number twice.
        #[error("order {order}: charge {charge} stands twice")]
        ChargeTwice {
            /// The order.
            order: OrderId,
            /// The charge's number.
            charge: u16,
        },
        /// An amount of money is beyond ±10^15 minor units.
        #[error("order {order} is worth more than the books can hold")]
        AmountOutOfRange {
            /// The order.
            order: OrderId,
        },
        /// Nothing of the order can be shipped any more.
        #[error("order {order} is {state}: wanted one of which something may still be shipped")]
        OrderNotOpen {
            /// The order.
            order: OrderId,
            /// What it is.
            state: OrderState,
        },
        /// Only a captured order can be released.
        #[error("order {order} is {state}: only a captured order can be released")]
        OrderNotCaptured {
            /// The order.
            order: OrderId,
            /// What it is.
            state: OrderState,
        },
        /// Only a completed order is put away.
        #[error("order {order} is {state}: only a completed order can be closed")]
        OrderNotCompleted {
            /// The order.
            order: OrderId,
            /// What it is.
            state: OrderState,
        },
        /// A hold stands against release.
        #[error("order {order} is held for {}: clear that with orders.clear_hold first", listed(holds))]
        OrderHeld {
            /// The order.
            order: OrderId,
            /// What holds it.
            holds: Vec<HoldReason>,
        },
        /// One hold for one reason.
        #[error("order {order} is already held for {reason}")]
        AlreadyHeld {
            /// The order.
            order: OrderId,
            /// The reason.
            reason: HoldReason,
        },
        /// Nothing to clear.
        #[error("order {order} is not held for {reason}")]
        NotHeldFor {
            /// The order.
            order: OrderId,
            /// The reason.
            reason: HoldReason,
        },
        /// A hold expires once it has stood for as long as it may.
        #[error("order {order} is held for {reason} {}, and the ledger's time is {log_time}", match limit { Some(limit) => format!("until {limit}"), None => "without a limit".to_owned() })]
        HoldNotDue {
            /// The order.
            order: OrderId,
            /// The reason.
            reason: HoldReason,
            /// When its limit is reached.
            limit: Option<Timestamp>,
            /// The ledger's time.
            log_time: Timestamp,
        },
        /// Longer is without a limit.
        #[error("a hold limit of {hours} hours is over {hours_max}: give 0 for without a limit")]
        HoldLimitTooLong {
            /// What was given.
            hours: u32,
            /// The longest.
            hours_max: u32,
        },
        /// Nothing to allocate.
        #[error("order {order} has no units that wait for stock")]
        NothingWaiting {
            /// The order.
            order: OrderId,
        },
        /// Nothing to allocate it from.
        #[error("order {order}: {waiting} units wait for stock, and none of them is available where its channel sells from")]
        NothingAvailable {
            /// The order.
            order: OrderId,
            /// Units that wait.
            waiting: Quantity,
        },
        /// Which lines are to be cancelled?
        #[error("order {order}: lines is empty, name lines to cancel or leave it out to cancel all that is not shipped")]
        NothingToCancel {
            /// The order.
            order: OrderId,
        },
        /// What the warehouse has in its hands is the warehouse's to give back.
        #[error("order {order} line {line}: {picked} already picked, {cancellable} may be cancelled, {wanted} wanted")]
        UnitsAlreadyPicked {
            /// The order.
            order: OrderId,
            /// The line's number.
            line: u16,
            /// Units picked or packed.
            picked: Quantity,
            /// Units that are not.
            cancellable: Quantity,
            /// Units to be cancelled.
            wanted: Quantity,
        },
        /// The order has no such line.
        #[error("order {order} has no line {line}")]
        UnknownLine {
            /// The order.
            order: OrderId,
            /// The line's number.
            line: u16,
        },
        /// A line has fewer units in that bucket.
        #[error("order {order} line {line}: {there} {bucket}, {wanted} wanted")]
        NotEnoughOnLine {
            /// The order.
            order: OrderId,
            /// The line's number.
            line: u16,
            /// The bucket.
            bucket: String,
            /// Units in it.
            there: Quantity,
            /// Units asked for.
            wanted: Quantity,
        },
    }
}
