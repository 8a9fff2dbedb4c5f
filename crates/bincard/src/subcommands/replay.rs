//! `bincard replay`: the history of a stopped ledger, read and never written.

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::sync::Arc;

use indicatif::ProgressBar;
use journal::JournalRead;
use projections::MemoryStore;
use replay::{Fault, LogRange, LogRow, Progress, Rebuilt, Verified, Verify};
use serde_json::{Value, json};

use super::loading::{grouped, style};
use super::offline::{self, History};
use super::query;
use crate::cli::{Failure, Format, JournalKind, Pages, QueryArgs, ReplayCommand, exit, print_rows};

/// Rows of the log that are printed together: a table's columns are as wide as they need.
const LOG_ROWS: usize = 1000;

/// Reads the history, prints, and gives the exit status: 3 for damaged data, 1 for differences.
pub(super) fn run(ledger: &str, command: ReplayCommand) -> Result<u8, Failure> {
    match command {
        ReplayCommand::Log { history, from, to, format } => {
            log(&offline::history(&history)?, ledger, LogRange { from: Some(from), to }, format)
        }
        ReplayCommand::Verify { history, fold_only, format } => {
            verify(&offline::history(&history)?, ledger, !fold_only, format)
        }
        ReplayCommand::Rebuild { history, format } => rebuild(&offline::history(&history)?, ledger, format),
        ReplayCommand::AsOf(args) => {
            let asked = query::query_of(&args)?;
            if asked.get("as_of").is_none() {
                return Err(Failure::usage(
                    "replay as-of: wanted --as-of-sequence N, --as-of-recorded TIME or --as-of-effective TIME",
                ));
            }
            refuse_a_service(&args)?;
            let history = offline::asked_history(args.journal, &args.door)?;
            query::print_offline(&offline::projections(&history, ledger)?, &args, asked)
        }
    }
}

/// A question about the past is put to a history: a service has its own command for it.
fn refuse_a_service(args: &QueryArgs) -> Result<(), Failure> {
    let is_stream = args.journal == JournalKind::Jetstream;
    if args.door.http.is_some() || (args.door.nats.is_some() && !is_stream) {
        return Err(Failure::usage(
            "replay as-of reads a folder (--data DIR) or a stream (--journal jetstream --nats URL); a service answers \
             bincard query with the same --as-of",
        ));
    }
    Ok(())
}

fn log(history: &History, ledger: &str, range: LogRange, format: Format) -> Result<u8, Failure> {
    let journal = offline::open(history, ledger)?;
    let pages = Pages::new(format, io::stdout().lock());
    let mut printer = LogPrinter { rows: Vec::new(), pages, failed: None };
    replay::log(&*journal, range, &mut |row| printer.push(row)).map_err(failure)?;
    printer.finish()?;
    Ok(exit::DONE)
}

/// Prints rows of the log as they come, a pageful at a time, so that a long log needs no memory.
struct LogPrinter<W: Write> {
    rows: Vec<Value>,
    pages: Pages<W>,
    failed: Option<io::Error>,
}

impl<W: Write> LogPrinter<W> {
    fn push(&mut self, row: LogRow) -> ControlFlow<()> {
        self.rows.push(serde_json::to_value(row).expect("a row of the log is plain JSON"));
        if self.rows.len() < LOG_ROWS {
            return ControlFlow::Continue(());
        }
        match self.pages.print(&std::mem::take(&mut self.rows)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.failed = Some(error);
                ControlFlow::Break(())
            }
        }
    }

    fn finish(mut self) -> Result<(), Failure> {
        if let Some(error) = self.failed {
            return Err(error.into());
        }
        if !self.rows.is_empty() {
            self.pages.print(&self.rows)?;
        }
        Ok(self.pages.finish()?)
    }
}

