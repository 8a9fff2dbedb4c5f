//! `bincard send`: one command, or a file of commands.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;

use indicatif::ProgressBar;
use ledger_core::{Command, Kind};
use serde::Deserialize;
use serde_json::Value;

use super::loading::{print_tally, style};
use crate::cli::{Failure, SendArgs, body_from_pairs, exit};
use crate::door::{self, Item};
use crate::import::Repeat;
use crate::import::delivery::{Delivery, Parcel};

/// Sends, prints the answers, and gives the exit status.
pub(super) async fn run(ledger: &str, args: SendArgs) -> Result<u8, Failure> {
    match &args.file {
        Some(file) => send_file(ledger, &args, file).await,
        None => send_one(ledger, &args).await,
    }
}

async fn send_one(ledger: &str, args: &SendArgs) -> Result<u8, Failure> {
    let name = args.name.as_deref().unwrap_or_default();
    let kind = kind_of(name)?;
    let body = match &args.json {
        Some(json) => match serde_json::from_str(json) {
            Ok(body @ Value::Object(_)) => body,
            Ok(_) => return Err(Failure::usage(format!("--json: wanted one JSON object, found {json}"))),
            Err(error) => return Err(Failure::usage(format!("--json: wanted one JSON object: {error}"))),
        },
        None => Value::Object(body_from_pairs(&args.fields, kind.schema).map_err(Failure::usage)?),
    };
    let (id, effective_at) = (args.id.clone(), args.effective_at.clone());
    let item = Item { command: name.to_owned(), id, effective_at, body };
    let door = door::choose(&args.door, ledger).await?;
    let answer = door.send(&item, args.dry_run).await;
    door.close().await?;
    let answer = answer?;
    let mut out = io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, &answer.json).map_err(io::Error::from)?;
    writeln!(out)?;
    Ok(if answer.is_in() { exit::DONE } else { exit::REFUSED })
}

/// The command under a name, or the names that are near it.
fn kind_of(name: &str) -> Result<&'static Kind, Failure> {
    let public = || Command::KINDS.iter().filter(|kind| kind.public);
    if let Some(kind) = public().find(|kind| kind.name == name) {
        return Ok(kind);
    }
    let module = name.split('.').next().unwrap_or_default();
    let of_module: Vec<&str> =
        public().map(|kind| kind.name).filter(|known| known.split('.').next() == Some(module)).collect();
    let known = if of_module.is_empty() { public().map(|kind| kind.name).collect() } else { of_module };
    Err(Failure::usage(format!("there is no command {name:?}; there are {}", known.join(", "))))
}

/// A line of a file of commands.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    command: String,
    id: String,
    #[serde(default)]
    effective_at: Option<String>,
    body: Value,
}

async fn send_file(ledger: &str, args: &SendArgs, file: &Path) -> Result<u8, Failure> {
    let is_stdin = file == Path::new("-");
    let open = || -> io::Result<(Box<dyn BufRead + Send>, u64)> {
        if is_stdin {
            return Ok((Box::new(BufReader::new(io::stdin())), 0));
        }
        let file = File::open(file)?;
        let bytes = file.metadata()?.len();
        Ok((Box::new(BufReader::new(file)), bytes))
    };
    let (lines, bytes) =
        open().map_err(|error| Failure::usage(format!("--file {}: {error}", file.display())))?;
    let bar = if is_stdin { ProgressBar::new_spinner() } else { ProgressBar::new(bytes) };
    bar.set_style(style("{spinner} {bar:40} {percent:>3} %  {msg}  {eta} left"));

    let door = door::choose(&args.door, ledger).await?;
    let mut delivery = Delivery::new(&door, |tally| bar.set_message(format!("{} commands", tally.done())));
    for (line, number) in lines.split(b'\n').zip(1_u64..) {
        let line = line.map_err(|error| Failure::usage(format!("{}: {error}", file.display())))?;
        bar.inc(line.len() as u64 + 1);
        if line.trim_ascii().is_empty() {
            continue;
        }
        let item = read_line(&line, number, file)?;
        delivery.push(Parcel::new(&item, Repeat::Same)).await?;
    }
    let tally = delivery.finish().await?;
    bar.finish_and_clear();
    door.close().await?;
    print_tally(&tally, &mut io::stdout().lock())?;
    Ok(if tally.refused_count() == 0 { exit::DONE } else { exit::REFUSED })
}

fn read_line(line: &[u8], number: u64, file: &Path) -> Result<Item, Failure> {
    let read = serde_json::from_slice::<Line>(line);
    let Line { command, id, effective_at, body } = read.map_err(|error| {
        Failure::usage(format!(
            "{}, line {number}: wanted {{\"command\", \"id\", \"body\"}} and perhaps \"effective_at\" (the id makes it \
             safe to send the file again): {error}",
            file.display()
        ))
    })?;
    Ok(Item { command, id: Some(id), effective_at, body })
}
