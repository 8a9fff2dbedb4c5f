//! An instance's way to the ledger and back: it follows, takes the ledger, owns it, and follows again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use journal::jetstream::{Holder, Lease, StreamAppender, StreamJournal, StreamReader};
use journal::{FrameSource, Head, JournalRead, Outcome};
use ledger_core::control::RecordStateHash;
use ledger_core::{Ledger, Settings};
use snapshots::{SnapshotSource, Snapshots};
use tokio::sync::watch;
use uuid::Uuid;

use super::folding::apply_frame;
use super::keeper::InStream;
use super::opening::{ServiceWriter, begin, check_rules_are_known};
use super::writing::{Writing, wall_clock};
use super::{Fault, Ownership};
use crate::inbox::Inbox;
use crate::metrics::Metrics;
use crate::writer::{Input, Refuses};

/// Without being woken the standby looks this often.
const IDLE: Duration = Duration::from_millis(200);
/// Pause before something is tried again that failed.
const RETRY_PAUSE: Duration = Duration::from_secs(1);
/// How long giving the lease back may take; after that it lapses by itself.
const GOODBYE: Duration = Duration::from_secs(1);

/// Contends for a ledger, as long as the instance runs.
pub(super) struct Contender {
    pub(super) stream: StreamJournal,
    pub(super) lease: Lease,
    /// An instance that only answers queries watches who writes, and never does.
    pub(super) may_write: bool,
    /// What a new ledger is created with.
    pub(super) settings: Settings,
    /// Where the fold of the standby ledger begins.
    pub(super) snapshots: Snapshots,
    pub(super) inbox: Arc<Inbox>,
    pub(super) ownership: watch::Sender<Ownership>,
    /// Why the writer stopped, the last time it did.
    pub(super) stopped: watch::Sender<Option<String>>,
    /// Everything durable is folded, or decided here.
    pub(super) keeps_up: Arc<AtomicBool>,
    pub(super) metrics: Arc<Metrics>,
    /// The instance is to end.
    pub(super) ending: Arc<AtomicBool>,
}

/// A ledger folded to the end of the stream, and where that is.
struct CaughtUp {
    ledger: Ledger,
    head: Head,
    last_stream_sequence: u64,
}

impl Contender {
    /// Runs until the instance ends; leaves the lease to others.
    pub(super) fn run(self) -> Result<(), Fault> {
        self.wake_when_something_happens();
        let _clears = ClearsAtTheEnd(Arc::clone(&self.keeps_up));
        let contended = self.contend();
        self.lease.give_back(GOODBYE);
        self.ownership.send_replace(Ownership::Stopped);
        if let Err(fault) = &contended {
            tracing::error!(%fault, "this instance follows no more: restart it when that is mended");
            self.stopped.send_replace(Some(fault.to_string()));
        }
        contended
    }

    fn contend(&self) -> Result<(), Fault> {
        while let Some(caught_up) = self.follow()? {
            match self.take(caught_up) {
                Ok((writer, appender)) => self.own(writer, appender)?,
                Err(why) => tracing::warn!(why, "the ledger could not be taken"),
            }
            // Its ledger is to be folded anew: another instance is ready sooner.
            self.keeps_up.store(false, Ordering::Release);
            self.lease.give_back(GOODBYE);
        }
        Ok(())
    }

    /// Folds what is durable until the lease is here and the stream is read to its end; `None` when the instance ends.
    fn follow(&self) -> Result<Option<CaughtUp>, Fault> {
        let reader = self.stream.reader();
        let mut snapshots = self.snapshots.clone();
        let mut standby = Standby::begin(&snapshots, &reader);
        while !self.ending.load(Ordering::Acquire) {
            if !self.may_write {
                self.keeps_up.store(true, Ordering::Release);
                std::thread::park_timeout(IDLE);
                continue;
            }
            let folded = standby.fold_on(&reader);
            if let Err(Fault::Views(projections::Fault::StateDiffers { at_sequence, .. })) = &folded {
                tracing::error!(at_sequence, "the standby ledger is folded again without that snapshot");
                snapshots = snapshots.doubting(*at_sequence);
                standby = Standby::begin(&snapshots, &reader);
                continue;
            }
            if !is_read("followed", folded)? {
                continue;
            }
            // Only an instance that is up to date wants the lease: a cold one would hold everybody up.
            self.lease.want();
            self.keeps_up.store(true, Ordering::Release);
            if !self.lease.standing().borrow().is_mine {
                std::thread::park_timeout(IDLE);
                continue;
            }
            if !is_read("read to its end", reader.catch_up().map_err(Fault::from))? {
                continue;
            }
            let (head, last_stream_sequence) = reader.end();
            if standby.ledger.head().sequence == head.sequence {
                return Ok(Some(CaughtUp { ledger: standby.ledger, head, last_stream_sequence }));
            }
        }
        Ok(None)
    }

