//! `bincard journal copy`: a history moves between files and a stream, the same frames byte for byte.

use std::path::Path;

use journal::jetstream::{StreamJournal, StreamOptions};
use journal::{Fault, FileJournal, Frame, Journal, JournalRead, Lock, Outcome, RealDisk};

use super::offline::{self, History, nats_server};
use super::replay::progress;
use crate::cli::{Failure, JournalCopyArgs, exit};

/// Copies, and prints how many frames, and which head both have now.
pub(super) fn run(ledger: &str, args: &JournalCopyArgs) -> Result<u8, Failure> {
    let from = place(&args.from, args)?;
    let to = place(&args.to, args)?;
    if args.from == args.to {
        return Err(Failure::usage("journal copy: wanted two places, found the same one twice"));
    }
    let source = offline::open(&from, ledger)?;
    if source.head().sequence == 0 {
        return Err(Failure::refused(format!("{} holds no entries: there is nothing to copy", args.from)));
    }
    let copied = match &to {
        History::Folder(data) => into_folder(&*source, &data.join(ledger)),
        History::Stream(server) => {
            let (server, ledger) = ((**server).clone(), ledger.to_owned());
            into_stream(&*source, &StreamOptions { server, ledger, create: Some(args.replicas.into()) })
        }
    };
    let (frames, head) = copied.map_err(offline::journal_failure)?;
    let hash: String = head.hash.iter().map(|byte| format!("{byte:02x}")).collect();
    println!("{frames} frames copied from {} to {}", args.from, args.to);
    println!("position     {}.{}", head.epoch, head.sequence);
    println!("head hash    {hash}");
    println!("serve one of the two from here on: what one records, the other does not have");
    Ok(exit::DONE)
}

fn place(named: &str, args: &JournalCopyArgs) -> Result<History, Failure> {
    match named {
        "jetstream" => {
            let (nats, access) = (args.nats.as_deref(), args.nats_access.access());
            Ok(History::Stream(Box::new(nats_server(nats, &access, "journal copy")?)))
        }
        folder => Ok(History::Folder(folder.into())),
    }
}

pub(super) fn into_folder(from: &dyn JournalRead, dir: &Path) -> Result<(u64, journal::Head), Fault> {
    let _lock = Lock::exclusive(dir, "no address (a journal is copied into it)")?;
    let options = journal::Options::default();
    let opened = FileJournal::open(RealDisk, dir, &[], options).map(|(journal, _)| journal);
    let mut to = match opened {
        Err(Fault::Missing { .. }) => FileJournal::create(RealDisk, dir, from.head().ledger, options)?,
        opened => opened?,
    };
    let reader = to.reader();
    let bar = progress();
    let copied =
        journal::copy(from, &reader, &mut |frame| append_to_file(&mut to, &frame), &mut |sequence, of| {
            bar.set_length(of);
            bar.set_position(sequence);
        });
    bar.finish_and_clear();
    let frames = copied?;
    to.close()?;
    Ok((frames, reader.head()))
}

fn append_to_file(to: &mut FileJournal, frame: &Frame) -> Result<(), Fault> {
    to.prepare_next();
    to.append(frame)
}

fn into_stream(from: &dyn JournalRead, options: &StreamOptions) -> Result<(u64, journal::Head), Fault> {
    let to = StreamJournal::open(options)?;
    let reader = to.reader();
    let (_, last_stream_sequence) = reader.end();
    let mut appender = to.appender(last_stream_sequence, Box::new(|| {}));
    let mut append = |frame: Frame| {
        appender.submit(frame);
        match appender.wait() {
            Some(Outcome::Durable { .. }) => Ok(()),
            Some(Outcome::Refused { why } | Outcome::Unknown { why }) => Err(Fault::Stopped { why }),
            None => Err(Fault::Stopped { why: "the stream gave no outcome".into() }),
        }
    };
    let bar = progress();
    let copied = journal::copy(from, &reader, &mut append, &mut |sequence, of| {
        bar.set_length(of);
        bar.set_position(sequence);
    });
    bar.finish_and_clear();
    Ok((copied?, reader.head()))
}
