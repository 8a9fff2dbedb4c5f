//! The command line as people and scripts meet it: help, exit statuses, and errors that say what was wanted.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::SystemTime;

use bincard::cli::Cli;
use clap::CommandFactory;
use serde_json::{Value, json};
use support::{Ran, Served, bincard, run};
use tempfile::TempDir;

/// A folder of ledgers, and the binary at work in it without a service.
struct Folder(TempDir);

impl Folder {
    fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn text(&self) -> &str {
        self.path().to_str().unwrap()
    }

    /// Runs a command line with `--data` of this folder behind it.
    fn run(&self, line: &str) -> Ran {
        let mut arguments: Vec<&str> = line.split_whitespace().collect();
        arguments.extend(["--data", self.text()]);
        run(&arguments)
    }

    /// A place with three units of tea.
    fn with_tea() -> Folder {
        let folder = Folder::new();
        for line in [
            "send locations.define location=AMS1 name=Amsterdam kind=warehouse",
            "send items.define sku=TEA-01 name=Tea",
            "send items.activate sku=TEA-01",
            "send stock.receive sku=TEA-01 location=AMS1 quantity=3 unit_cost=2.55 --id in-1",
        ] {
            folder.run(line).ended(0);
        }
        folder
    }
}

#[test]
fn everything_has_a_help_that_says_what_it_does() {
    fn visit(command: &clap::Command, path: &[String]) {
        let mut arguments: Vec<&str> = path.iter().map(String::as_str).collect();
        arguments.push("--help");
        let help = run(&arguments).ended(0);
        let about = command.get_about().unwrap_or_else(|| panic!("{path:?} says nothing about itself"));
        assert!(help.out.contains(&about.to_string()), "{path:?}: {}", help.out);
        for argument in command.get_arguments() {
            assert!(argument.get_help().is_some(), "{path:?} does not explain {}", argument.get_id());
        }
        for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
            visit(inner, &[path, &[inner.get_name().to_owned()]].concat());
        }
    }
    let mut command = Cli::command();
    command.build();
    visit(&command, &[]);
    run(&["--version"]).ended(0);
}

