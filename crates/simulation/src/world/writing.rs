//! Around the writer: what it is handed, and what becomes of what it wants done.

use command_api::writer::{Answer, Input};
use journal::{Outcome, Space};

use super::happenings::{ClientHappening, Happening, Message};
use super::process::Outputs;
use super::{INBOX_MAX, World, note_answer};
use crate::Violation;

impl World {
    /// A message arrives; where nobody is, it is lost.
    pub(super) fn arrives(&mut self, message: Message) -> Result<(), Violation> {
        match &mut self.process {
            Some(process) if process.serving && process.inbox.len() < INBOX_MAX => {
                process.inbox.push_back(message)
            }
            Some(_) | None => return Ok(()),
        }
        self.take_commands()
    }

    /// The writer takes from its queue what it can; rarely it is handed a command that it does not take.
    pub(super) fn take_commands(&mut self) -> Result<(), Violation> {
        loop {
            let wall = self.wall();
            let Some(process) = &mut self.process else { return Ok(()) };
            let takes = process.writer.takes_commands();
            if process.inbox.is_empty() || !(takes || self.rng.u8(..50) == 0) {
                return Ok(());
            }
            let Some(message) = process.inbox.pop_front() else { return Ok(()) };
            self.tokens += 1;
            self.asked.insert(self.tokens, (message.client, message.request));
            self.auditor.command(self.tokens, &message.ask, wall, takes);
            let outputs = process.step(Input::Command(message.ask.request(), self.tokens), wall);
            self.tell(|| format!("command {}: {:?}", self.tokens, message.ask));
            self.after(outputs)?;
        }
    }

    /// Answers are judged and sent; a frame that was handed over takes its time.
    pub(super) fn after(&mut self, outputs: Outputs) -> Result<(), Violation> {
        let Some(process) = &self.process else { return Ok(()) };
        let durable = process.journal.head().sequence;
        for (token, answer) in outputs.answers {
            self.tell(|| format!("answer {token}: {answer:?}"));
            self.auditor.answered(token, &answer, durable)?;
            note_answer(&mut self.digest, token, &answer);
            self.answers += 1;
            self.accepted += u64::from(matches!(answer, Answer::Accepted { .. }));
            let Some((client, request)) = self.asked.remove(&token) else { continue };
            let settled =
                !matches!(answer, Answer::Busy(_) | Answer::Unavailable { .. } | Answer::Unknown { .. });
            for moment in self.clients.network.arrivals(self.now, &mut self.rng) {
                let answered = ClientHappening::Answered { client, request, settled };
                self.happenings.at(moment, answered);
            }
        }
        if outputs.frame_handed_over {
            let micros = self.rng.u64(50..self.faults.frame_micros_max);
            self.happenings.at(self.now + micros, Happening::FrameDue { life: self.life });
        }
        Ok(())
    }

    pub(super) fn frame_due(&mut self) -> Result<(), Violation> {
        let wall = self.wall();
        let Some(process) = &mut self.process else { return Ok(()) };
        let outcome = process.disk_works();
        if self.kept.disk.is_down() {
            self.dies(true);
            return Ok(());
        }
        let outcome =
            outcome.ok_or_else(|| Violation("a file journal knows a frame's fate at once".into()))?;
        let durable = matches!(outcome, Outcome::Durable { .. });
        self.auditor.frame_settled(durable, wall);
        let outputs = process.step(Input::Journal(outcome), wall);
        process.serving = true;
        let views_lag = self.rng.u8(..4) == 0;
        if durable {
            self.frame_ends.push(process.journal.head().sequence);
        }
        let folded = if durable && !views_lag { process.fold_views() } else { Ok(()) };
        self.snapshot_goes_on_later();
        self.after(outputs)?;
        if let Err(fault) = folded {
            return self.damage_is_found(&fault);
        }
        self.tell_space()?;
        if self.process.as_ref().is_some_and(|process| process.stopped) {
            // Whoever looks after it restarts it, after a while in which it answers that it is not available.
            let death = Happening::Dies { life: self.life, power: self.rng.bool() };
            self.happenings.at(self.now + self.rng.u64(..800_000), death);
        }
        if self.rng.u8(..24) == 0 {
            self.happenings.at(self.now, Happening::Audit);
        }
        self.take_commands()
    }

    pub(super) fn tell_space(&mut self) -> Result<(), Violation> {
        let wall = self.wall();
        let Some(process) = &mut self.process else { return Ok(()) };
        let space = process.space();
        self.auditor.space(space == Space::Enough, wall);
        let outputs = process.step(Input::Space(space), wall);
        self.after(outputs)
    }

    pub(super) fn operator_confirms(&mut self) -> Result<(), Violation> {
        let wall = self.wall();
        let Some(process) = &mut self.process else { return Ok(()) };
        self.auditor.clock_confirmed(wall);
        let outputs = process.step(Input::ClockConfirmed, wall);
        self.after(outputs)
    }
}
