//! Examples of what is read from a file, and of what is said when it cannot be.

use proptest::prelude::*;

use super::super::{Assumptions, OpeningMode, Plan, opening};
use super::*;

const YEAR: &str = "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country\n";
const WEEK: &str = "inv,sku,descr,qty,ts,price,cust,country\n";

fn records(csv: &str) -> Result<Vec<Record>, String> {
    let mut found = Vec::new();
    let mut each = |_, record| {
        found.push(record);
        Ok(())
    };
    read(Path::new("a.csv"), csv.as_bytes(), &mut Names::default(), &mut each)
        .map_err(|error| error.to_string())?;
    Ok(found)
}

#[test]
fn both_layouts_give_the_same_record() {
    let year = records(&format!("{YEAR}536365,85123A,WHITE HEART,6,2010-12-01 08:26:00,2.55,17850,EIRE\n"));
    let week = records(&format!("{WEEK}536365,85123A,WHITE HEART,6,2010-12-01 08:26:00,2.550,17850,EIRE\n"));
    assert_eq!(year, week);
    let record = &year.expect("a good line")[0];
    assert_eq!((record.price.to_string().as_str(), record.quantity), ("2.55", 6));
    assert_eq!(record.at.to_rfc3339(), "2010-12-01T08:26:00+00:00");
}

#[test]
fn no_description_and_nan_are_the_same_and_a_code_keeps_its_last_space() {
    let found =
        records(&format!("{YEAR}1,47503J ,nan,6,2010-12-01 08:26:00,0.0,,EIRE\n")).expect("a good line");
    assert_eq!((&*found[0].sku, &found[0].description, &found[0].customer), ("47503J ", &None, &None));
}

#[test]
fn a_quoted_description_may_hold_commas_and_line_ends() {
    let csv = format!(
        "{YEAR}1,2,\"A \"\"7\"\", \nB\",6,2010-12-01 08:26:00,1,,EIRE\n1,2,x,y,2010-12-01 08:26:00,1,,EIRE\n"
    );
    assert_eq!(
        records(&csv),
        Err("a.csv, line 4: quantity \"y\" is not a whole number within ±1000000000000".to_owned())
    );
}

#[test]
fn an_error_names_file_line_and_what_was_wanted() {
    for (line, problem) in [
        ("1,2,x,0,2010-12-01 08:26:00,1,,EIRE", "quantity is 0"),
        (
            "1,2,x,1.5,2010-12-01 08:26:00,1,,EIRE",
            "quantity \"1.5\" is not a whole number within ±1000000000000",
        ),
        ("1,2,x,1,01/12/2010 08:26,1,,EIRE", "time \"01/12/2010 08:26\" is not like 2009-12-01 07:45:00"),
        ("1,2,x,1,2010-12-01 08:26:00,1e9,,EIRE", "price \"1e9\" is not a decimal number"),
        ("1,2,x,1,2010-12-01 08:26:00,-1,,EIRE", "price -1 is negative, which only a bad debt is"),
        (
            "1,2,x,1,2010-12-01 08:26:00,1.0000001,,EIRE",
            "price \"1.0000001\" has more than 6 decimals or is beyond 1000000000",
        ),
        (
            "1,2,x,1000000000000,2010-12-01 08:26:00,1000000,,EIRE",
            "1000000000000 × 1000000 is beyond 10000000000000",
        ),
        (
            "1,e\u{301},x,1,2010-12-01 08:26:00,1,,EIRE",
            "stock code \"e\\u{301}\" is not in Unicode's normal form C, which ids must be",
        ),
        ("1,,x,1,2010-12-01 08:26:00,1,,EIRE", "stock code is empty"),
        ("1,\u{7},x,1,2010-12-01 08:26:00,1,,EIRE", "stock code \"\\u{7}\" has a control character"),
        (
            "1,123456789012345678901234567890123,x,1,2010-12-01 08:26:00,1,,EIRE",
            "stock code \"123456789012345678901234567890123\" has 33 bytes, at most 32 fit",
        ),
        (
            "open,2,x,1,2010-12-01 08:26:00,1,,EIRE",
            "invoice \"open\" is not a number with at most one letter before it, of 20 at most",
        ),
        ("1,2,x,1,2010-12-01 08:26:00,1,EIRE", "7 fields, where the header has 8"),
    ] {
        assert_eq!(records(&format!("{YEAR}{line}\n")), Err(format!("a.csv, line 2: {problem}")), "{line}");
    }
}

