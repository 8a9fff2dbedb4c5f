//! History tools: log, verify, rebuild, as-of.
