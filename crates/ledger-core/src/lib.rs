//! The pure ledger: commands, events, rules, and the state they fold into.
