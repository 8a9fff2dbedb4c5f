//! The plan of the whole real year and of the week inside it, against sums that a script computes apart from it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::str::FromStr;
use std::time::Instant;

use bincard::import::online_retail::opening::{self, Empty};
use bincard::import::online_retail::{Assumptions, OpeningMode, Plan, Planned, Recall, Recorded, Repeat};
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::Value;

const YEAR: &str = "online-retail/2009-12_2010-12.csv.gz";
const WEEK: &str = "online-retail/week_2010-12-01_07.csv";

/// A file of the data folder, which is beside the project or where BINCARD_DATA says; none, said so, if absent.
fn data(name: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let path = std::env::var_os("BINCARD_DATA").map_or_else(beside, PathBuf::from).join(name);
    if !path.exists() {
        println!("skipped: {} is not here", path.display());
        return None;
    }
    Some(path)
}

/// What the script says about a file.
fn sums(path: &Path) -> Option<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tools/online_retail_sums.py");
    let python = std::env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
    let Ok(output) = Command::new(&python).arg(script).arg(path).output() else {
        println!("skipped: no {} to compute the sums with", python.display());
        return None;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).expect("the script prints JSON"))
}

fn decimal(value: &Value) -> Decimal {
    Decimal::from_str(value.as_str().expect("an amount is text")).expect("an amount is a decimal")
}

fn all(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// What the commands' own bodies add up to.
#[derive(Default)]
struct Totals {
    money: BTreeMap<String, BTreeMap<String, BTreeMap<String, Decimal>>>,
    units: BTreeMap<String, [i64; 2]>,
    country_of_order: HashMap<String, String>,
    claimed: Decimal,
    repaid: Decimal,
}

impl Totals {
    fn add(&mut self, command: &Planned) {
        let body = &command.body;
        for moved in &command.moves {
            let units = self.units.entry(moved.sku.to_string()).or_default();
            units[usize::from(moved.change < 0)] += moved.change.abs();
        }
        match command.name {
            "orders.place" => {
                let country = body["destination"]["country"].as_str().expect("a country").to_owned();
                for line in all(&body["lines"]) {
                    let amount = Decimal::from(line["quantity"].as_i64().expect("a quantity"))
                        * decimal(&line["price"]);
                    let amount = amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
                    self.book(command, &country, "goods", amount);
                }
                for charge in all(&body["charges"]) {
                    self.book(command, &country, "charges", decimal(&charge["amount"]));
                }
                let order = body["order"].as_str().expect("an order id").to_owned();
                assert!(self.country_of_order.insert(order, country).is_none(), "an order is placed once");
            }
            "returns.refund" => {
                let country = match body.get("order") {
                    Some(order) => self.country_of_order[order.as_str().expect("an order id")].clone(),
                    None => body["country"].as_str().expect("a country").to_owned(),
                };
                for part in all(&body["lines"]).iter().chain(all(&body["charges"])) {
                    self.claimed += decimal(&part["amount"]);
                    self.book(command, &country, "credits", -decimal(&part["amount"]));
                }
            }
            "payments.refund" => self.repaid += decimal(&body["amount"]),
            "finance.post_manual" => {
                let expense = &body["lines"][0];
                let name = if expense["account"] == "5800" { "bad_debt" } else { "fees" };
                let amount = match expense.get("debit") {
                    Some(debit) => -decimal(debit),
                    None => decimal(&expense["credit"]),
                };
                let country = expense["country"].as_str().expect("a country").to_owned();
                self.book(command, &country, name, amount);
            }
            _ => {}
        }
    }

    fn book(&mut self, command: &Planned, country: &str, name: &str, amount: Decimal) {
        if amount.is_zero() {
            return;
        }
        let month = command.effective_at.expect("trade has a time").format("%Y-%m").to_string();
        let parts = self.money.entry(month).or_default().entry(country.to_owned()).or_default();
        *parts.entry(name.to_owned()).or_default() += amount;
    }
}

/// Plans a file, holds it against the script's sums, and gives the number of commands by name.
fn check(name: &str) -> Option<BTreeMap<&'static str, usize>> {
    let path = data(name)?;
    let began = Instant::now();
    let plan = Plan::read(std::slice::from_ref(&path), Assumptions::default()).expect("a good file");
    let read = began.elapsed();
    let opening = opening::commands(&plan, &Empty, OpeningMode::Once).expect("an empty ledger");
    let opened = began.elapsed();

    let mut counts: BTreeMap<&'static str, usize> = BTreeMap::new();
    let mut ids = HashSet::new();
    let mut stock: HashMap<String, i64> = HashMap::new();
    let mut totals = Totals::default();
    let mut count = |command: &Planned| {
        *counts.entry(command.name).or_default() += 1;
        assert!(command.command_id.len() <= 64, "{}", command.command_id);
        assert!(ids.insert(command.command_id.clone()), "{} is there twice", command.command_id);
        for moved in &command.moves {
            let level = stock.entry(moved.sku.to_string()).or_default();
            *level += moved.change;
            assert!(*level >= 0, "{} takes {:?} to {level}", command.command_id, moved.sku);
        }
    };
    plan.definitions().for_each(|command| count(&command));
    opening.iter().for_each(&mut count);
    for command in plan.trading().flatten() {
        count(&command);
        totals.add(&command);
    }
    println!(
        "{name}: {} invoices, {} commands; read {read:.1?}, opening {:.1?}, all {:.1?}; {counts:?}",
        plan.invoices.len(),
        counts.values().sum::<usize>(),
        opened - read,
        began.elapsed()
    );
    assert_eq!(totals.claimed, totals.repaid);

    let sums = sums(&path)?;
    assert_eq!(sums["invoices"], plan.invoices.len());
    let units: BTreeMap<String, [i64; 2]> =
        serde_json::from_value(sums["units"].clone()).expect("pairs of numbers");
    assert_eq!(totals.units, units);
    let least: BTreeMap<String, i64> = serde_json::from_value(sums["opening"].clone()).expect("numbers");
    let opened = opening.iter().map(|open| (open.moves[0].sku.to_string(), open.moves[0].change));
    assert_eq!(opened.collect::<BTreeMap<_, _>>(), least);

    let mut total = Decimal::ZERO;
    for (month, countries) in sums["money"].as_object().expect("months") {
        for (country, parts) in countries.as_object().expect("countries") {
            for (part, amount) in parts.as_object().expect("parts") {
                let planned = totals.money.get_mut(month).and_then(|countries| countries.get_mut(country));
                let planned = planned.and_then(|parts| parts.remove(part)).unwrap_or_default();
                assert_eq!(planned, decimal(amount), "{part} of {country} in {month}");
                total += planned;
            }
        }
    }
    let more: Vec<_> =
        totals.money.values().flat_map(BTreeMap::values).filter(|parts| !parts.is_empty()).collect();
    assert!(more.is_empty(), "the file has none of these: {more:?}");
    assert_eq!(total, decimal(&sums["total"]));
    Some(counts)
}