fn verify(history: &History, ledger: &str, decide: bool, format: Format) -> Result<u8, Failure> {
    let journal = offline::open(history, ledger)?;
    let bar = progress();
    let how = Verify { decide, two_threads: true };
    let verified = how.run(&*journal, &mut |progress| show(&bar, progress)).map_err(failure)?;
    bar.finish_and_clear();
    let mut out = io::stdout().lock();
    match format {
        Format::Json | Format::Csv => {
            let row = serde_json::to_value(&verified).expect("what was found is plain JSON");
            print_rows(&[row], format, &mut out)?;
        }
        Format::Table => print_verified(&verified, &mut out)?,
    }
    Ok(if verified.is_green() { exit::DONE } else { exit::REFUSED })
}

fn print_verified(verified: &Verified, out: &mut impl Write) -> io::Result<()> {
    let Verified { frames, entries, commands, folded_only, events, .. } = *verified;
    let [frames, entries, commands, events] = [frames, entries, commands, events].map(grouped);
    writeln!(
        out,
        "{frames} frames, {entries} entries; {commands} commands decided again, {events} events folded"
    )?;
    if folded_only > 0 {
        let folded_only = grouped(folded_only);
        writeln!(out, "{folded_only} entries only folded: their rules are too old for this program")?;
    }
    if verified.state_hashes > 0 {
        let state_hashes = grouped(verified.state_hashes);
        writeln!(out, "{state_hashes} recorded state hashes held against the state folded")?;
    }
    writeln!(out, "position     {}.{}", verified.epoch, verified.sequence)?;
    writeln!(out, "head hash    {}", hex(&verified.head_hash))?;
    writeln!(out, "ledger hash  {}", hex(&verified.ledger_hash))?;
    match &verified.first_difference {
        None if verified.commands == 0 => {
            writeln!(out, "no differences: chain, invariants and tie-outs hold")
        }
        None => writeln!(out, "no differences: chain, invariants, decisions and tie-outs hold"),
        Some(first) => {
            writeln!(
                out,
                "{} differences; the first is at sequence {}:",
                grouped(verified.differences),
                first.sequence
            )?;
            writeln!(out, "  {}", first.what)
        }
    }
}

fn rebuild(history: &History, ledger: &str, format: Format) -> Result<u8, Failure> {
    let journal: Arc<dyn JournalRead> = Arc::from(offline::open(history, ledger)?);
    let bar = progress();
    let store = Box::new(MemoryStore::default());
    let rebuilt = replay::rebuild(store, journal, &mut |progress| show(&bar, progress)).map_err(failure)?;
    bar.finish_and_clear();
    let (_, Rebuilt { position, digest }) = rebuilt;
    let mut out = io::stdout().lock();
    if format == Format::Json {
        let found = json!({"position": position, "digest": digest.digest, "views": digest.views});
        serde_json::to_writer_pretty(&mut out, &found).map_err(io::Error::from)?;
        writeln!(out)?;
        return Ok(exit::DONE);
    }
    let rows: Vec<Value> =
        digest.views.iter().map(|view| serde_json::to_value(view).expect("a digest is plain JSON")).collect();
    print_rows(&rows, format, &mut out)?;
    if format == Format::Table {
        writeln!(out, "position {position}, all views {}", digest.digest)?;
    }
    Ok(exit::DONE)
}

/// A bar on standard error; none where that is no terminal.
pub(super) fn progress() -> ProgressBar {
    ProgressBar::new(0)
        .with_style(style("{bar:40} {human_pos} of {human_len} entries  {per_sec}  {eta} left"))
}

fn show(bar: &ProgressBar, Progress { sequence, of }: Progress) {
    bar.set_length(of);
    bar.set_position(sequence);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The exit status of what stops a tool.
pub(super) fn failure(fault: Fault) -> Failure {
    match fault {
        Fault::Journal(fault) => offline::journal_failure(fault),
        Fault::Views(fault) => offline::views_failure(fault),
        Fault::Query(fault) => offline::query_failure(fault),
        fault @ (Fault::Entry { .. } | Fault::RulesNotKnown { .. } | Fault::EndsEarly { .. }) => {
            Failure::corrupt(fault)
        }
    }
}
