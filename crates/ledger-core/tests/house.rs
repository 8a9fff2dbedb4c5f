//! The house is kept by tests: who may call whom, what the core may not know, and what every file and action has.

#![allow(clippy::unwrap_used, reason = "in a test, what cannot be had is a failure")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use ledger_core::{Command, Event};

/// Modules in dependency order: each may call those before it. The number block of its kinds stands beside it.
const MODULES: [(&str, &str, u16); 11] = [
    ("control", "ledger", 0),
    ("items", "items", 100),
    ("locations", "locations", 200),
    ("customers", "customers", 300),
    ("channels", "channels", 400),
    ("stock", "stock", 500),
    ("orders", "orders", 600),
    ("payments", "payments", 700),
    ("fulfilment", "fulfilment", 800),
    ("returns", "returns", 900),
    ("finance", "finance", 1000),
];

/// Called by all, calls none.
const FINANCE: &str = "finance";

/// What the core may depend on: values, encoding, hashing, decimals; no clock, randomness, I/O or async.
const CORE_DEPENDENCIES: [&str; 13] = [
    "bincode",
    "blake3",
    "chrono",
    "foldhash",
    "hashbrown",
    "rust_decimal",
    "schemars",
    "serde",
    "smallvec",
    "smol_str",
    "strum",
    "thiserror",
    "uuid",
];

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn core() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else { return files };
    for entry in entries.map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The code of a file up to its tests.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    text.split("#[cfg(test)]").next().unwrap_or_default().to_owned()
}

fn names(code: &str, module: &str) -> bool {
    let direct =
        code.contains(&format!("crate::{module}::")) || code.contains(&format!("use crate::{module};"));
    let grouped = code.split("use crate::{").skip(1).any(|rest| {
        let group = rest.split("};").next().unwrap_or_default();
        group.split(',').any(|part| part.trim() == module || part.trim().starts_with(&format!("{module}::")))
    });
    direct || grouped
}

#[test]
fn a_module_calls_only_those_before_it() {
    for (place, (module, ..)) in MODULES.iter().enumerate() {
        for file in rust_files(&core().join(module)) {
            let code = code(&file);
            for (other_place, (other, ..)) in MODULES.iter().enumerate() {
                let allowed = other_place < place || other == module || *other == FINANCE;
                let finance_asks = *module == FINANCE && other != module;
                let reads_only =
                    *module == FINANCE && file.file_name().is_some_and(|name| name == "tie_outs.rs");
                let forbidden = !allowed || (finance_asks && !reads_only);
                assert!(!(forbidden && names(&code, other)), "{} may not call {other}", file.display());
            }
        }
    }
}

#[test]
fn the_core_knows_no_clock_randomness_io_or_async() {
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    let listed = manifest.split("[dependencies]").nth(1).unwrap().split("\n[").next().unwrap();
    for line in listed.lines().filter(|line| !line.trim().is_empty()) {
        let name = line.split(['.', ' ', '=']).next().unwrap();
        let allowed = CORE_DEPENDENCIES.contains(&name) || name == "unicode-normalization";
        assert!(allowed, "ledger-core may not depend on {name}");
    }
    for file in rust_files(&core()) {
        let code = code(&file);
        for forbidden in [
            "std::time",
            "std::fs",
            "std::net",
            "std::thread",
            "std::env",
            "std::io",
            "async fn",
            "f64",
            "f32",
            "Utc::now",
            "now_v7",
        ] {
            let reads_json = file.ends_with("values/price.rs") && forbidden == "f64";
            assert!(reads_json || !code.contains(forbidden), "{} may not use {forbidden}", file.display());
        }
    }
}

#[test]
fn every_file_says_why_it_exists_and_fits_its_reader() {
    for folder in ["crates", "benches"] {
        for file in rust_files(&workspace().join(folder)) {
            let text = fs::read_to_string(&file).unwrap();
            assert!(text.starts_with("//! "), "{} does not begin with a //! line", file.display());
            let lines = text.lines().count();
            assert!(lines <= 500, "{} has {lines} lines: it wants to be two files", file.display());
        }
    }
}

#[test]
fn every_kind_has_a_number_of_its_own_in_the_block_of_its_module() {
    for kinds in [Command::KINDS, Event::KINDS] {
        let mut seen = BTreeSet::new();
        for kind in kinds {
            assert!(seen.insert(kind.number), "{} shares its number", kind.name);
            let module = kind.name.split('.').next().unwrap();
            let (.., block) = MODULES.iter().find(|(_, name, _)| *name == module).unwrap();
            assert_eq!(
                kind.number / 100 * 100,
                *block,
                "{} is numbered outside its module's block",
                kind.name
            );
        }
    }
}

#[test]
fn every_public_action_is_one_file_with_examples() {
    for kind in Command::KINDS.iter().filter(|kind| kind.public) {
        let (module, action) = kind.name.split_once('.').unwrap();
        let (module, ..) = MODULES.iter().find(|(_, name, _)| *name == module).unwrap();
        let file = core().join(module).join(format!("{action}.rs"));
        let beside = core().join(module).join(action).join("tests.rs");
        let text = fs::read_to_string(&file)
            .unwrap_or_else(|_| panic!("{} has no file {}", kind.name, file.display()));
        let examples = text + &fs::read_to_string(beside).unwrap_or_default();
        assert!(examples.contains("#[test]"), "{} has no examples", kind.name);
    }
}

#[test]
fn every_kind_has_a_golden_file() {
    for (kinds, place) in [(Command::KINDS, "commands"), (Event::KINDS, "events")] {
        for kind in kinds {
            let golden = workspace().join("fixtures/golden").join(place).join(format!("{}.json", kind.name));
            assert!(golden.exists(), "{} has no golden file: `make golden`", kind.name);
        }
    }
}

#[test]
fn every_public_kind_has_a_schema() {
    let schemas = workspace().join("schemas");
    if !schemas.exists() {
        return; // Not generated yet: `make schemas` writes all of them at once.
    }
    let public = |kind: &&ledger_core::Kind| kind.public;
    for (kinds, place) in [(Command::KINDS, "commands"), (Event::KINDS, "events")] {
        for kind in kinds.iter().filter(public) {
            let schema = schemas.join(place).join(format!("{}.json", kind.name));
            assert!(schema.exists(), "{} has no schema: `make schemas`", kind.name);
        }
    }
}
