//! The sentence of the house: authorise, dedupe, decide, apply, append, reply.
//!
//! A plain struct. Time, commands and the journal's outcomes come in through [`Writer::step`]; frames and answers go
//! out. No thread, clock, channel or I/O is inside, so a test can be the world around it.
//!
//! | when | then |
//! |---|---|
//! | a command is accepted | its entry joins the open frame, its answer waits for that frame |
//! | no frame is in flight | the open frame is sealed and handed to the journal |
//! | the frame in flight is durable | its answers leave in order, the next frame follows |
//! | a command is refused, or was accepted before | the answer waits for the last entry accepted before it |
//! | something falls due | its command is decided, as if somebody had sent it |
//! | a frame is refused or in doubt | the writer stops for good: its memory is ahead of the journal |

mod answer;
mod authority;
mod control;
mod log_time;
#[cfg(test)]
mod tests;
mod timers;

use std::collections::BTreeSet;

use journal::{FRAME_BYTES_MAX, Frame, FrameBuilder, FrameHash, Head, Outcome, Space};
use ledger_core::control::{ActivateRules, Create, RULES_KNOWN, RecordStateHash, StartEpoch};
use ledger_core::values::{CommandId, Name, Timestamp};
use ledger_core::{Entry, Ledger, Settings, Submission};
use projections::Position;

use crate::auth::Rights;

pub use answer::{Answer, Busy, Conflict, Refuses};
use log_time::LogTime;

/// What is asked of the writer: an entry to be, or with `dry_run` only the decision about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// One command, or several that stand or fall together.
    pub submission: Submission,
    /// What whoever asks may do.
    pub rights: Rights,
    /// Decide and answer, record nothing.
    pub dry_run: bool,
    /// How long it was on the wire: the queue before the writer is bounded by it.
    pub bytes: usize,
}

/// What happens to the writer. `To` is where an answer goes: the writer only carries it.
#[derive(Debug)]
pub enum Input<To> {
    /// A command arrived.
    Command(Request, To),
    /// The journal tells the fate of the frame in flight.
    Journal(Outcome),
    /// The journal tells whether there will be room for the frames to come.
    Space(Space),
    /// Time passes without commands. Send one when the ledger's next due time comes, and at least every few minutes, so
    /// that an idle hour is not a clock's leap.
    Tick,
    /// An operator says that the wall clock is right.
    ClockConfirmed,
    /// A reader hashed a state that is durable: for whoever replays to there. Nobody waits for an answer.
    StateHash(RecordStateHash),
}

/// What the writer wants done.
#[derive(Debug)]
pub enum Output<To> {
    /// Make this frame durable, and tell its fate. The next one comes only after that.
    Append(Frame),
    /// This is the answer.
    Reply(To, Answer),
    /// The writer stopped for good; the answers in flight have left.
    Stopped {
        /// What happened.
        why: String,
    },
}

/// The one writer of a ledger.
#[derive(Debug)]
pub struct Writer<To> {
    ledger: Ledger,
    uuid: [u8; 16],
    epoch: u64,
    log_time: LogTime,
    /// Hash of the last sealed frame, durable or in flight.
    previous: FrameHash,
    open: Option<Open<To>>,
    in_flight: Option<InFlight<To>>,
    /// The commands of the frame that became durable last, by their numbers in the table of kinds.
    recorded: Vec<u16>,
    full: Option<String>,
    timers_rest_until: Option<Timestamp>,
    /// What is due and was refused.
    timers_refused: BTreeSet<CommandId>,
    /// Nothing is due before whoever started the writer sends commands, or says that time passes.
    serves: bool,
    stopped: Option<String>,
}

/// The open frame and the answers that wait for it.
struct Open<To> {
    frame: FrameBuilder,
    log_time: Timestamp,
    answers: Vec<(To, Answer)>,
    commands: Vec<u16>,
}

/// What waits for the frame in flight.
#[derive(Debug)]
struct InFlight<To> {
    answers: Vec<(To, Answer)>,
    commands: Vec<u16>,
}

