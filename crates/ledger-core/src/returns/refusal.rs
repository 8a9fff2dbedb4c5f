//! Why the returns desk says no.

use super::Grade;
use crate::refusals;
use crate::values::{Amount, ChannelId, LocationId, OrderId, Quantity, RefundId, ReturnId, Sku, Timestamp};

refusals! {
    /// Why the returns desk says no.
    pub enum Refusal {
        /// A return id is used once.
        #[error("return {rma} is already there")]
        ReturnExists {
            /// The return.
            #[serde(rename = "return")]
            rma: ReturnId,
        },
        /// Nobody authorised or received that return.
        #[error("return {rma} was never authorised or received")]
        UnknownReturn {
            /// The return.
            #[serde(rename = "return")]
            rma: ReturnId,
        },
        /// The return has no such line.
        #[error("return {rma} has no line {line}")]
        UnknownReturnLine {
            /// The return.
            #[serde(rename = "return")]
            rma: ReturnId,
            /// The line's number on the return.
            line: u16,
        },
        /// The return was authorised for another order.
        #[error("return {rma} is of order {order}")]
        ReturnOfAnotherOrder {
            /// The return.
            #[serde(rename = "return")]
            rma: ReturnId,
            /// The order it is of.
            order: OrderId,
        },
        /// A document has a line.
        #[error("no line is named, one or more are wanted")]
        NoLines {},
        /// The limit of the contract.
        #[error("{lines} lines and charges, at most {lines_max} are allowed: send the document in parts")]
        DocumentTooLarge {
            /// Lines and charges.
            lines: usize,
            /// The limit.
            lines_max: usize,
        },
        /// One line twice in one command.
        #[error("line {line} stands twice")]
        LineTwice {
            /// The line's number.
            line: u16,
        },
        /// An authorisation runs out later than it is given.
        #[error("return {rma} would expire at {expires_at}, wanted a time after {now}")]
        ExpiryNotAhead {
            /// The return.
            #[serde(rename = "return")]
            rma: ReturnId,
            /// What was given.
            expires_at: Timestamp,
            /// When it is authorised.
            now: Timestamp,
        },
        /// Nothing that was authorised is still to come.
        #[error("return {rma}: nothing is awaited")]
        NothingAwaited {
            /// The return.
            #[serde(rename = "return")]
            rma: ReturnId,
        },
        /// A return expires once its time is over.
        #[error("return {rma} {}, and the ledger's time is {log_time}", match expires_at { Some(at) => format!("is awaited until {at}"), None => "is awaited without an end".to_owned() })]
        ReturnNotDue {
            /// The return.
            #[serde(rename = "return")]
            rma: ReturnId,
            /// Until when it is awaited.
            expires_at: Option<Timestamp>,
            /// The ledger's time.
            log_time: Timestamp,
        },
        /// Only what left us lately, and neither came back nor may do so already, may come back.
        #[error("order {order} line {line}: {shipped} shipped, {in_window} within the return window, {authorised} authorised, {returned} returned; {wanted} more wanted")]
        ReturnNotEligible {
            /// The order.
            order: OrderId,
            /// The line's number.
            line: u16,
            /// Units that left us and were not lost.
            shipped: Quantity,
            /// Units shipped within the item's return window.
            in_window: Quantity,
            /// Units of open authorisations.
            authorised: Quantity,
            /// Units that came back.
            returned: Quantity,
            /// What was asked for.
            wanted: Quantity,
        },
        /// The rest of a return comes to where its first part came.
        #[error("return {rma} came to {location}")]
        ReturnElsewhere {
            /// The return.
            #[serde(rename = "return")]
            rma: ReturnId,
            /// Where its first part came.
            location: LocationId,
        },
        /// Each line received against an authorisation says which line of the return it is.
        #[error("return {rma}: a line names neither the return's line nor an item")]
        LineNotNamed {
            /// The return.
            #[serde(rename = "return")]
            rma: ReturnId,
        },
        /// Each line of a blind return names an item.
        #[error("line {line} names no item: without an authorised return or an order, `sku` is wanted")]
        ItemNotNamed {
            /// Its place in the command, from 1.
            line: u16,
        },
        /// More than was authorised, or another item, comes as a blind return.
        #[error("return {rma}: {authorised} of {sku} authorised, {received} received, {wanted} more came; take what is over in as a blind return")]
        MoreThanAuthorised {
            /// The return.
            #[serde(rename = "return")]
            rma: ReturnId,
            /// The item.
            sku: Sku,
            /// Units authorised.
            authorised: Quantity,
            /// Units that came before.
            received: Quantity,
            /// Units that came now.
            wanted: Quantity,
        },
        /// Only what came is looked at, and once.
        #[error("return {rma} line {line}: {uninspected} to be inspected, {wanted} wanted")]
        MoreThanReceived {
            /// The return.
            #[serde(rename = "return")]
            rma: ReturnId,
            /// The line's number on the return.
            line: u16,
            /// Units received and not looked at.
            uninspected: Quantity,
            /// What was asked for.
            wanted: Quantity,
        },
        /// Only what was found in that condition finds a way, and once.
        #[error("return {rma} line {line}: {undecided} of grade {grade} undecided, {wanted} wanted")]
        MoreThanInspected {
            /// The return.
            #[serde(rename = "return")]
            rma: ReturnId,
            /// The line's number on the return.
            line: u16,
            /// The condition.
            grade: Grade,
            /// Units inspected with that grade and not dispositioned.
            undecided: Quantity,
            /// What was asked for.
            wanted: Quantity,
        },
        /// A refund id is used once.
        #[error("refund {refund} is already granted")]
        RefundExists {
            /// The refund.
            refund: RefundId,
        },
        /// A refund that names no order names its channel.
        #[error("refund {refund} names no order, so `channel` is wanted")]
        ChannelNotNamed {
            /// The refund.
            refund: RefundId,
        },
        /// The order came from another channel.
        #[error("order {order} came from channel {channel}")]
        OrderOfAnotherChannel {
            /// The order.
            order: OrderId,
            /// Its channel.
            channel: ChannelId,
        },
        /// Numbers of lines and charges are those of an order.
        #[error("refund {refund} names {part} {number} and no order")]
        OrderNotNamed {
            /// The refund.
            refund: RefundId,
            /// A line or a charge.
            part: String,
            /// Its number.
            number: u16,
        },
        /// A refund of an order says which line of it.
        #[error("order {order}: a refund names its lines by number")]
        OrderLineNotNamed {
            /// The order.
            order: OrderId,
        },
        /// The order's line is of another item.
        #[error("order {order} line {line} is of {sku}")]
        ItemOfAnotherLine {
            /// The order.
            order: OrderId,
            /// The line's number.
            line: u16,
            /// The line's item.
            sku: Sku,
        },
        /// The order has no such charge.
        #[error("order {order} has no charge {charge}")]
        UnknownCharge {
            /// The order.
            order: OrderId,
            /// The number or kind that was given.
            charge: String,
        },
        /// A refunded charge is named by its number on the order, or by its kind.
        #[error("a charge names neither its number on the order nor its kind")]
        ChargeNotNamed {},
        /// Without an order, or without units, nothing says how much.
        #[error("line {line}: `amount` is wanted, nothing else says how much")]
        AmountNotGiven {
            /// Its place in the command, from 1.
            line: u16,
        },
        /// Units are refunded once, and only when they left us or were cancelled.
        #[error("order {order} line {line}: {refundable} units can be refunded, {wanted} wanted")]
        MoreThanRefundable {
            /// The order.
            order: OrderId,
            /// The line's number.
            line: u16,
            /// Units shipped or cancelled and not refunded.
            refundable: Quantity,
            /// What was asked for.
            wanted: Quantity,
        },
        /// A refund for a return covers what comes back with it.
        #[error("return {rma}: {units} units, {refunded} refunded, {wanted} more wanted")]
        MoreThanReturned {
            /// The return.
            #[serde(rename = "return")]
            rma: ReturnId,
            /// Units authorised or received.
            units: Quantity,
            /// Units refunded before.
            refunded: Quantity,
            /// What was asked for.
            wanted: Quantity,
        },
        /// The item does not come back with that return.
        #[error("return {rma} has no {sku}")]
        ItemNotReturned {
            /// The return.
            #[serde(rename = "return")]
            rma: ReturnId,
            /// The item.
            sku: Sku,
        },
        /// Never more is given back than was invoiced or paid.
        #[error("order {order} {part}: {refundable} can be refunded, {wanted} wanted")]
        RefundExceedsPaid {
            /// The order.
            order: OrderId,
            /// The line or charge.
            part: String,
            /// What was invoiced or paid of it and not refunded.
            refundable: Amount,
            /// What was asked for.
            wanted: Amount,
        },
        /// A refund is of something.
        #[error("refund {refund} is of nothing")]
        NothingToRefund {
            /// The refund.
            refund: RefundId,
        },
        /// The fee is taken out of what is given back.
        #[error("refund {refund}: a restocking fee of {restocking_fee} is more than the {granted} granted")]
        FeeExceedsRefund {
            /// The refund.
            refund: RefundId,
            /// The fee.
            restocking_fee: Amount,
            /// What is granted.
            granted: Amount,
        },
    }
}
