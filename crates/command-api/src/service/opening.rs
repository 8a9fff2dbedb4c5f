//! Starting a ledger: hold its folder, recover its journal, fold it twice, take it, and only then serve.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use journal::{
    Disk, FileJournal, FileReader, Head, Journal, JournalRead, JournalThread, Lock, MemoryJournal, Outcome,
    RealDisk, Wake,
};
use ledger_core::control::RULES_KNOWN;
use ledger_core::values::{Name, Text};
use ledger_core::{Ledger, Settings};
use parking_lot::RwLock;
use projections::{MemoryStore, Opening, Projections, SledStore, Store};
use snapshots::Snapshots;
use tokio::sync::watch;
use uuid::Uuid;

use super::folding::fold;
use super::keeper::{InMemory, Keeper};
use super::past::Past;
use super::reading::Reading;
use super::scrubbing::start_scrubbing;
use super::snapshotting::{Record, start_snapshotting};
use super::standing_back::StandingBack;
use super::writing::{Writing, wall_clock};
use super::{
    Fault, Folder, Inner, Options, Ownership, Running, Service, rebuilding, replicated, views_folder,
};
use crate::feed::Seen;
use crate::inbox::{Inbox, To};
use crate::metrics::Metrics;
use crate::writer::{Input, Output, Refuses, Writer};

pub(super) type ServiceWriter = Writer<To>;

impl Service {
    /// Starts a ledger; creates it if there is none. Blocks until it can be asked: as long as it takes to fold the whole
    /// journal.
    pub fn start(options: Options) -> Result<Self, Fault> {
        match options.replication.clone() {
            None => Service::start_alone(options),
            Some(replication) => replicated::start(options, replication),
        }
    }

    /// A ledger whose journal is in its folder: commands can be taken on return.
    fn start_alone(options: Options) -> Result<Self, Fault> {
        let name = checked_name(&options)?;
        let dir = options.data.join(&name);
        let lock = Lock::exclusive(&dir, &options.address)?;
        let views_dir =
            views_folder::in_use(&dir).map_err(|source| Fault::Folder { dir: dir.clone(), source })?;
        let mut snapshots = Snapshots::of_ledger(&dir);
        let mut journal = open_journal(&dir, &views_dir, &snapshots, &options)?;
        let files = journal.reader();
        let reader: Arc<dyn JournalRead> = Arc::new(files.clone());
        check_feed(reader.head(), options.feed_seen)?;
        let (ledger, projections) = without_doubtful(&mut snapshots, |snapshots| {
            let (ledger, projections) = std::thread::scope(|scope| {
                let folding = scope.spawn(|| fold(reader.as_ref(), snapshots));
                let projections = open_views(&views_dir, &reader, snapshots);
                (folding.join().map_err(|_| Fault::Panicked { who: "fold" }), projections)
            });
            // What the views found wrong with the snapshot says more than what broke by it.
            let projections = projections?;
            Ok((ledger??, projections))
        })?;
        check_is_named(ledger.settings(), &dir, &name)?;
        check_rules_are_known(&ledger)?;
        let inbox = Arc::new(Inbox::new(options.queue));
        let writer = take(ledger, &mut journal, reader.head(), &options)?;
        let wake = Arc::clone(&inbox);
        let thread = JournalThread::start(journal, Box::new(move || wake.wake())).map_err(Fault::NoThread)?;
        if let Err(why) = thread.urgency() {
            tracing::info!(
                why,
                "the journal's thread waits for its turn like any other: under load, commands take longer"
            );
        }
        let folder = Folder { dir, snapshots, _lock: lock };
        let kept = Kept { keeper: Box::new(thread), reader, files: Some(files) };
        run(writer, kept, projections, inbox, Some(folder), &options)
    }

    /// Starts a new ledger that lives in memory alone: for tests, simulations and what-ifs.
    pub fn in_memory(options: Options) -> Result<Self, Fault> {
        Service::kept_by(options, |journal, wake| Box::new(InMemory { journal, wake }), |reader| reader)
    }

    /// The same, with the journal in the care of another keeper once the ledger is taken, and read through `seen`.
    pub(super) fn kept_by(
        options: Options,
        keeper: impl FnOnce(MemoryJournal, Wake) -> Box<dyn Keeper>,
        seen: impl FnOnce(Arc<dyn JournalRead>) -> Arc<dyn JournalRead>,
    ) -> Result<Self, Fault> {
        checked_name(&options)?;
        let mut journal = MemoryJournal::new(Uuid::now_v7().into_bytes());
        let reader = seen(Arc::new(journal.reader()));
        let projections = Projections::open(Box::new(MemoryStore::default()), Arc::clone(&reader))?;
        let writer = take(Ledger::new(), &mut journal, reader.head(), &options)?;
        let inbox = Arc::new(Inbox::new(options.queue));
        let wake = Arc::clone(&inbox);
        let keeper = keeper(journal, Box::new(move || wake.wake()));
        run(writer, Kept { keeper, reader, files: None }, projections, inbox, None, &options)
    }
}

