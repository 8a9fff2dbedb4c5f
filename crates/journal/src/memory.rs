//! A journal in memory, for tests, simulations and dry runs.

use std::collections::VecDeque;
use std::sync::{Arc, RwLock, RwLockReadGuard};

use crate::fault::Fault;
use crate::frame::Frame;
use crate::journal::{FrameSource, Head, Journal, JournalRead, Outcome};

const POISON: &str = "no code panics while it holds the frames";

/// Keeps frames as long as it, or a reader of it, lives. A frame is durable at the poll after its submission.
pub struct MemoryJournal {
    kept: Arc<RwLock<Kept>>,
    submitted: VecDeque<Frame>,
}

/// Reads a [`MemoryJournal`] while it grows. Cheap to clone.
#[derive(Clone)]
pub struct MemoryReader(Arc<RwLock<Kept>>);

struct Kept {
    frames: Vec<Frame>,
    head: Head,
}

impl MemoryJournal {
    /// An empty journal of this ledger.
    pub fn new(ledger: [u8; 16]) -> Self {
        let kept = Kept { frames: Vec::new(), head: Head::empty(ledger) };
        Self { kept: Arc::new(RwLock::new(kept)), submitted: VecDeque::new() }
    }

    /// A handle that sees durable frames.
    pub fn reader(&self) -> MemoryReader {
        MemoryReader(Arc::clone(&self.kept))
    }
}

impl Journal for MemoryJournal {
    fn submit(&mut self, frame: Frame) {
        self.submitted.push_back(frame);
    }

    fn poll(&mut self) -> Option<Outcome> {
        let frame = self.submitted.pop_front()?;
        let mut kept = self.kept.write().expect(POISON);
        if let Err(why) = kept.head.check_next(&frame) {
            return Some(Outcome::Refused { why });
        }
        kept.head = Head::after(&frame);
        kept.frames.push(frame);
        Some(Outcome::Durable { last_sequence: kept.head.sequence })
    }
}

impl MemoryReader {
    fn kept(&self) -> RwLockReadGuard<'_, Kept> {
        self.0.read().expect(POISON)
    }
}

impl JournalRead for MemoryReader {
    fn head(&self) -> Head {
        self.kept().head
    }

    fn frame_at(&self, sequence: u64) -> Result<Option<Frame>, Fault> {
        let kept = self.kept();
        let index = kept.frames.partition_point(|frame| frame.last_sequence() < sequence);
        Ok(kept.frames.get(index).filter(|frame| frame.holds(sequence)).cloned())
    }

    fn frames_from(&self, sequence: u64) -> Result<Box<dyn FrameSource>, Fault> {
        Ok(Box::new(MemorySource { reader: self.clone(), next_sequence: sequence.max(1) }))
    }
}

struct MemorySource {
    reader: MemoryReader,
    next_sequence: u64,
}

impl FrameSource for MemorySource {
    fn next_frame(&mut self) -> Result<Option<Frame>, Fault> {
        let frame = self.reader.frame_at(self.next_sequence)?;
        if let Some(frame) = &frame {
            self.next_sequence = frame.last_sequence() + 1;
        }
        Ok(frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::tests::frame_after;

    #[test]
    fn a_frame_is_visible_once_it_is_durable() {
        let mut journal = MemoryJournal::new([1; 16]);
        let reader = journal.reader();
        let mut tail = reader.frames_from(1).unwrap();
        let frame = frame_after(&reader.head(), &[(b"one", 1), (b"two", 2)]);

        journal.submit(frame.clone());
        assert_eq!(reader.head().sequence, 0);
        assert_eq!(tail.next_frame().unwrap(), None);

        assert_eq!(journal.poll(), Some(Outcome::Durable { last_sequence: 2 }));
        assert_eq!(reader.head(), Head::after(&frame));
        assert_eq!(tail.next_frame().unwrap(), Some(frame.clone()));
        assert_eq!(reader.frame_at(2).unwrap(), Some(frame));
        assert_eq!((reader.frame_at(0).unwrap(), reader.frame_at(3).unwrap()), (None, None));
        assert_eq!(journal.poll(), None);
    }

    #[test]
    fn a_frame_that_does_not_follow_is_refused() {
        let mut journal = MemoryJournal::new([1; 16]);
        let frame = frame_after(&journal.reader().head(), &[(b"one", 1)]);
        journal.submit(frame.clone());
        journal.submit(frame);
        assert!(matches!(journal.poll(), Some(Outcome::Durable { .. })));
        assert!(matches!(journal.poll(), Some(Outcome::Refused { .. })));
    }
}
