//! Measurements, each beside a peer or a limit in the same run.

pub mod orders;
pub mod table;
