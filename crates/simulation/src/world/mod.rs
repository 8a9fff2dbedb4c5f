//! The world around the process: simulated time, in which one thing happens after the other.

mod audit;
mod clients;
mod clock;
mod damage;
mod faults;
mod happenings;
mod process;

use std::collections::BTreeMap;

use command_api::writer::{Answer, Input};
use fastrand::Rng;
use journal::{Fault, Outcome, SimDisk, Space};
use ledger_core::Settings;
use ledger_core::values::{Name, Text};
use projections::MemoryStore;

use crate::auditor::Auditor;
use crate::{Options, Report, Violation};
pub(crate) use clients::Clients;
pub(crate) use clock::Clock;
use damage::Doubt;
use faults::Faults;
use happenings::Happening;
pub(crate) use happenings::{ClientHappening, Happenings, Message};
use process::{Kept, Outputs, Process};

const UPKEEP_MICROS: u64 = 700_000;
const INBOX_MAX: usize = 48;
/// Simulated time that no seed needs: two hours.
const MICROS_MAX: u64 = 7_200_000_000;

pub(crate) struct World {
    seed: u64,
    options: Options,
    rng: Rng,
    now: u64,
    clock: Clock,
    happenings: Happenings<Happening>,
    clients: Clients,
    faults: Faults,
    kept: Kept,
    process: Option<Process>,
    /// The number of the present or last life, from 1.
    life: u64,
    auditor: Auditor,
    /// Where answers go: the client and its request, by the token that the writer carries.
    asked: BTreeMap<u64, (usize, u64)>,
    tokens: u64,
    digest: blake3::Hasher,
    answers: u64,
    accepted: u64,
    /// The last sequence of each frame that was made durable.
    frame_ends: Vec<u64>,
    doubt: Option<Doubt>,
    /// Since the last start that went well: everything that was not durable has shown.
    power_was_cut: bool,
    detected: u64,
    forgiven: u64,
    /// The files are damaged for good.
    over: bool,
}

impl World {
    pub(crate) fn new(seed: u64, options: Options) -> Self {
        let mut rng = Rng::with_seed(seed);
        let mut settings = Settings::named(Name::try_new("main").expect("a short plain name"));
        settings.remember_days = [1, 7][rng.usize(..2)];
        settings.remember_commands_max = [20, 10_000][rng.usize(..2)];
        let remember_max = usize::try_from(settings.remember_commands_max).expect("a small number");
        let auditor = Auditor::new(settings.remember_days, remember_max);
        let kept = Kept {
            disk: SimDisk::new(),
            store: MemoryStore::new(),
            witness: None,
            uuid: rng.u128(..).to_be_bytes(),
            segments: journal::Options { segment_bytes: [4096, 16_384, 131_072][rng.usize(..3)] },
            settings,
        };
        World {
            seed,
            options,
            clients: Clients::new(&mut rng, options.commands),
            faults: Faults::new(&mut rng),
            rng,
            now: 0,
            clock: Clock::default(),
            happenings: Happenings::default(),
            kept,
            process: None,
            life: 0,
            auditor,
            asked: BTreeMap::new(),
            tokens: 0,
            digest: blake3::Hasher::new(),
            answers: 0,
            accepted: 0,
            frame_ends: Vec::new(),
            doubt: None,
            power_was_cut: false,
            detected: 0,
            forgiven: 0,
            over: false,
        }
    }

    /// Until every client has its answers; then everything is compared once more.
    pub(crate) fn run(mut self) -> Result<Report, Violation> {
        self.faults.of_the_world(&mut self.rng, &mut self.happenings);
        self.clients.begin(&mut self.happenings);
        self.happenings.at(0, Happening::Starts);
        while !self.over && !self.clients.are_done() {
            let Some((moment, what)) = self.happenings.next() else {
                return Err(Violation("nothing happens any more, and clients still wait".into()));
            };
            self.now = moment;
            if self.now > MICROS_MAX {
                return Err(Violation("clients still wait after two hours".into()));
            }
            self.tell(|| format!("{what:?}"));
            self.happens(what)?;
        }
        self.close()
    }

