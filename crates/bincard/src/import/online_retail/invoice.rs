//! Invoices: lines grouped by number wherever they stand in the file, put in order, and split by what each line means.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use rust_decimal::{Decimal, RoundingStrategy};

use super::codes::{ChargeKind, FeeAccount, Role, role};
use super::read::{Names, ReadError, Record, is_bad_debt, read_file};

/// All lines of one number. They have one customer and one country; the time is that of the earliest line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invoice {
    /// Order id of what is sold under it.
    pub number: Arc<str>,
    /// Effective time of everything in it.
    pub at: DateTime<Utc>,
    /// None for a sale to nobody in particular.
    pub customer: Option<Arc<str>>,
    /// Country as the file writes it.
    pub country: Arc<str>,
    /// Sorted by (sku, price, quantity).
    pub lines: Vec<Line>,
}

/// One line of an invoice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Stock code, byte for byte.
    pub sku: Arc<str>,
    /// What the file calls it, if anything.
    pub description: Option<Arc<str>>,
    /// Never zero.
    pub quantity: i64,
    /// Per unit.
    pub price: Decimal,
}

impl Line {
    /// Quantity × price, to the penny, half away from zero. Files are read with both in bounds: no overflow.
    pub fn amount(&self) -> Decimal {
        to_the_penny(Decimal::from(self.quantity) * self.price)
    }
}

/// Rounds half away from zero to two places.
pub fn to_the_penny(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
}

