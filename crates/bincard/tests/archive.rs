//! Sealed segments kept away from the machine, in a folder and in buckets that speak S3, and a ledger made of them again.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use journal::{FileJournal, FrameSource, JournalRead, OfflineJournal, Options, RealDisk};
use support::bucket::{Bucket, s3_environment};
use support::{Ran, Running, Served, bincard, nats, run, tool};

/// Small enough for a few commands to fill.
const SMALL: Options = Options { segment_bytes: 2048 };

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Defines items one by one, so that each is a frame.
fn define(data: &Path, skus: std::ops::Range<u32>) {
    let service = Served::start(data, &[]);
    for sku in skus {
        let body = format!("{{\"sku\": \"S{sku}\", \"name\": \"Tea\"}}");
        let address = format!("{}/v1/commands/items.define", service.http);
        ureq::post(address).header("Content-Type", "application/json").send(body).unwrap();
    }
    assert_eq!(service.process.terminate(), Some(0));
}

/// The same history in short segments, up to a sequence.
fn in_short_segments(data: &Path, to: &Path, up_to: u64) {
    let source = OfflineJournal::open(&data.join("main")).unwrap();
    let mut frames = source.frames_from(1).unwrap();
    let dir = to.join("main");
    let mut copy = FileJournal::create(RealDisk, &dir, source.head().ledger, SMALL).unwrap();
    while let Some(frame) = frames.next_frame().unwrap().filter(|frame| frame.last_sequence() <= up_to) {
        copy.append(&frame).unwrap();
    }
    copy.close().unwrap();
}

fn last_sealed(data: &Path) -> u64 {
    journal::sealed_segments(&data.join("main"), 1).unwrap().last().unwrap().end.sequence
}

fn verified(data: &Path) -> serde_json::Value {
    run(&["replay", "verify", "--data", text(data), "--format", "json"]).ended(0).json()
}

/// The same for every place.
fn keeps_what_it_is_given(place: &str, run: &dyn Fn(&[&str]) -> Ran, folder: &Path) {
    let [data, short, longer, restored]: [PathBuf; 4] =
        ["data", "short", "longer", "restored"].map(|name| folder.join(name));
    define(&data, 0..40);
    in_short_segments(&data, &short, 24);
    in_short_segments(&data, &longer, u64::MAX);
    let archive =
        |data: &Path, more: &[&str]| run(&[&["archive", "--data", text(data), "--to", place], more].concat());
    let first = archive(&short, &[]).ended(0);
    assert!(first.out.contains("0 segments were there") && !first.out.contains(" 0 were sent"), "{first:?}");
    let again = archive(&short, &[]).ended(0);
    assert!(again.out.contains(" 0 were sent, 0 bytes"), "{again:?}");
    let up_to = last_sealed(&longer);
    let on = archive(&longer, &[]).ended(0);
    assert!(
        on.out.contains(&format!("up to sequence {up_to}:")) && !on.out.contains("0 segments were there")
    );
    let whole = archive(&longer, &["--verify"]).ended(0);
    assert!(whole.out.contains(" 0 were sent"), "{whole:?}");
    // The shorter one is a part of it, and does not take it back.
    archive(&short, &[]).ended(0);

    run(&["restore", "--from", place, "--data", text(&restored), "--verify", "full"]).ended(0);
    assert_eq!(verified(&restored)[0]["sequence"], up_to);
    // It goes on; and what it says then is another history than the archive's.
    define(&restored, 100..101);
    run(&["restore", "--from", place, "--data", text(&restored)]).ended(2).said(&["holds a ledger already"]);
    let (other, other_short) = (folder.join("other"), folder.join("other-short"));
    define(&other, 200..240);
    in_short_segments(&other, &other_short, u64::MAX);
    archive(&other_short, &[]).ended(1).said(&["another ledger", "another place"]);
    run(&["--ledger", "none", "restore", "--from", place, "--data", text(&restored)])
        .ended(2)
        .said(&["none"]);
}

#[test]
fn a_folder_keeps_segments() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("archive");
    keeps_what_it_is_given(text(&place), &run, folder.path());
    // What was changed there is not restored.
    // The first segment: without the last one, an archive is only shorter.
    let objects = fs::read_dir(place.join("main")).unwrap().map(|object| object.unwrap().path());
    let object = objects.min().unwrap();
    let mut bytes = fs::read(&object).unwrap();
    bytes[200] ^= 1;
    fs::write(&object, &bytes).unwrap();
    let again = folder.path().join("again");
    let restore = ["restore", "--from", text(&place), "--data", text(&again)];
    run(&restore).ended(3).said(&["BLAKE3"]);
    // Even if somebody made the name fit, the frames do not.
    let name = object.file_name().unwrap().to_str().unwrap();
    let first = name.split('-').next().unwrap();
    let fits = object.with_file_name(format!("{first}-{}.seg", blake3::hash(&bytes)));
    fs::rename(&object, &fits).unwrap();
    run(&restore).ended(3);
    fs::remove_file(&fits).unwrap();
    run(&restore).ended(3);
    assert!(!again.join("main").exists());
    let data = folder.path().join("longer");
    run(&["archive", "--data", text(&data), "--to", text(&place), "--verify"]).ended(0);
    run(&restore).ended(0);
}

