//! The ledger on a replicated stream: instances take it from each other, are paused, killed and fenced, and no two of
//! them are ever acknowledged for one sequence.
//!
//! The real [`Writer`], [`Appender`](journal::jetstream::Appender) and [`Chain`](journal::jetstream::Chain) in each
//! instance, over a simulated stream, lease, clock and network. Each owner has an auditor of its own, which begins with
//! what the stream says: an owner that was replaced and does not know it is judged by what it may know.

mod audit;
mod instance;
mod owning;
mod stream;

use std::collections::BTreeMap;

use fastrand::Rng;
use journal::{FrameHash, Outcome};
use ledger_core::Settings;
use ledger_core::values::{Name, Text};

use crate::auditor::{Auditor, Entered};
use crate::feed::{Feed, FeedHappening};
use crate::model::Shop;
use crate::world::{ClientHappening, Clients, Clock, Happenings, Message};
use crate::{Options, Report, Violation};
use instance::Instance;
use stream::{Carried, Stream};

const SECOND: u64 = 1_000_000;
const HOUR_MICROS: i64 = 3_600_000_000;
const LOOK_AROUND_MICROS: u64 = 300_000;
const LEASE_MICROS: u64 = 2 * SECOND;
/// An appender hears that nobody answered after so long.
const PATIENCE_MICROS: u64 = 2 * SECOND;
/// Simulated time that no seed needs: four hours.
const MICROS_MAX: u64 = 14_400_000_000;

/// Something that happens at a moment of simulated time.
#[derive(Debug, Clone)]
enum Happening {
    Client(ClientHappening),
    Feed(FeedHappening),
    /// A request reaches the stream, or its answer an instance.
    Arrives {
        instance: usize,
        life: u64,
        carried: Carried,
    },
    /// Nobody answered the attempt in time, or its pause is over.
    TimesOut {
        instance: usize,
        life: u64,
        attempt: journal::jetstream::Attempt,
        pause: bool,
    },
    /// An instance reads on, and looks after its lease.
    LooksAround {
        instance: usize,
        life: u64,
    },
    Dies {
        instance: usize,
    },
    Starts {
        instance: usize,
    },
    /// It stands still for so long and does not notice.
    Pauses {
        instance: usize,
        micros: u64,
    },
    LeaderIsDeposed {
        micros: u64,
    },
    /// Every wall clock leaps ahead.
    ClockLeaps {
        micros: i64,
    },
    /// Operators look at the wall clocks and confirm them.
    OperatorsConfirm,
    /// Trouble comes to an end.
    Heals,
}

impl From<FeedHappening> for Happening {
    fn from(happening: FeedHappening) -> Self {
        Happening::Feed(happening)
    }
}

impl From<ClientHappening> for Happening {
    fn from(happening: ClientHappening) -> Self {
        Happening::Client(happening)
    }
}

pub(crate) struct Cluster {
    options: Options,
    rng: Rng,
    now: u64,
    clock: Clock,
    happenings: Happenings<Happening>,
    clients: Clients,
    stream: Stream,
    feed: Feed,
    instances: Vec<Instance>,
    /// Who should write, until when. For liveness only.
    lease: Option<(usize, u64)>,
    /// Percent of looks at which an instance takes the ledger although another has the lease.
    rash_percent: u8,
    settings: Settings,
    uuid: [u8; 16],
    /// The entries of every frame that a writer handed over.
    handed_over: BTreeMap<FrameHash, Vec<Entered>>,
    fates: BTreeMap<FrameHash, Outcome>,
    asked: BTreeMap<u64, (usize, u64)>,
    tokens: u64,
    digest: blake3::Hasher,
    answers: u64,
    accepted: u64,
    takeovers: u64,
    fenced: u64,
    /// What clients go by while nobody writes.
    shop: Shop,
}

