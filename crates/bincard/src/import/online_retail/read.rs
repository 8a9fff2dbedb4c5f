//! Online Retail files, CSV or gzip, in either column layout, as lines with exact prices; an error names file and line.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, NaiveDateTime, Utc};
use rust_decimal::Decimal;
use unicode_normalization::{UnicodeNormalization, is_nfc};

use super::codes::{Role, role};

/// Invoice numbers and stock codes become parts of command ids, which hold 64 bytes.
const INVOICE_BYTES_MAX: usize = 20;
const SKU_BYTES_MAX: usize = 32;
const CUSTOMER_BYTES_MAX: usize = 48;
const COUNTRY_BYTES_MAX: usize = 64;
const QUANTITY_MAX: i64 = 1_000_000_000_000;
const PRICE_MAX: i64 = 1_000_000_000;
const PRICE_PLACES_MAX: u32 = 6;
/// In pounds: what a ledger holds of minor units, and few enough digits that no sum of them overflows.
const AMOUNT_MAX: i64 = 10_000_000_000_000;
const DESCRIPTION_BYTES_MAX: usize = 500;

/// The columns by meaning, and their names in the two layouts that are in circulation.
const COLUMNS: [[&str; 2]; 8] = [
    ["Invoice", "inv"],
    ["StockCode", "sku"],
    ["Description", "descr"],
    ["Quantity", "qty"],
    ["InvoiceDate", "ts"],
    ["Price", "price"],
    ["Customer ID", "cust"],
    ["Country", "country"],
];

/// One line of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Invoice number; `C…` a credit note, `A…` a bad debt.
    pub invoice: Arc<str>,
    /// Stock code, byte for byte.
    pub sku: Arc<str>,
    /// None where the file has nothing, or `nan` for it.
    pub description: Option<Arc<str>>,
    /// Never zero; negative on credit notes and for goods that left without being sold.
    pub quantity: i64,
    /// Per unit, without trailing zeros: 2.550 and 2.55 are the same price.
    pub price: Decimal,
    /// The file names no zone; its times are taken as UTC.
    pub at: DateTime<Utc>,
    /// None for a sale to nobody in particular.
    pub customer: Option<Arc<str>>,
    /// Country as the file writes it: some of them ("Channel Islands", "Unspecified") have no ISO code.
    pub country: Arc<str>,
}

/// A file that cannot be read, or a line that makes no sense.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file itself.
    #[error("{}: {source}", file.display())]
    File {
        /// As it was named.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The first line.
    #[error("{}, line 1: column \"{}\" (or \"{}\") is missing; found: {found}", file.display(), wanted[0], wanted[1])]
    Column {
        /// As it was named.
        file: PathBuf,
        /// The two names under which it is known.
        wanted: [&'static str; 2],
        /// The columns that are there.
        found: String,
    },
    /// One line.
    #[error("{}, line {line}: {problem}", file.display())]
    Line {
        /// As it was named.
        file: PathBuf,
        /// Counted from 1, the header included.
        line: u64,
        /// What was found and what was wanted.
        problem: String,
    },
}

/// Reads a file and hands over each record with its line number. Gzip is known by its content, not by its name.
pub fn read_file(
    path: &Path,
    names: &mut Names,
    mut each: impl FnMut(u64, Record) -> Result<(), String>,
) -> Result<(), ReadError> {
    let failed = |source| ReadError::File { file: path.to_owned(), source };
    let mut input = BufReader::with_capacity(1 << 16, File::open(path).map_err(failed)?);
    let is_gzip = io::BufRead::fill_buf(&mut input).map_err(failed)?.starts_with(&[0x1f, 0x8b]);
    if is_gzip {
        read(path, flate2::bufread::MultiGzDecoder::new(input), names, &mut each)
    } else {
        read(path, input, names, &mut each)
    }
}

/// Reads CSV from any source; `file` is what errors name.
pub fn read(
    file: &Path,
    input: impl Read,
    names: &mut Names,
    each: &mut impl FnMut(u64, Record) -> Result<(), String>,
) -> Result<(), ReadError> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(input);
    let mut row = csv::StringRecord::new();
    let at_line = |line, problem| ReadError::Line { file: file.to_owned(), line, problem };

    next(&mut reader, &mut row, file)?;
    let columns = columns(file, &row)?;
    let field_count = row.len();

    while next(&mut reader, &mut row, file)? {
        let line = row.position().map_or(0, csv::Position::line);
        if row.len() != field_count {
            let problem = format!("{} fields, where the header has {field_count}", row.len());
            return Err(at_line(line, problem));
        }
        parse(&row, &columns, names)
            .and_then(|record| each(line, record))
            .map_err(|problem| at_line(line, problem))?;
    }
    Ok(())
}

fn next<R: Read>(
    reader: &mut csv::Reader<R>,
    row: &mut csv::StringRecord,
    file: &Path,
) -> Result<bool, ReadError> {
    reader.read_record(row).map_err(|error| {
        let line = error.position().map_or(0, csv::Position::line);
        match error.into_kind() {
            csv::ErrorKind::Io(source) => ReadError::File { file: file.to_owned(), source },
            csv::ErrorKind::Utf8 { err, .. } => {
                ReadError::Line { file: file.to_owned(), line, problem: format!("not UTF-8: {err}") }
            }
            other => ReadError::Line { file: file.to_owned(), line, problem: format!("{other:?}") },
        }
    })
}

