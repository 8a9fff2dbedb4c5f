//! `bincard query --journal jetstream`: a view of a ledger whose journal is a stream, with and without its service.

mod support;

use support::{Served, nats, run};

#[test]
fn a_view_is_folded_from_the_stream_whether_or_not_somebody_serves_it() {
    let folder = tempfile::tempdir().unwrap();
    let Some((_nats, url)) = nats(folder.path()) else { return };
    let shared = ["--journal", "jetstream", "--nats", &url];
    let service = Served::start(&folder.path().join("data"), &shared);
    for sku in ["A", "B"] {
        ureq::post(format!("{}/v1/commands/items.define", service.http))
            .header("Content-Type", "application/json")
            .header("Idempotency-Key", sku)
            .send(format!(r#"{{"sku": "{sku}", "name": "Tea"}}"#))
            .unwrap();
    }
    let ask = |more: &[&str]| {
        let rows =
            run(&[&["query", "audit", "command=items.define", "--format", "json"], &shared[..], more]
                .concat())
            .ended(0)
            .json();
        rows.as_array()
            .unwrap()
            .iter()
            .map(|row| row["command_id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(ask(&[]), ["A", "B"]);
    assert_eq!(ask(&["--limit", "1", "--all"]), ["A", "B"], "page by page");
    assert_eq!(service.process.terminate(), Some(0));
    assert_eq!(ask(&[]), ["A", "B"]);
    assert_eq!(ask(&["--as-of-sequence", "3"]), ["A"]);
}

#[test]
fn a_stream_is_asked_on_a_nats_server_and_nowhere_else() {
    let elsewhere = ["query", "audit", "--journal", "jetstream", "--http", "http://127.0.0.1:9"];
    run(&elsewhere).ended(2).said(&["--journal jetstream", "--nats URL"]);
}
