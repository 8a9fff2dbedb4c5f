//! Sends commands in order, in batches, and counts what becomes of them. Whatever was sent before gets its first
//! answer again, so a delivery that was cut short is simply begun anew.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::planned::Repeat;
use crate::door::{Answer, Batch, Door, DoorFault, Item, Outcome};

/// How long a delivery goes on trying while nothing gets through.
const PATIENCE: Duration = Duration::from_secs(60);
/// Pause before the first repetition; it doubles up to a second.
const PAUSE_MIN: Duration = Duration::from_millis(20);
const PAUSE_MAX: Duration = Duration::from_secs(1);
/// Refusals kept as examples for each code.
const EXAMPLES_MAX: usize = 3;

/// A command, encoded, with what a conflict about its id means.
#[derive(Debug, Clone)]
pub struct Parcel {
    id: String,
    command: String,
    repeat: Repeat,
    encoded: Vec<u8>,
}

impl Parcel {
    /// Encodes an item.
    pub fn new(item: &Item, repeat: Repeat) -> Parcel {
        let encoded = serde_json::to_vec(item).expect("an item is text and JSON");
        Parcel { id: item.id.clone().unwrap_or_default(), command: item.command.clone(), repeat, encoded }
    }
}

/// What became of the commands so far.
#[derive(Debug, Default, Clone)]
pub struct Tally {
    /// Recorded by this delivery.
    pub accepted: u64,
    /// Recorded before.
    pub duplicates: u64,
    /// Set before with other words, which are kept.
    pub kept: u64,
    /// Not sent, because their document was imported from a file with another history.
    pub passed_over: u64,
    /// Refused, by code.
    pub refused: BTreeMap<String, Refusals>,
}

/// Refusals with one code.
#[derive(Debug, Default, Clone)]
pub struct Refusals {
    /// How many.
    pub count: u64,
    /// The first of them: command, id and message.
    pub examples: Vec<String>,
}

impl Tally {
    /// How many commands were dealt with.
    pub fn done(&self) -> u64 {
        self.accepted + self.duplicates + self.kept + self.passed_over + self.refused_count()
    }

    /// How many were refused.
    pub fn refused_count(&self) -> u64 {
        self.refused.values().map(|refusals| refusals.count).sum()
    }

    fn refuse(&mut self, parcel: &Parcel, answer: &Answer) {
        let refusals = self.refused.entry(answer.code.clone()).or_default();
        refusals.count += 1;
        if refusals.examples.len() < EXAMPLES_MAX {
            refusals.examples.push(format!("{} {}: {}", parcel.command, parcel.id, answer.message));
        }
    }
}

/// A delivery through one door.
pub struct Delivery<'d> {
    door: &'d Door,
    waiting: Vec<Parcel>,
    batch: Batch,
    tally: Tally,
    told: Box<dyn FnMut(&Tally) + 'd>,
}

impl<'d> Delivery<'d> {
    /// Begins; `told` hears the tally after every batch.
    pub fn new(door: &'d Door, told: impl FnMut(&Tally) + 'd) -> Self {
        Delivery {
            door,
            waiting: Vec::new(),
            batch: Batch::default(),
            tally: Tally::default(),
            told: Box::new(told),
        }
    }

    /// Adds a command on its own.
    pub async fn push(&mut self, parcel: Parcel) -> Result<(), DoorFault> {
        if !self.batch.has_room_for(&parcel.encoded) {
            self.flush().await?;
        }
        self.batch.push(&parcel.encoded);
        self.waiting.push(parcel);
        Ok(())
    }

    /// Adds the commands of one document. If the answer to the first speaks for them all, it is awaited before the
    /// others are sent.
    pub async fn push_document(&mut self, parcels: Vec<Parcel>) -> Result<(), DoorFault> {
        let mut parcels = parcels.into_iter();
        let Some(first) = parcels.next() else { return Ok(()) };
        let speaks_for_all = first.repeat == Repeat::Invoice;
        self.push(first).await?;
        if speaks_for_all && matches!(self.flush().await?, Some(Outcome::IdReused | Outcome::Exists)) {
            let others = parcels.len() as u64;
            self.tally.passed_over += others;
            return Ok(());
        }
        for parcel in parcels {
            // Only the first may contradict what was imported before.
            let repeat = if parcel.repeat == Repeat::Invoice { Repeat::Same } else { parcel.repeat };
            self.push(Parcel { repeat, ..parcel }).await?;
        }
        Ok(())
    }

    /// Sends what waits; gives the outcome of the last command.
    pub async fn flush(&mut self) -> Result<Option<Outcome>, DoorFault> {
        let mut last = None;
        let mut pause = PAUSE_MIN;
        let mut stuck_since: Option<Instant> = None;
        while self.batch.count() > 0 {
            let answers = match self.door.send_batch(std::mem::take(&mut self.batch), false).await {
                Ok(answers) => answers,
                Err(fault @ DoorFault::NoAnswer { .. }) => {
                    self.wait(&mut stuck_since, &mut pause, fault).await?;
                    continue;
                }
                Err(fault) => return Err(fault),
            };
            // From the first command that has to be sent again on, all are: what comes later may need it.
            let settled = answers.iter().take_while(|answer| answer.outcome != Outcome::Again).count();
            let again = answers.get(settled).map(|answer| DoorFault::NoAnswer {
                tried: self.door.name(),
                why: format!("{} ({})", answer.message, answer.code),
            });
            for (parcel, answer) in self.waiting.drain(..settled).zip(answers) {
                last = Some(answer.outcome);
                settle(&mut self.tally, &parcel, &answer);
            }
            (self.told)(&self.tally);
            if settled > 0 {
                (stuck_since, pause) = (None, PAUSE_MIN);
            }
            if let Some(why) = again {
                self.wait(&mut stuck_since, &mut pause, why).await?;
            }
        }
        Ok(last)
    }

    /// Sends the rest and gives the final tally.
    pub async fn finish(mut self) -> Result<Tally, DoorFault> {
        self.flush().await?;
        Ok(self.tally)
    }

    /// Waits before everything that is not settled is sent again, or gives up.
    async fn wait(
        &mut self,
        stuck_since: &mut Option<Instant>,
        pause: &mut Duration,
        why: DoorFault,
    ) -> Result<(), DoorFault> {
        if stuck_since.get_or_insert_with(Instant::now).elapsed() > PATIENCE {
            return Err(why);
        }
        tracing::warn!(%why, "trying again");
        tokio::time::sleep(*pause).await;
        *pause = (*pause * 2).min(PAUSE_MAX);
        self.batch = Batch::default();
        for parcel in &self.waiting {
            self.batch.push(&parcel.encoded);
        }
        Ok(())
    }
}

fn settle(tally: &mut Tally, parcel: &Parcel, answer: &Answer) {
    match (answer.outcome, parcel.repeat) {
        (Outcome::Accepted, _) => tally.accepted += 1,
        (Outcome::Duplicate, _) => tally.duplicates += 1,
        (Outcome::IdReused | Outcome::Exists, Repeat::Keep | Repeat::Invoice) => tally.kept += 1,
        (Outcome::IdReused | Outcome::Exists, Repeat::Same) | (Outcome::Refused | Outcome::Again, _) => {
            tally.refuse(parcel, answer);
        }
    }
}
