//! What the binary is made of, so that tests and benchmarks can use it too.

pub mod allocator;
pub mod archive;
pub mod backup;
pub mod bench;
pub mod cli;
pub mod demo;
pub mod doctor;
pub mod door;
pub mod import;
pub mod subcommands;
