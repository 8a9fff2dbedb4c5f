//! What an import, the demo and a file of commands tell at their end.

use std::io::{self, Write};
use std::time::Duration;

use indicatif::ProgressStyle;

use crate::import::delivery::{Refusals, Tally};

/// A progress bar's style.
pub(super) fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the template is a constant, and right")
}

/// Prints what became of the commands, with examples of every kind of refusal.
pub(super) fn print_tally(tally: &Tally, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "accepted    {:>9}", grouped(tally.accepted))?;
    writeln!(out, "duplicates  {:>9}  (recorded before)", grouped(tally.duplicates))?;
    if tally.kept > 0 {
        writeln!(out, "kept        {:>9}  (set before in other words)", grouped(tally.kept))?;
    }
    if tally.passed_over > 0 {
        writeln!(
            out,
            "passed over {:>9}  (of invoices imported from a file with another history)",
            grouped(tally.passed_over)
        )?;
    }
    writeln!(out, "refused     {:>9}", grouped(tally.refused_count()))?;
    for (code, Refusals { count, examples }) in &tally.refused {
        writeln!(out, "  {code}: {}", grouped(*count))?;
        for example in examples {
            writeln!(out, "    {example}")?;
        }
    }
    Ok(())
}

/// A count with its thousands apart.
pub(super) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A duration as people say it.
pub(super) fn spoken(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    if seconds < 60 {
        format!("{:.1} s", elapsed.as_secs_f64())
    } else {
        format!("{} min {} s", seconds / 60, seconds % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        let texts = [0, 12, 999, 1_000, 177_123, 1_000_000].map(grouped);
        assert_eq!(texts, ["0", "12", "999", "1,000", "177,123", "1,000,000"]);
    }
}