/// The lines of an invoice by what they mean, each list in the invoice's order.
#[derive(Debug, Default)]
pub struct Split<'a> {
    /// Goods found: price 0, nobody's, more than before.
    pub found: Vec<&'a Line>,
    /// Goods that came back; the quantity is negative.
    pub returned: Vec<&'a Line>,
    /// Charges given back; the amount is negative.
    pub credited: Vec<(ChargeKind, &'a Line)>,
    /// Goods sold, or sent for nothing to a customer.
    pub sold: Vec<&'a Line>,
    /// Charges beside goods, or alone.
    pub charged: Vec<(ChargeKind, &'a Line)>,
    /// Fees; a negative amount is a cost.
    pub fees: Vec<(FeeAccount, &'a Line)>,
    /// Receivables given up; a negative amount is a loss.
    pub bad_debts: Vec<&'a Line>,
    /// Goods gone: price 0, nobody's, less than before.
    pub lost: Vec<&'a Line>,
    /// Lines that are neither goods nor money: codes that are not stock, for nothing.
    pub nothing: Vec<&'a Line>,
}

impl Invoice {
    /// Sorts the lines by what they mean.
    pub fn split(&self) -> Split<'_> {
        let mut split = Split::default();
        for line in &self.lines {
            split.add(line, is_bad_debt(&self.number, &line.sku), self.customer.is_some());
        }
        split
    }
}

impl<'a> Split<'a> {
    fn add(&mut self, line: &'a Line, is_bad_debt: bool, has_customer: bool) {
        let charge = match role(&line.sku) {
            _ if is_bad_debt => return self.bad_debts.push(line),
            Role::Stock => return self.add_goods(line, has_customer),
            Role::BadDebt => return self.bad_debts.push(line),
            Role::Fee(_) | Role::Charge(_) | Role::Voucher if line.amount().is_zero() => {
                return self.nothing.push(line);
            }
            Role::Fee(account) => return self.fees.push((account, line)),
            Role::Charge(kind) => kind,
            Role::Voucher => ChargeKind::Service,
        };
        if line.quantity > 0 { self.charged.push((charge, line)) } else { self.credited.push((charge, line)) }
    }

    fn add_goods(&mut self, line: &'a Line, has_customer: bool) {
        let is_nobodys = line.price.is_zero() && !has_customer;
        match (is_nobodys, line.quantity > 0) {
            (true, true) => self.found.push(line),
            (true, false) => self.lost.push(line),
            (false, true) => self.sold.push(line),
            (false, false) => self.returned.push(line),
        }
    }
}

/// Reads the files, one after the other, into invoices in order of (time, number as text). An invoice that a former
/// file had already is taken once; it is an error if the two do not say the same.
pub fn read_invoices(files: &[PathBuf]) -> Result<Vec<Invoice>, ReadError> {
    let mut names = Names::default();
    let mut merged = Invoices::default();
    for file in files {
        let mut own = Invoices::default();
        read_file(file, &mut names, |line, record| own.add(line, record))?;
        merged.merge(own, file)?;
    }
    Ok(merged.into_sorted())
}

#[derive(Default)]
struct Invoices {
    /// With the number of the first line that mentions it.
    list: Vec<(u64, Invoice)>,
    by_number: HashMap<Arc<str>, usize>,
}

impl Invoices {
    fn add(&mut self, line_number: u64, record: Record) -> Result<(), String> {
        let Record { invoice: number, sku, description, quantity, price, at, customer, country } = record;
        let line = Line { sku, description, quantity, price };
        let Some(index) = self.by_number.get(&number) else {
            self.by_number.insert(Arc::clone(&number), self.list.len());
            self.list.push((line_number, Invoice { number, at, customer, country, lines: vec![line] }));
            return Ok(());
        };
        let (first, invoice) = &mut self.list[*index];
        if invoice.customer != customer || invoice.country != country {
            return Err(format!(
                "invoice {number} is for customer {customer:?} in {country}, but on line {first} for {:?} in {}",
                invoice.customer, invoice.country
            ));
        }
        invoice.at = invoice.at.min(at);
        invoice.lines.push(line);
        Ok(())
    }

    fn merge(&mut self, other: Invoices, file: &Path) -> Result<(), ReadError> {
        for (first, mut invoice) in other.list {
            invoice.lines.sort_by(|a, b| (&a.sku, a.price, a.quantity).cmp(&(&b.sku, b.price, b.quantity)));
            match self.by_number.get(&invoice.number) {
                None => {
                    self.by_number.insert(Arc::clone(&invoice.number), self.list.len());
                    self.list.push((first, invoice));
                }
                Some(index) if says_the_same(&self.list[*index].1, &invoice) => {}
                Some(_) => {
                    let problem = format!("invoice {} is in a former file with other lines", invoice.number);
                    return Err(ReadError::Line { file: file.to_owned(), line: first, problem });
                }
            }
        }
        Ok(())
    }

    fn into_sorted(self) -> Vec<Invoice> {
        let mut invoices: Vec<Invoice> = self.list.into_iter().map(|(_, invoice)| invoice).collect();
        invoices.sort_by(|a, b| (a.at, &a.number).cmp(&(b.at, &b.number)));
        invoices
    }
}

/// Descriptions are not compared: files differ in them and nothing hangs on them.
fn says_the_same(one: &Invoice, other: &Invoice) -> bool {
    let facts = |line: &Line| (Arc::clone(&line.sku), line.quantity, line.price);
    (one.at, &one.customer, &one.country) == (other.at, &other.customer, &other.country)
        && one.lines.iter().map(facts).eq(other.lines.iter().map(facts))
}

#[cfg(test)]
pub mod tests {
    //! Examples of grouping and splitting; `invoices` is what the other modules' examples start from.
    use super::*;
    use crate::import::online_retail::read::read;

    /// Invoices from lines of `number,sku,description,quantity,time,price,customer,country`.
    pub fn invoices(lines: &[&str]) -> Vec<Invoice> {
        try_invoices(lines).expect("good lines")
    }

    /// The same where the lines may be no good.
    pub fn try_invoices<L: AsRef<str>>(lines: &[L]) -> Result<Vec<Invoice>, String> {
        let lines: Vec<&str> = lines.iter().map(AsRef::as_ref).collect();
        let csv = format!("inv,sku,descr,qty,ts,price,cust,country\n{}\n", lines.join("\n"));
        let (mut own, mut merged) = (Invoices::default(), Invoices::default());
        let file = Path::new("a.csv");
        read(file, csv.as_bytes(), &mut Names::default(), &mut |line, record| own.add(line, record))
            .and_then(|()| merged.merge(own, file))
            .map_err(|error| error.to_string())?;
        Ok(merged.into_sorted())
    }

    fn skus<'a>(lines: impl IntoIterator<Item = &'a &'a Line>) -> Vec<&'a str> {
        lines.into_iter().map(|line| &*line.sku).collect()
    }

    #[test]
    fn lines_of_one_number_belong_together_wherever_they_stand_and_take_the_earliest_time() {
        let found = invoices(&[
            "2,B1,x,1,2010-01-01 10:01:00,1,,EIRE",
            "1,B1,x,1,2010-01-01 10:02:00,1,,EIRE",
            "2,A1,x,1,2010-01-01 10:00:00,1,,EIRE",
        ]);
        assert_eq!(found.iter().map(|invoice| &*invoice.number).collect::<Vec<_>>(), ["2", "1"]);
        assert_eq!(found[0].at.to_rfc3339(), "2010-01-01T10:00:00+00:00");
        assert_eq!(skus(&found[0].lines.iter().collect::<Vec<_>>()), ["A1", "B1"]);
    }

    #[test]
    fn at_the_same_time_the_number_as_text_decides() {
        let lines = ["10,A,x,1,2010-01-01 10:00:00,1,,EIRE", "9,A,x,1,2010-01-01 10:00:00,1,,EIRE"];
        assert_eq!(invoices(&lines).iter().map(|invoice| &*invoice.number).collect::<Vec<_>>(), ["10", "9"]);
    }

    #[test]
    fn the_order_of_lines_in_the_file_does_not_matter() {
        let lines = [
            "1,A,x,2,2010-01-01 10:00:00,1.10,,EIRE",
            "1,A,x,1,2010-01-01 10:00:00,1.1,,EIRE",
            "1,A,x,3,2010-01-01 10:00:00,0.9,,EIRE",
        ];
        let mut reversed = lines;
        reversed.reverse();
        assert_eq!(invoices(&lines), invoices(&reversed));
    }

    #[test]
    fn an_invoice_for_two_customers_is_an_error_with_both_lines() {
        let lines = ["1,A,x,2,2010-01-01 10:00:00,1,7,EIRE", "1,A,x,1,2010-01-01 10:00:00,1,8,EIRE"];
        let error = try_invoices(&lines).expect_err("two customers");
        assert_eq!(
            error,
            "a.csv, line 3: invoice 1 is for customer Some(\"8\") in EIRE, but on line 2 for Some(\"7\") in EIRE"
        );
    }

    #[test]
    fn each_line_means_one_thing() {
        let found = invoices(&[
            "1,A,x,2,2010-01-01 10:00:00,1,,EIRE",
            "1,B1,x,2,2010-01-01 10:00:00,0,,EIRE",
            "1,C1,x,-2,2010-01-01 10:00:00,0,,EIRE",
            "1,D1,x,-2,2010-01-01 10:00:00,1,,EIRE",
            "1,POST,x,1,2010-01-01 10:00:00,1,,EIRE",
            "1,M,x,-1,2010-01-01 10:00:00,1,,EIRE",
            "1,BANK CHARGES,x,-1,2010-01-01 10:00:00,1,,EIRE",
            "1,DOT,x,1,2010-01-01 10:00:00,0,,EIRE",
            "1,B,x,1,2010-01-01 10:00:00,-5,,EIRE",
        ]);
        let split = found[0].split();
        assert_eq!(skus(&split.sold), ["A"]);
        assert_eq!(skus(&split.found), ["B1"]);
        assert_eq!(skus(&split.lost), ["C1"]);
        assert_eq!(skus(&split.returned), ["D1"]);
        assert_eq!(skus(&split.nothing), ["DOT"]);
        assert_eq!(skus(&split.bad_debts), ["B"]);
        assert_eq!((&*split.charged[0].1.sku, &*split.credited[0].1.sku), ("POST", "M"));
        assert_eq!((split.fees[0].0, &*split.fees[0].1.sku), (FeeAccount::Bank, "BANK CHARGES"));
    }

    #[test]
    fn price_zero_with_a_customer_is_a_gift_of_goods() {
        let found = invoices(&["1,A,x,2,2010-01-01 10:00:00,0,17,EIRE"]);
        assert_eq!(skus(&found[0].split().sold), ["A"]);
    }

    #[test]
    fn everything_on_an_a_invoice_is_bad_debt() {
        let found = invoices(&["A1,M,x,1,2010-01-01 10:00:00,-5.00,,EIRE"]);
        assert_eq!(skus(&found[0].split().bad_debts), ["M"]);
    }

    #[test]
    fn a_line_is_rounded_half_away_from_zero() {
        let found = invoices(&[
            "1,A,x,5,2010-01-01 10:00:00,0.001,,EIRE",
            "1,B1,x,-5,2010-01-01 10:00:00,0.001,,EIRE",
            "1,C1,x,1,2010-01-01 10:00:00,0.001,,EIRE",
        ]);
        let amounts: Vec<String> = found[0].lines.iter().map(|line| line.amount().to_string()).collect();
        assert_eq!(amounts, ["0.01", "-0.01", "0.00"]);
    }

    #[test]
    fn files_that_overlap_are_merged_and_must_agree() {
        let folder = std::env::temp_dir().join(format!("bincard-merge-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a writable temporary folder");
        let write = |name: &str, line: &str| {
            let path = folder.join(name);
            std::fs::write(&path, format!("inv,sku,descr,qty,ts,price,cust,country\n{line}\n"))
                .expect("writable");
            path
        };
        let a = write("a.csv", "1,A,x,2,2010-01-01 10:00:00,2.55,,EIRE");
        let b = write("b.csv", "1,A,,2,2010-01-01 10:00:00,2.550,,EIRE");
        let c = write("c.csv", "1,A,x,3,2010-01-01 10:00:00,2.55,,EIRE");
        let same = read_invoices(&[a.clone(), b]).map(|invoices| invoices.len());
        let other = read_invoices(&[a, c]).map_err(|error| error.to_string());
        std::fs::remove_dir_all(&folder).expect("just written");
        assert_eq!(same.expect("the same invoice twice"), 1);
        assert!(
            other
                .expect_err("other lines")
                .ends_with("c.csv, line 2: invoice 1 is in a former file with other lines")
        );
    }
}
