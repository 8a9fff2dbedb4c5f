//! Examples and crash images of the file journal.