/// Ledger names are part of subjects and folders: `[a-z0-9][a-z0-9_-]{0,31}`.
pub(super) fn checked_name(options: &Options) -> Result<String, Fault> {
    let name = options.settings.name.as_str();
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let good = (1..=32).contains(&name.len())
        && name.bytes().all(|byte| plain(byte) || byte == b'_' || byte == b'-')
        && name.bytes().next().is_some_and(plain);
    if good { Ok(name.to_owned()) } else { Err(Fault::BadName { found: name.to_owned() }) }
}

fn open_journal(
    dir: &Path,
    views_dir: &Path,
    snapshots: &Snapshots,
    options: &Options,
) -> Result<FileJournal, Fault> {
    let segments = journal::Options { segment_bytes: options.segment_bytes };
    let mut witnesses = snapshots.witnesses()?;
    witnesses.extend(projections::stored_witness(views_dir)?);
    match FileJournal::open(RealDisk, dir, &witnesses, segments) {
        Ok((journal, recovery)) => {
            for note in &recovery.notes {
                tracing::info!(%note, "the journal was opened");
            }
            if let Some(torn) = &recovery.torn {
                tracing::warn!(%torn, "a frame that nobody was told of was cut off");
            }
            Ok(journal)
        }
        Err(journal::Fault::Missing { path }) => {
            if !witnesses.is_empty() || head_names_a_frame(dir) {
                let why = "there is no segment, though a witness saw durable frames".into();
                return Err(journal::Fault::Corrupt { path, offset: 0, why }.into());
            }
            Ok(FileJournal::create(RealDisk, dir, Uuid::now_v7().into_bytes(), segments)?)
        }
        Err(fault) => Err(fault.into()),
    }
}

/// What was published was durable. The feed of another ledger proves nothing of this one.
pub(super) fn check_feed(head: Head, seen: Option<Seen>) -> Result<(), Fault> {
    match seen {
        Some(Seen { ledger, event, sequence })
            if ledger.into_bytes() == head.ledger && event > head.event =>
        {
            Err(Fault::EndsBeforeFeed { head: head.event, seen: event, sequence })
        }
        Some(_) | None => Ok(()),
    }
}

/// A head file that a start left behind which a crash cut short is blank.
fn head_names_a_frame(dir: &Path) -> bool {
    std::fs::read(dir.join("head")).is_ok_and(|bytes| bytes.iter().any(|byte| *byte != 0))
}

pub(super) fn open_views(
    dir: &Path,
    journal: &Arc<dyn JournalRead>,
    snapshots: &Snapshots,
) -> Result<Projections, Fault> {
    let store: Box<dyn Store> = Box::new(SledStore::open(dir)?);
    let (journal, snapshots) = (Arc::clone(journal), Some(Arc::new(snapshots.clone()) as _));
    Ok(Projections::open_from(Opening { store, journal, snapshots, progress: &mut |_, _| {} })?)
}

/// Opens something; again without the snapshot that it began with, if the log says that the state there was another.
pub fn without_doubtful<T, D: Disk>(
    snapshots: &mut Snapshots<D>,
    mut open: impl FnMut(&Snapshots<D>) -> Result<T, Fault>,
) -> Result<T, Fault> {
    loop {
        match open(snapshots) {
            Err(Fault::Views(projections::Fault::StateDiffers { at_sequence, what })) => {
                tracing::error!(at_sequence, what, "a snapshot is left aside: the log records another state");
                *snapshots = snapshots.clone().doubting(at_sequence);
            }
            opened => return opened,
        }
    }
}

/// Takes state hashes to the queue before the writer.
pub(super) fn recording_in(inbox: &Arc<Inbox>) -> Record {
    let inbox = Arc::clone(inbox);
    Box::new(move |hash| inbox.record_state_hash(hash))
}

pub(super) fn check_is_named(settings: Option<&Settings>, dir: &Path, wanted: &str) -> Result<(), Fault> {
    match settings {
        Some(settings) if settings.name.as_str() != wanted => {
            let (found, wanted) = (settings.name.to_string(), wanted.to_owned());
            Err(Fault::OtherLedger { dir: dir.to_owned(), found, wanted })
        }
        Some(_) | None => Ok(()),
    }
}

/// A program that does not know the rules in force would decide by others.
pub(super) fn check_rules_are_known(ledger: &Ledger) -> Result<(), Fault> {
    let (rules, newest) = (ledger.rules(), *RULES_KNOWN.end());
    if rules > newest { Err(Fault::RulesNotKnown { rules, newest }) } else { Ok(()) }
}

/// Starts the writer: its first frame is durable on return.
fn take(
    ledger: Ledger,
    journal: &mut impl Journal,
    head: Head,
    options: &Options,
) -> Result<ServiceWriter, Fault> {
    let mut writer = begin(ledger, head, options.settings.clone(), journal);
    match journal.poll() {
        Some(outcome @ Outcome::Durable { .. }) => {
            writer.step(Input::Journal(outcome), wall_clock(), &mut Vec::new());
            Ok(writer)
        }
        Some(Outcome::Refused { why } | Outcome::Unknown { why }) => Err(Fault::NotTaken { why }),
        None => Err(Fault::NotTaken { why: "the journal gave no outcome".into() }),
    }
}

