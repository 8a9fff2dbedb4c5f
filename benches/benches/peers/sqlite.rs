//! SQLite, in process like the ledger: write-ahead log, `synchronous=FULL`, one thread, so many orders a transaction.

use std::path::Path;
use std::time::Instant;

use bincard::bench::Row;
use rusqlite::{Connection, Transaction, params};

use super::{Fault, ITEMS, RUN, RUNS, items, rate};

/// How every row of it begins.
pub(super) const EVERY: &str = "SQLite";

const SCHEMA: &str = "
    pragma journal_mode = wal;
    pragma synchronous = full;
    pragma cache_size = -262144;
    pragma wal_autocheckpoint = 10000;
    create table stock (
        sku text primary key, available integer not null check (available >= 0), reserved integer not null
    ) without rowid;
    create table orders (id text primary key, channel text not null, placed_at integer not null) without rowid;
    create table order_lines (
        order_id text not null, line integer not null, sku text not null, quantity integer not null,
        price_cents integer not null, primary key (order_id, line)
    ) without rowid;
";
const SETTINGS: &str = "one thread, WAL, synchronous FULL, 256 MiB cache, checkpoint every 10,000 pages";

pub(super) fn measure(dir: &Path) -> Result<Vec<Row>, Fault> {
    let folder = tempfile::tempdir_in(dir)?;
    let mut connection = Connection::open(folder.path().join("peer.db"))?;
    connection.execute_batch(SCHEMA)?;
    let filling = connection.transaction()?;
    for item in 0..ITEMS {
        let sku = format!("BENCH-{item:06}");
        filling.execute("insert into stock values (?1, 100000000, 0)", [sku])?;
    }
    filling.commit()?;
    let (mut rows, mut next) = (Vec::new(), 0);
    for together in [1, 10, 100, 1000] {
        eprintln!("SQLite: {together} orders a transaction");
        let mut runs = Vec::new();
        for _ in 0..RUNS {
            let until = Instant::now() + RUN;
            runs.push(rate(until, || {
                let transaction = connection.transaction()?;
                for _ in 0..together {
                    place(&transaction, next)?;
                    next += 1;
                }
                transaction.commit()?;
                Ok(together)
            })?);
        }
        let figure = format!("{EVERY} {}: {together} orders a transaction", rusqlite::version());
        rows.push(Row::of(figure, "orders/s", runs).remarked(SETTINGS));
    }
    let sold: i64 = connection.query_row("select sum(reserved) from stock", [], |row| row.get(0))?;
    assert_eq!(sold, 2 * i64::try_from(next)?, "every order reserved two units");
    Ok(rows)
}

fn place(transaction: &Transaction<'_>, number: usize) -> Result<(), Fault> {
    let id = format!("O-{number:08}");
    let mut record = transaction
        .prepare_cached("insert into orders values (?1, 'bench', unixepoch()) on conflict do nothing")?;
    if record.execute([&id])? == 0 {
        return Err(format!("order {id} is known").into());
    }
    let mut reserve = transaction.prepare_cached(
        "update stock set available = available - ?2, reserved = reserved + ?2 where sku = ?1 and available >= ?2",
    )?;
    let mut line = transaction.prepare_cached("insert into order_lines values (?1, ?2, ?3, 1, 490)")?;
    let (first, second) = items(number);
    for (at, sku) in [first, second].iter().enumerate() {
        if reserve.execute(params![sku, 1])? == 0 {
            return Err(format!("{sku} is not available").into());
        }
        line.execute(params![id, i64::try_from(at)? + 1, sku])?;
    }
    Ok(())
}
