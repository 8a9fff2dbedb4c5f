//! What `deploy/` holds is true: the command lines in it are taken, and whoever reads the files takes them.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use bincard::cli::Cli;
use clap::Parser;
use command_api::auth::Roles;
use support::tool;

fn deploy(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy").join(name)
}

fn read(name: &str) -> String {
    fs::read_to_string(deploy(name)).unwrap()
}

/// A program on this machine, or none, said so.
fn program(name: &str, arguments: &[&str]) -> Option<Command> {
    let works = Command::new(name).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !works.is_ok_and(|status| status.success()) {
        println!("skipped: there is no {name} here");
        return None;
    }
    Some(Command::new(name))
}

#[track_caller]
fn is_content(command: &mut Command) {
    let output = command.output().unwrap();
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
}

#[test]
fn every_command_line_is_one_that_the_binary_takes() {
    let unit = read("bincard.service");
    let started = unit.lines().find_map(|line| line.strip_prefix("ExecStart=/usr/bin/")).unwrap();
    let of_image = read("Dockerfile");
    let of_image = of_image.lines().find_map(|line| line.strip_prefix("CMD ")).unwrap();
    let list = |json: &str| -> Vec<String> { serde_json::from_str(json).unwrap() };
    let lines = [
        started.split_whitespace().map(str::to_owned).collect(),
        [vec!["bincard".to_owned()], list(of_image)].concat(),
    ];
    for line in lines {
        Cli::try_parse_from(&line).unwrap_or_else(|error| panic!("{line:?}: {error}"));
    }
}

#[test]
fn the_roles_are_a_table_of_roles() {
    Roles::read(read("roles.json").as_bytes()).unwrap();
}

#[test]
fn the_nats_configuration_is_taken_by_a_server() {
    let Some(server) = tool("NATS_SERVER", "nats-server") else { return };
    let mut command = Command::new(server);
    command.arg("-t").arg("-c").arg(deploy("nats.conf")).env("NATS_NAME", "nats-1");
    for password in ["NATS_ROUTE_PASSWORD", "NATS_LEDGER_PASSWORD", "NATS_SHOP_PASSWORD"] {
        command.env(password, "a-password");
    }
    is_content(&mut command);
}

#[test]
fn the_unit_is_taken_by_systemd() {
    if let Some(mut systemd) = program("systemd-analyze", &["--version"]) {
        let folder = tempfile::tempdir().unwrap();
        // The binary is not installed here: the unit is checked with one that is.
        let unit = read("bincard.service").replace("/usr/bin/bincard", "/bin/true");
        let path = folder.path().join("bincard.service");
        fs::write(&path, unit).unwrap();
        is_content(systemd.arg("verify").arg(&path));
    }
}

/// The system calls that the unit's filter lines leave, or none if this machine cannot say what their sets hold.
fn calls_left(unit: &str) -> Option<BTreeSet<String>> {
    program("systemd-analyze", &["--version"])?;
    let mut left = BTreeSet::new();
    for line in unit.lines().filter_map(|line| line.strip_prefix("SystemCallFilter=")) {
        let (takes_away, names) = match line.strip_prefix('~') {
            Some(names) => (true, names),
            None => (false, line),
        };
        for call in names.split_whitespace().flat_map(calls_of) {
            if takes_away {
                left.remove(&call);
            } else {
                left.insert(call);
            }
        }
    }
    Some(left)
}

/// The calls of a set, or the one call that is named.
fn calls_of(name: &str) -> Vec<String> {
    if !name.starts_with('@') {
        return vec![name.to_owned()];
    }
    let output = Command::new("systemd-analyze").args(["syscall-filter", name]).output().unwrap();
    assert!(output.status.success(), "{name}");
    let listed = String::from_utf8(output.stdout).unwrap();
    let words = listed.lines().skip(1).map(str::trim).filter(|word| !word.starts_with('#'));
    words.filter(|word| !word.is_empty()).flat_map(calls_of).collect()
}

#[test]
fn the_unit_lets_the_threads_that_are_waited_for_go_first_and_refuses_the_rest_without_killing() {
    let unit = read("bincard.service");
    let has = |wanted: &str| unit.lines().any(|line| line == wanted);
    // What the journal's thread (sched_setscheduler, priority 1) and the writer (setpriority, -10) ask for.
    for wanted in ["LimitRTPRIO=1", "LimitNICE=-10", "SystemCallErrorNumber=EPERM"] {
        assert!(has(wanted), "wanted {wanted} in the unit");
    }
    assert!(!has("RestrictRealtime=yes"), "it refuses every real-time priority");
    if let Some(left) = calls_left(&unit) {
        for call in ["sched_setscheduler", "setpriority", "fdatasync", "fallocate", "madvise"] {
            assert!(left.contains(call), "{call} is not allowed");
        }
        for call in ["mount", "setuid", "reboot", "ptrace"] {
            assert!(!left.contains(call), "{call} is allowed");
        }
    }
}