impl<To> Writer<To> {
    /// Takes the ledger: the first frame creates it if the journal is empty, and starts an epoch. Commands wait for
    /// that frame like for any other; serve when it is durable.
    ///
    /// `ledger` is the fold of the journal up to `head`, `program` the name and version of what writes, and
    /// something that is of this start alone: no two starts may record the same bytes.
    pub fn start(
        ledger: Ledger,
        head: Head,
        settings: Settings,
        program: Name,
        now: Timestamp,
        out: &mut Vec<Output<To>>,
    ) -> Self {
        assert_eq!(ledger.head().sequence, head.sequence, "the ledger is the fold of the whole journal");
        let mut writer = Writer {
            epoch: ledger.epoch() + 1,
            log_time: LogTime::after(ledger.head().log_time),
            ledger,
            uuid: head.ledger,
            previous: head.hash,
            open: None,
            in_flight: None,
            recorded: Vec::new(),
            full: None,
            timers_rest_until: None,
            timers_refused: BTreeSet::new(),
            serves: false,
            stopped: None,
        };
        const MAY: &str = "a writer may create and take a ledger";
        if writer.ledger.settings().is_none() {
            let rules = *RULES_KNOWN.end();
            let create = ("ledger/create".into(), Create { settings }.into());
            let newest = (format!("ledger/rules/{rules}"), ActivateRules { rules }.into());
            writer.control(vec![create, newest], now).expect(MAY);
        }
        let epoch = format!("ledger/epoch/{}", writer.epoch);
        writer.control(vec![(epoch, StartEpoch { writer: program }.into())], now).expect(MAY);
        writer.append_when_free(out);
        writer
    }

    /// One thing happens; what follows from it is added to `out`.
    pub fn step(&mut self, input: Input<To>, now: Timestamp, out: &mut Vec<Output<To>>) {
        self.serves |= matches!(input, Input::Command(..) | Input::Tick);
        match input {
            Input::Command(request, to) => {
                let answer = self.answer(request, now).unwrap_or_else(|answer| answer);
                self.reply(to, answer, out);
            }
            Input::Journal(outcome) => self.settle(outcome, out),
            Input::Space(Space::Enough) => self.full = None,
            Input::Space(Space::Low { why }) => self.full = Some(why),
            Input::Tick => self.log_time.observe(now),
            Input::ClockConfirmed => self.log_time.confirm(now),
            Input::StateHash(hash) => self.record_state_hash(hash, now),
        }
        self.decide_due(now);
        self.append_when_free(out);
    }

    /// False while the open frame is full and another is in flight: leave commands in their queue.
    pub fn takes_commands(&self) -> bool {
        self.stopped.is_some() || self.in_flight.is_none() || !self.open_is_full()
    }

    /// Whether a request states a time that has come since the open frame got its log time: in that frame it would be of
    /// the future. Leave it, and what is behind it, in the queue until the frame in flight is settled.
    pub fn is_of_next_frame(&self, request: &Request, now: Timestamp) -> bool {
        let Some(open) = &self.open else { return false };
        let stated = request.submission.commands.iter().filter_map(|submitted| submitted.effective_at);
        stated.max().is_some_and(|latest| latest > open.log_time && latest <= now)
    }

    /// Why every command would be refused just now, though nobody may have sent one.
    pub fn refuses(&mut self, now: Timestamp) -> Refuses {
        let space = self.full.clone().map(|why| Busy::DiskFull { why });
        Refuses { space, clock: self.log_time.check(now).err() }
    }

    /// The commands that became durable with the last frame, whoever sent them, by their numbers in the table of kinds.
    pub fn recorded(&self) -> &[u16] {
        &self.recorded
    }

    /// True when no entry waits to become durable.
    pub fn is_settled(&self) -> bool {
        self.open.is_none() && self.in_flight.is_none()
    }

    /// The ledger as decided so far: ahead of what is durable.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The number of this writer's start.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Why the writer stopped, once it has.
    pub fn stopped(&self) -> Option<&str> {
        self.stopped.as_deref()
    }

    /// The sentence. An error is an answer too: one at which the sentence ends early.
    fn answer(&mut self, request: Request, now: Timestamp) -> Result<Answer, Answer> {
        self.check_standing(now)?;
        authority::authorise(&request)?;
        self.dedupe(&request.submission)?;
        let log_time = self.log_time_of_next_entry(now);
        let before = self.position();
        let Request { submission, dry_run, rights: _, bytes: _ } = request;
        let pending = match self.ledger.decide(submission, log_time) {
            Ok(pending) => pending,
            Err(rejection) => return Err(Answer::Rejected { position: before, rejection }),
        };
        if dry_run {
            return Ok(Answer::WouldBeAccepted { position: before, entry: pending.entry().clone() });
        }
        let (sequence, entry, bytes) = pending.accept();
        self.push(&entry, &bytes, log_time);
        Ok(Answer::Accepted { position: Position { epoch: self.epoch, sequence }, entry })
    }

    fn check_standing(&mut self, now: Timestamp) -> Result<(), Answer> {
        if let Some(why) = &self.stopped {
            return Err(Answer::Unavailable { why: why.clone() });
        }
        // The clock goes on while nothing is taken: an hour of a full disk is no leap.
        let clock = self.log_time.check(now);
        if let Some(why) = &self.full {
            return Err(Answer::Busy(Busy::DiskFull { why: why.clone() }));
        }
        if !self.takes_commands() {
            return Err(Answer::Busy(Busy::QueueFull));
        }
        clock.map_err(Answer::Busy)
    }

