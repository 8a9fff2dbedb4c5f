//! The reading side without a network: which messages of a stream are the history.
//!
//! | the frame | is |
//! |---|---|
//! | follows the head | the next one |
//! | is of an older epoch, and begins at the head, before it or right behind it | void: a replaced writer's |
//! | is the head once more | void |
//! | is of this epoch or a newer one, and does not follow the head | damage |
//! | begins further on, or is no frame at all | damage |
//!
//! Every reader comes to the same history by these rules. Whoever takes the ledger appends a newer epoch at the very end,
//! so only a writer that was replaced can be late. Damage means that the stream lost or rewrote what it had acknowledged:
//! a reader that has read further than the stream reaches now sees a newer epoch begin too early, stops there, and says
//! where.

use crate::fault::Fault;
use crate::frame::Frame;
use crate::journal::Head;

/// What a message is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// The next frame of the history.
    Next(Frame),
    /// No part of the history, and no harm.
    Void(VoidFrame),
    /// A message that was read before.
    Known,
}

/// A frame that a losing rival left in the stream. It takes no sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VoidFrame {
    /// Where it stands in the stream.
    pub stream_sequence: u64,
    /// The epoch of the writer that lost.
    pub epoch: u64,
    /// The sequence that its first entry would have had.
    pub first_sequence: u64,
    /// How many entries it has; none of them was acknowledged.
    pub entries: u32,
}

/// Reads the messages of one stream in order.
#[derive(Clone, Debug)]
pub struct Chain {
    stream: String,
    head: Option<Head>,
    last_stream_sequence: u64,
}

impl Chain {
    /// Reads the stream of this name from its first message on. The first frame says which ledger it is.
    pub fn of(stream: impl Into<String>) -> Self {
        Self { stream: stream.into(), head: None, last_stream_sequence: 0 }
    }

    /// Goes on behind a frame whose place is known.
    pub fn after(stream: impl Into<String>, head: Head, last_stream_sequence: u64) -> Self {
        Self { stream: stream.into(), head: Some(head), last_stream_sequence }
    }

    /// The last frame of the history so far; `None` before the first.
    pub fn head(&self) -> Option<Head> {
        self.head
    }

    /// The last message read, void ones included: the next frame is published behind it.
    pub fn last_stream_sequence(&self) -> u64 {
        self.last_stream_sequence
    }

    /// Takes the next message. After a fault the chain stays where it is.
    pub fn read(&mut self, stream_sequence: u64, bytes: &[u8]) -> Result<Reading, Fault> {
        if stream_sequence <= self.last_stream_sequence {
            return Ok(Reading::Known);
        }
        let (frame, length) =
            Frame::decode(bytes).map_err(|fault| self.damaged(stream_sequence, fault.to_string()))?;
        if length != bytes.len() {
            let why = format!("found {} bytes behind the frame, wanted none", bytes.len() - length);
            return Err(self.damaged(stream_sequence, why));
        }
        self.take(stream_sequence, frame)
    }

    /// The same for a message whose bytes were read already.
    pub fn take(&mut self, stream_sequence: u64, frame: Frame) -> Result<Reading, Fault> {
        if stream_sequence <= self.last_stream_sequence {
            return Ok(Reading::Known);
        }
        let wanted = self.last_stream_sequence + 1;
        if stream_sequence != wanted {
            let why =
                format!("found stream sequence {stream_sequence}, wanted {wanted}: messages are missing");
            return Err(self.damaged(stream_sequence, why));
        }
        let head = self.head.unwrap_or_else(|| Head::empty(frame.header().ledger));
        if is_void(&frame, &head) {
            self.last_stream_sequence = stream_sequence;
            let header = frame.header();
            return Ok(Reading::Void(VoidFrame {
                stream_sequence,
                epoch: header.epoch,
                first_sequence: header.first_sequence,
                entries: header.entries,
            }));
        }
        head.check_next(&frame).map_err(|why| self.damaged(stream_sequence, why))?;
        self.last_stream_sequence = stream_sequence;
        self.head = Some(Head::after(&frame));
        Ok(Reading::Next(frame))
    }

    fn damaged(&self, stream_sequence: u64, why: String) -> Fault {
        Fault::DamagedStream { stream: self.stream.clone(), stream_sequence, why }
    }
}

fn is_void(frame: &Frame, head: &Head) -> bool {
    let header = frame.header();
    let is_late = header.first_sequence <= head.sequence + 1 && header.epoch < head.epoch;
    header.ledger == head.ledger && (is_late || frame.hash() == head.hash)
}
