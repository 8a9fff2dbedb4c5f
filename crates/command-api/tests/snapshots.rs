//! A service starts from its newest snapshot and the tail of the journal, or folds everything anew beside what answers:
//! either way it is what the whole journal says.

#![allow(clippy::unwrap_used, reason = "in a test, what cannot be had is a failure")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use command_api::auth::Caller;
use command_api::service::Fault;
use command_api::{Envelope, Options, Service, request};
use journal::OfflineJournal;
use ledger_core::Settings;
use ledger_core::values::{Name, Text};
use projections::{Digest, MemoryStore, Projections, Query};
use serde_json::json;

fn options(data: &Path) -> Options {
    let mut options = Options::new(data, Settings::named(Name::try_new("main").unwrap()));
    options.snapshot_every = 40;
    options
}

async fn define(service: &Service, items: std::ops::Range<u32>) {
    for number in items {
        let id = format!("define {number}");
        let headers = |name: &str| if name == "Bincard-Command-Id" { vec![id.as_bytes()] } else { vec![] };
        let body = json!({"sku": format!("SKU-{number}"), "name": "Tea"}).to_string();
        let read = request::read_command(
            "items.define",
            body.as_bytes(),
            &Envelope::read(Caller::anonymous(), headers).unwrap(),
        );
        let reply = service.submit(read.unwrap()).await;
        assert_eq!(reply.status(), "accepted");
    }
}

fn snapshots(data: &Path) -> Vec<PathBuf> {
    let Ok(names) = fs::read_dir(data.join("main/snapshots")) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = names.map(|name| name.unwrap().path()).collect();
    paths.sort();
    paths
}

/// What the whole journal says, folded without any snapshot.
fn whole(data: &Path) -> (Digest, [u8; 32]) {
    let journal = OfflineJournal::open(&data.join("main")).unwrap();
    let projections = Projections::open(Box::new(MemoryStore::new()), Arc::new(journal)).unwrap();
    (projections.digest().unwrap(), projections.ledger_hash())
}

fn of(service: &Service) -> (Digest, [u8; 32]) {
    (service.projections().digest().unwrap(), service.projections().ledger_hash())
}

