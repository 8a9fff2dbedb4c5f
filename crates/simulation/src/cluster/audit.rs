//! In the end: one history, with everything in it that anyone was told of and nothing that anyone was told is not.

use std::sync::Arc;

use journal::jetstream::{Chain, Reading};
use journal::{Frame, Head, Journal, JournalRead, MemoryJournal, Outcome};

use super::{Cluster, Happening};
use crate::auditor::agrees_with;
use crate::feed::FeedHappening;
use crate::{Report, Snapshots, Timed, Violation};

impl Cluster {
    /// Whatever is still on its way to the stream arrives; then it is read anew, by a reader that knows nothing.
    pub(super) fn close(mut self) -> Result<Report, Violation> {
        self.stream.heal();
        while let Some((moment, what)) = self.happenings.next() {
            match what {
                Happening::Arrives { carried: super::Carried::Request(_, ask), .. } => {
                    self.stream.serve(&ask, moment);
                }
                Happening::Feed(what @ FeedHappening::Arrives { .. }) => {
                    self.feed.happens(what, moment, &mut self.rng, &mut self.happenings)?;
                }
                _ => {}
            }
        }
        let history = history_of(self.stream.messages())?;
        self.check_fates(&history)?;
        self.check_instances(&history)?;
        let timed = self.check_content(&history)?;
        self.check_damage_is_found()?;
        let head = history.last().map_or_else(|| Head::empty(self.uuid), Head::after);
        self.digest.update(&head.hash);
        Ok(Report {
            digest: self.digest.finalize().to_hex()[..16].to_owned(),
            answers: self.answers,
            accepted: self.accepted,
            entries: head.sequence,
            timed,
            deaths: self.instances.iter().map(|instance| instance.life).sum(),
            detected: 0,
            forgiven: 0,
            snapshots: Snapshots::default(),
            published: self.feed.report(),
            takeovers: self.takeovers,
            fenced: self.fenced,
        })
    }

    /// Every frame that was told durable is history, no refused one is: so no sequence was acknowledged twice.
    fn check_fates(&self, history: &[Frame]) -> Result<(), Violation> {
        for (hash, outcome) in &self.fates {
            let is_there = history.iter().any(|frame| frame.hash() == *hash);
            match outcome {
                Outcome::Durable { last_sequence } if !is_there => {
                    return Err(
                        format!("the frame up to sequence {last_sequence} was durable, and is gone").into()
                    );
                }
                Outcome::Refused { why } if is_there => {
                    return Err(format!("a refused frame ({why}) is part of the history").into());
                }
                Outcome::Durable { .. } | Outcome::Refused { .. } | Outcome::Unknown { .. } => {}
            }
        }
        Ok(())
    }

    /// What an instance has read is the beginning of the history, and it folded to what everybody folds.
    fn check_instances(&mut self, history: &[Frame]) -> Result<(), Violation> {
        for at in 0..self.instances.len() {
            if !history.starts_with(&self.instances[at].history) {
                return Err(format!("instance {at} read another history").into());
            }
            if self.instances[at].is_up {
                self.read_on(at, false)?;
            }
        }
        let whole = self.instances.iter().filter(|instance| instance.history.len() == history.len());
        let mut hashes: Vec<[u8; 32]> = whole.map(|instance| instance.ledger.hash()).collect();
        hashes.dedup();
        if hashes.len() > 1 {
            Err(Violation("instances folded one history to different ledgers".into()))
        } else {
            Ok(())
        }
    }

    /// The history is what the auditors predicted, and `verify` decides it again. Gives how many entries fell due.
    fn check_content(&mut self, history: &[Frame]) -> Result<Timed, Violation> {
        let mut journal = MemoryJournal::new(self.uuid);
        for frame in history {
            journal.submit(frame.clone());
            if !matches!(journal.poll(), Some(Outcome::Durable { .. })) {
                return Err(Violation("a frame of the history does not follow the one before it".into()));
            }
        }
        let reader = journal.reader();
        let mut anew = super::Instance::new(self.uuid, 0);
        anew.read(self.stream.messages())?;
        self.instances.push(anew);
        let auditor = self.auditor_of(self.instances.len() - 1)?;
        let anew = self.instances.pop().ok_or_else(|| Violation("it was pushed just now".into()))?;
        agrees_with(auditor.shop(), &anew.ledger)?;
        let found = auditor.check_history(&reader)?.map_err(|fault| Violation(fault.to_string()))?;
        self.feed.publish_the_rest(Arc::new(journal.reader()))?;
        self.feed.check(&reader, auditor.shop(), &mut self.rng)?;
        let verified = replay::verify(&reader, &mut |_| {}).map_err(|fault| Violation(fault.to_string()))?;
        match verified.is_green() && found == reader.head().sequence && verified.sequence == found {
            true => Ok(auditor.timed(found)),
            false => {
                Err(format!("verify finds {verified:?}, wanted {found} entries and no difference").into())
            }
        }
    }

    /// A stream that lost its beginning, a message, or a bit is damaged, for whoever reads it.
    fn check_damage_is_found(&mut self) -> Result<(), Violation> {
        let messages: Vec<Vec<u8>> =
            self.stream.messages().iter().map(|frame| frame.bytes().to_vec()).collect();
        if messages.len() < 3 {
            return Ok(());
        }
        let lost = self.rng.usize(1..messages.len() - 1);
        let numbered = || (1u64..).zip(messages.iter().cloned());
        if !damage_is_found(numbered().skip(lost)) {
            return Err(format!("the first {lost} messages are lost, and nobody finds out").into());
        }
        if !damage_is_found(numbered().filter(|(at, _)| *at != lost as u64)) {
            return Err(format!("message {lost} is lost, and nobody finds out").into());
        }
        let (byte, bit) = (self.rng.usize(..messages[lost - 1].len()), self.rng.u8(..8));
        let turned = numbered().map(|(at, mut bytes)| {
            if at == lost as u64 {
                bytes[byte] ^= 1 << bit;
            }
            (at, bytes)
        });
        if !damage_is_found(turned) {
            return Err(format!(
                "bit {bit} of byte {byte} of message {lost} turned over, and nobody finds out"
            )
            .into());
        }
        Ok(())
    }
}

fn damage_is_found(messages: impl Iterator<Item = (u64, Vec<u8>)>) -> bool {
    let mut chain = Chain::of("SIMULATION");
    let mut found = false;
    for (stream_sequence, bytes) in messages {
        found |= chain.read(stream_sequence, &bytes).is_err();
    }
    found
}

fn history_of(messages: &[Frame]) -> Result<Vec<Frame>, Violation> {
    let mut chain = Chain::of("SIMULATION");
    let mut history = Vec::new();
    for (stream_sequence, frame) in (1..).zip(messages) {
        match chain.read(stream_sequence, frame.bytes()).map_err(|fault| Violation(fault.to_string()))? {
            Reading::Next(frame) => history.push(frame),
            other => return Err(format!("one frame in flight leaves nothing else, found {other:?}").into()),
        }
    }
    Ok(history)
}
