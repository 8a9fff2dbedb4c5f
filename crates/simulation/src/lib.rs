//! A seeded world around the real writer, journal and views: everything that can go wrong does, in one thread, and an
//! auditor that knows nothing of the ledger's code predicts every answer. The same seed is the same run, to the bit.
//!
//! | part | is |
//! |---|---|
//! | `world/` | simulated time, network, clients, crashes; the real [`Writer`](command_api::writer::Writer), [`FileJournal`](journal::FileJournal) and [`Projections`](projections::Projections) in the middle |
//! | `cluster/` | the same for several instances on a replicated stream: leases, takeovers, stale owners |
//! | `feed/` | the publishers of the ledger's events, their stream, and a consumer of nothing else |
//! | `workload/` | what clients ask for, over the whole domain |
//! | `auditor/` | what every answer must be, and which history the journal must hold |
//! | `model/` | the naive shop that the auditor decides with |
//!
//! `docs/simulation.md` says what is simulated, what each fault permits, and which bugs were found.

mod ask;
mod auditor;
mod cluster;
mod feed;
mod model;
mod workload;
mod world;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Something happened that must not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation(pub String);

impl From<String> for Violation {
    fn from(what: String) -> Self {
        Violation(what)
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a seed is run.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// How many commands clients send, repeats apart.
    pub commands: u64,
    /// Several instances on a replicated stream, rather than one on a disk.
    pub cluster: bool,
    /// Tell on stderr what happens.
    pub verbose: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options { commands: 200, cluster: false, verbose: false }
    }
}

/// Entries that nobody asked for but time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Timed {
    /// Claims that ended.
    pub claims: u64,
    /// Returns that were awaited no longer.
    pub returns: u64,
    /// Holds that reached their limit.
    pub holds: u64,
    /// Ended orders that were archived, or postponed for something that is open.
    pub archived: u64,
}

/// Snapshots of a process on a disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Snapshots {
    /// How many were taken.
    pub taken: u64,
    /// Starts that began with one.
    pub used: u64,
    /// Starts that left the newest one aside.
    pub left_aside: u64,
}

/// The public feed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Published {
    /// Messages in the stream at the end: one an event.
    pub messages: u64,
    /// Messages that the stream refused: twice, or out of turn.
    pub refused: u64,
}

/// What came of a seed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// BLAKE3 of everything that was answered and recorded: the same for the same seed.
    pub digest: String,
    /// Answers that were predicted.
    pub answers: u64,
    /// How many of them were acceptances.
    pub accepted: u64,
    /// Entries in the journal at the end.
    pub entries: u64,
    /// How many of them the writer made by itself, when they fell due.
    pub timed: Timed,
    /// Times that the process died.
    pub deaths: u64,
    /// Times that the journal found out what was done to its files.
    pub detected: u64,
    /// Times that acknowledged entries were lost where that is permitted: see `docs/simulation.md`.
    pub forgiven: u64,
    /// What came of its snapshots.
    pub snapshots: Snapshots,
    /// What came of its feed.
    pub published: Published,
    /// Times that an instance of a cluster took the ledger.
    pub takeovers: u64,
    /// Times that one was refused, or gave up in doubt.
    pub fenced: u64,
}

impl Report {
    /// Counts another seed's report in.
    pub fn add(&mut self, other: &Report) {
        self.answers += other.answers;
        self.accepted += other.accepted;
        self.entries += other.entries;
        self.timed.claims += other.timed.claims;
        self.timed.returns += other.timed.returns;
        self.timed.holds += other.timed.holds;
        self.timed.archived += other.timed.archived;
        self.deaths += other.deaths;
        self.detected += other.detected;
        self.forgiven += other.forgiven;
        self.snapshots.taken += other.snapshots.taken;
        self.snapshots.used += other.snapshots.used;
        self.snapshots.left_aside += other.snapshots.left_aside;
        self.published.messages += other.published.messages;
        self.published.refused += other.published.refused;
        self.takeovers += other.takeovers;
        self.fenced += other.fenced;
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { answers, accepted, entries, deaths, detected, forgiven, takeovers, fenced, .. } = self;
        let Timed { claims, returns, holds, archived } = self.timed;
        let Published { messages, refused } = self.published;
        let Snapshots { taken, used, left_aside } = self.snapshots;
        write!(f, "{answers} answers predicted, {accepted} accepted, {entries} entries, ")?;
        write!(f, "fell due: {claims} claims, {returns} returns, {holds} holds, {archived} orders, ")?;
        write!(f, "{taken} snapshots taken, {used} used, {left_aside} left aside, ")?;
        write!(f, "{messages} events in the feed, {refused} messages refused, ")?;
        write!(f, "{deaths} deaths, {detected} damages found, {forgiven} losses permitted, ")?;
        write!(f, "{takeovers} takeovers, {fenced} writers refused")
    }
}

/// Runs a seed to its end.
pub fn run(seed: u64, options: Options) -> Result<Report, Violation> {
    let world = || match options.cluster {
        true => cluster::Cluster::new(seed, options).run(),
        false => world::World::new(seed, options).run(),
    };
    catch_unwind(AssertUnwindSafe(world)).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().cloned();
        let said = said.or_else(|| panic.downcast_ref::<&str>().map(|said| (*said).to_owned()));
        Err(Violation(format!("a panic: {}", said.unwrap_or_default())))
    })
}
