//! Where an event stands: journals are read by sequence, public readers count events.

use crate::fault::Fault;
use crate::journal::JournalRead;

/// The sequence of the entry that holds the event of this ordinal; `None` for 0 and for events beyond the head.
pub fn entry_of_event(journal: &dyn JournalRead, ordinal: u64) -> Result<Option<u64>, Fault> {
    let head = journal.head();
    if !(1..=head.event).contains(&ordinal) {
        return Ok(None);
    }
    // Invariant: the entry is one of low..=high. Ordinals never fall along a journal.
    let (mut low, mut high) = (1, head.sequence);
    while low <= high {
        let Some(frame) = journal.frame_at(low + (high - low) / 2)? else { return Ok(None) };
        if ordinal < frame.header().first_event {
            high = frame.header().first_sequence - 1;
        } else if ordinal > frame.last_event() {
            low = frame.last_sequence() + 1;
        } else {
            // Entries without events name the ordinal of the next one, so the last that does is the holder.
            let named = frame.entries().take_while(|(_, first_event, _)| *first_event <= ordinal);
            return Ok(named.last().map(|(sequence, ..)| sequence));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::tests::frame_after;
    use crate::journal::Journal;
    use crate::memory::MemoryJournal;

    #[test]
    fn every_event_is_found_among_frames_and_entries_without_events() {
        let mut journal = MemoryJournal::new([3; 16]);
        let reader = journal.reader();
        let mut holders = Vec::new();
        let shapes: [&[u32]; 7] = [&[2], &[0], &[0, 3, 0], &[1, 0, 1], &[0, 0], &[5], &[1]];
        for events in shapes {
            let head = reader.head();
            for (sequence, count) in (head.sequence + 1..).zip(events) {
                holders.extend((0..*count).map(|_| sequence));
            }
            let entries: Vec<(&[u8], u32)> = events.iter().map(|count| (&b"entry"[..], *count)).collect();
            journal.submit(frame_after(&head, &entries));
            journal.poll();
        }
        for (ordinal, holder) in (1..).zip(&holders) {
            assert_eq!(entry_of_event(&reader, ordinal).unwrap(), Some(*holder), "event {ordinal}");
        }
        assert_eq!(entry_of_event(&reader, 0).unwrap(), None);
        assert_eq!(entry_of_event(&reader, holders.len() as u64 + 1).unwrap(), None);
        assert_eq!(reader.head().event, holders.len() as u64);
    }
}