    /// Appends an epoch behind the end that was read: if it is durable, the ledger is this instance's.
    fn take(&self, caught_up: CaughtUp) -> Result<(ServiceWriter, StreamAppender), String> {
        let CaughtUp { ledger, mut head, last_stream_sequence } = caught_up;
        check_rules_are_known(&ledger).map_err(|fault| fault.to_string())?;
        if head.sequence == 0 {
            head = Head::empty(Uuid::now_v7().into_bytes());
        }
        let inbox = Arc::clone(&self.inbox);
        let mut appender = self.stream.appender(last_stream_sequence, Box::new(move || inbox.wake()));
        let mut writer = begin(ledger, head, self.settings.clone(), &mut appender);
        match appender.wait() {
            Some(outcome @ Outcome::Durable { .. }) => {
                writer.step(Input::Journal(outcome), wall_clock(), &mut Vec::new());
                Ok((writer, appender))
            }
            Some(Outcome::Refused { why } | Outcome::Unknown { why }) => Err(why),
            None => Err("the journal gave no outcome".into()),
        }
    }

    /// Decides and appends until the ledger is lost or the instance ends.
    fn own(&self, writer: ServiceWriter, appender: StreamAppender) -> Result<(), Fault> {
        let epoch = writer.epoch();
        tracing::info!(epoch, "this instance writes");
        self.inbox.open();
        self.ownership.send_replace(Ownership::Owner { epoch });
        // Whoever took the lease while the epoch was appended told it to a queue that was closed anyway.
        let standing = self.lease.standing().borrow().clone();
        if !standing.is_mine {
            self.inbox.hand_over(&writer_of(standing.holder.as_ref()));
        }
        let writing = Writing {
            writer,
            keeper: Box::new(InStream(appender)),
            inbox: Arc::clone(&self.inbox),
            // The views are woken by the stream itself.
            reading: std::thread::current(),
            stopped: self.stopped.clone(),
            ownership: self.ownership.clone(),
            ends_as: Ownership::Follower,
            metrics: Arc::clone(&self.metrics),
            submitted: None,
            refuses: Refuses::default(),
            due_told: None,
        };
        writing.run()?;
        tracing::warn!(epoch, "this instance writes no more");
        Ok(())
    }

    /// The thread sleeps when there is nothing to do: a frame, or the lease, ends that.
    fn wake_when_something_happens(&self) {
        let thread = std::thread::current();
        self.stream.reader().on_growth(Box::new(move || thread.unpark()));
        let (thread, inbox) = (std::thread::current(), Arc::clone(&self.inbox));
        self.lease.on_change(Box::new(move |standing| {
            if !standing.is_mine {
                inbox.hand_over(&writer_of(standing.holder.as_ref()));
            }
            thread.unpark();
        }));
    }
}

/// A ledger that is folded along, ready to be decided on.
struct Standby {
    frames: Option<Box<dyn FrameSource>>,
    ledger: Ledger,
    /// The state that it was loaded with.
    began: Option<RecordStateHash>,
}

impl Standby {
    /// Begins with the nearest snapshot, if there is one.
    fn begin(snapshots: &Snapshots, reader: &StreamReader) -> Self {
        let (ledger, began) = match snapshots.nearest(reader, reader.head().sequence) {
            Some(loaded) => (loaded.ledger, Some(loaded.state)),
            None => (Ledger::new(), None),
        };
        Standby { frames: None, ledger, began }
    }

    /// Folds everything that is durable.
    fn fold_on(&mut self, reader: &StreamReader) -> Result<(), Fault> {
        let mut frames = match self.frames.take() {
            Some(frames) => frames,
            None => reader.frames_from(self.ledger.head().sequence + 1)?,
        };
        while let Some(frame) = frames.next_frame()? {
            apply_frame(&mut self.ledger, &frame, self.began.as_ref())?;
        }
        self.frames = Some(frames);
        Ok(())
    }
}

/// Whatever ended the thread, a panic too: nothing keeps this instance up to date any more.
struct ClearsAtTheEnd(Arc<AtomicBool>);

impl Drop for ClearsAtTheEnd {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

/// Whether the stream could be read; a network that fails is waited for, damage is not.
fn is_read(what: &str, read: Result<(), Fault>) -> Result<bool, Fault> {
    match read {
        Ok(()) => Ok(true),
        Err(Fault::Journal(journal::Fault::Unreachable { server, why })) => {
            tracing::warn!(server, why, "the stream cannot be {what} just now");
            std::thread::park_timeout(RETRY_PAUSE);
            Ok(false)
        }
        Err(fault) => Err(fault),
    }
}

/// Where commands are to go, in words.
fn writer_of(holder: Option<&Holder>) -> String {
    match holder {
        Some(Holder { instance, address }) if address.is_empty() => format!("instance {instance}"),
        Some(Holder { address, .. }) => address.clone(),
        None => super::replicated::NOBODY_YET.to_owned(),
    }
}
