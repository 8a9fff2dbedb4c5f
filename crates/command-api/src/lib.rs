//! The running service: the writer, and the doors that lead to it.

pub mod writer;

mod invalid;
mod position;
pub mod reply;
pub mod request;

pub use invalid::Invalid;
pub use position::Position;
pub use reply::Reply;
pub use request::{Batch, Envelope};
pub use writer::{Answer, Request};
