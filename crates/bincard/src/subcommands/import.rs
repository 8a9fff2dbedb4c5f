//! `bincard import`: another system's records become commands, and the commands are sent.

use std::io::{self, Write};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use rust_decimal::Decimal;
use tokio::sync::mpsc;

use super::loading::{grouped, print_tally, spoken, style};
use crate::cli::{DoorArgs, Failure, ImportFormat, OpeningChoice, exit};
use crate::door::{self, Door};
use crate::import::delivery::{Delivery, Parcel, Tally};
use crate::import::online_retail::{Assumptions, OpeningMode, Plan, opening};
use crate::import::{Known, Planned, item};

/// Documents that are encoded ahead of the one that is being sent.
const AHEAD: usize = 512;

/// Imports, prints the summary, and gives the exit status.
pub(super) async fn run(ledger: &str, format: ImportFormat) -> Result<u8, Failure> {
    let ImportFormat::OnlineRetail { files, cost_ratio, opening, door } = format;
    let cost_ratio = ratio(&cost_ratio)?;
    let mode = match opening {
        OpeningChoice::Least => OpeningMode::Once,
        OpeningChoice::TopUp => OpeningMode::TopUp,
        OpeningChoice::None => OpeningMode::None,
    };
    online_retail(ledger, files, Assumptions { cost_ratio }, mode, &door).await
}

fn ratio(text: &str) -> Result<Decimal, Failure> {
    let is_a_part = |ratio: &Decimal| (Decimal::ZERO..=Decimal::ONE).contains(ratio);
    Decimal::from_str(text).ok().filter(is_a_part).ok_or_else(|| {
        Failure::usage(format!("--cost-ratio: wanted a part of the price, 0 to 1 (0.60), found {text:?}"))
    })
}

async fn online_retail(
    ledger: &str,
    files: Vec<PathBuf>,
    assumptions: Assumptions,
    mode: OpeningMode,
    door: &DoorArgs,
) -> Result<u8, Failure> {
    let began = Instant::now();
    let spinner = ProgressBar::new_spinner().with_style(style("{spinner} {msg} {elapsed}"));
    spinner.enable_steady_tick(Duration::from_millis(120));
    spinner.set_message("reading");
    let plan = blocking(move || Plan::read(&files, assumptions)).await.map_err(Failure::usage)?;
    let plan = Arc::new(plan);

    let door = door::for_loading(door, ledger).await?;
    spinner.set_message(format!("asking {} what it knows", door.name()));
    let loaded = load(&door, &plan, mode, &spinner).await;
    let closed = door.close().await;
    let (tally, opened) = loaded?;
    closed?;
    summarise(&plan, mode, &opened, &tally, began.elapsed(), &mut io::stdout().lock())?;
    Ok(if tally.refused_count() == 0 { exit::DONE } else { exit::REFUSED })
}

/// Sends definitions, opening stock and trade; gives what became of them, and the opening.
async fn load(
    door: &Door,
    plan: &Arc<Plan>,
    mode: OpeningMode,
    spinner: &ProgressBar,
) -> Result<(Tally, Vec<Planned>), Failure> {
    let known = Arc::new(Known::ask(door, plan).await?);
    spinner.set_message("planning");
    let planned = {
        let (plan, known) = (Arc::clone(plan), Arc::clone(&known));
        move || {
            let opened = opening::commands(&plan, &*known, mode)?;
            let trade: usize = plan.trading().map(|document| document.len()).sum();
            Ok::<_, opening::Shortfall>((plan.definitions().count() + opened.len() + trade, opened))
        }
    };
    let (total, opened) = blocking(planned).await.map_err(Failure::refused)?;
    spinner.finish_and_clear();

    let bar = ProgressBar::new(total as u64)
        .with_style(style("{bar:40} {human_pos} of {human_len} commands  {per_sec}  {eta} left"));
    let (documents, mut ready) = mpsc::channel(AHEAD);
    let encoder = {
        let (plan, opened) = (Arc::clone(plan), opened.clone());
        move || {
            let first = plan.definitions().chain(opened).map(|planned| vec![planned]);
            for document in first.chain(plan.trading()) {
                let unsent = document.iter().filter(|planned| !known.is_done(planned));
                let parcels: Vec<Parcel> =
                    unsent.map(|planned| Parcel::new(&item(planned), planned.repeat)).collect();
                if documents.blocking_send(parcels).is_err() {
                    return;
                }
            }
        }
    };
    let encoding = tokio::task::spawn_blocking(encoder);
    let mut delivery = Delivery::new(door, |tally| bar.set_position(tally.done()));
    while let Some(document) = ready.recv().await {
        delivery.push_document(document).await?;
    }
    let tally = delivery.finish().await?;
    encoding.await.expect("encoding does not panic");
    bar.finish_and_clear();
    Ok((tally, opened))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.expect("reading and planning do not panic")
}

fn summarise(
    plan: &Plan,
    mode: OpeningMode,
    opened: &[Planned],
    tally: &Tally,
    elapsed: Duration,
    out: &mut impl Write,
) -> io::Result<()> {
    writeln!(
        out,
        "{} invoices, {} SKUs, {} customers in {}",
        grouped(plan.invoices.len() as u64),
        grouped(plan.items.len() as u64),
        grouped(plan.customers.len() as u64),
        spoken(elapsed)
    )?;
    print_tally(tally, out)?;
    let units: i64 = opened.iter().flat_map(|open| &open.moves).map(|moved| moved.change).sum();
    match mode {
        OpeningMode::None => writeln!(out, "opening stock: none, as asked"),
        OpeningMode::Once | OpeningMode::TopUp if opened.is_empty() => {
            writeln!(out, "opening stock: there is enough already")
        }
        OpeningMode::Once | OpeningMode::TopUp => writeln!(
            out,
            "opening stock, assumed: {} SKUs with {} units, the least that never goes under zero, each unit at {} of its \
             SKU's first price (--cost-ratio)",
            grouped(opened.len() as u64),
            grouped(units.unsigned_abs()),
            plan.assumptions.cost_ratio
        ),
    }
}
