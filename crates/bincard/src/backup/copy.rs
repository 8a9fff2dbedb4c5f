//! Frames of a source, appended to a copy: each is checked, follows the one before it, and is on the disk.

use std::path::Path;

use journal::{FileJournal, FrameSource, Head, Lock, Options, RealDisk};

use super::{BackupFault, Source};

/// What was copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// Where the copy ended before.
    pub from: u64,
    /// Where it ends now.
    pub head: Head,
    /// Bytes of frames that came with it.
    pub bytes: u64,
}

/// Brings the copy in this folder up to the source. `progress` is told of every frame's last entry.
pub fn copy(source: &Source, dir: &Path, progress: &mut dyn FnMut(u64)) -> Result<Copied, BackupFault> {
    let _lock = Lock::exclusive(dir, "a backup into this folder")?;
    let mut from = 0;
    let (copy, mut frames) = match FileJournal::open(RealDisk, dir, &[], Options::default()) {
        Ok((copy, _)) => {
            from = copy.head().sequence;
            let frames = frames_behind(source, dir, copy.head())?;
            (Some(copy), frames)
        }
        Err(journal::Fault::Missing { .. }) => (None, source.frames_from(1)?),
        Err(fault) => return Err(fault.into()),
    };
    let mut bytes = 0;
    let mut copy = match copy {
        Some(copy) => copy,
        None => {
            let Some(first) = frames.next_frame()? else {
                return Err(BackupFault::Empty { from: source.name() });
            };
            let mut copy = FileJournal::create(RealDisk, dir, first.header().ledger, Options::default())?;
            copy.append(&first)?;
            bytes += first.bytes().len() as u64;
            progress(first.last_sequence());
            copy
        }
    };
    while let Some(frame) = frames.next_frame()? {
        copy.append(&frame)?;
        bytes += frame.bytes().len() as u64;
        progress(frame.last_sequence());
    }
    let head = copy.head();
    copy.close()?;
    Ok(Copied { from, head, bytes })
}

/// The frames behind the copy's last one, which the source has too.
fn frames_behind(source: &Source, dir: &Path, head: Head) -> Result<Box<dyn FrameSource>, BackupFault> {
    if head.sequence == 0 {
        return source.frames_from(1);
    }
    let mut frames = source.frames_from(head.sequence)?;
    match frames.next_frame()? {
        Some(last) if last.hash() == head.hash => Ok(frames),
        Some(_) | None => {
            Err(BackupFault::Diverged { dir: dir.to_owned(), sequence: head.sequence, from: source.name() })
        }
    }
}
