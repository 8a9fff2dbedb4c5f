//! Seeds are run for a while with every change; those that once failed are run for ever.

use std::time::{Duration, Instant};

use simulation::{Options, run};

/// Seconds for new seeds; `SIMULATION_SECONDS` says otherwise.
const SECONDS: u64 = 20;

#[test]
fn the_same_seed_is_the_same_run() {
    for seed in [1, 2, 3] {
        let options = Options { commands: 120, ..Options::default() };
        let (once, again) = (run(seed, options), run(seed, options));
        assert_eq!(once, again, "seed {seed}");
        assert!(once.is_ok_and(|report| report.answers >= 120), "seed {seed} answers what it is asked");
    }
    assert_ne!(run(1, Options::default()), run(2, Options::default()));
}

#[test]
fn as_many_seeds_as_time_allows_hold() {
    let seconds =
        std::env::var("SIMULATION_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(SECONDS);
    let begun = Instant::now();
    let (mut seeds, mut answers, mut deaths) = (0, 0, 0);
    while begun.elapsed() < Duration::from_secs(seconds) {
        let report = run(seeds, Options::default()).unwrap_or_else(|violation| {
            panic!("seed {seeds}: {violation}\nrun it again: cargo run -p simulation -- --seed {seeds} -v")
        });
        (seeds, answers, deaths) = (seeds + 1, answers + report.answers, deaths + report.deaths);
    }
    println!("{seeds} seeds hold: {answers} answers predicted over {deaths} deaths");
    assert!(answers > 0 && (seeds < 20 || deaths > 0), "seeds do something");
}
