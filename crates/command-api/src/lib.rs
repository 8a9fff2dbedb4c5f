//! The running service: the writer, and the doors that lead to it.

pub mod writer;

pub mod describe;
pub mod http;
mod inbox;
mod invalid;
mod ledgers;
pub mod metrics;
pub mod nats;
pub mod reply;
pub mod request;
pub mod service;

pub use inbox::QueueLimits;
pub use invalid::Invalid;
pub use ledgers::Ledgers;
pub use reply::{Outcome, Reply};
pub use request::{Batch, Envelope};
pub use service::{Fault, Offered, Options, Service};
pub use writer::{Answer, Request};