impl Cluster {
    pub(crate) fn new(seed: u64, options: Options) -> Self {
        let mut rng = Rng::with_seed(seed ^ 0xc105_7e12);
        let mut settings = Settings::named(Name::try_new("main").expect("a short plain name"));
        settings.remember_commands_max = [20, 10_000][rng.usize(..2)];
        let uuid: [u8; 16] = rng.u128(..).to_be_bytes();
        let instances =
            (0..rng.usize(2..4)).map(|_| Instance::new(uuid, rng.i64(-900_000..900_000))).collect();
        Cluster {
            options,
            now: 0,
            clock: Clock::default(),
            happenings: Happenings::default(),
            clients: Clients::new(&mut rng, options.commands),
            stream: Stream::new(&mut rng),
            feed: Feed::new(&mut rng),
            instances,
            lease: None,
            rash_percent: [0, 2, 10][rng.usize(..3)],
            settings,
            uuid,
            handed_over: BTreeMap::new(),
            fates: BTreeMap::new(),
            asked: BTreeMap::new(),
            tokens: 0,
            digest: blake3::Hasher::new(),
            answers: 0,
            accepted: 0,
            takeovers: 0,
            fenced: 0,
            shop: Shop::default(),
            rng,
        }
    }

    /// Until every client has its answers; then the stream is read anew and everything is compared.
    pub(crate) fn run(mut self) -> Result<Report, Violation> {
        self.plan_trouble();
        for instance in 0..self.instances.len() {
            self.happenings.at(self.rng.u64(..SECOND), Happening::Starts { instance });
        }
        self.clients.begin(&mut self.happenings);
        while !self.clients.are_done() {
            let Some((moment, what)) = self.happenings.next() else {
                return Err(Violation("nothing happens any more, and clients still wait".into()));
            };
            self.now = moment;
            if self.now > MICROS_MAX {
                return Err(Violation("clients still wait after four hours".into()));
            }
            self.tell(|| format!("{what:?}"));
            self.happens(what)?;
        }
        self.close()
    }

    fn plan_trouble(&mut self) {
        let until = self.rng.u64(SECOND..60 * SECOND);
        for _ in 0..self.rng.u8(0..12) {
            let instance = self.rng.usize(..self.instances.len());
            let what = match self.rng.u8(..4) {
                0 => Happening::Dies { instance },
                1 | 2 => Happening::Pauses { instance, micros: self.rng.u64(100_000..8 * SECOND) },
                _ => Happening::LeaderIsDeposed { micros: self.rng.u64(100_000..8 * SECOND) },
            };
            self.happenings.at(self.rng.u64(..until), what);
        }
        self.happenings.at(until, Happening::Heals);
        if self.rng.bool() {
            self.hours_pass();
        }
    }

    /// Two days or so go by, for what falls due only then; operators are there when that is suspect.
    fn hours_pass(&mut self) {
        let mut moment = 0;
        while moment < 40 * SECOND {
            moment += self.rng.u64(SECOND / 5..2 * SECOND);
            let hours_max = if self.rng.u8(..4) == 0 { 12 } else { 1 };
            let micros = self.rng.i64(0..hours_max * HOUR_MICROS);
            self.happenings.at(moment, Happening::ClockLeaps { micros });
            self.happenings.at(moment + self.rng.u64(..SECOND), Happening::OperatorsConfirm);
        }
    }

    fn tell(&self, what: impl FnOnce() -> String) {
        if self.options.verbose {
            eprintln!("{:>12} µs  {}", self.now, what());
        }
    }

    fn wall(&self, instance: usize) -> i64 {
        self.clock.wall(self.now) + self.instances[instance].skew
    }

    /// Whom this happens to, if it is an instance that would have to be awake for it.
    fn pause_of(&self, what: &Happening) -> u64 {
        match what {
            Happening::Feed(what) => {
                what.publisher().map_or(0, |instance| self.instances[instance].paused_until)
            }
            Happening::Arrives { instance, carried: Carried::Answer(..), .. }
            | Happening::TimesOut { instance, .. }
            | Happening::LooksAround { instance, .. } => self.instances[*instance].paused_until,
            Happening::Arrives { .. }
            | Happening::Client(_)
            | Happening::Dies { .. }
            | Happening::Starts { .. }
            | Happening::Pauses { .. }
            | Happening::LeaderIsDeposed { .. }
            | Happening::ClockLeaps { .. }
            | Happening::OperatorsConfirm
            | Happening::Heals => 0,
        }
    }

