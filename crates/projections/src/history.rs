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

/// Which way through the log.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Way {
    /// From the oldest, behind an entry.
    Up {
        /// Its sequence; 0 to begin with the first.
        after: u64,
    },
    /// From the newest, before an entry.
    Down {
        /// Its sequence; one more than the last to begin with the last.
        before: u64,
    },
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
        self.walk(select, Way::Up { after })
    }

    /// Entries in the order of the log, or against it.
    pub(crate) fn walk(&self, select: Select, way: Way) -> Entries<'p> {
        Entries { history: *self, select, way, found: Vec::new().into_iter(), frame: None, source: None }
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

/// Entries one after the other.
pub(crate) struct Entries<'p> {
    history: History<'p>,
    select: Select,
    way: Way,
    found: std::vec::IntoIter<u64>,
    /// The frame last read: neighbours are often in it.
    frame: Option<Frame>,
    source: Option<Box<dyn FrameSource>>,
}

impl Entries<'_> {
    /// The next entry, or `None` after the last.
    pub(crate) fn next(&mut self) -> Result<Option<Recorded>, Fault> {
        let Some(sequence) = self.next_sequence()? else { return Ok(None) };
        self.way = match self.way {
            Way::Up { .. } => Way::Up { after: sequence },
            Way::Down { .. } => Way::Down { before: sequence },
        };
        if let Some(frame) = &self.frame
            && let Some(recorded) = Recorded::read(frame, sequence)?
        {
            return Ok(Some(recorded));
        }
        self.frame = match (self.select, self.way) {
            (Select::All, Way::Up { .. }) => self.next_frame(sequence)?,
            (Select::Key(_), _) | (_, Way::Down { .. }) => self.history.journal.frame_at(sequence)?,
        };
        let frame = self.frame.as_ref().ok_or(Fault::Missing { sequence })?;
        Recorded::read(frame, sequence)?.ok_or(Fault::Missing { sequence }).map(Some)
    }

    fn next_sequence(&mut self) -> Result<Option<u64>, Fault> {
        let upto = self.history.upto;
        match (self.select, self.way) {
            (Select::All, Way::Up { after }) => return Ok(Some(after + 1).filter(|next| *next <= upto)),
            (Select::All, Way::Down { before }) => {
                return Ok(before.min(upto + 1).checked_sub(1).filter(|next| *next > 0));
            }
            (Select::Key(_), _) if self.found.len() > 0 => {}
            (Select::Key(key), Way::Up { after }) => {
                self.found = self.history.index.sequences(key, after, upto)?.into_iter();
            }
            (Select::Key(key), Way::Down { before }) => {
                self.found = self.history.index.sequences_before(key, before.min(upto + 1))?.into_iter();
            }
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
