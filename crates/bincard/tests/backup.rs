//! Backups of a ledger at work, across a kill, and what is restored of them.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use support::{Ran, Served, bincard, run};

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn post(service: &str, token: &str, name: &str, body: &Value) -> Option<Value> {
    let address = format!("{service}/v1/commands/{name}");
    let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
    let request = agent.post(&address).header("Authorization", format!("Bearer {token}"));
    let answer = request.header("Content-Type", "application/json").send(body.to_string());
    answer.ok()?.body_mut().read_to_string().ok().and_then(|text| serde_json::from_str(&text).ok())
}

fn verified(data: &Path) -> Value {
    run(&["replay", "verify", "--data", text(data), "--format", "json"]).ended(0).json()
}

fn with_token(token: &str, arguments: &[&str]) -> Ran {
    Ran::of(bincard(arguments).env("BINCARD_TOKEN", token).output().unwrap())
}

#[test]
fn a_backup_under_load_has_everything_acknowledged_before_it_and_goes_on_after_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let [data, copy, restored, key]: [PathBuf; 4] =
        ["data", "copy", "restored", "key"].map(|name| folder.path().join(name));
    run(&["token", "keygen", "--key", text(&key)]).ended(0);
    let token = |role: &str| {
        let issue = ["token", "issue", "--key", text(&key), "--sub", role, "--role", role];
        run(&issue).ended(0).out.trim().to_owned()
    };
    let (admin, operator) = (token("admin"), token("operator"));
    let public = format!("{}.pub", key.display());
    let service = Served::start(&data, &["--auth-key", &public]);

    // An operator runs the shop, and may not take its history away.
    let back_up = ["backup", "--data", text(&data), "--to", text(&copy)];
    with_token(&operator, &back_up).ended(1).said(&["operate:backup"]);

    let acknowledged = AtomicU64::new(0);
    let before = std::thread::scope(|scope| {
        for seller in 0..2 {
            let (acknowledged, http, operator) = (&acknowledged, &service.http, &operator);
            scope.spawn(move || {
                for number in 0.. {
                    let body = json!({"sku": format!("S{seller}-{number}"), "name": "Tea"});
                    let Some(answer) = post(http, operator, "items.define", &body) else { return };
                    if let Some(sequence) = answer["sequence"].as_u64() {
                        acknowledged.fetch_max(sequence, Ordering::SeqCst);
                    }
                }
            });
        }
        let wait_for = |sequence: u64| {
            while acknowledged.load(Ordering::SeqCst) < sequence {
                std::thread::sleep(Duration::from_millis(5));
            }
        };
        wait_for(20);
        with_token(&admin, &back_up).ended(0);
        let first = fs::read_to_string(copy.join("main/backup.json")).unwrap();
        let first: Value = serde_json::from_str(&first).unwrap();
        wait_for(40);
        let before = acknowledged.load(Ordering::SeqCst);
        with_token(&admin, &back_up).ended(0);
        service.process.kill();
        (first, before)
    });
    let (first, acknowledged_before) = before;
    let at = |manifest: &Value| -> u64 {
        manifest["position"].as_str().unwrap().split_once('.').unwrap().1.parse().unwrap()
    };
    let manifest: Value = serde_json::from_slice(&fs::read(copy.join("main/backup.json")).unwrap()).unwrap();
    assert!(at(&first) >= 20 && at(&manifest) > at(&first), "{first} {manifest}");
    assert!(at(&manifest) >= acknowledged_before, "{acknowledged_before} {manifest}");

    // What was copied is a part of what is there, and the rest comes from the files of the stopped ledger.
    let restore = ["restore", "--from", text(&copy), "--data", text(&restored), "--verify", "full"];
    run(&restore).ended(0);
    let partly = verified(&restored);
    assert_eq!(partly[0]["sequence"], at(&manifest), "{partly}");
    run(&back_up).ended(0);
    run(&back_up).ended(0);
    assert_eq!(verified(&copy), verified(&data));

    // A ledger is never overwritten.
    run(&restore).ended(2).said(&["holds a ledger already"]);
    fs::remove_dir_all(&restored).unwrap();
    run(&restore).ended(0);
    assert_eq!(verified(&restored), verified(&data));
    // The restored ledger goes on, and its history is another one from then on.
    let arguments = ["send", "items.define", "sku=NEW", "name=New", "--data", text(&restored)];
    run(&arguments).ended(0);
    run(&["send", "items.define", "sku=OTHER", "name=Other", "--data", text(&data)]).ended(0);
    run(&back_up).ended(0);
    run(&["backup", "--data", text(&restored), "--to", text(&copy)])
        .ended(1)
        .said(&["went another way", "new folder"]);
}

#[test]
fn a_damaged_copy_is_refused_and_nothing_is_restored() {
    let folder = tempfile::tempdir().unwrap();
    let [data, copy, restored]: [PathBuf; 3] =
        ["data", "copy", "restored"].map(|name| folder.path().join(name));
    run(&["send", "items.define", "sku=A", "name=Tea", "--data", text(&data)]).ended(0);
    let back_up = ["backup", "--data", text(&data), "--to", text(&copy)];
    run(&back_up).ended(0);
    let restore = ["restore", "--from", text(&copy), "--data", text(&restored)];

    let segment = copy.join("main/journal/00000000000000000001.seg");
    let whole = fs::read(&segment).unwrap();
    let mut damaged = whole.clone();
    damaged[400] ^= 1;
    fs::write(&segment, &damaged).unwrap();
    run(&restore).ended(3).said(&["00000000000000000001.seg", "BLAKE3", "another one"]);
    // Even if somebody made the manifest fit, the frames do not.
    let manifest = copy.join("main/backup.json");
    let said = fs::read_to_string(&manifest).unwrap();
    let of = |bytes: &[u8]| blake3::hash(bytes).to_hex().to_string();
    fs::write(&manifest, said.replace(&of(&whole), &of(&damaged))).unwrap();
    run(&restore).ended(3);
    assert!(!restored.join("main").exists());

    fs::remove_file(&manifest).unwrap();
    run(&restore).ended(2).said(&["backup.json", "bincard backup"]);
    run(&["backup", "--data", text(&folder.path().join("nothing")), "--to", text(&copy)])
        .ended(2)
        .said(&["holds no journal"]);
}