#[test]
fn a_usage_error_is_status_2_and_says_what_was_wanted() {
    let folder = Folder::new();
    for (line, words) in [
        ("", &["Usage", "serve", "send", "query"][..]),
        ("sned", &["unrecognized subcommand 'sned'", "send"]),
        ("send", &["NAME"]),
        ("send stock.recieve sku=A", &["\"stock.recieve\"", "stock.receive", "stock.adjust"]),
        ("send wat sku=A", &["\"wat\"", "orders.place", "items.define"]),
        ("send stock.receive sku", &["\"sku\"", "key=value"]),
        ("send stock.receive quantity=three", &["quantity", "integer", "\"three\""]),
        ("send stock.receive --json [1]", &["--json", "object", "[1]"]),
        ("send stock.receive --json {", &["--json", "object"]),
        ("send --file /nowhere.jsonl", &["/nowhere.jsonl", "No such file"]),
        ("query stock_postion", &["\"stock_postion\"", "stock_position", "trial_balance"]),
        (
            "query stock_position --as-of-recorded yesterday",
            &["--as-of-recorded", "RFC 3339", "\"yesterday\""],
        ),
        ("query stock_position --format xml", &["xml", "table, json, csv"]),
        ("query stock_position --http http://a --nats nats://b", &["cannot be used with"]),
        ("query stock_position --http http://127.0.0.1:9", &["http://127.0.0.1:9", "bincard serve"]),
        ("query stock_position --nats nats://127.0.0.1:9", &["nats://127.0.0.1:9", "bincard serve"]),
        ("--ledger Main query stock_position", &["--ledger", "\"Main\"", "a-z"]),
        ("import online-retail", &["<FILE>"]),
        ("import online-retail /nowhere.csv", &["/nowhere.csv"]),
        ("import online-retail /nowhere.csv --cost-ratio 3", &["--cost-ratio", "0 to 1", "\"3\""]),
        ("replay as-of stock_position", &["--as-of-sequence"]),
        ("serve --http 7400", &["--http"]),
    ] {
        let arguments: Vec<&str> = line.split_whitespace().collect();
        let mut command = bincard(&arguments);
        let ran = Ran::of(command.current_dir(folder.path()).output().unwrap());
        ran.ended(2).said(words);
    }
    for line in ["replay verify", "replay log", "replay rebuild", "query stock_position"] {
        folder.run(line).ended(2).said(&["holds no journal"]);
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was made");
}

#[test]
fn an_acceptance_is_status_0_a_refusal_1_and_the_reply_is_printed() {
    let folder = Folder::with_tea();
    let again =
        folder.run("send stock.receive sku=TEA-01 location=AMS1 quantity=3 unit_cost=2.550 --id in-1");
    let again = again.ended(0).json();
    assert_eq!((&again["status"], &again["duplicate"]), (&json!("accepted"), &json!(true)));

    let dry = folder.run("send stock.reserve sku=TEA-01 location=AMS1 quantity=3 --dry-run").ended(0).json();
    assert_eq!((&dry["dry_run"], dry.get("sequence")), (&json!(true), None));

    let refused = folder.run("send stock.reserve sku=TEA-01 location=AMS1 quantity=5").ended(1).json();
    assert_eq!((&refused["status"], &refused["code"]), (&json!("rejected"), &json!("not_enough_available")));

    let reused =
        folder.run("send stock.receive sku=TEA-01 location=AMS1 quantity=4 unit_cost=2.55 --id in-1");
    assert_eq!(reused.ended(1).json()["code"], "command_id_reused");

    let typo = folder.run("send stock.receive sku=TEA-01 location=AMS1 qty=3 quantity=3 unit_cost=1");
    let typo = typo.ended(1).json();
    assert_eq!((&typo["code"], &typo["path"]), (&json!("unknown_field"), &json!("/qty")));
}

#[test]
fn rows_come_as_a_table_as_json_and_as_csv_and_page_by_page() {
    let folder = Folder::with_tea();
    let table = folder.run("query stock_position").ended(0).out;
    assert!(table.contains("TEA-01") && table.contains("quantity"), "{table}");
    let rows = folder.run("query stock_position sku=TEA-01 --format json").ended(0).json();
    assert_eq!((&rows[0]["quantity"], &rows[0]["value"]), (&json!(3), &json!("7.65")));
    let csv = folder.run("query stock_position sku=TEA-01 --format csv").ended(0).out;
    assert!(
        csv.starts_with("sku,location,") && csv.lines().nth(1).unwrap().starts_with("TEA-01,AMS1,"),
        "{csv}"
    );
    assert_eq!(folder.run("query stock_position sku=NONE").ended(0).out, "no rows\n");
    folder.run("query stock_position colour=red").ended(1).said(&["\"colour\"", "sku", "location"]);

    let page = folder.run("query audit kind=item id=TEA-01 --limit 1 --format json").ended(0);
    assert_eq!(page.json().as_array().unwrap().len(), 1);
    page.said(&["there are more", "--cursor"]);
    let all = folder.run("query audit --all --limit 1 --format json").ended(0).json();
    assert_eq!(
        all.as_array().unwrap().len(),
        folder.run("query audit --format json").json().as_array().unwrap().len()
    );
}

#[test]
fn reading_a_stopped_ledger_leaves_every_byte_alone() {
    let folder = Folder::with_tea();
    let before = contents(folder.path());
    for line in [
        "query stock_position",
        "replay log",
        "replay verify",
        "replay rebuild",
        "replay as-of stock_position --as-of-sequence 5",
    ] {
        folder.run(line).ended(0);
    }
    assert_eq!(contents(folder.path()), before);
}

/// Every file with its length and time of change.
fn contents(folder: &Path) -> BTreeMap<PathBuf, (u64, SystemTime)> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            found.extend(contents(&entry.path()));
        } else {
            let metadata = entry.metadata().unwrap();
            found.insert(entry.path(), (metadata.len(), metadata.modified().unwrap()));
        }
    }
    found
}

