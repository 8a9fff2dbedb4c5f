//! What the binary is made of, so that tests and benchmarks can use it too.

pub mod archive;
pub mod backup;
pub mod bench;
pub mod cli;
pub mod demo;
pub mod doctor;
pub mod door;
pub mod import;
pub mod subcommands;

/// Answers are freed by another thread than the one that made them: this allocator takes no lock for that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
