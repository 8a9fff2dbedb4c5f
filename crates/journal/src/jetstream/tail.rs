//! What is known of a stream's history: its head, where its frames stand, the latest of them, and what is void.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};

use super::{Chain, Reading, VoidFrame};
use crate::fault::Fault;
use crate::file::Wake;
use crate::frame::Frame;
use crate::journal::Head;

/// One frame in so many has its place noted, or more if frames are long: a lookup fetches no more than that.
const NOTED_FRAMES: usize = 16;
const NOTED_BYTES: usize = 256 * 1024;
/// A megabyte of places; a stream of more has them further apart.
const PLACES_MAX: usize = 64 * 1024;
/// Frames kept in memory, so that whoever follows the head fetches nothing.
const RECENT_BYTES: usize = 32 * 1024 * 1024;
/// Void frames that are listed; of more, the first.
const VOIDS_MAX: usize = 1000;

/// Shared by the follower of the stream, the appender, and every reader.
pub(super) struct Tail {
    known: Mutex<Known>,
    appenders: AtomicUsize,
    wakes: Mutex<Vec<Wake>>,
}

struct Known {
    chain: Chain,
    /// First sequence and stream sequence of some frames, in order.
    places: Vec<(u64, u64)>,
    since_place: (usize, usize),
    /// How many times as far apart as usual they are: of a long stream fewer are noted.
    spread: usize,
    recent: VecDeque<(u64, Frame)>,
    recent_bytes: usize,
    voids: Vec<VoidFrame>,
    damage: Option<String>,
}

impl Tail {
    pub(super) fn new(stream: &str) -> Self {
        let known = Known {
            chain: Chain::of(stream),
            places: Vec::new(),
            since_place: (0, 0),
            spread: 1,
            recent: VecDeque::new(),
            recent_bytes: 0,
            voids: Vec::new(),
            damage: None,
        };
        Self { known: Mutex::new(known), appenders: AtomicUsize::new(0), wakes: Mutex::default() }
    }

    /// While this instance appends, what is stored is its own, and told by the appender.
    pub(super) fn begin_appending(&self) {
        self.appenders.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn end_appending(&self) {
        self.appenders.fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn is_appended_to(&self) -> bool {
        self.appenders.load(Ordering::Relaxed) > 0
    }

    /// Called whenever the history has grown.
    pub(super) fn on_growth(&self, wake: Wake) {
        self.wakes.lock().expect(POISON).push(wake);
    }

    pub(super) fn head(&self) -> Option<Head> {
        self.known().chain.head()
    }

    /// Head and last stream sequence, of one moment.
    pub(super) fn end(&self) -> (Option<Head>, u64) {
        let known = self.known();
        (known.chain.head(), known.chain.last_stream_sequence())
    }

    pub(super) fn last_stream_sequence(&self) -> u64 {
        self.known().chain.last_stream_sequence()
    }

    pub(super) fn voids(&self) -> Vec<VoidFrame> {
        self.known().voids.clone()
    }

    /// Why the history cannot be read on, once that is so.
    pub(super) fn damage(&self) -> Option<String> {
        self.known().damage.clone()
    }

    /// Takes the next message of the stream.
    pub(super) fn read(&self, stream_sequence: u64, bytes: &[u8]) -> Result<(), Fault> {
        let mut known = self.known();
        let read = known.chain.read(stream_sequence, bytes);
        self.note(known, stream_sequence, read)
    }

    /// Takes a frame that was just appended; a follower may have been quicker, or may have to read what is before it.
    pub(super) fn appended(&self, stream_sequence: u64, frame: Frame) -> Result<(), Fault> {
        let mut known = self.known();
        if stream_sequence > known.chain.last_stream_sequence() + 1 {
            return Ok(());
        }
        let read = known.chain.take(stream_sequence, frame);
        self.note(known, stream_sequence, read)
    }

    /// The frame that holds the sequence, if it is in memory.
    pub(super) fn recent(&self, sequence: u64) -> Option<(u64, Frame)> {
        let known = self.known();
        let place = known.recent.partition_point(|(_, frame)| frame.last_sequence() < sequence);
        known.recent.get(place).filter(|(_, frame)| frame.holds(sequence)).cloned()
    }

    /// The stream sequence of a frame at or before the one that holds the sequence.
    pub(super) fn place_before(&self, sequence: u64) -> Option<u64> {
        let known = self.known();
        let after = known.places.partition_point(|(first_sequence, _)| *first_sequence <= sequence);
        known.places.get(after.checked_sub(1)?).map(|(_, stream_sequence)| *stream_sequence)
    }

    fn note(
        &self,
        mut known: MutexGuard<'_, Known>,
        stream_sequence: u64,
        read: Result<Reading, Fault>,
    ) -> Result<(), Fault> {
        match read {
            Ok(Reading::Next(frame)) => {
                known.add(stream_sequence, frame);
                drop(known);
                for wake in self.wakes.lock().expect(POISON).iter() {
                    wake();
                }
                Ok(())
            }
            Ok(Reading::Void(void)) => {
                tracing::warn!(?void, "a frame of a losing rival: no part of the history");
                if known.voids.len() < VOIDS_MAX {
                    known.voids.push(void);
                }
                Ok(())
            }
            Ok(Reading::Known) => Ok(()),
            Err(fault) => {
                known.damage = Some(fault.to_string());
                Err(fault)
            }
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().expect(POISON)
    }
}

const POISON: &str = "no code panics while it holds what is known of the stream";

impl Known {
    fn add(&mut self, stream_sequence: u64, frame: Frame) {
        let length = frame.bytes().len();
        let (frames, bytes) = self.since_place;
        let (frames_max, bytes_max) = (NOTED_FRAMES * self.spread, NOTED_BYTES * self.spread);
        if self.places.is_empty() || frames >= frames_max || bytes + length > bytes_max {
            self.places.push((frame.header().first_sequence, stream_sequence));
            self.since_place = (0, 0);
            self.thin_out();
        }
        self.since_place.0 += 1;
        self.since_place.1 += length;
        self.recent_bytes += length;
        self.recent.push_back((stream_sequence, frame));
        while self.recent_bytes > RECENT_BYTES
            && let Some((_, oldest)) = self.recent.pop_front()
        {
            self.recent_bytes -= oldest.bytes().len();
        }
    }

    /// Every other place goes when there are too many.
    fn thin_out(&mut self) {
        if self.places.len() > PLACES_MAX {
            let mut stays = false;
            self.places.retain(|_| {
                stays = !stays;
                stays
            });
            self.spread *= 2;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_stream_fewer_places_are_noted_and_the_first_stays() {
        let tail = Tail::new("s");
        let mut known = tail.known();
        for number in 0..PLACES_MAX as u64 + 1 {
            known.places.push((number + 1, number));
            known.thin_out();
        }
        assert_eq!((known.places.len(), known.spread), (PLACES_MAX / 2 + 1, 2));
        assert_eq!(known.places[..2], [(1, 0), (3, 2)]);
    }
}
