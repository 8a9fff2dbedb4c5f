//! Entries to durable, hash-chained frames and back.
//!
//! An *entry* is a run of bytes that this crate never looks into. Entries accepted together travel in one
//! *frame*, the unit of durability; each frame names the hash of the one before it, so a history cannot be
//! changed in the middle without every later hash saying so. The journal numbers entries (the *sequence*) and
//! events (the *ordinal*) from 1, without gaps.
//!
//! | to do this | look at |
//! |---|---|
//! | see the bytes of a frame | [`frame`] |
//! | append frames and learn their fate | [`Journal`] |
//! | read durable frames | [`JournalRead`], [`FrameSource`], [`Checked`] |
//! | find the entry of an event by its ordinal | [`entry_of_event`] |
//! | keep a journal in files | [`FileJournal`], [`JournalThread`], [`Lock`] |
//! | read the files of a stopped service | [`OfflineJournal`] |
//! | copy finished files away | [`sealed_segments`] |
//! | keep a journal in a JetStream stream | [`jetstream`] |
//! | read frames off a wire | [`FrameStream`] |
//! | keep a journal in memory | [`MemoryJournal`] |
//! | move a history from one kind of journal to another | [`copy`] |
//! | make a disk that fails on purpose | [`SimDisk`] |

mod byte_stream;
mod checked;
mod copy;
mod disk;
mod event_place;
mod fault;
mod file;
pub mod frame;
pub mod jetstream;
mod journal;
mod memory;
mod sim_disk;

pub use byte_stream::FrameStream;
pub use checked::Checked;
pub use copy::{CopyProgress, copy};
pub use disk::{Disk, DiskFile, RealDisk};
pub use event_place::entry_of_event;
pub use fault::Fault;
pub use file::{
    FileJournal, FileReader, JournalThread, Lock, OfflineJournal, Options, Recovery, Scrubber, SealedSegment,
    SegmentChecked, Space, Spare, SpareOrder, TornTail, Wake, sealed_segments,
};
pub use frame::{
    ENTRY_BYTES_MAX, FRAME_BYTES_MAX, FRAME_CLOSE_BYTES, Frame, FrameBuilder, FrameFault, FrameHash,
    FrameHeader, chain_start,
};
pub use journal::{FrameSource, Head, Journal, JournalRead, Outcome, Witness};
pub use memory::{MemoryJournal, MemoryReader};
pub use sim_disk::{SimDisk, SimFile, Trouble};
