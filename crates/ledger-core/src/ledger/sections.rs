//! The ledger in sections, one a module: what a snapshot holds, and what the state hash is made of.
//!
//! The bytes of a section are canonical: every ledger that folded the same log gives the same. They are not frozen like
//! entries are; a snapshot of another format is thrown away and the log is folded instead.

use super::{Head, Ledger};
use crate::codec::{self, CodecFault};
use crate::state::{Blocks, Stored};

/// The number of the encoding of all sections together. Any change to what a section's bytes are takes the next one.
pub const STATE_FORMAT: u16 = 2;

/// Calls a macro for the parts of the ledger in the order of their sections.
macro_rules! for_each_section {
    ($act:ident) => {
        $act! { control items locations customers channels stock orders payments shipments returns finance due remembered }
    };
}

macro_rules! section_names {
    ($($part:ident)+) => {
        /// The names of the sections, in the order of the state hash.
        pub const SECTIONS: &[&str] = &["head", $(stringify!($part)),+];
    };
}

for_each_section!(section_names);

/// The state hash: BLAKE3 over the format and the hashes of the sections, in their order.
pub fn state_root(section_hashes: &[[u8; 32]]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&STATE_FORMAT.to_le_bytes());
    for hash in section_hashes {
        hasher.update(hash);
    }
    hasher.finalize().into()
}

/// A copy of the ledger as it was at one moment, on its way.
#[derive(Debug, Clone)]
pub struct Copying {
    head: Head,
    section: usize,
}

/// What a slice of a copy came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Copied {
    /// The section goes on in the next slice.
    Part,
    /// The section is complete; the next slice begins the next one.
    Section,
    /// The last section is complete.
    All,
}

impl Ledger {
    /// The state hash: equal for every reader that folded the same log. Takes as long as the ledger is large.
    pub fn hash(&self) -> [u8; 32] {
        state_root(&self.section_hashes())
    }

    /// The hashes that it is made of, in the order of the [`SECTIONS`].
    pub fn section_hashes(&self) -> [[u8; 32]; SECTIONS.len()] {
        macro_rules! hashes {
            ($($part:ident)+) => { [codec::hash_of(&self.head), $(codec::hash_of(&self.$part)),+] };
        }
        for_each_section!(hashes)
    }

    /// Begins to copy the ledger as it is now. It may go on changing: what is overwritten before it is copied is kept
    /// until then.
    pub fn begin_copy(&mut self) -> Copying {
        macro_rules! begin {
            ($($part:ident)+) => { $(self.$part.begin_copy();)+ };
        }
        for_each_section!(begin);
        Copying { head: self.head, section: 0 }
    }

    /// Copies on, until `out` holds about `enough` bytes or a section ends. `copying` is the one that began last.
    pub fn copy_some(&mut self, copying: &mut Copying, out: &mut Vec<u8>, enough: usize) -> Copied {
        macro_rules! copy {
            ($($part:ident)+) => {{
                let parts: [&mut dyn Stored; SECTIONS.len() - 1] = [$(&mut self.$part),+];
                match copying.section.checked_sub(1) {
                    None => { codec::encode_into(&copying.head, out); true }
                    Some(part) => parts[part].copy_some(out, enough),
                }
            }};
        }
        if !for_each_section!(copy) {
            return Copied::Part;
        }
        copying.section += 1;
        if copying.section == SECTIONS.len() { Copied::All } else { Copied::Section }
    }

    /// Lets go of what was kept for a copy, whether or not all of it was taken.
    pub fn end_copy(&mut self) {
        macro_rules! end {
            ($($part:ident)+) => { $(self.$part.end_copy();)+ };
        }
        for_each_section!(end);
    }

    /// Reads a section that a copy wrote, by its place in [`SECTIONS`], in place of what the ledger has there.
    pub fn read_section(&mut self, section: usize, mut blocks: Blocks<'_>) -> Result<(), CodecFault> {
        self.record(false);
        macro_rules! read {
            ($($part:ident)+) => {{
                let parts: [&mut dyn Stored; SECTIONS.len() - 1] = [$(&mut self.$part),+];
                match section.checked_sub(1) {
                    None => self.head = blocks.take(SECTIONS[0])?,
                    Some(part) => parts[part].restore(&mut blocks)?,
                }
            }};
        }
        for_each_section!(read);
        blocks.finish(SECTIONS[section])
    }
}
