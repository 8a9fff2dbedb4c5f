//! A process: everything that a crash takes away.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;

use command_api::writer::{Answer, Input, Output, Writer};
use journal::{
    Checked, Fault, FileJournal, Frame, FrameSource, Head, Journal, JournalRead, Options, Outcome, SimDisk,
    Space, Witness,
};
use ledger_core::values::{Name, Text, Timestamp};
use ledger_core::{Entry, Ledger, Settings};
use projections::{MemoryStore, Projections};

use super::happenings::Message;
use crate::Violation;

pub(super) const DIR: &str = "ledger";

pub(super) struct Process {
    pub(super) writer: Writer<u64>,
    pub(super) journal: FileJournal<SimDisk>,
    pub(super) projections: Projections,
    frames: Box<dyn FrameSource>,
    /// Handed over by the writer, not yet by the disk.
    appending: Option<Frame>,
    /// Commands that wait for the writer.
    pub(super) inbox: VecDeque<Message>,
    pub(super) stopped: bool,
    /// Commands are taken from when its first frame is durable.
    pub(super) serving: bool,
}

/// What came of a step.
#[derive(Default)]
pub(super) struct Outputs {
    pub(super) answers: Vec<(u64, Answer)>,
    pub(super) frame_handed_over: bool,
}

/// What outlives a process.
pub(super) struct Kept {
    pub(super) disk: SimDisk,
    pub(super) store: MemoryStore,
    /// What the views' store proves of the journal.
    pub(super) witness: Option<Witness>,
    pub(super) uuid: [u8; 16],
    pub(super) segments: Options,
    pub(super) settings: Settings,
}

/// The fold of a whole journal.
pub(super) fn fold(journal: &dyn JournalRead) -> Result<Ledger, Fault> {
    let head = journal.head();
    let mut ledger = Ledger::new();
    let mut frames = Checked::after(journal.frames_from(1)?, Head::empty(head.ledger));
    while let Some(frame) = frames.next_frame()? {
        let at = Timestamp::from_micros(frame.header().log_time_us);
        for (sequence, _, bytes) in frame.entries() {
            let entry = Entry::decode(bytes).unwrap_or_else(|fault| panic!("sequence {sequence}: {fault}"));
            ledger.apply(&entry, at).unwrap_or_else(|what| panic!("sequence {sequence}: {what}"));
        }
    }
    Ok(ledger)
}

impl Process {
    /// Opens what the disk holds and hands over the writer's first frame. `Err` if the disk fails meanwhile.
    pub(super) fn start(kept: &Kept, now: i64) -> Result<(Process, Outputs), Fault> {
        let dir = Path::new(DIR);
        let opened = FileJournal::open(kept.disk.clone(), dir, kept.witness.as_slice(), kept.segments);
        let journal = match opened {
            Ok((journal, _)) => journal,
            Err(Fault::Missing { .. }) if kept.witness.is_none() => {
                FileJournal::create(kept.disk.clone(), dir, kept.uuid, kept.segments)?
            }
            Err(fault) => return Err(fault),
        };
        let reader: Arc<dyn JournalRead> = Arc::new(journal.reader());
        let ledger = fold(reader.as_ref())?;
        let projections = match Projections::open(Box::new(kept.store.clone()), Arc::clone(&reader)) {
            Ok(projections) => projections,
            Err(projections::Fault::Journal(fault)) => return Err(fault),
            // A header that is read wrong may seem to be of a frame before the wanted one: the chain shows it.
            Err(fault @ (projections::Fault::NotNext { .. } | projections::Fault::Missing { .. })) => {
                return Err(Fault::Corrupt { path: dir.to_owned(), offset: 0, why: fault.to_string() });
            }
            Err(fault) => panic!("the views cannot be opened: {fault}"),
        };
        let frames = reader.frames_from(projections.position().sequence + 1)?;
        let mut out = Vec::new();
        let program = Name::try_new("simulation").expect("a short plain name");
        let now = Timestamp::from_micros(now);
        let writer = Writer::start(ledger, reader.head(), kept.settings.clone(), program, now, &mut out);
        let mut process = Process {
            writer,
            journal,
            projections,
            frames,
            appending: None,
            inbox: VecDeque::new(),
            stopped: false,
            serving: false,
        };
        let outputs = process.take(out);
        Ok((process, outputs))
    }

    pub(super) fn step(&mut self, input: Input<u64>, now: i64) -> Outputs {
        let mut out = Vec::new();
        self.writer.step(input, Timestamp::from_micros(now), &mut out);
        self.take(out)
    }

    fn take(&mut self, out: Vec<Output<u64>>) -> Outputs {
        let mut outputs = Outputs::default();
        for output in out {
            match output {
                Output::Append(frame) => {
                    assert!(self.appending.replace(frame).is_none(), "one frame is in flight at a time");
                    outputs.frame_handed_over = true;
                }
                Output::Reply(to, answer) => outputs.answers.push((to, answer)),
                Output::Stopped { .. } => self.stopped = true,
            }
        }
        outputs
    }

    /// The frame in flight is written and synced; its fate, unless the power went meanwhile.
    pub(super) fn disk_works(&mut self) -> Option<Outcome> {
        let frame = self.appending.take()?;
        self.journal.submit(frame);
        self.journal.poll()
    }

    pub(super) fn space(&self) -> Space {
        self.journal.space().clone()
    }

    /// The views take in what is durable.
    pub(super) fn fold_views(&mut self) -> Result<(), Fault> {
        while let Some(frame) = self.frames.next_frame()? {
            self.projections.fold(&frame).unwrap_or_else(|fault| panic!("the views cannot fold: {fault}"));
        }
        Ok(())
    }

    /// Live, full replay and views are the same, where nothing is in flight.
    pub(super) fn check_folds_agree(&self) -> Result<Result<(), Fault>, Violation> {
        let replayed = match fold(&self.journal.reader()) {
            Ok(replayed) => replayed,
            Err(fault) => return Ok(Err(fault)),
        };
        if replayed != *self.writer.ledger() {
            return Err(Violation("the writer's ledger is not what the journal folds to".into()));
        }
        if replayed.hash() != self.projections.ledger_hash() {
            return Err(Violation("the views' ledger is not what the journal folds to".into()));
        }
        Ok(Ok(()))
    }
}