#[test]
fn the_history_is_printed_verified_rebuilt_and_asked_as_it_was() {
    let folder = Folder::with_tea();
    folder.run("send stock.adjust sku=TEA-01 location=AMS1 change=-1 reason=broken").ended(0);
    let log = folder.run("replay log --format json").ended(0).json();
    let commands: Vec<&str> =
        log.as_array().unwrap().iter().map(|row| row["command"].as_str().unwrap()).collect();
    assert!(commands.contains(&"stock.receive"), "{commands:?}");
    let received = log.as_array().unwrap().iter().find(|row| row["command"] == "stock.receive").unwrap();
    let sequence = received["sequence"].as_u64().unwrap();
    let one =
        folder.run(&format!("replay log --from {sequence} --to {sequence} --format json")).ended(0).json();
    assert_eq!(one.as_array().unwrap().len(), 1);

    let verified = folder.run("replay verify --format json").ended(0).json();
    assert_eq!(verified[0]["differences"], 0);
    assert!(folder.run("replay verify").ended(0).out.contains("no differences"));
    let digest = |ran: Ran| ran.ended(0).json()["digest"].clone();
    let first = digest(folder.run("replay rebuild --format json"));
    assert_eq!(digest(folder.run("replay rebuild --format json")), first);

    let then = folder.run(&format!("replay as-of stock_position --as-of-sequence {sequence} --format json"));
    assert_eq!(then.ended(0).json()[0]["quantity"], 3);
    assert_eq!(folder.run("query stock_position --format json").json()[0]["quantity"], 2);
}

#[test]
fn rules_are_upgraded_by_an_entry_and_a_new_ledger_has_the_newest() {
    let folder = Folder::with_tea();
    let refused = folder.run("upgrade-rules").ended(1).json();
    assert_eq!(refused["code"], "rules_not_newer", "a new ledger begins with the newest rules");
    let unknown = folder.run("upgrade-rules --to 999").ended(1).json();
    assert_eq!(unknown["code"], "rules_not_known");
    let log = folder.run("replay log --to 1 --format json").ended(0);
    assert!(log.out.contains("ledger.created") && log.out.contains("ledger.rules_activated"), "{}", log.out);
    folder.run("replay verify").ended(0);
}

#[test]
fn a_damaged_journal_is_status_3_and_the_place_is_named() {
    let folder = Folder::with_tea();
    let segments =
        fs::read_dir(folder.path().join("main/journal")).unwrap().map(|entry| entry.unwrap().path());
    let segment = segments.filter(|path| path.extension().is_some_and(|is| is == "seg")).min().unwrap();
    let mut bytes = fs::read(&segment).unwrap();
    let at = bytes.windows(6).position(|six| six == b"TEA-01").expect("ids are kept as text");
    bytes[at] = b'P';
    fs::write(&segment, bytes).unwrap();
    let name = segment.file_name().unwrap().to_str().unwrap();
    for line in ["replay verify", "query stock_position", "send items.activate sku=TEA-01"] {
        folder.run(line).ended(3).said(&["damaged", name, "backup"]);
    }
}