#[test]
fn a_description_is_repaired_to_what_a_note_can_be() {
    let long = "é".repeat(300);
    let csv = format!(
        "{YEAR}1,2,\"e\u{301}\n b \",1,2010-12-01 08:26:00,1,,EIRE\n1,2,{long},1,2010-12-01 08:26:00,1,,EIRE\n"
    );
    let found = records(&csv).expect("good lines");
    assert_eq!(found[0].description.as_deref(), Some("é  b"));
    assert_eq!(found[1].description.as_ref().map(|text| text.len()), Some(500));
}

#[test]
fn a_missing_column_is_named_in_both_layouts() {
    assert_eq!(
        records("Invoice,StockCode\n"),
        Err("a.csv, line 1: column \"Description\" (or \"descr\") is missing; found: Invoice, StockCode"
            .to_owned())
    );
    assert!(records("").is_err());
}

#[test]
fn bytes_that_are_not_text_are_refused_with_their_line() {
    let mut csv = WEEK.as_bytes().to_vec();
    csv.extend(b"1,2,\xff,1,2010-12-01 08:26:00,1,,EIRE\n");
    let mut each = |_, _| Ok(());
    let error =
        read(Path::new("a.csv"), csv.as_slice(), &mut Names::default(), &mut each).expect_err("not UTF-8");
    assert!(error.to_string().starts_with("a.csv, line 2: not UTF-8"), "{error}");
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut each = |_, _| Ok(());
        let _ = read(Path::new("a.csv"), bytes.as_slice(), &mut Names::default(), &mut each);
        let packed: Vec<u8> = [0x1f, 0x8b].into_iter().chain(bytes).collect();
        let unpacked = flate2::bufread::MultiGzDecoder::new(packed.as_slice());
        let _ = read(Path::new("a.csv.gz"), unpacked, &mut Names::default(), &mut each);
    }

    /// Whatever can be read can be planned; most of these lines are nearly right.
    #[test]
    fn no_lines_make_the_plan_panic(lines in proptest::collection::vec(odd_line(), 1..20)) {
        let invoices = crate::import::online_retail::invoice::tests::try_invoices(&lines);
        if let Ok(invoices) = invoices {
            let plan = Plan::new(invoices, Assumptions::default());
            let opening = opening::commands(&plan, &opening::Empty, OpeningMode::Once).expect("an empty ledger");
            for command in plan.definitions().chain(opening).chain(plan.trading().flatten()) {
                prop_assert!(command.command_id.len() <= 64, "{}", command.command_id);
            }
        }
    }
}

fn odd_line() -> impl Strategy<Value = String> {
    let invoice = prop::sample::select(vec!["1", "2", "C3", "C4", "A5", "x", ""]);
    let sku = prop::sample::select(vec!["A", "B1", "a ", "POST", "BANK CHARGES", "B", "gift_1", "\u{0}", ""]);
    let quantity =
        prop::sample::select(vec!["1", "-1", "3", "-3", "0", "1000000000000", "-1000000000000", "1.0"]);
    let price =
        prop::sample::select(vec!["0", "0.001", "2.5", "1000000000", "0.000001", "-1", "1e3", "5.00"]);
    let customer = prop::sample::select(vec!["", "17", "18"]);
    (invoice, sku, quantity, price, customer).prop_map(|(invoice, sku, quantity, price, customer)| {
        format!("{invoice},{sku},text,{quantity},2010-01-01 10:00:00,{price},{customer},EIRE")
    })
}

#[test]
fn gzip_is_known_by_its_content() {
    use std::io::Write;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(format!("{WEEK}1,2,x,1,2010-12-01 08:26:00,1,,EIRE\n").as_bytes()).expect("in memory");
    let path = std::env::temp_dir().join(format!("bincard-read-{}.csv", std::process::id()));
    std::fs::write(&path, packed.finish().expect("in memory")).expect("a writable temporary folder");
    let mut lines = Vec::new();
    let result = read_file(&path, &mut Names::default(), |line, _| {
        lines.push(line);
        Ok(())
    });
    std::fs::remove_file(&path).expect("just written");
    result.expect("a good file");
    assert_eq!(lines, [2]);
}
