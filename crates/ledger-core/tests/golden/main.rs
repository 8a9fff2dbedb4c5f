//! Stored shapes are frozen: every committed byte decodes to the same value, and the same history to the same ledger,
//! for ever.
//!
//! `fixtures/golden/{commands,events}/<name>.json` hold samples of one kind: its JSON and its stored bytes.
//! `fixtures/golden/histories/<number>.txt` holds a log: the hash of the books it folds to (`books.rs`: what they say, not
//! how memory holds it), then log time and stored bytes of each entry. `make golden` writes what is missing and never touches what is there: a new shape is a new kind.

#![allow(clippy::unwrap_used, reason = "in a test, what cannot be had is a failure")]

mod books;
mod history;

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::PathBuf;

use ledger_core::values::{ActorId, CommandId, CorrelationId, Name, Text, Timestamp};
use ledger_core::{Actor, ActorKind, Command, Entry, Event, Ledger, Submission, Submitted};
use serde_json::{Value, json};

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/golden").join(name)
}

fn is_writing() -> bool {
    std::env::var_os("BINCARD_WRITE_GOLDEN").is_some_and(|value| value == "1")
}

/// Writes a file that is not there yet.
fn write_new(path: &PathBuf, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut file = fs::File::options().write(true).create_new(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    assert!(hex.len().is_multiple_of(2), "half a byte in {hex}");
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

/// A log as it is committed.
#[derive(Debug, Clone, PartialEq)]
struct History {
    books: String,
    entries: Vec<(Timestamp, Vec<u8>)>,
}

impl History {
    fn parse(text: &str) -> History {
        let mut lines = text.lines();
        let books = lines.next().unwrap().strip_prefix("books ").unwrap().to_owned();
        let entries = lines.map(|line| {
            let (log_time, stored) = line.split_once(' ').unwrap();
            (Timestamp::parse(log_time).unwrap(), bytes(stored))
        });
        History { books, entries: entries.collect() }
    }

    fn to_text(&self) -> String {
        let entries = self.entries.iter().map(|(log_time, stored)| format!("{log_time} {}\n", hex(stored)));
        format!("books {}\n{}", self.books, entries.collect::<String>())
    }

    /// What the script of this version does.
    fn of_the_script() -> History {
        let (mut ledger, mut entries) = (Ledger::new(), Vec::new());
        let mut now = Timestamp::parse("2026-01-05T08:00:00Z").unwrap();
        for (number, step) in history::script().into_iter().enumerate() {
            now = now.plus_micros(60_000_001);
            if step[0].1 == history::A_DAY_PASSES {
                now = now.plus_days(1);
                continue;
            }
            let submission = submission(number, step);
            let shown = format!("{:?}", submission.commands);
            let pending = ledger.decide(submission, now).unwrap_or_else(|no| panic!("{no}: {shown}"));
            entries.push((now, pending.accept().2));
        }
        History { books: books::hash(&ledger), entries }
    }

    fn entries(&self) -> impl Iterator<Item = Entry> {
        self.entries.iter().map(|(_, stored)| Entry::decode(stored).unwrap())
    }
}

fn submission(number: usize, step: Vec<history::Step>) -> Submission {
    let commands = step.into_iter().enumerate().map(|(at, (effective_at, name, body))| {
        let id = CommandId::try_new(format!("golden/{number}/{at}")).unwrap();
        let shown = body.to_string();
        let command =
            Command::deserialize(name, body).unwrap_or_else(|| panic!("{name} is not in the table"));
        let command = command.unwrap_or_else(|fault| panic!("{name} {shown}: {fault}"));
        let mut assigned = [0x5a; 16];
        assigned[15] = u8::try_from(number).unwrap();
        Submitted::new(id, effective_at.map(|at| Timestamp::parse(at).unwrap()), Some(assigned), command)
    });
    let kinds = ActorKind::ALL;
    Submission {
        actor: Actor { id: ActorId::try_new("ann").unwrap(), kind: kinds[number % kinds.len()] },
        roles: if number.is_multiple_of(2) { Vec::new() } else { vec![Name::try_new("warehouse").unwrap()] },
        correlation: number.is_multiple_of(3).then(|| CorrelationId::try_new("trace-1").unwrap()),
        commands: commands.collect(),
    }
}

/// Every committed history, with its file's name.
fn committed_histories() -> Vec<(String, History)> {
    let mut files: Vec<PathBuf> = match fs::read_dir(folder("histories")) {
        Ok(entries) => entries.map(|entry| entry.unwrap().path()).collect(),
        Err(_) => Vec::new(),
    };
    files.sort();
    let read = |file: PathBuf| {
        (
            file.file_name().unwrap().to_string_lossy().into_owned(),
            History::parse(&fs::read_to_string(file).unwrap()),
        )
    };
    files.into_iter().map(read).collect()
}

fn kinds_in(histories: &[(String, History)]) -> BTreeSet<&'static str> {
    let entries = histories.iter().flat_map(|(_, history)| history.entries());
    entries
        .flat_map(|entry| entry.commands)
        .flat_map(|decided| {
            let command = decided.submitted.command.name();
            decided.events.iter().map(Event::name).chain([command]).collect::<Vec<_>>()
        })
        .collect()
}

fn kinds_without(have: &BTreeSet<&'static str>) -> Vec<&'static str> {
    Command::KINDS
        .iter()
        .chain(Event::KINDS)
        .map(|kind| kind.name)
        .filter(|name| !have.contains(name))
        .collect()
}

#[test]
fn every_history_folds_to_its_ledger() {
    if is_writing() && !kinds_without(&kinds_in(&committed_histories())).is_empty() {
        let number = committed_histories().len() + 1;
        write_new(&folder("histories").join(format!("{number:04}.txt")), &History::of_the_script().to_text());
    }
    let histories = committed_histories();
    for (name, history) in &histories {
        let mut ledger = Ledger::new();
        for (log_time, stored) in &history.entries {
            let entry = Entry::decode(stored).unwrap_or_else(|fault| panic!("{name}: {fault}"));
            let mut again = Vec::new();
            entry.encode(&mut again);
            assert_eq!(hex(&again), hex(stored), "{name}: an entry is stored in another way");
            ledger.apply(&entry, *log_time).unwrap_or_else(|broken| panic!("{name}: {broken}"));
        }
        ledger_core::finance::check(&ledger).unwrap_or_else(|broken| panic!("{name}: {broken}"));
        assert_eq!(books::hash(&ledger), history.books, "{name} folds to other books");
    }
    let missing = kinds_without(&kinds_in(&histories));
    assert!(missing.is_empty(), "no golden history has {missing:?}: add to the script, then `make golden`");
}

#[test]
fn every_history_is_decided_again_in_the_same_way() {
    for (name, history) in committed_histories() {
        let mut ledger = Ledger::new();
        for ((log_time, stored), entry) in history.entries.iter().zip(history.entries()) {
            let commands = entry.commands.into_iter().map(|decided| decided.submitted).collect();
            let Entry { actor, roles, correlation, .. } = entry;
            let submission = Submission { actor, roles, correlation, commands };
            let pending = ledger.decide(submission, *log_time).unwrap_or_else(|no| panic!("{name}: {no}"));
            let (_, entry, again) = pending.accept();
            assert_eq!(hex(&again), hex(stored), "{name}: decided in another way: {:?}", entry.commands);
        }
    }
}

/// Samples of one kind: each time with other fields given or absent.
fn samples<T>(all: &[T], name: &str, of: impl Fn(&T) -> (&'static str, Value, Vec<u8>)) -> Vec<Value> {
    let mut shapes = BTreeSet::new();
    let mut samples = Vec::new();
    for one in all {
        let (kind, value, stored) = of(one);
        if kind == name && shapes.insert(shape(&value)) {
            samples.push(json!({"value": value, "stored": hex(&stored)}));
        }
    }
    samples
}

/// The paths of a value's fields, and the codes in them: amounts, ids and free text apart.
fn shape(value: &Value) -> String {
    const CODES: [&str; 14] = [
        "status",
        "from",
        "to",
        "kind",
        "costing",
        "settlement",
        "oversell",
        "partial_shipment",
        "cost_source",
        "outcome",
        "grade",
        "short",
        "account",
        "action",
    ];
    match value {
        Value::Object(fields) => {
            let field = |(name, value): (&String, &Value)| match value
                .as_str()
                .filter(|_| CODES.contains(&name.as_str()))
            {
                Some(code) => format!("{name}:{code},"),
                None => format!("{name}:{},", shape(value)),
            };
            fields.iter().map(field).collect()
        }
        Value::Array(values) => format!("{:?}", values.iter().map(shape).collect::<BTreeSet<_>>()),
        Value::String(_) => "text".to_owned(),
        Value::Number(_) => "number".to_owned(),
        Value::Bool(is) => is.to_string(),
        Value::Null => "null".to_owned(),
    }
}

fn check_samples(
    kind: &str,
    place: &str,
    samples_of: impl Fn(&str) -> Vec<Value>,
    read: impl Fn(&[u8]) -> (Value, Vec<u8>),
) {
    let path = folder(place).join(format!("{kind}.json"));
    if is_writing() && !path.exists() {
        let samples = samples_of(kind);
        assert!(!samples.is_empty(), "the script has no {kind}");
        write_new(&path, &format!("{}\n", serde_json::to_string_pretty(&samples).unwrap()));
    }
    let text = fs::read_to_string(&path).unwrap_or_else(|_| {
        panic!("{place}/{kind}.json is missing: add {kind} to the script, then `make golden`")
    });
    let committed: Vec<Value> = serde_json::from_str(&text).unwrap();
    assert!(!committed.is_empty(), "{place}/{kind}.json has no sample");
    for sample in committed {
        let stored = sample["stored"].as_str().unwrap();
        let (value, again) = read(&bytes(stored));
        assert_eq!(value, sample["value"], "{place}/{kind}: the bytes mean something else");
        assert_eq!(hex(&again), stored, "{place}/{kind}: the value is stored in another way");
    }
}

#[test]
fn every_stored_command_is_what_it_was() {
    let script = || -> Vec<Command> {
        let history = History::of_the_script();
        let commands = history.entries().flat_map(|entry| entry.commands);
        commands.map(|decided| decided.submitted.command).collect()
    };
    let of =
        |command: &Command| (command.name(), serde_json::to_value(command).unwrap(), stored_command(command));
    for kind in Command::KINDS {
        check_samples(
            kind.name,
            "commands",
            |name| samples(&script(), name, of),
            |mut stored| {
                let command = Command::decode(&mut stored).unwrap();
                assert!(stored.is_empty() && command.name() == kind.name, "{}", kind.name);
                let value = serde_json::to_value(&command).unwrap();
                let read = Command::deserialize(kind.name, value.clone()).unwrap().unwrap();
                assert_eq!(read, command, "{}: its JSON means something else", kind.name);
                (value, stored_command(&command))
            },
        );
    }
}

fn stored_command(command: &Command) -> Vec<u8> {
    let mut stored = Vec::new();
    command.encode(&mut stored);
    stored
}

#[test]
fn every_stored_event_is_what_it_was() {
    let script = || -> Vec<Event> {
        let history = History::of_the_script();
        let entries: Vec<_> = history.entries().collect();
        entries.iter().flat_map(Entry::events).cloned().collect()
    };
    let of = |event: &Event| (event.name(), serde_json::to_value(event).unwrap(), stored_event(event));
    for kind in Event::KINDS {
        check_samples(
            kind.name,
            "events",
            |name| samples(&script(), name, of),
            |mut stored| {
                let event = Event::decode(&mut stored).unwrap();
                assert!(stored.is_empty() && event.name() == kind.name, "{}", kind.name);
                (serde_json::to_value(&event).unwrap(), stored_event(&event))
            },
        );
    }
}

fn stored_event(event: &Event) -> Vec<u8> {
    let mut stored = Vec::new();
    event.encode(&mut stored);
    stored
}

macro_rules! tags_of {
    ($($list:ty),+ $(,)?) => {
        [$((stringify!($list), <$list>::ALL.iter().map(|code| (code.as_str(), *code as u8)).collect::<Vec<_>>())),+]
    };
}

#[test]
fn every_code_keeps_its_stored_tag() {
    use ledger_core::{
        Account, Status, World, channels, fulfilment, items, locations, orders, payments, returns, stock,
    };
    let lists = tags_of![
        ActorKind,
        Account,
        Status,
        World,
        items::ItemKind,
        items::Costing,
        locations::LocationKind,
        channels::ChannelKind,
        channels::Settlement,
        channels::OversellPolicy,
        channels::PartialShipment,
        stock::CostSource,
        orders::HoldReason,
        orders::HoldLimitAction,
        orders::Waiting,
        fulfilment::ShortPick,
        returns::Grade,
        returns::Outcome,
        payments::Direction,
    ];
    for (list, codes) in lists {
        let name = list.rsplit("::").next().unwrap().trim().to_lowercase();
        let path = folder("codes").join(format!("{name}.txt"));
        if is_writing() && !path.exists() {
            write_new(&path, &codes.iter().map(|(code, tag)| format!("{tag} {code}\n")).collect::<String>());
        }
        let committed = fs::read_to_string(&path)
            .unwrap_or_else(|_| panic!("codes/{name}.txt is missing: `make golden`"));
        for line in committed.lines() {
            let (tag, code) = line.split_once(' ').unwrap();
            let now = codes.iter().find(|(now, _)| *now == code).map(|(_, tag)| tag.to_string());
            assert_eq!(now.as_deref(), Some(tag), "{list}: {code} is stored under another tag");
        }
    }
}
