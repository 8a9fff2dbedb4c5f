//! `bincard upgrade-rules`: a newer program decides by newer rules only once somebody says so, and the log says it too.

use std::io::{self, Write};

use ledger_core::control::RULES_KNOWN;
use serde_json::json;

use crate::cli::{DoorArgs, Failure, exit};
use crate::door::{self, Item};

/// Activates the rules, prints the answer, and gives the exit status.
pub(super) async fn run(ledger: &str, to: Option<u32>, door: &DoorArgs) -> Result<u8, Failure> {
    let rules = to.unwrap_or(*RULES_KNOWN.end());
    let command = "ledger.activate_rules".to_owned();
    let item = Item { command, id: None, effective_at: None, body: json!({ "rules": rules }) };
    let door = door::choose(door, ledger).await?;
    let answer = door.send(&item, false).await;
    door.close().await?;
    let answer = answer?;
    let mut out = io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, &answer.json).map_err(io::Error::from)?;
    writeln!(out)?;
    Ok(if answer.is_in() { exit::DONE } else { exit::REFUSED })
}
