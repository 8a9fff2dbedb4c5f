//! What goes wrong in a seed: each seed has its own mixture, and some have nothing but one kind of trouble.

use fastrand::Rng;
use journal::Trouble;

use super::damage::Dishonesty;
use super::happenings::{Happening, Happenings};

const SECOND: u64 = 1_000_000;
const HOUR: i64 = 3_600_000_000;

/// The mixture of a seed.
#[derive(Debug, Clone)]
pub(super) struct Faults {
    /// Lives that end by a fault; the one after them lives on.
    lives_max: u64,
    disk_troubles: Vec<DiskTrouble>,
    kills: bool,
    clock: bool,
    hurries: bool,
    /// Something is done to snapshots before starts.
    pub(super) tampers: bool,
    full_disk: bool,
    dishonesty: Option<Dishonesty>,
    /// Microseconds that a frame takes at the most.
    pub(super) frame_micros_max: u64,
}

#[derive(Debug, Clone, Copy)]
enum DiskTrouble {
    Crash,
    Tear,
    Error,
}

impl Faults {
    pub(super) fn new(rng: &mut Rng) -> Self {
        let all = [DiskTrouble::Crash, DiskTrouble::Tear, DiskTrouble::Error];
        let disk_troubles: Vec<DiskTrouble> = all.into_iter().filter(|_| rng.bool()).collect();
        Faults {
            lives_max: rng.u64(0..7),
            disk_troubles,
            kills: rng.bool(),
            clock: rng.bool(),
            hurries: rng.bool(),
            tampers: rng.u8(..4) == 0,
            full_disk: rng.u8(..4) == 0,
            dishonesty: Dishonesty::of_a_seed(rng),
            frame_micros_max: [500, 3_000, 30_000, 400_000][rng.usize(..4)],
        }
    }

    /// Nothing goes wrong any more.
    pub(super) fn end(&mut self) {
        self.lives_max = 0;
    }

    /// Whether the disk of this seed does what no disk may do.
    pub(super) fn is_dishonest(&self) -> bool {
        self.dishonesty.is_some()
    }

    /// What the disk does in this life that no disk may do.
    pub(super) fn dishonesty_of(&self, life: u64) -> Option<Dishonesty> {
        self.dishonesty.filter(|_| life <= self.lives_max)
    }

    /// How the life that begins now is to end; the disk's trouble, in steps from now.
    pub(super) fn of_a_life(
        &self,
        life: u64,
        rng: &mut Rng,
        now: u64,
        happenings: &mut Happenings<Happening>,
    ) -> Option<(u64, Trouble)> {
        if life > self.lives_max {
            return None;
        }
        if self.kills && rng.bool() {
            let death = Happening::Dies { life, power: rng.bool() };
            happenings.at(now + rng.u64(..2 * SECOND), death);
            return None;
        }
        let trouble = match self.disk_troubles.get(rng.usize(..self.disk_troubles.len().max(1)))? {
            DiskTrouble::Crash => Trouble::Crash,
            DiskTrouble::Tear => Trouble::TearAt(rng.usize(..3_000)),
            DiskTrouble::Error => Trouble::Error,
        };
        Some((rng.u64(..120), trouble))
    }

    /// What happens to the clock and to the disk's room over the whole run.
    pub(super) fn of_the_world(&self, rng: &mut Rng, happenings: &mut Happenings<Happening>) {
        if self.clock {
            for _ in 0..rng.u8(1..8) {
                let moment = rng.u64(..20 * SECOND);
                let what = match rng.u8(..6) {
                    0 => Happening::ClockStops { micros: rng.i64(0..8_000_000) },
                    1 => Happening::ClockLeaps { micros: rng.i64(-60_000_000..0) },
                    2 => Happening::ClockLeaps { micros: rng.i64(HOUR..48 * HOUR) },
                    _ => Happening::ClockLeaps { micros: rng.i64(0..HOUR - 60_000_000) },
                };
                happenings.at(moment, what);
                happenings.at(moment + rng.u64(SECOND..6 * SECOND), Happening::OperatorConfirms);
            }
        }
        if self.hurries {
            hours_pass(rng, happenings);
        }
        if self.full_disk {
            let moment = rng.u64(..10 * SECOND);
            happenings.at(moment, Happening::DiskFills);
            happenings.at(moment + rng.u64(SECOND..5 * SECOND), Happening::DiskHasRoom);
        }
    }
}

/// The wall clock leaps through two days or so, for what falls due only then; the operator is there when that is suspect.
fn hours_pass(rng: &mut Rng, happenings: &mut Happenings<Happening>) {
    let mut moment = 0;
    while moment < 20 * SECOND {
        moment += rng.u64(SECOND / 20..SECOND);
        let micros = if rng.u8(..4) == 0 { rng.i64(HOUR..12 * HOUR) } else { rng.i64(0..HOUR) };
        happenings.at(moment, Happening::ClockLeaps { micros });
        happenings.at(moment + rng.u64(..SECOND / 2), Happening::OperatorConfirms);
    }
}
