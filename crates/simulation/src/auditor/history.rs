//! Whether the journal holds exactly the entries that it must, in order.

use journal::{Checked, Fault, FrameSource, Head, JournalRead};
use ledger_core::Entry;
use ledger_core::values::Text;

use super::{Auditor, evidence};
use crate::Violation;

impl Auditor {
    /// Reads the whole journal: a run of the accepted entries from the first one, each exactly as it was decided.
    /// Gives how many there are, or what the journal finds damaged. Whether acknowledged ones are missing at the end
    /// is for the caller to judge.
    pub(crate) fn check_history(&self, journal: &dyn JournalRead) -> Result<Result<u64, Fault>, Violation> {
        let mut frames = match journal.frames_from(1) {
            Ok(frames) => Checked::after(frames, Head::empty(journal.head().ledger)),
            Err(fault) => return Ok(Err(fault)),
        };
        let mut head = Head::empty(journal.head().ledger);
        loop {
            let frame = match frames.next_frame() {
                Ok(Some(frame)) => frame,
                Ok(None) if head == journal.head() => return Ok(Ok(head.sequence)),
                Ok(None) => {
                    let said = journal.head();
                    return Err(format!("the frames end with {head:?}, the journal says {said:?}").into());
                }
                Err(fault) => return Ok(Err(fault)),
            };
            let mut next_event = head.event + 1;
            for (sequence, first_event, bytes) in frame.entries() {
                let entry = Entry::decode(bytes).map_err(|fault| Violation(fault.to_string()))?;
                self.check_entry(sequence, &entry, frame.header().log_time_us)?;
                if first_event != next_event {
                    let what = format!("sequence {sequence}: first event {first_event}, wanted {next_event}");
                    return Err(what.into());
                }
                next_event += u64::from(entry.event_count());
            }
            head = Head::after(&frame);
        }
    }

    fn check_entry(&self, sequence: u64, entry: &Entry, log_time: i64) -> Result<(), Violation> {
        let at = usize::try_from(sequence - 1).expect("a log fits memory");
        let Some(wanted) = self.log.get(at) else {
            return Err(format!("sequence {sequence} was never accepted: {entry:?}").into());
        };
        let ids = entry.commands.iter().map(|decided| decided.submitted.id.as_str());
        let same = ids.eq(wanted.ids.iter().map(String::as_str))
            && log_time == wanted.log_time
            && evidence::facts_of(entry) == wanted.facts;
        match same {
            true => Ok(()),
            false => {
                Err(format!("sequence {sequence} at {log_time}: wanted {wanted:?}\nfound {entry:?}").into())
            }
        }
    }
}
