//! Rows of figures: the median of the runs with their spread, beside the limit or peer of the same run.

/// Runs of each figure.
pub const RUNS: usize = 5;

/// Prints the median, least and most of several runs of a figure.
pub fn row(name: &str, unit: &str, mut runs: Vec<f64>) -> f64 {
    runs.sort_by(f64::total_cmp);
    let median = runs[runs.len() / 2];
    let (least, most) = (runs[0], runs[runs.len() - 1]);
    println!("{name:<58} {median:>12.1} {unit:<14} ({least:.1} to {most:.1})");
    median
}
