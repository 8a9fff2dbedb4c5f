//! The running service: the writer and the doors that lead to it.
