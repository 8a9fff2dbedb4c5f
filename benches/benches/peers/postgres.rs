//! PostgreSQL on a unix socket, started here in a folder of its own: row locks with statements, and one stored function
//! an order.

mod server;

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use bincard::bench::Row;
use postgres::{Client, Statement};

use super::{Fault, ITEMS, RUN, RUNS, items, rate};
use server::Server;

/// How every row of one order a transaction begins.
pub(super) const ONE_EACH: &str = "PostgreSQL, one order a transaction";

const CLIENTS: [usize; 4] = [1, 8, 32, 64];
/// Orders of the row that commits many at once.
const TOGETHER: usize = 100;

const SCHEMA: &str = "
    create table stock (
        sku text primary key, available bigint not null check (available >= 0), reserved bigint not null
    ) with (fillfactor = 50);
    create table orders (id text primary key, channel text not null, placed_at timestamptz not null);
    create table order_lines (
        order_id text not null, line int not null, sku text not null, quantity bigint not null,
        price numeric(15, 2) not null, primary key (order_id, line)
    );
    create function place_order(id text, first_sku text, second_sku text) returns void language plpgsql as $$
    begin
        insert into orders values (id, 'bench', now()) on conflict do nothing;
        if not found then raise exception 'order % is known', id; end if;
        perform 1 from stock where sku in (first_sku, second_sku) and available >= 1 order by sku for update;
        update stock set available = available - 1, reserved = reserved + 1 where sku = first_sku;
        update stock set available = available - 1, reserved = reserved + 1 where sku = second_sku;
        insert into order_lines values (id, 1, first_sku, 1, 4.90), (id, 2, second_sku, 1, 4.90);
    end $$;
";

/// Where the next order's number comes from, over all clients and rows.
static NEXT: AtomicUsize = AtomicUsize::new(0);

pub(super) fn measure(dir: &Path) -> Result<Vec<Row>, Fault> {
    let server = match Server::start(dir) {
        Ok(server) => server,
        Err(why) => return Ok(vec![Row::skipped("PostgreSQL", why)]),
    };
    let mut client = server.connect()?;
    client.batch_execute(SCHEMA)?;
    let fill = format!(
        "insert into stock select 'BENCH-' || lpad(n::text, 6, '0'), 100000000, 0 from generate_series(0, {}) n",
        ITEMS - 1
    );
    client.batch_execute(&fill)?;
    client.batch_execute("vacuum analyze")?;
    let mut rows = Vec::new();
    for (how, place) in
        [("statements with row locks", with_statements as Place), ("one stored function", with_a_function)]
    {
        for clients in CLIENTS {
            eprintln!("PostgreSQL: {how}, {clients} clients");
            let runs = (0..RUNS).map(|_| at_once(&server, clients, place)).collect::<Result<_, _>>()?;
            let figure = format!("{ONE_EACH}, {how}: {clients} clients");
            rows.push(Row::of(figure, "orders/s", runs).remarked(server::SETTINGS));
        }
    }
    let runs = (0..RUNS).map(|_| at_once(&server, 1, many_together)).collect::<Result<_, _>>()?;
    let figure = format!("PostgreSQL, {TOGETHER} orders a transaction, one stored function: 1 client");
    rows.push(Row::of(figure, "orders/s", runs).remarked(server::SETTINGS));
    Ok(rows)
}

/// A client: its connection, and its prepared statements.
struct Desk {
    client: Client,
    record: Statement,
    lock: Statement,
    reserve: Statement,
    lines: Statement,
    function: Statement,
    functions: Statement,
}

/// One transaction; gives back how many orders it placed.
type Place = fn(&mut Desk) -> Result<usize, Fault>;

impl Desk {
    fn open(server: &Server) -> Result<Desk, Fault> {
        let mut client = server.connect()?;
        let reserve = "update stock set available = available - 1, reserved = reserved + 1 where sku = $1";
        let functions = "select count(place_order(id, first_sku, second_sku))
                         from unnest($1::text[], $2::text[], $3::text[]) as o (id, first_sku, second_sku)";
        Ok(Desk {
            record: client
                .prepare("insert into orders values ($1, 'bench', now()) on conflict do nothing")?,
            lock: client
                .prepare("select available from stock where sku in ($1, $2) order by sku for update")?,
            reserve: client.prepare(reserve)?,
            lines: client
                .prepare("insert into order_lines values ($1, 1, $2, 1, 4.90), ($1, 2, $3, 1, 4.90)")?,
            function: client.prepare("select place_order($1, $2, $3)")?,
            functions: client.prepare(functions)?,
            client,
        })
    }
}

/// Orders a second of so many clients, each on its own connection and thread.
fn at_once(server: &Server, clients: usize, place: Place) -> Result<f64, Fault> {
    let mut desks = (0..clients).map(|_| Desk::open(server)).collect::<Result<Vec<_>, _>>()?;
    // Caches are warm before time is taken.
    desks.iter_mut().try_for_each(|desk| place(desk).map(drop))?;
    let until = Instant::now() + RUN;
    std::thread::scope(|scope| {
        let start = |mut desk| scope.spawn(move || rate(until, || place(&mut desk)));
        let running: Vec<_> = desks.into_iter().map(start).collect();
        running.into_iter().map(|client| client.join().expect("a client does not panic")).sum()
    })
}

fn order() -> (String, String, String) {
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let (first, second) = items(number);
    (format!("O-{number:08}"), first, second)
}

fn with_statements(desk: &mut Desk) -> Result<usize, Fault> {
    let (id, first, second) = order();
    let mut transaction = desk.client.transaction()?;
    let recorded = transaction.execute(&desk.record, &[&id])?;
    let locked = transaction.query(&desk.lock, &[&first, &second])?;
    if recorded == 0 || locked.iter().any(|row| row.get::<_, i64>(0) < 1) {
        return Err(format!("order {id} cannot be placed").into());
    }
    transaction.execute(&desk.reserve, &[&first])?;
    transaction.execute(&desk.reserve, &[&second])?;
    transaction.execute(&desk.lines, &[&id, &first, &second])?;
    transaction.commit()?;
    Ok(1)
}

fn with_a_function(desk: &mut Desk) -> Result<usize, Fault> {
    let (id, first, second) = order();
    desk.client.query(&desk.function, &[&id, &first, &second])?;
    Ok(1)
}

fn many_together(desk: &mut Desk) -> Result<usize, Fault> {
    let orders: Vec<_> = (0..TOGETHER).map(|_| order()).collect();
    let column =
        |field: fn(&(String, String, String)) -> &String| orders.iter().map(field).collect::<Vec<_>>();
    let (ids, first, second) = (column(|order| &order.0), column(|order| &order.1), column(|order| &order.2));
    desk.client.query(&desk.functions, &[&ids, &first, &second])?;
    Ok(TOGETHER)
}
