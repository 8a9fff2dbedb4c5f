//! A client that nobody here wrote, on a real NATS server: nats-py places an order, reads its stock back, repeats
//! itself, and gets the same answers after the service was killed.

mod support;

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use support::{Served, nats, tool};

fn talk(python: &Path, url: &str) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/nats_client.py");
    let output = Command::new(python).arg(script).arg(url).output().expect("python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("the script prints JSON")
}

#[test]
fn a_client_places_an_order_reads_it_back_and_gets_the_first_answers_again_after_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let (Some(python), Some((_nats, url))) = (tool("PYTHON", "python"), nats(&folder.path().join("nats")))
    else {
        return;
    };
    let probe = Command::new(&python).args(["-c", "import nats"]).output();
    if !probe.is_ok_and(|probe| probe.status.success()) {
        println!("skipped: {} has no nats-py; tools/install gets it", python.display());
        return;
    }
    let data = folder.path().join("data");

    let service = Served::start(&data, &["--nats", &url]);
    let first = talk(&python, &url);
    assert_eq!(first["duplicates"], 0);
    service.process.kill();

    let _service = Served::start(&data, &["--nats", &url]);
    let again = talk(&python, &url);
    assert_eq!(again["replies"], first["replies"]);
    assert_eq!(again["rows"], first["rows"]);
    assert_eq!(again["duplicates"].as_u64(), first["replies"].as_object().map(|all| all.len() as u64));
}
