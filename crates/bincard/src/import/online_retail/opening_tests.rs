//! Examples of opening stock, for a first file, a resumed one and one that overlaps.

use std::collections::HashMap;

use super::super::invoice::tests::invoices;
use super::super::plan::Assumptions;
use super::*;

fn plan(lines: &[&str]) -> Plan {
    Plan::new(invoices(lines), Assumptions::default())
}

fn opening(pairs: &[(&str, i64)]) -> Opening {
    pairs.iter().map(|(sku, units)| ((*sku).into(), *units)).collect()
}

/// A ledger that has carried out commands, and remembers their bodies.
#[derive(Default)]
struct Ledger {
    stock: HashMap<Arc<str>, i64>,
    commands: HashMap<String, serde_json::Value>,
}

impl Ledger {
    fn carry_out<'a>(&mut self, commands: impl IntoIterator<Item = &'a Planned>) {
        for command in commands {
            let known = self.commands.insert(command.command_id.clone(), command.body.clone());
            assert!(known.is_none(), "{} was sent twice", command.command_id);
            for moved in &command.moves {
                let now = self.stock.entry(Arc::clone(&moved.sku)).or_default();
                *now += moved.change;
                assert!(*now >= 0, "{} takes {} under zero", command.command_id, moved.sku);
            }
        }
    }

    /// As the import sends a plan: what is known is left alone, and an invoice with another history altogether.
    fn import(&mut self, plan: &Plan, mode: OpeningMode) -> Result<usize, Shortfall> {
        let opening = commands(plan, self, mode)?;
        let mut sent = 0;
        for invoice in std::iter::once(opening).chain(plan.trading()) {
            let first = invoice.first().map(|first| (first.repeat, self.recall(first)));
            if first == Some((Repeat::Invoice, Recall::Other)) {
                continue;
            }
            let new: Vec<&Planned> =
                invoice.iter().filter(|command| self.recall(command) == Recall::Unknown).collect();
            sent += new.len();
            self.carry_out(new);
        }
        Ok(sent)
    }
}

impl Recorded for Ledger {
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

const HISTORY: [&str; 6] = [
    "1,A,apple,3,2010-01-01 10:00:00,2,17,EIRE",
    "C2,A,apple,-2,2010-01-02 10:00:00,2,17,EIRE",
    "3,A,apple,4,2010-01-03 10:00:00,2.5,17,EIRE",
    "4,B1,found,5,2010-01-03 10:00:00,0,,EIRE",
    "5,B1,bead,5,2010-01-04 10:00:00,1,17,EIRE",
    "C6,A,apple,-5,2010-01-05 10:00:00,2.5,17,EIRE",
];

#[test]
fn a_sku_is_opened_with_the_least_that_never_goes_under_zero() {
    // A: -3 +2 -4 = -5 at the lowest; B1 is found before it is sold.
    assert_eq!(least(&plan(&HISTORY), &Empty), opening(&[("A", 5)]));
}

#[test]
fn one_unit_less_and_one_command_is_refused() {
    let plan = plan(&HISTORY);
    let refused = first_refused(&plan, "A", 4).map(|command| command.command_id);
    assert_eq!(refused.as_deref(), Some("or/3/place"));
    assert_eq!(first_refused(&plan, "A", 5), None);
}

#[test]
fn within_an_invoice_what_comes_in_precedes_what_goes_out() {
    let plan = plan(&["1,A,x,5,2010-01-01 10:00:00,2,,EIRE", "1,A,found,5,2010-01-01 10:00:00,0,,EIRE"]);
    assert_eq!(least(&plan, &Empty), opening(&[]));
}

#[test]
fn the_cost_is_a_part_of_the_first_price_and_the_time_is_the_first_midnight() {
    let commands = commands(&plan(&HISTORY), &Empty, OpeningMode::Once).expect("nothing moved before");
    assert_eq!(commands[0].command_id, "or/open/A");
    let body = json!({"sku": "A", "location": "online-retail", "quantity": 5, "unit_cost": "1.2"});
    assert_eq!(commands[0].body, body);
    assert_eq!(
        commands[0].effective_at.map(|at| at.to_rfc3339()).as_deref(),
        Some("2010-01-01T00:00:00+00:00")
    );
}

#[test]
fn nothing_is_opened_if_nothing_is_wanted() {
    assert_eq!(commands(&plan(&HISTORY), &Empty, OpeningMode::None), Ok(vec![]));
}

#[test]
fn importing_twice_sends_nothing_the_second_time() {
    let mut ledger = Ledger::default();
    assert!(ledger.import(&plan(&HISTORY), OpeningMode::Once).expect("a first file") > 0);
    assert_eq!(ledger.import(&plan(&HISTORY), OpeningMode::Once), Ok(0));
}

#[test]
fn an_import_that_was_killed_anywhere_is_resumed_to_the_same_end() {
    let plan = plan(&HISTORY);
    let mut whole = Ledger::default();
    whole.import(&plan, OpeningMode::Once).expect("a first file");
    let all: Vec<Planned> = commands(&plan, &Empty, OpeningMode::Once)
        .expect("a first file")
        .into_iter()
        .chain(plan.trading().flatten())
        .collect();
    for killed_after in 0..all.len() {
        let mut ledger = Ledger::default();
        ledger.carry_out(&all[..killed_after]);
        ledger.import(&plan, OpeningMode::Once).expect("the same file again");
        assert_eq!((ledger.stock, ledger.commands), (whole.stock.clone(), whole.commands.clone()));
    }
}

#[test]
fn a_file_with_a_shorter_history_adds_nothing_to_what_it_overlaps() {
    // From the second invoice on, so that C2 finds no purchase and would be a blind return.
    let (whole, later) = (plan(&HISTORY), plan(&HISTORY[1..]));
    let mut ledger = Ledger::default();
    ledger.import(&whole, OpeningMode::Once).expect("a first file");
    assert_eq!(ledger.import(&later, OpeningMode::Once), Ok(0));

    let mut ledger = Ledger::default();
    ledger.import(&later, OpeningMode::Once).expect("a first file");
    let stock = ledger.stock.clone();
    // The first invoice is new: its order is placed, and C2 stays the blind return that it was.
    let sent = ledger.import(&whole, OpeningMode::Once).expect("2 more of A are there by now");
    assert_eq!(sent, 6);
    assert_eq!(ledger.stock["A"], stock["A"] - 3);
    assert_eq!(ledger.commands["or/C2/return/1"]["location"], "online-retail");
}

#[test]
fn a_later_file_that_needs_more_says_how_much_or_tops_up() {
    let mut ledger = Ledger::default();
    ledger.import(&plan(&HISTORY[..3]), OpeningMode::Once).expect("a first file");
    let later = plan(&["7,A,apple,9,2010-02-01 10:00:00,2,17,EIRE"]);
    let missing = ledger.import(&later, OpeningMode::Once).expect_err("A is sold out");
    assert_eq!(missing, Shortfall(opening(&[("A", 9)])));
    assert!(missing.to_string().contains("A: 9 missing"), "{missing}");
    ledger.import(&later, OpeningMode::TopUp).expect("topped up");
    assert!(ledger.commands.contains_key("or/top-up/7/A"));
    assert_eq!(ledger.import(&later, OpeningMode::TopUp), Ok(0));
}
