//! Reading a stream's history: the latest frames from memory, older ones in batches from any replica.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;

use super::link::{Batch, Link};
use super::tail::Tail;
use super::{Chain, Heard, Reading, VoidFrame};
use crate::fault::Fault;
use crate::file::Wake;
use crate::frame::Frame;
use crate::journal::{FrameSource, Head, JournalRead, Witness};

/// Frames fetched for single lookups that are kept: what is asked once is often asked again.
const FETCHED_BYTES: usize = 8 * 1024 * 1024;
/// How often, and how long apart, the leader is asked for a message that a replica lacks before it counts as lost.
const LOOKS: u32 = 6;
const LOOK_PAUSE: Duration = Duration::from_millis(500);

/// A frame and its stream sequence.
type Placed = (u64, Frame);

/// A handle on a stream's frames. Cheap to clone; may be used on any thread, and waits there for the network.
#[derive(Clone)]
pub struct StreamReader {
    pub(super) link: Arc<Link>,
    pub(super) tail: Arc<Tail>,
    pub(super) fetched: Arc<Mutex<Fetched>>,
}

/// The frames of the last lookups.
#[derive(Default)]
pub(super) struct Fetched {
    frames: VecDeque<Frame>,
    bytes: usize,
}

impl StreamReader {
    /// Frames of losing rivals: they stand in the stream, and are no part of the history.
    pub fn voids(&self) -> Vec<VoidFrame> {
        self.tail.voids()
    }

    /// Why the stream cannot be followed on, once that is so.
    pub fn damage(&self) -> Option<String> {
        self.tail.damage()
    }

    /// Calls this whenever the history has grown, on a thread that must not be held up.
    pub fn on_growth(&self, wake: Wake) {
        self.tail.on_growth(wake);
    }

    /// Reads to the stream's present end, as its leader tells it.
    pub fn catch_up(&self) -> Result<(), Fault> {
        let (link, tail) = (Arc::clone(&self.link), Arc::clone(&self.tail));
        self.link.wait(async move { catch_up(&link, &tail).await })
    }

    /// The head, and the stream sequence that the next frame is published behind, of one moment.
    pub fn end(&self) -> (Head, u64) {
        let (head, last_stream_sequence) = self.tail.end();
        (head.unwrap_or_else(no_ledger), last_stream_sequence)
    }