    fn happens(&mut self, what: Happening) -> Result<(), Violation> {
        let awake = self.pause_of(&what);
        if awake > self.now {
            self.happenings.at(awake, what);
            return Ok(());
        }
        match what {
            Happening::Client(what) => return self.client(what),
            Happening::Feed(what) => {
                let (rng, happenings) = (&mut self.rng, &mut self.happenings);
                return self.feed.happens(what, self.now, rng, happenings);
            }
            Happening::Arrives { instance, life, carried: Carried::Request(attempt, ask) } => {
                let heard = self.stream.serve(&ask, self.now);
                for moment in self.stream.arrivals(self.now, &mut self.rng) {
                    let carried = Carried::Answer(attempt, heard.clone());
                    self.happenings.at(moment, Happening::Arrives { instance, life, carried });
                }
            }
            Happening::Arrives { instance, life, carried: Carried::Answer(attempt, heard) } => {
                return self.hears(instance, life, attempt, heard);
            }
            Happening::TimesOut { instance, life, attempt, pause } => {
                let no_answer = || journal::jetstream::Heard::NoAnswer { why: "nobody answered".into() };
                let heard = if pause { journal::jetstream::Heard::Paused } else { no_answer() };
                return self.hears(instance, life, attempt, heard);
            }
            Happening::LooksAround { instance, life } if life == self.instances[instance].life => {
                return self.looks_around(instance);
            }
            Happening::LooksAround { .. } => {}
            Happening::Dies { instance } => self.dies(instance),
            Happening::Starts { instance } => {
                self.instances[instance].start(self.uuid);
                let life = self.instances[instance].life;
                self.happenings.at(self.now, Happening::LooksAround { instance, life });
            }
            Happening::Pauses { instance, micros } => {
                self.instances[instance].paused_until = self.now + micros
            }
            Happening::LeaderIsDeposed { micros } => self.stream.depose_leader(self.now + micros),
            Happening::ClockLeaps { micros } => self.clock.leap(self.now, micros),
            Happening::OperatorsConfirm => return self.operators_confirm(),
            Happening::Heals => {
                self.stream.heal();
                self.rash_percent = 0;
            }
        }
        Ok(())
    }

    fn client(&mut self, what: ClientHappening) -> Result<(), Violation> {
        let wall = self.clock.wall(self.now);
        let Self { clients, rng, now, happenings, instances, shop, .. } = self;
        match what {
            ClientHappening::Acts { client } => {
                let owner = instances.iter().find_map(|instance| instance.owner.as_ref());
                let shop = owner.map_or(&*shop, |owner| owner.auditor.shop());
                clients.act(client, shop, rng, (*now, wall), happenings);
            }
            ClientHappening::Waited { client, request } => {
                clients.waited(client, request, rng, *now, happenings);
            }
            ClientHappening::Answered { client, request, settled } => {
                clients.answered(client, (request, settled), rng, *now, happenings);
            }
            ClientHappening::Arrives(message) => return self.command_arrives(message),
        }
        Ok(())
    }

    fn dies(&mut self, instance: usize) {
        if self.instances[instance].is_up {
            self.instances[instance].is_up = false;
            self.instances[instance].owner = None;
            self.feed.stop(instance);
            self.instances[instance].life += 1;
            self.happenings.at(self.now + self.rng.u64(10_000..3 * SECOND), Happening::Starts { instance });
        }
    }

    /// An auditor that begins with the history as an instance has read it.
    fn auditor_of(&self, instance: usize) -> Result<Auditor, Violation> {
        let mut log = Vec::new();
        for frame in &self.instances[instance].history {
            let entries = self.handed_over.get(&frame.hash());
            log.extend_from_slice(
                entries.ok_or_else(|| Violation("a frame that nobody handed over".into()))?,
            );
        }
        let remember_max = usize::try_from(self.settings.remember_commands_max).expect("a small number");
        Ok(Auditor::behind(log, self.settings.remember_days, remember_max))
    }
}

/// A message for whoever writes.
fn message_of(message: &Message) -> (usize, u64) {
    (message.client, message.request)
}
