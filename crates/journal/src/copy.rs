//! Copying a history between journals of any kind: the same frames, byte for byte.

use crate::fault::Fault;
use crate::frame::Frame;
use crate::journal::JournalRead;

/// How far a copy is: the last sequence copied, and the last there is.
pub type CopyProgress<'p> = &'p mut dyn FnMut(u64, u64);

/// Copies the frames of `from` behind those that `to` has, which must be the beginning of the same history. `append`
/// puts a frame into `to` and returns once it is durable. Gives the number of frames copied.
pub fn copy(
    from: &dyn JournalRead,
    to: &dyn JournalRead,
    append: &mut dyn FnMut(Frame) -> Result<(), Fault>,
    progress: CopyProgress,
) -> Result<u64, Fault> {
    let (end, copied) = (from.head(), to.head());
    if copied.sequence > 0 {
        let same = from.frame_at(copied.sequence)?.filter(|frame| frame.hash() == copied.hash);
        if same.is_none_or(|frame| frame.last_sequence() != copied.sequence) {
            let why = format!("the target holds another history up to sequence {}", copied.sequence);
            return Err(Fault::NotNext { why });
        }
    }
    let mut frames = crate::Checked::after(
        from.frames_from(copied.sequence + 1)?,
        match copied.sequence {
            0 => crate::Head::empty(end.ledger),
            _ => copied,
        },
    );
    let (mut count, mut sequence) = (0, copied.sequence);
    while sequence < end.sequence {
        let Some(frame) = crate::FrameSource::next_frame(&mut frames)? else { break };
        sequence = frame.last_sequence();
        append(frame)?;
        count += 1;
        progress(sequence, end.sequence);
    }
    Ok(count)
}
