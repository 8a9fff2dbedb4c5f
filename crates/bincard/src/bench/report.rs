//! Figures with their spread, and the report they stand in.

use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::Plan;
use super::machine::Machine;
use crate::cli::{Format, print_rows};

/// What was measured on which machine with which settings.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Where.
    pub machine: Machine,
    /// How, in words.
    pub settings: String,
    /// The figures.
    pub rows: Vec<Row>,
}

/// A figure: the median of several runs, the least and the most of them.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// What was measured.
    pub figure: String,
    /// The unit of the three values.
    pub unit: &'static str,
    /// The middle run.
    pub median: f64,
    /// The least run.
    pub least: f64,
    /// The greatest run.
    pub most: f64,
    /// How many runs.
    pub runs: usize,
    /// What stands beside it: a ratio, a check, or why it was skipped.
    pub remark: String,
}

impl Row {
    /// The figure of these runs; there is at least one.
    pub fn of(figure: impl Into<String>, unit: &'static str, mut runs: Vec<f64>) -> Row {
        runs.sort_by(f64::total_cmp);
        let at = |place: usize| runs.get(place).copied().unwrap_or(f64::NAN);
        Row {
            figure: figure.into(),
            unit,
            median: at(runs.len() / 2),
            least: at(0),
            most: at(runs.len().saturating_sub(1)),
            runs: runs.len(),
            remark: String::new(),
        }
    }

    /// A figure that could not be measured here, and why.
    pub fn skipped(figure: impl Into<String>, why: impl std::fmt::Display) -> Row {
        Row { remark: format!("SKIPPED: {why}"), ..Row::of(figure, "", Vec::new()) }
    }

    /// With a remark beside it.
    pub fn remarked(self, remark: impl Into<String>) -> Row {
        Row { remark: remark.into(), ..self }
    }
}

impl Report {
    pub(super) fn new(machine: Machine, plan: &Plan) -> Report {
        let Plan { orders, items, runs, .. } = plan;
        let settings = format!(
            "{orders} orders of two lines a run over {items} items, median of {runs} runs; load generator, writer, journal \
             and views share the machine's cores"
        );
        Report { machine, settings, rows: Vec::new() }
    }

    /// Prints the report: a table for people, JSON or CSV for programs.
    pub fn print(&self, format: Format, out: &mut impl Write) -> io::Result<()> {
        match format {
            Format::Json => {
                serde_json::to_writer_pretty(&mut *out, self)?;
                writeln!(out)
            }
            Format::Csv => print_rows(&self.rows.iter().map(plain).collect::<Vec<_>>(), format, out),
            Format::Table => {
                writeln!(out, "{}\n{}", self.machine, self.settings)?;
                print_rows(&self.rows.iter().map(rounded).collect::<Vec<_>>(), format, out)
            }
        }
    }
}

fn plain(row: &Row) -> Value {
    serde_json::to_value(row).expect("a figure is plain JSON")
}

/// Figures as people read them: as many decimals as say something.
fn rounded(row: &Row) -> Value {
    let mut shown = plain(row);
    for name in ["median", "least", "most"] {
        shown[name] = Value::from(shown[name].as_f64().map_or(String::new(), figure));
    }
    shown
}

fn figure(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        ..0.1 => format!("{value:.4}"),
        ..10.0 => format!("{value:.3}"),
        ..1000.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

/// Two figures of one run: the middle one and the one that a hundredth exceeds, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Latencies {
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
}

impl Latencies {
    /// Of at least one latency.
    pub(super) fn of(mut latencies: Vec<Duration>) -> Latencies {
        latencies.sort_unstable();
        let at = |part: f64| {
            let place = ((latencies.len() as f64 - 1.0) * part).round() as usize;
            latencies.get(place).map_or(f64::NAN, |latency| latency.as_secs_f64() * 1e3)
        };
        Latencies { p50_ms: at(0.50), p99_ms: at(0.99) }
    }

    /// The rows of several runs.
    pub(super) fn rows(figure: &str, runs: &[Latencies]) -> [Row; 2] {
        [
            Row::of(format!("{figure}, p50"), "ms", runs.iter().map(|run| run.p50_ms).collect()),
            Row::of(format!("{figure}, p99"), "ms", runs.iter().map(|run| run.p99_ms).collect()),
        ]
    }

    /// The rows of one command in flight, the first beside what the disk alone takes.
    pub(super) fn one_in_flight(door: &str, runs: &[Latencies], sync_ms: f64) -> [Row; 2] {
        let [p50, p99] = Latencies::rows(&format!("{door}: one command in flight"), runs);
        let over = p50.median - sync_ms;
        [p50.remarked(format!("{over:.3} ms over the fdatasync of 4 KiB")), p99]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_the_median_with_its_spread() {
        let row = Row::of("orders", "orders/s", vec![3.0, 9.0, 1.0]);
        assert_eq!((row.least, row.median, row.most, row.runs), (1.0, 3.0, 9.0, 3));
    }

    #[test]
    fn percentiles_are_places_among_the_sorted() {
        let latencies = Latencies::of((0..=100).rev().map(Duration::from_millis).collect());
        assert_eq!((latencies.p50_ms, latencies.p99_ms), (50.0, 99.0));
    }

    #[test]
    fn one_in_flight_is_told_beside_the_disk() {
        let runs = [Latencies { p50_ms: 0.30, p99_ms: 2.0 }];
        let [p50, _] = Latencies::one_in_flight("in process", &runs, 0.10);
        assert_eq!(p50.remark, "0.200 ms over the fdatasync of 4 KiB");
    }
}