    /// The first outcome again, for the same commands under the same ids.
    fn dedupe(&self, submission: &Submission) -> Result<(), Answer> {
        let remembered = self.ledger.remembered();
        let mut sequences = Vec::new();
        for submitted in &submission.commands {
            let fingerprint = submitted.fingerprint();
            match remembered.find(&fingerprint.id) {
                None => {}
                Some(known) if known.fingerprint == fingerprint => sequences.push(known.sequence),
                Some(known) => {
                    let (id, sequence) = (submitted.id.clone(), known.sequence);
                    return Err(Answer::Conflict(Conflict::CommandIdReused { id, sequence }));
                }
            }
        }
        if sequences.is_empty() {
            return Ok(());
        }
        if sequences.len() == submission.commands.len() {
            let ids = submission.commands.iter().map(|submitted| submitted.id.clone());
            return Err(Answer::Duplicate { accepted: ids.zip(sequences).collect() });
        }
        let known = sequences.len();
        Err(Answer::Conflict(Conflict::BatchPartlyKnown { known, commands: submission.commands.len() }))
    }

    fn log_time_of_next_entry(&mut self, now: Timestamp) -> Timestamp {
        match &self.open {
            Some(open) => open.log_time,
            None => self.log_time.next(now),
        }
    }

    fn push(&mut self, entry: &Entry, bytes: &[u8], log_time: Timestamp) {
        let events = entry.event_count();
        let head = self.ledger.head();
        let open = self.open.get_or_insert_with(|| {
            self.log_time.fix(log_time);
            let first_event = head.event + 1 - u64::from(events);
            let frame = FrameBuilder::open(
                self.uuid,
                self.epoch,
                head.sequence,
                first_event,
                log_time.micros(),
                self.previous,
            );
            Open { frame, log_time, answers: Vec::new(), commands: Vec::new() }
        });
        open.frame.push(bytes, events);
        open.commands.extend(entry.commands.iter().map(|decided| decided.submitted.command.kind()));
    }

    /// An answer leaves when all that was accepted before it is durable; one about the queue or the service at once.
    fn reply(&mut self, to: To, answer: Answer, out: &mut Vec<Output<To>>) {
        let waits = match &answer {
            Answer::Forbidden { .. }
            | Answer::Busy(_)
            | Answer::Unavailable { .. }
            | Answer::NotTheWriter { .. }
            | Answer::Unknown { .. } => false,
            Answer::Accepted { .. }
            | Answer::WouldBeAccepted { .. }
            | Answer::Duplicate { .. }
            | Answer::Rejected { .. }
            | Answer::Conflict(_) => true,
        };
        let in_flight = self.in_flight.as_mut().map(|in_flight| &mut in_flight.answers);
        match self.open.as_mut().map(|open| &mut open.answers).or(in_flight) {
            Some(waiting) if waits => waiting.push((to, answer)),
            Some(_) | None => out.push(Output::Reply(to, answer)),
        }
    }

    fn append_when_free(&mut self, out: &mut Vec<Output<To>>) {
        if self.in_flight.is_some() || self.stopped.is_some() {
            return;
        }
        let Some(open) = self.open.take() else { return };
        let frame = open.frame.seal();
        self.previous = frame.hash();
        self.in_flight = Some(InFlight { answers: open.answers, commands: open.commands });
        out.push(Output::Append(frame));
    }

    fn settle(&mut self, outcome: Outcome, out: &mut Vec<Output<To>>) {
        const APPENDED: &str = "the journal tells the fate of a frame that was appended";
        let InFlight { answers, commands } = self.in_flight.take().expect(APPENDED);
        match outcome {
            Outcome::Durable { .. } => {
                self.recorded = commands;
                out.extend(answers.into_iter().map(|(to, answer)| Output::Reply(to, answer)));
            }
            Outcome::Refused { why } | Outcome::Unknown { why } => {
                self.recorded.clear();
                let open = self.open.take().map(|open| open.answers).unwrap_or_default();
                let lost = answers.into_iter().chain(open);
                out.extend(lost.map(|(to, _)| Output::Reply(to, Answer::Unknown { why: why.clone() })));
                out.push(Output::Stopped { why: why.clone() });
                self.stopped = Some(why);
            }
        }
    }

    fn position(&self) -> Position {
        Position { epoch: self.epoch, sequence: self.ledger.head().sequence }
    }

    fn open_is_full(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.frame.is_full())
    }
}

impl<To> std::fmt::Debug for Open<To> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Open({} entries, {} answers wait)", self.frame.entries_len(), self.answers.len())
    }
}

// An open frame that takes entries is under 256 KiB, so the longest entry always fits.
const _: () = assert!(journal::FRAME_CLOSE_BYTES + journal::ENTRY_BYTES_MAX + 1024 <= FRAME_BYTES_MAX);
const _: () = assert!(ledger_core::ledger::ENTRY_BYTES_MAX <= journal::ENTRY_BYTES_MAX);
