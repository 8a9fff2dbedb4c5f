//! Entries to durable, hash-chained frames and back.
