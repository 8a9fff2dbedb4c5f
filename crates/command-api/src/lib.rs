//! The running service: the writer, and the doors that lead to it.
//!
//! Four hops from the bytes that arrive to the business rule that answers them:
//!
//! | hop | look at | it |
//! |---|---|---|
//! | 1 | [`http`] or [`nats`] | takes bytes and headers off the wire |
//! | 2 | [`request`] | makes typed commands of them, once |
//! | 3 | [`writer`] | authorises, dedupes, decides, appends, replies |
//! | 4 | the action's file in `ledger-core` | is the rule |
//!
//! and back: [`reply`] turns the writer's answer into the contract's JSON. [`Service`] holds it together: the queue
//! before the writer, the threads of writer, journal and views. No transport knows a command or view by name:
//! endpoints, paths and [`describe`]d documents come from the tables of kinds and views.

pub mod auth;
pub mod describe;
pub mod durable_inbox;
pub mod feed;
pub mod http;
pub mod metrics;
pub mod nats;
pub mod reply;
pub mod request;
pub mod service;
pub mod writer;

mod events;
mod inbox;
mod invalid;
mod ledgers;
mod traces;

pub use auth::Auth;
pub use inbox::QueueLimits;
pub use invalid::Invalid;
pub use ledgers::Ledgers;
pub use reply::{Outcome, Reply};
pub use request::{Batch, Envelope};
pub use service::{Fault, Offered, Options, Service};
pub use traces::Traces;
pub use writer::{Answer, Request};
