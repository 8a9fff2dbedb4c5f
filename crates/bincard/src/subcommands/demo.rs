//! `bincard demo`: a generated month of a multi-channel retailer, sent like any other import.

use std::io::{self, Write};
use std::time::Instant;

use indicatif::ProgressBar;

use super::loading::{grouped, print_tally, spoken, style};
use crate::cli::{DoorArgs, Failure, exit};
use crate::demo::{self, Step};
use crate::door::{self, Item};
use crate::import::Repeat;
use crate::import::delivery::{Delivery, Parcel};

/// Sends the month, prints the summary, and gives the exit status.
pub(super) async fn run(ledger: &str, seed: u64, door: &DoorArgs) -> Result<u8, Failure> {
    let began = Instant::now();
    let door = door::for_loading(door, ledger).await?;
    let month = demo::month(seed);
    let bar = ProgressBar::new(month.len() as u64)
        .with_style(style("{bar:40} {human_pos} of {human_len} commands  {eta} left"));
    let mut delivery = Delivery::new(&door, |tally| bar.set_position(tally.done()));
    for step in &month {
        delivery.push(Parcel::new(&item(step), Repeat::Same)).await?;
    }
    let tally = delivery.finish().await?;
    bar.finish_and_clear();
    door.close().await?;
    let mut out = io::stdout().lock();
    let (commands, time) = (grouped(month.len() as u64), spoken(began.elapsed()));
    writeln!(out, "the demo's month, seed {seed}: {commands} commands in {time}")?;
    print_tally(&tally, &mut out)?;
    Ok(if tally.refused_count() == 0 { exit::DONE } else { exit::REFUSED })
}

fn item(step: &Step) -> Item {
    Item {
        command: step.name.to_owned(),
        id: Some(step.command_id.clone()),
        effective_at: step.effective_at.map(|at| at.to_string()),
        body: step.body.clone(),
    }
}
