//! `bincard bench` from outside: every bench runs on a small scale and prints its figures, and a ledger in use is refused.

mod support;

use serde_json::Value;
use support::{Ran, bincard, run, tool};

fn figures(bench: &str) -> Vec<Value> {
    let arguments = ["bench", bench, "--orders", "600", "--items", "20", "--runs", "1", "--format", "json"];
    let mut command = bincard(&arguments);
    if ["nats", "jetstream"].contains(&bench) {
        command.env("NATS_SERVER", tool("NATS_SERVER", "nats-server").unwrap_or_default());
    }
    let report = Ran::of(command.output().expect("the binary was built for this test")).ended(0).json();
    assert!(report["machine"]["cores"].as_u64() > Some(0), "{report}");
    report["rows"].as_array().cloned().unwrap_or_default()
}

#[track_caller]
fn has(rows: &[Value], figure: &str) {
    let found = rows.iter().find(|row| row["figure"].as_str().is_some_and(|name| name.contains(figure)));
    let median = found.and_then(|row| row["median"].as_f64());
    assert!(median.is_some_and(|median| median >= 0.0), "{figure}: {rows:?}");
}

#[test]
fn durable_tells_the_disk_one_in_flight_and_the_race() {
    let rows = figures("durable");
    for figure in [
        "the disk alone: write and fdatasync of 4 KiB, p50",
        "the journal: a frame of 64 KiB, p50",
        "in process: batches of 500",
        "one command in flight, p50",
        "one command in flight, p99",
        "units sold beyond the stock",
    ] {
        has(&rows, figure);
    }
}

#[test]
fn both_doors_are_measured_by_batches_and_singles() {
    for (bench, door) in [("http", "over HTTP"), ("nats", "over NATS")] {
        let rows = figures(bench);
        if rows.iter().any(|row| row["remark"].as_str().is_some_and(|remark| remark.starts_with("SKIPPED"))) {
            println!("skipped: {rows:?}");
            continue;
        }
        for figure in ["batches of 500", "one ", "one command in flight, p50"] {
            has(&rows, &format!("{door}: {figure}"));
        }
    }
}

#[test]
fn the_journal_as_a_stream_and_the_feed_are_measured() {
    let rows = figures("jetstream");
    if rows.iter().any(|row| row["remark"].as_str().is_some_and(|remark| remark.starts_with("SKIPPED"))) {
        println!("skipped: {rows:?}");
        return;
    }
    for figure in ["one server, every message synced", "three servers", "feed, one server, synced every two"]
    {
        has(&rows, figure);
    }
}

#[test]
fn histories_and_queries_are_measured() {
    let rows = figures("replay");
    has(&rows, "replay verify");
    has(&rows, "replay rebuild");
    has(&figures("start"), "until the first command is durable");
    let rows = figures("query");
    has(&rows, "query, idle: an order by its id, p99");
    has(&rows, "query, under load: a board's first page, two filters, p99");
}

#[test]
fn a_ledger_that_is_in_use_is_not_measured() {
    let refused = run(&["bench", "http", "--http", "http://127.0.0.1:1"]).ended(2);
    refused.said(&["--ledger main", "whose name begins with bench"]);
}
