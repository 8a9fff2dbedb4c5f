//! What is printed: tables for people, JSON and CSV for programs, and the exit status.

use std::io::{self, Write};

use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Map, Value};

use super::Format;

/// Exit statuses of the contract.
pub mod exit {
    /// Done.
    pub const DONE: u8 = 0;
    /// Refused, or differences were found.
    pub const REFUSED: u8 = 1;
    /// The arguments are off, or what they name is not there.
    pub const USAGE: u8 = 2;
    /// The data is corrupt.
    pub const CORRUPT: u8 = 3;
}

/// Why a command did not do what it was asked for.
#[derive(Debug)]
pub struct Failure {
    /// The exit status.
    pub status: u8,
    /// What to tell the user.
    pub message: String,
}

impl Failure {
    /// Refused, or differences were found.
    pub fn refused(message: impl ToString) -> Self {
        Failure { status: exit::REFUSED, message: message.to_string() }
    }

    /// The arguments are off, or what they name is not there.
    pub fn usage(message: impl ToString) -> Self {
        Failure { status: exit::USAGE, message: message.to_string() }
    }

    /// The data is corrupt.
    pub fn corrupt(message: impl ToString) -> Self {
        Failure { status: exit::CORRUPT, message: message.to_string() }
    }
}

/// A single row with more fields than this is printed one field a line.
const ABREAST_MAX: usize = 8;

/// Prints rows: the columns are the fields of the rows, in the order in which they first appear.
pub fn print_rows(rows: &[Value], format: Format, out: &mut impl Write) -> io::Result<()> {
    match format {
        Format::Json => {
            serde_json::to_writer_pretty(&mut *out, rows)?;
            writeln!(out)
        }
        Format::Csv => print_csv(rows, true, out),
        Format::Table => print_table(rows, out),
    }
}

/// Prints rows of which every one has the same fields, a page at a time, as one table, file or document.
pub struct Pages<W: Write> {
    format: Format,
    out: W,
    is_first: bool,
}

impl<W: Write> Pages<W> {
    /// Into `out`.
    pub fn new(format: Format, out: W) -> Self {
        Pages { format, out, is_first: true }
    }

    /// The next rows.
    pub fn print(&mut self, rows: &[Value]) -> io::Result<()> {
        let is_first = std::mem::replace(&mut self.is_first, false);
        match self.format {
            Format::Csv => print_csv(rows, is_first, &mut self.out),
            Format::Table => print_table(rows, &mut self.out),
            Format::Json => {
                for (at, row) in rows.iter().enumerate() {
                    self.out.write_all(if is_first && at == 0 { b"[\n" } else { b",\n" })?;
                    serde_json::to_writer_pretty(&mut self.out, row)?;
                }
                Ok(())
            }
        }
    }

    /// There are no more.
    pub fn finish(mut self) -> io::Result<()> {
        match (self.format, self.is_first) {
            (Format::Json, false) => writeln!(self.out, "\n]"),
            (_, true) => print_rows(&[], self.format, &mut self.out),
            (_, false) => Ok(()),
        }
    }
}

fn print_csv(rows: &[Value], with_heading: bool, out: &mut impl Write) -> io::Result<()> {
    let rows: Vec<Value> = rows.iter().map(flat).collect();
    let columns = columns(&rows);
    let mut writer = csv::Writer::from_writer(out);
    if with_heading {
        writer.write_record(&columns)?;
    }
    for row in &rows {
        writer.write_record(columns.iter().map(|column| text(row.get(column))))?;
    }
    writer.flush()
}

