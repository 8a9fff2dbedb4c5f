//! The one binary: argument parsing and wiring.
fn main() {}
