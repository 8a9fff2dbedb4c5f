//! A frame source that trusts nobody: every frame must follow the one before it.

use std::path::PathBuf;

use crate::fault::Fault;
use crate::frame::Frame;
use crate::journal::{FrameSource, Head};

/// Checks the chain over any source: ledger, sequence, previous hash, event ordinals, epoch, log time.
/// In a file every mismatch is damage. After a fault it repeats `None` rather than go on behind a gap.
pub struct Checked<S> {
    source: S,
    head: Head,
    broken: bool,
}

impl<S: FrameSource> Checked<S> {
    /// The first frame must follow `head`, for instance [`Head::empty`].
    pub fn after(source: S, head: Head) -> Self {
        Self { source, head, broken: false }
    }

    /// Place of the last frame that passed.
    pub fn head(&self) -> Head {
        self.head
    }
}

impl<S: FrameSource> FrameSource for Checked<S> {
    fn next_frame(&mut self) -> Result<Option<Frame>, Fault> {
        if self.broken {
            return Ok(None);
        }
        let frame = match self.source.next_frame() {
            Ok(Some(frame)) => frame,
            Ok(None) => return Ok(None),
            Err(fault) => {
                self.broken = true;
                return Err(fault);
            }
        };
        if let Err(why) = self.head.check_next(&frame) {
            self.broken = true;
            let (path, offset) = self.source.place();
            return Err(Fault::Corrupt { path, offset, why });
        }
        self.head = Head::after(&frame);
        Ok(Some(frame))
    }

    fn place(&self) -> (PathBuf, u64) {
        self.source.place()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::tests::frame_after;

    const LEDGER: [u8; 16] = [7; 16];

    struct Listed(std::vec::IntoIter<Frame>);

    impl FrameSource for Listed {
        fn next_frame(&mut self) -> Result<Option<Frame>, Fault> {
            Ok(self.0.next())
        }
    }

    fn read(frames: Vec<Frame>) -> Result<usize, Fault> {
        let mut source = Checked::after(Listed(frames.into_iter()), Head::empty(LEDGER));
        let mut count = 0;
        while source.next_frame()?.is_some() {
            count += 1;
        }
        Ok(count)
    }

    fn chain() -> Vec<Frame> {
        let mut head = Head::empty(LEDGER);
        (1..5u32)
            .map(|n| {
                let frame = frame_after(&head, &[(b"entry", n), (b"another", 0)]);
                head = Head::after(&frame);
                frame
            })
            .collect()
    }

    #[test]
    fn a_whole_chain_passes() {
        assert_eq!(read(chain()).unwrap(), 4);
    }

    #[test]
    fn a_missing_frame_is_damage() {
        let mut frames = chain();
        frames.remove(1);
        let fault = read(frames).unwrap_err().to_string();
        assert!(fault.contains("found first sequence 5, wanted 3"), "{fault}");
    }

    #[test]
    fn a_rewritten_frame_is_damage_at_its_successor() {
        let mut frames = chain();
        frames[1] = frame_after(&Head::after(&frames[0]), &[(b"forged", 2), (b"another", 0)]);
        let fault = read(frames).unwrap_err().to_string();
        assert!(fault.contains("another previous frame"), "{fault}");
    }

    #[test]
    fn a_falling_epoch_log_time_or_ordinal_is_damage() {
        let first = chain().remove(0);
        let head = Head::after(&first);
        for (wrong, word) in [
            (Head { event: head.event + 1, ..head }, "first event"),
            (Head { epoch: head.epoch - 1, ..head }, "epoch fell"),
            (Head { log_time_us: head.log_time_us - 2, ..head }, "log time fell"),
            (Head { ledger: [8; 16], ..head }, "another ledger"),
        ] {
            let fault = read(vec![first.clone(), frame_after(&wrong, &[(b"x", 1)])]).unwrap_err().to_string();
            assert!(fault.contains(word), "{fault}");
        }
    }
}