fn print_table(rows: &[Value], out: &mut impl Write) -> io::Result<()> {
    if rows.is_empty() {
        return writeln!(out, "no rows");
    }
    let columns = columns(rows);
    if let ([row], true) = (rows, columns.len() > ABREAST_MAX) {
        return print_one(row, &columns, out);
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(&columns);
    for (at, column) in columns.iter().enumerate() {
        let is_figure = rows.iter().filter_map(|row| row.get(column)).all(looks_like_a_figure);
        if let Some(column) = table.column_mut(at).filter(|_| is_figure) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    for row in rows {
        table.add_row(columns.iter().map(|column| text(row.get(column))));
    }
    writeln!(out, "{table}")
}

/// A single row with many fields, one field a line.
fn print_one(row: &Value, columns: &[String], out: &mut impl Write) -> io::Result<()> {
    let width = columns.iter().map(String::len).max().unwrap_or_default();
    for column in columns {
        writeln!(out, "{column:width$}  {}", text(row.get(column)))?;
    }
    Ok(())
}

fn looks_like_a_figure(value: &Value) -> bool {
    match value {
        Value::Number(_) | Value::Null => true,
        Value::String(text) => {
            !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b'-')
        }
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => false,
    }
}

fn columns(rows: &[Value]) -> Vec<String> {
    let mut columns = Vec::new();
    for row in rows.iter().filter_map(Value::as_object) {
        for key in row.keys() {
            if !columns.contains(key) {
                columns.push(key.clone());
            }
        }
    }
    columns
}

/// A row whose nested objects are columns of their own: `units.ordered`.
fn flat(row: &Value) -> Value {
    let mut columns = Map::new();
    if let Value::Object(fields) = row {
        spread(fields, "", &mut columns);
    }
    Value::Object(columns)
}

fn spread(fields: &Map<String, Value>, above: &str, columns: &mut Map<String, Value>) {
    for (key, value) in fields {
        match value {
            Value::Object(inner) => spread(inner, &format!("{above}{key}."), columns),
            value => drop(columns.insert(format!("{above}{key}"), value.clone())),
        }
    }
}

/// A value in a cell. Of nested values only what says something is shown: no zeros, no empty lists.
fn text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) => items
            .iter()
            .map(|item| text(Some(item)))
            .collect::<Vec<_>>()
            .join(if is_plain(items) { ", " } else { "; " }),
        Some(Value::Object(fields)) => {
            let told = fields.iter().filter(|(_, value)| says_something(value));
            told.map(|(key, value)| format!("{key} {}", text(Some(value)))).collect::<Vec<_>>().join(", ")
        }
        Some(value @ (Value::Bool(_) | Value::Number(_))) => value.to_string(),
    }
}

fn is_plain(items: &[Value]) -> bool {
    items.iter().all(|item| !item.is_object() && !item.is_array())
}

fn says_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(is_so) => *is_so,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty() && text != "0.00",
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => fields.values().any(says_something),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn printed(format: Format) -> String {
        let rows =
            [json!({"sku": "TEA-01", "units": 3}), json!({"sku": "TEA, black", "units": 12, "note": "a"})];
        let mut out = Vec::new();
        print_rows(&rows, format, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn rows_are_csv_with_the_columns_of_all_of_them() {
        assert_eq!(printed(Format::Csv), "sku,units,note\nTEA-01,3,\n\"TEA, black\",12,a\n");
    }

    #[test]
    fn pages_are_one_file_or_document() {
        let paged = |format, pages: &[&[Value]]| {
            let mut out = Vec::new();
            let mut printer = Pages::new(format, &mut out);
            pages.iter().for_each(|rows| printer.print(rows).unwrap());
            printer.finish().unwrap();
            String::from_utf8(out).unwrap()
        };
        let [one, two, three] = [1, 2, 3].map(|number| json!({"sequence": number, "command": "x"}));
        let pages: &[&[Value]] = &[&[one.clone(), two.clone()], std::slice::from_ref(&three)];
        assert_eq!(paged(Format::Csv, pages), "sequence,command\n1,x\n2,x\n3,x\n");
        let document: Value = serde_json::from_str(&paged(Format::Json, pages)).unwrap();
        assert_eq!(document, json!([one, two, three]));
        assert_eq!(serde_json::from_str::<Value>(&paged(Format::Json, &[])).unwrap(), json!([]));
        assert!(paged(Format::Table, &[]).contains("no rows"));
    }

    #[test]
    fn rows_are_a_table_with_figures_to_the_right() {
        let table = printed(Format::Table);
        assert!(table.contains(" TEA-01          3 "), "{table}");
    }

    #[test]
    fn nested_figures_are_columns_in_csv_and_words_in_a_table() {
        let rows =
            [json!({"order": "W-1", "units": {"ordered": 7, "open": 0}, "holds": ["payment", "stock"]})];
        let printed = |format| {
            let mut out = Vec::new();
            print_rows(&rows, format, &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(
            printed(Format::Csv),
            "order,units.ordered,units.open,holds\nW-1,7,0,\"payment, stock\"\n"
        );
        let table = printed(Format::Table);
        assert!(table.contains("ordered 7") && !table.contains("open 0"), "{table}");
    }

    #[test]
    fn a_single_row_of_many_fields_is_a_list() {
        let row: serde_json::Map<String, Value> =
            (0..=ABREAST_MAX).map(|at| (format!("field-{at}"), Value::from(at))).collect();
        let mut out = Vec::new();
        print_rows(&[Value::Object(row)], Format::Table, &mut out).unwrap();
        assert!(String::from_utf8(out).unwrap().starts_with("field-0  0\nfield-1  1\n"));
    }
}
