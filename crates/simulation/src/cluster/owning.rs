//! Taking the ledger, writing, and being told that somebody else has it.

use std::collections::VecDeque;

use command_api::writer::{Answer, Input, Output, Writer};
use journal::jetstream::{Appender, Ask, Attempt, Heard, Next};
use journal::{Frame, Head, Outcome};
use ledger_core::values::{Name, Text, Timestamp};

use super::instance::Owner;
use super::stream::{Carried, clock};
use super::{Cluster, Happening, LEASE_MICROS, LOOK_AROUND_MICROS, PATIENCE_MICROS, message_of};
use crate::Violation;
use crate::world::{ClientHappening, Message, note_answer};

const INBOX_MAX: usize = 48;

impl Cluster {
    /// An instance reads on; the one with the lease renews it, one without takes the ledger if nobody has it.
    pub(super) fn looks_around(&mut self, instance: usize) -> Result<(), Violation> {
        let life = self.instances[instance].life;
        let soon = self.now + LOOK_AROUND_MICROS + self.rng.u64(..50_000);
        self.happenings.at(soon, Happening::LooksAround { instance, life });
        if self.instances[instance].owner.is_some() {
            if self.lease.is_none_or(|(holder, until)| holder == instance || until < self.now) {
                self.lease = Some((instance, self.now + LEASE_MICROS));
            }
            return self.time_passes(instance);
        }
        let lags = self.rng.u8(..4) == 0;
        self.read_on(instance, lags)?;
        let free = self.lease.is_none_or(|(holder, until)| holder == instance || until < self.now);
        if free || self.rng.u8(..100) < self.rash_percent {
            self.lease = Some((instance, self.now + LEASE_MICROS));
            let lags = self.rng.u8(..8) == 0;
            self.read_on(instance, lags)?;
            return self.takes_the_ledger(instance);
        }
        Ok(())
    }

    /// Who writes is told that time passes.
    fn time_passes(&mut self, instance: usize) -> Result<(), Violation> {
        let wall = self.wall(instance);
        let Some(owner) = self.instances[instance].owner.as_mut().filter(|owner| owner.serving) else {
            return Ok(());
        };
        owner.auditor.tick(wall);
        self.step(instance, Input::Tick, wall)
    }

    pub(super) fn operators_confirm(&mut self) -> Result<(), Violation> {
        for instance in 0..self.instances.len() {
            let (wall, is_awake) = (self.wall(instance), self.instances[instance].paused_until <= self.now);
            if let Some(owner) = self.instances[instance].owner.as_mut().filter(|_| is_awake) {
                owner.auditor.clock_confirmed(wall);
                self.step(instance, Input::ClockConfirmed, wall)?;
            }
        }
        Ok(())
    }

    fn step(&mut self, instance: usize, input: Input<u64>, wall: i64) -> Result<(), Violation> {
        let mut out = Vec::new();
        if let Some(owner) = &mut self.instances[instance].owner {
            owner.writer.step(input, Timestamp::from_micros(wall), &mut out);
        }
        self.follow(instance, out)
    }

    pub(super) fn read_on(&mut self, instance: usize, lags: bool) -> Result<(), Violation> {
        let messages = self.stream.read_after(self.instances[instance].last_stream_sequence(), lags).to_vec();
        self.instances[instance].read(&messages)
    }

    fn takes_the_ledger(&mut self, instance: usize) -> Result<(), Violation> {
        let wall = self.wall(instance);
        let mut auditor = self.auditor_of(instance)?;
        let found = &self.instances[instance];
        let head = found.history.last().map_or_else(|| Head::empty(self.uuid), Head::after);
        auditor.writer_starts(head.sequence, wall);
        let mut out = Vec::new();
        let program = format!("instance {instance}, start {}", found.life);
        let program = Name::try_new(program).expect("a short plain name");
        let now = Timestamp::from_micros(wall);
        let writer = Writer::start(found.ledger.clone(), head, self.settings.clone(), program, now, &mut out);
        let owner = Owner {
            writer,
            appender: Appender::behind(found.last_stream_sequence()),
            auditor,
            in_flight: None,
            inbox: VecDeque::new(),
            durable: head.sequence,
            serving: false,
        };
        self.takeovers += 1;
        self.instances[instance].owner = Some(owner);
        self.follow(instance, out)
    }

    /// A command reaches somebody who believes that it writes.
    pub(super) fn command_arrives(&mut self, message: Message) -> Result<(), Violation> {
        let now = self.now;
        let serves = |at: &usize| {
            let found = &self.instances[*at];
            found.paused_until <= now && found.owner.as_ref().is_some_and(|owner| owner.serving)
        };
        let owners: Vec<usize> = (0..self.instances.len()).filter(serves).collect();
        if owners.is_empty() {
            return Ok(());
        }
        let instance = owners[self.rng.usize(..owners.len())];
        if let Some(owner) = &mut self.instances[instance].owner
            && owner.inbox.len() < INBOX_MAX
        {
            owner.inbox.push_back(message);
        }
        self.take_commands(instance)
    }

