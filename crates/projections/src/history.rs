//! The log itself, read by key through the index or from end to end.

use journal::{Frame, FrameSource, JournalRead};
use ledger_core::values::Timestamp;
use ledger_core::{Decided, Entry};

use crate::fault::Fault;
use crate::index::{Index, Key};

/// Reads entries. Never holds a lock of the fold while it does.
#[derive(Clone, Copy)]
pub(crate) struct History<'p> {
    pub(crate) index: &'p Index,
    pub(crate) journal: &'p dyn JournalRead,
    /// Sequence of the last entry that may be seen.
    pub(crate) upto: u64,
}

/// Which entries.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Select {
    /// Every one.
    All,
    /// Those under a key; the reader checks the full key.
    Key(Key),
}

/// An entry with its place in the log.
#[derive(Debug, Clone)]
pub(crate) struct Recorded {
    /// Its number.
    pub(crate) sequence: u64,
    /// Start of the writer that recorded it.
    pub(crate) epoch: u64,
    /// When it was recorded.
    pub(crate) log_time: Timestamp,
    /// What was accepted and what happened.
    pub(crate) entry: Entry,
}

impl Recorded {
    /// Reads one entry of a frame; `None` if another frame holds it.
    pub(crate) fn read(frame: &Frame, sequence: u64) -> Result<Option<Recorded>, Fault> {
        let Some((_, bytes)) = frame.entry(sequence) else { return Ok(None) };
        let entry = Entry::decode(bytes).map_err(|source| Fault::Entry { sequence, source })?;
        let log_time = Timestamp::from_micros(frame.header().log_time_us);
        Ok(Some(Recorded { sequence, epoch: frame.header().epoch, log_time, entry }))
    }

    /// When what a command of the entry says was true.
    pub(crate) fn effective_at(&self, decided: &Decided) -> Timestamp {
        decided.submitted.effective_at.unwrap_or(self.log_time)
    }
}

impl<'p> History<'p> {
    /// Entries after one, in the order of the log.
    pub(crate) fn entries(&self, select: Select, after: u64) -> Entries<'p> {
        Entries { history: *self, select, after, found: Vec::new().into_iter(), frame: None, source: None }
    }

    /// One entry that must be there.
    pub(crate) fn expect_entry(&self, sequence: u64) -> Result<Recorded, Fault> {
        self.entry(sequence)?.ok_or(Fault::Missing { sequence })
    }

    /// One entry.
    pub(crate) fn entry(&self, sequence: u64) -> Result<Option<Recorded>, Fault> {
        match self.journal.frame_at(sequence)? {
            Some(frame) => Recorded::read(&frame, sequence),
            None => Ok(None),
        }
    }
}

/// Entries in the order of the log.
pub(crate) struct Entries<'p> {
    history: History<'p>,
    select: Select,
    after: u64,
    found: std::vec::IntoIter<u64>,
    /// The frame last read: neighbours are often in it.
    frame: Option<Frame>,
    source: Option<Box<dyn FrameSource>>,
}

impl Entries<'_> {
    /// The next entry, or `None` after the last.
    pub(crate) fn next(&mut self) -> Result<Option<Recorded>, Fault> {
        let Some(sequence) = self.next_sequence()? else { return Ok(None) };
        self.after = sequence;
        if let Some(recorded) =
            self.frame.as_ref().map(|frame| Recorded::read(frame, sequence)).transpose()?.flatten()
        {
            return Ok(Some(recorded));
        }
        self.frame = match self.select {
            Select::All => self.next_frame(sequence)?,
            Select::Key(_) => self.history.journal.frame_at(sequence)?,
        };
        let frame = self.frame.as_ref().ok_or(Fault::Missing { sequence })?;
        Recorded::read(frame, sequence)?.ok_or(Fault::Missing { sequence }).map(Some)
    }

    fn next_sequence(&mut self) -> Result<Option<u64>, Fault> {
        let Select::Key(key) = self.select else {
            return Ok(Some(self.after + 1).filter(|next| *next <= self.history.upto));
        };
        if self.found.len() == 0 {
            self.found = self.history.index.sequences(key, self.after, self.history.upto)?.into_iter();
        }
        Ok(self.found.next())
    }

    fn next_frame(&mut self, sequence: u64) -> Result<Option<Frame>, Fault> {
        let source = match &mut self.source {
            Some(source) => source,
            none => none.insert(self.history.journal.frames_from(sequence)?),
        };
        Ok(source.next_frame()?)
    }
}