#[test]
fn a_file_of_commands_is_sent_once_however_often_it_is_sent() {
    let folder = Folder::with_tea();
    let file = folder.path().join("commands.jsonl");
    let receive = |number: u32| {
        json!({
            "command": "stock.receive", "id": format!("in/{number}"), "effective_at": "2020-01-02T03:04:05Z",
            "body": {"sku": "TEA-01", "location": "AMS1", "quantity": 2, "unit_cost": "1.00"},
        })
    };
    let mut lines: Vec<Value> = (0..1200).map(receive).collect();
    lines.push(json!({"command": "stock.receive", "id": "bad", "body": {"sku": "NONE", "quantity": 1}}));
    let text: Vec<String> = lines.iter().map(Value::to_string).collect();
    fs::write(&file, text.join("\n")).unwrap();

    let line = format!("send --file {}", file.display());
    let first = folder.run(&line).ended(1).out;
    assert!(first.contains("accepted        1,200") && first.contains("missing_field: 1"), "{first}");
    let again = folder.run(&line).ended(1).out;
    assert!(again.contains("duplicates      1,200") && again.contains("accepted            0"), "{again}");
    let units = folder.run("query stock_position sku=TEA-01 --format json").json()[0]["quantity"].clone();
    assert_eq!(units, 2403);

    let mut piped = bincard(&["send", "--file", "-", "--data", folder.text()]);
    let mut child =
        piped.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"\n{\"command\":\"items.activate\",\"body\":{}}\n").unwrap();
    Ran::of(child.wait_with_output().unwrap()).ended(2).said(&["line 2", "missing field `id`"]);
}

#[test]
fn a_served_folder_leads_to_its_service_and_cannot_be_read_or_served_twice() {
    let folder = Folder::with_tea();
    let served = Served::start(folder.path(), &[]);
    assert_eq!(served.get("/health/ready").0, 200);
    assert_eq!(folder.run("query stock_position --format json").ended(0).json()[0]["quantity"], 3);
    folder.run("send stock.receive sku=TEA-01 location=AMS1 quantity=1 unit_cost=2").ended(0);
    let over_http = run(&["query", "stock_position", "--http", &served.http, "--format", "json"]).ended(0);
    assert_eq!(over_http.json()[0]["quantity"], 4);
    let refused =
        run(&["send", "stock.reserve", "sku=TEA-01", "location=AMS1", "quantity=9", "--http", &served.http]);
    assert_eq!(refused.ended(1).json()["code"], "not_enough_available");
    run(&["--ledger", "other", "query", "health", "--http", &served.http]).ended(1).said(&["other"]);

    let served_at = format!("served at {}", served.http);
    folder.run("replay verify").ended(2).said(&[&served_at]);
    folder.run("serve --http 127.0.0.1:0").ended(2).said(&[&served_at]);
    let taken = served.http.trim_start_matches("http://").to_owned();
    folder.run(&format!("serve --http {taken}")).ended(2).said(&[&served_at]);
    run(&["serve", "--http", &taken, "--data", "/tmp"]).ended(2).said(&[&taken, "another address"]);

    assert_eq!(served.process.terminate(), Some(0));
    folder.run("replay verify").ended(0);
}

#[test]
fn papers_are_written_for_every_command_and_view() {
    let folder = Folder::new();
    let out = folder.text();
    run(&["schemas", "--out", out]).ended(0);
    for name in ["commands/stock.receive.json", "views/stock_position.json", "openapi.json", "asyncapi.json"]
    {
        let text =
            fs::read_to_string(folder.path().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(serde_json::from_str::<Value>(&text).unwrap().is_object() && text.ends_with("}\n"), "{name}");
    }
    run(&["man", "--out", out]).ended(0);
    assert!(fs::read_to_string(folder.path().join("bincard-send.1")).unwrap().contains("dry\\-run"));
    for shell in ["bash", "zsh", "fish"] {
        assert!(run(&["completions", shell]).ended(0).out.contains("as-of-sequence"));
    }
}

#[test]
fn a_service_runs_under_the_allocators_settings_in_the_process_that_was_started() {
    let folder = Folder::new();
    let service = Served::start(folder.path(), &[]);
    let environment = fs::read_to_string(format!("/proc/{}/environ", service.process.id())).unwrap();
    let setting = |name: &str| environment.split('\0').filter(|line| line.starts_with(name)).count();
    assert_eq!((setting("MIMALLOC_ALLOW_LARGE_OS_PAGES=1"), setting("MIMALLOC_PURGE_DELAY=10000")), (1, 1));
    assert_eq!(service.process.terminate(), Some(0));
}