    fn take_commands(&mut self, instance: usize) -> Result<(), Violation> {
        loop {
            let wall = self.wall(instance);
            let Some(owner) = &mut self.instances[instance].owner else { return Ok(()) };
            if !owner.writer.takes_commands() {
                return Ok(());
            }
            let Some(message) = owner.inbox.pop_front() else { return Ok(()) };
            self.tokens += 1;
            self.asked.insert(self.tokens, message_of(&message));
            owner.auditor.command(self.tokens, &message.ask, wall, true);
            let command = Input::Command(message.ask.request(), self.tokens);
            self.step(instance, command, wall)?;
        }
    }

    /// What the writer wants done is done.
    fn follow(&mut self, instance: usize, out: Vec<Output<u64>>) -> Result<(), Violation> {
        for output in out {
            match output {
                Output::Append(frame) => self.append(instance, frame)?,
                Output::Reply(token, answer) => self.reply(instance, token, &answer)?,
                Output::Stopped { .. } => {}
            }
        }
        Ok(())
    }

    fn append(&mut self, instance: usize, frame: Frame) -> Result<(), Violation> {
        let now = self.now;
        let Some(owner) = &mut self.instances[instance].owner else { return Ok(()) };
        let entries = owner.auditor.entries(frame.header().first_sequence, frame.last_sequence());
        self.handed_over.insert(frame.hash(), entries);
        owner.in_flight = Some(frame.clone());
        let next = owner.appender.submit(frame, clock(now));
        self.next(instance, next)
    }

    fn next(&mut self, instance: usize, next: Next) -> Result<(), Violation> {
        let life = self.instances[instance].life;
        match next {
            Next::Wait => Ok(()),
            Next::Settled(outcome) => self.settled(instance, outcome),
            Next::Ask(attempt, Ask::Pause(pause)) => {
                let micros = u64::try_from(pause.as_micros()).expect("a short pause");
                self.happenings
                    .at(self.now + micros, Happening::TimesOut { instance, life, attempt, pause: true });
                Ok(())
            }
            Next::Ask(attempt, ask) => {
                for moment in self.stream.arrivals(self.now, &mut self.rng) {
                    let carried = Carried::Request(attempt, ask.clone());
                    self.happenings.at(moment, Happening::Arrives { instance, life, carried });
                }
                let patience = self.now + PATIENCE_MICROS;
                self.happenings.at(patience, Happening::TimesOut { instance, life, attempt, pause: false });
                Ok(())
            }
        }
    }

    pub(super) fn hears(
        &mut self,
        instance: usize,
        life: u64,
        attempt: Attempt,
        heard: Heard,
    ) -> Result<(), Violation> {
        if self.instances[instance].life != life {
            return Ok(());
        }
        let Some(owner) = &mut self.instances[instance].owner else { return Ok(()) };
        let next = owner.appender.heard(attempt, heard, clock(self.now));
        self.next(instance, next)
    }

    /// The fate of the frame in flight is known; a writer that is refused or in doubt gives up.
    fn settled(&mut self, instance: usize, outcome: Outcome) -> Result<(), Violation> {
        let wall = self.wall(instance);
        let found = &mut self.instances[instance];
        let Some(owner) = &mut found.owner else { return Ok(()) };
        let frame = owner.in_flight.take().ok_or_else(|| Violation("a fate without a frame".into()))?;
        if self.fates.insert(frame.hash(), outcome.clone()).is_some() {
            return Err(Violation("a frame has one fate".into()));
        }
        let durable = matches!(outcome, Outcome::Durable { .. });
        if durable {
            owner.durable = frame.last_sequence();
            owner.serving = true;
        }
        owner.auditor.frame_settled(durable, wall);
        let mut out = Vec::new();
        owner.writer.step(Input::Journal(outcome), Timestamp::from_micros(wall), &mut out);
        if durable {
            found.read(&[frame])?;
            self.publishes(instance);
        }
        self.follow(instance, out)?;
        if durable {
            return self.take_commands(instance);
        }
        // Its memory is ahead of the history: it starts anew.
        self.fenced += 1;
        self.dies(instance);
        Ok(())
    }

    /// Whoever has the ledger publishes its events, as long as it knows no better.
    fn publishes(&mut self, instance: usize) {
        let life = self.instances[instance].life;
        if !self.feed.publishes(instance, life) {
            let journal = self.instances[instance].reader();
            self.feed.start((instance, life), journal, self.now, &mut self.happenings);
        }
    }

    fn reply(&mut self, instance: usize, token: u64, answer: &Answer) -> Result<(), Violation> {
        self.tell(|| format!("instance {instance} answers {token}: {answer:?}"));
        let Some(owner) = &mut self.instances[instance].owner else { return Ok(()) };
        owner.auditor.answered(token, answer, owner.durable)?;
        self.answers += 1;
        self.accepted += u64::from(matches!(answer, Answer::Accepted { .. }));
        note_answer(&mut self.digest, token, answer);
        let Some((client, request)) = self.asked.remove(&token) else { return Ok(()) };
        let settled =
            !matches!(answer, Answer::Busy(_) | Answer::Unavailable { .. } | Answer::Unknown { .. });
        for moment in self.clients.network.arrivals(self.now, &mut self.rng) {
            let answered = ClientHappening::Answered { client, request, settled };
            self.happenings.at(moment, answered);
        }
        Ok(())
    }
}
