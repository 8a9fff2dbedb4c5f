//! A ledger made for one run: a service in this process over a folder of its own, with the shop's items and stock.

use std::path::Path;
use std::time::{Duration, Instant};

use command_api::service::{Options, Replication};
use command_api::{Batch, Envelope, Offered, Outcome, Reply, Service};
use ledger_core::Settings;
use ledger_core::values::{Name, Text};
use projections::Query;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::workload::{Mix, Orders};
use super::{Plan, workload};
use crate::cli::Failure;

/// The name of every ledger that a bench makes.
pub(super) const LEDGER: &str = "bench";
/// Longer than any run leaves its views behind.
const VIEWS_WAIT: Duration = Duration::from_secs(600);
/// Batches under way while a ledger is filled.
const FILLING: usize = 8;

/// A ledger that runs, and its folder, which goes with it.
pub(super) struct Shop {
    pub(super) service: Service,
    folder: TempDir,
    items: usize,
}

impl Shop {
    /// A new ledger in which everything can be ordered.
    pub(super) async fn open(plan: &Plan) -> Result<Shop, Failure> {
        Shop::stocked(plan, plan.items, None).await
    }

    /// The same with so much stock of each item, where that is to be scarce.
    pub(super) async fn stocked(plan: &Plan, items: usize, stock: Option<u64>) -> Result<Shop, Failure> {
        Shop::made(plan, items, stock, None).await
    }

    /// The same with a stream for a journal.
    pub(super) async fn on_stream(plan: &Plan, stream: Replication) -> Result<Shop, Failure> {
        Shop::made(plan, plan.items, None, Some(stream)).await
    }

    async fn made(
        plan: &Plan,
        items: usize,
        stock: Option<u64>,
        stream: Option<Replication>,
    ) -> Result<Shop, Failure> {
        let folder = tempfile::Builder::new().prefix("bincard-bench-").tempdir_in(&plan.dir)?;
        let service = start_on(folder.path(), stream).await?;
        let shop = Shop { service, folder, items };
        for batch in workload::shop("shop", items, stock) {
            shop.send(&batch).await?;
        }
        shop.views_caught_up().await?;
        Ok(shop)
    }

    /// Orders of this mix, for this shop.
    pub(super) fn orders(&self, mix: Mix) -> Orders {
        Orders { run: "O".into(), items: self.items, mix }
    }

    /// Fills the ledger with so many orders, and waits until every view shows them.
    pub(super) async fn fill(&self, count: usize) -> Result<(), Failure> {
        let batches = self.orders(Mix::Spread).batches(0..count);
        super::load::keep_in_flight(batches, FILLING, async |batch| self.send(&batch).await).await?;
        self.views_caught_up().await.map(drop)
    }

    /// Sends a batch of JSON; all of it is accepted.
    pub(super) async fn send(&self, batch: &[u8]) -> Result<(), Failure> {
        let offered = self.service.offer_batch(Batch::read(batch, &Envelope::default()));
        self.accepted(offered).await
    }

    /// Waits for the outcome; all of it is accepted.
    pub(super) async fn accepted(&self, offered: Offered) -> Result<(), Failure> {
        accepted(&self.service, offered).await
    }

    /// Waits until the views show all that is durable; how long that took.
    pub(super) async fn views_caught_up(&self) -> Result<Duration, Failure> {
        let began = Instant::now();
        while self.service.position().sequence < self.service.durable_sequence() {
            if let Some(trouble) = self.service.trouble() {
                return Err(Failure::corrupt(trouble));
            }
            if began.elapsed() > VIEWS_WAIT {
                return Err(Failure::refused("the views did not catch up"));
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok(began.elapsed())
    }

    /// Units of every item by status; none is under zero, and together they are what was received.
    pub(super) async fn units(&self, status: &str) -> Result<i64, Failure> {
        self.views_caught_up().await?;
        let mut query = Query { limit: Some(1000), ..Query::default() };
        query.filter.insert("status".into(), json!(status));
        let mut units = 0;
        loop {
            let page = self.service.query("stock_position", query.clone()).await;
            let page = page.map_err(|reply| Failure::refused(reply.message().unwrap_or(reply.status())))?;
            for row in &page.rows {
                let quantity = row.get("quantity").and_then(whole);
                let quantity = quantity.filter(|quantity| *quantity >= 0);
                units += quantity.ok_or_else(|| Failure::corrupt(format!("a bucket under zero: {row}")))?;
            }
            if page.next.is_none() {
                return Ok(units);
            }
            query.cursor = page.next;
        }
    }

    /// Stops the service; its folder stays as long as what comes back.
    pub(super) async fn stop(self) -> Result<TempDir, Failure> {
        let Shop { service, folder, .. } = self;
        let stopped = tokio::task::spawn_blocking(move || service.stop()).await;
        stopped.expect("closing a ledger does not panic").map_err(crate::door::opening_fault)?;
        Ok(folder)
    }
}

/// Waits for the outcome; all of it is accepted.
pub(super) async fn accepted(service: &Service, offered: Offered) -> Result<(), Failure> {
    let refused = |status: &str, why: Option<&str>| {
        Err(Failure::refused(format!("an order was {status}: {}", why.unwrap_or("(no reason)"))))
    };
    match service.outcome(offered).await {
        Outcome::One(Reply::Accepted(_)) => Ok(()),
        Outcome::One(reply) => refused(reply.status(), reply.message()),
        Outcome::Each(lines) => match lines.iter().find(|line| line.status != "accepted") {
            None => Ok(()),
            Some(line) => refused(line.status, line.message.as_deref()),
        },
    }
}

/// Starts the bench's ledger in a folder of ledgers.
pub(super) async fn start(data: &Path) -> Result<Service, Failure> {
    start_on(data, None).await
}

async fn start_on(data: &Path, stream: Option<Replication>) -> Result<Service, Failure> {
    let name = Name::try_new(LEDGER).map_err(Failure::usage)?;
    let mut options = Options::new(data, Settings::named(name));
    options.address = "measured by bincard bench".into();
    options.replication = stream;
    let started = tokio::task::spawn_blocking(|| Service::start(options)).await;
    Ok(started.expect("opening a ledger does not panic").map_err(crate::door::opening_fault)?)
}

/// Quantities are numbers or decimal text.
fn whole(quantity: &Value) -> Option<i64> {
    quantity.as_i64().or_else(|| quantity.as_str()?.parse().ok())
}
