//! The rules by example, and against a stream whose network loses, repeats, delays and reorders everything.

mod examples;
mod world;