#[test]
fn the_real_year_is_planned_to_the_penny_and_the_unit() {
    let Some(counts) = check(YEAR) else { return };
    assert_eq!(counts["fulfilment.ship"], 20_573);
}

#[test]
fn the_real_week_is_planned_to_the_penny_and_the_unit() {
    check(WEEK);
}

#[test]
fn every_invoice_of_the_week_is_the_same_commands_in_the_year_unless_history_matters() {
    let (Some(year), Some(week)) = (data(YEAR), data(WEEK)) else { return };
    let plan = |path: PathBuf| Plan::read(&[path], Assumptions::default()).expect("a good file");
    let (year, week) = (plan(year), plan(week));
    let numbers: HashSet<_> = week.invoices.iter().map(|invoice| &invoice.number).collect();
    let in_both: Vec<Vec<Planned>> = year
        .invoices
        .iter()
        .zip(year.trading())
        .filter_map(|(invoice, commands)| numbers.contains(&invoice.number).then_some(commands))
        .collect();
    assert_eq!(in_both.len(), 757);

    let mut other_history = 0;
    for (in_year, in_week) in in_both.iter().zip(week.trading()) {
        let is_return = in_week.first().is_some_and(|first| first.repeat == Repeat::Invoice);
        if is_return {
            // What counts is that the two meet in the first command, and that it tells whether they agree.
            assert_eq!(in_year[0].command_id, in_week[0].command_id);
            assert_eq!(in_year[0].body == in_week[0].body, *in_year == in_week);
            other_history += usize::from(*in_year != in_week);
            continue;
        }
        for (one, other) in in_year.iter().zip(&in_week) {
            assert_eq!(one.command_id, other.command_id);
            assert!(one == other || one.repeat == Repeat::Keep, "{one:?} and {other:?}");
        }
        assert_eq!(in_year.len(), in_week.len());
    }
    println!("returns matched differently because the year goes further back: {other_history}");
    // Both files at once are the year: the week adds nothing.
    let both = [data(YEAR), data(WEEK)].into_iter().flatten().collect::<Vec<_>>();
    assert_eq!(Plan::read(&both, Assumptions::default()).expect("they agree").invoices, year.invoices);
}

