//! The traits that a writer and the readers of a history see, whatever keeps the history.

use std::path::PathBuf;
use std::sync::Arc;

use crate::fault::Fault;
use crate::frame::{Frame, FrameHash, chain_start};

/// Where a writer puts frames. Sans async: `submit` hands a frame over, `poll` tells its fate when it is known.
pub trait Journal {
    /// Hands over the next frame. Outcomes come in the order of submission.
    fn submit(&mut self, frame: Frame);

    /// The next outcome that is known, if any. Does not wait.
    fn poll(&mut self) -> Option<Outcome>;
}

/// The fate of a submitted frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The frame, and everything before it, survives a crash. Replies may leave.
    Durable {
        /// Number of the frame's last entry.
        last_sequence: u64,
    },
    /// Certainly not part of the history.
    Refused {
        /// What was found and what was wanted.
        why: String,
    },
    /// Nobody can tell without reading the journal again: the writer must stop.
    Unknown {
        /// The failure.
        why: String,
    },
}

/// Readers' side of a journal: only durable frames are visible.
pub trait JournalRead: Send + Sync {
    /// The last durable frame's place.
    fn head(&self) -> Head;

    /// The frame that holds this sequence; `None` for 0 and beyond the head.
    fn frame_at(&self, sequence: u64) -> Result<Option<Frame>, Fault>;

    /// Frames in order, beginning with the one that holds `sequence` (0 reads as 1). At the head the source
    /// answers `None`, and goes on later when more frames are durable.
    fn frames_from(&self, sequence: u64) -> Result<Box<dyn FrameSource>, Fault>;
}

impl<J: Journal + ?Sized> Journal for Box<J> {
    fn submit(&mut self, frame: Frame) {
        (**self).submit(frame);
    }

    fn poll(&mut self) -> Option<Outcome> {
        (**self).poll()
    }
}

impl<J: JournalRead + ?Sized> JournalRead for Arc<J> {
    fn head(&self) -> Head {
        (**self).head()
    }

    fn frame_at(&self, sequence: u64) -> Result<Option<Frame>, Fault> {
        (**self).frame_at(sequence)
    }

    fn frames_from(&self, sequence: u64) -> Result<Box<dyn FrameSource>, Fault> {
        (**self).frames_from(sequence)
    }
}

/// Frames in order.
pub trait FrameSource: Send {
    /// The next frame, or `None` at the present end.
    fn next_frame(&mut self) -> Result<Option<Frame>, Fault>;

    /// File (or stream) and byte offset of the frame last returned, for messages.
    fn place(&self) -> (PathBuf, u64) {
        (PathBuf::from("journal"), 0)
    }
}

impl<S: FrameSource + ?Sized> FrameSource for Box<S> {
    fn next_frame(&mut self) -> Result<Option<Frame>, Fault> {
        (**self).next_frame()
    }

    fn place(&self) -> (PathBuf, u64) {
        (**self).place()
    }
}

/// The end of a journal: what the next frame has to follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Number of the last entry; 0 in an empty journal.
    pub sequence: u64,
    /// Ordinal of the last event; 0 in an empty journal.
    pub event: u64,
    /// Hash of the last frame; [`chain_start`] in an empty journal.
    pub hash: FrameHash,
    /// Epoch of the last frame; 0 in an empty journal.
    pub epoch: u64,
    /// Log time of the last frame, microseconds UTC; `i64::MIN` in an empty journal.
    pub log_time_us: i64,
    /// Uuid of the ledger.
    pub ledger: [u8; 16],
}

impl Head {
    /// The head of a journal without frames.
    pub fn empty(ledger: [u8; 16]) -> Head {
        Head { sequence: 0, event: 0, hash: chain_start(ledger), epoch: 0, log_time_us: i64::MIN, ledger }
    }

    /// The head once this frame is durable.
    pub fn after(frame: &Frame) -> Head {
        let header = frame.header();
        Head {
            sequence: frame.last_sequence(),
            event: frame.last_event(),
            hash: frame.hash(),
            epoch: header.epoch,
            log_time_us: header.log_time_us,
            ledger: header.ledger,
        }
    }

    /// Whether the frame may follow this head; if not, what was found and what was wanted.
    pub fn check_next(&self, frame: &Frame) -> Result<(), String> {
        let found = frame.header();
        let (sequence, event) = (self.sequence + 1, self.event + 1);
        if found.ledger != self.ledger {
            return Err(format!("a frame of another ledger at sequence {sequence}"));
        }
        if found.first_sequence != sequence {
            return Err(format!("found first sequence {}, wanted {sequence}", found.first_sequence));
        }
        if found.previous != self.hash {
            return Err(format!(
                "the frame of sequence {sequence} names another previous frame than the one before it"
            ));
        }
        if found.first_event != event {
            return Err(format!(
                "sequence {sequence}: found first event {}, wanted {event}",
                found.first_event
            ));
        }
        if found.epoch < self.epoch {
            return Err(format!("sequence {sequence}: epoch fell from {} to {}", self.epoch, found.epoch));
        }
        if found.log_time_us < self.log_time_us {
            return Err(format!(
                "sequence {sequence}: log time fell from {} to {} µs",
                self.log_time_us, found.log_time_us
            ));
        }
        Ok(())
    }
}

/// Proof, kept outside the journal, that a frame was durable once. A journal that no longer has it is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Witness {
    /// An entry's number; 0 proves nothing but the ledger.
    pub sequence: u64,
    /// Hash of the frame that holds the entry.
    pub hash: FrameHash,
}
