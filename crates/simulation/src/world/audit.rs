//! What is compared after a start, now and then, and in the end.

use std::path::Path;

use journal::{Fault, JournalRead, OfflineJournal};

use super::World;
use super::happenings::Happening;
use super::process::{DIR, Process};
use crate::auditor::agrees_with;
use crate::{Report, Violation};

impl World {
    /// What a process found is the run of entries that it must be.
    pub(super) fn check_recovered(&self, process: &Process, recovered: u64) -> Result<(), Violation> {
        let found = self.auditor.check_history(&process.journal.reader())?;
        if found != recovered {
            return Err(format!("{found} entries can be read, the head is {recovered}").into());
        }
        if recovered < self.auditor.acknowledged() {
            let acknowledged = self.auditor.acknowledged();
            return Err(format!(
                "sequence {acknowledged} was acknowledged, the journal ends with {recovered}"
            )
            .into());
        }
        Ok(())
    }

    /// Everything that must agree does.
    pub(super) fn audit(&mut self) -> Result<(), Violation> {
        let Some(process) = &mut self.process else { return Ok(()) };
        process
            .fold_views()
            .map_err(|fault| Violation(format!("what is durable cannot be read: {fault}")))?;
        agrees_with(self.auditor.shop(), process.writer.ledger())?;
        let process = self.process.as_ref().expect("it is there");
        self.check_recovered(process, process.journal.head().sequence)?;
        if process.writer.is_settled() && !process.stopped {
            process.check_folds_agree()?;
        }
        Ok(())
    }

    /// The last life ends cleanly, what waits is made durable, and the history is verified from its files alone.
    pub(super) fn close(mut self) -> Result<Report, Violation> {
        self.kept.disk.limit_bytes(None);
        self.faults.end();
        let power = self.rng.bool();
        self.dies(power);
        loop {
            let (moment, what) =
                self.happenings.next().ok_or_else(|| Violation("the last start is due".into()))?;
            self.now = moment;
            if let Happening::Starts | Happening::FrameDue { .. } = what {
                self.happens(what)?;
            }
            if self.process.as_ref().is_some_and(|process| process.serving && process.writer.is_settled()) {
                break;
            }
        }
        self.audit()?;
        if self.auditor.waiting() > 0 {
            return Err(format!("{} answers never came", self.auditor.waiting()).into());
        }
        let process = self.process.take().expect("it was just audited");
        let head = process.journal.head();
        process.journal.close().map_err(|fault| Violation(fault.to_string()))?;
        self.check_files(head.sequence)?;
        self.digest.update(&head.hash).update(&self.kept.disk.steps().to_le_bytes());
        Ok(Report {
            digest: self.digest.finalize().to_hex()[..16].to_owned(),
            answers: self.answers,
            accepted: self.accepted,
            entries: head.sequence,
            deaths: self.life - 1,
        })
    }

    fn check_files(&self, sequence: u64) -> Result<(), Violation> {
        let failed =
            |fault: Fault| Violation(format!("seed {}: the files cannot be read: {fault}", self.seed));
        let offline = OfflineJournal::open_on(self.kept.disk.clone(), Path::new(DIR), &[]).map_err(failed)?;
        let mut scrub = offline.scrub();
        while scrub.next_segment().map_err(failed)?.is_some() {}
        let verified = replay::verify(&offline, &mut |_| {}).map_err(|fault| Violation(fault.to_string()))?;
        match verified.is_green() && verified.sequence == sequence && offline.head().sequence == sequence {
            true => Ok(()),
            false => {
                Err(format!("verify finds {verified:?}, wanted {sequence} entries and no difference").into())
            }
        }
    }
}