/// A folder with two snapshots and a tail, of a service that was stopped.
async fn given_snapshots(data: &Path) {
    let service = Service::start(options(data)).unwrap();
    let (began, mut items) = (Instant::now(), 0);
    while snapshots(data).iter().filter(|path| path.extension().is_some_and(|end| end == "snap")).count() < 2
    {
        assert!(began.elapsed() < Duration::from_secs(60), "no two snapshots were taken");
        define(&service, items..items + 10).await;
        items += 10;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    define(&service, items..items + 5).await;
    service.stop().unwrap();
}

#[tokio::test]
async fn a_start_begins_with_the_newest_snapshot_and_answers_like_the_whole_journal() {
    let data = tempfile::tempdir().unwrap();
    given_snapshots(data.path()).await;
    assert_eq!(snapshots(data.path()).len(), 2, "the newest two are kept");

    let service = Service::start(options(data.path())).unwrap();
    let began_with = service.projections().last_snapshot().unwrap();
    let metrics = command_api::metrics::exposition(std::iter::once(&service));
    let (sequence, state) = (began_with.head.sequence, began_with.state);
    let (hash, format) = (state.root, state.format);
    for line in [
        format!("bincard_snapshot_sequence{{ledger=\"main\"}} {sequence}\n"),
        format!("sequence=\"{sequence}\",format=\"{format}\",hash=\"{hash}\"}} 1\n"),
    ] {
        assert!(metrics.contains(&line), "{line} is missing in:\n{metrics}");
    }
    let age =
        metrics.lines().find_map(|line| line.strip_prefix("bincard_snapshot_age_seconds{ledger=\"main\"} "));
    assert!(age.unwrap().parse::<u64>().unwrap() < 60, "{age:?}");
    assert!(began_with.head.sequence > 40 && began_with.head.sequence < service.durable_sequence());
    // The writer's own ledger knows what was there before the snapshot: the same command again is a duplicate.
    define(&service, 100_000..100_005).await;
    let reply = service.command_status("define 3").await.unwrap().unwrap();
    assert_eq!(reply.status(), "accepted");
    while service.position().sequence < service.durable_sequence() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let served = of(&service);
    service.stop().unwrap();
    drop(service);
    assert_eq!(served, whole(data.path()));
}

#[tokio::test]
async fn the_hash_of_every_snapshot_is_recorded_and_met_again() {
    let data = tempfile::tempdir().unwrap();
    let service = Service::start(options(data.path())).unwrap();
    define(&service, 0..45).await;
    let began = Instant::now();
    let agreed_at = loop {
        let health = service.query("health", Query::default()).await.unwrap().rows.remove(0);
        if let Some(agreed_at) = health["state_agreed_at"].as_u64() {
            break agreed_at;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "no state hash was recorded: {health}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    let taken = service.projections().last_snapshot().unwrap();
    assert_eq!((taken.head.sequence, taken.state.at_sequence), (agreed_at, agreed_at));
    // With nothing else recorded, nothing is taken again and again.
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(service.durable_sequence() <= 2 + 45 + 1, "{}", service.durable_sequence());
    service.stop().unwrap();
}

#[tokio::test]
async fn a_damaged_snapshot_is_left_aside_and_without_any_the_journal_is_folded() {
    let data = tempfile::tempdir().unwrap();
    given_snapshots(data.path()).await;
    let paths = snapshots(data.path());
    let mut began = Vec::new();
    for damaged in [None, Some(&paths[1]), Some(&paths[0])] {
        if let Some(path) = damaged {
            let mut bytes = fs::read(path).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::write(path, bytes).unwrap();
        }
        let mut options = options(data.path());
        options.snapshot_every = 0;
        let service = Service::start(options).unwrap();
        began.push(service.projections().last_snapshot().map(|taken| taken.head.sequence));
        let served = of(&service);
        service.stop().unwrap();
        drop(service);
        assert_eq!(served, whole(data.path()));
    }
    assert!(began[0] > began[1] && began[1].is_some() && began[2].is_none(), "{began:?}");
}

#[tokio::test]
async fn a_journal_that_ends_before_a_snapshot_is_damaged() {
    let data = tempfile::tempdir().unwrap();
    given_snapshots(data.path()).await;
    // The journal of an earlier day comes back from a careless copy, without its witnesses but the snapshots.
    let earlier = tempfile::tempdir().unwrap();
    let service = Service::start(Options { snapshot_every: 0, ..options(earlier.path()) }).unwrap();
    define(&service, 0..5).await;
    service.stop().unwrap();
    drop(service);
    for name in ["journal", "projections"] {
        fs::remove_dir_all(data.path().join("main").join(name)).unwrap();
    }
    fs::rename(earlier.path().join("main/journal"), data.path().join("main/journal")).unwrap();
    fs::remove_file(data.path().join("main/head")).unwrap();
    let Err(fault) = Service::start(options(data.path())) else { panic!("it may not start") };
    assert!(matches!(fault, Fault::Journal(journal::Fault::Corrupt { .. })), "{fault}");
    assert!(fault.to_string().contains("was durable once"), "{fault}");
}

#[tokio::test(flavor = "multi_thread")]
async fn views_are_folded_anew_while_commands_are_taken_and_queries_answered() {
    let data = tempfile::tempdir().unwrap();
    let folder = |name: &str| data.path().join("main").join(name);
    let service = Service::start(options(data.path())).unwrap();
    define(&service, 0..100).await;
    let rebuilding = service.clone();
    let rebuilding = tokio::task::spawn_blocking(move || rebuilding.rebuild_views(false));
    define(&service, 100..160).await;
    let rebuilt = rebuilding.await.unwrap().unwrap();
    assert!(rebuilt.in_use && rebuilt.differing.is_empty(), "{rebuilt:?}");
    assert!(rebuilt.position.sequence > 100, "{rebuilt:?}");
    define(&service, 160..170).await;
    service.stop().unwrap();
    drop(service);
    assert!(!folder("projections-2.unfinished").exists());

    let again = Service::start(options(data.path())).unwrap();
    assert!(folder("projections-2").exists() && !folder("projections").exists());
    again.stop().unwrap();
    let answered = of(&again);
    drop(again);
    assert_eq!(answered, whole(data.path()));
}
