//! `bincard query`: rows of a view, from a service, from the folder of a stopped ledger or from a stream.

use std::io;

use projections::{AsOf, Projections, Query, VIEWS, ViewKind};
use serde_json::{Value, json};

use super::offline;
use crate::cli::{Failure, Format, JournalKind, QueryArgs, body_from_pairs, exit, print_rows};
use crate::door::{self, Asked, Page};

/// Asks, prints the rows, and says on standard error when there are more.
pub(super) async fn run(ledger: &str, args: QueryArgs) -> Result<u8, Failure> {
    let query = query_of(&args)?;
    if args.journal == JournalKind::Jetstream {
        return from_a_stream(ledger, args, query).await;
    }
    match door::asked(&args.door, ledger)? {
        // A stopped ledger is only read: nothing is opened for writing.
        Asked::Folder(data) => {
            let projections = offline::projections(&offline::History::Folder(data), ledger)?;
            print_offline(&projections, &args, query)
        }
        Asked::Nats(_) | Asked::Http(_) => {
            let door = door::choose(&args.door, ledger).await?;
            let first = door.query(&args.view, &query).await?;
            let mut query = query;
            let mut rows = first.rows;
            let mut next = first.next;
            while let Some(cursor) = next.take_if(|_| args.all) {
                query["cursor"] = Value::from(cursor);
                let page = door.query(&args.view, &query).await?;
                rows.extend(page.rows);
                next = page.next;
            }
            print_page(&Page { position: first.position, rows, next }, args.format)
        }
    }
}

/// A stream is read and folded here, whoever serves it.
async fn from_a_stream(ledger: &str, args: QueryArgs, query: Value) -> Result<u8, Failure> {
    if args.door.http.is_some() || args.door.data.is_some() {
        return Err(Failure::usage(
            "--journal jetstream: wanted the NATS server that keeps the stream (--nats URL), found --http or --data; \
             without --journal they ask a service or a folder",
        ));
    }
    let ledger = ledger.to_owned();
    let answered = tokio::task::spawn_blocking(move || {
        let history = offline::asked_history(args.journal, &args.door)?;
        print_offline(&offline::projections(&history, &ledger)?, &args, query)
    });
    answered.await.expect("folding a stream does not panic")
}

/// Asks an offline ledger, and prints.
pub(super) fn print_offline(
    projections: &Projections,
    args: &QueryArgs,
    query: Value,
) -> Result<u8, Failure> {
    let mut query: Query = serde_json::from_value(query).map_err(Failure::usage)?;
    let mut rows = Vec::new();
    loop {
        let page = projections.query(&args.view, query.clone()).map_err(offline::query_failure)?;
        rows.extend(page.rows);
        match page.next {
            Some(next) if args.all => query.cursor = Some(next),
            next => {
                return print_page(&Page { position: page.position.to_string(), rows, next }, args.format);
            }
        }
    }
}

/// The contract's query object. Filters take the types that the view declares.
pub(super) fn query_of(args: &QueryArgs) -> Result<Value, Failure> {
    let view = view_of(&args.view)?;
    let filter = match view {
        Some(view) => body_from_pairs(&args.filters, view.filter_schema),
        None => body_from_pairs(&args.filters, |_| schemars::json_schema!({})),
    };
    let mut query = json!({"filter": filter.map_err(Failure::usage)?});
    let mut set = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            query[key] = value;
        }
    };
    set("limit", args.limit.or(args.all.then_some(projections::LIMIT_MAX)).map(Value::from));
    set("cursor", args.cursor.clone().map(Value::from));
    set("sort", args.sort.clone().map(Value::from));
    set("min_position", args.min_position.clone().map(Value::from));
    set("as_of", as_of(args)?);
    Ok(query)
}

/// The view under a name, or the names there are; `None` for the one question that is no view.
fn view_of(name: &str) -> Result<Option<&'static ViewKind>, Failure> {
    if name == command_api::service::COMMAND_STATUS {
        return Ok(None);
    }
    VIEWS.iter().find(|kind| kind.name == name).map(Some).ok_or_else(|| {
        let known: Vec<&str> = VIEWS.iter().map(|kind| kind.name).collect();
        Failure::usage(format!("there is no view {name:?}; there are {}", known.join(", ")))
    })
}

fn as_of(args: &QueryArgs) -> Result<Option<Value>, Failure> {
    let mut as_of = serde_json::Map::new();
    if let Some(sequence) = args.as_of_sequence {
        as_of.insert("sequence".to_owned(), Value::from(sequence));
    }
    let times = [
        ("--as-of-recorded", "recorded_at", &args.as_of_recorded),
        ("--as-of-effective", "effective_at", &args.as_of_effective),
    ];
    for (argument, key, text) in times {
        let Some(text) = text else { continue };
        if ledger_core::values::Timestamp::parse(text).is_none() {
            return Err(Failure::usage(format!(
                "{argument}: wanted a time as RFC 3339 (2026-11-22T08:30:00Z), found {text:?}"
            )));
        }
        as_of.insert(key.to_owned(), Value::from(text.clone()));
    }
    debug_assert!(serde_json::from_value::<AsOf>(Value::Object(as_of.clone())).is_ok());
    Ok((!as_of.is_empty()).then_some(Value::Object(as_of)))
}

fn print_page(page: &Page, format: Format) -> Result<u8, Failure> {
    print_rows(&page.rows, format, &mut io::stdout().lock())?;
    if let Some(next) = &page.next {
        let rows = page.rows.len();
        eprintln!("{rows} rows, and there are more: --all, or --cursor '{next}'");
    }
    Ok(exit::DONE)
}