    /// Whether the stream still has what a witness saw; if not, it is damaged.
    pub fn check_witness(&self, witness: &Witness) -> Result<(), Fault> {
        let (head, sequence) = (self.head(), witness.sequence);
        let damaged = |why| {
            let stream = self.link.name().to_owned();
            Fault::DamagedStream { stream, stream_sequence: self.tail.last_stream_sequence(), why }
        };
        if sequence > head.sequence {
            let end = head.sequence;
            return Err(damaged(format!(
                "it ends with sequence {end}, but sequence {sequence} was durable once"
            )));
        }
        match self.frame_at(sequence)? {
            Some(frame) if frame.hash() != witness.hash => {
                Err(damaged(format!("the frame of sequence {sequence} is not the one that was durable once")))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Frames in order from a noted place on: the first holds the sequence, or stands before it.
    fn fetch(&self, sequence: u64) -> Result<Option<(Chain, Vec<Placed>)>, Fault> {
        let Some(place) = self.tail.place_before(sequence) else { return Ok(None) };
        let link = Arc::clone(&self.link);
        let batch = self.link.wait(async move { whole_batch(&link, place).await })?;
        let Some((first_place, bytes)) = batch.first() else {
            return Err(self.link.unreachable(format!("stream sequence {place} was not found")));
        };
        let damaged = |fault: crate::FrameFault| Fault::DamagedStream {
            stream: self.link.name().to_owned(),
            stream_sequence: *first_place,
            why: fault.to_string(),
        };
        let (first, _) = Frame::decode(bytes).map_err(damaged)?;
        let mut chain = Chain::after(self.link.name(), Head::after(&first), *first_place);
        let mut frames = vec![(*first_place, first)];
        read_batch(&mut chain, &batch[1..], &mut frames)?;
        Ok(Some((chain, frames)))
    }

    fn fetched(&self, sequence: u64) -> Option<Frame> {
        let fetched = self.fetched.lock().expect(POISON);
        fetched.frames.iter().find(|frame| frame.holds(sequence)).cloned()
    }

    fn keep(&self, frames: impl Iterator<Item = Frame>) {
        let mut fetched = self.fetched.lock().expect(POISON);
        for frame in frames {
            fetched.bytes += frame.bytes().len();
            fetched.frames.push_front(frame);
        }
        while fetched.bytes > FETCHED_BYTES
            && let Some(oldest) = fetched.frames.pop_back()
        {
            fetched.bytes -= oldest.bytes().len();
        }
    }
}

const POISON: &str = "no code panics while it holds the fetched frames";

impl JournalRead for StreamReader {
    /// Of a stream without frames the ledger is not known: it is all zeros.
    fn head(&self) -> Head {
        self.tail.head().unwrap_or_else(no_ledger)
    }

    fn frame_at(&self, sequence: u64) -> Result<Option<Frame>, Fault> {
        if sequence == 0 || sequence > self.head().sequence {
            return Ok(None);
        }
        if let Some((_, frame)) = self.tail.recent(sequence) {
            return Ok(Some(frame));
        }
        if let Some(frame) = self.fetched(sequence) {
            return Ok(Some(frame));
        }
        let mut from = sequence;
        while let Some((_, frames)) = self.fetch(from)? {
            let found =
                frames.iter().find(|(_, frame)| frame.holds(sequence)).map(|(_, frame)| frame.clone());
            let last = frames.last().map_or(0, |(_, frame)| frame.last_sequence());
            if found.is_some() {
                self.keep(frames.into_iter().map(|(_, frame)| frame));
                return Ok(found);
            }
            // A batch that broke off before the frame: go on behind it.
            if last < from {
                break;
            }
            from = last + 1;
        }
        Err(self.link.unreachable(format!("the frame of sequence {sequence} was not found")))
    }

    fn frames_from(&self, sequence: u64) -> Result<Box<dyn FrameSource>, Fault> {
        Ok(Box::new(StreamSource {
            reader: self.clone(),
            next_sequence: sequence.max(1),
            chain: None,
            ahead: VecDeque::new(),
            last_place: 0,
        }))
    }
}

fn no_ledger() -> Head {
    Head::empty([0; 16])
}

/// Frames in order; at the head it waits for more.
struct StreamSource {
    reader: StreamReader,
    next_sequence: u64,
    /// Where the batches that were read ahead end.
    chain: Option<Chain>,
    ahead: VecDeque<Placed>,
    last_place: u64,
}

impl StreamSource {
    /// Fetches until something is read ahead: the head says that there is more.
    fn fill(&mut self) -> Result<(), Fault> {
        while self.ahead.is_empty() {
            let frames = match &mut self.chain {
                Some(chain) => {
                    let (link, from) = (Arc::clone(&self.reader.link), chain.last_stream_sequence() + 1);
                    let batch =
                        self.reader.link.wait(async move { batch_that_is_there(&link, from).await })?;
                    let mut frames = Vec::new();
                    read_batch(chain, &batch, &mut frames)?;
                    frames
                }
                None => match self.reader.fetch(self.next_sequence)? {
                    Some((chain, frames)) => {
                        self.chain = Some(chain);
                        frames
                    }
                    None => {
                        let why = format!("the frame of sequence {} was not found", self.next_sequence);
                        return Err(self.reader.link.unreachable(why));
                    }
                },
            };
            let wanted = |(_, frame): &Placed| frame.last_sequence() >= self.next_sequence;
            self.ahead.extend(frames.into_iter().filter(wanted));
        }
        Ok(())
    }
}

impl FrameSource for StreamSource {
    fn next_frame(&mut self) -> Result<Option<Frame>, Fault> {
        let sequence = self.next_sequence;
        if sequence > self.reader.head().sequence {
            // Nobody sees what the follower has not checked.
            return match self.reader.damage() {
                Some(why) => Err(Fault::Stopped { why }),
                None => Ok(None),
            };
        }
        if self.ahead.is_empty()
            && let Some((place, frame)) = self.reader.tail.recent(sequence)
        {
            self.chain = None;
            self.ahead.push_back((place, frame));
        }
        if self.ahead.is_empty() {
            self.fill()?;
        }
        let Some((place, frame)) = self.ahead.pop_front() else { return Ok(None) };
        self.next_sequence = frame.last_sequence() + 1;
        self.last_place = place;
        Ok(Some(frame))
    }

    fn place(&self) -> (PathBuf, u64) {
        (PathBuf::from(self.reader.link.name()), self.last_place)
    }
}

/// Reads everything up to the end that the leader tells.
async fn catch_up(link: &Link, tail: &Tail) -> Result<(), Fault> {
    // In this order: the follower reads on while the leader is asked, and may know more than it told.
    let known = tail.last_stream_sequence();
    let last = link.last_stream_sequence().await?;
    if last < known {
        let why = format!(
            "it ends at stream sequence {last}, but {known} was read before: acknowledged frames are lost"
        );
        return Err(Fault::DamagedStream { stream: link.name().to_owned(), stream_sequence: last, why });
    }
    loop {
        let from = tail.last_stream_sequence() + 1;
        if from > last {
            return Ok(());
        }
        if read_on(link, tail, from).await? {
            continue;
        }
        tail.read(from, &from_the_leader(link, from).await?)?;
    }
}

/// A message that a replica which lags does not have yet.
async fn from_the_leader(link: &Link, from: u64) -> Result<Bytes, Fault> {
    match link.look(from).await {
        Heard::Found { bytes } => Ok(bytes.into()),
        other => Err(link.unreachable(format!("stream sequence {from} is not to be had: {other:?}"))),
    }
}

/// A batch from where something is known to be.
async fn batch_that_is_there(link: &Link, from: u64) -> Result<Batch, Fault> {
    let batch = whole_batch(link, from).await?;
    if batch.is_empty() { Ok(vec![(from, from_the_leader(link, from).await?)]) } else { Ok(batch) }
}

/// Reads the messages that a replica has from here on; false if it has none.
pub(super) async fn read_on(link: &Link, tail: &Tail, from: u64) -> Result<bool, Fault> {
    let batch = whole_batch(link, from).await?;
    for (stream_sequence, bytes) in &batch {
        tail.read(*stream_sequence, bytes)?;
    }
    Ok(!batch.is_empty())
}

/// A batch that begins where it should: a replica that lacks a message is no proof that it is lost.
async fn whole_batch(link: &Link, from: u64) -> Result<Batch, Fault> {
    let batch = link.batch(from).await?;
    let Some((first, _)) = batch.first().filter(|(first, _)| *first != from) else { return Ok(batch) };
    for _ in 0..LOOKS {
        if let Heard::Found { bytes } = link.look(from).await {
            return Ok(vec![(from, bytes.into())]);
        }
        tokio::time::sleep(LOOK_PAUSE).await;
    }
    let why = format!("it is missing, though stream sequence {first} is there");
    Err(Fault::DamagedStream { stream: link.name().to_owned(), stream_sequence: from, why })
}

fn read_batch(chain: &mut Chain, batch: &[(u64, Bytes)], frames: &mut Vec<Placed>) -> Result<(), Fault> {
    for (stream_sequence, bytes) in batch {
        match chain.read(*stream_sequence, bytes)? {
            Reading::Next(frame) => frames.push((*stream_sequence, frame)),
            Reading::Void(_) | Reading::Known => {}
        }
    }
    Ok(())
}