fn columns(file: &Path, header: &csv::StringRecord) -> Result<[usize; 8], ReadError> {
    let mut columns = [0; 8];
    for (column, wanted) in columns.iter_mut().zip(COLUMNS) {
        let is_wanted = |found: &str| wanted.contains(&found.trim_start_matches('\u{feff}').trim());
        *column = header.iter().position(is_wanted).ok_or_else(|| ReadError::Column {
            file: file.to_owned(),
            wanted,
            found: header.iter().collect::<Vec<_>>().join(", "),
        })?;
    }
    Ok(columns)
}

fn parse(row: &csv::StringRecord, columns: &[usize; 8], names: &mut Names) -> Result<Record, String> {
    let [invoice, sku, description, quantity, at, price, customer, country] =
        columns.map(|column| &row[column]);
    let invoice = parse_invoice(invoice)?;
    let sku = text("stock code", sku, SKU_BYTES_MAX)?;
    let customer =
        if customer.is_empty() { None } else { Some(text("customer", customer, CUSTOMER_BYTES_MAX)?) };
    let country = text("country", country, COUNTRY_BYTES_MAX)?;
    let (quantity, price) = (parse_quantity(quantity)?, parse_price(price)?);
    if price.is_sign_negative() && !is_bad_debt(invoice, sku) {
        return Err(format!("price {price} is negative, which only a bad debt is"));
    }
    if (Decimal::from(quantity) * price).abs() > Decimal::from(AMOUNT_MAX) {
        return Err(format!("{quantity} × {price} is beyond {AMOUNT_MAX}"));
    }
    Ok(Record {
        invoice: names.get(invoice),
        sku: names.get(sku),
        description: parse_description(description).map(|description| names.get(&description)),
        quantity,
        price,
        at: parse_time(at)?,
        customer: customer.map(|customer| names.get(customer)),
        country: names.get(country),
    })
}

/// An `A…` invoice, or the code that such an invoice uses.
pub fn is_bad_debt(invoice: &str, sku: &str) -> bool {
    invoice.starts_with('A') || role(sku) == Role::BadDebt
}

fn text<'a>(what: &str, found: &'a str, bytes_max: usize) -> Result<&'a str, String> {
    if found.is_empty() {
        return Err(format!("{what} is empty"));
    }
    if found.len() > bytes_max {
        return Err(format!("{what} {found:?} has {} bytes, at most {bytes_max} fit", found.len()));
    }
    if found.chars().any(char::is_control) {
        return Err(format!("{what} {found:?} has a control character"));
    }
    if !is_nfc(found) {
        return Err(format!("{what} {found:?} is not in Unicode's normal form C, which ids must be"));
    }
    Ok(found)
}

fn parse_invoice(found: &str) -> Result<&str, String> {
    let digits = found.strip_prefix(|first: char| first.is_ascii_alphabetic()).unwrap_or(found);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number || found.len() > INVOICE_BYTES_MAX {
        return Err(format!(
            "invoice {found:?} is not a number with at most one letter before it, of {INVOICE_BYTES_MAX} at most"
        ));
    }
    Ok(found)
}

/// Descriptions are for people, so they are repaired rather than refused.
fn parse_description(found: &str) -> Option<String> {
    let mut text: String = found.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).nfc().collect();
    text.truncate(text.floor_char_boundary(DESCRIPTION_BYTES_MAX));
    (!matches!(text.as_str(), "" | "nan")).then_some(text)
}

fn parse_quantity(found: &str) -> Result<i64, String> {
    match found.parse::<i64>() {
        Ok(0) => Err("quantity is 0".to_owned()),
        Ok(quantity) if (-QUANTITY_MAX..=QUANTITY_MAX).contains(&quantity) => Ok(quantity),
        _ => Err(format!("quantity {found:?} is not a whole number within ±{QUANTITY_MAX}")),
    }
}

fn parse_price(found: &str) -> Result<Decimal, String> {
    let price =
        Decimal::from_str_exact(found).map_err(|_| format!("price {found:?} is not a decimal number"))?;
    let price = price.normalize();
    if price.scale() > PRICE_PLACES_MAX || price.abs() > Decimal::from(PRICE_MAX) {
        return Err(format!(
            "price {found:?} has more than {PRICE_PLACES_MAX} decimals or is beyond {PRICE_MAX}"
        ));
    }
    Ok(price)
}

fn parse_time(found: &str) -> Result<DateTime<Utc>, String> {
    NaiveDateTime::parse_from_str(found, "%Y-%m-%d %H:%M:%S")
        .map(|time| time.and_utc())
        .map_err(|_| format!("time {found:?} is not like 2009-12-01 07:45:00"))
}

/// Keeps one copy of every text: a year has half a million lines and some ten thousand different words.
#[derive(Debug, Default)]
pub struct Names(HashSet<Arc<str>>);

impl Names {
    /// The shared copy.
    pub fn get(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.0.get(text) {
            return Arc::clone(known);
        }
        let new: Arc<str> = text.into();
        self.0.insert(Arc::clone(&new));
        new
    }
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