    fn tell(&self, what: impl FnOnce() -> String) {
        if self.options.verbose {
            eprintln!("{:>12} µs  {}", self.now, what());
        }
    }

    fn wall(&self) -> i64 {
        self.clock.wall(self.now)
    }

    fn happens(&mut self, what: Happening) -> Result<(), Violation> {
        match what {
            Happening::Client(what) => return self.client(what),
            Happening::FrameDue { life } if life == self.life => return self.frame_due(),
            Happening::Upkeep { life } if life == self.life => return self.upkeep(),
            Happening::Dies { life, power } if life == self.life => self.dies(power),
            Happening::FrameDue { .. } | Happening::Upkeep { .. } | Happening::Dies { .. } => {}
            Happening::Starts => return self.starts(),
            Happening::ClockLeaps { micros } => self.clock.leap(self.now, micros),
            Happening::ClockStops { micros } => self.clock.stop(self.now, micros),
            Happening::OperatorConfirms => return self.operator_confirms(),
            Happening::DiskFills => {
                let room = self.rng.usize(..9_000);
                self.kept.disk.limit_bytes(Some(self.kept.disk.used_bytes() + room));
            }
            Happening::DiskHasRoom => self.kept.disk.limit_bytes(None),
            Happening::Rots => return self.rots(),
            Happening::Audit => return self.audit(),
        }
        Ok(())
    }

    fn client(&mut self, what: ClientHappening) -> Result<(), Violation> {
        let wall = self.wall();
        let Self { clients, rng, now, happenings, .. } = self;
        match what {
            ClientHappening::Acts { client } => {
                clients.act(client, self.auditor.shop(), rng, (*now, wall), happenings);
            }
            ClientHappening::Waited { client, request } => {
                clients.waited(client, request, rng, *now, happenings);
            }
            ClientHappening::Answered { client, request, settled } => {
                clients.answered(client, (request, settled), rng, *now, happenings);
            }
            ClientHappening::Arrives(message) => return self.arrives(message),
        }
        Ok(())
    }

    /// The process is started on what the disk holds.
    fn starts(&mut self) -> Result<(), Violation> {
        if self.process.is_some() {
            return Ok(());
        }
        self.life += 1;
        let trouble = self.faults.of_a_life(self.life, &mut self.rng, self.now, &mut self.happenings);
        let (steps, trouble) = trouble.unwrap_or((u64::MAX / 2, journal::Trouble::Crash));
        self.kept.disk.trouble_at(self.kept.disk.steps() + steps, trouble);
        self.may_misread();
        let (wall, witnessed) = (self.wall(), self.witnessed());
        let (process, outputs) = match Process::start(&self.kept, wall) {
            Ok(started) => started,
            Err(fault) => return self.cannot_start(&fault),
        };
        // The epoch of this start is in the writer's ledger already, not in the journal.
        let recovered = process.journal.head().sequence;
        if !self.check_recovered(&process, recovered, witnessed)? {
            return Ok(());
        }
        self.begin_dishonest_life()?;
        self.auditor.writer_starts(recovered, wall);
        self.process = Some(process);
        self.after(outputs)?;
        self.happenings.at(self.now + UPKEEP_MICROS, Happening::Upkeep { life: self.life });
        Ok(())
    }

    fn cannot_start(&mut self, fault: &Fault) -> Result<(), Violation> {
        self.tell(|| format!("cannot start: {fault}"));
        match fault {
            Fault::Io { .. } | Fault::Full { .. } => {
                if self.kept.disk.is_down() {
                    self.power_was_cut = true;
                    let seed = self.rng.u64(..);
                    self.kept.disk.restart(seed);
                }
                self.start_later();
                Ok(())
            }
            _ => self.damage_is_found(fault),
        }
    }

