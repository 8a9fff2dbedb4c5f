//! Frames one after the other in a stream of bytes: how a history travels to another machine.

use std::io::{ErrorKind, Read};
use std::path::PathBuf;

use crate::fault::Fault;
use crate::frame::{FRAME_BYTES_MAX, Frame, FrameFault};
use crate::journal::FrameSource;

/// How much is read at a time, in bytes.
const PIECE_BYTES: usize = 256 * 1024;

/// Reads frames from a stream of bytes that ends where a frame ends. Each frame is checked whole; that it follows the
/// one before it is for [`Checked`](crate::Checked) to see.
pub struct FrameStream<R> {
    source: R,
    name: PathBuf,
    /// What was read; frames before `at` were given out.
    bytes: Vec<u8>,
    at: usize,
    /// Bytes of the stream before those.
    passed: u64,
    last: u64,
}

impl<R: Read> FrameStream<R> {
    /// Frames from here; `name` is what to call the stream in messages.
    pub fn new(source: R, name: impl Into<PathBuf>) -> Self {
        FrameStream { source, name: name.into(), bytes: Vec::new(), at: 0, passed: 0, last: 0 }
    }

    /// Reads on; false at the end of the stream.
    fn read_more(&mut self) -> Result<bool, Fault> {
        self.bytes.drain(..self.at);
        self.passed += self.at as u64;
        self.at = 0;
        let held = self.bytes.len();
        self.bytes.resize(held + PIECE_BYTES, 0);
        loop {
            match self.source.read(&mut self.bytes[held..]) {
                Ok(count) => {
                    self.bytes.truncate(held + count);
                    return Ok(count > 0);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    self.bytes.truncate(held);
                    return Err(Fault::io(&self.name)(error));
                }
            }
        }
    }
}

impl<R: Read + Send> FrameSource for FrameStream<R> {
    fn next_frame(&mut self) -> Result<Option<Frame>, Fault> {
        loop {
            let rest = &self.bytes[self.at..];
            let offset = self.passed + self.at as u64;
            let why = match Frame::decode(rest) {
                Ok((frame, len)) => {
                    self.last = offset;
                    self.at += len;
                    return Ok(Some(frame));
                }
                Err(why) => why,
            };
            // Fewer bytes than a magic has are no frame either, as far as they can be told.
            let may_grow = matches!(why, FrameFault::Short { .. }) || rest.len() < 8;
            if !may_grow || rest.len() > FRAME_BYTES_MAX {
                return Err(Fault::corrupt(&self.name, offset, why.to_string()));
            }
            let is_between = rest.is_empty();
            if !self.read_more()? {
                return match is_between {
                    true => Ok(None),
                    false => Err(Fault::corrupt(&self.name, offset, format!("the stream ends early: {why}"))),
                };
            }
        }
    }

    fn place(&self) -> (PathBuf, u64) {
        (self.name.clone(), self.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::FrameBuilder;
    use crate::journal::Head;

    /// Gives out a few bytes at a time.
    struct Drops<'b>(&'b [u8], usize);

    impl Read for Drops<'_> {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            let count = self.1.min(self.0.len()).min(into.len());
            into[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn chain() -> Vec<Frame> {
        let mut head = Head::empty([7; 16]);
        let mut frames = Vec::new();
        for number in 1..=5_u8 {
            let mut frame = FrameBuilder::open([7; 16], 1, head.sequence + 1, head.event + 1, 1, head.hash);
            frame.push(&vec![number; usize::from(number) * 3_000], 1);
            let frame = frame.seal();
            head = Head::after(&frame);
            frames.push(frame);
        }
        frames
    }

    fn bytes(frames: &[Frame]) -> Vec<u8> {
        frames.iter().flat_map(|frame| frame.bytes().to_vec()).collect()
    }

    fn read(bytes: &[u8], drop: usize) -> Result<Vec<u64>, Fault> {
        let mut stream = FrameStream::new(Drops(bytes, drop), "the wire");
        let mut found = Vec::new();
        while let Some(frame) = stream.next_frame()? {
            found.push(frame.last_sequence());
        }
        Ok(found)
    }

    #[test]
    fn frames_come_out_as_they_went_in_however_the_bytes_arrive() {
        let bytes = bytes(&chain());
        for drop in [1, 7, 1_000, 1_000_000] {
            assert_eq!(read(&bytes, drop).unwrap(), [1, 2, 3, 4, 5]);
        }
        assert_eq!(read(&[], 1).unwrap(), Vec::<u64>::new());
    }

    #[test]
    fn a_stream_that_is_cut_or_damaged_says_where() {
        let frames = chain();
        let whole = bytes(&frames);
        let last = whole.len() - frames[4].bytes().len();
        for cut in [whole.len() - 1, last + 3] {
            let fault = read(&whole[..cut], 1_000).unwrap_err().to_string();
            assert!(fault.contains("the wire") && fault.contains(&format!("byte {last}")), "{fault}");
        }
        let mut damaged = whole.clone();
        damaged[last + 200] ^= 1;
        assert!(read(&damaged, 1_000).unwrap_err().to_string().contains(&format!("byte {last}")));
        assert!(read(b"no frames at all", 3).is_err());
    }
}