/// As much of a ledger as an import can contradict: stock, known commands, and units that may still come back.
#[derive(Default)]
struct Model {
    stock: HashMap<String, i64>,
    commands: HashMap<String, Value>,
    returnable: HashMap<(String, u64), i64>,
}

impl Recorded for Model {
    fn on_hand(&self, sku: &str) -> i64 {
        self.stock.get(sku).copied().unwrap_or_default()
    }

    fn has_moved(&self, sku: &str) -> bool {
        self.stock.contains_key(sku)
    }

    fn recall(&self, planned: &Planned) -> Recall {
        match self.commands.get(&planned.command_id) {
            None => Recall::Unknown,
            Some(body) if *body == planned.body => Recall::Same,
            Some(_) => Recall::Other,
        }
    }
}

impl Model {
    /// Sends what is not known; gives the number of commands sent.
    fn import(&mut self, plan: &Plan) -> usize {
        let opening = opening::commands(plan, self, OpeningMode::TopUp).expect("topping up never stops");
        let mut sent = 0;
        for invoice in std::iter::once(opening).chain(plan.trading()) {
            let first = invoice.first().map(|first| (first.repeat, self.recall(first)));
            if first == Some((Repeat::Invoice, Recall::Other)) {
                continue;
            }
            for command in &invoice {
                if self.recall(command) == Recall::Unknown {
                    self.accept(command);
                    sent += 1;
                }
            }
        }
        sent
    }

    fn accept(&mut self, command: &Planned) {
        for moved in &command.moves {
            let level = self.stock.entry(moved.sku.to_string()).or_default();
            *level += moved.change;
            assert!(*level >= 0, "{} takes {:?} to {level}", command.command_id, moved.sku);
        }
        let number = |line: &Value| line["line"].as_u64().expect("a line number");
        let quantity = |line: &Value| line["quantity"].as_i64().expect("a quantity");
        let order = || command.body["order"].as_str().expect("an order").to_owned();
        match command.name {
            "orders.place" => {
                for (line, number) in all(&command.body["lines"]).iter().zip(1..) {
                    self.returnable.insert((order(), number), quantity(line));
                }
            }
            "returns.authorise" => {
                for line in all(&command.body["lines"]) {
                    let left = self.returnable.get_mut(&(order(), number(line))).expect("the line is known");
                    *left -= quantity(line);
                    assert!(*left >= 0, "{} returns more than was bought", command.command_id);
                }
            }
            _ => {}
        }
        self.commands.insert(command.command_id.clone(), command.body.clone());
    }
}

#[test]
fn stretches_of_one_history_that_overlap_never_contradict_each_other() {
    let Some(path) = data(YEAR) else { return };
    let year = Plan::read(&[path], Assumptions::default()).expect("a good file");
    let stretch = |from: &str, to: &str| {
        let day =
            |invoice: &bincard::import::online_retail::invoice::Invoice| invoice.at.format("%F").to_string();
        let inside = year.invoices.iter().filter(|invoice| (from..to).contains(&day(invoice).as_str()));
        Plan::new(inside.cloned().collect(), Assumptions::default())
    };
    let (earlier, later) = (stretch("2009-12-01", "2010-03-15"), stretch("2010-02-01", "2010-05-01"));
    for files in [[&earlier, &later], [&later, &earlier]] {
        let mut ledger = Model::default();
        for plan in files {
            assert!(ledger.import(plan) > 10_000);
        }
        let orders = ledger.commands.keys().filter(|id| id.ends_with("/place")).count();
        let both = stretch("2009-12-01", "2010-05-01");
        assert_eq!(orders, both.trading().flatten().filter(|command| command.name == "orders.place").count());
        assert_eq!(ledger.import(&earlier) + ledger.import(&later), 0, "both are known");
    }
}
