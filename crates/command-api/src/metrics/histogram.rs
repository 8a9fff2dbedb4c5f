//! A histogram that any thread may add to at any time: a few atomic additions, no lock and no memory.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The most buckets a histogram has, the one without an upper bound apart.
const BUCKETS_MAX: usize = 20;

/// What is counted in the buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// Whole things: bytes, entries.
    Count,
    /// Microseconds, shown as seconds.
    Micros,
}

/// How often a value was in each range, and the sum of all.
#[derive(Debug)]
pub(super) struct Histogram {
    unit: Unit,
    /// Upper bounds, inclusive, rising.
    bounds: &'static [u64],
    buckets: [AtomicU64; BUCKETS_MAX + 1],
    sum: AtomicU64,
}

impl Histogram {
    /// An empty one.
    pub(super) fn new(unit: Unit, bounds: &'static [u64]) -> Self {
        assert!(bounds.len() <= BUCKETS_MAX, "the bounds are written in this program");
        Histogram { unit, bounds, buckets: Default::default(), sum: AtomicU64::new(0) }
    }

    /// Counts a value.
    pub(super) fn observe(&self, value: u64) {
        let place = self.bounds.partition_point(|bound| *bound < value);
        self.buckets[place].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(value, Ordering::Relaxed);
    }

    /// Counts a time.
    pub(super) fn observe_time(&self, time: Duration) {
        self.observe(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    }

    /// Writes the Prometheus lines; `labels` are `key="value"` pairs with commas between them.
    pub(super) fn write(&self, name: &str, labels: &str, text: &mut String) {
        let shown = |value: u64| match self.unit {
            Unit::Count => value.to_string(),
            Unit::Micros => format!("{}.{:06}", value / 1_000_000, value % 1_000_000),
        };
        let mut count = 0;
        let mut line = |name: &str, more: &str, value: &str| {
            writeln!(text, "{name}{{{labels}{more}}} {value}").expect("text takes text");
        };
        let bucket = format!("{name}_bucket");
        for (bound, bucket_count) in self.bounds.iter().zip(&self.buckets) {
            count += bucket_count.load(Ordering::Relaxed);
            line(&bucket, &format!(",le=\"{}\"", shown(*bound)), &count.to_string());
        }
        count += self.buckets[self.bounds.len()].load(Ordering::Relaxed);
        line(&bucket, ",le=\"+Inf\"", &count.to_string());
        line(&format!("{name}_sum"), "", &shown(self.sum.load(Ordering::Relaxed)));
        line(&format!("{name}_count"), "", &count.to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_in_every_bucket_that_reaches_it() {
        let histogram = Histogram::new(Unit::Micros, &[100, 1_000, 2_000_000]);
        for micros in [0, 100, 101, 1_500_000, 3_000_000] {
            histogram.observe_time(Duration::from_micros(micros));
        }
        let mut text = String::new();
        histogram.write("wait_seconds", "ledger=\"main\"", &mut text);
        assert_eq!(
            text,
            "wait_seconds_bucket{ledger=\"main\",le=\"0.000100\"} 2\n\
             wait_seconds_bucket{ledger=\"main\",le=\"0.001000\"} 3\n\
             wait_seconds_bucket{ledger=\"main\",le=\"2.000000\"} 4\n\
             wait_seconds_bucket{ledger=\"main\",le=\"+Inf\"} 5\n\
             wait_seconds_sum{ledger=\"main\"} 4.500201\n\
             wait_seconds_count{ledger=\"main\"} 5\n"
        );
    }
}