#[test]
fn a_bucket_keeps_segments_for_who_has_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let bucket = Bucket::serve();
    let with_keys = |arguments: &[&str]| {
        let mut command = bincard(arguments);
        bucket.keys(&mut command);
        Ran::of(command.output().unwrap())
    };
    keeps_what_it_is_given("s3://stock/copies", &with_keys, folder.path());
    {
        let objects = bucket.objects.lock().unwrap();
        assert!(objects.keys().all(|path| path.starts_with("/stock/copies/main/")), "{:?}", objects.keys());
        assert!(objects.len() > 2 && objects.values().all(|(_, puts)| *puts == 1));
    }
    let data = folder.path().join("longer");
    let mut command = bincard(&["archive", "--data", text(&data), "--to", "s3://stock"]);
    bucket.wrong_keys(&mut command);
    Ran::of(command.output().unwrap()).ended(1).said(&["s3://stock", "SignatureDoesNotMatch"]);
}

#[test]
fn a_server_by_others_keeps_segments() {
    let Some(program) = tool("MOTO_SERVER", "moto_server") else { return };
    let folder = tempfile::tempdir().unwrap();
    let port = support::free_port();
    let endpoint = format!("http://127.0.0.1:{port}");
    let mut command = Command::new(program);
    command.args(["-H", "127.0.0.1", "-p", &port.to_string()]).stdout(Stdio::null()).stderr(Stdio::null());
    let _server = Running::start(&mut command);
    let began = Instant::now();
    while ureq::put(format!("{endpoint}/stock")).send_empty().is_err() {
        assert!(began.elapsed() < Duration::from_secs(60), "moto_server did not start");
        std::thread::sleep(Duration::from_millis(100));
    }
    let with_keys = |arguments: &[&str]| {
        let mut command = bincard(arguments);
        s3_environment(&mut command, &endpoint, "key", "secret");
        Ran::of(command.output().unwrap())
    };
    keeps_what_it_is_given("s3://stock/copies", &with_keys, folder.path());
}

#[test]
fn a_service_archives_what_it_seals() {
    let folder = tempfile::tempdir().unwrap();
    let [data, short, place]: [PathBuf; 3] =
        ["data", "short", "archive"].map(|name| folder.path().join(name));
    define(&data, 0..24);
    in_short_segments(&data, &short, u64::MAX);
    let service = Served::start(&short, &["--archive-to", text(&place)]);
    let up_to = last_sealed(&short);
    let wanted = format!("bincard_archived_sequence{{ledger=\"main\"}} {up_to}");
    let began = Instant::now();
    loop {
        let (_, metrics) = service.get("/metrics");
        if metrics.contains(&wanted) {
            assert!(metrics.contains("bincard_archive_stands_still{ledger=\"main\"} 0"));
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "not archived: {metrics}");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(service.process.terminate(), Some(0));
    let restored = folder.path().join("restored");
    run(&["restore", "--from", text(&place), "--data", text(&restored), "--verify", "full"]).ended(0);
    assert_eq!(verified(&restored)[0]["sequence"], up_to);

    let stream = ["serve", "--journal", "jetstream", "--archive-to", text(&place), "--http", "127.0.0.1:0"];
    run(&stream).ended(2).said(&["bincard archive --journal jetstream"]);
}

#[test]
fn a_stream_is_archived_like_files() {
    let folder = tempfile::tempdir().unwrap();
    let Some((_server, url)) = nats(&folder.path().join("nats")) else { return };
    let [data, place]: [PathBuf; 2] = ["data", "archive"].map(|name| folder.path().join(name));
    define(&data, 0..2);
    run(&["journal", "copy", "--from", text(&data), "--to", "jetstream", "--nats", &url]).ended(0);
    let other = folder.path().join("none");
    let archive =
        ["archive", "--journal", "jetstream", "--nats", &url, "--data", text(&other), "--to", text(&place)];
    // One segment of usual length holds it all, and is not full.
    let ran = run(&archive).ended(0);
    assert!(ran.out.contains("no sealed segment yet"), "{ran:?}");
    assert_eq!(fs::read_dir(&other).unwrap().count(), 0, "nothing stays behind");
}

#[test]
fn a_place_that_is_none_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    define(&data, 0..1);
    for (place, words) in
        [("ftp://a", "s3://bucket"), ("file://relative", "file:///folder"), ("s3://", "s3://bucket")]
    {
        run(&["archive", "--data", text(&data), "--to", place]).ended(2).said(&[words]);
    }
    let nothing = folder.path().join("nothing");
    let place = folder.path().join("archive");
    run(&["archive", "--data", text(&nothing), "--to", text(&place)]).ended(2).said(&["holds no journal"]);
}
