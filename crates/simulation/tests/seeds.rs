//! Seeds are run for a while with every change; those that once failed are run for ever, though what a seed does changes
//! with the workload: then the name says what was found, and the run is another.

use std::time::{Duration, Instant};

use simulation::{Options, Report, Snapshots, Timed, run};

/// Seconds for new seeds of each kind; `SIMULATION_SECONDS` says otherwise.
const SECONDS: u64 = 12;

#[track_caller]
fn holds(seed: u64, options: Options) -> Report {
    run(seed, options).unwrap_or_else(|violation| {
        let cluster = if options.cluster { " --cluster" } else { "" };
        panic!("seed {seed}: {violation}\nrun it again: cargo run -p simulation --{cluster} --seed {seed} -v")
    })
}

/// As many seeds as time allows; what came of each.
fn hold(options: Options) -> Vec<Report> {
    let said = std::env::var("SIMULATION_SECONDS").ok().and_then(|text| text.parse().ok());
    let (begun, time) = (Instant::now(), Duration::from_secs(said.unwrap_or(SECONDS)));
    (0..).take_while(|_| begun.elapsed() < time).map(|seed| holds(seed, options)).collect()
}

#[test]
fn the_same_seed_is_the_same_run() {
    for cluster in [false, true] {
        let options = Options { commands: 120, cluster, ..Options::default() };
        for seed in [1, 2] {
            let once = holds(seed, options);
            assert_eq!(once, holds(seed, options), "seed {seed}");
            assert!(once.answers > 0 && once.accepted > 0, "seed {seed} answers what it is asked");
        }
        assert_ne!(holds(1, options).digest, holds(2, options).digest);
    }
}

#[test]
fn a_process_on_a_disk_holds() {
    let reports = hold(Options::default());
    let deaths: u64 = reports.iter().map(|report| report.deaths).sum();
    assert!(reports.len() < 20 || deaths > 0, "{} seeds, and no process died", reports.len());
    let detected: u64 = reports.iter().map(|report| report.detected).sum();
    assert!(reports.len() < 100 || detected > 0, "{} seeds, and no damage was found", reports.len());
    let mut all = Report::default();
    reports.iter().for_each(|report| all.add(report));
    let Snapshots { taken, used, left_aside } = all.snapshots;
    let some_of_all = taken.min(used).min(left_aside);
    assert!(
        reports.len() < 100 || some_of_all > 0,
        "{} seeds, snapshots: {:?}",
        reports.len(),
        all.snapshots
    );
    let Timed { claims, returns, holds, archived } = all.timed;
    let every_kind = claims.min(returns).min(holds).min(archived);
    assert!(
        reports.len() < 100 || every_kind > 0,
        "{} seeds, and of some kind nothing fell due",
        reports.len()
    );
}

#[test]
fn a_cluster_on_a_replicated_stream_holds() {
    let reports = hold(Options { cluster: true, ..Options::default() });
    let refused: u64 = reports.iter().map(|report| report.fenced).sum();
    assert!(reports.len() < 20 || refused > 0, "{} seeds, and no stale writer was refused", reports.len());
}

#[test]
fn two_instances_that_take_the_ledger_at_once_record_different_frames() {
    holds(64, Options { cluster: true, ..Options::default() });
}

#[test]
fn an_instance_whose_clock_is_behind_takes_claims_and_ends_them_by_its_own_time() {
    holds(38, Options { cluster: true, ..Options::default() });
}

#[test]
fn claims_end_though_their_units_go_back_into_a_bucket_that_is_full() {
    holds(449, Options { cluster: true, ..Options::default() });
}

#[test]
fn a_bucket_at_its_limit_is_asked_for_more_than_it_has_within_what_a_quantity_can_say() {
    holds(6912, Options::default());
}

#[test]
fn a_segment_header_whose_write_was_lost_is_found_by_the_scrub() {
    holds(1940, Options::default());
}

#[test]
fn a_frame_that_is_passed_over_for_a_header_read_wrong_is_found_missing() {
    holds(3947, Options::default());
}
