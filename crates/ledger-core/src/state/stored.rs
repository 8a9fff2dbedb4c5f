//! State that is written down as it was at one moment while it goes on changing, and that is read back.
//!
//! ```text
//!   begin_copy ──► copy_some ──► copy_some ──► … true ──► end_copy
//!        │              ▲ between two calls the state may change: what is overwritten and not yet
//!        ▼              │ written is kept as it was
//!   the moment          what is written is as of the moment
//! ```
//!
//! All slices of a copy together are exactly what [`bincode::Encode`] gives of the state as it was: one encoding, so
//! one hash.

use bincode::Decode;

use crate::codec::{self, CodecFault};

/// State that can be copied in slices, and read back.
pub trait Stored {
    /// The moment to be written down. Not while an entry is being built.
    fn begin_copy(&mut self);

    /// Appends what follows, until `out` holds `enough` bytes or a little more; true once all is written.
    fn copy_some(&mut self, out: &mut Vec<u8>, enough: usize) -> bool;

    /// What was kept for the copy is let go, whether or not all of it was written.
    fn end_copy(&mut self);

    /// Becomes what a copy wrote. Bytes that no copy writes are an error.
    fn restore(&mut self, blocks: &mut Blocks<'_>) -> Result<(), CodecFault>;
}

/// Hands over the next block of a section, in place of the one before; false after the last.
pub type NextBlock<'s> = dyn FnMut(&mut Vec<u8>) -> Result<bool, CodecFault> + 's;

/// The bytes of a section as they come, block by block. Nothing that is read in one go straddles two blocks.
pub struct Blocks<'s> {
    next: &'s mut NextBlock<'s>,
    block: Vec<u8>,
    read: usize,
}

impl<'s> Blocks<'s> {
    /// The blocks that `next` hands over.
    pub fn new(next: &'s mut NextBlock<'s>) -> Self {
        Blocks { next, block: Vec::new(), read: 0 }
    }

    /// Reads a value.
    pub fn take<T: Decode<()>>(&mut self, what: &'static str) -> Result<T, CodecFault> {
        while self.read == self.block.len() {
            self.read = 0;
            self.block.clear();
            if !(self.next)(&mut self.block)? {
                return Err(CodecFault::Malformed { what, why: "it ends in the middle".to_owned() });
            }
        }
        let mut left = &self.block[self.read..];
        let value = codec::decode_row(&mut left, what)?;
        self.read = self.block.len() - left.len();
        Ok(value)
    }

    /// An error unless everything was read.
    pub fn finish(mut self, what: &'static str) -> Result<(), CodecFault> {
        let mut left = self.block.len() - self.read;
        self.block.clear();
        while left == 0 && (self.next)(&mut self.block)? {
            left = self.block.len();
        }
        if left == 0 { Ok(()) } else { Err(CodecFault::TrailingBytes { what, left }) }
    }
}

pub(super) fn malformed(what: &'static str, why: impl Into<String>) -> CodecFault {
    CodecFault::Malformed { what, why: why.into() }
}
