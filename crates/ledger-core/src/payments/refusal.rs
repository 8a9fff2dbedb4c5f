//! Why a payment is refused.

use crate::refusals;
use crate::values::{Amount, OrderId, PaymentId, RefundId};

refusals! {
    /// Why a payment is refused.
    pub enum Refusal {
        /// A payment id is used once, whichever way the money went.
        #[error("payment {payment} is already recorded")]
        PaymentExists {
            /// The payment.
            payment: PaymentId,
        },
        /// Nobody pays more than is left to pay.
        #[error("order {order}: {outstanding} left to pay ({payable} ordered and not cancelled, {captured} captured), {wanted} wanted")]
        CaptureExceedsOrder {
            /// The order.
            order: OrderId,
            /// What was captured so far.
            captured: Amount,
            /// What the order is worth without what was cancelled or refused.
            payable: Amount,
            /// What is left to pay of it.
            outstanding: Amount,
            /// What was to be captured.
            wanted: Amount,
        },
        /// Nobody granted that refund.
        #[error("refund {refund} was never granted: grant it with returns.refund first")]
        UnknownRefund {
            /// The refund.
            refund: RefundId,
        },
        /// Never more is paid than was granted and is open.
        #[error("refund {refund}: {open} open, {wanted} wanted")]
        RefundExceedsClaim {
            /// The refund.
            refund: RefundId,
            /// What is still to be paid of it.
            open: Amount,
            /// What was to be paid.
            wanted: Amount,
        },
    }
}
