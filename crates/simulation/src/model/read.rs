//! Reading the JSON of commands, and the rule by which money is divided.

use serde_json::Value;

pub(super) fn text<'v>(body: &'v Value, field: &str) -> &'v str {
    opt_text(body, field).unwrap_or_default()
}

pub(super) fn opt_text<'v>(body: &'v Value, field: &str) -> Option<&'v str> {
    body[field].as_str()
}

/// The id that the body gives, or the one that was assigned.
pub(super) fn id(body: &Value, field: &str, assigned: &str) -> String {
    opt_text(body, field).unwrap_or(assigned).to_owned()
}

pub(super) fn units(body: &Value, field: &str) -> i64 {
    opt_units(body, field).unwrap_or_default()
}

pub(super) fn opt_units(body: &Value, field: &str) -> Option<i64> {
    body[field].as_i64()
}

/// A list, empty where there is none.
pub(super) fn list<'v>(body: &'v Value, field: &str) -> &'v [Value] {
    body[field].as_array().map_or(&[], Vec::as_slice)
}

/// Minor units of an amount, nothing where there is none.
pub(super) fn minor(body: &Value, field: &str) -> i64 {
    opt_minor(body, field).unwrap_or_default()
}

pub(super) fn opt_minor(body: &Value, field: &str) -> Option<i64> {
    body[field].as_str().map(|text| decimal(text, 2))
}

/// Millionths of a price.
pub(super) fn opt_millionths(body: &Value, field: &str) -> Option<i64> {
    body[field].as_str().map(|text| decimal(text, 6))
}

/// Microseconds of a time.
pub(super) fn opt_time(body: &Value, field: &str) -> Option<i64> {
    body[field].as_str().map(micros)
}

/// Reads `2026-01-02T03:04:05.678901Z` without a calendar library: the proleptic calendar by counting days.
pub(crate) fn micros(text: &str) -> i64 {
    let number = |from: usize, to: usize| text.get(from..to).and_then(|part| part.parse::<i64>().ok());
    let (year, month, day) = (number(0, 4), number(5, 7), number(8, 10));
    let (hour, minute, second) = (number(11, 13), number(14, 16), number(17, 19));
    let parts =
        [year, month, day, hour, minute, second].map(|part| part.expect("the generator writes times"));
    let fraction = text.get(19..).unwrap_or_default().trim_start_matches('.').trim_end_matches('Z');
    let fraction: i64 = format!("{fraction:0<6}").parse().expect("the generator writes fractions");
    let [year, month, day, hour, minute, second] = parts;
    let leap = |year: i64| (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let days_before_year: i64 = (1970..year).map(|year| if leap(year) { 366 } else { 365 }).sum();
    let february = if leap(year) { 29 } else { 28 };
    let lengths = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let days_before_month: i64 = (1..month).zip(lengths).map(|(_, length)| length).sum();
    let days = days_before_year + days_before_month + day - 1;
    (((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000_000 + fraction
}

fn decimal(text: &str, places: usize) -> i64 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction = format!("{fraction:0<places$}");
    format!("{whole}{fraction}").parse().expect("the generator writes decimals that fit")
}

/// `value × share / whole`, rounded half away from zero.
pub(crate) fn round(value: i64, share: i64, whole: i64) -> i64 {
    let exact = i128::from(value) * i128::from(share);
    let (magnitude, divisor) = (exact.unsigned_abs(), i128::from(whole).unsigned_abs());
    let rounded = i64::try_from((magnitude * 2 + divisor) / (divisor * 2)).expect("money fits");
    if (exact < 0) == (whole < 0) { rounded } else { -rounded }
}

/// The share of `units` units in a total over `whole` units, of which `before` units had theirs already.
pub(crate) fn part(total: i64, before: i64, units: i64, whole: i64) -> i64 {
    round(total, before + units, whole) - round(total, before, whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_to_the_microsecond() {
        assert_eq!(micros("1970-01-01T00:00:00Z"), 0);
        assert_eq!(micros("2026-01-01T00:00:00Z"), 1_767_225_600_000_000);
        assert_eq!(micros("2028-03-01T00:00:00.5Z"), 1_835_481_600_500_000);
    }

    #[test]
    fn parts_always_sum_to_the_whole() {
        let parts: Vec<i64> = (0..7).map(|before| part(1000, before, 1, 7)).collect();
        assert_eq!(parts.iter().sum::<i64>(), 1000);
        assert_eq!(round(-5, 1, 2), -3);
    }
}
