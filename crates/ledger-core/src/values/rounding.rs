//! How money is divided: once per line, half away from zero, and so that the parts always sum to the whole.

use super::{Amount, Quantity};

/// `value × share / whole` in minor units, half away from zero; `None` beyond ±10^15 or for a whole of nothing.
pub fn proportion(value: i128, share: i128, whole: i128) -> Option<Amount> {
    if whole == 0 {
        return None;
    }
    let numerator = value.checked_mul(share)?;
    let (magnitude, divisor) = (numerator.unsigned_abs(), whole.unsigned_abs());
    let rounded = i64::try_from((magnitude.checked_mul(2)? + divisor) / (divisor * 2)).ok()?;
    let negative = (numerator < 0) != (whole < 0);
    Amount::try_new(if negative { -rounded } else { rounded })
}

/// The units of a whole that earlier parts took, and those that this part takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cumulated {
    /// Units of the earlier parts.
    pub before: Quantity,
    /// Units of this part.
    pub part: Quantity,
    /// Units of the whole.
    pub whole: Quantity,
}

/// The part rule: `round(total × cumulated quantity / quantity) − the earlier parts`, so that the parts sum to `total`.
pub fn part_of(total: Amount, units: Cumulated) -> Amount {
    let upto = |units_taken: Quantity| {
        proportion(
            i128::from(total.minor_units()),
            i128::from(units_taken.units()),
            i128::from(units.whole.units()),
        )
        .unwrap_or(total)
    };
    upto(units.before + units.part) - upto(units.before)
}

/// Splits `total` over `weights` by the largest remainder, earlier weights first among equals.
/// The shares sum to `total`; without any weight the first takes all.
pub fn shares(total: Amount, weights: &[i64]) -> Vec<Amount> {
    let whole: i128 = weights.iter().map(|w| i128::from(*w)).sum();
    let mut split = vec![Amount::ZERO; weights.len()];
    if whole <= 0 {
        if let Some(first) = split.first_mut() {
            *first = total;
        }
        return split;
    }
    let mut remainders = Vec::with_capacity(weights.len());
    let mut left = i128::from(total.minor_units());
    for (at, weight) in weights.iter().enumerate() {
        let exact = i128::from(total.minor_units()) * i128::from(*weight);
        let floor = exact.div_euclid(whole);
        left -= floor;
        split[at] = i64::try_from(floor).ok().and_then(Amount::try_new).unwrap_or(Amount::ZERO);
        remainders.push((exact.rem_euclid(whole), at));
    }
    remainders.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    let cent = Amount::try_new(1).expect("one minor unit is an amount");
    for (_, at) in remainders.iter().take(usize::try_from(left).unwrap_or(0)) {
        split[*at] += cent;
    }
    split
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn parts_sum_to_the_whole(total in -1_000_000i64..1_000_000, cuts in proptest::collection::vec(1i64..50, 1..20)) {
            let total = Amount::try_new(total).unwrap();
            let whole: Quantity = cuts.iter().map(|c| Quantity::try_new(*c).unwrap()).sum();
            let mut before = Quantity::ZERO;
            let mut sum = Amount::ZERO;
            for cut in cuts {
                let part = Quantity::try_new(cut).unwrap();
                sum += part_of(total, Cumulated { before, part, whole });
                before += part;
            }
            prop_assert_eq!(sum, total);
        }

        #[test]
        fn shares_sum_to_the_whole(total in -1_000_000i64..1_000_000, weights in proptest::collection::vec(0i64..5000, 1..20)) {
            let total = Amount::try_new(total).unwrap();
            prop_assert_eq!(shares(total, &weights).into_iter().sum::<Amount>(), total);
        }
    }
}