/// A writer whose first frame is handed to the journal: the ledger is taken when that frame is durable.
pub(super) fn begin(
    ledger: Ledger,
    head: Head,
    settings: Settings,
    journal: &mut impl Journal,
) -> ServiceWriter {
    let now = wall_clock();
    let idle_micros = now.micros().saturating_sub(ledger.head().log_time.micros());
    tracing::info!(sequence = head.sequence, idle_seconds = idle_micros / 1_000_000, "the journal is folded");
    // Two instances that take a stream at one head in one microsecond must not record the same bytes: each would find
    // its own frame at the expected place, and believe that it has the ledger.
    let program = format!("bincard {}, start {}", env!("CARGO_PKG_VERSION"), Uuid::now_v7());
    let program = Name::try_new(program).expect("a short plain name");
    let mut out = Vec::new();
    let writer = Writer::start(ledger, head, settings, program, now, &mut out);
    for output in out {
        if let Output::Append(frame) = output {
            journal.submit(frame);
        }
    }
    writer
}

/// The journal, from its sides.
struct Kept {
    keeper: Box<dyn Keeper>,
    reader: Arc<dyn JournalRead>,
    /// Where its sealed segments are read again, if it is in files.
    files: Option<FileReader>,
}

fn run(
    writer: ServiceWriter,
    Kept { keeper, reader: journal, files }: Kept,
    projections: Projections,
    inbox: Arc<Inbox>,
    folder: Option<Folder>,
    options: &Options,
) -> Result<Service, Fault> {
    let settings = writer.ledger().settings().expect("a ledger that was taken is created").clone();
    let epoch = writer.epoch();
    let (position_told, position) = watch::channel(projections.position());
    let (views_told, views_stopped) = watch::channel(None);
    let (writer_told, writer_stopped) = watch::channel(None);
    let (ownership_told, ownership) = watch::channel(Ownership::Owner { epoch });
    let no_more_frames = Arc::new(AtomicBool::new(false));
    let snapshots = folder.as_ref().map(|folder| &folder.snapshots);
    let (pace, snapshotting) = start_snapshotting(snapshots, options.snapshot_every, recording_in(&inbox))?;
    let (handovers, new_views) = rebuilding::handovers();
    let in_use = Arc::new(RwLock::new(projections.clone()));
    let metrics = Arc::new(Metrics::default());
    let reading = Reading {
        pace,
        projections: projections.clone(),
        in_use: Arc::clone(&in_use),
        handovers: new_views,
        journal: Arc::clone(&journal),
        position: position_told,
        ending: Arc::clone(&no_more_frames),
        stopped: views_told,
        past_kept: options.past_kept,
        standing_back: StandingBack::of(Arc::clone(&metrics)),
    };
    let reading = spawn("views", move || reading.run())?;
    let wakes = reading.thread().clone();
    let writing = Writing {
        writer,
        keeper,
        inbox: Arc::clone(&inbox),
        reading: wakes,
        stopped: writer_told,
        ownership: ownership_told,
        ends_as: Ownership::Stopped,
        metrics: Arc::clone(&metrics),
        submitted: None,
        refuses: Refuses::default(),
        due_told: None,
    };
    let writing = match spawn("writer", move || Ok(writing.run()?)) {
        Ok(writing) => writing,
        Err(fault) => {
            no_more_frames.store(true, Ordering::Release);
            return Err(fault);
        }
    };
    let scrubbing = files.map(|files| start_scrubbing(files, options.scrub_round)).transpose()?;
    let (scrubbing, scrubbed) = scrubbing.unzip();
    tracing::info!(ledger = %settings.name, epoch, sequence = journal.head().sequence, "the ledger is served");
    Ok(Service(Arc::new(Inner {
        settings,
        uuid: journal.head().ledger,
        inbox,
        journal,
        projections: in_use,
        handovers,
        past: Past::default(),
        position,
        min_position_wait: options.min_position_wait,
        traces: options.traces.clone(),
        stuck_after: options.stuck_after,
        writer_stopped,
        views_stopped,
        ownership,
        replicated: None,
        metrics,
        scrubbed,
        auth: options.auth.clone(),
        running: Mutex::new(Some(Running {
            writing,
            reading,
            snapshotting,
            scrubbing,
            no_more_frames,
            ending: Arc::default(),
        })),
        folder,
    })))
}

pub(super) fn spawn<T: Send + 'static>(
    name: &str,
    run: impl FnOnce() -> T + Send + 'static,
) -> Result<std::thread::JoinHandle<T>, Fault> {
    std::thread::Builder::new().name(name.into()).spawn(run).map_err(Fault::NoThread)
}
