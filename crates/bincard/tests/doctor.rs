//! The doctor, at ledgers that are well and at ones that are not.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod support;

use std::net::TcpListener;

use serde_json::Value;
use support::{Served, nats_with, run};

fn finding<'f>(findings: &'f Value, check: &str, level: &str) -> &'f Value {
    let found =
        findings.as_array().unwrap().iter().find(|row| row["check"] == check && row["level"] == level);
    found.unwrap_or_else(|| panic!("no {level} {check} in {findings:#}"))
}

#[test]
fn a_ledger_that_is_well_is_called_so_before_its_first_start_while_it_runs_and_after() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();
    let look = |more: &[&str]| {
        run(&[&["doctor", "--data", data, "--http", "127.0.0.1:0", "--format", "json"][..], more].concat())
    };
    let before = look(&[]).ended(0).json();
    assert!(finding(&before, "journal", "good")["found"].as_str().unwrap().contains("first start"));
    assert!(!folder.path().join("data").exists(), "it changes nothing");

    let configuration = format!("jetstream {{ store_dir: {:?} }}", folder.path().join("nats/js"));
    let Some((_nats, url)) = nats_with(&folder.path().join("nats"), &configuration) else { return };
    let service = Served::start(folder.path().join("data").as_path(), &["--nats", &url]);
    let during = look(&["--nats", &url]).ended(0).json();
    assert!(finding(&during, "journal", "good")["found"].as_str().unwrap().contains(&service.http));
    finding(&during, "nats", "good");
    let version = finding(&during, "version", "good")["found"].as_str().unwrap();
    assert!(version.contains("the service that runs"), "{version}");
    finding(&during, "nats max_payload", "good");
    finding(&during, "nats name", "good");
    assert_eq!(service.process.terminate(), Some(0));

    let after = look(&["--nats", &url]).ended(0);
    assert!(
        finding(&after.json(), "journal", "good")["found"]
            .as_str()
            .unwrap()
            .contains("footer are whole, up to 1.2")
    );
    finding(&after.json(), "rules", "good");
    assert!(finding(&after.json(), "snapshots", "good")["found"].as_str().unwrap().contains("none"));
    let table = run(&["doctor", "--data", data, "--http", "127.0.0.1:0"]).ended(0);
    assert!(
        table.out.contains("footer are whole, up to 1.2") && table.out.contains("sync time"),
        "{}",
        table.out
    );
}

#[test]
fn what_is_wrong_is_named_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    run(&["send", "items.define", "sku=A", "name=Tea", "--data", data]).ended(0);
    run(&["send", "items.define", "sku=B", "name=Tea", "--data", data]).ended(0);
    let segment = folder.path().join("main/journal/00000000000000000001.seg");
    let mut bytes = std::fs::read(&segment).unwrap();
    bytes[300] ^= 1;
    std::fs::write(&segment, &bytes).unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let Some((_nats, url)) = nats_with(&folder.path().join("nats"), "max_payload: 64KB") else { return };
    let arguments = ["doctor", "--data", data, "--http", &address, "--nats", &url, "--format", "json"];
    let found = run(&arguments).ended(1).json();
    for (check, word) in [
        ("journal", "bincard restore"),
        ("http address", "another --http"),
        ("nats max_payload", "max_payload to"),
    ] {
        let advice = finding(&found, check, "bad")["advice"].as_str().unwrap();
        assert!(advice.contains(word), "{check}: {advice}");
    }
    assert!(finding(&found, "jetstream", "note")["advice"].as_str().unwrap().contains("sync_interval"));

    let open = run(&["doctor", "--data", data, "--http", "0.0.0.0:0", "--format", "json"]).ended(1).json();
    assert!(finding(&open, "authentication", "bad")["advice"].as_str().unwrap().contains("--auth-key"));
    finding(&open, "encryption", "note");
    let nobody = ["doctor", "--data", data, "--nats", "nats://127.0.0.1:9", "--format", "json"];
    finding(&run(&nobody).ended(1).json(), "nats", "bad");
}

#[test]
fn snapshots_are_tried_out_before_a_start_relies_on_them() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let service = Served::start(folder.path(), &["--snapshot-every", "4"]);
    for sku in 0..8 {
        let address = format!("{}/v1/commands/items.define", service.http);
        let body = format!("{{\"sku\": \"S{sku}\", \"name\": \"Tea\"}}");
        ureq::post(address).header("Content-Type", "application/json").send(body).unwrap();
    }
    assert_eq!(service.process.terminate(), Some(0));
    let look =
        || run(&["doctor", "--data", data, "--http", "127.0.0.1:0", "--format", "json"]).ended(0).json();
    let found = look();
    let found = finding(&found, "snapshots", "good")["found"].as_str().unwrap().to_owned();
    assert!(found.contains("a start begins with that of sequence"), "{found}");

    let mut snapshots: Vec<_> = std::fs::read_dir(folder.path().join("main/snapshots"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    snapshots.sort();
    let mut bytes = std::fs::read(snapshots.last().unwrap()).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(snapshots.last().unwrap(), bytes).unwrap();
    let found = look();
    let found = finding(&found, "snapshots", "note")["found"].as_str().unwrap().to_owned();
    assert!(found.contains("cannot be used") || found.contains("none of"), "{found}");
}

#[test]
fn a_journal_that_is_a_stream_is_opened_and_its_copies_and_syncs_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let configuration = format!("jetstream {{ store_dir: {:?} }}", folder.path().join("nats/js"));
    let Some((_nats, url)) = nats_with(&folder.path().join("nats"), &configuration) else { return };
    let data = folder.path().join("data");
    let shared = ["--journal", "jetstream", "--nats", &url];
    let look = |more: &[&str]| {
        let whose = ["doctor", "--data", data.to_str().unwrap(), "--http", "127.0.0.1:0", "--format", "json"];
        run(&[&whose[..], &shared, more].concat())
    };
    let before = look(&[]).ended(0).json();
    let found = finding(&before, "journal", "good")["found"].as_str().unwrap().to_owned();
    assert!(found.contains("no stream BINCARD_main_JOURNAL yet"), "{found}");
    assert_eq!(finding(&look(&[]).ended(0).json(), "journal", "good")["found"], found, "it makes no stream");

    let service = Served::start(&data, &shared);
    ureq::post(format!("{}/v1/commands/items.define", service.http))
        .header("Content-Type", "application/json")
        .send(r#"{"sku": "A", "name": "Tea"}"#)
        .unwrap();
    let found = look(&["--replicas", "3"]).ended(0).json();
    let journal = finding(&found, "journal", "good")["found"].as_str().unwrap();
    assert!(journal.contains("stream BINCARD_main_JOURNAL, whole up to 1.3"), "{journal}");
    finding(&found, "rules", "good");
    let copies = finding(&found, "replicas", "note");
    assert!(copies["found"].as_str().unwrap().contains("1 of 3 copies"), "{copies}");
    assert!(copies["advice"].as_str().unwrap().contains("--replicas 3"), "{copies}");
    assert!(finding(&found, "sync", "note")["found"].as_str().unwrap().contains("power cut"));
    finding(&found, "nats name", "good");

    let nobody = ["doctor", "--journal", "jetstream", "--nats", "nats://127.0.0.1:9", "--format", "json"];
    finding(&run(&nobody).ended(1).json(), "journal", "bad");
}
