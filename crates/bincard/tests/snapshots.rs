//! kill -9 of a service that is always taking a snapshot: what was acknowledged is there, and the state is the journal's.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod support;

use std::path::Path;
use std::time::Duration;

use support::{Running, Served, bincard, run};

fn send(http: &str, file: &Path) -> Running {
    let file = file.to_str().unwrap();
    Running::start(bincard(&["send", "--file", file, "--http", http]).stdout(std::process::Stdio::null()))
}

#[test]
fn a_service_killed_while_it_takes_snapshots_starts_from_what_is_whole() {
    let data = tempfile::tempdir().unwrap();
    let commands = data.path().join("commands.jsonl");
    let lines = (0..3_000).map(|number| {
        format!(
            r#"{{"command":"items.define","id":"c-{number}","body":{{"sku":"SKU-{number}","name":"Tea"}}}}"#
        ) + "\n"
    });
    std::fs::write(&commands, lines.collect::<String>()).unwrap();
    let folder = data.path().join("ledgers");
    let every = ["--snapshot-every", "7"];
    for round in 1..=6_u64 {
        let served = Served::start(&folder, &every);
        let sending = send(&served.http, &commands);
        // Multiplicative steps of a prime visit the whole span without a random source that nobody could repeat.
        std::thread::sleep(Duration::from_millis(50 + round * 37 % 64 * 10));
        served.process.kill();
        drop(sending);
    }
    let served = Served::start(&folder, &every);
    run(&["send", "--file", commands.to_str().unwrap(), "--http", &served.http]).ended(0);
    let asked = ["query", "health", "ledger_hash=true", "--format", "json", "--http", &served.http];
    let health = run(&asked).ended(0).json();
    assert_eq!(served.process.terminate(), Some(0));
    let taken = std::fs::read_dir(folder.join("main/snapshots")).unwrap().count();
    assert!(taken > 0, "no snapshot was ever taken");

    let folder = folder.to_str().unwrap();
    let verified = run(&["replay", "verify", "--data", folder, "--format", "json"]).ended(0).json();
    assert_eq!(verified[0]["differences"], 0);
    assert_eq!(verified[0]["ledger_hash"], health[0]["ledger_hash"], "the service is what the journal says");
    let commands = verified[0]["commands"].as_u64().unwrap();
    assert!(commands >= 3_000, "{commands} of 3,000 commands are there");
    let offline = run(&["query", "health", "ledger_hash=true", "--format", "json", "--data", folder]);
    assert_eq!(offline.ended(0).json()[0]["ledger_hash"], health[0]["ledger_hash"]);
}
