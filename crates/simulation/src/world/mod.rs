//! The world around the process: simulated time, in which one thing happens after the other.

mod audit;
mod clients;
mod clock;
mod damage;
mod faults;
mod feeding;
mod happenings;
mod process;
mod snapshots;
mod tampering;
mod writing;

use std::collections::BTreeMap;

use command_api::writer::{Answer, Input};
use fastrand::Rng;
use journal::{Fault, SimDisk};
use ledger_core::Settings;
use ledger_core::values::{Name, Text};
use projections::MemoryStore;

use crate::auditor::Auditor;
use crate::feed::Feed;
use crate::{Options, Report, Violation};
pub(crate) use clients::{Clients, Network};
pub(crate) use clock::Clock;
use damage::Doubt;
use faults::Faults;
use feeding::PUBLISHER;
use happenings::Happening;
pub(crate) use happenings::{ClientHappening, Happenings, Message};
use process::{Kept, Process};
use snapshots::SnapshotsSoFar;

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
    snapshots: SnapshotsSoFar,
    /// Half of the seeds have one.
    feed: Option<Feed>,
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
            snapshot_every: [0, 7, 25, 80][rng.usize(..4)],
        };
        World {
            seed,
            options,
            clients: Clients::new(&mut rng, options.commands),
            faults: Faults::new(&mut rng),
            feed: rng.bool().then(|| Feed::new(&mut rng)),
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
            snapshots: SnapshotsSoFar::default(),
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
            Happening::Feed(what) => return self.feed_happens(what),
            Happening::FrameDue { life } if life == self.life => return self.frame_due(),
            Happening::Upkeep { life } if life == self.life => return self.upkeep(),
            Happening::Dies { life, power } if life == self.life => self.dies(power),
            Happening::SnapshotSlice { life } if life == self.life => self.snapshot_slice(),
            Happening::StateHash { life, hash } if life == self.life => return self.state_hash(*hash),
            Happening::FrameDue { .. }
            | Happening::Upkeep { .. }
            | Happening::Dies { .. }
            | Happening::SnapshotSlice { .. }
            | Happening::StateHash { .. } => {}
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
        self.tamper_with_a_snapshot()?;
        let (wall, witnessed) = (self.wall(), self.witnessed());
        let (process, outputs) = match Process::start(&self.kept, wall) {
            Ok(started) => started,
            Err(fault) => return self.cannot_start(&fault),
        };
        if !self.check_feed(process.journal.head().event)? {
            return Ok(());
        }
        // The epoch of this start is in the writer's ledger already, not in the journal.
        let recovered = process.journal.head().sequence;
        if !self.check_recovered(&process, recovered, witnessed)? {
            return Ok(());
        }
        self.check_snapshot_used(&process)?;
        self.begin_dishonest_life()?;
        self.auditor.writer_starts(recovered, wall);
        self.feed_starts(&process);
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

    /// The process is gone, with everything that it had not made durable; without power the disk forgets too.
    fn dies(&mut self, power: bool) {
        self.process = None;
        self.feed.iter_mut().for_each(|feed| feed.stop(PUBLISHER));
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