    /// A message arrives; where nobody is, it is lost.
    fn arrives(&mut self, message: Message) -> Result<(), Violation> {
        match &mut self.process {
            Some(process) if process.serving && process.inbox.len() < INBOX_MAX => {
                process.inbox.push_back(message)
            }
            Some(_) | None => return Ok(()),
        }
        self.take_commands()
    }

    /// The writer takes from its queue what it can; rarely it is handed a command that it does not take.
    fn take_commands(&mut self) -> Result<(), Violation> {
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
    fn after(&mut self, outputs: Outputs) -> Result<(), Violation> {
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

    fn frame_due(&mut self) -> Result<(), Violation> {
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

    fn tell_space(&mut self) -> Result<(), Violation> {
        let wall = self.wall();
        let Some(process) = &mut self.process else { return Ok(()) };
        let space = process.space();
        self.auditor.space(space == Space::Enough, wall);
        let outputs = process.step(Input::Space(space), wall);
        self.after(outputs)
    }

    /// Once in a while: the head witness, the next segment, the views' checkpoint, the clock.
    fn upkeep(&mut self) -> Result<(), Violation> {
        let wall = self.wall();
        let Some(process) = &mut self.process else { return Ok(()) };
        // A failure stops the journal, and the next frame tells.
        let _ = process.journal.write_witness(self.now + 1);
        process.journal.prepare_next();
        if self.kept.disk.is_down() {
            self.dies(true);
            return Ok(());
        }
        if self.rng.u8(..3) == 0 {
            process.projections.checkpoint().map_err(|fault| Violation(fault.to_string()))?;
            self.kept.witness = process.projections.witness();
        }
        self.auditor.tick(wall);
        let outputs = process.step(Input::Tick, wall);
        self.after(outputs)?;
        self.tell_space()?;
        self.happenings.at(self.now + UPKEEP_MICROS, Happening::Upkeep { life: self.life });
        self.take_commands()
    }

    fn operator_confirms(&mut self) -> Result<(), Violation> {
        let wall = self.wall();
        let Some(process) = &mut self.process else { return Ok(()) };
        self.auditor.clock_confirmed(wall);
        let outputs = process.step(Input::ClockConfirmed, wall);
        self.after(outputs)
    }

    /// The process is gone, with everything that it had not made durable; without power the disk forgets too.
    fn dies(&mut self, power: bool) {
        self.process = None;
        self.asked.clear();
        self.power_was_cut |= power || self.kept.disk.is_down();
        if power || self.kept.disk.is_down() {
            let seed = self.rng.u64(..);
            self.kept.disk.restart(seed);
        }
        self.start_later();
    }

    fn start_later(&mut self) {
        self.happenings.at(self.now + self.rng.u64(1_000..400_000), Happening::Starts);
    }
}

/// An answer becomes part of what the digest is of.
pub(crate) fn note_answer(digest: &mut blake3::Hasher, token: u64, answer: &Answer) {
    let (what, number) = match answer {
        Answer::Accepted { position, .. } => ("accepted", position.sequence),
        Answer::WouldBeAccepted { position, .. } => ("would be accepted", position.sequence),
        Answer::Duplicate { accepted } => ("duplicate", accepted.len() as u64),
        Answer::Rejected { position, rejection } => (rejection.code(), position.sequence),
        Answer::Forbidden { permission } => (*permission, 0),
        Answer::Conflict(conflict) => (conflict.code(), 0),
        Answer::Busy(busy) => (busy.code(), 0),
        Answer::Unavailable { .. } | Answer::NotTheWriter { .. } => ("unavailable", 0),
        Answer::Unknown { .. } => ("unknown", 0),
    };
    digest.update(&token.to_le_bytes()).update(what.as_bytes()).update(&number.to_le_bytes());
}
