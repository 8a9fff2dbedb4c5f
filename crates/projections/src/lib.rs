//! Read models: what the ledger answers when it is asked.
