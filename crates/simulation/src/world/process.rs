//! A process: everything that a crash takes away.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;

use command_api::service::{self, without_doubtful};
use command_api::writer::{Answer, Input, Output, Writer};
use journal::{
    Checked, Fault, FileJournal, Frame, FrameSource, Head, Journal, JournalRead, Options, Outcome, SimDisk,
    Space, Witness,
};
use ledger_core::values::{Name, Text, Timestamp};
use ledger_core::{Entry, Ledger, Settings};
use projections::{MemoryStore, Opening, Projections, Taking};
use snapshots::{SnapshotSource as _, Snapshots};

use super::happenings::Message;
use crate::Violation;

pub(super) const DIR: &str = "ledger";
const SNAPSHOTS_DIR: &str = "ledger/snapshots";

pub(super) struct Process {
    pub(super) writer: Writer<u64>,
    pub(super) journal: FileJournal<SimDisk>,
    pub(super) projections: Projections,
    frames: Box<dyn FrameSource>,
    /// A snapshot on its way.
    pub(super) taking: Option<Taking<SimDisk>>,
    pub(super) slice_is_due: bool,
    /// Entries between two snapshots; none are taken when 0.
    snapshot_every: u64,
    snapshots: Snapshots<SimDisk>,
    /// The snapshot that it began with, and the newest that had a name.
    pub(super) began_with: (Option<u64>, Option<u64>),
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
    /// Entries between two snapshots; none are taken when 0.
    pub(super) snapshot_every: u64,
}

impl Kept {
    pub(super) fn snapshots(&self) -> Snapshots<SimDisk> {
        Snapshots::on(self.disk.clone(), SNAPSHOTS_DIR)
    }
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

/// The writer's ledger and the views, as a start makes them: from the nearest snapshot that can be used.
fn fold_twice(
    kept: &Kept,
    snapshots: &mut Snapshots<SimDisk>,
    journal: &Arc<dyn JournalRead>,
) -> Result<(Ledger, Projections), Fault> {
    let opened = without_doubtful(snapshots, |snapshots| {
        let ledger = service::fold(journal.as_ref(), snapshots);
        let projections = Projections::open_from(Opening {
            store: Box::new(kept.store.clone()),
            journal: Arc::clone(journal),
            snapshots: Some(Arc::new(snapshots.clone())),
            progress: &mut |_, _| {},
        });
        let projections = projections?;
        Ok((ledger?, projections))
    });
    opened.map_err(|fault| match fault {
        service::Fault::Journal(fault) | service::Fault::Views(projections::Fault::Journal(fault)) => fault,
        service::Fault::Snapshots(fault) => of_snapshots(fault),
        // A header that is read wrong may seem to be of a frame before the wanted one: the chain shows it.
        fault @ service::Fault::Views(
            projections::Fault::NotNext { .. } | projections::Fault::Missing { .. },
        ) => Fault::Corrupt { path: DIR.into(), offset: 0, why: fault.to_string() },
        fault => panic!("the ledger cannot be opened: {fault}"),
    })
}

/// The folder of snapshots cannot be read.
fn of_snapshots(fault: snapshots::Fault) -> Fault {
    match fault {
        snapshots::Fault::Io { path, source } => Fault::Io { path, source },
        fault => panic!("the folder of snapshots cannot be read: {fault}"),
    }
}

impl Process {
    /// Opens what the disk holds and hands over the writer's first frame. `Err` if the disk fails meanwhile.
    pub(super) fn start(kept: &Kept, now: i64) -> Result<(Process, Outputs), Fault> {
        let dir = Path::new(DIR);
        let mut snapshots = kept.snapshots();
        let mut witnesses = snapshots.witnesses().map_err(of_snapshots)?;
        witnesses.extend(kept.witness);
        let opened = FileJournal::open(kept.disk.clone(), dir, &witnesses, kept.segments);
        let journal = match opened {
            Ok((journal, _)) => journal,
            Err(Fault::Missing { .. }) if witnesses.is_empty() => {
                FileJournal::create(kept.disk.clone(), dir, kept.uuid, kept.segments)?
            }
            Err(fault) => return Err(fault),
        };
        let reader: Arc<dyn JournalRead> = Arc::new(journal.reader());
        let newest = snapshots.nearest_sequence(reader.head().sequence);
        let (ledger, projections) = fold_twice(kept, &mut snapshots, &reader)?;
        let whole = fold(reader.as_ref())?;
        assert!(whole == ledger, "snapshot and tail, {newest:?}, are not what the journal folds to");
        assert_eq!(whole.hash(), projections.ledger_hash(), "the views are not what the journal folds to");
        let began_with = projections.last_snapshot().map(|taken| taken.head.sequence);
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
            taking: None,
            slice_is_due: false,
            snapshot_every: kept.snapshot_every,
            snapshots: kept.snapshots(),
            began_with: (began_with, newest),
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

    /// The views take in what is durable; a snapshot is begun behind the first frame that reaches a multiple of so many
    /// entries, as the service does it.
    pub(super) fn fold_views(&mut self) -> Result<(), Fault> {
        while let Some(frame) = self.frames.next_frame()? {
            let before = self.projections.position().sequence;
            self.projections.fold(&frame).unwrap_or_else(|fault| panic!("the views cannot fold: {fault}"));
            self.begin_snapshot_if_due(before, frame.last_sequence());
        }
        Ok(())
    }

    fn begin_snapshot_if_due(&mut self, before: u64, now: u64) {
        let is_due = self.snapshot_every > 0 && before / self.snapshot_every != now / self.snapshot_every;
        let last = self.projections.last_snapshot().map_or(0, |taken| taken.head.sequence);
        if is_due && now - last > 1 && self.taking.is_none() {
            self.taking = self.projections.begin_snapshot(&self.snapshots);
        }
    }

    /// The states that the log records are those that the views were in.
    pub(super) fn check_state(&self) {
        self.projections.check_state().unwrap_or_else(|fault| panic!("{fault}"));
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
