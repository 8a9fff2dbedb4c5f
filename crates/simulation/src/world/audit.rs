//! What is compared after a start, now and then, and in the end.

use std::path::Path;

use journal::{Fault, JournalRead, OfflineJournal};

use super::World;
use super::happenings::Happening;
use super::process::{DIR, Process};
use crate::auditor::agrees_with;
use crate::feed::Feed;
use crate::{Report, Snapshots, Violation};

impl World {
    /// What a process found is the run of entries that it must be; false if it finds its files damaged.
    pub(super) fn check_recovered(
        &mut self,
        process: &Process,
        recovered: u64,
        witnessed: u64,
    ) -> Result<bool, Violation> {
        let found = match self.auditor.check_history(&process.journal.reader())? {
            Ok(found) => found,
            Err(fault) => {
                self.damage_is_found(&fault)?;
                return Ok(false);
            }
        };
        if found != recovered {
            return Err(format!("{found} entries can be read, the head is {recovered}").into());
        }
        let doubt = self.doubt.clone();
        if self.judge_loss(recovered, witnessed, doubt.as_ref())? {
            self.tell(|| format!("acknowledged entries behind {recovered} are lost, as {doubt:?} permits"));
            self.forgiven += 1;
            self.auditor.forgive_loss(recovered);
            self.feed.iter_mut().for_each(|feed| feed.forget_lives_before(self.life));
            self.frame_ends.retain(|end| *end <= recovered);
        }
        Ok(true)
    }

    /// Everything that must agree does.
    pub(super) fn audit(&mut self) -> Result<(), Violation> {
        let Some(mut process) = self.process.take() else { return Ok(()) };
        if let Err(fault) = process.fold_views() {
            return self.damage_is_found(&fault);
        }
        process.check_state();
        self.check_foreign_is_left_aside(&process)?;
        agrees_with(self.auditor.shop(), process.writer.ledger())?;
        let head = process.journal.head().sequence;
        let witnessed = self.witnessed();
        if !self.check_recovered(&process, head, witnessed)? {
            return Ok(());
        }
        if process.writer.is_settled() && !process.stopped {
            match process.check_folds_agree()? {
                Ok(()) => {}
                Err(fault) => return self.damage_is_found(&fault),
            }
        }
        self.process = Some(process);
        self.snapshot_goes_on_later();
        Ok(())
    }

    /// The last life ends cleanly, what waits is made durable, and the history is verified from its files alone.
    pub(super) fn close(mut self) -> Result<Report, Violation> {
        if self.over {
            return Ok(self.report(0));
        }
        self.kept.disk.limit_bytes(None);
        self.faults.end();
        let power = self.rng.bool();
        self.kept.disk.flip_in_read(u64::MAX, 0);
        self.dies(power);
        while !self.over {
            let (moment, what) =
                self.happenings.next().ok_or_else(|| Violation("the last start is due".into()))?;
            self.now = moment;
            if let Happening::Starts | Happening::FrameDue { .. } = what {
                self.happens(what)?;
            }
            let settled = |process: &Process| process.serving && process.writer.is_settled();
            if self.process.as_ref().is_some_and(settled) {
                self.audit()?;
                // It is gone if it found its files damaged, and starts again.
                if self.process.is_some() {
                    break;
                }
            }
        }
        if self.over {
            return Ok(self.report(0));
        }
        if self.auditor.waiting() > 0 {
            return Err(format!("{} answers never came", self.auditor.waiting()).into());
        }
        let process = self.process.take().expect("the run is over, or it serves");
        self.check_published(&process)?;
        let head = process.journal.head();
        process.journal.close().map_err(|fault| Violation(fault.to_string()))?;
        self.check_files(head.sequence)?;
        self.digest.update(&head.hash).update(&self.kept.disk.steps().to_le_bytes());
        Ok(self.report(head.sequence))
    }

    pub(super) fn report(&self, entries: u64) -> Report {
        Report {
            digest: self.digest.finalize().to_hex()[..16].to_owned(),
            answers: self.answers,
            accepted: self.accepted,
            entries,
            timed: self.auditor.timed(entries),
            deaths: self.life - 1,
            detected: self.detected,
            forgiven: self.forgiven,
            snapshots: Snapshots {
                taken: self.snapshots.taken,
                used: self.snapshots.used,
                left_aside: self.snapshots.left_aside,
            },
            published: self.feed.as_ref().map(Feed::report).unwrap_or_default(),
            takeovers: 0,
            fenced: 0,
        }
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
