//! The week of real invoices, imported for real: to the penny and the unit, twice, after kill -9, and one unit short.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bincard::import::online_retail::opening::{self, Empty};
use bincard::import::online_retail::{Assumptions, OpeningMode, Plan};
use bincard::import::{Planned, item};
use command_api::{Envelope, Options, Service, request};
use journal::{JournalRead, OfflineJournal};
use ledger_core::control::Create;
use ledger_core::values::{ActorId, CommandId, Name, Text, Timestamp};
use ledger_core::{Actor, ActorKind, Event, Ledger, Rejection, Settings, Submission, Submitted};
use projections::{Digest, MemoryStore, Projections, Query};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use support::{Running, bincard, run, tool, week};

/// What the script says about a file; none, said so, without a Python.
fn sums(file: &Path) -> Option<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tools/online_retail_sums.py");
    let output = Command::new(tool("PYTHON", "python3")?).arg(script).arg(file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

/// Imports a file in process and gives the summary.
fn import(file: &Path, data: &Path) -> String {
    let (file, data) = (file.to_str().unwrap(), data.to_str().unwrap());
    run(&["import", "online-retail", file, "--data", data]).ended(0).out
}

/// The figure that stands behind a word of the summary.
fn figure(summary: &str, word: &str) -> u64 {
    let line = summary.lines().find(|line| line.starts_with(word));
    let line = line.unwrap_or_else(|| panic!("no {word} in {summary}"));
    line.split_whitespace().nth(1).unwrap().replace(',', "").parse().unwrap()
}

/// The views of a stopped ledger, folded anew.
fn views(data: &Path) -> Projections {
    let journal = OfflineJournal::open(&data.join("main")).unwrap();
    Projections::open(Box::new(MemoryStore::default()), Arc::new(journal)).unwrap()
}

/// Every row of a view.
fn rows(views: &Projections, view: &str, filter: &Value) -> Vec<Value> {
    let mut query: Query = serde_json::from_value(json!({"filter": filter, "limit": 1000})).unwrap();
    let mut rows = Vec::new();
    loop {
        let page = views.query(view, query.clone()).unwrap();
        rows.extend(page.rows);
        match page.next {
            Some(next) => query.cursor = Some(next),
            None => return rows,
        }
    }
}

fn decimal(value: &Value) -> Decimal {
    value.as_str().map_or(Decimal::ZERO, |text| Decimal::from_str(text).unwrap())
}

/// Month → country → goods, charges, credits, fees, bad debt: what the shop gets is positive.
type Money = BTreeMap<String, BTreeMap<String, BTreeMap<String, Decimal>>>;

/// The same sums from the financial book: income by what happened, expenses by account.
fn booked(views: &Projections) -> Money {
    let mut money = Money::new();
    for row in rows(views, "journal_lines", &json!({})) {
        let part = match (row["account"].as_str().unwrap(), row["event"].as_str().unwrap()) {
            ("4000", "fulfilment.shipped") => "goods",
            ("4100", "fulfilment.shipped" | "orders.invoiced") => "charges",
            ("4000" | "4100" | "4300", "returns.refunded") => "credits",
            ("5400" | "5810", "finance.posted_manually") => "fees",
            ("5800", "finance.posted_manually") => "bad_debt",
            ("4000" | "4100" | "4200" | "4300" | "5400" | "5800" | "5810", event) => {
                panic!("{event} is none of the import's: {row}")
            }
            _ => continue,
        };
        let month = row["posted_at"].as_str().unwrap()[..7].to_owned();
        let country = row["country"].as_str().expect("income has a country").to_owned();
        let amount = decimal(&row["credit"]) - decimal(&row["debit"]);
        *money.entry(month).or_default().entry(country).or_default().entry(part.to_owned()).or_default() +=
            amount;
    }
    money
}

fn wanted(sums: &Value) -> Money {
    let texts: BTreeMap<String, BTreeMap<String, BTreeMap<String, String>>> =
        serde_json::from_value(sums["money"].clone()).unwrap();
    let part = |(name, text): (String, String)| (name, Decimal::from_str(&text).unwrap());
    let country =
        |(name, parts): (String, BTreeMap<String, String>)| (name, parts.into_iter().map(part).collect());
    texts.into_iter().map(|(month, all)| (month, all.into_iter().map(country).collect())).collect()
}

/// Units that came in and went out since the opening, per SKU, from the bin cards.
fn moved(views: &Projections, skus: impl Iterator<Item = String>) -> BTreeMap<String, [i64; 2]> {
    let mut units = BTreeMap::new();
    for sku in skus {
        let both: &mut [i64; 2] = units.entry(sku.clone()).or_default();
        for row in rows(views, "bin_card", &json!({"sku": sku, "location": "online-retail"})) {
            assert!(row["balance"].as_i64().unwrap() >= 0, "{row}");
            let change = row["change"].as_i64().unwrap();
            if row["event"] != "stock.opened" {
                both[usize::from(change < 0)] += change.abs();
            }
        }
    }
    units
}

#[test]
fn the_week_is_booked_to_the_penny_and_the_unit_and_importing_it_again_changes_nothing() {
    let Some(file) = week() else { return };
    let data = tempfile::tempdir().unwrap();
    let began = Instant::now();
    let summary = import(&file, data.path());
    println!("imported in {:.1?}:\n{summary}", began.elapsed());
    assert_eq!((figure(&summary, "refused"), figure(&summary, "duplicates")), (0, 0));
    let first = views(data.path());
    let before = first.position();

    if let Some(sums) = sums(&file) {
        assert_eq!(booked(&first), wanted(&sums));
        let units: BTreeMap<String, [i64; 2]> = serde_json::from_value(sums["units"].clone()).unwrap();
        assert_eq!(moved(&first, units.keys().cloned()), units);
        let opening: BTreeMap<String, i64> = serde_json::from_value(sums["opening"].clone()).unwrap();
        let left = units.iter().map(|(sku, [came, went])| {
            (sku.clone(), opening.get(sku).copied().unwrap_or_default() + came - went)
        });
        let mut held: BTreeMap<String, i64> = BTreeMap::new();
        for row in rows(&first, "stock_position", &json!({})) {
            assert!(row["quantity"].as_i64().unwrap() > 0, "{row}");
            *held.entry(row["sku"].as_str().unwrap().to_owned()).or_default() +=
                row["quantity"].as_i64().unwrap();
        }
        assert_eq!(held, left.filter(|(_, units)| *units != 0).collect());
    }
    let ties = rows(&first, "trial_balance", &json!({})).into_iter().filter(|row| row["row"] == "tie_out");
    let apart: Vec<Value> = ties.filter(|row| decimal(&row["difference"]) != Decimal::ZERO).collect();
    assert!(apart.is_empty(), "{apart:?}");
    // It shares the lock of the folder.
    drop(first);

    let again = import(&file, data.path());
    assert_eq!((figure(&again, "accepted"), figure(&again, "refused")), (0, 0), "{again}");
    // Stock that is open already is not opened again.
    let opened =
        summary.split("assumed: ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap().replace(',', "");
    assert_eq!(figure(&again, "duplicates") + opened.parse::<u64>().unwrap(), figure(&summary, "accepted"));
    let epoch_alone = OfflineJournal::open(&data.path().join("main")).unwrap().head().sequence;
    assert_eq!(epoch_alone, before.sequence + 1, "the log grew by the writer's start and nothing else");

    let verified = run(&["replay", "verify", "--data", data.path().to_str().unwrap(), "--format", "json"]);
    assert_eq!(verified.ended(0).json()[0]["differences"], 0);
}

#[test]
fn an_import_that_is_killed_again_and_again_ends_like_one_that_was_left_alone() {
    let Some(file) = week() else { return };
    let whole = tempfile::tempdir().unwrap();
    let began = Instant::now();
    import(&file, whole.path());
    let (wanted, takes) = (views(whole.path()).digest().unwrap(), began.elapsed());

    let killed = tempfile::tempdir().unwrap();
    let folder = killed.path().to_str().unwrap();
    // Multiplicative steps of a prime visit the whole span without a random source that nobody could repeat.
    for round in 1..=6_u32 {
        let after = takes * (round * 37 % 64) / 64;
        let mut command = bincard(&["import", "online-retail", file.to_str().unwrap(), "--data", folder]);
        let importing = Running::start(command.stdout(Stdio::null()));
        std::thread::sleep(after.max(Duration::from_millis(50)));
        importing.kill();
    }
    let summary = import(&file, killed.path());
    assert_eq!(figure(&summary, "refused"), 0, "{summary}");
    let served = serve(killed.path());
    assert_same(&served.projections().digest().unwrap(), &wanted);
    let sample = sample(&served.projections());
    served.stop().unwrap();
    // The last handle keeps the views' folder open.
    drop(served);

    // The views' folder is a cache: without it the answers are the same.
    let cache = killed.path().join("main/projections");
    std::fs::remove_dir_all(&cache).unwrap();
    let served = serve(killed.path());
    assert_eq!(self::sample(&served.projections()), sample);
    served.stop().unwrap();
    assert!(cache.exists());
}

/// The ledger in a folder, run by this process, its views on the disk.
fn serve(data: &Path) -> Service {
    Service::start(Options::new(data, Settings::named(Name::try_new("main").unwrap()))).unwrap()
}

/// Rows of every kind of view: of the ledger as it is, of the log, and by key.
fn sample(views: &Projections) -> Vec<Value> {
    let mut found = Vec::new();
    for view in ["stock_position", "trial_balance", "order_board"] {
        found.extend(rows(views, view, &json!({})));
    }
    let skus: Vec<String> = found.iter().filter_map(|row| Some(row["sku"].as_str()?.to_owned())).collect();
    for sku in skus.iter().step_by(16) {
        found.extend(rows(views, "bin_card", &json!({"sku": sku})));
        found.extend(rows(views, "audit", &json!({"kind": "item", "id": sku})));
        found.extend(rows(views, "journal_lines", &json!({"item": sku})));
    }
    found
}

/// Digests that tell which view they differ in.
#[track_caller]
fn assert_same(found: &Digest, wanted: &Digest) {
    for (found, wanted) in found.views.iter().zip(&wanted.views) {
        assert_eq!(found, wanted);
    }
    assert_eq!(found, wanted);
}

/// A ledger in memory, created and nothing else.
struct Fresh {
    ledger: Ledger,
    now: Timestamp,
}

impl Fresh {
    fn new() -> Fresh {
        let now = Timestamp::parse("2026-01-01T00:00:00Z").unwrap();
        let mut fresh = Fresh { ledger: Ledger::new(), now };
        let create = Create { settings: Settings::named(Name::try_new("main").unwrap()) };
        let id = CommandId::try_new("create").unwrap();
        let actor = Actor { id: ActorId::try_new("test").unwrap(), kind: ActorKind::Connector };
        let commands = vec![Submitted::new(id, None, None, create)];
        fresh.decide(Submission { actor, roles: Vec::new(), correlation: None, commands }).unwrap();
        fresh
    }

    fn send(&mut self, planned: &Planned) -> Result<Vec<Event>, Rejection> {
        let item = item(planned);
        let envelope = Envelope {
            id: item.id.map(|id| CommandId::try_new(id).unwrap()),
            effective_at: item.effective_at.map(|at| Timestamp::parse(&at).unwrap()),
            ..Envelope::default()
        };
        let read = request::read_command(&item.command, item.body.to_string().as_bytes(), &envelope);
        self.decide(read.unwrap().submission)
    }

    fn decide(&mut self, submission: Submission) -> Result<Vec<Event>, Rejection> {
        let (_, entry, _) = self.ledger.decide(submission, self.now)?.accept();
        Ok(entry.commands.into_iter().flat_map(|decided| decided.events).collect())
    }
}

/// Units that an order was refused.
fn refused_units(events: &[Event]) -> i64 {
    let units = |event: &Event| match event {
        Event::OrdersRefused(refused) => refused.lines.iter().map(|line| line.quantity.units()).sum(),
        _ => 0,
    };
    events.iter().map(units).sum()
}

#[test]
fn each_sku_that_is_opened_one_unit_short_is_refused_that_unit_where_the_plan_says() {
    let Some(file) = week() else { return };
    let plan = Plan::read(&[file], Assumptions::default()).unwrap();
    let opened = opening::commands(&plan, &Empty, OpeningMode::Once).unwrap();
    assert!(opened.len() > 2000);
    let mut by_command: BTreeMap<&str, usize> = BTreeMap::new();
    for open in &opened {
        let moved = &open.moves[0];
        let alone = plan.of_sku(&moved.sku);
        let short = moved.change - 1;
        let refused = opening::first_refused(&alone, &moved.sku, short).expect("one unit is missing");

        let mut ledger = Fresh::new();
        for planned in alone.definitions() {
            ledger.send(&planned).unwrap();
        }
        if short > 0 {
            let mut open = open.clone();
            open.body["quantity"] = json!(short);
            ledger.send(&open).unwrap();
        }
        for planned in alone.trading().flatten() {
            let outcome = ledger.send(&planned);
            if planned.command_id != refused.command_id {
                let events =
                    outcome.unwrap_or_else(|rejection| panic!("{}: {rejection}", planned.command_id));
                assert_eq!(refused_units(&events), 0, "{}", planned.command_id);
                continue;
            }
            *by_command.entry(planned.name).or_default() += 1;
            match planned.name {
                "orders.place" => assert_eq!(refused_units(&outcome.unwrap()), 1, "{}", planned.command_id),
                "stock.adjust" => assert_eq!(outcome.unwrap_err().code(), "not_enough_available"),
                name => panic!("{name} takes no stock"),
            }
            break;
        }
    }
    println!("refused: {by_command:?}");
    assert_eq!(by_command.values().sum::<usize>(), opened.len());
}
