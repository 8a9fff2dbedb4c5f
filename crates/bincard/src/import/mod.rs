//! Other systems' trading records, turned into commands: one folder a format; and the way they are sent.

mod planned;

pub mod online_retail;

pub mod delivery;
mod known;

pub use known::{Known, item};
pub use planned::{Move, Planned, Repeat};
