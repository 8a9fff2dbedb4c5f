//! `bincard doctor`: what is wrong with this set-up, in words.

use std::io;

use serde_json::Value;

use crate::cli::{DoctorArgs, Failure, exit, print_rows};
use crate::doctor::{self, Level};

/// Prints what was found, the worst first, and gives the exit status: 1 if anything is bad.
pub(super) async fn run(ledger: &str, args: DoctorArgs) -> Result<u8, Failure> {
    let mut findings = doctor::examine(ledger, &args.serve).await;
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.level));
    let rows: Vec<Value> =
        findings.iter().map(|finding| serde_json::to_value(finding).expect("a finding is text")).collect();
    print_rows(&rows, args.format, &mut io::stdout().lock())?;
    let is_bad = findings.iter().any(|finding| finding.level == Level::Bad);
    Ok(if is_bad { exit::REFUSED } else { exit::DONE })
}
