//! Other systems' trading records, turned into commands: one folder a format.

pub mod online_retail;
